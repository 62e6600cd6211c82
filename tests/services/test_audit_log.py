"""Is the audit log complete, cheap to read from any end, and free of whole numbers?"""

import itertools
import re
import tracemalloc

import pytest
from sqlalchemy import event, insert, select

from portal import clock as portal_clock
from portal.models import ActorKind, AuditAction, AuditEntry
from portal.services import audit, audit_log, audit_sealing, walks
from portal.services.audit_kinds import ACTIONS, Kind
from portal.services.audit_log import Wanted
from portal.services.context import Caller
from tests import factories

SHORT = 200
NUMBER = "+819012345678"


def test_every_action_is_of_exactly_one_kind():
    listed = [action for actions in ACTIONS.values() for action in actions]

    assert sorted(listed) == sorted(AuditAction)
    assert set(ACTIONS) == set(Kind)


def test_the_pages_together_are_the_whole_log_newest_first(desk, log):
    log(130)
    everything = ids(desk)

    assert pages_of(desk, Wanted()) == everything
    assert len(everything) == 130


@pytest.mark.parametrize("walk", [SHORT, walks.EXAMINED])
@pytest.mark.parametrize(
    ("wanted", "matches"),
    [
        (Wanted(actor=ActorKind.USER), lambda entry, _: entry.actor_kind == "user"),
        (Wanted(account=" Olga@example.com"), lambda entry, olga: entry.actor_id == olga),
        (Wanted(account="nobody@example.com"), lambda entry, _: False),
        (Wanted(kind=Kind.TESTS), lambda entry, _: entry.action.startswith(("test.", "own_number."))),
        (Wanted(user_id="u3"), lambda entry, _: entry.user_id == "u3"),
        (
            Wanted(kind=Kind.USERS, actor=ActorKind.ACCOUNT, user_id="u3"),
            lambda entry, olga: (
                entry.user_id == "u3" and entry.action in ACTIONS[Kind.USERS] and entry.actor_id == olga
            ),
        ),
    ],
    ids=["by_users", "by_olga", "by_nobody", "tests", "about_u3", "about_u3_by_accounts"],
)
def test_the_filtered_pages_together_are_all_that_match(desk, log, olga, monkeypatch, walk, wanted, matches):
    monkeypatch.setattr(walks, "EXAMINED", walk)
    log(600)
    entries = desk.rows(select(AuditEntry).order_by(AuditEntry.id.desc()))

    assert pages_of(desk, wanted) == [each.id for each in entries if matches(each, olga.id)]


@pytest.mark.parametrize(
    ("since", "until"), [(None, -3), (-3, None), (-3, -2), (-100, None), (None, 100), (100, None), (-2, -3)]
)
def test_days_are_found_wherever_they_are(desk, log, clock, since, until):
    log(600, hours=24 * 6)
    first = None if since is None else clock.now() + since * portal_clock.DAY
    end = None if until is None else clock.now() + until * portal_clock.DAY
    entries = desk.rows(select(AuditEntry).order_by(AuditEntry.id.desc()))
    held = [
        each.id for each in entries if (first is None or each.at >= first) and (end is None or each.at < end)
    ]

    assert pages_of(desk, Wanted(since=first, until=end)) == held


def test_an_entry_whose_time_is_out_of_order_is_in_its_day_all_the_same(desk, clock):
    noon = clock.now()
    for minutes in (-50, 30, -20, 0, 45, -1, 59):
        at = noon + minutes * portal_clock.MINUTE
        desk.do(lambda ctx, at=at: factories.audit_entry(ctx.session, app_id=desk.app_id, at=at))
    held = desk.rows(select(AuditEntry.id).where(AuditEntry.at >= noon).order_by(AuditEntry.id.desc()))

    assert pages_of(desk, Wanted(since=noon)) == held


def test_names_are_read_in_one_query_a_page(desk, log, olga):
    log(50)
    statements = statements_of(desk, lambda ctx: audit_log.page(ctx.session, desk.app_id, Wanted()))
    entries, _ = look(desk)

    assert len([each for each in statements if "FROM account" in each]) == 1
    assert {each.account for each in entries if each.actor_kind == "account"} == {olga.email}
    assert len(statements) <= 5


