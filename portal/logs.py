"""What is written to the log? One JSON object a line, phone numbers masked (PII-02, PII-03)."""

import logging
import re
import sys
from collections.abc import Mapping, MutableMapping
from typing import Any

import structlog

_NUMBER = re.compile(r"\+?\(?\d[\d .()\-]{4,}\d")
_FEWEST_DIGITS = 7
# Our own ids and hashes are hex, and an operator has to be able to look them up; a number has no letters.
_ID = re.compile(r"(?=.*[a-f])[0-9a-f-]{16,64}")
_ADDRESS = re.compile(r"\d{1,3}(\.\d{1,3}){3}")


def configure(level: str) -> None:
    """Sends every log line, ours and the libraries', to standard error as masked JSON."""
    processors: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
        mask_numbers,
    ]
    structlog.configure(
        processors=[*processors, structlog.processors.JSONRenderer()],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=False,
    )
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=processors,
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            structlog.processors.JSONRenderer(),
        ],
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(formatter)
    # These would write down addresses with numbers and texts in them, and headers with credentials (PII-02).
    for talkative in ("httpx2", "httpcore2"):
        logging.getLogger(talkative).setLevel("CRITICAL")
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())


def mask_numbers(_logger: object, _method: str, line: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Leaves two digits of whatever looks like a phone number in a log line, however deep it stands."""
    for key, value in line.items():
        # What begins with an underscore is between structlog's own steps and is never printed.
        if key not in ("timestamp", "request_id") and not key.startswith("_"):
            line[key] = _masked(value)
    return line


def _masked_number(found: re.Match[str]) -> str:
    digits = [character for character in found.group() if character.isdecimal()]
    if len(digits) < _FEWEST_DIGITS or _ADDRESS.fullmatch(found.group()):
        return found.group()
    return f"…{''.join(digits[-2:])}"


def _masked(value: object) -> object:
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, str):
        return value if _ID.fullmatch(value) else _NUMBER.sub(_masked_number, value)
    if isinstance(value, Mapping):
        return {_masked(str(key)): _masked(each) for key, each in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_masked(each) for each in value]
    # The printer would take the repr of anything else, so its numbers are masked here.
    return _masked(repr(value))
