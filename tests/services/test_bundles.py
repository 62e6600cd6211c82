"""Do writes that nobody waits for arrive, in order, and only with their transaction?"""

import pytest
from sqlalchemy import bindparam, event, func, select, text, update

import portal.clock
import portal.database
from portal.core.limits import DEFAULT, Tally
from portal.errors import Overtaken, TooSoon
from portal.models import ActorKind, AuditAction, AuditEntry, Message, PhoneNumberLimit, User, table
from portal.own_work import of_all_apps
from portal.services import audit, phone_number_limits, verifications
from portal.services.context import Caller, Context
from portal.services.outbox import BELL
from tests.services.conftest import Desk

NUMBER = "+819012345678"


@pytest.fixture
def alice(desk) -> str:
    return desk.register("alice", NUMBER)


def entries(ctx, user_id: str) -> list[str]:
    """What is on record of a user, oldest first."""
    wanted = select(AuditEntry.action).where(AuditEntry.user_id == user_id).order_by(AuditEntry.id)
    return list(ctx.session.scalars(wanted))


def note(ctx, user_id: str, *actions: AuditAction) -> None:
    for action in actions:
        audit.record(ctx, action, user_id)


def test_whoever_reads_afterwards_sees_them(desk, alice):
    def verb(ctx) -> None:
        note(ctx, alice, AuditAction.CODE_RESENT)
        assert entries(ctx, alice)[-1] == AuditAction.CODE_RESENT

    desk.do(verb)


def test_they_are_there_after_the_commit(desk, alice):
    desk.do(lambda ctx: note(ctx, alice, AuditAction.CODE_RESENT))
    assert desk.do(lambda ctx: entries(ctx, alice))[-1] == AuditAction.CODE_RESENT


def test_those_of_one_table_keep_their_order(desk, alice):
    told = [AuditAction.CODE_RESENT, AuditAction.CODE_WRONG, AuditAction.CODE_RESET]
    desk.do(lambda ctx: note(ctx, alice, *told))
    assert desk.do(lambda ctx: entries(ctx, alice))[-3:] == told


def test_a_transaction_that_is_undone_takes_them_along(desk, alice):
    def fail(ctx) -> None:
        note(ctx, alice, AuditAction.CODE_RESENT)
        phone_number_limits.write(ctx, NUMBER, Tally((1, 2, 3), ()))
        raise RuntimeError("nothing is committed")

    before = desk.do(lambda ctx: entries(ctx, alice))
    with pytest.raises(RuntimeError):
        desk.do(fail)
    assert desk.do(lambda ctx: entries(ctx, alice)) == before
    assert desk.rows(select(PhoneNumberLimit.sent_times)) != ["1,2,3"]


def test_a_savepoint_that_is_undone_leaves_what_came_before_it(desk, alice):
    def verb(ctx) -> None:
        note(ctx, alice, AuditAction.CODE_RESENT)
        with pytest.raises(RuntimeError), ctx.session.begin_nested():
            raise RuntimeError("only this is undone")

    desk.do(verb)
    assert desk.do(lambda ctx: entries(ctx, alice))[-1] == AuditAction.CODE_RESENT


def test_what_the_orm_writes_comes_in_its_turn(desk, alice):
    def verb(ctx) -> None:
        user = ctx.session.get_one(User, (desk.app_id, alice))
        user.display_name = "Alice"
        note(ctx, alice, AuditAction.USER_UPDATED)
        ctx.session.execute(update(User).where(User.id == alice).values(locale="ja"))

    desk.do(verb)
    assert (desk.user(alice).display_name, desk.user(alice).locale) == ("Alice", "ja")


def test_on_postgresql_two_tables_are_written_in_one_journey(desk, alice, database):
    def verb(ctx) -> list[str]:
        said: list[str] = []
        engine = ctx.session.get_bind()
        event.listen(engine, "before_cursor_execute", listener := lambda *told: said.append(told[2]))
        note(ctx, alice, AuditAction.CODE_RESENT)
        phone_number_limits.write(ctx, NUMBER, Tally((1, 2, 3), ()))
        ctx.session.scalar(select(func.count()).select_from(User))
        event.remove(engine, "before_cursor_execute", listener)
        return said

    said = desk.do(verb)
    writes = [
        each for each in said if "INSERT INTO audit_entry" in each or "UPDATE phone_number_limit" in each
    ]
    assert len(writes) == (1 if database == "postgresql" else 2)


def test_one_that_must_have_happened_raises_its_refusal_alone_and_in_company(desk, alice):
    def nobody(ctx) -> None:
        unknown = (
            update(table(User)).where(table(User).c.id == bindparam("the_id")).returning(table(User).c.id)
        )
        ctx.add(unknown.values(locale="ja"), {"the_id": "nobody"}, Overtaken("Somebody was faster."))

    def alone(ctx) -> None:
        nobody(ctx)
        entries(ctx, alice)

    def in_company(ctx) -> None:
        note(ctx, alice, AuditAction.CODE_RESENT)
        nobody(ctx)

    before = desk.do(lambda ctx: entries(ctx, alice))
    for verb in (alone, in_company, nobody):
        with pytest.raises(Overtaken):
            desk.do(verb)
    assert desk.do(lambda ctx: entries(ctx, alice)) == before


def test_one_that_must_have_happened_and_has_is_silent(desk, alice):
    def verb(ctx) -> None:
        known = update(table(User)).where(table(User).c.id == bindparam("the_id")).returning(table(User).c.id)
        note(ctx, alice, AuditAction.CODE_RESENT)
        ctx.add(known.values(locale="ja"), {"the_id": alice}, Overtaken("Somebody was faster."))

    desk.do(verb)
    assert desk.user(alice).locale == "ja"


# SQLite has no bundles.
@pytest.mark.parametrize("database", ["postgresql"])
def test_a_refusal_that_the_last_one_brings_undoes_everything_at_once(app, transaction, keys, engine, clock):
    desk = Desk(transaction, keys, clock=clock)
    alice = desk.register("alice")
    clock.advance(61)

    def ask_again_too_late() -> None:
        with portal.database.transaction() as session:
            caller = Caller(ActorKind.USER, desk.app_id, alice)
            verifications.resend(Context(session, caller, portal.clock.now(), keys, DEFAULT), alice)
            with engine.connect() as other:
                other.execute(text("UPDATE verification SET state = 'cancelled', ended_at = 1"))

    with of_all_apps(app):
        with pytest.raises(TooSoon):
            ask_again_too_late()
        page = portal.database.reading()
        is_open = page.in_transaction()
        messages = page.scalar(select(func.count()).select_from(Message))
        assert (is_open, messages, page.info.get(BELL)) == (False, 1, None)
