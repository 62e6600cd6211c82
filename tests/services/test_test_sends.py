"""A test goes to the sandbox inbox or the owner's own phone, five times a day, with no real code (TPL-05)."""

import pytest
from sqlalchemy import select, update

from portal import clock as portal_clock
from portal.core import code
from portal.core.reasons import Reason
from portal.errors import BadInput, NotFound, TooSoon
from portal.models import (
    Account,
    ActorKind,
    App,
    AppMode,
    AuditAction,
    AuditEntry,
    Message,
    MessagePurpose,
    PhoneNumberLimit,
)
from portal.services import (
    apps,
    outbox,
    own_numbers,
    retention,
    sms_templates,
    test_allowance,
    test_sends,
    users,
)
from portal.services.apps import NewApp
from portal.services.context import Caller
from tests import factories
from tests.services.conftest import Desk
from tests.services.racing import race

MINE, EXAMPLE = "+819011112222", "+819012345678"


class Owner:
    """An owner who tests; every verb is one transaction."""

    def __init__(self, desk: Desk, session) -> None:
        self.desk, self.session = desk, session
        self.id = factories.account(session).id
        self.caller = Caller(ActorKind.ACCOUNT, desk.app_id, self.id)

    def send(self, locale: str = "en", app_id: str = "") -> Message:
        app_id = app_id or self.desk.app_id
        caller = Caller(ActorKind.ACCOUNT, app_id, self.id)
        sent = self.desk.do(
            lambda ctx: test_sends.send(ctx, ctx.session.get_one(App, app_id), self.id, locale), caller
        )
        return self.session.scalars(select(Message).where(Message.id == sent)).one()

    def go_live(self, own_number: str | None = MINE) -> None:
        self.desk.do(lambda ctx: setattr(ctx.session.get_one(App, self.desk.app_id), "mode", AppMode.LIVE))
        self.has(own_number)

    def has(self, number: str | None) -> None:
        """Has confirmed a number of their own."""
        whose = update(Account).where(Account.id == self.id)
        self.desk.do(lambda ctx: ctx.session.execute(whose.values(phone_number=number)))

    def left(self) -> test_allowance.Allowance:
        return self.desk.do(lambda ctx: test_allowance.of(ctx.session, self.id, ctx.now))


@pytest.fixture
def owner(desk, session) -> Owner:
    return Owner(desk, session)


def test_a_sandbox_sends_to_the_example_number_of_its_home_country(owner):
    sent = owner.send()
    assert (sent.phone_number, sent.purpose, sent.user_id, sent.account_id) == (
        EXAMPLE,
        "test",
        None,
        owner.id,
    )
    assert (sent.verification_id, sent.issue, sent.state) == (None, None, "queued")


def test_tpl_05_a_live_app_sends_to_the_owners_own_number_and_to_no_other(owner):
    owner.go_live()
    assert owner.send().phone_number == MINE
    owner.has(None)
    with pytest.raises(BadInput, match="confirm your own number first"):
        owner.send()


def test_tpl_05_a_number_that_only_waits_for_its_code_gets_no_test(owner, desk, session):
    owner.go_live(None)
    live = session.get_one(App, desk.app_id)
    desk.do(lambda ctx: own_numbers.ask(ctx, live, owner.id, MINE), owner.caller)
    with pytest.raises(BadInput):
        owner.send()
    assert [message.purpose for message in desk.messages()] == ["own_number"]


def test_abu_04_a_country_that_is_closed_gets_no_test(owner, desk):
    owner.go_live("+491701234567")
    with pytest.raises(BadInput, match="DE is not open"):
        owner.send()
    desk.set(open_countries=frozenset({"JP", "DE"}))
    assert owner.send().phone_number == "+491701234567"


def test_a_place_without_mobile_numbers_says_so(owner, desk, session):
    session.execute(update(App).where(App.id == desk.app_id).values(home_country="TA"))
    with pytest.raises(BadInput, match="TA has no mobile numbers"):
        owner.send()


def test_tpl_05_it_sends_the_wording_in_force_with_the_apps_values_and_keeps_it(owner, desk):
    desk.set(code_length=8, code_life_s=300, web_domain="shop.example", web_autofill=True)
    desk.do(lambda ctx: sms_templates.save(ctx, "ja", "{app_name}、{code}、{minutes}分"))
    sent = owner.send("ja")
    desk.do(lambda ctx: sms_templates.save(ctx, "ja", "{code}"))
    desk.do(lambda ctx: ctx.session.execute(update(Message).values(state="delivered", provider="inbox")))
    [shown] = desk.do(lambda ctx: outbox.inbox(ctx))
    assert sent.locale == "ja"
    assert shown.text == f"Shop、{code.FAKE[:8]}、5分\n\n@shop.example #{code.FAKE[:8]}"
    assert (shown.user_id, shown.code_is_live) == (None, False)


