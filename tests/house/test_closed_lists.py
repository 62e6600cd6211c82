"""Are the closed lists whole? Refusals worded, audit actions recorded, moves of states decided."""

import inspect
import itertools
import re

import pytest

from portal import errors
from portal.api.errors import TABLE
from portal.core.lifecycle import Event, ForbiddenMove, State, after
from portal.core.reasons import Reason
from portal.core.roles import Action, Role, may
from portal.models import AuditAction
from portal.web.errors import WORDINGS
from tests.house.conftest import PORTAL, python_files

REFUSALS = [
    refusal
    for _, refusal in inspect.getmembers(errors, inspect.isclass)
    if issubclass(refusal, errors.Refusal)
]

# The contract's diagram (a.2), written out a second time: whatever is not here must not happen.
ALLOWED = {
    Event.RIGHT_CODE: State.VERIFIED,
    Event.WRONG_CODE: State.OPEN,
    Event.LAST_GUESS: State.EXHAUSTED,
    Event.RESEND: State.OPEN,
    Event.RESET: State.OPEN,
    Event.EXPIRE: State.EXPIRED,
    Event.REPLACE: State.REPLACED,
    Event.CANCEL: State.CANCELLED,
    Event.SUPERSEDE: State.SUPERSEDED,
}


@pytest.mark.parametrize("refusal", REFUSALS)
def test_every_refusal_has_a_line_of_its_own_at_both_doors(refusal):
    assert refusal in TABLE
    assert refusal in WORDINGS


def test_the_tree_of_refusals_is_drawn_as_it_is():
    drawn = re.findall(r"^[│├└─ ]*(\w+)", errors.__doc__.split("\n\n")[1], flags=re.MULTILINE)

    assert sorted(drawn) == sorted(refusal.__name__ for refusal in REFUSALS)


@pytest.mark.parametrize("refusal", REFUSALS)
def test_every_refusal_is_uttered_somewhere(refusal):
    below = [kind for kind in REFUSALS if refusal in kind.__mro__[1:]]

    assert below or _mentioned(
        rf"raise (errors\.)?{refusal.__name__}\b|\b{refusal.__name__}\(", but="errors.py"
    )


@pytest.mark.parametrize("action", AuditAction, ids=lambda action: action.value)
def test_every_audit_action_is_recorded_by_some_service(action):
    assert _mentioned(rf"\bAuditAction\.{action.name}\b", below="services")


@pytest.mark.parametrize("reason", Reason, ids=lambda reason: reason.value)
def test_every_reason_is_given_somewhere(reason):
    assert _mentioned(rf"\bReason\.{reason.name}\b", but="core/reasons.py")


@pytest.mark.parametrize(
    "listed",
    [*AuditAction, *Reason, *Action],
    ids=lambda member: f"{type(member).__name__}.{member.name}",
)
def test_every_member_of_a_closed_list_has_a_sentence(listed):
    assert re.match(r"[A-Z].{3,}", listed.sentence)
    assert listed.value == listed.name.lower() or "." in listed.value


@pytest.mark.parametrize(("state", "event"), [*itertools.product(State, Event)])
def test_every_state_either_allows_an_event_or_refuses_it(state, event):
    if state is State.OPEN:
        assert after(state, event) is ALLOWED[event]
    else:
        with pytest.raises(ForbiddenMove):
            after(state, event)


@pytest.mark.parametrize("action", Action)
def test_ten_05_a_stranger_may_do_nothing_and_an_owner_everything(action):
    assert may(Role.OWNER, action)
    assert not may(None, action)


def _mentioned(pattern, below="", but=""):
    files = [path for path in python_files(PORTAL / below) if not but or path != PORTAL / but]
    return any(re.search(pattern, path.read_text(encoding="utf-8")) for path in files)
