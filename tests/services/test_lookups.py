"""Support finds a user from whatever it knows, page by page, at a cost that does not grow with the app."""

import base64
import json

import pytest
from sqlalchemy import event, insert, text

from portal import clock as portal_clock
from portal.errors import BadInput
from portal.models import User
from portal.services import lookups, users
from portal.services.lookups import Page, Search
from portal.services.users import Registration
from tests.services.conftest import Desk

FIRST, SECOND, THIRD = "+819012345678", "+819087654321", "+818011112222"


def look(desk: Desk, typed: str = "", after: str | None = None, limit: int = 50, **filters) -> Page:
    """One page of the users page."""
    wanted = Search(text=typed, **filters)
    return desk.do(lambda ctx: lookups.search(ctx.session, desk.app_id, wanted, after, ctx.now, limit))


def names(desk: Desk, typed: str = "", **filters) -> list[str]:
    """The login names of who is found, in order of the alphabet."""
    return sorted(str(user.login_name) for user in look(desk, typed, **filters).users)


def add_users(desk: Desk, count: int, **columns) -> None:
    """Puts many users down at once, three of them in each millisecond, numbers from +81 90 2000 0000 on."""
    now = portal_clock.now()
    rows = []
    for place in range(count):
        number = f"+8190{20_000_000 + place}"
        numbers = {"phone_number": number, "phone_number_reversed": number[::-1]}
        times = {"created_at": now - place // 3, "modified_at": now}
        rows.append(
            {"app_id": desk.app_id, "id": f"{place:08x}", "login_name": f"many{place}", **numbers, **times}
        )
    desk.do(lambda ctx: ctx.session.execute(insert(User), [row | columns for row in rows]))


@pytest.fixture
def cast(desk) -> Desk:
    """Alice has a verified number and a pending one, Bob an unverified one, Charlie none."""
    record = Registration(
        login_name="alice", email_address="alice@example.com", phone_number=FIRST, display_name="Alice B."
    )
    alice = desk.do(lambda ctx: users.register(ctx, record, "hash").id)
    desk.confirm(alice, desk.code(alice))
    desk.change(alice, SECOND)
    desk.register("bob", THIRD)
    desk.register("charlie", None)
    return desk


# --- What is found ---------------------------------------------------------------------------------


FOUND_BY = {
    "5678": ["alice"],
    "345678": ["alice"],
    "678": ["alice"],
    "4321": ["alice"],
    "2222": ["bob"],
    "090-1234-5678": ["alice"],
    "０９０ー１２３４ー５６７８": ["alice"],
    "+81 90 1234 5678": ["alice"],
    "+81 (0)90 1234 5678": ["alice"],
    "0081 90 1234 5678": ["alice"],
    "+8190": ["alice"],
    "+81 80": ["bob"],
    "+819": ["alice"],
    "+44 7400": [],
    "9999": [],
    "1234": [],
    "alice": ["alice"],
    "ali": ["alice"],
    "Alice B.": ["alice"],
    "Alice": [],
    "alice@example.com": ["alice"],
    "ALICE@EX": ["alice"],
    "alice@": ["alice"],
    "@example.com": [],
    "": ["alice", "bob", "charlie"],
    "   ": ["alice", "bob", "charlie"],
}


def test_a_user_is_found_by_any_end_or_beginning_of_what_it_has(cast):
    assert {typed: names(cast, typed) for typed in FOUND_BY} == FOUND_BY


def test_a_user_is_found_by_its_id_however_it_was_copied(cast):
    alice = look(cast, "alice").users[0].id
    for typed in (alice, alice.upper(), f"  {alice}\t"):
        assert names(cast, typed) == ["alice"]
    assert names(cast, alice[:-1]) == []


def test_a_pending_number_is_found_too_and_a_lost_one_no_longer(cast):
    assert names(cast, "4321") == names(cast, SECOND) == ["alice"]
    alice = look(cast, "alice").users[0].id
    cast.confirm(alice, cast.code(alice))
    assert names(cast, "4321") == ["alice"]
    assert names(cast, "5678") == []


def test_a_page_says_how_the_term_was_understood(cast):
    assert look(cast, "090-1234-5678").understood == "the whole phone number 9012345678"
    assert look(cast, "").understood == ""


def test_ten_02_users_of_other_apps_are_never_found(cast, transaction, keys):
    other = Desk(transaction, keys)
    alice = look(cast, "alice").users[0].id
    for typed in ("", "alice", "5678", "4321", FIRST, alice, "alice@example.com"):
        assert look(other, typed).users == []


@pytest.mark.parametrize(
    ("filters", "found"),
    [
        ({"verified": True}, ["alice"]),
        ({"verified": False}, ["bob"]),
        ({"pending": True}, ["alice"]),
        ({"pending": False}, ["bob", "charlie"]),
        ({"disabled": True}, ["charlie"]),
        ({"disabled": False}, ["alice", "bob"]),
        ({"verified": True, "pending": True}, ["alice"]),
        ({"verified": False, "pending": True}, []),
        ({"verified": True, "disabled": True}, []),
    ],
)
def test_filters_narrow_and_add_up(cast, filters, found):
    charlie = look(cast, "charlie").users[0].id
    cast.do(lambda ctx: users.set_disabled(ctx, charlie, True))
    assert names(cast, **filters) == found
    assert names(cast, "a", **filters) == [name for name in found if name == "alice"]


def test_a_pending_number_whose_day_is_over_counts_as_none(cast, clock):
    clock.advance(24 * 3600 - 1)
    assert names(cast, pending=True) == ["alice"]
    clock.advance(1)
    assert names(cast, pending=True) == []
    assert names(cast, pending=False) == ["alice", "bob", "charlie"]


HOSTILE = [
    "%",
    "_",
    "al%",
    "ali_e",
    "' OR 1=1 --",
    'alice"; DROP TABLE user; --',
    "\\",
    "\0",
    "alice\0",
    "\ud800",
    "5678\ud800",
    "*",
    "NULL",
    "\U0010ffff",
    "\U0010fffe",
    "a" * 10**6,
    "9" * 10**6,
    "@",
    "{{7*7}}",
    "\u202e",
]


def test_hostile_terms_find_nobody_and_never_fail(cast):
    assert {typed[:40]: look(cast, typed).users for typed in HOSTILE} == {typed[:40]: [] for typed in HOSTILE}


# --- Pages -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("limit", [1, 7, 50, 119, 120])
def test_pages_over_many_users_meet_without_gap_or_double(desk, limit):
    add_users(desk, 120)
    seen, after, pages = [], None, 0
    while True:
        page = look(desk, after=after, limit=limit)
        seen += page.users
        pages += 1
        after = page.next
        if after is None:
            break
        assert len(page.users) == limit
    assert len(seen) == len({user.id for user in seen}) == 120
    assert pages == -(-120 // limit)
    places = [(user.created_at, user.id) for user in seen]
    assert places == sorted(places, reverse=True)


def test_pages_of_a_search_hold_only_what_is_searched(desk):
    add_users(desk, 120)
    desk.register("elsewhere", "+818011112222")
    first = look(desk, "+8190", limit=100)
    rest = look(desk, "+8190", after=first.next, limit=100)
    assert rest.next is None
    assert len({user.phone_number for user in first.users + rest.users}) == 120


def test_ten_08_a_number_is_not_read_a_digit_at_a_time(cast):
    assert [user.login_name for user in look(cast, "345678").users] == ["alice"]
    for digit in range(10):
        assert look(cast, f"{digit}2345678").users == []
    assert [user.login_name for user in look(cast, "090-1234-5678").users] == ["alice"]


def test_a_whole_national_number_is_found_among_newer_ones_that_end_in_it(desk, clock):
    number = "+3722345678"
    numbers = {"phone_number": number, "phone_number_reversed": number[::-1]}
    row = {"app_id": desk.app_id, "id": "oldest", "login_name": "tallinn", **numbers}
    desk.do(lambda ctx: ctx.session.execute(insert(User), [row | {"created_at": 1, "modified_at": 1}]))
    for place in range(5):
        longer = f"+8190{place}2345678"
        numbers = {"phone_number": longer, "phone_number_reversed": longer[::-1]}
        newer = {"app_id": desk.app_id, "id": f"newer{place}", "created_at": 2, "modified_at": 2, **numbers}
        desk.do(lambda ctx, newer=newer: ctx.session.execute(insert(User), [newer]))
    assert [user.login_name for user in look(desk, "2345678", limit=2).users] == ["tallinn"]


def test_a_user_who_signs_up_between_two_pages_shifts_nothing(desk, clock):
    add_users(desk, 20)
    first = look(desk, limit=10)
    clock.advance(1)
    desk.register("dora", None)
    second = look(desk, after=first.next, limit=10)
    assert len({user.id for user in first.users + second.users}) == 20


def page_key(*values: object) -> str:
    """A page key as somebody might forge it."""
    return base64.urlsafe_b64encode(json.dumps(values).encode()).decode().rstrip("=")


NOT_OURS = [
    "x",
    "=",
    "%%%",
    "é",
    "\0",
    "\ud800",
    page_key(),
    page_key(1),
    page_key(1, 2),
    page_key("1", "a"),
    page_key(1.5, "a"),
    page_key(True, "a"),
    page_key(None, None),
    page_key(2**63, "a"),
    page_key(-(10**400), "a"),
    page_key(1, "\0"),
    page_key(1, "\ud800"),
    page_key(1, "a", 3),
    page_key({"a": 1}, "a"),
    base64.urlsafe_b64encode(b"1").decode(),
    base64.urlsafe_b64encode(b"null").decode(),
    base64.urlsafe_b64encode(b"\xff\xff").decode(),
    base64.urlsafe_b64encode(b"[" * 3_000).decode(),
    base64.urlsafe_b64encode(b"[" * 100_000).decode(),
    base64.urlsafe_b64encode(b"[" + b"9" * 5_000 + b',"a"]').decode(),
    "A" * 10**6,
]


def test_a_page_key_that_is_not_ours_is_refused(desk):
    for after in NOT_OURS:
        with pytest.raises(BadInput) as refused:
            look(desk, after=after)
        assert refused.value.field == "after", after[:40]


def test_ten_02_a_page_key_of_another_app_opens_nothing_of_it(desk, transaction, keys):
    other = Desk(transaction, keys)
    add_users(desk, 5)
    key = look(desk, limit=2).next
    assert look(other, after=key).users == []


# --- What it costs ---------------------------------------------------------------------------------


def plan_of(desk: Desk, typed: str, **filters) -> str:
    """How the database says it will run a search, over enough users to make it choose."""
    with desk.transaction() as session:
        dialect, asked = session.get_bind().dialect.name, []
        if dialect == "postgresql":
            # As its autovacuum does by itself; SQLite plans without statistics here and in real life.
            session.execute(text('ANALYZE "user"'))
        connection = session.connection()
        event.listen(connection, "before_cursor_execute", lambda *call: asked.append(call[2:4]))
        lookups.search(session, desk.app_id, Search(text=typed, **filters), None, portal_clock.now())
        statement, values = asked[-1]
        explain = "EXPLAIN " if dialect == "postgresql" else "EXPLAIN QUERY PLAN "
        rows = connection.exec_driver_sql(explain + statement, values).all()
    return "\n".join(str(row[-1]) for row in rows)


@pytest.mark.parametrize(
    ("typed", "indexes"),
    [
        ("001234", ["ix_user_phone_number_reversed", "ix_user_pending_phone_number_reversed"]),
        ("+819020001234", ["ix_user_phone_number", "ix_user_pending_phone_number"]),
    ],
)
def test_a_phone_search_never_reads_all_users(desk, typed, indexes):
    add_users(desk, 6_000)
    plan = plan_of(desk, typed)
    for index in indexes:
        assert index in plan
    assert "Seq Scan" not in plan
    assert "SCAN" not in plan
    assert "ix_user_created" not in plan, "that index holds every user of the app"
    assert len(look(desk, typed).users) in (1, 50)


@pytest.mark.parametrize(
    ("typed", "index"), [("many123@", "email_address"), ("many123", "login_name"), ("00000abc", "login_name")]
)
def test_a_name_search_uses_its_indexes(desk, typed, index):
    add_users(desk, 6_000)
    plan = plan_of(desk, typed)
    assert "Seq Scan" not in plan
    assert "SCAN" not in plan
    assert "ix_user_created" not in plan


def test_a_page_far_down_the_list_is_found_by_its_key(desk):
    add_users(desk, 6_000)
    plan = plan_of(desk, "")
    assert "ix_user_created" in plan
    assert "Seq Scan" not in plan
    assert "SCAN" not in plan
    assert "TEMP B-TREE" not in plan
    assert "Sort" not in plan
