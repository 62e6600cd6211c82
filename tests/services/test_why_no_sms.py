"""Every reason why no SMS came is made to happen, through the services and the worker's dispatch."""

from collections.abc import Callable
from dataclasses import dataclass, field

import pytest
from sqlalchemy import event

from portal import clock as portal_clock
from portal.clock import MINUTE
from portal.config import Settings
from portal.core.limits import Tally
from portal.core.reasons import Reason
from portal.core.why_no_sms import ANSWERS, Answer
from portal.delivery import claims, dispatch
from portal.delivery.dispatch import Post
from portal.delivery.providers.base import Accepted, ProviderRefused, ProviderUnreachable, Sms
from portal.errors import BadInput, Busy, Refusal, TooSoon, WrongCode
from portal.models import App, AppMode, SmsTemplateVersion
from portal.services import (
    app_settings,
    number_cards,
    phone_number_limits,
    phone_numbers,
    refused_sends,
    retention,
    users,
    why_no_sms,
)
from portal.services.source_limits import Budget, SourceLimits
from tests import factories
from tests.services.conftest import Desk
from tests.worker.conftest import put_down

DORA, SECOND = "+819012345678", "+819087654321"
FRANCE, LANDLINE = "+33612345678", "+81312345678"


@dataclass
class Carrier:
    """A provider that takes every SMS, or does with all of them what the test says."""

    name: str = "carrier"
    refuses: Exception | None = None
    is_delivered: bool = False
    taken: list[Sms] = field(default_factory=list)

    def send(self, sms: Sms) -> Accepted:
        if self.refuses is not None:
            raise self.refuses
        self.taken.append(sms)
        return Accepted("ref", is_delivered=self.is_delivered)


class Case:
    """A desk with a worker behind it, and Dora before it."""

    def __init__(self, desk: Desk, clock) -> None:
        self.desk, self.clock, self.carrier = desk, clock, Carrier()
        self.post = Post(
            desk.transaction, desk.keys, {"carrier": self.carrier}, portal_clock.now, draw=lambda: 0.0
        )
        self.use("carrier")
        self.dora = ""

    def use(self, provider: str) -> None:
        self.desk.do(lambda ctx: setattr(ctx.session.get_one(App, ctx.app_id), "provider", provider))

    def sign_up(self, number: str | None = DORA) -> None:
        self.dora = self.desk.register("dora", number)

    def verified(self) -> None:
        self.sign_up()
        self.send()
        self.desk.confirm(self.dora, self.desk.code(self.dora))
        self.clock.advance(61)

    def send(self) -> None:
        while dispatch.send_next(self.post):
            pass

    def refused(self, verb: Callable[[], object]) -> None:
        """A request of Dora's that is refused, as the API's door takes it: noted after its rollback."""
        with pytest.raises((TooSoon, BadInput, Busy)) as raised:
            verb()
        self.note(raised.value)

    def note(self, refusal: Refusal) -> None:
        told = refused_sends.told_by(refusal)
        assert told is not None
        self.desk.do(lambda ctx: refused_sends.note(ctx, self.dora, told), self.desk.as_user(self.dora))

    def resend(self) -> None:
        self.desk.resend(self.dora)

    def change(self, number: str) -> None:
        self.desk.change(self.dora, number)

    def guess_wrong(self, times: int = 1) -> None:
        for _ in range(times):
            with pytest.raises(WrongCode):
                self.desk.confirm(self.dora, self.desk.wrong_code(self.dora))

    def tally(self, **times: tuple[int, ...]) -> None:
        """Lets Dora's number look back on these sends and guesses."""

        def write(ctx) -> None:
            phone_number_limits.lock(ctx, DORA)
            phone_number_limits.write(ctx, DORA, Tally(**times))

        self.desk.do(write)

    def ago(self, count: int, minutes: float) -> tuple[int, ...]:
        at = self.clock.at - round(minutes * MINUTE)
        return tuple(at + place for place in range(count))

    def lapse(self) -> None:
        self.clock.advance(24 * 3600 + 1)
        self.desk.do(phone_numbers.lapse_due)
        self.desk.do(retention.end_expired_verifications)

    def answer(self) -> Answer:
        def explain(ctx) -> Answer:
            app = app_settings.load(ctx)
            return why_no_sms.explain(ctx, app, number_cards.load(ctx, app, users.get(ctx, self.dora)))

        return self.desk.do(explain)


