"""A verification moves only along the table, and nothing moves once it has ended."""

import itertools

import pytest

from portal.core import lifecycle
from portal.core.lifecycle import Event, ForbiddenMove, State, after

# Written out a second time on purpose: a slip in lifecycle.MOVES cannot hide behind itself.
FOLLOWS = {
    ("open", "right_code"): "verified",
    ("open", "wrong_code"): "open",
    ("open", "last_guess"): "exhausted",
    ("open", "resend"): "open",
    ("open", "reset"): "open",
    ("open", "expire"): "expired",
    ("open", "replace"): "replaced",
    ("open", "cancel"): "cancelled",
    ("open", "supersede"): "superseded",
}
STATES = ["open", "verified", "exhausted", "expired", "replaced", "cancelled", "superseded"]
EVENTS = [
    "right_code",
    "wrong_code",
    "last_guess",
    "resend",
    "reset",
    "expire",
    "replace",
    "cancel",
    "supersede",
]
PAIRS = list(itertools.product(STATES, EVENTS))


def test_these_are_all_states_and_all_events():
    assert [state.value for state in State] == STATES
    assert [event.value for event in Event] == EVENTS


@pytest.mark.parametrize(("state", "event"), [pair for pair in PAIRS if pair in FOLLOWS])
def test_an_allowed_event_leads_to_its_state(state, event):
    assert after(State(state), Event(event)) == FOLLOWS[state, event]


@pytest.mark.parametrize(("state", "event"), [pair for pair in PAIRS if pair not in FOLLOWS])
def test_otp_12_a_forbidden_event_is_refused_and_names_both(state, event):
    with pytest.raises(ForbiddenMove) as refused:
        after(State(state), Event(event))
    assert state in str(refused.value)
    assert event in str(refused.value)


def test_every_pair_is_either_allowed_or_forbidden():
    assert len(PAIRS) == 63
    assert {(str(state), str(event)) for state, event in lifecycle.MOVES} == set(FOLLOWS)


@pytest.mark.parametrize("state", STATES[1:])
def test_otp_03_an_ended_verification_never_moves_again(state):
    for event in EVENTS:
        with pytest.raises(ForbiddenMove):
            after(State(state), Event(event))


def test_the_only_way_to_verified_is_a_right_code_in_an_open_verification():
    ways = [pair for pair, end in lifecycle.MOVES.items() if end is State.VERIFIED]
    assert ways == [(State.OPEN, Event.RIGHT_CODE)]
