"""A number is proven by its code, once, in time, and by nobody else."""

import pytest
from sqlalchemy import update

from portal.core.reasons import Reason
from portal.errors import (
    AlreadyExists,
    BadInput,
    CodeExpired,
    CodeNotFound,
    NothingToVerify,
    NotSupported,
    TooSoon,
    Unauthorized,
    WrongCode,
)
from portal.models import App
from portal.services import verifications

FIRST, SECOND, THIRD = "+819012345678", "+819087654321", "+818011112222"
DAY_S = 24 * 3600


def test_a_sign_up_waits_for_its_code_and_shows_no_pending_number(desk):
    alice = desk.register("alice", FIRST)
    assert desk.number(alice) == (FIRST, False, None)
    desk.confirm(alice, desk.code(alice))
    assert desk.number(alice) == (FIRST, True, None)


def test_a_change_keeps_the_old_number_until_the_new_one_is_proven(desk):
    alice = desk.verified("alice", FIRST)
    desk.change(alice, SECOND)
    assert desk.number(alice) == (FIRST, True, SECOND)
    desk.confirm(alice, desk.code(alice))
    assert desk.number(alice) == (SECOND, True, None)


def test_a_first_number_is_pending_until_it_is_proven(desk):
    alice = desk.register("alice", None)
    desk.change(alice, FIRST)
    assert desk.number(alice) == (None, False, FIRST)
    desk.confirm(alice, desk.code(alice))
    assert desk.number(alice) == (FIRST, True, None)


def test_a_change_while_unverified_kills_the_first_code(desk, clock):
    alice = desk.register("alice", FIRST)
    first_code = desk.code(alice)
    desk.change(alice, SECOND)
    assert desk.number(alice) == (FIRST, False, SECOND)
    if first_code != desk.code(alice):
        with pytest.raises(WrongCode):
            desk.confirm(alice, first_code)
    desk.confirm(alice, desk.code(alice))
    assert desk.number(alice) == (SECOND, True, None)


def test_a_newer_change_replaces_the_pending_number(desk):
    alice = desk.verified("alice", FIRST)
    desk.change(alice, SECOND)
    desk.change(alice, THIRD)
    assert desk.number(alice) == (FIRST, True, THIRD)
    assert [attempt.state for attempt in desk.attempts(alice)] == ["verified", "replaced", "open"]


def test_changing_back_to_the_number_in_force_cancels_and_sends_nothing(desk, clock):
    alice = desk.verified("alice", FIRST)
    clock.advance(1)
    desk.change(alice, SECOND)
    sent = len(desk.messages())
    desk.change(alice, FIRST)
    assert desk.number(alice) == (FIRST, True, None)
    assert desk.attempts(alice)[-1].state == "cancelled"
    assert len(desk.messages()) == sent
    with pytest.raises(NothingToVerify):
        desk.confirm(alice, "000000")


def test_going_back_to_the_unverified_number_of_the_sign_up_proves_that_one_again(desk, clock):
    alice = desk.register("alice", FIRST)
    desk.change(alice, SECOND)
    clock.advance(61)
    desk.change(alice, FIRST)
    assert desk.number(alice) == (FIRST, False, None)
    desk.confirm(alice, desk.code(alice))
    assert desk.number(alice) == (FIRST, True, None)


def test_asking_again_for_the_number_that_waits_is_a_resend(desk, clock):
    alice = desk.verified("alice", FIRST)
    desk.change(alice, SECOND)
    code = desk.code(alice)
    with pytest.raises(TooSoon):
        desk.change(alice, SECOND)
    clock.advance(60)
    desk.change(alice, SECOND)
    assert desk.code(alice) == code
    assert len(desk.attempts(alice)) == 2


def test_the_old_number_is_told_of_the_change_once_an_hour(desk, clock):
    alice = desk.verified("alice", FIRST)
    desk.change(alice, SECOND)
    desk.change(alice, THIRD)
    assert [message.purpose for message in desk.messages(FIRST)] == ["verification", "change_notice"]
    clock.advance(3601)
    desk.change(alice, SECOND)
    assert len(desk.messages(FIRST)) == 3


def test_nobody_is_told_when_the_owner_switched_that_off(desk):
    desk.set(notify_old_number=False)
    alice = desk.verified("alice", FIRST)
    desk.change(alice, SECOND)
    assert len(desk.messages(FIRST)) == 1


