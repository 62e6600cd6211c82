"""Is the list of messages right and cheap, whatever is asked for and however long the outbox is?"""

import itertools

import pytest
from sqlalchemy import event, insert, update

from portal import clock as portal_clock
from portal.core.reasons import Reason
from portal.models import Message, MessagePurpose, MessageState, User
from portal.services import message_counts, message_lists, message_retries, walks
from portal.services.message_lists import Wanted
from tests import factories

MANY = 1_000
# As short as this, a walk ends within few rows; the real one goes on for 5,000.
SHORT = 200


def test_the_pages_together_are_the_whole_list_newest_first(desk, outbox):
    serials = outbox(130)

    assert pages_of(desk, Wanted()) == [serials[:-51:-1], serials[-51:-101:-1], serials[-101::-1]]


FILTERS = [
    Wanted(state=MessageState.FAILED),
    Wanted(state=MessageState.DELIVERED),
    Wanted(country="DE"),
    Wanted(provider="console"),
    Wanted(reason=Reason.PROVIDER_REFUSED),
    Wanted(state=MessageState.FAILED, country="JP", provider="inbox", reason=Reason.PROVIDER_REFUSED),
]


@pytest.mark.parametrize("wanted", FILTERS, ids=repr)
@pytest.mark.parametrize("walk", [SHORT, walks.EXAMINED])
def test_the_filtered_pages_together_are_all_that_match(desk, outbox, monkeypatch, wanted, walk):
    monkeypatch.setattr(walks, "EXAMINED", walk)
    outbox(MANY)
    shown = list(itertools.chain(*pages_of(desk, wanted)))

    assert shown == [each.serial for each in reversed(desk.messages()) if matches(each, wanted)]


def test_what_is_put_down_meanwhile_moves_no_later_page(desk, outbox):
    serials = outbox(60)
    _, first = look(desk, Wanted())
    outbox(5)

    assert [each.serial for each in look(desk, Wanted(), first.next)[0]] == serials[9::-1]


def test_a_walk_that_finds_little_says_how_far_back_it_looked(desk, outbox, short_walk):
    serials = outbox(SHORT + 10)
    desk.do(lambda ctx: ctx.session.execute(update(Message).values(country="JP")))
    found, stretch = look(desk, Wanted(country="DE"))

    assert found == []
    assert stretch.next == serials[10]
    assert stretch.looked_back_to == by_serial(desk, serials[10]).created_at
    assert look(desk, Wanted(country="DE"), stretch.next) == ([], walks.Stretch([]))


def test_a_walk_that_ends_with_the_outbox_says_nothing_of_the_kind(desk, outbox, short_walk):
    outbox(SHORT)

    assert look(desk, Wanted(provider="nobody"))[1] == walks.Stretch([])


def test_what_was_not_sent_is_found_at_once_below_any_number_of_others(desk, outbox, short_walk):
    serials = outbox(MANY)
    lost = Message.serial == serials[3]
    desk.do(lambda ctx: ctx.session.execute(update(Message).values(state=MessageState.SENT)))
    desk.do(lambda ctx: ctx.session.execute(update(Message).where(lost).values(state=MessageState.FAILED)))

    assert [each.serial for each in look(desk, Wanted(state=MessageState.FAILED))[0]] == [serials[3]]


def test_a_page_that_is_held_shows_the_same_rows_as_they_are_now(desk, outbox):
    outbox(60)
    before, stretch = look(desk, Wanted())
    outbox(4)
    desk.do(lambda ctx: ctx.session.execute(update(Message).values(state=MessageState.DELIVERED)))
    newest = before[0].serial
    held, again = desk.do(
        lambda ctx: message_lists.page(ctx.session, desk.app_id, Wanted(), newest + 1, stretch.next)
    )

    assert [each.serial for each in held] == [each.serial for each in before]
    assert {each.state for each in held} == {"delivered"}
    assert (again.next, again.looked_back_to) == (stretch.next, None)
    assert desk.do(lambda ctx: message_lists.newer(ctx.session, desk.app_id, Wanted(), newest)) == 4


def test_a_row_names_its_user_and_its_wording_and_never_the_text(desk, session):
    user = factories.user(session, app_id=desk.app_id, display_name="花子")
    factories.message(session, app_id=desk.app_id, user_id=user.id, purpose=MessagePurpose.CHANGE_NOTICE)
    factories.message(session, app_id=desk.app_id, values={"app_name": "secret"})
    code, notice = look(desk, Wanted())[0]

    assert (notice.user.id, notice.user.display_name, notice.version) == (user.id, "花子", None)
    assert code.version is not None
    assert "secret" not in repr(code)


def test_a_test_has_no_user(desk, session):
    account = factories.account(session)
    factories.message(
        session, app_id=desk.app_id, user_id=None, account_id=account.id, purpose=MessagePurpose.TEST
    )

    assert look(desk, Wanted())[0][0].user is None


def test_ten_02_another_apps_messages_are_on_no_page(desk, session):
    factories.message(session)

    assert look(desk, Wanted()) == ([], walks.Stretch([]))
    assert figures(desk).states == dict.fromkeys(MessageState, 0)


