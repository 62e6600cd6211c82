"""Do sign-ins, refused sign-ins, limits and tries at foreign apps go on record? (PII-07)"""

import json

import pytest
from limits import RateLimitItemPerSecond
from sqlalchemy import select

from portal import clock as portal_clock
from portal.models import ActorKind, AuditAction, AuditEntry
from portal.services.source_limits import Budget
from tests import factories
from tests.web.authenticator import Authenticator
from tests.web.test_second_factors import add_passkey, challenge_on, code_of, half_way, set_up_app

HERE = "A browser"


@pytest.fixture
def told(session):
    """`told(AuditAction.SIGNED_IN)` is what is on record of an action: whose chain, who, and the details."""

    def find(action: AuditAction) -> list[tuple]:
        entries = session.scalars(
            select(AuditEntry).where(AuditEntry.action == action).order_by(AuditEntry.id)
        )
        return [(each.app_id, each.actor_kind, each.actor_id, each.details) for each in entries]

    return find


def test_pii_07_a_sign_in_is_on_the_record_of_the_installation(stranger, alice, told):
    assert stranger.sign_in(alice).status_code == 302
    assert told(AuditAction.SIGNED_IN) == [
        (None, "account", alice.id, {"browser": HERE, "by": "password"}),
    ]
    stranger.get("/apps")
    assert len(told(AuditAction.SIGNED_IN)) == 1


def test_pii_07_a_change_of_password_is_no_new_sign_in(stranger, alice, told):
    stranger.sign_in(alice)
    fresh = "quite another long pass phrase"
    words = {"password": alice.password, "new_password": fresh, "new_password_confirm": fresh}
    stranger.post("/account/password", words)
    assert len(told(AuditAction.SIGNED_IN)) == 1


def test_pii_07_wrong_passwords_are_counted_for_the_account_and_never_kept(stranger, alice, told):
    for _ in range(2):
        assert stranger.post("/sign-in", {"email": alice.email, "password": "hunter2"}).status_code == 422
    found = told(AuditAction.SIGN_IN_FAILED)
    told_of = {"account_id": alice.id, "browser": HERE}
    assert found == [(None, "system", None, told_of | {"tries": tries}) for tries in (1, 2)]


def test_pii_07_an_address_without_an_account_is_on_record_as_a_hash(stranger, told):
    for address in ("Mallory@Example.com ", "mallory@example.com", "other@example.com"):
        stranger.post("/sign-in", {"email": address, "password": "hunter2"})
    details = [found[3] for found in told(AuditAction.SIGN_IN_FAILED)]
    assert [each["tries"] for each in details] == [1, 2, 1]
    hashes = [each["address_hash"] for each in details]
    assert hashes[0] == hashes[1] != hashes[2]
    assert "example.com" not in json.dumps(details)
    assert "hunter2" not in json.dumps(details)


def test_pii_07_signing_out_is_on_record_once(stranger, alice, told):
    stranger.sign_in(alice)
    stranger.post("/sign-out")
    stranger.post("/sign-out")
    assert told(AuditAction.SIGNED_OUT) == [(None, "account", alice.id, {"browser": HERE})]


def test_pii_07_a_browser_that_was_signed_out_from_elsewhere_did_not_sign_out_by_itself(
    alices, alice, signed_in, told
):
    elsewhere = signed_in(alice)
    alices.post("/account/sign-ins/removal")
    elsewhere.get("/apps")
    assert told(AuditAction.SIGNED_OUT) == []


def test_pii_07_proving_it_once_more_is_on_record_whether_right_or_wrong(alices, alice, told, clock):
    clock.advance(11 * 60)
    alices.post("/confirm", {"confirm_password": "hunter2"})
    assert told(AuditAction.CONFIRMED) == []
    assert told(AuditAction.SIGN_IN_FAILED)[0][3]["account_id"] == alice.id
    alices.post("/confirm", {"confirm_password": alice.password})
    assert told(AuditAction.CONFIRMED) == [(None, "account", alice.id, {"browser": HERE})]


def test_pii_07_a_second_factor_is_on_record_by_its_kind_whether_right_or_wrong(
    alices, alice, stranger, told, clock
):
    key, _codes = set_up_app(alices)
    clock.advance(30)
    half_way(stranger, alice)
    stranger.post("/sign-in/second-factor", {"code": "000000"})
    stranger.post("/sign-in/second-factor", {"passkey": "{}"})
    told_of = {"account_id": alice.id, "browser": HERE}
    assert [each[3] for each in told(AuditAction.SIGN_IN_FAILED)] == [
        told_of | {"second_factor": True, "tries": 1},
        told_of | {"passkey": True, "tries": 2},
    ]
    stranger.post("/sign-in/second-factor", {"code": code_of(key)})
    assert told(AuditAction.SIGNED_IN)[-1][3] == {"browser": HERE, "by": "password and code"}


