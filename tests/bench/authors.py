"""Authors who word SMS templates: each signs in, and asks for a preview with every pause in their typing."""

import http.client
import re
import secrets
import time
from collections.abc import Iterator
from urllib.parse import urlencode

from sqlalchemy import create_engine, insert

from portal.core.wordings import VERIFICATION
from portal.models import Account, Membership
from tests.bench.driver import request
from tests.bench.seed import APP_ID, PASSWORD

_EDITOR = f"/apps/{APP_ID}/sms-templates"
_TOKEN = re.compile(r'name="csrf_token" value="([^"]+)"')
_FORM = "application/x-www-form-urlencoded"


def add(url: str, count: int, password_hash: str) -> list[str]:
    """Owners of the app that is measured; their e-mail addresses."""
    emails = [f"author{at}-{secrets.token_hex(3)}@example.com" for at in range(count)]
    now = time.time_ns() // 1_000_000
    people = [
        {"id": secrets.token_hex(16), "email": email, "password": password_hash, "created_at": now}
        for email in emails
    ]
    roles = [
        {"app_id": APP_ID, "account_id": each["id"], "role": "owner", "created_at": now} for each in people
    ]
    engine = create_engine(url)
    with engine.begin() as connection:
        connection.execute(insert(Account), people)
        connection.execute(insert(Membership), roles)
    engine.dispose()
    return emails


def sign_in(port: int, email: str) -> dict[str, str]:
    """The headers of a signed-in author's htmx requests."""
    browser = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    cookie, token = _get(browser, "/sign-in", "")
    form = urlencode({"csrf_token": token, "email": email, "password": PASSWORD})
    browser.request("POST", "/sign-in", form, {"Content-Type": _FORM, "Cookie": cookie})
    answer = browser.getresponse()
    answer.read()
    if answer.status not in (302, 303):
        raise SystemExit(f"an author could not sign in: {answer.status}")
    cookie, token = _get(browser, f"{_EDITOR}/en", answer.headers["Set-Cookie"].partition(";")[0])
    browser.close()
    return {"Cookie": cookie, "X-CSRFToken": token, "HX-Request": "true", "Content-Type": _FORM}


def typing(authors: list[dict[str, str]]) -> Iterator[bytes]:
    """What all authors send, in turn and for ever: a wording that grows word by word, and is cut in two."""
    words = [
        *VERIFICATION["en"].split(" "),
        *VERIFICATION["ja"],
        *["and", "some", "more", "of", "it,", "with", "“quotes”", ""],
    ]
    at = 0
    while True:
        for headers in authors:
            at += 1
            body = urlencode({"body": " ".join(words[: 4 + at % (len(words) - 4)])}).encode()
            yield request("POST", f"{_EDITOR}/en/preview", headers, body)


def _get(browser: http.client.HTTPConnection, path: str, cookie: str) -> tuple[str, str]:
    browser.request("GET", path, headers={"Cookie": cookie} if cookie else {})
    answer = browser.getresponse()
    page = answer.read().decode()
    if answer.status != 200:
        raise SystemExit(f"{path} answered {answer.status}")
    found = _TOKEN.search(page)
    assert found is not None
    return (answer.headers["Set-Cookie"] or cookie).partition(";")[0], found[1]