def test_a_pending_number_dies_after_a_day(desk, clock):
    alice = desk.verified("alice", FIRST)
    desk.change(alice, SECOND)
    clock.advance(DAY_S)
    assert desk.number(alice) == (FIRST, True, None)
    with pytest.raises(NothingToVerify):
        desk.resend(alice)


def test_lapsing_takes_due_pending_numbers_away_and_says_so(desk, clock):
    from portal.services import phone_numbers

    alice = desk.verified("alice", FIRST)
    desk.change(alice, SECOND)
    assert desk.do(phone_numbers.lapse_due) == 0
    clock.advance(DAY_S)
    assert desk.do(phone_numbers.lapse_due) == 1
    assert desk.user(alice).pending_phone_number is None
    with pytest.raises((NothingToVerify, CodeExpired)):
        desk.confirm(alice, desk.code(alice))


# --- Codes --------------------------------------------------------------------------------------------------


def test_otp_03_a_right_code_is_spent(desk):
    alice = desk.register("alice")
    code = desk.code(alice)
    desk.confirm(alice, code)
    with pytest.raises(NothingToVerify):
        desk.confirm(alice, code)


def test_otp_04_five_wrong_guesses_kill_a_verification_right_code_included(desk):
    alice = desk.register("alice")
    for _ in range(5):
        with pytest.raises(WrongCode):
            desk.confirm(alice, desk.wrong_code(alice))
    with pytest.raises(TooSoon) as refused:
        desk.confirm(alice, desk.code(alice))
    assert refused.value.reason is Reason.TOO_MANY_GUESSES
    assert desk.attempts(alice)[-1].state == "exhausted"


def test_otp_05_twenty_wrong_guesses_a_day_close_a_number_whatever_is_sent_between(desk, clock):
    alice = desk.register("alice")
    evaluated = 0
    for _ in range(6):
        for _ in range(5):
            try:
                desk.confirm(alice, desk.wrong_code(alice))
            except WrongCode:
                evaluated += 1
            except (TooSoon, CodeExpired):
                break
        clock.advance(601)
        if evaluated < 20:
            desk.resend(alice)
    with pytest.raises(TooSoon) as refused:
        desk.resend(alice)
    assert refused.value.reason is Reason.NUMBER_GUESS_LIMIT
    assert evaluated == 20
    clock.advance(DAY_S)
    desk.resend(alice)
    desk.confirm(alice, desk.code(alice))


def test_otp_05_a_right_code_forgives_earlier_wrong_ones(desk, clock):
    alice = desk.register("alice")
    for _ in range(4):
        with pytest.raises(WrongCode):
            desk.confirm(alice, desk.wrong_code(alice))
    desk.confirm(alice, desk.code(alice))
    desk.change(alice, SECOND)
    for _ in range(4):
        with pytest.raises(WrongCode):
            desk.confirm(alice, desk.wrong_code(alice))


def test_otp_02_a_code_dies_in_time_and_a_resend_makes_another(desk, clock):
    alice = desk.register("alice")
    code = desk.code(alice)
    clock.advance(595)
    desk_still_works = desk.attempts(alice)[-1].code_expires_at
    assert desk_still_works - clock.now() == 5_000
    clock.advance(7)
    with pytest.raises(CodeExpired):
        desk.confirm(alice, code)
    desk.resend(alice)
    assert [attempt.state for attempt in desk.attempts(alice)] == ["expired", "open"]
    desk.confirm(alice, desk.code(alice))


def test_otp_07_a_code_works_only_for_its_own_user(desk):
    alice, bob = desk.register("alice", FIRST), desk.register("bob", SECOND)
    code_of_alice, code_of_bob = desk.code(alice), desk.code(bob)
    assert code_of_alice != code_of_bob, "one in a million: run again"
    with pytest.raises(WrongCode):
        desk.confirm(bob, code_of_alice)
    desk.confirm(bob, code_of_bob)
    desk.confirm(alice, code_of_alice)


# --- Resend -------------------------------------------------------------------------------------------------


def test_otp_08_a_resend_keeps_the_code_its_end_and_the_guesses(desk, clock):
    alice = desk.register("alice")
    before = desk.attempts(alice)[-1]
    with pytest.raises(WrongCode):
        desk.confirm(alice, desk.wrong_code(alice))
    clock.advance(60)
    desk.resend(alice)
    after = desk.attempts(alice)[-1]
    assert (after.id, after.issue, after.code_expires_at) == (before.id, before.issue, before.code_expires_at)
    assert (after.guesses, after.sends) == (1, 2)


