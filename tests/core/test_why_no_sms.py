"""One answer to "why did I get no SMS?", whatever else is true as well."""

import re
from dataclasses import replace

import pytest

from portal.core import why_no_sms
from portal.core.alarms import STALL_WARNS_AFTER
from portal.core.lifecycle import State
from portal.core.limits import DAY, MINUTE, Refused
from portal.core.next_steps import WHAT_TO_DO
from portal.core.reasons import Reason
from portal.core.sms_facts import Code, Facts, RefusedSend, Sms, Stage
from portal.core.why_no_sms import ANSWERS, OF_ACCOUNTS, OF_SOURCES, explain

NOW = 1_800_000_000_000

LIVE = Code(state=State.OPEN, expires_at=NOW + 5 * MINUTE, is_for_waiting_number=True)
DEAD = replace(LIVE, expires_at=NOW - 1)
SENT = Sms(stage=Stage.SENT, put_down_at=NOW - 2 * MINUTE, due_at=NOW - 2 * MINUTE)
DELIVERED = replace(SENT, stage=Stage.DELIVERED)
QUEUED = replace(SENT, stage=Stage.WAITING, put_down_at=NOW - 1, due_at=NOW - 1)
FAILED = replace(SENT, stage=Stage.NOT_SENT, reason=Reason.PROVIDER_REFUSED, words="No such subscriber")
WAITS = Facts(now=NOW, code=LIVE, sms=SENT, country="Japan")
RESTS = Facts(now=NOW, waits=False)


def why(facts: Facts, **more: object) -> Reason:
    return explain(replace(facts, **more)).reason


def refused(reason: Reason, ago: int = 1_000, until: int | None = NOW + MINUTE) -> RefusedSend:
    return RefusedSend(reason=reason, at=NOW - ago, until=until)


# --- What is true of the user -----------------------------------------------------------------------------


def test_a_disabled_user_gets_none_whatever_else_is_so():
    assert why(WAITS, is_disabled=True, sms=FAILED) is Reason.USER_DISABLED


def test_a_user_without_a_number_gets_none():
    assert why(RESTS, has_number=False) is Reason.NO_PHONE_NUMBER
    assert why(RESTS, has_number=False, is_verifying=False) is Reason.NO_PHONE_NUMBER


def test_a_user_whose_number_moved_is_told_so():
    answer = explain(replace(RESTS, has_number=False, has_lost_number=True))
    assert (answer.reason, "new holder" in answer.sentence) == (Reason.NO_PHONE_NUMBER, True)


def test_with_nothing_waiting_none_is_due():
    assert why(RESTS) is Reason.NOTHING_TO_VERIFY
    assert why(RESTS, is_verifying=False) is Reason.VERIFICATION_OFF


def test_switching_off_stops_no_code_that_waits():
    assert why(WAITS, is_verifying=False) is Reason.SENT_NOT_CONFIRMED


def test_a_change_that_ran_out_is_said_to_have_lapsed():
    assert why(RESTS, has_lapsed=True) is Reason.CHANGE_LAPSED
    of_another = replace(DEAD, is_for_waiting_number=False)
    assert why(WAITS, has_lapsed=True, code=of_another) is Reason.CHANGE_LAPSED


def test_a_lapse_of_long_ago_explains_no_code_of_today():
    assert why(WAITS, has_lapsed=True, code=DEAD) is Reason.CODE_EXPIRED


def test_a_code_that_came_too_late_was_not_sent():
    dropped = replace(FAILED, reason=Reason.NO_LONGER_NEEDED, words="")
    assert why(RESTS, sms=dropped) is Reason.NO_LONGER_NEEDED
    assert why(RESTS, sms=replace(dropped, put_down_at=NOW - DAY)) is Reason.NOTHING_TO_VERIFY
    assert why(RESTS, sms=dropped, has_number=False) is Reason.NO_PHONE_NUMBER


@pytest.mark.parametrize("waits", [True, False])
def test_a_number_that_somebody_else_proved_is_said_to_be_gone(waits):
    gone = replace(LIVE, state=State.SUPERSEDED, ended_at=NOW - 1, is_for_waiting_number=waits)
    answer = explain(replace(WAITS, waits=waits, code=gone))
    assert (answer.reason, "somebody else" in answer.sentence) == (Reason.NO_LONGER_NEEDED, True)


# --- What the newest request met --------------------------------------------------------------------------


@pytest.mark.parametrize(
    "reason",
    [
        Reason.RESEND_WAIT,
        Reason.SENDS_USED_UP,
        Reason.NUMBER_HOURLY_LIMIT,
        Reason.NUMBER_DAILY_LIMIT,
        Reason.NUMBER_GUESS_LIMIT,
        Reason.TOO_MANY_GUESSES,
    ],
)
@pytest.mark.parametrize("facts", [WAITS, RESTS], ids=["waits", "rests"])
def test_a_request_that_met_a_limit_is_answered_by_it_until_it_ends(facts, reason):
    answer = explain(replace(facts, refused=refused(reason)))
    assert (answer.reason, answer.until) == (reason, NOW + MINUTE)
    assert why(facts, refused=refused(reason, until=NOW)) is not reason


