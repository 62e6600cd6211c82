"""An administrator's query understands the contract's clauses, pages without gaps, and refuses the rest."""

import base64
import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from portal.errors import BadInput
from portal.models import User
from portal.services import user_queries, users
from portal.services.user_queries import Answer, UserQuery
from portal.services.users import Registration
from tests.services.conftest import Desk
from tests.services.test_lookups import add_users

FIRST, SECOND = "+819012345678", "+819087654321"
ALL = {"type": "all"}


@pytest.fixture
def cast(desk, clock) -> Desk:
    """Alice is complete and verified, Bob has a bare name, Charlie is disabled and came last."""
    people = [
        {"login_name": "alice", "email_address": "alice@example.com", "phone_number": FIRST, "country": "JP"},
        {"login_name": "bob"},
        {"login_name": "charlie", "display_name": "Charlie", "locale": "en-GB", "country": "GB"},
    ]
    for record in people:
        desk.do(lambda ctx, record=record: users.register(ctx, Registration(**record), "hash"))
        clock.advance(1)
    alice, _, charlie = in_order(desk)
    desk.confirm(alice.id, desk.code(alice.id))
    desk.do(lambda ctx: users.set_disabled(ctx, charlie.id, True))
    return desk


def run(desk: Desk, clause: object = ALL, **more) -> Answer:
    """One answer."""
    return desk.do(lambda ctx: user_queries.run(ctx, UserQuery(clause=clause, **more)))


def in_order(desk: Desk, clause: object = ALL, **more) -> list[User]:
    """The users of one answer."""
    return run(desk, clause, **more).users


def names(desk: Desk, clause: object, **more) -> list[str]:
    """The login names of one answer."""
    return [user.login_name for user in in_order(desk, clause, **more)]


def eq(field: str, value: object) -> dict:
    """A clause for one value."""
    return {"type": "eq", "field": field, "value": value}


def has(field: str) -> dict:
    """A clause for any value."""
    return {"type": "hasField", "field": field}


def between(field: str, **limits: object) -> dict:
    """A clause for a range."""
    return {"type": "range", "field": field, **limits}


FOUND_BY = [
    (ALL, ["alice", "bob", "charlie"]),
    (eq("loginName", "bob"), ["bob"]),
    (eq("loginName", "BOB"), []),
    (eq("emailAddress", "alice@example.com"), ["alice"]),
    (eq("phoneNumber", FIRST), ["alice"]),
    (eq("phoneNumberVerified", True), ["alice"]),
    (eq("phoneNumberVerified", False), ["bob", "charlie"]),
    (eq("_disabled", True), ["charlie"]),
    (eq("displayName", "Charlie"), ["charlie"]),
    ({"type": "in", "field": "country", "values": ["JP", "GB", "FR"]}, ["alice", "charlie"]),
    ({"type": "prefix", "field": "loginName", "prefix": "a"}, ["alice"]),
    ({"type": "prefix", "field": "phoneNumber", "prefix": "+81"}, ["alice"]),
    ({"type": "prefix", "field": "loginName", "prefix": ""}, ["alice", "bob", "charlie"]),
    ({"type": "prefix", "field": "loginName", "prefix": "%"}, []),
    (has("country"), ["alice", "charlie"]),
    (has("locale"), ["charlie"]),
    ({"type": "not", "clause": has("country")}, ["bob"]),
    ({"type": "and", "clauses": [has("country"), eq("country", "GB")]}, ["charlie"]),
    ({"type": "or", "clauses": [eq("loginName", "bob"), eq("country", "GB")]}, ["bob", "charlie"]),
    ({"type": "not", "clause": ALL}, []),
    (between("loginName", lowerLimit="b"), ["bob", "charlie"]),
    (between("loginName", lowerLimit="bob", lowerIncluded=False), ["charlie"]),
    (between("loginName", upperLimit="bob"), ["alice", "bob"]),
    (between("loginName", upperLimit="bob", upperIncluded=False), ["alice"]),
    (between("loginName", lowerLimit="b", upperLimit="bz"), ["bob"]),
    (between("createdAt", lowerLimit=0, upperLimit=2**62), ["alice", "bob", "charlie"]),
    (between("_created", upperLimit=0), []),
]


