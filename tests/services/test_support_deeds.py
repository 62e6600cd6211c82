"""What may support do to a user, what does it leave on record, what does it never lift? (TEN-05, TEN-08)"""

import re

import pytest
from sqlalchemy import select

from portal.core import deed_stamps
from portal.core.deeds import Deed
from portal.core.reasons import Reason
from portal.errors import (
    BadInput,
    NotFound,
    NothingToVerify,
    NotSupported,
    Overtaken,
    Refusal,
    TooSoon,
    WrongCode,
)
from portal.models import AuditEntry, BearerToken, NumberTaken
from portal.services import confirmations, next_sends, support_deeds, support_facts, tokens, users
from portal.services.confirmations import Offer
from portal.services.context import Caller
from portal.services.support_deeds import Order
from tests.services.conftest import Desk

FIRST, SECOND, THIRD = "+819012345678", "+818087654321", "+819011112222"
WHY = "The user called and asked."
DAY_S = 24 * 3600


@pytest.fixture
def bob(desk) -> Caller:
    """Somebody of the desk."""
    return desk.owner("bob@example.com")


@pytest.fixture
def alice(desk, clock) -> str:
    """A user with a verified number, who may be texted again."""
    alice = desk.verified("alice", FIRST)
    clock.advance(60)
    return alice


@pytest.fixture
def changing(desk, alice) -> str:
    """Alice, whose second number waits for its code."""
    desk.change(alice, SECOND)
    return alice


def do(desk: Desk, caller: Caller, deed: Deed, user_id: str, **more: str):
    order = {"reason": WHY} | more
    return desk.do(lambda ctx: support_deeds.do(ctx, Order(deed, user_id, **order)), caller)


def refused_resend(desk: Desk, caller: Caller, user_id: str) -> TooSoon | None:
    """The limit that a resend runs into; None when the SMS was put down."""
    try:
        do(desk, caller, Deed.RESEND, user_id)
    except TooSoon as refusal:
        return refusal
    return None


def stamp(desk: Desk, user_id: str) -> str:
    """What a confirmation opened now would carry."""
    return desk.do(lambda ctx: deed_stamps.stamp(support_facts.of(ctx, user_id)))


def entries(desk: Desk, user_id: str) -> list[AuditEntry]:
    return desk.rows(select(AuditEntry).where(AuditEntry.user_id == user_id).order_by(AuditEntry.id))


def the_entry(desk: Desk, user_id: str, before: int) -> AuditEntry:
    """The one entry that came after the first so many."""
    [entry] = entries(desk, user_id)[before:]
    return entry


# --- Each deed ---------------------------------------------------------------------------------------------


def test_support_sends_the_live_code_again_unchanged(desk, bob, clock):
    alice = desk.register("alice", FIRST)
    code, known = desk.code(alice), len(entries(desk, alice))
    clock.advance(60)
    do(desk, bob, Deed.RESEND, alice)

    assert [attempt.sends for attempt in desk.attempts(alice)] == [2]
    assert desk.code(alice) == code
    assert len(desk.messages(FIRST)) == 2
    entry = the_entry(desk, alice, known)
    assert (entry.action, entry.reason, entry.actor_id) == ("code.resent", WHY, bob.id)
    masked = {"phone_number": "+81 ••• •••• 5678"}
    assert entry.details == {"before": masked | {"sends": 1}, "after": masked | {"sends": 2}}


def test_support_gets_a_new_code_sent_once_the_old_one_has_ended(desk, bob, clock):
    alice = desk.register("alice", FIRST)
    clock.advance(601)
    do(desk, bob, Deed.RESEND, alice)

    assert len(desk.attempts(alice)) == 2
    assert entries(desk, alice)[-1].details["before"]["sends"] == 0


