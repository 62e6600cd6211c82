"""How does a message without a user leave? A test with a made-up code, a code for an account's own number."""

import pytest
from sqlalchemy import select, update

from portal.core import code
from portal.core.reasons import Reason
from portal.delivery.providers.base import ProviderRefused, ProviderUnreachable
from portal.models import Account, ActorKind, App, AppMode, Message, PhoneNumberLimit
from portal.services import outbox, own_numbers, test_allowance, test_sends
from portal.services.context import Caller
from tests.delivery.conftest import Office

MINE, EXAMPLE = "+819011112222", "+819012345678"


class Asker:
    """Alice, who owns the shop and tests it."""

    def __init__(self, office: Office, account_id: str, context_for) -> None:
        self.office, self.id, self._context_for = office, account_id, context_for

    def do(self, verb):
        """One transaction of Alice's around `verb(ctx, app)`."""
        caller = Caller(ActorKind.ACCOUNT, self.office.app_id, self.id)
        with self.office.transaction() as session:
            return verb(self._context_for(session, caller), session.get_one(App, self.office.app_id))

    def send(self) -> None:
        self.do(lambda ctx, app: test_sends.send(ctx, app, self.id, "en"))

    def ask(self, number: str = MINE) -> None:
        self.do(lambda ctx, app: own_numbers.ask(ctx, app, self.id, number))

    def confirm(self, typed: str) -> None:
        self.do(lambda ctx, _app: own_numbers.confirm(ctx, self.id, typed))

    def go_live(self, number: str | None = MINE) -> None:
        self.do(lambda _ctx, app: setattr(app, "mode", AppMode.LIVE))
        self.has(number)

    def has(self, number: str | None) -> None:
        whose = update(Account).where(Account.id == self.id)
        self.do(lambda ctx, _app: ctx.session.execute(whose.values(phone_number=number)))

    def message(self) -> Message:
        newest = select(Message).where(Message.account_id == self.id).order_by(Message.serial.desc())
        return self.office.session.scalars(newest).first()

    def inbox(self) -> list[outbox.InboxMessage]:
        return self.do(lambda ctx, _app: outbox.inbox(ctx))


@pytest.fixture
def tester(office, alice, context_for) -> Asker:
    return Asker(office, alice.id, context_for)


def test_tpl_05_a_test_goes_to_the_owners_phone_with_a_made_up_code(office, tester):
    tester.go_live()
    tester.send()
    assert office.send() == 1
    [sms] = office.carrier.taken
    assert sms.to == MINE
    assert sms.text == "482913 is your Shop code. It is valid for 10 min. Never share it with anyone."
    message = tester.message()
    assert (message.state, message.issue, message.provider) == ("sent", None, "scripted")


def test_a_sandbox_shows_the_test_on_its_phone_and_says_that_the_code_is_no_live_one(office, tester):
    office.use("inbox")
    tester.send()
    office.send()
    [shown] = tester.inbox()
    assert shown.text.startswith("482913 is your Shop code.")
    assert (shown.user_id, shown.code_is_live, shown.phone_number) == (None, False, EXAMPLE)


def test_otp_10_a_test_never_carries_a_live_code_even_beside_one(office, tester):
    office.use("inbox")
    office.set(code_length=10)
    dora = office.sign_up()
    tester.send()
    assert office.send() == 2
    texts = [shown.text for shown in tester.inbox()]
    assert [office.code(dora) in text for text in texts] == [False, True]
    assert code.FAKE in texts[0]


def test_tpl_05_a_sandbox_test_rings_no_phone_when_the_app_goes_live_before_it_leaves(office, tester):
    office.use("inbox")
    tester.send()
    tester.go_live()
    office.use("scripted")
    office.send()
    assert office.carrier.tried == []
    assert (tester.message().state, tester.message().reason) == ("expired", Reason.NO_LONGER_NEEDED)


def test_tpl_05_a_number_that_was_given_up_meanwhile_gets_no_test(office, tester):
    tester.go_live()
    tester.send()
    tester.has("+819099998888")
    office.send()
    assert office.carrier.tried == []
    assert tester.message().reason == Reason.NO_LONGER_NEEDED


def test_abu_04_a_country_closed_meanwhile_gets_no_test(office, tester):
    tester.go_live()
    tester.send()
    office.set(open_countries=frozenset({"DE"}))
    office.send()
    assert office.carrier.tried == []
    assert (tester.message().state, tester.message().reason) == ("failed", Reason.COUNTRY_CLOSED)


def test_del_05_a_test_that_comes_late_is_not_sent(office, tester, clock):
    tester.go_live()
    tester.send()
    clock.advance(9 * 60 + 1)
    office.send()
    assert office.carrier.tried == []
    assert tester.message().reason == Reason.EXPIRED_BEFORE_SENDING


def test_del_06_a_test_is_tried_again_and_its_end_is_told(office, tester, clock):
    tester.go_live()
    office.carrier.script = [ProviderUnreachable(), ProviderRefused("Unknown subscriber", permanent=True)]
    tester.send()
    office.send()
    assert tester.message().state == "queued"
    clock.advance(3)
    office.send()
    assert (tester.message().state, tester.message().reason) == ("failed", Reason.PROVIDER_REFUSED)


def test_abu_01_a_test_that_fails_frees_no_slot_of_its_number_and_none_of_its_owner(office, tester):
    tester.go_live(EXAMPLE)
    office.sign_up("dora", EXAMPLE)
    office.send()
    before = office.sent_times(EXAMPLE)
    office.carrier.script = [ProviderRefused("No", permanent=True)] * 2
    tester.send()
    tester.ask()
    assert office.send() == 2
    assert office.sent_times(EXAMPLE) == before
    assert len(office.session.scalars(select(PhoneNumberLimit.number_hash)).all()) == 1
    left = tester.do(lambda ctx, _app: test_allowance.of(ctx.session, tester.id, ctx.now))
    assert left.left == 3


def test_the_code_in_the_sms_to_ones_own_number_is_the_one_that_confirms_it(office, tester):
    tester.go_live(None)
    tester.ask()
    office.send()
    [sms] = office.carrier.taken
    digits, _, rest = sms.text.partition(" ")
    assert rest == "confirms that test SMS of Shop may be sent to this number."
    assert len(digits) == 6
    tester.confirm(digits)
    assert office.session.get(Account, tester.id).phone_number == sms.to == MINE


def test_otp_08_the_code_of_an_older_question_is_not_sent_any_more(office, tester):
    tester.go_live(None)
    tester.ask()
    tester.ask("+819099998888")
    office.send()
    assert [sms.to for sms in office.carrier.tried] == ["+819099998888"]


def test_otp_10_no_sandbox_phone_ever_shows_a_code_for_somebodys_own_number(office, tester):
    tester.go_live(None)
    tester.ask()
    office.use("inbox")
    office.send()
    tester.do(lambda _ctx, app: setattr(app, "mode", AppMode.SANDBOX))
    assert tester.message().state == "delivered"
    assert tester.inbox() == []


def test_otp_09_no_stored_column_holds_the_code_for_ones_own_number(office, tester):
    tester.go_live(None)
    tester.ask()
    office.send()
    digits = office.carrier.taken[0].text[:6]
    rows = [tester.message(), office.session.get(Account, tester.id)]
    stored = " ".join(str(getattr(row, column.key)) for row in rows for column in row.__table__.columns)
    assert digits not in stored