def test_a_refused_country_is_named_for_a_day():
    closed = replace(refused(Reason.COUNTRY_CLOSED, until=None), country="France")
    assert explain(replace(RESTS, refused=closed)).sentence == (
        "Nothing was sent: France is not open for this app."
    )
    assert why(RESTS, refused=replace(closed, at=NOW - DAY)) is Reason.NOTHING_TO_VERIFY
    unnamed = explain(replace(RESTS, refused=replace(closed, country="")))
    assert unnamed.sentence == Reason.COUNTRY_CLOSED.sentence


def test_what_came_after_a_refusal_counts_for_more():
    old = refused(Reason.NUMBER_DAILY_LIMIT, ago=3 * MINUTE)
    assert why(WAITS, refused=old) is Reason.SENT_NOT_CONFIRMED
    assert why(RESTS, refused=refused(Reason.NOT_MOBILE, until=None), settled_at=NOW) is (
        Reason.NOTHING_TO_VERIFY
    )


@pytest.mark.parametrize("sms", [QUEUED, replace(QUEUED, stage=Stage.LEAVING, due_at=NOW + MINUTE)])
def test_who_asks_again_while_an_sms_is_stuck_is_told_about_that_sms(sms):
    again = refused(Reason.RESEND_WAIT, ago=0)
    assert why(WAITS, sms=sms, refused=again) is Reason.WAITING_TO_BE_SENT


def test_a_wait_ends_when_its_sms_fails():
    assert why(WAITS, sms=FAILED, refused=refused(Reason.RESEND_WAIT)) is Reason.PROVIDER_REFUSED
    assert why(WAITS, sms=FAILED, refused=refused(Reason.NUMBER_DAILY_LIMIT)) is Reason.NUMBER_DAILY_LIMIT


# --- What became of the newest SMS ------------------------------------------------------------------------


def test_an_sms_that_was_just_put_down_waits_to_be_sent():
    assert why(WAITS, sms=QUEUED) is Reason.WAITING_TO_BE_SENT


def test_the_worker_stands_still_once_an_sms_is_due_for_as_long_as_the_alarm_waits():
    due = NOW - STALL_WARNS_AFTER
    assert why(WAITS, sms=replace(QUEUED, due_at=due)) is Reason.WAITING_TO_BE_SENT
    answer = explain(replace(WAITS, sms=replace(QUEUED, due_at=due - 1)))
    assert (answer.reason, answer.until) == (Reason.WORKER_STALLED, due - 1)


def test_the_worker_stands_still_when_its_lease_has_lapsed():
    leaving = replace(QUEUED, stage=Stage.LEAVING, due_at=NOW)
    assert why(WAITS, sms=leaving) is Reason.WAITING_TO_BE_SENT
    assert why(WAITS, sms=replace(leaving, due_at=NOW - 1)) is Reason.WORKER_STALLED


@pytest.mark.parametrize("reason", [Reason.PROVIDER_UNREACHABLE, Reason.PROVIDER_REFUSED])
def test_a_failed_attempt_says_when_it_is_tried_again(reason):
    answer = explain(replace(WAITS, sms=replace(QUEUED, reason=reason, due_at=NOW + 9_000, words="Busy")))
    assert (answer.reason, answer.until, answer.words) == (reason, NOW + 9_000, "Busy")
    assert "tried again" in answer.then


@pytest.mark.parametrize(("sms", "reason"), [(SENT, "sent_not_confirmed"), (DELIVERED, "delivered")])
def test_an_sms_that_left_is_said_to_have_left_while_its_code_lives(sms, reason):
    assert why(WAITS, sms=sms) == reason
    assert why(WAITS, sms=sms, code=DEAD) is Reason.CODE_EXPIRED
    assert why(WAITS, sms=sms, code=replace(LIVE, state=State.EXPIRED)) is Reason.CODE_EXPIRED


IN_INBOX = replace(DELIVERED, is_in_inbox=True)


@pytest.mark.parametrize(
    ("code", "reason", "sentence"),
    [
        (LIVE, Reason.DELIVERED, "The SMS reached the app's Inbox."),
        (DEAD, Reason.CODE_EXPIRED, "The SMS reached the app's Inbox, and its code was not used in time."),
        (replace(DEAD, state=State.EXHAUSTED), Reason.TOO_MANY_GUESSES, Reason.TOO_MANY_GUESSES.sentence),
    ],
)
def test_of_a_sandbox_is_said_what_happened_and_that_no_phone_gets_anything(code, reason, sentence):
    answer = explain(replace(WAITS, is_sandbox=True, code=code, sms=IN_INBOX))
    assert (answer.reason, answer.sentence) == (reason, sentence)
    assert "no phone gets them" in answer.aside