def test_support_cancels_a_pending_change_and_its_code_dies(desk, bob, changing):
    code, known = desk.code(changing), len(entries(desk, changing))
    do(desk, bob, Deed.CANCEL_CHANGE, changing)

    assert desk.number(changing) == (FIRST, True, None)
    assert desk.attempts(changing)[-1].state == "cancelled"
    with pytest.raises(NothingToVerify):
        desk.confirm(changing, code)
    entry = the_entry(desk, changing, known)
    assert (entry.action, entry.reason) == ("number.change_cancelled", WHY)
    assert entry.details["before"]["pending_phone_number"] == "+81 ••• •••• 4321"
    assert entry.details["after"]["pending_phone_number"] is None


@pytest.mark.parametrize("pending", [True, False])
def test_an_owner_marks_the_waiting_number_as_verified(desk, bob, clock, pending):
    alice = desk.verified("alice", FIRST) if pending else desk.register("alice", SECOND)
    clock.advance(60)
    if pending:
        desk.change(alice, SECOND)
    code, known = desk.code(alice), len(entries(desk, alice))
    do(desk, bob, Deed.MARK_VERIFIED, alice)

    assert desk.number(alice) == (SECOND, True, None)
    assert desk.user(alice).phone_number_verified_at == clock.now()
    with pytest.raises(NothingToVerify):
        desk.confirm(alice, code)
    entry = the_entry(desk, alice, known)
    assert (entry.action, entry.reason) == ("number.marked_verified", WHY)
    assert entry.details["after"]["phone_number"] == "+81 ••• •••• 4321"


def test_the_others_who_waited_for_a_number_that_is_marked_wait_no_longer(desk, bob, clock, alice):
    charlie = desk.verified("charlie", THIRD)
    clock.advance(60)
    desk.change(charlie, SECOND)
    clock.advance(60)
    desk.change(alice, SECOND)
    do(desk, bob, Deed.MARK_VERIFIED, alice)

    assert desk.number(charlie) == (THIRD, True, None)
    assert desk.attempts(charlie)[-1].state == "superseded"


def test_a_number_that_somebody_holds_is_not_marked_where_the_first_holder_keeps_it(desk, bob, clock, alice):
    charlie = desk.register("charlie", FIRST)
    with pytest.raises(NotSupported, match="keeps it") as refused:
        do(desk, bob, Deed.MARK_VERIFIED, charlie)

    assert not re.search(r"\d{5}", refused.value.message)
    assert desk.number(alice) == (FIRST, True, None)
    assert desk.number(charlie) == (FIRST, False, None)


def test_a_number_that_somebody_holds_moves_where_the_app_lets_numbers_move(desk, bob, alice):
    desk.set(number_taken=NumberTaken.MOVE.value)
    charlie = desk.register("charlie", FIRST)
    do(desk, bob, Deed.MARK_VERIFIED, charlie)

    assert desk.number(charlie) == (FIRST, True, None)
    assert desk.number(alice) == (None, False, None)
    lost = entries(desk, alice)[-1]
    assert (lost.action, lost.actor_id, lost.reason) == ("number.lost", bob.id, WHY)


def test_a_number_lost_to_a_right_code_carries_no_reason(desk, clock, alice):
    desk.set(number_taken=NumberTaken.MOVE.value)
    desk.verified("charlie", FIRST)

    lost = entries(desk, alice)[-1]
    assert (lost.action, lost.reason) == ("number.lost", None)


def test_a_freed_number_is_verified_by_another_user_afterwards(desk, bob, clock, alice):
    desk.do(lambda ctx: tokens.issue_to_user(ctx, alice))
    known = len(entries(desk, alice))
    do(desk, bob, Deed.FREE_NUMBER, alice)

    assert desk.number(alice) == (None, False, None)
    assert desk.user(alice).phone_number_superseded_at == clock.now()
    assert len(desk.rows(select(BearerToken.token_hash).where(BearerToken.user_id == alice))) == 1
    entry = the_entry(desk, alice, known)
    assert (entry.action, entry.reason) == ("number.freed", WHY)
    assert entry.details["before"] == {
        "phone_number": "+81 ••• •••• 5678",
        "verified": True,
        "pending_phone_number": None,
    }
    clock.advance(60)
    assert desk.number(desk.verified("charlie", FIRST)) == (FIRST, True, None)