def test_a_user_who_is_gone_has_no_name(desk, olga):
    user_id = desk.register("hanako")
    caller = Caller(ActorKind.ACCOUNT, desk.app_id, olga.id)
    desk.do(lambda ctx: audit.record(ctx, AuditAction.USER_DISABLED, user_id), caller)
    desk.do(lambda ctx: audit.record(ctx, AuditAction.USER_DISABLED, "gone"), caller)
    gone, there = look(desk)[0][:2]

    assert (gone.user, there.user) == (None, "hanako")


@pytest.mark.parametrize(
    "text",
    [
        NUMBER,
        "call +81 90-1234-5678 now",
        "(090) 1234.5678",
        "０９０１２３４５６７８",
        "819012345678x",
        "1_234_567",
    ],
)
def test_pii_01_no_whole_number_is_told_whatever_was_typed(desk, text):
    details = {"before": {"x": text, text: [text]}, "after": {"x": None, "version": 12345678}}
    desk.do(lambda ctx: audit.record(ctx, AuditAction.USER_UPDATED, "u", details, reason=text))
    told = look(desk)[0][0]

    shown = f"{told.reason} {told.details['before']}"
    assert not re.search(r"(?:\d[\s().,_-]{0,2}){5,}", shown)
    assert told.details["after"] == {"x": None, "version": 12345678}


@pytest.mark.parametrize("text", ["+81 ••• •••• 5678", "ticket 48213 of 2026", "code 482913", "version 3"])
def test_what_is_no_number_is_told_as_it_is(desk, text):
    desk.do(lambda ctx: audit.record(ctx, AuditAction.USER_UPDATED, "u", reason=text))

    assert look(desk)[0][0].reason == text


def test_ten_02_another_apps_entries_are_on_no_page_and_in_no_export(desk, session):
    theirs = factories.audit_entry(session)
    told = desk.do(lambda ctx: list(audit_log.chunks(ctx.session, desk.app_id, Wanted(), 2**40)))

    assert theirs.id not in pages_of(desk, Wanted())
    assert theirs.id not in [each.id for chunk in told for each in chunk]


# --- Export ------------------------------------------------------------------------------------------------


def test_an_export_is_everything_before_it_oldest_first(desk, log):
    log(130)
    before = ids(desk)
    end = desk.do(lambda ctx: audit_log.begin_export(ctx, {"format": "CSV"}))
    log(5)
    told = desk.do(lambda ctx: list(audit_log.chunks(ctx.session, desk.app_id, Wanted(), end, 50)))

    assert [each.id for chunk in told for each in chunk] == before[::-1]
    assert max(map(len, told)) == 50
    assert look(desk, Wanted(kind=Kind.LOOK_UPS))[0][0].details == {"format": "CSV"}


def test_an_export_keeps_to_its_filters(desk, log):
    log(300)
    wanted = Wanted(kind=Kind.TESTS, actor=ActorKind.ACCOUNT)
    told = desk.do(lambda ctx: list(audit_log.chunks(ctx.session, desk.app_id, wanted, 2**40, 50)))

    assert [each.id for chunk in told for each in chunk] == pages_of(desk, wanted)[::-1]


def test_between_two_chunks_no_transaction_is_open(desk, log):
    log(120)

    def halfway(ctx):
        chunks = audit_log.chunks(ctx.session, desk.app_id, Wanted(), 2**40, 50)
        return [ctx.session.in_transaction() for _ in chunks]

    assert desk.do(halfway) == [False, False, False]


def test_a_long_export_takes_no_more_memory_than_a_short_one(desk, log):
    log(20_000)

    def peak(ctx) -> tuple[int, int]:
        tracemalloc.start()
        count = sum(map(len, audit_log.chunks(ctx.session, desk.app_id, Wanted(), 2**40)))
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return count, most

    count, most = desk.do(peak)
    assert count == 20_000
    assert most < 12_000_000, "twenty thousand entries at once would be over 40 MB"


