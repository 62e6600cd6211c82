"""Can a request lead a person, or a mail, to another host? (WEB-07, WEB-08)"""

import re
import time
from collections.abc import Iterator
from urllib.parse import quote

import pytest
from sqlalchemy import delete, update

from portal import clock
from portal.models import AccountSession, AttemptTally
from portal.services.tokens import hashed
from tests.walls.knocks import FORM, HTMX, Answer, raw
from tests.walls.servers import Site
from tests.walls.town import Browser, Town

EVIL = "evil.example"
TARGETS = [
    "//evil.example",
    "/\\evil.example",
    "\\\\evil.example",
    "\\/evil.example",
    "https:evil.example",
    "https:/evil.example",
    "https://evil.example",
    "/%09/evil.example",
    "/\t/evil.example",
    "/%2f%2fevil.example",
    "/%5cevil.example",
    "javascript:alert('evil.example')",
    "@evil.example",
    "evil.example.",
    "/apps\r\nLocation: https://evil.example",
    "/apps%0d%0aLocation:%20https://evil.example",
    "http:///evil.example",
    "/apps/../..//evil.example",
]
LEADS = ("location", "hx-redirect", "hx-location", "hx-push-url", "hx-replace-url", "refresh")


@pytest.fixture
def alice(town, enter) -> Browser:
    town.rows.execute(delete(AttemptTally))
    return enter(town.shop.owner)


def leads(answer: Answer) -> list[str]:
    """Where an answer sends the browser."""
    return [value for name, value in answer.headers if name.lower() in LEADS]


def is_own(target: str) -> bool:
    """Whether a browser stays here: a path with one slash, nothing that it may read as another one."""
    return bool(re.match(r"/(?![/\\])", target)) and not re.search(
        r"[\\\x00-\x20]|%5c|%2f|%0[0-9a-d]", target
    )


def make_old(town: Town, browser: Browser) -> None:
    """Eleven minutes after signing in."""
    row = AccountSession.key_hash == hashed(browser.key)
    old = clock.now() - 11 * clock.MINUTE
    town.rows.execute(update(AccountSession).where(row).values(confirmed_at=old))


def ways(town: Town, alice: Browser, nobody: Browser, target: str) -> Iterator[Answer]:
    """Every place where a request may name what to go on to."""
    typed = {"email": alice_of(town), "password": "correct horse battery staple", "next": target}
    yield nobody.get(f"/sign-in?next={quote(target, safe='')}")
    yield nobody.post("/sign-in", typed)
    yield nobody.post(f"/sign-in?next={quote(target, safe='')}", typed | {"next": ""})
    yield nobody.post("/theme", {"theme": "dark", "back": target})
    yield alice.post("/theme", {"theme": "dark", "back": target}, HTMX)
    yield alice.get(f"/confirm?next={quote(target, safe='')}")
    secret = f"/apps/{town.shop.app.id}/access-keys/secret"
    one_line = target.replace("\r\n", "").replace("\t", "")
    make_old(town, alice)
    yield alice.post(secret, {}, HTMX | {"HX-Current-URL": one_line})
    yield alice.post(secret, {}, HTMX | {"HX-Current-URL": f"http://{EVIL}{one_line}"})


def alice_of(town: Town) -> str:
    return town.shop.owner.email


@pytest.mark.parametrize("target", TARGETS)
def test_web_08_no_answer_leads_away(town, enter, alice, target):
    answers = list(ways(town, alice, enter(), target))
    found = [lead for answer in answers for lead in leads(answer)]

    assert len(found) >= 4
    assert [lead for lead in found if not is_own(lead) or EVIL in lead] == []


def test_web_08_an_own_page_is_led_to(town, enter, alice):
    own = f"/apps/{town.shop.app.id}/users"
    found = {lead for answer in ways(town, alice, enter(), own) for lead in leads(answer)}

    assert own in found


# --- Hosts (WEB-07) ----------------------------------------------------------------------------------------