def test_an_unverified_number_is_freed_and_its_code_dies(desk, bob):
    alice = desk.register("alice", FIRST)
    code = desk.code(alice)
    do(desk, bob, Deed.FREE_NUMBER, alice)

    assert desk.number(alice) == (None, False, None)
    with pytest.raises(NothingToVerify):
        desk.confirm(alice, code)


def test_freeing_the_number_in_force_leaves_the_pending_one_and_its_code(desk, bob, changing):
    do(desk, bob, Deed.FREE_NUMBER, changing)
    assert desk.number(changing) == (None, False, SECOND)

    desk.confirm(changing, desk.code(changing))
    assert desk.number(changing) == (SECOND, True, None)


def test_disabling_ends_every_token_and_enabling_brings_none_back(desk, bob, alice):
    for _ in range(3):
        desk.do(lambda ctx: tokens.issue_to_user(ctx, alice))
    known = len(entries(desk, alice))
    assert do(desk, bob, Deed.DISABLE, alice).tokens == 3

    assert desk.user(alice).disabled
    entry = the_entry(desk, alice, known)
    assert (entry.action, entry.reason) == ("user.disabled", WHY)
    told = {"before": {"disabled": False, "tokens": 3}, "after": {"disabled": True, "tokens": 0}}
    assert entry.details == told
    do(desk, bob, Deed.ENABLE, alice)
    assert not desk.user(alice).disabled
    assert entries(desk, alice)[-1].details == {"before": {"disabled": True}, "after": {"disabled": False}}
    assert desk.rows(select(BearerToken.token_hash).where(BearerToken.user_id == alice)) == []


def test_ending_the_tokens_counts_those_that_were_good(desk, bob, clock, alice):
    old = desk.do(lambda ctx: tokens.issue_to_user(ctx, alice, ctx.now + 1000)).token
    clock.advance(2)
    token = desk.do(lambda ctx: tokens.issue_to_user(ctx, alice)).token
    known = len(entries(desk, alice))
    assert do(desk, bob, Deed.END_TOKENS, alice).tokens == 1

    for ended in (old, token):
        with pytest.raises(Refusal):
            desk.do(lambda ctx, it=ended: tokens.authenticate(ctx.session, desk.app_id, it, ctx.now))
    entry = the_entry(desk, alice, known)
    assert (entry.action, entry.details) == (
        "tokens.ended",
        {"before": {"tokens": 1}, "after": {"tokens": 0}},
    )


# --- What no deed lifts ------------------------------------------------------------------------------------


def test_ten_08_support_waits_between_sends_as_the_user_does(desk, bob, clock):
    alice = desk.register("alice", FIRST)
    with pytest.raises(TooSoon) as refused:
        do(desk, bob, Deed.RESEND, alice)

    assert (refused.value.reason, refused.value.next_allowed_at) == (Reason.RESEND_WAIT, clock.now() + 60_000)
    assert len(desk.messages(FIRST)) == 1


def test_ten_08_support_sends_no_more_than_the_cap_of_a_number_in_a_day(desk, bob, clock):
    alice = desk.register("alice", FIRST)
    sent = 1
    for _ in range(80):
        clock.advance(600)
        sent += refused_resend(desk, bob, alice) is None
    assert sent == len(desk.messages(FIRST)) == 20
    assert refused_resend(desk, bob, alice).reason is Reason.NUMBER_DAILY_LIMIT


def use_up_guesses(desk: Desk, bob: Caller, alice: str, clock, rounds: int) -> None:
    for _ in range(rounds):
        for _ in range(5):
            with pytest.raises(WrongCode):
                desk.confirm(alice, desk.wrong_code(alice))
        clock.advance(601)