def test_where_no_sms_is_due_it_does_not_matter_that_the_app_is_a_sandbox():
    assert explain(replace(RESTS, is_sandbox=True)).aside == ""
    assert explain(replace(RESTS, is_sandbox=True, has_lapsed=True)).aside != ""


def test_an_app_that_went_live_still_says_what_only_reached_its_inbox():
    answer = explain(replace(WAITS, sms=IN_INBOX))
    assert ("Inbox" in answer.sentence, answer.aside) == (True, "")
    assert answer.what_to_do == "The app has gone live since, and its Inbox is closed. Send the code again."


@pytest.mark.parametrize(
    "reason",
    [
        Reason.PROVIDER_REFUSED,
        Reason.PROVIDER_UNREACHABLE,
        Reason.PHONE_UNREACHABLE,
        Reason.NO_PROVIDER,
        Reason.RENDERING_FAILED,
        Reason.EXPIRED_BEFORE_SENDING,
        Reason.TOO_MANY_GUESSES,
        Reason.COUNTRY_CLOSED,
        Reason.NO_LONGER_NEEDED,
    ],
)
def test_an_sms_that_was_not_sent_says_why_with_the_words_of_the_provider(reason):
    answer = explain(replace(WAITS, sms=replace(FAILED, reason=reason)))
    assert (answer.reason, answer.words) == (
        reason,
        "" if reason is Reason.COUNTRY_CLOSED else "No such subscriber",
    )


def test_a_country_that_was_opened_since_is_not_asked_to_be_opened():
    assert (
        "opened since"
        in explain(replace(WAITS, sms=replace(FAILED, reason=Reason.COUNTRY_CLOSED))).what_to_do
    )


# --- What the number may get now --------------------------------------------------------------------------


@pytest.mark.parametrize("obstacle", [Reason.COUNTRY_CLOSED, Reason.NOT_MOBILE])
def test_a_number_that_may_not_be_texted_gets_nothing_unless_its_code_is_there_already(obstacle):
    assert why(WAITS, obstacle=obstacle, code=DEAD) is obstacle
    assert why(WAITS, obstacle=obstacle, sms=FAILED) is obstacle
    assert why(WAITS, obstacle=obstacle) is Reason.SENT_NOT_CONFIRMED


def test_a_closed_country_is_named():
    answer = explain(replace(WAITS, obstacle=Reason.COUNTRY_CLOSED, code=DEAD))
    assert answer.sentence == "Nothing was sent: Japan is not open for this app."
    assert "Verification" in answer.what_to_do


@pytest.mark.parametrize("reason", sorted(why_no_sms.NUMBER_LIMITS))
def test_a_dead_code_of_a_number_at_its_limit_is_explained_by_the_limit(reason):
    answer = explain(replace(WAITS, code=DEAD, limit=Refused(reason, NOW + DAY)))
    assert (answer.reason, answer.until) == (reason, NOW + DAY)


def test_too_many_guesses_say_when_the_next_code_is_possible():
    exhausted = replace(LIVE, state=State.EXHAUSTED)
    answer = explain(replace(WAITS, code=exhausted, limit=Refused(Reason.RESEND_WAIT, NOW + 30_000)))
    assert (answer.reason, answer.until) == (Reason.TOO_MANY_GUESSES, NOW + 30_000)


def test_an_answer_whose_next_step_is_an_sms_says_from_when_one_is_possible():
    wait = Refused(Reason.RESEND_WAIT, NOW + 30_000)
    assert explain(replace(WAITS, limit=wait)).until == NOW + 30_000
    assert explain(WAITS).until is None


def test_a_number_without_any_code_has_none_under_way():
    assert explain(replace(WAITS, code=None, sms=None)).sentence.startswith("No code is under way")


# --- The closed list --------------------------------------------------------------------------------------


def test_the_answers_are_all_reasons_but_those_of_accounts_and_each_has_a_next_step():
    assert set(WHAT_TO_DO) == ANSWERS == set(Reason) - OF_ACCOUNTS - OF_SOURCES
    assert {reason.value for reason in OF_ACCOUNTS} == {
        "test_daily_limit",
        "sign_in_limit",
        "invite_limit",
        "reveal_hourly_limit",
        "look_up_hourly_limit",
    }


@pytest.mark.parametrize("step", WHAT_TO_DO.values())
def test_a_next_step_is_one_or_two_calm_sentences(step):
    assert re.fullmatch(r"[A-Z][^!_]*\.", step)
    assert step.count(". ") <= 1