# --- Cost --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "wanted",
    [Wanted(), Wanted(actor=ActorKind.USER), Wanted(kind=Kind.TESTS), Wanted(user_id="u3"), Wanted(since=1)],
    ids=["all", "by_users", "tests", "about_u3", "since"],
)
def test_no_page_reads_the_whole_log(desk, log, wanted):
    log(2_000)
    before = ids(desk)[1_500]
    plans = plans_of(desk, lambda ctx: audit_log.page(ctx.session, desk.app_id, wanted, before))

    for plan in plans:
        assert "Seq Scan on audit_entry" not in plan
        assert "SCAN audit_entry" not in plan
    assert len(plans) < 30


def statements_of(desk, verb) -> list[str]:
    return [statement for statement, _ in desk.do(lambda ctx: heard(ctx, verb))]


def heard(ctx, verb) -> list[tuple[str, object]]:
    """Each statement of a verb, with its values."""
    connection, asked = ctx.session.connection(), []

    def hear(_connection, _cursor, statement, values, _context, _many):
        asked.append((statement, values))

    event.listen(connection, "before_cursor_execute", hear)
    verb(ctx)
    event.remove(connection, "before_cursor_execute", hear)
    return asked


def plans_of(desk, verb) -> list[str]:
    """How the database goes about each statement of a verb."""

    def run(ctx) -> list[str]:
        connection = ctx.session.connection()
        is_postgresql = connection.dialect.name == "postgresql"
        if is_postgresql:
            connection.exec_driver_sql("ANALYZE audit_entry")
            # A log as short as a test's is cheapest read whole; asked is whether it must be.
            connection.exec_driver_sql("SET LOCAL enable_seqscan = off")
        explain = "EXPLAIN " if is_postgresql else "EXPLAIN QUERY PLAN "
        return [
            "\n".join(str(row[-1]) for row in connection.exec_driver_sql(explain + statement, values))
            for statement, values in heard(ctx, verb)
        ]

    return desk.do(run)


def look(desk, wanted=None, before=None):
    return desk.do(lambda ctx: audit_log.page(ctx.session, desk.app_id, wanted or Wanted(), before))


def pages_of(desk, wanted) -> list[int]:
    """The IDs of all pages one after the other."""
    found, before = [], None
    while True:
        entries, stretch = look(desk, wanted, before)
        found.append([each.id for each in entries])
        before = stretch.next
        if before is None:
            return list(itertools.chain(*found))


def ids(desk) -> list[int]:
    """All entries of the app, newest first."""
    return desk.rows(
        select(AuditEntry.id).where(AuditEntry.app_id == desk.app_id).order_by(AuditEntry.id.desc())
    )


@pytest.fixture
def olga(desk):
    """An account that does things."""
    return desk.do(lambda ctx: factories.account(ctx.session, email="olga@example.com"))


@pytest.fixture
def log(desk, olga, clock):
    """`log(130)` records so many entries of all kinds, spread over the last `hours`, oldest first."""
    actions = list(AuditAction)
    actors = [(ActorKind.ACCOUNT, olga.id), (ActorKind.USER, "u3"), (ActorKind.SYSTEM, None)]

    # What the making of the app left would be younger than what comes after it here.
    desk.do(audit_sealing.seal)
    desk.do(lambda ctx: audit_sealing.remove(ctx, ctx.now))

    def fill(count: int, hours: int = 1) -> None:
        spread = hours * portal_clock.HOUR
        rows = [
            {
                "app_id": desk.app_id,
                "at": clock.now() - spread + spread * at // count,
                "actor_kind": actors[at % 3][0],
                "actor_id": actors[at % 3][1],
                "action": actions[at % len(actions)],
                "user_id": f"u{at % 5}",
                "reason": f"Because {at}",
                "details": {"before": {"disabled": False}, "after": {"disabled": True}},
            }
            for at in range(count)
        ]
        desk.do(lambda ctx: ctx.session.execute(insert(AuditEntry), rows))

    return fill
