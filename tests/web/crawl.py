"""How does one person see all there is? Follows every link, fragment and poll, and looks for secrets."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from html import unescape
from html.parser import HTMLParser
from urllib.parse import parse_qsl, unquote_plus, urlencode, urlsplit

from flask import Flask
from werkzeug.exceptions import MethodNotAllowed, NotFound
from werkzeug.routing import RequestRedirect
from werkzeug.test import TestResponse

from tests.web.conftest import Browser

# What a fragment goes to, as the pages' own htmx attributes name it.
TARGETS = {
    "users.index": ("results", "users_rows_1"),
    "messages.index": ("results", "live", "message_rows_1"),
    "audit_log.index": ("results", "live", "audit_rows_1"),
}
# Filters multiply, and what they leave out is no secret: each is tried by itself.
MOST_FILTERS = 1
# They say how far an open page has come, and are no filters.
PLACES = {"seen", "end", "newest", "oldest", "held", "under", "whole"}
ENDS_THE_SESSION = ("/sign-out", "/account/sign-ins/")
STARTS = ("/apps", "/account", "/confirm")
# Our own ids and stamps are hex. Their digits are nobody's number.
ID = re.compile(r"(?<![0-9A-Za-z])(?=[0-9-]*[a-f])[0-9a-f-]{12,36}(?![0-9A-Za-z])")
# Seven digits and more, up to three other characters between two of them.
RUN = re.compile(r"\d(?:[\W_]{0,3}\d){6,}")
SIX = re.compile(r"(?<!\d)\d{3}[ \-\u00a0]?\d{3}(?!\d)")
TAG = re.compile(r"<[^>]*>")
SHOWN_OF_A_NUMBER = 6


@dataclass
class Secrets:
    """What nobody may come across: numbers (E.164), codes, and words such as keys and texts of SMS."""

    numbers: set[str] = field(default_factory=set)
    codes: set[str] = field(default_factory=set)
    words: set[str] = field(default_factory=set)

    def in_text(self, text: str) -> set[str]:
        """Those that a text holds, as it stands or with its markup, escapes or percent signs taken away."""
        plain = unescape(text)
        found = set()
        for form in {text, plain, TAG.sub("", plain), unquote_plus(plain)}:
            found |= {word for word in self.words if word in form}
            bare = ID.sub(" ", form)
            found |= {code for code in _sixes(bare) if code in self.codes}
            found |= set(self._numbers_in(bare))
        return found

    def _numbers_in(self, text: str) -> Iterator[str]:
        stretches = {stretch: number for number in self.numbers for stretch in _stretches(number)}
        for run in RUN.finditer(text):
            digits = _digits(run[0])
            for at in range(len(digits) - SHOWN_OF_A_NUMBER):
                if number := stretches.get(digits[at : at + SHOWN_OF_A_NUMBER + 1]):
                    yield number


def _stretches(number: str) -> Iterator[str]:
    """Every seven digits of a Japanese or French number, as it is written abroad and at home."""
    length = SHOWN_OF_A_NUMBER + 1
    for written in (number[1:], f"0{number[3:]}"):
        yield from (written[at : at + length] for at in range(len(written) - length + 1))


def _sixes(text: str) -> set[str]:
    return {_digits(found[0]) for found in SIX.finditer(text)}


def _digits(text: str) -> str:
    return "".join(str(int(char)) for char in text if char.isdecimal())


@dataclass(frozen=True)
class Seen:
    """One answer: what was asked, by which endpoint it was given, and all of its text."""

    asked: str
    endpoint: str
    status: int
    text: str


class Crawl:
    """One person's walk. Every answer that was got is in `seen`."""

    def __init__(self, browser: Browser, app: Flask) -> None:
        self.browser, self.seen = browser, []
        self._map = app.url_map.bind("localhost")
        self._known: set[tuple] = set()
        self._waiting: list[str] = []
        self._token = ""

    @property
    def pages(self) -> set[str]:
        """The addresses that showed a page."""
        return {each.asked for each in self.seen if each.status == 200 and each.asked.startswith("GET ")}

    @property
    def endpoints(self) -> set[str]:
        """The endpoints that showed something, or said that nothing has changed."""
        return {each.endpoint for each in self.seen if each.status in (200, 204, 303)}

    @property
    def statuses(self) -> set[int]:
        """Every status that was met."""
        return {each.status for each in self.seen}

    def walk(self, *start: str, posts: bool = False, depth: int = 99) -> None:
        """Opens all that can be reached in `depth` steps, each as a page and as fragments.

        With `posts`, each form that is met is sent with nothing typed into it.
        """
        for address in start:
            self._meet(address)
        for _ in range(depth + 1):
            self._waiting, now = [], self._waiting
            for address in now:
                self._open(address, posts=posts)

    def _open(self, address: str, *, posts: bool) -> None:
        page = self.get(address)
        for target in TARGETS.get(self._endpoint(address, "GET"), ("",)):
            self.get(address, {"HX-Request": "true", "HX-Target": target})
        if posts:
            self._send_forms(page)

    def get(self, address: str, headers: dict[str, str] | None = None) -> TestResponse:
        """Opens an address, and notes what it leads to."""
        kind = f" {headers['HX-Target'] or 'htmx'}" if headers and "HX-Target" in headers else ""
        answer = self.note(f"GET {address}{kind}", self.browser.get(address, headers=headers or {}))
        if answer.mimetype == "text/html":
            found = _Links(answer.text)
            if headers is None:
                self._poll(found.polls)
            for link in [*found.links, *found.choices(), answer.headers.get("Location", "")]:
                self._meet(link)
        return answer

    def post(self, address: str, values: dict, headers: dict[str, str] | None = None) -> TestResponse:
        """Sends a form, and notes where it leads."""
        self._token = self._token or self.browser.token()
        sent = {"csrf_token": self._token} | values
        answer = self.note(f"POST {address}", self.browser.client.post(address, data=sent, headers=headers))
        self._meet(answer.headers.get("Location", ""))
        return answer

    def note(self, asked: str, answer: TestResponse) -> TestResponse:
        """Keeps an answer: its body, its headers and the address that was asked for."""
        method, address = asked.split(" ")[:2]
        headers = "\n".join(f"{name}: {value}" for name, value in answer.headers)
        text = f"{asked}\n{headers}\n\n{answer.text}"
        self.seen.append(Seen(asked, self._endpoint(address, method), answer.status_code, text))
        return answer

    def leaks(self, secrets: Secrets, except_at: Iterable[str] = ()) -> dict[str, set[str]]:
        """What was found, by what was asked; answers of the endpoints in `except_at` are not looked at."""
        looked_at = (each for each in self.seen if each.endpoint not in except_at)
        return {each.asked: found for each in looked_at if (found := secrets.in_text(each.text))}

    def _meet(self, link: str) -> None:
        place = urlsplit(unescape(link))
        arguments = parse_qsl(place.query)
        filters = [(name, value) for name, value in arguments if name not in PLACES]
        known = (place.path, frozenset(filters))
        if place.netloc or not place.path.startswith(STARTS) or len(filters) > MOST_FILTERS:
            return
        if known not in self._known:
            self._known.add(known)
            self._waiting.append(f"{place.path}?{place.query}" if place.query else place.path)

    def _poll(self, addresses: list[str]) -> None:
        """Asks as an open page does: while nothing has changed, and when everything has."""
        live = {"HX-Request": "true", "HX-Target": "live"}
        for address in addresses:
            self.get(address, live)
            self.get(re.sub(r"seen=[^&]*", "seen=old", address), live)

    def _send_forms(self, page: TestResponse) -> None:
        if page.mimetype != "text/html":
            return
        for form in _Links(page.text).forms:
            known = ("POST", form.action)
            if (
                form.method == "post"
                and known not in self._known
                and not form.action.startswith(ENDS_THE_SESSION)
            ):
                self._known.add(known)
                self.post(form.action, form.values)

    def _endpoint(self, address: str, method: str) -> str:
        try:
            return str(self._map.match(urlsplit(address).path, method)[0])
        except (NotFound, MethodNotAllowed, RequestRedirect):
            return ""


@dataclass
class _Form:
    method: str
    action: str
    values: dict[str, str] = field(default_factory=dict)
    options: list[tuple[str, str]] = field(default_factory=list)


class _Links(HTMLParser):
    """Where a page leads: its links, what htmx asks for, and its forms."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.polls: list[str] = []
        self.forms: list[_Form] = []
        self._select = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Notes what one element leads to."""
        values = {name: value or "" for name, value in attrs}
        self.links += [values[name] for name in ("href", "hx-get") if name in values]
        if "data-polls" in values:
            self.polls.append(values["hx-get"])
        if tag == "form":
            self.forms.append(_Form(values.get("method", "get").lower(), values.get("action", "")))
        elif tag == "input" and values.get("type") == "hidden" and self.forms:
            self.forms[-1].values[values["name"]] = values.get("value", "")
        elif tag == "select":
            self._select = values["name"]
        elif tag == "option" and self.forms and values.get("value"):
            self.forms[-1].options.append((self._select, values["value"]))

    def choices(self) -> Iterator[str]:
        """The addresses that forms by GET lead to: each option of each list by itself."""
        for form in self.forms:
            if form.method == "get" and form.action:
                for name, value in form.options:
                    yield f"{form.action}?{urlencode(form.values | {name: value})}"