# --- Figures -----------------------------------------------------------------------------------------------


def test_the_figures_count_what_is_under_way_and_the_last_day(desk, session, clock):
    old = clock.now() - portal_clock.DAY - 1
    states = [MessageState.QUEUED, MessageState.SENDING, MessageState.SENT, MessageState.FAILED]
    for state in [*states, MessageState.FAILED]:
        factories.message(session, app_id=desk.app_id, state=state)
    for state in (MessageState.QUEUED, MessageState.FAILED):
        factories.message(session, app_id=desk.app_id, state=state, created_at=old)
    found = figures(desk)

    assert found.states == dict.fromkeys(MessageState, 0) | {
        MessageState.QUEUED: 2,
        MessageState.SENDING: 1,
        MessageState.SENT: 1,
        MessageState.FAILED: 2,
    }
    assert found.oldest_waiting == old
    assert (found.cut_at, found.is_crowded) == (None, False)
    assert found.countries == {"JP"}


@pytest.mark.parametrize(("seconds", "is_stalled"), [(-30, False), (30, False), (31, True)])
def test_the_worker_stands_still_when_a_message_has_been_due_for_half_a_minute(
    desk, session, clock, seconds, is_stalled
):
    factories.message(session, app_id=desk.app_id, due_at=clock.now() - seconds * portal_clock.SECOND)

    assert figures(desk).is_stalled is is_stalled


def test_the_figures_say_when_they_are_of_the_newest_messages_only(desk, outbox, short_walk):
    serials = outbox(SHORT + 5)
    found = figures(desk)

    assert found.cut_at == by_serial(desk, serials[5]).created_at
    ended = [MessageState.SENT, MessageState.DELIVERED, MessageState.FAILED, MessageState.EXPIRED]
    assert sum(found.states[state] for state in ended) == SHORT


# --- Trying again ------------------------------------------------------------------------------------------


def test_a_failed_message_whose_code_lives_and_is_waited_for_is_worth_another_try(desk, failed):
    user_id = failed("hanako", "+819012345678")

    assert [each.user_id for each in retries(desk)] == [user_id]


def test_so_is_one_to_a_pending_number(desk, clock):
    user_id = desk.verified("hanako", "+819012345678")
    desk.change(user_id, "+819087654321")
    fail_all(desk)

    assert [each.user_id for each in retries(desk)] == [user_id]


@pytest.mark.parametrize(
    "meanwhile",
    [
        lambda desk, user_id, clock: desk.confirm(user_id, desk.code(user_id)),
        lambda desk, user_id, clock: desk.change(user_id, "+819087654321"),
        lambda desk, user_id, clock: clock.advance(541),
        lambda desk, user_id, clock: put(desk, User, disabled=True),
        lambda desk, user_id, clock: desk.set(open_countries=frozenset({"DE"})),
        lambda desk, user_id, clock: (clock.advance(120), desk.resend(user_id)),
        lambda desk, user_id, clock: put(desk, Message, state=MessageState.EXPIRED),
    ],
    ids=["verified", "changed", "code too old", "disabled", "country closed", "sent again", "expired"],
)
def test_it_is_not_once_that_makes_no_sense_any_more(desk, failed, clock, meanwhile):
    user_id = failed("hanako", "+819012345678")
    meanwhile(desk, user_id, clock)

    assert retries(desk) == []


def test_who_failed_after_the_look_is_left_for_the_next_one(desk, failed):
    first = failed("hanako", "+819012345678")
    up_to = retries(desk)[0].serial
    failed("taro", "+819011112222")

    assert [each.user_id for each in retries(desk, up_to)] == [first]


# --- Cost --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("wanted", [Wanted(), *FILTERS], ids=repr)
def test_no_page_reads_the_whole_table(desk, outbox, wanted):
    outbox(MANY)
    before = desk.messages()[-100].serial

    for plan in plans(desk, lambda ctx: message_lists.page(ctx.session, desk.app_id, wanted, before)):
        assert_walks_an_index(plan)


def test_what_was_not_sent_has_an_index_of_its_own(desk, outbox):
    all_but(desk, outbox(MANY)[:20], MessageState.SENT)
    wanted = Wanted(state=MessageState.EXPIRED, country="DE")
    found = plans(desk, lambda ctx: message_lists.page(ctx.session, desk.app_id, wanted))

    assert "ix_message_not_sent" in found[0]


def test_neither_figures_nor_retries_read_the_whole_table(desk, outbox):
    all_but(desk, outbox(MANY)[:20], MessageState.SENT)

    def all_of_it(ctx):
        message_counts.of(ctx.session, desk.app_id, ctx.now)
        message_retries.worth_it(ctx.session, desk.app_id, ctx.now)

    found = plans(desk, all_of_it)
    for plan in found:
        assert_walks_an_index(plan)
    assert len(found) == 3
    # Both of these hold only what is under way; which is shorter, a single app cannot show.
    assert "ix_message_turn" in found[1] or "ix_message_due" in found[1]