def test_every_clause_of_the_contract_finds_what_it_says(cast):
    assert [(clause, names(cast, clause)) for clause, _ in FOUND_BY] == FOUND_BY


NOT_UNDERSTOOD = [
    None,
    [],
    "all",
    {},
    {"type": "like", "field": "loginName", "value": "a"},
    {"type": ["all"]},
    {"type": {"a": 1}},
    {"type": "eq"},
    eq("password", "hash"),
    eq("password_hash", "hash"),
    eq("__class__", "x"),
    {"type": "eq", "field": ["loginName"], "value": "x"},
    eq("loginName", 1),
    eq("loginName", None),
    eq("loginName", ["a"]),
    eq("loginName", "\0"),
    eq("loginName", "\ud800"),
    eq("createdAt", "1"),
    eq("createdAt", True),
    eq("createdAt", 1.5),
    eq("createdAt", 2**63),
    eq("createdAt", -(2**63)),
    eq("phoneNumberVerified", 1),
    eq("phoneNumberVerified", "true"),
    {"type": "in", "field": "country", "values": []},
    {"type": "in", "field": "country", "values": ["JP", 1]},
    {"type": "in", "field": "country", "values": ["\0"]},
    {"type": "in", "field": "country", "values": "JP"},
    {"type": "in", "field": "country", "values": ["JP"] * 201},
    {"type": "prefix", "field": "loginName", "prefix": 1},
    {"type": "prefix", "field": "loginName", "prefix": "\0"},
    {"type": "prefix", "field": "createdAt", "prefix": 1},
    {"type": "prefix", "field": "phoneNumberVerified", "prefix": True},
    between("loginName"),
    between("createdAt", lowerLimit="a"),
    between("phoneNumberVerified", lowerLimit=False),
    between("_disabled", upperLimit=True, upperIncluded=False),
    {"type": "and", "clauses": []},
    {"type": "or", "clauses": [ALL, None]},
    {"type": "not"},
    {"type": "geobox", "field": "loginName"},
]


def is_refused(desk: Desk, clause: object) -> bool:
    """Whether a query with this clause is refused."""
    try:
        run(desk, clause)
    except BadInput:
        return True
    return False


def test_what_is_not_understood_is_refused_and_never_an_error(cast):
    assert [clause for clause in NOT_UNDERSTOOD if not is_refused(cast, clause)] == []


def test_clauses_nest_ten_deep_and_no_deeper(cast):
    clause: dict = eq("loginName", "bob")
    for _ in range(10):
        clause = {"type": "not", "clause": clause}
    assert names(cast, clause) == ["bob"]
    with pytest.raises(BadInput):
        run(cast, {"type": "not", "clause": clause})


def test_ten_02_users_of_other_apps_answer_no_query(cast, transaction, keys):
    other = Desk(transaction, keys)
    for clause in (ALL, eq("loginName", "alice"), {"type": "or", "clauses": [ALL, ALL]}, has("country")):
        assert in_order(other, clause) == []


# --- Order and pages -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("order_by", "order"),
    [
        (None, ["alice", "bob", "charlie"]),
        ("_created", ["alice", "bob", "charlie"]),
        ("loginName", ["alice", "bob", "charlie"]),
        ("country", ["bob", "charlie", "alice"]),
    ],
)
def test_an_order_goes_both_ways_and_who_has_no_value_comes_first(cast, order_by, order):
    assert names(cast, ALL, order_by=order_by) == order
    assert names(cast, ALL, order_by=order_by, descending=True) == order[::-1]


def test_an_unknown_order_is_refused(cast):
    for order_by in ("password", "login_name", "loginName; --", "\0"):
        with pytest.raises(BadInput) as refused:
            run(cast, order_by=order_by)
        assert refused.value.field == "orderBy"


@pytest.fixture
def crowd(desk, clock) -> Desk:
    """Twenty-three users, several alike in everything but their ID, some without a value."""
    for place in range(23):
        record = {
            "login_name": f"user{place}" if place % 3 else None,
            "display_name": "Ä" if place % 2 else None,
        }
        record |= {"country": ["JP", "GB", None][place % 3], "email_address": f"u{place}@example.com"}
        desk.do(lambda ctx, record=record: users.register(ctx, Registration(**record), "hash"))
        if place % 5 == 0:
            clock.advance(0.001)
    return desk