def test_ten_08_no_deed_forgives_a_wrong_guess(desk, bob, clock):
    """OTP-05: twenty in a day, whatever support does in between."""
    alice = desk.register("alice", FIRST)
    for again in range(3):
        use_up_guesses(desk, bob, alice, clock, 1)
        if again < 2:
            do(desk, bob, Deed.RESEND, alice)
    do(desk, bob, Deed.MARK_VERIFIED, alice)
    do(desk, bob, Deed.FREE_NUMBER, alice)
    desk.change(alice, FIRST)
    use_up_guesses(desk, bob, alice, clock, 1)

    with pytest.raises(TooSoon) as refused:
        do(desk, bob, Deed.RESEND, alice)
    assert refused.value.reason is Reason.NUMBER_GUESS_LIMIT


def test_abu_04_support_texts_no_country_that_is_closed(desk, bob, clock):
    alice = desk.register("alice", FIRST)
    clock.advance(60)
    desk.set(open_countries=frozenset({"DE"}))

    with pytest.raises(BadInput, match="JP is not open"):
        do(desk, bob, Deed.RESEND, alice)


# --- What was shown must still be so -----------------------------------------------------------------------


@pytest.mark.parametrize("deed", [Deed.RESEND, Deed.CANCEL_CHANGE, Deed.MARK_VERIFIED])
def test_a_number_verified_while_the_confirmation_was_open_is_left_alone(desk, bob, clock, changing, deed):
    seen = stamp(desk, changing)
    desk.confirm(changing, desk.code(changing))
    clock.advance(60)
    known = len(entries(desk, changing))
    with pytest.raises(Overtaken, match="The pending number was verified meanwhile and is in force now"):
        do(desk, bob, deed, changing, seen=seen)

    assert desk.number(changing) == (SECOND, True, None)
    assert len(entries(desk, changing)) == known


@pytest.mark.parametrize("deed", [Deed.CANCEL_CHANGE, Deed.MARK_VERIFIED, Deed.RESEND])
def test_another_pending_number_than_the_one_that_was_shown_is_left_alone(desk, bob, clock, changing, deed):
    seen = stamp(desk, changing)
    clock.advance(60)
    desk.change(changing, THIRD)
    clock.advance(60)
    with pytest.raises(Overtaken, match="another change of number was started"):
        do(desk, bob, deed, changing, seen=seen)

    assert desk.number(changing) == (FIRST, True, THIRD)


def test_a_new_token_or_a_new_name_is_no_reason_to_look_again(desk, bob, changing):
    seen = stamp(desk, changing)
    desk.do(lambda ctx: tokens.issue_to_user(ctx, changing))
    desk.do(lambda ctx: users.change_email(ctx, changing, "new@example.com"))
    do(desk, bob, Deed.CANCEL_CHANGE, changing, seen=seen)

    assert desk.number(changing) == (FIRST, True, None)


def test_a_change_that_lapsed_is_not_cancelled_once_more(desk, bob, clock, changing):
    clock.advance(DAY_S)
    with pytest.raises(NotSupported, match="no pending change"):
        do(desk, bob, Deed.CANCEL_CHANGE, changing)


def test_what_makes_no_sense_is_refused_and_changes_nothing(desk, bob, alice):
    known = len(entries(desk, alice))
    for deed in (Deed.RESEND, Deed.CANCEL_CHANGE, Deed.MARK_VERIFIED, Deed.ENABLE, Deed.END_TOKENS):
        with pytest.raises(NotSupported):
            do(desk, bob, deed, alice)
    assert len(entries(desk, alice)) == known
    assert desk.number(alice) == (FIRST, True, None)


# --- The reason --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("deed", Deed)
@pytest.mark.parametrize("reason", ["", "no", "x" * 301, "two\nlines", "call 090-1234-5678"])
def test_ten_08_without_a_reason_that_can_be_kept_nothing_is_done(desk, bob, changing, deed, reason):
    known = len(entries(desk, changing))
    with pytest.raises(BadInput) as refused:
        do(desk, bob, deed, changing, reason=reason)

    assert refused.value.field == "reason"
    assert len(entries(desk, changing)) == known


