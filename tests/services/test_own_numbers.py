"""An account's own number is asked for, proven by a code, and shown to nobody else (TPL-05)."""

import pytest
from sqlalchemy import select

from portal import clock as portal_clock
from portal.core import code
from portal.core.reasons import Reason
from portal.errors import BadInput, CodeExpired, NothingToVerify, NotSupported, TooSoon, WrongCode
from portal.models import Account, ActorKind, App, AppMode, AuditAction, AuditEntry, Message, PhoneNumberLimit
from portal.services import own_numbers
from portal.services.context import Caller
from tests import factories
from tests.services.conftest import Desk
from tests.services.racing import race

MINE, OTHER, HOW_IT_IS_DIALLED = "+819012345678", "+819087654321", "090-1234-5678"
MINUTE = 60


class Alice:
    """Alice at a live app of hers: every verb is one transaction."""

    def __init__(self, desk: Desk, session) -> None:
        self.desk, self.session = desk, session
        self.id = factories.account(session).id
        self.caller = Caller(ActorKind.ACCOUNT, desk.app_id, self.id)
        self.go("live")

    def go(self, mode: str) -> None:
        self.desk.do(lambda ctx: setattr(self.app(ctx), "mode", AppMode(mode)))

    def app(self, ctx) -> App:
        return ctx.session.get_one(App, self.desk.app_id)

    def ask(self, number: str = MINE) -> None:
        self.desk.do(lambda ctx: own_numbers.ask(ctx, self.app(ctx), self.id, number), self.caller)

    def ask_again(self) -> None:
        self.desk.do(lambda ctx: own_numbers.ask_again(ctx, self.app(ctx), self.id), self.caller)

    def confirm(self, typed: str | None = None) -> None:
        digits = typed or self.code()
        self.desk.do(lambda ctx: own_numbers.confirm(ctx, self.id, digits), self.caller)

    def forget(self) -> None:
        self.desk.do(lambda ctx: own_numbers.forget(ctx, self.id), self.caller)

    def row(self) -> Account:
        return self.session.get(Account, self.id)

    def sms(self) -> Message:
        """The newest SMS to her."""
        newest = select(Message).where(Message.account_id == self.id).order_by(Message.serial.desc())
        return self.session.scalars(newest).first()

    def code(self) -> str:
        """What the newest SMS says, as the worker derives it."""
        values = self.sms().values
        key = self.desk.keys.codes[int(values["key_version"])]
        return code.derive(key, values["id"], 1, code.USUAL)

    def wrong_code(self) -> str:
        return str((int(self.code()) + 1) % 10**6).zfill(6)

    def number(self) -> str | None:
        return self.row().phone_number


@pytest.fixture
def alice(desk, session) -> Alice:
    return Alice(desk, session)


def test_a_number_is_asked_for_and_confirmed_by_the_code_in_its_sms(alice, clock):
    alice.ask(HOW_IT_IS_DIALLED)
    row, sms = alice.row(), alice.sms()
    assert (row.phone_number, row.confirmation_number) == (None, MINE)
    assert row.confirmation_expires_at == clock.at + 10 * portal_clock.MINUTE
    assert (sms.purpose, sms.phone_number, sms.user_id, sms.state) == ("own_number", MINE, None, "queued")
    assert sms.values == {"app_name": "Shop", "id": row.confirmation_id, "key_version": "1"}
    clock.advance(60)
    alice.confirm()
    row = alice.row()
    assert (row.phone_number, row.phone_number_confirmed_at) == (MINE, clock.at)
    assert (row.confirmation_id, row.confirmation_number, row.confirmation_expires_at) == (None, None, None)


def test_otp_11_the_code_is_taken_in_any_spelling_of_its_digits(alice):
    alice.ask()
    alice.confirm(f" {alice.code()[:3]}-{''.join(chr(0xFF10 + int(c)) for c in alice.code()[3:])}")
    assert alice.number() == MINE


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "There is no phone number"),
        ("call me", "letters"),
        ("+81312345678", "landline"),
        ("+491701234567", "DE is not open for this app"),
        ("+870773111632", "Satellite"),
    ],
)
def test_abu_04_only_a_mobile_number_of_an_open_country_is_asked_for(alice, text, words):
    with pytest.raises(BadInput, match=words):
        alice.ask(text)
    assert alice.sms() is None
    assert alice.row().confirmation_id is None


def test_tpl_05_a_sandbox_whose_phone_everybody_reads_proves_no_number(alice):
    alice.go("sandbox")
    with pytest.raises(NotSupported):
        alice.ask()
    assert alice.sms() is None


def test_a_new_code_ends_the_one_before_it(alice):
    alice.ask()
    old = alice.code()
    alice.ask_again()
    assert alice.code() != old
    with pytest.raises(WrongCode):
        alice.confirm(old)
    alice.confirm()
    assert alice.number() == MINE