def in_pages(desk: Desk, size: int, **order) -> list[str]:
    """The IDs of all users, asked for page by page."""
    seen: list[str] = []
    answer = run(desk, limit=size, **order)
    while answer.next_key is not None:
        assert len(answer.users) == size
        seen += [user.id for user in answer.users]
        answer = run(desk, limit=size, pagination_key=answer.next_key, **order)
    return seen + [user.id for user in answer.users]


@pytest.mark.parametrize("descending", [False, True])
def test_pages_in_every_order_meet_without_gap_or_double(crowd, descending):
    for order_by in user_queries._COLUMNS:
        order = {"order_by": order_by, "descending": descending}
        seen = in_pages(crowd, 4, **order)
        assert len(set(seen)) == 23, order_by
        assert seen == [user.id for user in in_order(crowd, **order)], order_by


def test_a_page_is_never_longer_than_two_hundred(desk):
    add_users(desk, 201)
    for limit, expected in ((0, 200), (-5, 200), (1, 1), (200, 200), (10**30, 200)):
        answer = run(desk, limit=limit)
        assert len(answer.users) == expected
        assert answer.next_key is not None


def key_of(*values: object) -> str:
    """A pagination key as somebody might forge it."""
    return base64.urlsafe_b64encode(json.dumps(values).encode()).decode().rstrip("=")


NOT_OURS = [
    "x",
    "\ud800",
    key_of(),
    key_of("loginName", "a"),
    key_of("createdAt", 1, "a"),
    key_of("loginName", 1, "a"),
    key_of("loginName", None, "a"),
    key_of("loginName", "\0", "a"),
    key_of("loginName", "\ud800", "a"),
    key_of("loginName", "a", "\0"),
    key_of("loginName", "a", "\ud800"),
    key_of("loginName", "a", 1),
    key_of("loginName", ["a"], "a"),
    key_of("loginName", "a", "b", "c"),
    base64.urlsafe_b64encode(b"null").decode(),
    base64.urlsafe_b64encode(b"[" * 100_000).decode(),
]


def test_a_key_of_another_query_is_refused(cast):
    for key in NOT_OURS:
        with pytest.raises(BadInput) as refused:
            run(cast, order_by="loginName", pagination_key=key)
        assert refused.value.field == "paginationKey", key[:40]


def test_a_key_with_a_place_that_no_column_holds_is_refused(cast):
    for place in (True, 2**63, -(2**64), 1.5):
        with pytest.raises(BadInput):
            run(cast, order_by="createdAt", pagination_key=key_of("createdAt", place, "a"))


ANYTHING = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text(st.characters(), max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
NAMES = st.sampled_from([*user_queries._COLUMNS, "nonsense"])
CLAUSES = st.recursive(
    st.just(ALL)
    | st.fixed_dictionaries(
        {"type": st.sampled_from(["eq", "in", "prefix", "range", "hasField", "x"]), "field": NAMES},
        optional={
            "value": ANYTHING,
            "values": st.lists(ANYTHING, max_size=3),
            "prefix": ANYTHING,
            "lowerLimit": ANYTHING,
            "upperLimit": ANYTHING,
            "upperIncluded": ANYTHING,
        },
    )
    | ANYTHING,
    lambda inner: st.fixed_dictionaries(
        {"type": st.sampled_from(["and", "or", "not"])},
        optional={"clauses": st.lists(inner, max_size=3), "clause": inner},
    ),
    max_leaves=4,
)


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(clause=CLAUSES)
def test_any_clause_whatever_is_answered_or_refused(cast, clause):
    try:
        found = names(cast, clause)
    except BadInput:
        return
    assert set(found) <= {"alice", "bob", "charlie"}


def test_a_query_of_too_many_clauses_is_refused(desk):
    leaf = {"type": "eq", "field": "loginName", "value": "alice"}
    clause = {"type": "or", "clauses": [leaf] * 150}
    for kind in ("and", "or", "and", "or"):
        clause = {"type": kind, "clauses": [clause, leaf]}
    with pytest.raises(BadInput) as refused:
        desk.do(lambda ctx: user_queries.run(ctx, user_queries.UserQuery(clause=clause)))
    assert refused.value.field == "clause"
