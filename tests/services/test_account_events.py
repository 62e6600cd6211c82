"""Does an account find all that happened to it, and nothing of anybody else's, by one index? (PII-07)"""

import pytest
from sqlalchemy import insert

from portal.core.roles import Role
from portal.models import OF_ACCOUNTS, ActorKind, AuditAction, AuditEntry
from portal.services import account_events, accounts, audit, own_accounts, sign_ins, team
from portal.services.context import Caller
from portal.services.sign_ins import Try
from tests.services.test_audit_log import plans_of


@pytest.fixture
def dora(desk) -> Caller:
    """An owner of the shop, as she is outside it."""
    return Caller(ActorKind.ACCOUNT, "", desk.owner("dora@example.com").id)


@pytest.fixture
def look(desk):
    """`look(account_id, before)` is a page of an account's events."""

    def run(account_id: str, before: int | None = None):
        return desk.do(lambda ctx: account_events.page(ctx.session, account_id, before))

    return run


def actions(found) -> list[str]:
    events, _older = found
    return [event.action for event in events]


def test_it_tells_what_the_account_did_and_what_was_done_to_it(desk, dora, look):
    system = Caller(ActorKind.SYSTEM)
    pia = desk.owner("pia@example.com").id
    owner = Caller(ActorKind.ACCOUNT, desk.app_id, dora.id)
    desk.do(lambda ctx: sign_ins.succeeded(ctx, "Firefox on Linux", "password"), dora)
    desk.do(lambda ctx: sign_ins.failed_second_step(ctx, dora.id, Try("curl", 1)), system)
    desk.do(own_accounts.end_all_sign_ins, dora)
    desk.do(lambda ctx: accounts.set_password(ctx, "dora@example.com", "hash"), Caller(ActorKind.OPERATOR))
    desk.do(lambda ctx: team.change_role(ctx, pia, Role.SUPPORT), owner)
    desk.do(lambda ctx: team.remove(ctx, pia), owner)
    events, older = look(dora.id)

    assert actions((events, older)) == [
        "account.password_changed",
        "account.sign_ins_ended",
        "account.sign_in_failed",
        "account.signed_in",
        "account.created",
    ]
    assert [event.is_own for event in events] == [False, True, False, True, False]
    assert older is None
    told, _ = look(pia)
    assert [(each.action, each.app) for each in told[:2]] == [
        ("member.removed", "Shop"),
        ("member.changed", "Shop"),
    ]


def test_what_an_account_does_for_its_apps_is_no_event_of_its_own(desk, dora, look):
    before = actions(look(dora.id))
    work = Caller(ActorKind.ACCOUNT, desk.app_id, dora.id)
    for action in set(AuditAction) - set(OF_ACCOUNTS):
        desk.do(lambda ctx, action=action: audit.record(ctx, action), work)
    assert actions(look(dora.id)) == before


def test_ten_02_nobody_else_s_events_are_told(desk, dora, look):
    others = desk.owner("pia@example.com").id
    for _ in range(3):
        desk.do(
            lambda ctx: sign_ins.succeeded(ctx, "curl", "password"), Caller(ActorKind.ACCOUNT, "", others)
        )
    # A user of an app may have been given any id; an entry of theirs is no account's.
    assert actions(look(dora.id)) == ["account.created"]
    assert actions(look("")) == []


def test_pages_of_twenty_tell_each_event_once(desk, dora, look):
    for at in range(45):
        told = {"browser": "curl", "n": at}
        desk.do(lambda ctx, told=told: audit.record(ctx, AuditAction.SIGNED_IN, details=told), dora)
    found, before, sizes = [], None, []
    while True:
        events, older = look(dora.id, before)
        found += [event.details.get("n") for event in events]
        sizes.append(len(events))
        if older is None:
            break
        before = older
    assert sizes == [20, 20, 6]
    assert found == [*range(44, -1, -1), None]
    assert look(dora.id, 1) == ([], None)