def assert_walks_an_index(plan: str) -> None:
    """Fails when a plan reads all messages, or skips rows by counting."""
    assert "Seq Scan on message" not in plan
    # SQLite scans what a subquery found, to its limit; never the table itself.
    assert "SCAN message" not in plan
    assert "OFFSET" not in plan.upper()


def plans(desk, verb) -> list[str]:
    """How the database goes about each statement of a verb."""

    def run(ctx) -> list[str]:
        connection = ctx.session.connection()
        asked = []

        def hear(_connection, _cursor, statement, values, _context, _many):
            asked.append((statement, values))

        if connection.dialect.name == "postgresql":
            connection.exec_driver_sql("ANALYZE message")
            # Asked is whether an index serves, not whether a test's few rows are cheaper read whole.
            connection.exec_driver_sql("SET LOCAL enable_seqscan = off")
        event.listen(connection, "before_cursor_execute", hear)
        verb(ctx)
        event.remove(connection, "before_cursor_execute", hear)
        explain = "EXPLAIN " if connection.dialect.name == "postgresql" else "EXPLAIN QUERY PLAN "
        return [
            "\n".join(str(row[-1]) for row in connection.exec_driver_sql(explain + statement, values))
            for statement, values in asked
        ]

    return desk.do(run)


def look(desk, wanted, before=None):
    return desk.do(lambda ctx: message_lists.page(ctx.session, desk.app_id, wanted, before))


def pages_of(desk, wanted) -> list[list[int]]:
    """The serials of every page, until there is no next one."""
    pages, before = [], None
    while True:
        messages, stretch = look(desk, wanted, before)
        pages.append([each.serial for each in messages])
        if stretch.next is None:
            return pages
        before = stretch.next


def matches(message: Message, wanted: Wanted) -> bool:
    asked = {"state": wanted.state, "country": wanted.country, "provider": wanted.provider}
    if wanted.reason and not wanted.state and message.state not in message_lists.NOT_SENT:
        return False
    return all(
        getattr(message, name) == value
        for name, value in (asked | {"reason": wanted.reason}).items()
        if value
    )


def figures(desk):
    return desk.do(lambda ctx: message_counts.of(ctx.session, desk.app_id, ctx.now))


def retries(desk, up_to=None):
    return desk.do(lambda ctx: message_retries.worth_it(ctx.session, desk.app_id, ctx.now, up_to))


def by_serial(desk, serial: int) -> Message:
    return desk.do(lambda ctx: ctx.session.get_one(Message, serial))


def put(desk, model, **columns) -> None:
    """Writes columns into every row of a table."""
    desk.do(lambda ctx: ctx.session.execute(update(model).values(**columns)))


def all_but(desk, serials: list[int], state: MessageState) -> None:
    """Writes a state into every message but these."""
    others = Message.serial.not_in(serials)
    desk.do(lambda ctx: ctx.session.execute(update(Message).where(others).values(state=state)))


def fail_all(desk) -> None:
    put(desk, Message, state=MessageState.FAILED, reason=Reason.PROVIDER_UNREACHABLE)


@pytest.fixture
def failed(desk):
    """`failed("hanako", number)` signs a user up whose SMS fails; returns the user's ID."""

    def sign_up(name: str, number: str) -> str:
        user_id = desk.register(name, number)
        fail_all(desk)
        return user_id

    return sign_up


@pytest.fixture
def short_walk(monkeypatch):
    """Walks end after SHORT rows."""
    monkeypatch.setattr(walks, "EXAMINED", SHORT)


@pytest.fixture
def outbox(desk, clock):
    """`outbox(130)` puts so many notices of all kinds down; returns their serials, oldest first."""
    kinds = [
        (MessageState.DELIVERED, None, "JP"),
        (MessageState.FAILED, Reason.PROVIDER_REFUSED, "JP"),
        (MessageState.SENT, None, "DE"),
        (MessageState.EXPIRED, Reason.NO_LONGER_NEEDED, "DE"),
        (MessageState.DELIVERED, None, "JP"),
    ]

    def row(at: int, user_id: str) -> dict:
        state, reason, country = kinds[at % 5]
        return {
            "id": factories.random_id(),
            "app_id": desk.app_id,
            "user_id": user_id,
            "phone_number": "+819012345678",
            "country": country,
            "purpose": MessagePurpose.CHANGE_NOTICE,
            "locale": "en",
            "values": {},
            "state": state,
            "reason": reason,
            "provider": "console" if at % 7 == 0 else "inbox",
            "attempts": 1,
            "due_at": clock.now(),
            "created_at": clock.now() - MANY + at,
        }

    def fill(count: int) -> list[int]:
        def write(ctx) -> list[int]:
            user = factories.user(ctx.session, app_id=desk.app_id)
            before = ctx.session.query(Message.serial).order_by(Message.serial.desc()).limit(1).scalar() or 0
            ctx.session.execute(insert(Message), [row(at, user.id) for at in range(count)])
            found = ctx.session.query(Message.serial).where(Message.serial > before).order_by(Message.serial)
            return list(ctx.session.scalars(found.statement))

        return desk.do(write)

    return fill
