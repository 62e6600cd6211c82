"""Is what a process remembers of an app never older than what the next SMS must go by?"""

import threading
import time

import pytest
from sqlalchemy import event, select, text

from portal.core.lifecycle import Purpose
from portal.errors import BadInput
from portal.models import Message, SmsTemplateVersion, Verification
from portal.services import app_settings, phone_numbers, sms_templates, verifications
from portal.services.by_revision import ByRevision
from portal.services.context import Context
from portal.services.outbox import Recipient
from tests import factories
from tests.services.conftest import Desk

NUMBER, OTHER = "+819012345678", "+819012345679"


@pytest.fixture
def alice(desk) -> str:
    """Signed up, so that everything about the app is remembered."""
    return desk.register("alice", NUMBER)


def say(desk, locale: str, body: str) -> None:
    desk.do(lambda ctx: sms_templates.save(ctx, locale, body))


def last_wording(desk) -> str:
    """What the newest message says, before it is filled in."""
    of_message = SmsTemplateVersion.id == Message.sms_template_version_id
    newest = select(SmsTemplateVersion.body).join(Message, of_message).order_by(Message.serial.desc())
    return desk.rows(newest.limit(1))[0]


def statements(desk, verb) -> list[str]:
    """What a verb says to the database."""
    said: list[str] = []

    def do(ctx: Context) -> None:
        engine = ctx.session.get_bind()
        event.listen(engine, "before_cursor_execute", listener := lambda *told: said.append(told[2]))
        verb(ctx)
        event.remove(engine, "before_cursor_execute", listener)

    desk.do(do)
    return said


def test_settings_and_wordings_are_read_once_and_then_remembered(desk, alice):
    desk.change(alice, OTHER)
    said = statements(desk, lambda ctx: phone_numbers.change(ctx, alice, "+819012345670"))
    assert said
    assert not [each for each in said if "app.code_length" in each or "sms_template_version.body" in each]


def test_two_apps_are_never_taken_for_each_other(desk, alice, transaction, keys):
    other = Desk(transaction, keys)
    other.set(code_length=9)
    bob = other.register("bob", NUMBER)
    desk.change(alice, OTHER)
    assert (len(other.code(bob)), len(desk.code(alice))) == (9, 6)


def test_a_wording_saved_elsewhere_is_in_the_very_next_sms(desk, alice):
    say(desk, "en", "{code} is new")
    desk.change(alice, OTHER)
    assert last_wording(desk) == "{code} is new"


def test_a_setting_changed_past_ringback_is_in_the_very_next_code(desk, alice):
    with desk.transaction() as session:
        session.execute(text("UPDATE app SET code_length = 9"))
    desk.change(alice, OTHER)
    lengths = select(Verification.code_length).order_by(Verification.created_at.desc())
    assert desk.rows(lengths)[0] == 9


def test_a_country_closed_past_ringback_is_closed_for_the_very_next_sms(desk, alice):
    with desk.transaction() as session:
        session.execute(text("DELETE FROM open_country"))
    with pytest.raises(BadInput, match="JP is not open"):
        desk.change(alice, OTHER)


def test_what_a_transaction_changed_and_undid_is_never_remembered(desk, alice):
    def change_and_fail(ctx: Context) -> None:
        settings = app_settings.load(ctx)
        sms_templates.save(ctx, "en", "{code} was never said")
        ctx.session.execute(text("UPDATE app SET code_length = 9"))
        verifications.start(ctx, settings, Recipient(alice, OTHER, "en"), Purpose.CHANGE)
        assert app_settings.load(ctx).code_length == 9
        raise RuntimeError("nothing is committed")

    with pytest.raises(RuntimeError):
        desk.do(change_and_fail)
    desk.change(alice, OTHER)
    assert last_wording(desk) != "{code} was never said"
    assert desk.do(lambda ctx: app_settings.load(ctx, app_settings.load(ctx).revision)).code_length == 6


# Nothing of SQLite's waits between reading and writing.
@pytest.mark.parametrize("database", ["postgresql"])
def test_a_wording_saved_while_a_resend_waits_for_its_turn_is_in_its_sms(transaction, keys, engine):
    desk = Desk(transaction, keys)
    alice = desk.register("alice", NUMBER)
    desk.rest()
    with engine.execution_options(isolation_level="READ COMMITTED").connect() as holder:
        holder.execute(text("SELECT 1 FROM phone_number_limit FOR UPDATE"))
        waiting = threading.Thread(target=lambda: desk.resend(alice))
        waiting.start()
        until_somebody_waits(engine)
        say(desk, "en", "{code} is new")
        holder.rollback()
    waiting.join()
    assert last_wording(desk) == "{code} is new"


def until_somebody_waits(engine) -> None:
    waits = text("SELECT count(*) FROM pg_locks WHERE NOT granted")
    until = time.monotonic() + 20
    with engine.connect() as connection:
        while not connection.scalar(waits):
            assert time.monotonic() < until
            time.sleep(0.02)


def test_a_country_that_moves_to_another_app_is_closed_in_the_first(desk, alice, session):
    other = factories.app(session).id
    with desk.transaction() as writing:
        writing.execute(text("UPDATE open_country SET app_id = :other"), {"other": other})
    with pytest.raises(BadInput, match="JP is not open"):
        desk.change(alice, OTHER)


def test_a_process_never_holds_more_than_a_thousand_apps():
    known = ByRevision[int]()
    for place in range(3_000):
        known.put(f"app-{place}", "r", place)
    assert sum(known.get(f"app-{place}", "r") is not None for place in range(3_000)) <= 1_000
    assert known.get("app-2999", "r") == 2_999