def requests_naming(site: Site, method: str, path: str, rest: str) -> dict[str, bytes]:
    """The same request with the evil host in every place where a host can stand."""
    own = f"Host: {site.host}\r\n"
    heads = {
        "host": f"{method} {path} HTTP/1.1\r\nHost: {EVIL}\r\n",
        "host with our port": f"{method} {path} HTTP/1.1\r\nHost: {EVIL}:{site.port}\r\n",
        "host that begins like ours": f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1.{EVIL}\r\n",
        "host with a name before": f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1@{EVIL}\r\n",
        "double host": f"{method} {path} HTTP/1.1\r\n{own}Host: {EVIL}\r\n",
        "double host, evil first": f"{method} {path} HTTP/1.1\r\nHost: {EVIL}\r\n{own}",
        "absolute address": f"{method} http://{EVIL}{path} HTTP/1.1\r\n{own}",
        "x-forwarded-host": f"{method} {path} HTTP/1.1\r\n{own}X-Forwarded-Host: {EVIL}\r\n",
        "forwarded": f"{method} {path} HTTP/1.1\r\n{own}Forwarded: host={EVIL};proto=https\r\n",
        "x-host": f"{method} {path} HTTP/1.1\r\n{own}X-Host: {EVIL}\r\nX-Original-Host: {EVIL}\r\n",
        "x-original-url": f"{method} {path} HTTP/1.1\r\n{own}X-Original-URL: http://{EVIL}/\r\n",
    }
    return {name: (head + rest).encode() for name, head in heads.items()}


MUST_BE_REFUSED = {"host", "host with our port", "host that begins like ours", "host with a name before"}


def test_web_07_another_host_is_refused_or_says_nothing_and_no_mail_names_it(town, site, alice, enter):
    nobody, asked = enter(), 0
    body = f"csrf_token={nobody.csrf}&email={quote(alice_of(town))}"
    rest = f"Cookie: session={nobody.key}\r\nContent-Type: {FORM}\r\nConnection: close\r\n"
    rest += f"Content-Length: {len(body)}\r\n\r\n{body}"
    for name, request in requests_naming(site, "POST", "/password-reset", rest).items():
        town.rows.execute(delete(AttemptTally))
        answer = raw(site.port, request)
        assert answer.status in ((400,) if name in MUST_BE_REFUSED else (200, 400)), name
        assert EVIL not in answer.text, name
        asked += answer.status == 200
    time.sleep(0.2)
    links = re.findall(r"https?://\S+/password-reset/\S+", site.log.read_text(encoding="utf-8"))

    assert asked >= 3
    assert len(links) == asked
    assert {link.partition("/password-reset")[0] for link in links} == {f"http://{site.host}"}


def test_web_07_an_invite_names_the_configured_host(town, site, alice):
    path, seen = f"/apps/{town.shop.app.id}/team/invites", site.log.read_text(encoding="utf-8")
    values = {"email": "guest@elsewhere.example", "role": "support"}
    for header in ("X-Forwarded-Host", "Forwarded", "X-Host"):
        assert alice.post(path, values, {header: f"host={EVIL}"}).status == 303
    time.sleep(0.2)
    mails = site.log.read_text(encoding="utf-8").removeprefix(seen)

    assert len(re.findall(rf"http://{re.escape(site.host)}/invites/\S+", mails)) == 3
    assert EVIL not in mails


def test_web_07_no_page_takes_a_word_of_another_host(site, town, alice):
    for path in ("/sign-in", "/apps", "/", f"/apps/{town.shop.app.id}/access-keys", "/api/openapi.json"):
        rest = f"Cookie: session={alice.key}\r\nConnection: close\r\n\r\n"
        for name, request in requests_naming(site, "GET", path, rest).items():
            answer = raw(site.port, request)
            assert answer.status == 400 or name not in MUST_BE_REFUSED, (path, name)
            assert EVIL not in answer.text, (path, name)
            assert not [lead for lead in leads(answer) if EVIL in lead], (path, name)
