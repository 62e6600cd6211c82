"""Where did a chain of audit entries end when somebody outside wrote it down? (PII-07)"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from portal.core.audit_seals import Link

# What a worker logs once an hour for each chain.
LOGGED: Final = "audit_head"


class NoAnchor(Exception):
    """A text holds no head of a chain; the message says what is expected."""


@dataclass(frozen=True, slots=True)
class Anchor:
    """The end of one chain: the ID of its app, or `installation`, and the link that stood there.

    `sealed_at` is when it was sealed (Unix ms), where the anchor tells.
    """

    chain: str
    link: Link
    sealed_at: int | None = None


def read(text: str) -> list[Anchor]:
    """The anchors in what `portal audit head --json` printed, or in the log of a worker. Raises NoAnchor."""
    try:
        found = [_anchor(each) for each in _objects(text)]
    except (ValueError, KeyError, TypeError) as error:
        raise NoAnchor(
            "A head needs app, sequence and hash, as `portal audit head --json` prints."
        ) from error
    if not found:
        raise NoAnchor(f"There is no head in it: neither a JSON list nor a line of the log with {LOGGED}.")
    return found


def _objects(text: str) -> Iterator[dict[str, Any]]:
    if text.lstrip().startswith("["):
        yield from json.loads(text)
        return
    for line in text.splitlines():
        # A collected log holds other lines too, and perhaps some that are no JSON.
        if f'"{LOGGED}"' in line:
            yield json.loads(line)


def _anchor(found: dict[str, Any]) -> Anchor:
    at = found.get("sealedAt")
    link = Link(int(found["sequence"]), str(found["hash"]))
    return Anchor(str(found["app"]), link, None if at is None else int(at))
