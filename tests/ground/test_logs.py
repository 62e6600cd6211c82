"""A log is one JSON object a line, whatever is put into it, and never shows a whole phone number."""

import io
import json
import logging
import sys

import pytest
import structlog
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from portal import logs

NUMBERS = [
    "+819012345678",
    "819012345678",
    "+81 90-1234-5678",
    "090-1234-5678",
    "+447400123456",
    "8101234567",
]


@pytest.fixture(autouse=True)
def after() -> None:
    """Begins without the request of a test before, and leaves the loggers as they were."""
    structlog.contextvars.clear_contextvars()
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:], root.level = handlers, level
    structlog.reset_defaults()


@pytest.fixture
def lines(monkeypatch):
    """`lines()` is what was logged, each line read as JSON."""
    stream = io.StringIO()
    with monkeypatch.context() as patch:
        patch.setattr(sys, "stderr", stream)
        logs.configure("info")
    return lambda: [json.loads(line) for line in stream.getvalue().splitlines()]


def shows(line: dict, number: str) -> bool:
    """Whether a line shows more than the last two digits of a number."""
    digits = "".join(c for c in number if c.isdigit())
    text = "".join(c for c in json.dumps(line | {"timestamp": ""}, ensure_ascii=False) if c.isdigit())
    return digits[-3:] in text


def test_pii_03_every_event_is_one_json_object_with_time_and_level(lines):
    structlog.get_logger().info("message_sent", provider="inbox", attempts=2)
    logging.getLogger("waitress").warning("queue depth %s", 3)
    ours, theirs = lines()
    assert (ours["event"], ours["level"], ours["provider"], ours["attempts"]) == (
        "message_sent",
        "info",
        "inbox",
        2,
    )
    assert (theirs["event"], theirs["level"]) == ("queue depth 3", "warning")
    assert ours["timestamp"].endswith("Z")
    assert theirs["timestamp"].endswith("Z")


@pytest.mark.parametrize("number", NUMBERS)
def test_pii_02_numbers_are_masked_wherever_they_stand(lines, number):
    log, theirs = structlog.get_logger(), logging.getLogger("library")
    event = f"sent to {number}"
    log.info(event)
    log.info("sent", to=number)
    log.info("sent", values={"to": number, number: 1})
    log.info("sent", many=[{"to": [number]}], pair=(number, 1), unique={number})
    log.info("sent", error=ValueError(number), raw=number.encode())
    theirs.error("refused %s", number)
    theirs.error("refused %s", {"to": number})
    found = lines()
    assert len(found) == 7
    assert not [line for line in found if shows(line, number)]


def test_pii_02_numbers_in_tracebacks_are_masked(lines):
    try:
        raise RuntimeError("no route to +819012345678")
    except RuntimeError:
        structlog.get_logger().exception("failed")
        logging.getLogger("library").exception("failed too")
    found = lines()
    assert len(found) == 2
    assert all("RuntimeError" in line["exception"] for line in found)
    assert not [line for line in found if shows(line, "+819012345678")]


def test_pii_02_numbers_bound_to_a_request_are_masked(lines):
    with structlog.contextvars.bound_contextvars(caller="+819012345678"):
        structlog.get_logger().info("asked")
    (line,) = lines()
    assert line["caller"] == "…78"


def test_times_counts_and_short_numbers_stay_as_they_are(lines):
    structlog.get_logger().info(
        "done", status=200, took_ms=12.5, ok=True, nothing=None, port="8080", code=404
    )
    (line,) = lines()
    assert [line[key] for key in ("status", "took_ms", "ok", "nothing", "port")] == [
        200,
        12.5,
        True,
        None,
        "8080",
    ]
    assert line["timestamp"][:2] == "20"


@pytest.mark.parametrize(
    "hostile",
    [
        "a\nb",
        'x\r\n{"event": "forged"}',
        "\x1b[2J\x1b[31mred",
        "\u2028\u2029",
        "\x85\x0b\x0c",
        "\0",
        '"}\n{"',
        "\ud800",
        "\u202e",
        "\x7f\x9b31m",
    ],
)
def test_pii_03_nothing_in_a_value_makes_or_hides_a_line(capsys, hostile):
    logs.configure("info")
    structlog.get_logger().info(hostile, path=hostile, deep={hostile: [hostile]})
    logging.getLogger("library").warning("%s", hostile)
    written = capsys.readouterr().err
    assert len(written.split("\n")) == 3
    assert len(written.splitlines()) == 2
    assert all(character == "\n" or " " <= character <= "~" for character in written)
    assert [json.loads(line)["event"] for line in written.splitlines()] == [hostile] * 2


def test_lines_below_the_level_are_not_written(capsys):
    logs.configure("warning")
    structlog.get_logger().info("small talk")
    logging.getLogger("library").info("small talk")
    structlog.get_logger().warning("heed this")
    assert [json.loads(line)["event"] for line in capsys.readouterr().err.splitlines()] == ["heed this"]


def test_configuring_twice_writes_every_line_once(capsys):
    logs.configure("info")
    logs.configure("info")
    logging.getLogger("library").warning("once")
    assert len(capsys.readouterr().err.splitlines()) == 1


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    number=st.from_regex(r"\+?[1-9][0-9]{7,14}", fullmatch=True),
    around=st.text(st.characters(exclude_categories=["Nd", "Cs"]), max_size=10),
)
def test_pii_02_any_number_in_any_text_keeps_two_digits_at_most(number, around):
    line = logs.mask_numbers(None, "info", {"event": f"{around}{number}{around}", "deep": [{"to": number}]})
    assert number.lstrip("+")[:-2] not in line["event"]
    assert line["deep"] == [{"to": f"…{number[-2:]}"}]
