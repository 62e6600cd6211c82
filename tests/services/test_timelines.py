"""One timeline of what happened to a user's numbers: whole, in order, cheap, and without secrets."""

import re

import pytest
from sqlalchemy import event, insert, text

from portal.clock import MINUTE
from portal.core.reasons import Reason
from portal.errors import BadInput, WrongCode
from portal.models import (
    ActorKind,
    AuditAction,
    AuditEntry,
    Message,
    MessagePurpose,
    MessageState,
    Verification,
)
from portal.services import audit, number_cards, timelines, users
from portal.services.app_settings import load as load_app
from portal.services.timeline_events import Kind
from portal.services.timelines import Cursor
from tests import factories

DORA, SECOND = "+819012345678", "+819087654321"


def page(desk, user_id: str, before: Cursor | None = None, limit: int = timelines.PAGE) -> timelines.Page:
    return desk.do(lambda ctx: timelines.page(ctx, user_id, before, limit))


def since(desk, user_id: str, end: Cursor) -> timelines.Page | None:
    return desk.do(lambda ctx: timelines.since(ctx, user_id, end))


def sentences(found) -> list[str]:
    return [event.sentence for event in found.events]


def all_pages(desk, user_id: str, limit: int) -> list[timelines.Page]:
    pages = [page(desk, user_id, limit=limit)]
    while pages[-1].has_more:
        pages.append(page(desk, user_id, pages[-1].end, limit))
    return pages


def test_a_sign_up_reads_from_its_cause_to_its_sms(desk):
    dora = desk.register("dora")

    assert sentences(page(desk, dora)) == [
        "An SMS with the code was put down for",
        "A code was made for",
        "Registered",
    ]


def test_a_change_tells_who_started_it_and_what_was_sent(desk, clock):
    dora = desk.verified("dora", DORA)
    clock.advance(120)
    desk.change(dora, SECOND)
    found = page(desk, dora)

    assert sentences(found)[:4] == [
        "A notice of the change was put down for",
        "An SMS with the code was put down for",
        "A code was made for",
        "Started a change of phone number",
    ]
    assert found.events[3].actor == ActorKind.USER
    assert [event.number for event in found.events[:3]] == [DORA, SECOND, SECOND]


def test_a_wrong_guess_is_told_without_its_digits(desk, clock):
    dora = desk.register("dora")
    clock.advance(1)
    wrong = desk.wrong_code(dora)
    with pytest.raises(WrongCode):
        desk.confirm(dora, wrong)
    found = page(desk, dora)

    assert found.events[0].sentence == "Sent a wrong code"
    assert found.events[0].kind is Kind.WRONG
    assert wrong not in repr(found)
    assert desk.code(dora) not in repr(found)


@pytest.mark.parametrize(
    ("state", "columns", "told"),
    [
        ("sent", {"sent_at": 2}, ["The provider took the SMS for"]),
        ("delivered", {"sent_at": 2, "ended_at": 2}, ["The SMS arrived at"]),
        (
            "delivered",
            {"sent_at": 2, "ended_at": 3},
            ["The SMS arrived at", "The provider took the SMS for"],
        ),
        (
            "delivered",
            {"sent_at": 2, "ended_at": 2, "provider": "inbox"},
            ["The SMS reached the app's Inbox. It was meant for"],
        ),
        (
            "failed",
            {"ended_at": 3, "reason": "phone_unreachable"},
            ["The carrier could not reach this phone. It was meant for"],
        ),
        ("expired", {"ended_at": 3, "reason": "news"}, ["It is not known why. It was meant for"]),
    ],
)
def test_a_message_tells_how_it_fared(desk, session, state, columns, told):
    found = factories.message(session, created_at=1, state=state, **{"ended_at": None} | columns)
    theirs = timelines_of(session, desk, found)

    assert theirs[:-2] == told
    assert theirs[-2] == "An SMS with the code was put down for"