def wrong(*tries: int | None, browser: str = "curl", second: bool = True):
    """What as many wrong tries put on record, the last one last."""
    what = {"second_factor": True} if second else {}
    return [what | {"browser": browser} | ({} if each is None else {"tries": each}) for each in tries]


@pytest.mark.parametrize(
    ("entries", "times"),
    [
        (wrong(1, 2, 3), [3]),
        (wrong(3, 4), [2]),
        # A right one, or a quarter of an hour, begins the count anew.
        (wrong(1, 2, 1), [1, 2]),
        (wrong(1, 3), [1, 1]),
        (wrong(1) + wrong(2, browser="Firefox on Linux") + wrong(3), [1, 1, 1]),
        (wrong(1) + wrong(2, second=False), [1, 1]),
        # Refused passkeys have no place in a row.
        (wrong(None, None), [1, 1]),
        (wrong(*range(1, 31)), [30]),
        ([{"tries": "2"}, {"tries": ["3"]}, {}], [1, 1, 1]),
    ],
)
def test_wrong_tries_in_a_row_are_told_once_and_each_is_counted_once(desk, dora, look, entries, times):
    for told in entries:
        whose = told | {"account_id": dora.id}
        desk.do(lambda ctx, it=whose: audit.record(ctx, AuditAction.SIGN_IN_FAILED, details=it), dora)
    found, older = look(dora.id)
    failed = [event.times for event in found if event.action == "account.sign_in_failed"]
    rest = look(dora.id, older)[0] if older else []

    assert failed == times
    assert sum(failed) + sum(each.times for each in rest if "failed" in each.action) == len(entries)


def test_no_page_reads_more_of_the_log_than_the_account_s_own(desk, dora, session, look):
    entry = {"at": 1, "actor_kind": "account", "action": "account.signed_in", "details": {}, "app_id": None}
    session.execute(insert(AuditEntry), [entry | {"actor_id": f"other{at % 50}"} for at in range(5_000)])
    session.execute(insert(AuditEntry), [entry | {"actor_id": dora.id} for _ in range(5_000)])
    session.commit()
    for before in (None, 9_000):
        [plan, *_] = plans_of(
            desk, lambda ctx, before=before: account_events.page(ctx.session, dora.id, before)
        )
        assert "ix_audit_entry_of_account" in plan
        assert "TEMP B-TREE" not in plan
        assert "Seq Scan" not in plan
        assert "SCAN audit_entry" not in plan.replace("USING INDEX", "")


@pytest.fixture
def try_wrong(desk, dora):
    """`try_wrong(first, last)` puts as many wrong codes on record, each with its place in the row."""

    def run(first: int, last: int) -> None:
        for told in wrong(*range(first, last + 1)):
            whose = told | {"account_id": dora.id}
            desk.do(lambda ctx, it=whose: audit.record(ctx, AuditAction.SIGN_IN_FAILED, details=it), dora)

    return run


def test_a_row_longer_than_a_page_is_one_event_and_the_next_page_begins_after_it(desk, dora, try_wrong):
    try_wrong(1, 10)
    desk.do(lambda ctx: sign_ins.succeeded(ctx, "curl", "password"), dora)
    try_wrong(1, 12)
    [last], older = desk.do(lambda ctx: account_events.page(ctx.session, dora.id, most=1))
    rest, end = desk.do(lambda ctx: account_events.page(ctx.session, dora.id, older, 5))

    assert (last.times, last.goes_on) == (12, False)
    assert [each.times for each in rest] == [1, 10, 1]
    assert end is None


def test_a_row_longer_than_what_is_read_says_that_it_goes_on(try_wrong, look, dora):
    try_wrong(1, 199)
    [row, made], older = look(dora.id)
    assert (row.times, row.goes_on, made.action, older) == (199, False, "account.created", None)
    try_wrong(200, 203)
    [row], older = look(dora.id)
    rest, end = look(dora.id, older)

    assert (row.times, row.goes_on) == (200, True)
    assert [(each.times, each.goes_on) for each in rest] == [(3, False), (1, False)]
    assert end is None