def test_abu_01_the_waits_between_sends_grow_and_the_fifth_is_the_last(desk, clock):
    alice = desk.register("alice")
    for wait in (60, 60, 120, 300):
        clock.advance(wait - 1)
        with pytest.raises(TooSoon) as refused:
            desk.resend(alice)
        assert refused.value.reason is Reason.RESEND_WAIT
        assert refused.value.next_allowed_at == clock.now() + 1000
        clock.advance(1)
        desk.resend(alice)
    with pytest.raises(TooSoon) as refused:
        desk.resend(alice)
    assert refused.value.reason is Reason.SENDS_USED_UP
    assert refused.value.next_allowed_at == desk.attempts(alice)[-1].code_expires_at
    assert len(desk.messages(FIRST)) == 5


def test_abu_01_ten_sends_an_hour_and_twenty_a_day_are_the_end_for_a_number(desk, clock):
    alice = desk.register("alice")
    sends, reasons = 1, set()
    for _ in range(3 * 60):
        clock.advance(60)
        try:
            desk.resend(alice)
            sends += 1
        except TooSoon as refused:
            reasons.add(refused.reason)
    assert sends == 20
    assert {Reason.NUMBER_HOURLY_LIMIT, Reason.NUMBER_DAILY_LIMIT} <= reasons


def test_abu_07_other_users_do_not_get_round_the_wait_of_a_number(desk, clock):
    desk.register("alice", FIRST)
    with pytest.raises(TooSoon):
        desk.register("bob", FIRST)
    clock.advance(60)
    desk.register("bob", FIRST)


def test_exhausting_the_guesses_does_not_shorten_the_wait(desk, clock):
    alice = desk.register("alice")
    for _ in range(5):
        with pytest.raises(WrongCode):
            desk.confirm(alice, desk.wrong_code(alice))
    with pytest.raises(TooSoon):
        desk.resend(alice)
    clock.advance(60)
    desk.resend(alice)
    desk.confirm(alice, desk.code(alice))


def test_a_verified_user_has_nothing_to_resend(desk):
    alice = desk.verified("alice", FIRST)
    with pytest.raises(NothingToVerify):
        desk.resend(alice)


# --- One number, several users ------------------------------------------------------------------------------


def test_otp_16_several_users_may_wait_for_a_number_and_the_first_to_prove_it_gets_it(desk, clock):
    alice = desk.verified("alice", SECOND)
    bob = desk.verified("bob", THIRD)
    desk.change(alice, FIRST)
    clock.advance(60)
    desk.change(bob, FIRST)
    desk.confirm(bob, desk.code(bob))
    assert desk.number(bob) == (FIRST, True, None)
    assert desk.number(alice) == (SECOND, True, None)
    assert desk.attempts(alice)[-1].state == "superseded"
    with pytest.raises(NothingToVerify):
        desk.confirm(alice, desk.code(alice))


def test_enu_01_a_taken_number_is_refused_only_after_its_code_came_back(desk, clock):
    desk.verified("alice", FIRST)
    clock.advance(60)
    charlie = desk.register("charlie", FIRST)
    with pytest.raises(AlreadyExists):
        desk.confirm(charlie, desk.code(charlie))
    assert desk.number(charlie) == (FIRST, False, None)


def test_otp_18_a_number_moves_to_its_new_holder_where_the_owner_wants_that(desk, clock):
    desk.set(number_taken="move")
    alice = desk.verified("alice", FIRST)
    clock.advance(60)
    bob = desk.register("bob", FIRST)
    desk.confirm(bob, desk.code(bob))
    assert desk.number(bob) == (FIRST, True, None)
    assert desk.number(alice) == (None, False, None)
    assert desk.user(alice).phone_number_superseded_at == clock.now()
    desk.change(alice, SECOND)
    desk.confirm(alice, desk.code(alice))
    assert desk.number(alice) == (SECOND, True, None)


def test_otp_12_nobody_takes_a_number_over_without_its_code_switch_or_not(desk):
    desk.set(number_taken="move")
    alice, charlie = desk.verified("alice", FIRST), desk.register("charlie", None)
    desk.set(phone_number_verification_required=False)
    with pytest.raises(AlreadyExists):
        desk.change(charlie, FIRST)
    with pytest.raises(AlreadyExists):
        desk.register("mallory", FIRST)
    assert desk.number(alice) == (FIRST, True, None)
    desk.change(charlie, FIRST, verified=True, admin=True)
    assert desk.number(charlie) == (FIRST, True, None)


