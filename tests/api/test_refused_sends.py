"""A refused SMS is on record with the reason that the API answered, and cannot flood the record."""

import pytest
import structlog
from sqlalchemy import select
from sqlalchemy.exc import OperationalError
from structlog.testing import capture_logs

from portal.api import errors as api_errors
from portal.models import AuditAction, AuditEntry
from portal.services import refused_sends
from tests.api.conftest import ANOTHER, NUMBER, wrong

FRANCE, LANDLINE = "+33612345678", "+81312345678"


@pytest.fixture
def entries(session):
    """`entries()` are the refused sends on record, oldest first."""

    def read() -> list[AuditEntry]:
        wanted = select(AuditEntry).where(AuditEntry.action == AuditAction.SEND_REFUSED)
        return list(session.scalars(wanted.order_by(AuditEntry.id)))

    return read


def test_a_resend_that_came_too_soon_is_on_record_with_its_reason_and_its_end(unverified, entries, clock):
    answer = unverified.resend()
    [entry] = entries()

    assert answer.status_code == 429
    assert entry.details == {"reason": answer.json["reason"], "until": answer.json["nextAllowedAt"]}
    assert (entry.user_id, entry.actor_kind, entry.actor_id) == (unverified.id, "user", unverified.id)
    assert (entry.details["reason"], entry.at) == ("resend_wait", clock.at)


@pytest.mark.parametrize(
    ("number", "details"),
    [
        (FRANCE, {"reason": "country_closed", "until": None, "country": "FR"}),
        (LANDLINE, {"reason": "not_mobile", "until": None}),
    ],
)
@pytest.mark.parametrize("way", ["change", "update"])
def test_a_number_that_may_not_be_texted_is_on_record(verified, entries, way, number, details):
    ask = verified.change_phone if way == "change" else lambda to: verified.update(phoneNumber=to)
    answer = ask(number)
    [entry] = entries()

    assert (answer.status_code, answer.json["reason"]) == (400, details["reason"])
    assert entry.details == details
    assert number not in str(entry.details)


def test_a_guess_too_many_is_on_record(unverified, entries, code_of):
    code = code_of(unverified)
    for _ in range(5):
        unverified.verify(wrong(code))
    answer = unverified.verify(code)

    assert (answer.status_code, answer.json["reason"]) == (429, "too_many_guesses")
    assert [entry.details["reason"] for entry in entries()] == ["too_many_guesses"]


def test_an_administrators_refusal_is_its_users(unverified, admin, entries):
    assert admin.ask("POST", f"/users/{unverified.id}/phone-number/resend-verification").status_code == 429
    [entry] = entries()

    assert (entry.user_id, entry.actor_kind) == (unverified.id, "admin")


def test_the_log_line_has_the_same_reason_and_the_user(unverified, monkeypatch):
    monkeypatch.setattr(
        api_errors, "_logger", structlog.wrap_logger(None, wrapper_class=structlog.BoundLogger)
    )
    with capture_logs() as lines:
        answer = unverified.resend()
    [line] = [line for line in lines if line["event"] == "refused"]

    assert (line["reason"], line["user_id"]) == (answer.json["reason"], unverified.id)
    assert NUMBER not in str(line)


def test_one_entry_a_minute_for_a_user_and_a_reason(unverified, entries, clock):
    for _ in range(5):
        assert unverified.resend().status_code == 429
    clock.advance(59)
    unverified.resend()
    assert len(entries()) == 1

    assert unverified.change_phone(FRANCE).status_code == 400
    assert [entry.details["reason"] for entry in entries()] == ["resend_wait", "country_closed"]


def test_the_same_reason_is_on_record_again_after_a_minute(unverified, entries, clock):
    unverified.change_phone(FRANCE)
    clock.advance(60)
    unverified.change_phone(FRANCE)

    assert len(entries()) == 2


def test_a_repeated_request_takes_no_lock(unverified, entries, monkeypatch):
    unverified.resend()
    monkeypatch.setattr(refused_sends, "note", None)

    assert unverified.resend().status_code == 429


def test_a_sign_up_that_is_refused_has_no_user_and_no_entry(kii, entries):
    answer = kii.register(loginName="erin", phoneNumber=FRANCE, password="pass1234")

    assert answer.json["reason"] == "country_closed"
    assert entries() == []


@pytest.mark.parametrize("number", ["nonsense", "", ANOTHER])
def test_other_answers_are_no_refused_sends(verified, entries, number):
    verified.change_phone(number)

    assert entries() == []


def test_a_user_who_is_gone_by_then_leaves_no_entry(transaction, context_for, shop, entries):
    with transaction() as session:
        ctx = context_for(session).in_app(shop.id)
        assert not refused_sends.note(ctx, "gone", {"reason": "not_mobile", "until": None})

    assert entries() == []


def test_the_refusal_is_answered_even_if_it_cannot_be_put_on_record(unverified, entries, monkeypatch):
    def fail(*_given):
        raise OperationalError("", {}, Exception("locked"))

    monkeypatch.setattr(refused_sends, "note", fail)
    with capture_logs() as lines:
        answer = unverified.resend()

    assert (answer.status_code, entries()) == (429, [])
    assert "refused_send_not_noted" in [line["event"] for line in lines]
