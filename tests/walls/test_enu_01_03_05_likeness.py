"""Do answers tell who has a number, or an account? Byte for byte over HTTP (ENU-01, ENU-03, ENU-05)."""

import re
from collections.abc import Callable
from itertools import count, pairwise

import pytest
from sqlalchemy import delete, update

from portal import clock
from portal.core import number_hashes
from portal.models import (
    AttemptTally,
    KeyKind,
    PhoneNumberLimit,
    TokenKind,
    User,
    Verification,
    random_id,
)
from portal.services.tokens import hashed
from tests import factories
from tests.walls.knocks import Answer, Door
from tests.walls.town import Town, bearer, key_of_headers

EACH = 20
WRONG = "wrong password of this test"
VENDOR = "application/vnd.kii.{}+json"
# Ids, tokens and times of the one who asks; their lengths stay.
OWN = re.compile(rb"(?<=\")[0-9A-Za-z_-]{20,}(?=\")|(?<=[:\" ])1[0-9]{12}(?=[,}\"])|(?<=users/)[0-9a-f-]{36}")
_names = count(1)


@pytest.fixture(scope="module")
def site_changes() -> dict[str, str]:
    """The limits of a number and of an account as they are; all requests come from one source here."""
    many = {"source_sends": "100000", "source_wrong_codes": "100000", "source_sign_ins": "100000"}
    return many | {"source_calls": "1000000"}


# --- What may be the case with a number that somebody asks about (ENU-01) ----------------------------------


def free(town: Town) -> str:
    """Nobody has it."""
    return factories.phone_number()


def unverified(town: Town) -> str:
    """Somebody has it and has not proved it."""
    number = factories.phone_number()
    user = factories.user(town.rows, app_id=town.shop.app.id, phone_number=number)
    own = {"app_id": user.app_id, "user_id": user.id, "phone_number": number}
    factories.verification(town.rows, **own, sends=1, last_sent_at=clock.now() - clock.HOUR)
    return number


def taken(town: Town, **columns: object) -> str:
    """Somebody has proved it."""
    number = factories.phone_number()
    held = {"phone_number": number, "phone_number_verified": True} | columns
    factories.user(town.rows, app_id=town.shop.app.id, **held)
    return number


def blocked(town: Town) -> str:
    """Somebody disabled has proved it."""
    return taken(town, disabled=True)


def locked(town: Town) -> str:
    """Somebody has guessed its code wrong too often, so that this verification is dead."""
    number = unverified(town)
    dead = {"state": "exhausted", "guesses": 5, "ended_at": clock.now()}
    town.rows.execute(update(Verification).where(Verification.phone_number == number).values(dead))
    return number


CLASSES: dict[str, Callable[[Town], str]] = {
    each.__name__: each for each in (free, unverified, taken, blocked, locked)
}


def start(town: Town, door: Door, number: str) -> Answer:
    """Signs somebody up with the number."""
    kind = {"Content-Type": VENDOR.format("RegistrationAndAuthorizationRequest")}
    sent = {"loginName": f"asks{next(_names):07d}", "phoneNumber": number, "password": "pass1234"}
    path = f"/api/apps/{town.shop.app.id}/users"
    return door.call("POST", path, sent, key_of_headers(town.shop.app.id) | kind)


def change(town: Town, door: Door, number: str) -> Answer:
    """Changes the number of somebody who has another one."""
    user = town.user(town.shop.app)
    return ask_for_change(town, door, user, number)


def ask_for_change(town: Town, door: Door, user: User, number: str) -> Answer:
    kind = {"Content-Type": VENDOR.format("PhoneNumberModificationRequest")}
    token = town.token(town.shop.app, user, TokenKind.USER)
    path = f"/api/apps/{town.shop.app.id}/users/me/phone-number"
    return door.call("PUT", path, {"phoneNumber": number}, bearer(token) | kind)


def limit_hash(town: Town, number: str) -> str:
    """What the shop's limits know a number by."""
    return number_hashes.limit_hashes(town.keys, town.shop.app.id, number)[-1][1]


def resend(town: Town, door: Door, number: str) -> Answer:
    """Asks for the code again, two minutes after a change."""
    user = town.user(town.shop.app)
    assert ask_for_change(town, door, user, number).status == 204
    own = (Verification.app_id == user.app_id, Verification.user_id == user.id)
    earlier = {"last_sent_at": clock.now() - 5 * clock.MINUTE}
    town.rows.execute(update(Verification).where(*own).values(earlier))
    limit = update(PhoneNumberLimit).where(PhoneNumberLimit.number_hash == limit_hash(town, number))
    town.rows.execute(limit.values(sent_times=str(clock.now() - 5 * clock.MINUTE)))
    token = town.token(town.shop.app, user, TokenKind.USER)
    path = f"/api/apps/{town.shop.app.id}/users/me/phone-number/resend-verification"
    return door.call("POST", path, None, bearer(token))


def log_in(town: Town, door: Door, number: str) -> Answer:
    """Tries a password with the number as the name."""
    sent = {"username": f"PHONE:{number}", "password": WRONG}
    return door.call("POST", "/api/oauth2/token", sent, key_of_headers(town.shop.app.id))


CALLS = {
    each.__name__: (each, status)
    for each, status in ((start, 201), (change, 204), (resend, 204), (log_in, 400))
}


@pytest.mark.parametrize("call", CALLS)
def test_enu_01_five_kinds_of_numbers_read_alike_to_the_byte(town, enter, call):
    door, (ask, status) = enter().door, CALLS[call]
    told: dict[object, set[str]] = {}
    for _ in range(EACH):
        for name, make in CLASSES.items():
            number = make(town)
            answer = ask(town, door, number)
            assert answer.status == status, (name, answer.body)
            told.setdefault(seen_in(answer, number), set()).add(name)

    assert list(told.values()) == [set(CLASSES)]