@pytest.mark.parametrize("locale", ["fr", "en-GB"])
def test_a_locale_without_a_template_of_its_own_has_nothing_to_test(owner, locale):
    with pytest.raises(NotFound):
        owner.send(locale)


def test_tpl_05_the_sixth_test_of_a_day_is_refused_with_the_time_of_the_next(owner, clock):
    first = clock.at
    for left in (4, 3, 2, 1, 0):
        owner.send()
        assert owner.left().left == left
        clock.advance(60)
    with pytest.raises(TooSoon) as refused:
        owner.send()
    assert refused.value.reason is Reason.TEST_DAILY_LIMIT
    assert refused.value.next_allowed_at == owner.left().next_at == first + portal_clock.DAY


def test_tpl_05_the_day_rolls_on_and_frees_one_test_after_the_other(owner, clock):
    for _ in range(5):
        owner.send()
        clock.advance(60)
    clock.at = owner.left().next_at - 1
    with pytest.raises(TooSoon):
        owner.send()
    clock.at += 1
    owner.send()
    with pytest.raises(TooSoon):
        owner.send()


def test_tpl_05_the_five_are_counted_over_all_apps_of_an_account_and_apart_from_other_accounts(
    owner, desk, session
):
    other = desk.do(
        lambda ctx: apps.create(ctx, NewApp(name="Store", home_country="DE")), Caller(ActorKind.OPERATOR)
    )
    for app_id in (desk.app_id, other.app.id) * 2:
        owner.send(app_id=app_id)
    assert owner.send(app_id=other.app.id).phone_number == "+4915123456789"
    with pytest.raises(TooSoon):
        owner.send()
    assert Owner(desk, session).send().phone_number == EXAMPLE


def test_tpl_05_what_was_refused_counts_for_nothing(owner):
    owner.go_live(None)
    for _ in range(6):
        with pytest.raises(BadInput):
            owner.send()
    assert owner.left() == test_allowance.Allowance(5)


def test_abu_01_it_counts_toward_no_limit_of_the_number(owner, desk):
    owner.go_live(EXAMPLE)
    desk.register("dora", EXAMPLE)
    before = desk.rows(select(PhoneNumberLimit.sent_times))
    owner.send()
    assert desk.rows(select(PhoneNumberLimit.sent_times)) == before


def test_no_user_has_it_among_their_messages_even_one_who_holds_the_number(owner, desk):
    owner.go_live(EXAMPLE)
    dora = desk.verified("dora", EXAMPLE)
    owner.send()
    found = [message.purpose for message in desk.messages() if message.user_id == dora]
    assert found == ["verification"]
    desk.do(lambda ctx: users.delete(ctx, dora), desk.as_admin())
    assert [message.purpose for message in desk.messages()] == ["test"]


def test_pii_07_it_is_on_record_without_the_number(owner, desk):
    owner.send()
    wanted = select(AuditEntry).where(AuditEntry.action == AuditAction.TEST_SENT)
    [entry] = desk.rows(wanted)
    assert (entry.actor_id, entry.user_id, entry.details) == (owner.id, None, {"locale": "en"})


def test_the_newest_message_of_a_purpose_and_locale_is_found_for_its_account_only(
    owner, desk, session, clock
):
    desk.do(lambda ctx: sms_templates.save(ctx, "ja", "{code}"))
    english = owner.send("en")
    clock.advance(1)
    japanese = owner.send("ja")
    Owner(desk, session).send("ja")

    def latest(*wanted):
        found = desk.do(lambda ctx: test_sends.latest(ctx.session, desk.app_id, owner.id, *wanted))
        return found and found.id

    assert latest(MessagePurpose.TEST) == latest(MessagePurpose.TEST, "ja") == japanese.id
    assert latest(MessagePurpose.TEST, "en") == english.id
    assert latest(MessagePurpose.OWN_NUMBER) is None


def test_pii_04_tests_go_after_thirty_days_as_every_message(owner, desk, clock):
    owner.send()
    clock.advance(30 * 86_400)
    assert desk.do(retention.remove_old_messages) == 1
    assert desk.messages() == []


def test_tpl_05_twenty_tests_at_once_send_five(transaction, keys, session, settings):
    racer = Owner(Desk(transaction, keys), session)
    assert race(settings, racer.desk.app_id, [("send_test", racer.id, "en")] * 20, 4) == {
        "done": 5,
        "TooSoon": 15,
    }
    assert len(racer.desk.messages()) == 5