def timelines_of(session, desk, message) -> list[str]:
    def read(ctx):
        return sentences(timelines.page(ctx.in_app(message.app_id), message.user_id))

    verification = session.get(Verification, (message.app_id, message.verification_id))
    verification.created_at = 1
    session.flush()
    return desk.do(read)


def test_the_details_of_a_message_name_provider_words_reference_and_template(desk, session):
    dora = desk.register("dora")
    [message] = desk.messages()
    found = session.get(Message, message.serial)
    found.provider, found.provider_words, found.provider_reference = "acme", "No ••• such", "sm-77"
    found.attempts, found.reason, found.state = 2, Reason.PROVIDER_REFUSED, MessageState.FAILED
    session.flush()
    put_down = next(one for one in page(desk, dora).events if one.kind is Kind.MESSAGE)

    assert [(detail.label, detail.text) for detail in put_down.details] == [
        ("Why", "The provider refused the message."),
        ("Reason code", "provider_refused"),
        ("Provider", "acme"),
        ("It said", "No ••• such"),
        ("Its reference", "sm-77"),
        ("Attempts", "2"),
        ("SMS template", "en, version 1"),
    ]


def test_pii_01_a_reference_made_of_the_number_is_not_shown(desk, session):
    dora = desk.register("dora")
    session.get(Message, desk.messages()[0].serial).provider_reference = "msg-819012345678-1"
    session.flush()

    assert "12345678" not in repr([one.details for one in page(desk, dora).events])


def test_a_message_that_waits_for_its_next_try_says_when(desk, session, clock):
    dora = desk.register("dora")
    found = session.get(Message, desk.messages()[0].serial)
    found.attempts, found.due_at, found.reason = 1, clock.at + 9_000, Reason.PROVIDER_UNREACHABLE
    session.flush()
    details = {one.label: one.at for one in page(desk, dora).events[0].details}

    assert details["Tried again"] == clock.at + 9_000


@pytest.mark.parametrize(
    ("state", "said"),
    [
        ("expired", "The code expired unused, for"),
        ("replaced", "The code was replaced by a newer one, for"),
        ("cancelled", "The code was cancelled, for"),
        ("superseded", "The code ended because somebody else proved"),
    ],
)
def test_a_code_tells_how_it_ended(desk, session, clock, state, said):
    found = factories.verification(session, app_id=desk.app_id, state=state, ended_at=clock.at + 1)

    assert sentences(page(desk, found.user_id)) == [said, "A code was made for"]


def test_a_deed_of_the_portal_names_its_account_its_reason_and_what_it_changed(desk):
    dora, owner = desk.register("dora"), desk.owner("alice@example.com")
    told = {
        "before": {"disabled": False, "phone_number": "+81 ••• •••• 5678"},
        "after": {"disabled": True, "phone_number": "+81 ••• •••• 5678", "tokens": None},
    }
    typed = "She called from +81 90 1234 5678"
    desk.do(lambda ctx: audit.record(ctx, AuditAction.USER_DISABLED, dora, told, typed), owner)
    deed = next(one for one in page(desk, dora).events if one.sentence == "Disabled the user")

    assert (deed.actor, deed.email, deed.reason) == (
        "account",
        "alice@example.com",
        "She called from ••• 5678",
    )
    assert [(one.label, one.before, one.after) for one in deed.changes] == [("Disabled", "no", "yes")]
    assert ("Phone number", "+81 ••• •••• 5678") in [(one.label, one.text) for one in deed.details]


def test_a_refused_send_tells_its_reason_and_until_when(desk, clock):
    dora = desk.register("dora")
    told = {"reason": "country_closed", "until": clock.at, "country": "FR"}
    desk.do(lambda ctx: audit.record(ctx, AuditAction.SEND_REFUSED, dora, told))
    found = next(one for one in page(desk, dora).events if one.kind is Kind.REFUSED)

    assert found.sentence == f"Was refused an SMS: {Reason.COUNTRY_CLOSED.sentence}"
    assert [(one.label, one.text or one.at) for one in found.details] == [
        ("Country", "France"),
        ("Possible again", clock.at),
        ("Reason code", "country_closed"),
    ]


