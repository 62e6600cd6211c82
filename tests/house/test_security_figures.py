"""Does the README promise the limits that are in force? Each figure is compared with its place (OPS-07)."""

import pytest

from portal import clock
from portal.config import Settings
from portal.core import code_sprays, limits
from portal.core.limits import DEFAULT
from portal.models import App
from portal.services import app_changes, sessions, test_allowance
from portal.services.attempt_tallies import ALLOWED, Tried
from portal.services.source_limits import Budget
from tests.house.conftest import ROOT

README = (ROOT / "README.md").read_text(encoding="utf-8")
SECURITY = README[README.index("\n## Security\n") : README.index("\n## Words\n")]
_SPANS = {1: "minute", 60: "hour", 24 * 60: "day"}


def span(minutes: int) -> str:
    """A window as the README words it: an hour, in 10 minutes."""
    name = _SPANS.get(minutes)
    if name is None:
        return f"in {minutes} minutes"
    return f"{'an' if name == 'hour' else 'a'} {name}"


def of_source(budget: Budget) -> str:
    return f"{getattr(Settings(), budget.setting):,} {span(budget.window // 60)}"


def of_tries(tried: Tried) -> str:
    most, window = ALLOWED[tried]
    return f"{most} {span(window // clock.MINUTE)}"


def of_app(name: str) -> str:
    least, most, _unit = app_changes._LIMITS[name]
    return f"{App.__table__.c[name].default.arg}, or {least} to {most} as the app says"


def of_number() -> str:
    *first, last = [wait // limits.SECOND for wait in DEFAULT.waits_between_sends]
    waits = f"{', '.join(map(str, first))} and {last}"
    return f"{DEFAULT.sends_per_hour} an hour, {DEFAULT.sends_per_day} a day, after waits of {waits} seconds"


def of_spray() -> str:
    when = f"{code_sprays.FAILURES_OVER_PERCENT} % of {code_sprays.CHECKS_AT_LEAST} or more"
    window = code_sprays.WINDOW_S // 60
    return f"{code_sprays.CHECKS_A_MINUTE} a minute, once more than {when} within {window} minutes were wrong"


LIMITS = {
    "wrong codes for one code": of_app("guesses_allowed"),
    "wrong codes for one number in one app": f"{DEFAULT.failed_guesses_per_day} in 24 hours",
    "wrong codes from one source": of_source(Budget.WRONG_CODES),
    "codes checked in an app while it is sprayed": of_spray(),
    "SMS to one number in one app": of_number(),
    "SMS with one code": of_app("sends_allowed"),
    "sign-ups and changes of number from one source": of_source(Budget.SENDS),
    "API calls from one source": of_source(Budget.CALLS),
    "messages of one app that wait": f"{DEFAULT.most_waiting:,}",
    "wrong portal sign-ins from one source": of_source(Budget.SIGN_INS),
    "passwords typed for one address": of_tries(Tried.PASSWORD),
    "second factors typed for one account": of_tries(Tried.SECOND_FACTOR),
    "mailed links for a new password to one address": of_tries(Tried.RESET),
    "invites by one account": of_tries(Tried.INVITE),
    "numbers revealed by one person": f"{DEFAULT.reveals_per_hour} an hour",
    "numbers looked up by one person": (
        f"{DEFAULT.look_ups_per_hour} an hour, {DEFAULT.parts_told_per_hour} of them by hidden digits"
    ),
    "test SMS of one person": f"{test_allowance.TESTS_A_DAY} a day",
    "a fresh sign-in": f"{sessions.FRESH // clock.MINUTE} minutes",
}


def told() -> dict[str, str]:
    """The README's table of limits."""
    block = SECURITY[SECURITY.index("**Limits**") :].split("\n\n")[1]
    rows = [line.strip("| ").split(" | ") for line in block.splitlines()[2:]]
    return dict(rows)


@pytest.mark.parametrize("name", LIMITS)
def test_ops_07_each_limit_is_documented_as_it_is(name):
    assert told()[name] == LIMITS[name]


def test_ops_07_no_limit_is_documented_that_is_not_compared_here():
    assert set(told()) == set(LIMITS)


def test_ops_07_every_budget_and_every_tally_has_its_row():
    assert {of_source(budget) for budget in Budget} <= set(LIMITS.values())
    assert {of_tries(tried) for tried in Tried} <= set(LIMITS.values())


def test_ops_07_sessions_end_as_documented():
    idle, longest = sessions.IDLE // clock.MINUTE, sessions.LONGEST // clock.HOUR
    assert f"{idle} minutes unused, {longest} hours" in SECURITY


@pytest.mark.parametrize(
    "part", ["**Promises.**", "**Ways in**", "**Limits**", "**Who attacks", "**Reporting.**"]
)
def test_ops_07_the_section_has_its_parts(part):
    assert part in SECURITY
