"""Is an open page up to date, and what came since? For lists that an open page asks for again and again."""

import hmac
from dataclasses import dataclass

from flask import current_app, request

from portal.services.walks import PAGE
from portal.web.filters import grouped
from portal.web.forms import serials


@dataclass(frozen=True, slots=True)
class Shown:
    """What an open page shows already: its newest row, and its oldest where it is known to go on below it.

    It is held while somebody reads further down; then nothing is put in above what they read.
    """

    newest: int
    oldest: int | None
    is_held: bool
    seen: str

    @classmethod
    def read(cls) -> "Shown":
        """What this request's address says of its page. Never fails."""
        newest = serials.read(request.args.get("newest")) or 0
        is_held = bool(newest) and request.args.get("held") == "yes"
        oldest = serials.read(request.args.get("oldest"))
        return cls(newest, oldest if is_held else None, is_held, request.args.get("seen", ""))


def stamp(*shown: object) -> str:
    """A short word that changes when what is shown does; the same in every process.

    Nobody without the server's key can try out which number a page would have to hold for it (PII-06).
    """
    key = str(current_app.secret_key).encode()
    return hmac.digest(key, repr(shown).encode("utf-8", "replace"), "sha256").hex()[:16]


def news(count: int, one: str, many: str) -> str:
    """`3 new messages` of count, noun and nouns; `50+ new messages` for more than a page; empty for none."""
    if not count:
        return ""
    return f"1 new {one}" if count == 1 else f"{grouped(min(count, PAGE))}{'+' * (count > PAGE)} new {many}"