def test_an_entry_shows_only_details_that_it_is_known_to_have(desk):
    dora = desk.register("dora")
    desk.do(lambda ctx: audit.record(ctx, AuditAction.USER_UPDATED, dora, {"secret": "s3cret", "before": 1}))

    assert "s3cret" not in repr(page(desk, dora))


def test_an_action_of_a_later_version_is_told_by_its_code(desk, session):
    dora = desk.register("dora")
    factories.audit_entry(session, app_id=desk.app_id, user_id=dora, action="user.cloned")

    assert "user.cloned" in sentences(page(desk, dora))


# --- Pages ------------------------------------------------------------------------------------------------


def many(desk, clock, rows: int) -> str:
    """A user with so many rows in each table, all of them interleaved; returns its id."""
    dora = desk.register("dora")

    def fill(ctx) -> None:
        own = {"app_id": ctx.app_id, "user_id": dora}
        template = ctx.session.scalar(text("SELECT min(id) FROM sms_template_version"))
        codes, sms, entries = [], [], []
        for place in range(rows):
            at = clock.at + place * MINUTE
            code = {
                "id": f"{place:012x}{0:020}",
                "phone_number": DORA,
                "purpose": "change",
                "state": "expired",
            }
            times = {"created_at": at, "ended_at": at + 10 * MINUTE, "code_expires_at": at + 10 * MINUTE}
            counts = {"key_version": 1, "code_length": 6, "guesses_allowed": 5, "sends_allowed": 5}
            codes.append(own | code | times | counts)
            sms.append(_message(own, place, at + 1, code["id"], template))
            entry = {"at": at + 2, "actor_kind": "user", "actor_id": dora, "action": "code.wrong"}
            entries.append(own | entry | {"details": {}})
        ctx.session.execute(insert(Verification), codes)
        ctx.session.execute(insert(Message), sms)
        ctx.session.execute(insert(AuditEntry), entries)

    desk.do(fill)
    return dora


def _message(own: dict, place: int, at: int, code: str, template: int) -> dict:
    about = {"id": f"m{place}", "phone_number": DORA, "country": "JP", "locale": "en", "values": {}}
    ids = {"verification_id": code, "sms_template_version_id": template}
    times = {"due_at": at, "created_at": at, "sent_at": at + 1, "ended_at": None}
    state = {"purpose": MessagePurpose.VERIFICATION, "state": MessageState.SENT, "attempts": 1}
    return own | about | ids | times | state


@pytest.mark.parametrize("limit", [1, 7, 50])
def test_pages_hold_every_event_once_and_in_order(desk, clock, limit):
    dora = many(desk, clock, 20)
    pages = all_pages(desk, dora, limit)
    ids = [event.id for found in pages for event in found.events]

    # Sixty rows and the three of the sign-up; a code has two events, an SMS that left too.
    assert len(ids) == len(set(ids)) == 20 * 5 + 3
    for found in pages:
        assert [one.at for one in found.events] == sorted((one.at for one in found.events), reverse=True)


def test_a_page_that_was_read_stays_as_it_is_and_grows_at_its_top(desk, clock):
    dora = many(desk, clock, 20)
    first = page(desk, dora, limit=10)
    assert since(desk, dora, first.end).events == first.events

    clock.advance(3_600)
    desk.do(lambda ctx: audit.record(ctx, AuditAction.USER_UPDATED, dora))
    later = since(desk, dora, first.end)

    assert sentences(later)[0] == "Changed the user's data"
    assert later.events[1:] == first.events
    assert page(desk, dora, first.end, 10).events[0].id not in {one.id for one in later.events}


@pytest.mark.parametrize("limit", [1, 2, 3])
def test_what_is_new_comes_before_a_page_that_ended_without_its_kind(desk, clock, limit):
    dora = desk.register("dora")
    first = page(desk, dora, limit=limit)
    clock.advance(61)
    desk.resend(dora)
    later = since(desk, dora, first.end)
    older = page(desk, dora, first.end)

    assert sentences(later)[:2] == ["An SMS with the code was put down for", "Asked for the code again"]
    assert len(later.events) + len(older.events) == 5