@pytest.fixture
def case(desk, clock) -> Case:
    return Case(desk, clock)


def resend_wait(case: Case) -> None:
    case.sign_up()
    case.send()
    case.refused(case.resend)


def source_send_limit(case: Case) -> None:
    case.verified()
    budgets = SourceLimits(Settings(source_sends=1))
    budgets.spend(Budget.SENDS, "192.0.2.1")
    case.refused(lambda: budgets.spend(Budget.SENDS, "192.0.2.1"))


def sends_used_up(case: Case) -> None:
    case.desk.set(sends_allowed=1)
    case.sign_up()
    case.send()
    case.clock.advance(61)
    case.refused(case.resend)


def number_hourly_limit(case: Case) -> None:
    case.sign_up()
    case.send()
    case.clock.advance(120)
    case.tally(sent=case.ago(10, minutes=30))
    case.refused(case.resend)


def number_daily_limit(case: Case) -> None:
    case.sign_up()
    case.send()
    case.clock.advance(3_600)
    case.tally(sent=case.ago(20, minutes=120))


def too_many_guesses(case: Case) -> None:
    case.sign_up()
    case.send()
    case.guess_wrong(times=5)


def number_guess_limit(case: Case) -> None:
    case.sign_up()
    case.send()
    case.tally(failed_guesses=case.ago(20, minutes=60))
    case.refused(lambda: case.desk.confirm(case.dora, case.desk.code(case.dora)))


def country_closed(case: Case) -> None:
    case.verified()
    case.refused(lambda: case.change(FRANCE))


def country_closed_meanwhile(case: Case) -> None:
    case.sign_up()
    case.desk.set(open_countries=frozenset({"DE"}))
    case.send()


def not_mobile(case: Case) -> None:
    case.verified()
    case.refused(lambda: case.change(LANDLINE))


def expired_before_sending(case: Case) -> None:
    case.sign_up()
    case.clock.advance(9 * 60 + 1)
    case.send()


def no_longer_needed(case: Case) -> None:
    case.verified()
    case.change(SECOND)
    case.change(DORA)
    case.send()


def somebody_else_was_first(case: Case) -> None:
    case.verified()
    case.change(SECOND)
    case.send()
    case.clock.advance(61)
    case.desk.verified("erin", SECOND)


def provider_refused(case: Case) -> None:
    case.carrier.refuses = ProviderRefused("Blocked by the user 4711", permanent=True)
    case.sign_up()
    case.send()


def provider_account_refused(case: Case) -> None:
    case.carrier.refuses = ProviderRefused("HTTP 401", permanent=True, is_about_account=True)
    case.sign_up()
    case.send()


def provider_in_trouble(case: Case) -> None:
    case.carrier.refuses = ProviderRefused("HTTP 503", reason=Reason.PROVIDER_IN_TROUBLE)
    case.sign_up()
    case.send()


def provider_unreachable(case: Case) -> None:
    case.carrier.refuses = ProviderUnreachable("timed out")
    case.sign_up()
    case.send()


def no_provider(case: Case) -> None:
    case.use("closed-down")
    case.sign_up()
    case.send()


def rendering_failed(case: Case) -> None:
    case.sign_up()

    def break_wording(ctx) -> None:
        for version in ctx.session.query(SmsTemplateVersion).filter_by(app_id=ctx.app_id):
            version.body = "A text without its code"

    case.desk.do(break_wording)
    case.send()


class Killed(BaseException):
    """What a kill -9 looks like from inside: nothing after it runs."""


def sending_broke_off(case: Case) -> None:
    case.carrier.refuses = Killed()
    case.sign_up()
    for _ in range(5):
        with pytest.raises(Killed):
            case.send()
        case.clock.advance(60)
    case.send()


def too_many_waiting(case: Case) -> None:
    case.sign_up()
    case.send()
    case.desk.do(lambda ctx: put_down(ctx.session, ctx.app_id, 100))
    case.clock.advance(61)
    case.refused(case.resend)


def phone_unreachable(case: Case) -> None:
    case.carrier.refuses = ProviderRefused("absent", permanent=True, reason=Reason.PHONE_UNREACHABLE)
    case.sign_up()
    case.send()


def waiting_to_be_sent(case: Case) -> None:
    case.sign_up()


def worker_stalled(case: Case) -> None:
    case.sign_up()
    case.clock.advance(61)