def test_asking_for_another_number_leaves_the_confirmed_one_in_force_until_its_code_comes(alice):
    alice.ask()
    alice.confirm()
    alice.ask(OTHER)
    assert alice.number() == MINE
    alice.confirm()
    assert alice.number() == OTHER


def test_otp_02_a_code_ends_after_ten_minutes(alice, clock):
    alice.ask()
    clock.advance(10 * MINUTE)
    with pytest.raises(CodeExpired, match="too old"):
        alice.confirm()
    assert alice.number() is None


def test_otp_02_a_code_works_until_then(alice, clock):
    alice.ask()
    clock.advance(10 * MINUTE - 1)
    alice.confirm()
    assert alice.number() == MINE


def test_otp_04_the_fifth_wrong_code_is_the_end_of_it(alice):
    alice.ask()
    for words in ["Read it again"] * 4 + ["fifth time"]:
        with pytest.raises(WrongCode, match=words):
            alice.confirm(alice.wrong_code())
    with pytest.raises(CodeExpired, match="Too many"):
        alice.confirm()
    assert alice.number() is None
    alice.ask_again()
    alice.confirm()
    assert alice.number() == MINE


def test_otp_07_the_code_of_one_account_confirms_no_other(alice, desk, session):
    eve = Alice(desk, session)
    alice.ask()
    eve.ask()
    with pytest.raises(WrongCode):
        eve.confirm(alice.code())
    assert eve.number() is None


def test_without_a_question_there_is_nothing_to_confirm_and_nothing_to_repeat(alice):
    with pytest.raises(NothingToVerify):
        alice.confirm("123456")
    with pytest.raises(NothingToVerify):
        alice.ask_again()


def test_otp_03_a_code_works_once(alice):
    alice.ask()
    right = alice.code()
    alice.confirm(right)
    with pytest.raises(NothingToVerify):
        alice.confirm(right)


def test_forgetting_takes_away_what_is_confirmed_and_what_waits(alice):
    alice.ask()
    alice.confirm()
    alice.ask(OTHER)
    alice.forget()
    row = alice.row()
    assert (row.phone_number, row.phone_number_confirmed_at) == (None, None)
    with pytest.raises(NothingToVerify):
        alice.confirm()


def test_tpl_05_codes_to_ones_own_number_count_toward_the_five_of_a_day(alice, clock):
    for _ in range(5):
        alice.ask()
        clock.advance(MINUTE)
    with pytest.raises(TooSoon) as refused:
        alice.ask()
    assert refused.value.reason is Reason.TEST_DAILY_LIMIT
    assert refused.value.next_allowed_at == clock.at - 5 * portal_clock.MINUTE + portal_clock.DAY
    alice.confirm()
    assert alice.number() == MINE, "the refusal has ended no code"


def test_abu_01_it_touches_no_limit_of_the_number_itself(alice, desk):
    alice.ask()
    with pytest.raises(WrongCode):
        alice.confirm(alice.wrong_code())
    assert desk.rows(select(PhoneNumberLimit.number_hash)) == []


def test_pii_07_what_happened_is_on_record_without_the_number(alice, desk):
    alice.ask()
    alice.confirm()
    alice.forget()
    entries = desk.rows(select(AuditEntry).where(AuditEntry.actor_id == alice.id).order_by(AuditEntry.id))
    assert [entry.action for entry in entries] == [
        AuditAction.OWN_NUMBER_ASKED,
        AuditAction.OWN_NUMBER_CONFIRMED,
        AuditAction.OWN_NUMBER_FORGOTTEN,
    ]
    assert all(entry.details == {} for entry in entries)


# --- Everybody at once, under the real clock that other processes share ----------------------------


@pytest.fixture
def racer(transaction, keys, session) -> Alice:
    racer = Alice(Desk(transaction, keys), session)
    racer.ask()
    return racer


@pytest.mark.parametrize("processes", [1, 4])
def test_otp_03_fifty_right_codes_at_once_give_one_success(racer, settings, processes):
    calls = [("confirm_own_number", racer.id, racer.code())] * 50
    endings = race(settings, racer.desk.app_id, calls, processes)
    assert endings == {"done": 1, "NothingToVerify": 49}
    assert racer.number() == MINE


@pytest.mark.parametrize("processes", [1, 4])
def test_otp_04_sixty_wrong_codes_at_once_give_five_evaluated_guesses(racer, settings, processes):
    calls = [("confirm_own_number", racer.id, racer.wrong_code())] * 60
    endings = race(settings, racer.desk.app_id, calls, processes)
    assert endings == {"WrongCode": 5, "CodeExpired": 55}
    assert racer.row().confirmation_guesses == 5
    assert racer.number() is None


def test_tpl_05_twenty_questions_at_once_send_no_more_than_the_day_allows(racer, settings):
    calls = [("ask_for_own_number", racer.id, MINE)] * 20
    assert race(settings, racer.desk.app_id, calls, 4) == {"done": 4, "TooSoon": 16}
    assert len(racer.desk.messages(MINE)) == 5