def test_ten_02_a_user_of_another_app_is_not_there(desk, transaction, keys, alice):
    other = Desk(transaction, keys)
    stranger = other.owner("charlie@example.com")
    for deed in Deed:
        with pytest.raises(NotFound):
            do(other, stranger, deed, alice)
    assert desk.number(alice) == (FIRST, True, None)


# --- What the confirmation says beforehand -----------------------------------------------------------------


def test_the_confirmation_says_of_a_resend_what_the_resend_itself_says(desk, bob, clock):
    """Whatever happened before: the same limit, the same time, or none."""
    alice, seen = desk.register("alice", FIRST), set()
    for step in range(60):
        told = desk.do(lambda ctx: next_sends.of(ctx, alice))
        refused = refused_resend(desk, bob, alice)
        assert bool(told.refused) is bool(refused)
        if refused:
            assert (told.refused.reason, told.refused.until) == (refused.reason, refused.next_allowed_at)
            seen.add(refused.reason)
        if step % 7 == 3 and told.live:
            with pytest.raises((WrongCode, TooSoon)):
                desk.confirm(alice, desk.wrong_code(alice))
        clock.advance(37 if step % 3 else 400)
    assert {Reason.RESEND_WAIT, Reason.NUMBER_HOURLY_LIMIT} <= seen


def test_the_confirmation_of_a_resend_says_which_code_goes_out(desk, alice, clock, changing):
    told = desk.do(lambda ctx: confirmations.of(ctx, Deed.RESEND, changing))
    assert (told.next_send.number, told.next_send.live.sends, told.next_send.wording.locale) == (
        SECOND,
        1,
        "en",
    )
    clock.advance(601)
    assert desk.do(lambda ctx: next_sends.of(ctx, changing)).live is None
    desk.set(open_countries=frozenset({"DE"}))
    fault = desk.do(lambda ctx: next_sends.of(ctx, changing)).fault
    assert (fault.reason, fault.details["country"]) == (Reason.COUNTRY_CLOSED, "JP")


def test_nothing_is_said_of_an_sms_where_no_number_waits(desk, alice):
    assert desk.do(lambda ctx: next_sends.of(ctx, alice)) is None


def offers(desk: Desk, user_id: str) -> list[Offer]:
    return desk.do(lambda ctx: confirmations.offered(ctx, user_id))


def test_the_page_offers_what_makes_sense(desk, changing):
    assert [offer.deed for offer in offers(desk, changing)] == [
        Deed.RESEND,
        Deed.CANCEL_CHANGE,
        Deed.MARK_VERIFIED,
        Deed.FREE_NUMBER,
        Deed.DISABLE,
        Deed.ERASE,
    ]


def test_an_offer_says_what_a_resend_could_only_meet(desk, bob, clock):
    alice = desk.register("alice", FIRST)
    limit = offers(desk, alice)[0].limit
    assert (limit.reason, limit.until) == (Reason.RESEND_WAIT, clock.now() + 60_000)
    clock.advance(60)
    assert offers(desk, alice)[0] == Offer(Deed.RESEND)
    desk.set(open_countries=frozenset({"DE"}))
    assert offers(desk, alice)[0].fault.reason is Reason.COUNTRY_CLOSED
    do(desk, bob, Deed.DISABLE, alice)
    assert "Enable the user first" in offers(desk, alice)[0].obstacle


def test_an_offer_says_who_keeps_the_number(desk, alice):
    charlie = desk.register("charlie", FIRST)
    found = {offer.deed: offer.obstacle for offer in offers(desk, charlie)}
    assert "keeps it" in found[Deed.MARK_VERIFIED]


def test_a_disabled_user_is_not_texted(desk, bob, clock):
    alice = desk.register("alice", FIRST)
    do(desk, bob, Deed.DISABLE, alice)
    clock.advance(60)
    with pytest.raises(NotSupported, match="Enable the user first"):
        do(desk, bob, Deed.RESEND, alice)
