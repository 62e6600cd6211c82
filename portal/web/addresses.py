"""What may stand in the varying parts of a page's address? Anything else is no page of ours, and a 404."""

from flask import Flask
from werkzeug.routing import BaseConverter

# Doors for machines, which share the address with the pages and nothing else.
_MACHINES = ("/api/", "/receipts/")


class _Id(BaseConverter):
    """An app's or a user's id. No NUL, no line end: PostgreSQL would refuse to be asked for them."""

    regex = "[0-9A-Za-z_-]{1,64}"


class _Locale(BaseConverter):
    """A locale tag as people may write it; core/locales.py knows which ones there are."""

    regex = "[0-9A-Za-z_-]{1,35}"


def is_page(path: str) -> bool:
    """Whether a path is one for people: machines get no page, no cookie, and no header for browsers."""
    return not path.startswith(_MACHINES)


def mount(app: Flask) -> None:
    """Makes the types known. Comes before the pages that use them."""
    app.url_map.converters["id"] = _Id
    app.url_map.converters["locale"] = _Locale
