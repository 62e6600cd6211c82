"""What is known of somebody who was erased? Hashes, and nothing that could be read back (PII-05, PII-06)."""

import json
from dataclasses import dataclass
from typing import Any, Final

_IDS: Final = ("id", "app_id", "kind", "user_id")


class NoErasure(ValueError):
    """A line that tells of no erasure."""


@dataclass(frozen=True, slots=True)
class Erased:
    """One erasure: of a user, or (`kind` is `number`) of a number. `erased_at` is in Unix ms.

    `number_hashes` are spelled as core/number_hashes.py does it, each with the version of its key.
    """

    id: str
    app_id: str
    kind: str
    user_id: str | None
    number_hashes: tuple[str, ...]
    erased_at: int

    @property
    def is_of_number(self) -> bool:
        """Whether a number was erased, and not one user."""
        return self.kind == "number"


def write(erased: Erased) -> str:
    """The JSON line of an erasure, without its end."""
    told = {name: getattr(erased, name) for name in Erased.__slots__}
    return json.dumps(told, separators=(",", ":"))


def read(line: str) -> Erased:
    """The erasure that a JSON line tells of. Raises NoErasure."""
    try:
        told = json.loads(line)
    except ValueError as error:
        raise NoErasure("no JSON") from error
    if not isinstance(told, dict) or set(told) != set(Erased.__slots__) or not _is_whole(told):
        raise NoErasure("not an erasure")
    return Erased(**told | {"number_hashes": tuple(told["number_hashes"])})


def _is_whole(told: dict[str, Any]) -> bool:
    hashes = told["number_hashes"]
    return (
        told["kind"] in ("user", "number")
        and (told["kind"] == "user") == isinstance(told["user_id"], str)
        and all(told[name] is None or isinstance(told[name], str) for name in _IDS)
        and bool(told["id"] and told["app_id"])
        and isinstance(hashes, list)
        and all(isinstance(each, str) for each in hashes)
        and type(told["erased_at"]) is int
    )