def test_an_old_number_is_free_at_once_after_a_change(desk, clock):
    alice = desk.verified("alice", FIRST)
    desk.change(alice, SECOND)
    desk.confirm(alice, desk.code(alice))
    clock.advance(60)
    bob = desk.verified("bob", FIRST)
    assert desk.number(bob) == (FIRST, True, None)


# --- Switch, admins, countries ------------------------------------------------------------------------------


def test_with_the_switch_off_numbers_count_at_once(desk):
    desk.set(phone_number_verification_required=False)
    alice = desk.register("alice", FIRST)
    assert desk.number(alice) == (FIRST, True, None)
    desk.change(alice, SECOND)
    assert desk.number(alice) == (SECOND, True, None)
    with pytest.raises(AlreadyExists):
        desk.register("bob", SECOND)
    assert desk.messages() == []


def test_switching_off_leaves_waiting_numbers_as_they_are_and_their_codes_good(desk):
    alice = desk.register("alice", FIRST)
    desk.set(phone_number_verification_required=False)
    assert desk.number(alice) == (FIRST, False, None)
    desk.confirm(alice, desk.code(alice))
    assert desk.number(alice) == (FIRST, True, None)


def test_an_admin_may_vouch_for_a_number_and_a_user_may_not(desk):
    alice = desk.verified("alice", FIRST)
    desk.change(alice, SECOND)
    with pytest.raises(Unauthorized):
        desk.change(alice, SECOND, verified=True)
    desk.change(alice, SECOND, verified=True, admin=True)
    assert desk.number(alice) == (SECOND, True, None)
    with pytest.raises(NothingToVerify):
        desk.confirm(alice, desk.code(alice))


def test_a_reset_makes_another_code_and_kills_the_former(desk):
    alice = desk.register("alice")
    former = desk.code(alice)
    fresh = desk.do(lambda ctx: verifications.reset_code(ctx, alice))
    assert fresh == desk.code(alice) == desk.do(lambda ctx: verifications.read_code(ctx, alice))
    if former != fresh:
        with pytest.raises(WrongCode):
            desk.confirm(alice, former)
    desk.confirm(alice, fresh)
    with pytest.raises(CodeNotFound):
        desk.do(lambda ctx: verifications.read_code(ctx, alice))


def test_otp_10_codes_of_live_apps_are_read_by_nobody(desk):
    alice = desk.register("alice")
    desk.do(lambda ctx: ctx.session.execute(update(App).values(mode="live", provider="console")))
    for verb in (verifications.read_code, verifications.reset_code):
        with pytest.raises(NotSupported):
            desk.do(lambda ctx, verb=verb: verb(ctx, alice))


@pytest.mark.parametrize(
    ("number", "reason"),
    [
        ("+447400123456", Reason.COUNTRY_CLOSED),
        ("+81312345678", Reason.NOT_MOBILE),
        ("+81120123456", Reason.NOT_MOBILE),
    ],
)
def test_abu_04_abu_05_a_number_that_may_not_be_texted_is_refused_with_its_reason(desk, number, reason):
    with pytest.raises(BadInput) as refused:
        desk.register("alice", number)
    assert refused.value.reason is reason
    assert refused.value.field == "phoneNumber"
    assert desk.messages() == []


def test_abu_04_closing_a_country_stops_resends_too(desk, clock):
    alice = desk.register("alice")
    desk.set(open_countries=frozenset({"GB"}))
    clock.advance(60)
    with pytest.raises(BadInput):
        desk.resend(alice)


def test_ten_04_the_same_number_in_two_apps_is_two_things(desk, transaction, keys, clock):
    from tests.services.conftest import Desk

    other = Desk(transaction, keys)
    alice, same_alice = desk.register("alice", FIRST), other.register("alice", FIRST)
    for _ in range(5):
        with pytest.raises(WrongCode):
            desk.confirm(alice, desk.wrong_code(alice))
    other.confirm(same_alice, other.code(same_alice))
    assert other.number(same_alice) == (FIRST, True, None)
    assert desk.number(alice) == (FIRST, False, None)


def test_otp_04_what_could_be_no_code_is_refused_and_costs_no_guess(desk):
    alice = desk.register("alice", FIRST)
    for typed in ("12345", "1234567", "abcdef", "", "12345\u00b2") * 2:
        with pytest.raises(WrongCode, match="has 6 digits"):
            desk.confirm(alice, typed)
    desk.confirm(alice, desk.code(alice))
    assert desk.number(alice) == (FIRST, True, None)