def test_a_user_of_whom_nothing_is_known_yet_gets_its_first_event_by_itself(desk, session):
    nobody = factories.user(session, app_id=desk.app_id)
    empty = page(desk, nobody.id)
    factories.audit_entry(session, app_id=desk.app_id, user_id=nobody.id)

    assert (empty.events, empty.has_more) == ([], False)
    assert len(since(desk, nobody.id, empty.end).events) == 1


def test_a_page_that_would_grow_too_long_is_to_start_again(desk, clock):
    dora = many(desk, clock, 100)

    assert since(desk, dora, Cursor(0, 0, (0, ""))) is None


@pytest.mark.parametrize("text", ["", "1", "1.2", "1.2.3.4", "-1.2.3", "1.2.3-x", "1.2.3' OR 1", "9" * 40])
def test_a_page_key_that_is_not_ours_is_refused(text):
    with pytest.raises(BadInput):
        timelines.read_cursor(text)


def test_a_page_key_is_read_as_it_was_written():
    for cursor in (Cursor(1, 2, (3, "")), Cursor(0, 9, (1_800_000_000_000, "a" * 32))):
        assert timelines.read_cursor(str(cursor)) == cursor


def test_ten_02_nobody_elses_events_are_on_it(desk, session):
    dora, erin = desk.register("dora"), desk.register("erin", SECOND)
    theirs = factories.audit_entry(session, user_id=dora)

    assert theirs.app_id != desk.app_id
    assert {event.number for event in page(desk, dora).events} == {None, DORA}
    assert {event.number for event in page(desk, erin).events} == {None, SECOND}


# --- What it costs ----------------------------------------------------------------------------------------


def test_a_page_takes_three_statements_however_much_happened(desk, clock):
    dora = many(desk, clock, 60)
    first = page(desk, dora)

    for verb in (
        lambda ctx: timelines.page(ctx, dora),
        lambda ctx: timelines.page(ctx, dora, first.end),
        lambda ctx: timelines.since(ctx, dora, first.end),
    ):
        assert len(desk.do(lambda ctx, verb=verb: watched(ctx, verb))) == 3


def test_no_table_is_read_as_a_whole_for_a_user_with_thousands_of_events(desk, clock):
    dora = many(desk, clock, 2_000)
    end = page(desk, dora).end

    def read(ctx) -> None:
        timelines.page(ctx, dora)
        timelines.page(ctx, dora, end)
        timelines.since(ctx, dora, end)
        app = load_app(ctx)
        number_cards.load(ctx, app, users.get(ctx, dora))

    plans = desk.do(lambda ctx: _plans(ctx, watched(ctx, read)))

    assert len(plans) > 12
    for plan in plans:
        big = re.search(r"(SCAN|Seq Scan on) (message|verification|audit_entry)\b", plan)
        assert big is None, plan


def watched(ctx, verb) -> list[tuple[str, object]]:
    """The statements that a verb makes, with their values."""
    asked: list[tuple[str, object]] = []
    note = lambda *call: asked.append((call[2], call[3]))  # noqa: E731
    connection = ctx.session.connection()
    event.listen(connection, "before_cursor_execute", note)
    verb(ctx)
    event.remove(connection, "before_cursor_execute", note)
    return asked


def _plans(ctx, asked) -> list[str]:
    connection = ctx.session.connection()
    is_sqlite = connection.dialect.name == "sqlite"
    if not is_sqlite:
        connection.exec_driver_sql("ANALYZE")
        # Tables as short as a test's may be cheapest read whole; asked is whether they must be.
        connection.exec_driver_sql("SET LOCAL enable_seqscan = off")
    explain = "EXPLAIN QUERY PLAN " if is_sqlite else "EXPLAIN "
    return [
        "\n".join(str(row[-1]) for row in connection.exec_driver_sql(explain + sql, values))
        for sql, values in asked
    ]