def test_pii_07_a_passkey_that_signs_nobody_in_is_on_record_for_its_account_where_it_has_one(
    alices, alice, stranger, told
):
    add_passkey(alices, key := Authenticator())
    signed_for_another_page = key.sign("bm90IHlvdXIgY2hhbGxlbmdl")
    stranger.get("/sign-in")
    stranger.post("/sign-in/passkey", {"passkey": signed_for_another_page})
    stranger.get("/sign-in")
    stranger.post("/sign-in/passkey", {"passkey": "no passkey at all"})
    assert [each[3] for each in told(AuditAction.SIGN_IN_FAILED)] == [
        {"account_id": alice.id, "passkey": True, "browser": HERE},
        {"passkey": True, "browser": HERE},
    ]
    answer = stranger.post("/sign-in/passkey", {"passkey": key.sign(challenge_on(stranger.get("/sign-in")))})
    assert answer.location == "/apps"
    assert told(AuditAction.SIGNED_IN)[-1][3] == {"browser": HERE, "by": "passkey"}


def test_pii_07_nobody_fills_the_log_with_passkeys(app, stranger, told, monkeypatch):
    budgets = app.extensions["ringback"].sources
    monkeypatch.setitem(budgets._items, Budget.SIGN_INS, RateLimitItemPerSecond(3, 600, "few"))
    codes = [stranger.post("/sign-in/passkey", {"passkey": "{}"}).status_code for _ in range(6)]
    assert codes == [303] * 3 + [429] * 3
    assert len(told(AuditAction.SIGN_IN_FAILED)) == 3


def test_pii_07_nobody_fills_the_log_with_second_factors(alices, alice, stranger, told):
    set_up_app(alices)
    half_way(stranger, alice)
    codes = [stranger.post("/sign-in/second-factor", {"passkey": "{}"}).status_code for _ in range(7)]
    assert codes == [422] * 5 + [429] * 2
    assert len(told(AuditAction.SIGN_IN_FAILED)) == 5


def test_pii_07_asking_for_a_foreign_app_is_on_record_once_an_hour(charlies, charlie, shop, told, clock):
    for page in ("", "/users", "/audit"):
        assert charlies.get(f"/apps/{shop.id}{page}").status_code == 404
    assert told(AuditAction.APP_REFUSED) == [
        (None, "account", charlie.id, {"app": shop.id, "exists": True}),
    ]
    assert charlies.get("/apps/0123456789abcdef").status_code == 404
    assert told(AuditAction.APP_REFUSED)[1][3] == {"app": "0123456789abcdef", "exists": False}
    for _ in range(3):
        clock.advance(20 * 60)
        charlies.get("/apps")
    charlies.get(f"/apps/{shop.id}")
    assert len(told(AuditAction.APP_REFUSED)) == 3


def test_pii_07_nobody_fills_the_log_by_guessing_apps(charlies, told):
    for at in range(25):
        assert charlies.get(f"/apps/0123456789abcd{at:02}").status_code == 404
    assert len(told(AuditAction.APP_REFUSED)) == 20


def test_pii_07_a_limit_that_was_hit_is_on_the_record_of_the_app_once_an_hour(
    bobs, bob, shop, customer, session, told
):
    for _ in range(20):
        factories.audit_entry(
            session,
            actor_kind=ActorKind.ACCOUNT,
            actor_id=bob.id,
            action=AuditAction.NUMBER_REVEALED,
            at=portal_clock.now(),
        )
    for _ in range(2):
        answer = bobs.post(f"/apps/{shop.id}/users/{customer.id}/reveal", {"reason": "The carrier asks."})
        assert answer.status_code == 429
    assert told(AuditAction.LIMIT_HIT) == [
        (shop.id, "account", bob.id, {"limit": "reveal_hourly_limit"}),
    ]
    assert "Did something as often as allowed" in bobs.get(f"/apps/{shop.id}/audit").text


def test_pii_07_the_owner_of_one_app_cannot_read_the_log_of_another(charlies, charlie, session, shop, told):
    own = factories.app(session)
    factories.membership(session, app_id=own.id, account_id=charlie.id, role="owner")
    factories.audit_entry(session, app_id=shop.id, reason="Not for Charlie.")
    factories.audit_entry(session, app_id=None, reason="Of nobody's app.")
    assert charlies.get(f"/apps/{own.id}/audit").status_code == 200
    assert "Not for Charlie" not in charlies.get(f"/apps/{own.id}/audit").text
    assert "nobody" not in charlies.get(f"/apps/{own.id}/audit").text
    assert charlies.get(f"/apps/{shop.id}/audit").status_code == 404