def seen_in(answer: Answer, *asked: str) -> tuple[object, ...]:
    status, text = answer.told(*asked)
    assert isinstance(text, bytes)
    names = re.sub(rb"asks[0-9]{7}", b"~", text).replace(b"<wbr>", b"")
    for word in asked:
        names = names.replace(word.encode(), b"~")
    return status, OWN.sub(lambda found: b"*" * len(found[0]), names)


# --- Limits begin at the same request (ENU-03) -------------------------------------------------------------


def test_enu_03_the_twelfth_start_is_answered_alike_for_every_kind_of_number(town, enter):
    door, statuses = enter().door, {}
    for name, make in CLASSES.items():
        number = make(town)
        statuses[name] = tuple(change(town, door, number).status for _ in range(12))

    # Whoever asked before has used up nothing of what the others may.
    assert len(set(statuses.values())) == 1, statuses
    assert 429 in statuses["free"]
    assert 204 in statuses["free"]


def test_enu_03_a_number_that_was_guessed_at_too_often_is_refused_alike_whoever_has_it(town, enter):
    """The count belongs to the number, and anybody can bring it about for any number."""
    door, told, at = enter().door, set(), clock.now() - clock.HOUR
    for make in CLASSES.values():
        number = make(town)
        held = {"app_id": town.shop.app.id, "number_hash": limit_hash(town, number)}
        factories.phone_number_limit(town.rows, **held, failed_guess_times=",".join([str(at)] * 20))
        answer = change(town, door, number)
        assert answer.status == 429
        told.add(re.sub(rb"retry-after: [0-9]+", b"", bytes(seen_in(answer, number)[1])))

    assert len(told) == 1


def test_enu_03_wrong_passwords_are_refused_from_the_same_try_on(town, enter):
    statuses = {}
    for email in (town.shop.owner.email, "nobody@example.com", disabled(town)):
        town.rows.execute(delete(AttemptTally))
        nobody = enter()
        statuses[email] = tuple(
            nobody.post("/sign-in", {"email": email, "password": WRONG}).status for _ in range(12)
        )

    assert set(statuses.values()) == {(422,) * 10 + (429,) * 2}


# --- The portal (ENU-05) -----------------------------------------------------------------------------------


def disabled(town: Town) -> str:
    return factories.account(
        town.rows, email=f"gone{next(_names):05d}@example.com", password=town.password_hash, active=False
    ).email


def guarded(town: Town) -> str:
    account = town.person(f"totp{next(_names):05d}@example.com")
    factories.totp(town.rows, account_id=account.id)
    return account.email


def known(town: Town) -> str:
    return town.person(f"here{next(_names):05d}@example.com").email


def unknown(town: Town) -> str:
    return f"none{next(_names):05d}@example.com"


ADDRESSES = (known, unknown, disabled, guarded)


FORMS = [("/sign-in", {"password": WRONG}), ("/password-reset", {})]


@pytest.mark.parametrize(("path", "values"), FORMS)
def test_enu_05_the_portal_answers_every_address_alike_to_the_byte(town, enter, path, values):
    told: dict[object, set[str]] = {}
    for _ in range(EACH):
        for make in ADDRESSES:
            email, nobody = make(town), enter()
            answer = nobody.post(path, {"email": email, **values})
            told.setdefault(seen_in(answer, email), set()).add(make.__name__)

    assert list(told.values()) == [{each.__name__ for each in ADDRESSES}]


def test_enu_05_an_invite_is_answered_alike_for_every_address(town, enter):
    told: dict[object, set[str]] = {}
    path = f"/apps/{town.shop.app.id}/team"
    for make in (known, unknown, disabled, guarded):
        alice, email = enter(town.shop.owner), make(town)
        answer = alice.post(f"{path}/invites", {"email": email, "role": "support"})
        assert answer.status == 303
        page = alice.get(path)
        row = re.search(rf"<tr[^>]*>(?:(?!</tr>).)*{re.escape(email)}.*?</tr>", page.text, re.DOTALL)
        notice = re.search(r"Invited [^<]*", page.text)
        assert row
        assert notice
        shown = re.sub(r"[0-9a-f]{32}|(?<=value=\")[^\"]*|<time.*?</time>", "*", row[0] + notice[0])
        told.setdefault((seen_in(answer, email), shown.replace("<wbr>", "").replace(email, "~")), set()).add(
            make.__name__
        )

    assert len(told) == 1, "\n".join(map(str, told))


def test_enu_05_what_strangers_get_from_two_processes_has_256_or_128_bits_and_no_order(town, site):
    """Tokens that need no user, and a request's own ID; services/test_enu_05_ids.py has ids of rows."""
    app_id, value = factories.app(town.rows).id, f"rb_pub_{random_id()}"
    key = {"kind": KeyKind.APP_KEY, "value": value, "key_hash": hashed(value)}
    factories.access_key(town.rows, app_id=app_id, **key)
    sent = {"client_id": app_id, "client_secret": value}
    doors = site.doors_of_each_process()
    answers = [
        doors[place % len(doors)].call("POST", "/api/oauth2/token", sent, key_of_headers(app_id))
        for place in range(1_000)
    ]

    assert {answer.status for answer in answers} == {200}
    for ids, length in (
        ([answer.json["access_token"] for answer in answers], 43),
        ([answer.header("X-Request-ID") for answer in answers], 32),
    ):
        assert {len(each) for each in ids} == {length}
        assert len({each[:8] for each in ids}) == len({each[-8:] for each in ids}) == 1_000
        assert 400 < sum(one < other for one, other in pairwise(ids)) < 600
