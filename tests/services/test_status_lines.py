"""An app's pages say that a person is needed exactly while one is, and the worst first."""

import pytest
from sqlalchemy import event

from portal.core.alarms import AlarmName, Level
from portal.models import App
from portal.services import app_modes, status_lines
from tests import factories


@pytest.fixture
def live(desk, session):
    """The desk's app, live by its own carriers."""
    app = session.get(App, desk.app_id)
    app.mode, app.provider = "live", app_modes.OWN_CARRIERS
    session.flush()
    return app


@pytest.fixture
def put(session, desk):
    """`put(label)` is one more carrier."""
    return lambda label, **columns: factories.provider(session, app_id=desk.app_id, label=label, **columns)


def told(session, app) -> list[tuple[str, bool, str | None, str | None]]:
    found = status_lines.of(session, session.get(App, app.id))
    return [(each.name, each.is_bad, each.provider, each.instead) for each in found]


def test_nothing_is_said_while_all_is_well(session, live, put):
    put("Tea", failures_in_row=2)
    put("Off", is_on=False, paused_until=1)

    assert told(session, live) == []


def test_a_live_app_without_a_carrier_that_is_on_says_so(session, live, put):
    put("Tea", is_on=False)

    assert told(session, live) == [("no_provider", True, None, None)]


@pytest.mark.parametrize(("mode", "provider"), [("sandbox", "inbox"), ("live", "console")])
def test_an_app_that_is_only_tried_out_lacks_no_carrier(session, live, mode, provider):
    live.mode, live.provider = mode, provider
    session.flush()

    assert told(session, live) == []


def test_a_paused_carrier_is_named_with_the_one_that_takes_over(session, live, put):
    put("Tea", paused_until=1, failures_in_row=5)
    assert told(session, live) == [("provider_paused", True, "Tea", None)]
    put("Coffee")
    assert told(session, live) == [("provider_paused", False, "Tea", "Coffee")]


@pytest.mark.parametrize(
    ("failures", "reason", "cause"),
    [
        (1, "provider_account_refused", "refused"),
        (7, "provider_account_refused", "refused"),
        (5, "provider_unreachable", "again"),
        # It asked for a rest, and so was paused at once.
        (1, "provider_in_trouble", "failed"),
        (0, None, "failed"),
    ],
)
def test_del_06_why_a_carrier_is_paused_is_told_as_it_was(session, live, put, failures, reason, cause):
    put("Tea", paused_until=1, failures_in_row=failures, last_failure_reason=reason)
    [alone] = status_lines.of(session, session.get(App, live.id))
    put("Coffee", paused_until=1)
    both = status_lines.of(session, session.get(App, live.id))

    assert (alone.cause, alone.is_alone) == (cause, True)
    assert [each.is_alone for each in both] == [False, False]


def test_a_sandbox_says_nothing_of_its_carriers(session, live, put):
    put("Tea", paused_until=1)
    live.mode, live.provider = "sandbox", "inbox"
    session.flush()

    assert told(session, live) == []


def test_ops_02_alarms_of_everybody_are_told_the_worst_first_and_no_others(session, live, put):
    put("Tea", paused_until=1)
    put("Coffee")
    for name, level, about in (
        (AlarmName.BACKLOG, Level.WARN, ""),
        (AlarmName.WORKER_STALLED, Level.WARN, ""),
        (AlarmName.WORKER_DEAD, Level.OVER, ""),
        (AlarmName.JOB_FAILED, Level.PAGE, "lapse"),
        (AlarmName.PROVIDER_PAUSED, Level.WARN, "of another app"),
    ):
        factories.alarm(session, name=name, level=level, about=about)

    assert [name for name, *_ in told(session, live)] == ["worker_stalled", "backlog", "provider_paused"]


def test_del_08_what_was_set_aside_is_told_in_its_own_app_alone(session, live, put):
    put("Tea")
    for about in (live.id, factories.provider(session).app_id):
        factories.alarm(session, name=AlarmName.MESSAGES_DEAD, level=Level.WARN, about=about)

    assert told(session, live) == [("messages_dead", False, None, None)]


def test_ten_04_the_carriers_of_another_app_are_nobody_elses_trouble(session, live, put):
    put("Tea")
    factories.provider(session, paused_until=1)

    assert told(session, live) == []


def test_it_takes_one_statement(session, live, put):
    put("Tea", paused_until=1)
    session.get(App, live.id)
    asked = []
    event.listen(session.get_bind(), "before_cursor_execute", lambda *given: asked.append(given[2]))
    status_lines.of(session, live)

    assert len(asked) == 1
