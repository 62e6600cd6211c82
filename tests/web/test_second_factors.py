"""Does a stolen password alone open nothing once there is a second factor? (WEB-09)"""

import json
import re
from html import unescape

import pytest
from sqlalchemy import select

from portal import clock as portal_clock
from portal.core import totp
from portal.models import Account, AuditEntry, Passkey, RecoveryCode, Totp
from portal.services import second_factors
from tests.cast import PASSWORD
from tests.web.authenticator import Authenticator
from tests.web.conftest import Browser

KEY = re.compile(r'id="app-key">([A-Z2-7 ]+)<')
OPTIONS = re.compile(r'data-options="([^"]+)"')
CODES = re.compile(r'id="recovery-codes">([^<]+)<')
SHORT = "xK9#mPq2$vL5"


def code_of(key: str, steps: int = 0) -> str:
    """What the app shows now."""
    import base64

    return totp.code_at(base64.b32decode(key.replace(" ", "")), portal_clock.now() // 30_000 + steps)


def set_up_app(browser: Browser) -> tuple[str, list[str]]:
    """Sets an app up; its key, and the recovery codes that were shown."""
    browser.post("/account/authenticator")
    key = KEY.search(browser.get("/account/authenticator").text)[1]
    answer = browser.post("/account/authenticator/confirmation", {"code": code_of(key)})
    found = CODES.search(answer.text)
    return key, unescape(found[1]).split() if found else []


def challenge_on(page) -> str:
    """What a passkey has to sign on a page."""
    return json.loads(unescape(OPTIONS.search(page.text)[1]))["challenge"]


def add_passkey(browser: Browser, key: Authenticator, name: str = "Work laptop"):
    """Makes a passkey."""
    made = key.make(challenge_on(browser.get("/account/passkeys/new")))
    return browser.post("/account/passkeys", {"name": name, "passkey": made})


def half_way(browser: Browser, person, target: str = "") -> Browser:
    """Types the right password."""
    assert browser.sign_in(person, target).location == "/sign-in/second-factor"
    return browser


@pytest.fixture
def with_app(alices, clock):
    """Alice's app: `(key, recovery codes)`, half a minute after it was set up."""
    found = set_up_app(alices)
    clock.advance(30)
    return found


# --- The authenticator app ---------------------------------------------------------------------------------


def test_the_key_is_shown_as_a_picture_and_in_groups_and_stays_until_it_is_confirmed(alices):
    assert alices.get("/account/authenticator").location == "/account"
    assert alices.post("/account/authenticator").location == "/account/authenticator"
    pages = [alices.get("/account/authenticator").text for _ in range(2)]

    assert 'src="data:image/svg+xml;base64,' in pages[0]
    assert KEY.search(pages[0])[1] == KEY.search(pages[1])[1]


def test_web_09_the_key_is_sealed_in_its_row(alices, session):
    key, _ = set_up_app(alices)
    [row] = session.scalars(select(Totp)).all()

    assert key.replace(" ", "").encode() not in row.sealed
    assert len(row.sealed) > 20


def test_an_app_that_was_not_confirmed_is_not_asked_for(alices, alice, stranger):
    alices.post("/account/authenticator")

    assert stranger.sign_in(alice).location == "/apps"


@pytest.mark.parametrize("typed", ["", "000000", "abc", "1" * 50])
def test_a_wrong_first_code_changes_nothing(alices, typed, session):
    alices.post("/account/authenticator")
    answer = alices.post("/account/authenticator/confirmation", {"code": typed})

    assert answer.status_code == 422
    assert session.scalars(select(Totp)).one().confirmed_at is None


def test_web_09_the_password_alone_signs_nobody_in(with_app, alice, shop, stranger):
    half_way(stranger, alice)

    assert stranger.get("/apps").status_code == 303
    assert stranger.get(f"/apps/{shop.id}/team").status_code == 303


def test_the_code_of_the_app_signs_in_and_leads_on(with_app, alice, shop, stranger):
    half_way(stranger, alice, f"/apps/{shop.id}/users")
    answer = stranger.post(
        "/sign-in/second-factor", {"code": f" {code_of(with_app[0])[:3]} {code_of(with_app[0])[3:]}"}
    )

    assert answer.location == f"/apps/{shop.id}/users"
    assert stranger.get("/apps").status_code == 200


def test_web_09_a_code_is_taken_once(with_app, alice, stranger, app):
    code = code_of(with_app[0])
    half_way(stranger, alice).post("/sign-in/second-factor", {"code": code})
    other = half_way(Browser(app.test_client()), alice)

    assert other.post("/sign-in/second-factor", {"code": code}).status_code == 422


@pytest.mark.parametrize("typed", ["", "000000", "not a code", "\0", "x" * 200])
def test_a_wrong_code_signs_nobody_in(with_app, alice, stranger, typed):
    answer = half_way(stranger, alice).post("/sign-in/second-factor", {"code": typed})

    assert answer.status_code == 422
    assert stranger.get("/apps").status_code == 303


def test_web_09_the_sixth_wrong_code_waits_whoever_types_it(with_app, alice, stranger, app, clock):
    for _ in range(5):
        half_way(Browser(app.test_client()), alice).post("/sign-in/second-factor", {"code": "000000"})
    answer = half_way(stranger, alice).post("/sign-in/second-factor", {"code": code_of(with_app[0])})

    assert answer.status_code == 429
    assert "You can try again in 15 minutes" in answer.text


def test_a_recovery_code_stands_in_once(with_app, alice, stranger, app, session):
    _, codes = with_app
    assert len(codes) == 10
    assert (
        half_way(stranger, alice).post("/sign-in/second-factor", {"code": codes[3].upper()}).location
        == "/apps"
    )
    again = half_way(Browser(app.test_client()), alice).post("/sign-in/second-factor", {"code": codes[3]})

    assert again.status_code == 422
    assert "9 of 10 left" in stranger.get("/account").text
    assert not session.scalars(select(RecoveryCode.code_hash).where(RecoveryCode.code_hash.in_(codes))).all()


def test_new_recovery_codes_end_the_old_ones(with_app, alices, alice, stranger):
    fresh = unescape(CODES.search(alices.post("/account/recovery-codes").text)[1]).split()
    old = half_way(stranger, alice).post("/sign-in/second-factor", {"code": with_app[1][0]})

    assert old.status_code == 422
    assert stranger.post("/sign-in/second-factor", {"code": fresh[0]}).location == "/apps"


def test_the_right_password_is_remembered_for_five_minutes_and_no_change_of_it(
    with_app, alice, stranger, clock, session
):
    half_way(stranger, alice)
    clock.advance(5 * 60)
    assert stranger.post("/sign-in/second-factor", {"code": code_of(with_app[0])}).location == "/sign-in"
    half_way(stranger, alice)
    session.get(Account, alice.id).fs_uniquifier = "0" * 32
    session.flush()

    assert stranger.get("/sign-in/second-factor").location == "/sign-in"


def test_the_second_step_without_the_first_leads_back(stranger):
    assert stranger.get("/sign-in/second-factor").location == "/sign-in"
    assert stranger.post("/sign-in/second-factor", {"code": "123456"}).location == "/sign-in"


def test_web_01_the_second_step_renews_the_key(with_app, alice, stranger):
    half_way(stranger, alice)
    planted = stranger.cookie()
    stranger.post("/sign-in/second-factor", {"code": code_of(with_app[0])})

    assert stranger.cookie() != planted


def test_web_09_confirming_asks_for_the_second_factor_too(with_app, alices, shop, clock):
    clock.advance(11 * 60)
    page = alices.get("/confirm", query_string={"next": f"/apps/{shop.id}"})
    assert 'name="confirm_code"' in page.text
    alone = alices.post("/confirm", {"confirm_password": PASSWORD, "next": f"/apps/{shop.id}"})
    assert (alone.status_code, "Enter a code." in alone.text) == (422, True)
    typed = {"confirm_password": PASSWORD, "confirm_code": code_of(with_app[0]), "next": f"/apps/{shop.id}"}

    assert alices.post("/confirm", typed).location == f"/apps/{shop.id}"


# --- Taking them away --------------------------------------------------------------------------------------


def test_web_09_the_last_factor_goes_only_where_the_password_can_stand_alone(with_app, alices, session):
    asked = alices.post("/account/authenticator/removal")
    assert "It is your only second factor." in asked.text
    assert alices.post("/account/authenticator/removal", {"last_password": "wrong"}).status_code == 422
    assert len(session.scalars(select(Totp)).all()) == 1
    assert alices.post("/account/authenticator/removal", {"last_password": PASSWORD}).location == "/account"

    assert session.scalars(select(Totp)).all() == []
    assert session.scalars(select(RecoveryCode)).all() == []


def test_web_09_eight_characters_do_beside_a_factor_and_keep_it_in_place(with_app, alices, session):
    short = {"current_password": PASSWORD, "new_password": SHORT}
    assert alices.post("/account/password", short).location == "/account"
    answer = alices.post("/account/authenticator/removal", {"last_password": SHORT})

    assert answer.status_code == 422
    assert "Alone it needs 15 characters." in answer.text
    assert len(session.scalars(select(Totp)).all()) == 1


@pytest.mark.parametrize(
    "path",
    [
        "/account/authenticator",
        "/account/authenticator/confirmation",
        "/account/authenticator/removal",
        "/account/passkeys",
        "/account/passkeys/x/removal",
        "/account/recovery-codes",
    ],
)
def test_web_09_an_old_sign_in_changes_no_factor(alices, clock, path, session):
    alices.get("/account")
    clock.advance(11 * 60)
    answer = alices.post(path, {})

    assert answer.status_code == 403
    assert "Confirm that it is you" in answer.text
    assert session.scalars(select(Totp)).all() == []


# --- Passkeys ----------------------------------------------------------------------------------------------


def test_a_passkey_is_added_with_recovery_codes_and_signs_in_alone(alices, alice, stranger, session):
    key = Authenticator()
    assert len(unescape(CODES.search(add_passkey(alices, key).text)[1]).split()) == 10
    assert "Work laptop" in alices.get("/account").text
    answer = stranger.post("/sign-in/passkey", {"passkey": key.sign(challenge_on(stranger.get("/sign-in")))})

    assert answer.location == "/apps"
    assert "alice" in stranger.get("/account").text
    assert session.scalars(select(Passkey)).one().sign_count == 1


def test_a_passkey_is_the_second_step(alices, alice, stranger):
    key = Authenticator(knows_its_person=False)
    add_passkey(alices, key)
    page = half_way(stranger, alice).get("/sign-in/second-factor")

    assert (
        stranger.post("/sign-in/second-factor", {"passkey": key.sign(challenge_on(page))}).location == "/apps"
    )


def test_a_passkey_confirms_that_it_is_you(alices, clock):
    key = Authenticator()
    add_passkey(alices, key)
    clock.advance(11 * 60)
    page = alices.get("/confirm")

    assert alices.post("/confirm", {"confirm_passkey": key.sign(challenge_on(page))}).location == "/apps"


@pytest.mark.parametrize(
    "flaw",
    [
        {"origin": "https://evil.example"},
        {"host": "evil.example"},
        {"knows_its_person": False},
        {"key": Authenticator().key},
        {"id": b"another"},
        {"signed": -1},
    ],
    ids=lambda flaw: next(iter(flaw)),
)
def test_web_09_a_passkey_that_is_not_quite_right_signs_nobody_in(alices, stranger, flaw):
    key = Authenticator(signed=5)
    add_passkey(alices, key)
    for name, value in flaw.items():
        setattr(key, name, value)
    answer = stranger.post("/sign-in/passkey", {"passkey": key.sign(challenge_on(stranger.get("/sign-in")))})

    assert answer.location == "/sign-in"
    assert "does not sign in here" in stranger.get("/sign-in").text
    assert stranger.get("/apps").status_code == 303


def test_web_09_an_answer_is_good_once_and_for_this_browser_only(alices, stranger, app):
    key = Authenticator()
    add_passkey(alices, key)
    answer = key.sign(challenge_on(stranger.get("/sign-in")))
    other = Browser(app.test_client())
    other.get("/sign-in")
    assert other.post("/sign-in/passkey", {"passkey": answer}).location == "/sign-in"
    assert stranger.post("/sign-in/passkey", {"passkey": answer}).location == "/apps"
    stranger.post("/sign-out")
    stranger.get("/sign-in")

    assert stranger.post("/sign-in/passkey", {"passkey": answer}).location == "/sign-in"


@pytest.mark.parametrize("answer", ["", "{}", "[]", "null", '{"rawId": 5}', '{"rawId": "!!"}', "[" * 9_000])
def test_an_answer_that_is_none_is_refused_and_never_breaks(alices, stranger, answer):
    stranger.get("/sign-in")
    assert stranger.post("/sign-in/passkey", {"passkey": answer}).location == "/sign-in"
    assert alices.post("/account/passkeys", {"name": "Key", "passkey": answer}).status_code == 422


def test_somebody_elses_passkey_is_no_second_step_and_confirms_nothing(
    alices, bobs, alice, bob, stranger, clock
):
    alices_key, bobs_key = Authenticator(), Authenticator()
    add_passkey(alices, alices_key)
    add_passkey(bobs, bobs_key)
    page = half_way(stranger, alice).get("/sign-in/second-factor")
    assert (
        stranger.post("/sign-in/second-factor", {"passkey": bobs_key.sign(challenge_on(page))}).status_code
        == 422
    )
    clock.advance(11 * 60)
    signed = bobs_key.sign(challenge_on(alices.get("/confirm")))

    assert alices.post("/confirm", {"confirm_passkey": signed}).status_code == 422


@pytest.mark.parametrize("name", ["", "   ", "x" * 61, "a\0b"])
def test_a_passkey_needs_a_name(alices, session, name):
    answer = add_passkey(alices, Authenticator(), name)

    assert answer.status_code == 422
    assert 'aria-invalid="true"' in answer.text
    assert session.scalars(select(Passkey)).all() == []


def test_a_passkey_is_added_once(alices, bobs, session):
    key = Authenticator()
    add_passkey(alices, key)

    assert "This passkey is added already." in add_passkey(bobs, key).text
    assert len(session.scalars(select(Passkey)).all()) == 1


def test_one_of_two_factors_is_removed_at_once_and_nobody_elses(with_app, alices, bobs, session):
    add_passkey(alices, Authenticator())
    passkey = session.scalars(select(Passkey)).one()
    assert bobs.post(f"/account/passkeys/{passkey.id}/removal").location == "/account"
    assert session.get(Passkey, passkey.id) is not None
    assert alices.post(f"/account/passkeys/{passkey.id}/removal").location == "/account"

    assert session.scalars(select(Passkey)).all() == []


# --- Owners ------------------------------------------------------------------------------------------------


def test_owners_are_asked_for_a_second_factor_and_support_is_not(alices, bobs):
    assert "Add a second factor" in alices.get("/apps").text
    assert "Add a second factor" not in bobs.get("/apps").text
    set_up_app(alices)
    assert "Add a second factor" not in alices.get("/apps").text


def test_web_09_where_the_operator_wants_it_owners_come_in_with_one_only(
    settings, shop, alice, bob, transaction
):
    import dataclasses

    from portal.database import db
    from portal.factory import create_app

    strict = create_app(dataclasses.replace(settings, require_second_factor=True))
    alices, bobs = Browser(strict.test_client()), Browser(strict.test_client())
    alices.sign_in(alice)
    bobs.sign_in(bob)
    assert alices.get(f"/apps/{shop.id}/users").location == "/account"
    assert "Owners need a second factor here." in alices.get("/account").text
    assert bobs.get(f"/apps/{shop.id}/users").status_code == 200
    set_up_app(alices)
    assert alices.get(f"/apps/{shop.id}/users").status_code == 200
    with strict.app_context():
        db.engine.dispose()


def test_everything_about_factors_is_put_on_record(with_app, alices, alice, session, stranger):
    half_way(stranger, alice).post("/sign-in/second-factor", {"code": with_app[1][0]})
    add_passkey(alices, Authenticator())
    alices.post(f"/account/passkeys/{session.scalars(select(Passkey)).one().id}/removal")
    alices.post("/account/authenticator/removal", {"last_password": PASSWORD})
    found = session.scalars(
        select(AuditEntry).where(AuditEntry.actor_id == alice.id, AuditEntry.app_id.is_(None))
    )

    assert [entry.action for entry in found.all()] == [
        "authenticator.added",
        "recovery_codes.made",
        "recovery_code.used",
        "account.signed_in",
        "passkey.added",
        "passkey.removed",
        "authenticator.removed",
    ]


def test_web_09_of_two_who_send_one_code_at_once_one_is_let_in(with_app, alice, transaction, context_for):
    code = code_of(with_app[0])

    def spend() -> bool:
        with transaction() as session:
            return second_factors.spend(context_for(session), alice.id, code)

    assert [spend(), spend()] == [True, False]


def test_an_account_without_a_factor_gets_no_recovery_codes(alices, session):
    assert alices.post("/account/recovery-codes").status_code == 404
    assert session.scalars(select(RecoveryCode)).all() == []
