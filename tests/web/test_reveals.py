"""Is a whole number shown once, for a minute, for a reason, and left nowhere? (TEN-08, PII-01, PII-02)"""

import logging
import re

import pytest
from sqlalchemy import select

from portal import clock
from portal.models import ActorKind, AuditAction, AuditEntry, Base, random_id
from tests import factories

WHY = "The carrier asks for it."
WHOLE = re.compile(r"9012345678|8087654321|90-1234-5678|80-8765-4321")


@pytest.fixture
def path(shop, customer) -> str:
    return f"/apps/{shop.id}/users/{customer.id}/reveal"


def entries(session) -> list[AuditEntry]:
    wanted = select(AuditEntry).where(AuditEntry.action == AuditAction.NUMBER_REVEALED)
    return session.scalars(wanted).all()


def revealed_before(session, person, count: int, minutes_ago: int = 30) -> None:
    for _ in range(count):
        factories.audit_entry(
            session,
            actor_kind=ActorKind.ACCOUNT,
            actor_id=person.id,
            action=AuditAction.NUMBER_REVEALED,
            at=clock.now() - minutes_ago * clock.MINUTE,
        )


def test_opening_the_page_shows_no_number_and_asks_for_a_reason(bobs, path, session):
    answer = bobs.get(path)

    assert not WHOLE.search(answer.text)
    assert "+81 ••• •••• 5678" in answer.text
    assert 'name="reason"' in answer.text
    assert "Refresh" not in answer.headers
    assert entries(session) == []


def test_a_reason_shows_both_numbers_in_groups(bobs, path):
    answer = bobs.post(path, {"reason": WHY})

    assert answer.status_code == 200
    assert "+81 90-1234-5678" in answer.text
    assert "+81 80-8765-4321" in answer.text


def test_the_answer_is_kept_nowhere_and_leaves_by_itself_after_a_minute(bobs, path):
    headers = bobs.post(path, {"reason": WHY}).headers

    assert headers["Cache-Control"] == "no-store"
    assert headers["Refresh"] == f"60; url={path.removesuffix('/reveal')}"


def test_a_reload_comes_to_the_form_and_not_to_the_numbers(bobs, path):
    page = bobs.post(path, {"reason": WHY}).text

    assert f'data-settles-at="{path}"' in page
    assert not WHOLE.search(bobs.get(path).text)


def test_the_script_that_takes_the_numbers_away_is_loaded_only_where_they_are(bobs, path):
    assert "js/reveal.js" not in bobs.get(path).text
    assert "js/reveal.js" in bobs.post(path, {"reason": WHY}).text


def test_the_audit_log_says_who_looked_and_why(bobs, bob, path, session, customer):
    bobs.post(path, {"reason": WHY})
    [entry] = entries(session)

    assert (entry.actor_id, entry.user_id, entry.reason) == (bob.id, customer.id, WHY)


@pytest.mark.parametrize("reason", ["", "no", "is it 090 1234 5678", "x" * 301])
def test_a_refused_reason_is_told_at_its_field_and_kept(bobs, path, session, reason):
    answer = bobs.post(path, {"reason": reason})

    assert answer.status_code == 422
    assert 'aria-invalid="true"' in answer.text
    assert f'value="{reason}"' in answer.text
    assert not re.search(r"\+81 \d", answer.text)
    assert entries(session) == []


def test_the_twenty_first_in_an_hour_is_told_when_to_come_back(bobs, bob, path, session):
    revealed_before(session, bob, 20)
    answer = bobs.post(path, {"reason": WHY})

    assert answer.status_code == 429
    assert "You revealed as many numbers as allowed in an hour." in answer.text
    assert re.search(r"The next one can be revealed in 30 minutes, at <time[^>]+>\d\d:\d\d UTC", answer.text)
    assert f'value="{WHY}"' in answer.text
    assert not WHOLE.search(answer.text)
    assert len(entries(session)) == 20


def test_the_cap_is_each_persons_own_and_ends_with_the_hour(alices, bobs, bob, path, session):
    revealed_before(session, bob, 1, minutes_ago=61)
    revealed_before(session, bob, 19)

    assert bobs.post(path, {"reason": WHY}).status_code == 200
    assert bobs.post(path, {"reason": WHY}).status_code == 429
    assert alices.post(path, {"reason": WHY}).status_code == 200


def test_a_user_without_a_number_has_nothing_to_reveal(bobs, shop, session):
    nobody = factories.user(session, app_id=shop.id)
    path = f"/apps/{shop.id}/users/{nobody.id}/reveal"

    assert "There is nothing to reveal." in bobs.get(path).text
    assert bobs.post(path, {"reason": WHY}).status_code == 409
    assert entries(session) == []


def test_ten_02_another_apps_user_is_as_absent_as_nobody(bobs, shop, session):
    elsewhere = factories.user(session, phone_number="+819012345678")
    for user_id in (elsewhere.id, random_id()):
        path = f"/apps/{shop.id}/users/{user_id}/reveal"
        assert (bobs.get(path).status_code, bobs.post(path, {"reason": WHY}).status_code) == (404, 404)
    assert entries(session) == []


def test_ten_02_a_stranger_sees_no_number_and_nobody_does_without_signing_in(
    charlies, stranger, path, session
):
    assert charlies.post(path, {"reason": WHY}).status_code == 404
    assert stranger.post(path, {"reason": WHY}).location == "/sign-in"
    assert entries(session) == []


def test_web_03_a_form_without_the_key_of_the_session_shows_nothing(bobs, path, session):
    answer = bobs.client.post(path, data={"reason": WHY})

    assert answer.status_code == 400
    assert not WHOLE.search(answer.text)


def test_pii_02_a_revealed_number_lands_in_no_log_and_no_further_row(bobs, path, session, caplog, capfd):
    caplog.set_level(logging.DEBUG)
    before = rows_with_numbers(session)
    bobs.post(path, {"reason": WHY})
    bobs.get(path)

    assert rows_with_numbers(session) == before
    assert not WHOLE.search(caplog.text + "".join(capfd.readouterr()))


def rows_with_numbers(session) -> dict[str, int]:
    """How many rows of each table hold one of the numbers in any column."""
    found = {}
    for table in Base.metadata.sorted_tables:
        rows = session.execute(select(table)).all()
        found[table.name] = sum(bool(WHOLE.search(str(row))) for row in rows)
    return found