def a_worker_died(case: Case) -> None:
    case.sign_up()
    case.desk.do(lambda ctx: claims.take(ctx.session, ctx.app_id, ctx.now, dispatch.LEASE))
    case.clock.advance(60.001)


def sent_not_confirmed(case: Case) -> None:
    case.sign_up()
    case.send()


def delivered(case: Case) -> None:
    case.carrier.is_delivered = True
    case.sign_up()
    case.send()


def code_expired(case: Case) -> None:
    case.sign_up()
    case.send()
    case.clock.advance(601)


def change_lapsed(case: Case) -> None:
    case.verified()
    case.change(SECOND)
    case.send()
    case.lapse()


def verification_off(case: Case) -> None:
    case.desk.set(phone_number_verification_required=False)
    case.sign_up()


def nothing_to_verify(case: Case) -> None:
    case.verified()


def no_phone_number(case: Case) -> None:
    case.sign_up(None)


def number_lost(case: Case) -> None:
    case.desk.set(number_taken="move")
    case.verified()
    case.desk.verified("erin", DORA)


def user_disabled(case: Case) -> None:
    case.sign_up()
    case.desk.do(lambda ctx: users.set_disabled(ctx, case.dora, True))


STORIES: list[tuple[Callable[[Case], None], Reason]] = [
    (resend_wait, Reason.RESEND_WAIT),
    (sends_used_up, Reason.SENDS_USED_UP),
    (source_send_limit, Reason.SOURCE_SEND_LIMIT),
    (number_hourly_limit, Reason.NUMBER_HOURLY_LIMIT),
    (number_daily_limit, Reason.NUMBER_DAILY_LIMIT),
    (too_many_guesses, Reason.TOO_MANY_GUESSES),
    (number_guess_limit, Reason.NUMBER_GUESS_LIMIT),
    (country_closed, Reason.COUNTRY_CLOSED),
    (country_closed_meanwhile, Reason.COUNTRY_CLOSED),
    (not_mobile, Reason.NOT_MOBILE),
    (expired_before_sending, Reason.EXPIRED_BEFORE_SENDING),
    (no_longer_needed, Reason.NO_LONGER_NEEDED),
    (somebody_else_was_first, Reason.NO_LONGER_NEEDED),
    (provider_refused, Reason.PROVIDER_REFUSED),
    (provider_account_refused, Reason.PROVIDER_ACCOUNT_REFUSED),
    (provider_in_trouble, Reason.PROVIDER_IN_TROUBLE),
    (provider_unreachable, Reason.PROVIDER_UNREACHABLE),
    (no_provider, Reason.NO_PROVIDER),
    (rendering_failed, Reason.RENDERING_FAILED),
    (sending_broke_off, Reason.SENDING_BROKE_OFF),
    (too_many_waiting, Reason.TOO_MANY_WAITING),
    (phone_unreachable, Reason.PHONE_UNREACHABLE),
    (waiting_to_be_sent, Reason.WAITING_TO_BE_SENT),
    (worker_stalled, Reason.WORKER_STALLED),
    (a_worker_died, Reason.WORKER_STALLED),
    (sent_not_confirmed, Reason.SENT_NOT_CONFIRMED),
    (delivered, Reason.DELIVERED),
    (code_expired, Reason.CODE_EXPIRED),
    (change_lapsed, Reason.CHANGE_LAPSED),
    (verification_off, Reason.VERIFICATION_OFF),
    (nothing_to_verify, Reason.NOTHING_TO_VERIFY),
    (no_phone_number, Reason.NO_PHONE_NUMBER),
    (number_lost, Reason.NO_PHONE_NUMBER),
    (user_disabled, Reason.USER_DISABLED),
]


def test_every_reason_that_can_be_an_answer_has_a_story_that_makes_it_happen():
    assert {reason for _story, reason in STORIES} == ANSWERS


@pytest.mark.parametrize(("story", "reason"), STORIES, ids=[story.__name__ for story, _reason in STORIES])
def test_the_answer_is_what_really_happened(case, story, reason):
    story(case)

    assert case.answer().reason is reason


