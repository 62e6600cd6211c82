"""Where in a list of users does the next page begin? Keys that an address can hold."""

import base64
import binascii
import json
from dataclasses import dataclass

from portal.errors import BadInput

RANKS = range(3)
_LARGEST = 2**62


@dataclass(frozen=True, slots=True)
class Place:
    """The last user of a page. `rank` (RANKS) is how well it fits; None when the list is walked by time."""

    created_at: int
    serial: int
    rank: int | None = None


def write(place: Place) -> str:
    """The key of the page that follows `place`."""
    text = json.dumps([place.created_at, place.serial, place.rank])
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def read(key: str | None) -> Place | None:
    """The place that a key names; None for the first page. Raises BadInput for a key that is not ours."""
    if not key:
        return None
    try:
        created_at, serial, rank = json.loads(base64.urlsafe_b64decode(key.encode() + b"==="))
    except (ValueError, TypeError, RecursionError, binascii.Error):
        raise _not_ours() from None
    if not (_is_number(created_at) and _is_number(serial) and (rank is None or rank in RANKS)):
        raise _not_ours()
    return Place(created_at, serial, rank)


def _is_number(value: object) -> bool:
    return type(value) is int and abs(value) < _LARGEST


def _not_ours() -> BadInput:
    return BadInput("after", "This page key is not one of ours. Start again from the first page.")
