"""How is a template of a request filled? Each value is encoded for the place where it stands.

A template is read before anything is put into it: a URL by its parts, JSON as JSON, a form as a form. So no
value can end a string, begin a parameter or a header, or bring placeholders of its own.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

from portal.delivery.providers.base import WrongField

# What may stand in braces.
NAMES: Final = ("to", "to_digits", "from", "text", "reference", "receipts_url", "validity", "user", "secret")
KNOWN: Final = ", ".join(f"{{{name}}}" for name in NAMES)
JSON: Final = "application/json"
FORM: Final = "application/x-www-form-urlencoded"
_PLACEHOLDER: Final = re.compile(r"\{([A-Za-z_]*)\}")
_HEADER: Final = re.compile(r"([!#$%&'*+.^_`|~0-9A-Za-z-]{1,64}):[ \t]*(.*)")
# These are the connection's own, and never the template's.
_TAKEN: Final = {"host", "content-length", "transfer-encoding", "connection", "content-type", "upgrade"}
_MOST_HEADERS: Final = 20


@dataclass(frozen=True, slots=True)
class Templates:
    """The parts of a request, checked. Make one with `read`."""

    url: str = field(repr=False)
    headers: tuple[tuple[str, str], ...] = field(repr=False)
    content_type: str
    body: object = field(repr=False)

    def filled_url(self, values: Mapping[str, str]) -> str:
        """The URL, each value percent-encoded."""
        return _fill(self.url, {name: quote(value, safe="") for name, value in values.items()})

    def filled_headers(self, values: Mapping[str, str]) -> dict[str, str]:
        """The headers, by names in lower case; a value that no header can carry loses what it cannot."""
        plain = {name: re.sub(r"[^\x20-\x7e]", "", value) for name, value in values.items()}
        return {name: _fill(value, plain) for name, value in self.headers}

    def filled_body(self, values: Mapping[str, str]) -> bytes:
        """The body, as JSON or as a form; empty where there is none."""
        if self.content_type == JSON:
            return json.dumps(_fill_json(self.body, values), ensure_ascii=False).encode()
        assert isinstance(self.body, list)
        return urlencode([(name, _fill(value, values)) for name, value in self.body]).encode()


def read(url: str, headers: str, content_type: str, body: str) -> Templates:
    """Templates out of what somebody typed; `headers` has one a line. Raises WrongField."""
    _refuse_unknown("url", url)
    where = urlsplit(url)
    if "{" in where.scheme + where.netloc or not where.netloc:
        raise WrongField("url", "Placeholders may stand in the path and the query, not in the host.")
    found: object = []
    if body.strip():
        found = _read_json(body) if content_type == JSON else _read_form(body)
    return Templates(url, _read_headers(headers), content_type if body.strip() else FORM, found)


def _read_json(body: str) -> object:
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        raise WrongField("body", 'The body is no JSON. Placeholders stand in quotes: "{to}".') from None
    _refuse_unknown("body", json.dumps(list(_texts(found)), ensure_ascii=False))
    return found


def _read_form(body: str) -> list[tuple[str, str]]:
    try:
        found = parse_qsl(body.strip(), keep_blank_values=True, strict_parsing=True)
    except ValueError:
        raise WrongField("body", "The body is no form. It looks like to={to}&text={text}.") from None
    for _, value in found:
        _refuse_unknown("body", value)
    return found


def _read_headers(lines: str) -> tuple[tuple[str, str], ...]:
    found: list[tuple[str, str]] = []
    for line in filter(None, (each.strip() for each in lines.splitlines())):
        header = _HEADER.fullmatch(line)
        if header is None or not line.isascii() or header[1].lower() in _TAKEN:
            raise WrongField("headers", "One header a line, such as Authorization: Bearer {secret}.")
        _refuse_unknown("headers", header[2])
        if "{text}" in header[2]:
            raise WrongField("headers", "The text of the SMS cannot stand in a header.")
        found.append((header[1].lower(), header[2]))
    if len(found) > _MOST_HEADERS or len(dict(found)) < len(found):
        raise WrongField("headers", f"Each header once, and {_MOST_HEADERS} at most.")
    return tuple(found)


def _refuse_unknown(name: str, template: str) -> None:
    unknown = [each for each in _PLACEHOLDER.findall(template) if each not in NAMES]
    if unknown:
        raise WrongField(name, f"{{{unknown[0][:20]}}} is no placeholder. Known: {KNOWN}.")


def _texts(found: object) -> list[str]:
    if isinstance(found, dict):
        return [text for each in found.values() for text in _texts(each)]
    if isinstance(found, list):
        return [text for each in found for text in _texts(each)]
    return [found] if isinstance(found, str) else []


def _fill_json(found: object, values: Mapping[str, str]) -> object:
    if isinstance(found, dict):
        return {name: _fill_json(each, values) for name, each in found.items()}
    if isinstance(found, list):
        return [_fill_json(each, values) for each in found]
    if found == "{validity}":
        # Whoever takes seconds takes a number.
        return int(values["validity"])
    return _fill(found, values) if isinstance(found, str) else found


def _fill(template: str, values: Mapping[str, str]) -> str:
    # In one pass, so that braces in a value stay what they are.
    return _PLACEHOLDER.sub(lambda found: values[found[1]], template)