@pytest.mark.parametrize(
    ("story", "reason"),
    [
        (provider_refused, Reason.PROVIDER_REFUSED),
        (phone_unreachable, Reason.PHONE_UNREACHABLE),
        (no_provider, Reason.NO_PROVIDER),
        (expired_before_sending, Reason.EXPIRED_BEFORE_SENDING),
        (country_closed_meanwhile, Reason.COUNTRY_CLOSED),
        (provider_unreachable, Reason.PROVIDER_UNREACHABLE),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_the_message_has_the_same_reason_code(case, story, reason):
    story(case)

    assert case.desk.messages(DORA)[-1].reason == case.answer().reason == reason


def test_a_provider_is_quoted_without_its_digits(case):
    provider_refused(case)

    assert case.answer().words == "Blocked by the user ••••"


def test_an_unreachable_provider_is_given_up_in_the_end(case):
    provider_unreachable(case)
    first = case.answer()
    case.clock.advance(1)
    again = case.answer()
    for _ in range(5):
        case.clock.advance(81)
        case.send()

    assert (first.until, again.then) == (case.desk.messages(DORA)[-1].created_at + 3_000, first.then)
    assert "tried again" in first.then
    assert (case.answer().reason, case.answer().then) == (Reason.PROVIDER_UNREACHABLE, "")


def test_a_cooldown_says_until_when_and_is_over_then(case):
    resend_wait(case)
    answer = case.answer()
    case.clock.advance(60)

    assert answer.until == case.clock.at
    assert case.answer().reason is Reason.SENT_NOT_CONFIRMED
    case.resend()
    assert case.answer().reason is Reason.WAITING_TO_BE_SENT


def test_the_country_is_named_in_full(case):
    country_closed(case)
    asked = case.answer().sentence
    case.desk.set(open_countries=frozenset({"DE"}))
    case.dora = case.desk.do(lambda ctx: _unverified(ctx).id)

    assert asked == "Nothing was sent: France is not open for this app."
    assert case.answer().sentence == "Nothing was sent: Japan is not open for this app."


def test_the_sandbox_inbox_is_said_to_be_no_phone(case):
    case.use("inbox")
    case.sign_up()
    case.post.providers["inbox"] = Carrier("inbox", is_delivered=True)  # type: ignore[index]
    case.send()

    live = case.answer()
    case.clock.advance(601)
    expired = case.answer()

    assert (live.reason, expired.reason) == (Reason.DELIVERED, Reason.CODE_EXPIRED)
    for answer in (live, expired):
        assert "reached the app's Inbox" in answer.sentence
        assert "This app is a sandbox" in answer.aside


def test_nothing_is_said_of_a_sandbox_in_a_live_app(case):
    case.desk.do(lambda ctx: setattr(ctx.session.get_one(App, ctx.app_id), "mode", AppMode.LIVE))
    case.sign_up()
    case.send()

    assert (case.answer().reason, case.answer().aside) == (Reason.SENT_NOT_CONFIRMED, "")


def test_a_number_that_no_plan_knows_any_more_breaks_nothing(case):
    case.dora = case.desk.do(lambda ctx: _unverified(ctx, "+8100").id)

    assert case.answer().reason is Reason.NOT_MOBILE


def test_an_answer_takes_a_fixed_number_of_statements_and_locks_nothing(case):
    too_many_guesses(case)
    asked: list[str] = []

    def explain(ctx) -> None:
        connection = ctx.session.connection()
        event.listen(connection, "before_cursor_execute", lambda *call: asked.append(call[2]))
        app, user = app_settings.load(ctx), users.get(ctx, case.dora)
        why_no_sms.explain(ctx, app, number_cards.load(ctx, app, user))

    case.desk.do(explain)

    assert len(asked) == 7
    assert not any("FOR UPDATE" in statement or "INSERT" in statement for statement in asked)


def test_nothing_of_another_app_is_looked_at(case, desk, clock):
    case.sign_up()
    case.send()
    theirs = Desk(desk.transaction, desk.keys, clock=clock)
    erin = theirs.register("erin", DORA)

    assert case.desk.messages(DORA)[0].state == "sent"
    assert theirs.do(lambda ctx: _answer(ctx, erin)).reason is Reason.WAITING_TO_BE_SENT


def _answer(ctx, user_id: str) -> Answer:
    app = app_settings.load(ctx)
    return why_no_sms.explain(ctx, app, number_cards.load(ctx, app, users.get(ctx, user_id)))


def _unverified(ctx, number: str = "+819055556666"):
    return factories.user(ctx.session, app_id=ctx.app_id, phone_number=number)
