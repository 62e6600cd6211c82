"""Is there any place where support comes across a code, a text, a key or a number? All of them are opened."""

import csv
import dataclasses
import io
import json
import sys

import pytest
import structlog
from jinja2 import ChoiceLoader, DictLoader

from portal.core.limits import DEFAULT
from portal.core.provider_kinds import ProviderKind
from portal.core.roles import ALLOWED, Role
from portal.models import App
from portal.services import accounts, apps, providers
from portal.services.provider_details import Wanted
from tests.web.crawl import Crawl, Secrets
from tests.web.desk_lives import CANARY, NOTICE, NUMBERS, WHY, Lives

INBOX = "inbox.show"
CARRIER_SECRET, CARRIER_HOST = "kareja-9931-kareja", "https://kannel.example"
# Support may create apps of its own, and sees their keys there; that is another crawl.
FEWEST_PAGES = 120
A_WHOLE_NUMBER = NUMBERS["dora"]
AT_HOME = f"0{A_WHOLE_NUMBER[3:]}"
# How a slip might print a number: the parts are all of it, three groups, and seven digits within.
WRITTEN = ("{0}", "+81 {1}-{2}-{3}", "0{1}.{2}.{3}", "<b>{1}</b>{2}<wbr>{3}", "x{4}y")


def test_ten_05_pii_01_support_opens_everything_and_comes_across_no_code_text_key_or_number(
    bob_crawls, hidden, app, log
):
    bob_crawls.walk("/apps", "/confirm", posts=True)
    reached = bob_crawls.endpoints
    meet_every_trouble(bob_crawls, hidden.lives)

    assert pages_of(app, Role.SUPPORT) - reached == set()
    assert bob_crawls.leaks(hidden.from_support) == {}
    assert hidden.from_logs.in_text(log.getvalue()) == set()
    assert len(bob_crawls.pages) >= FEWEST_PAGES
    assert bob_crawls.statuses >= {200, 204, 303, 400, 403, 404, 405, 409, 413, 422, 429}


def test_pii_01_the_owner_comes_across_no_number_and_sees_codes_on_the_sandbox_phone_only(
    alice_crawls, hidden, app, log
):
    alice_crawls.walk("/apps", "/confirm")
    exported = [alice_crawls.post(f"/apps/{hidden.shop.id}/audit/export", {"format": kind}) for kind in FILES]

    assert alice_crawls.leaks(hidden.from_the_owner) == {}
    assert alice_crawls.leaks(hidden.codes, except_at=[INBOX]) == {}
    assert alice_crawls.leaks(hidden.codes) != {}
    assert pages_of(app, Role.OWNER) - alice_crawls.endpoints <= ONLY_SOMETIMES
    assert [len(rows) > 40 for rows in map(read_file, exported)] == [True, True]
    assert hidden.from_logs.in_text(log.getvalue()) == set()


def test_pii_02_a_number_in_an_address_is_not_repeated(bob_crawls, alice_crawls, stranger, hidden, app):
    numbers = Secrets(numbers=set(NUMBERS.values()))
    nobody = Crawl(stranger, app)
    found = []
    for crawl in (bob_crawls, alice_crawls, nobody):
        addresses = mistyped(hidden.shop.id)
        # Whoever is signed out is led back to where they were going, but for what was searched.
        for address in [
            each for each in addresses if crawl is not nobody or ("?" in each and "after" not in each)
        ]:
            answer = crawl.browser.get(address)
            said = answer.text + "".join(f"{name}: {value}\n" for name, value in answer.headers)
            found += [address] if numbers.in_text(said) else []
    assert found == [], found


@pytest.mark.parametrize("written", WRITTEN)
def test_the_crawl_would_find_a_number_on_a_page(bob_crawls, hidden, app, written):
    number = NUMBERS["dora"]
    parts = number, number[3:5], number[5:9], number[9:], number[4:11]
    plant(app, "users/_facts.html", f"<p>{written.format(*parts)}</p>")
    bob_crawls.walk(hidden.lives.page_of("dora"), depth=0)

    found = bob_crawls.leaks(hidden.from_support)
    assert number in found[f"GET {hidden.lives.page_of('dora')}"]


@pytest.mark.parametrize("where", ["users/_older.html", "messages/_rows.html", "errors/refusal.html"])
def test_the_crawl_would_find_a_code_in_a_fragment_or_on_an_error_page(bob_crawls, hidden, app, where):
    code = hidden.lives.code("dora")
    plant(app, where, f"<p>{code[:3]} {code[3:]}</p>")
    bob_crawls.walk(hidden.lives.page_of("dora"), "/apps/nothing", depth=1)

    assert {code} in bob_crawls.leaks(hidden.from_support).values()


def test_the_crawl_would_find_a_secret_in_a_header_an_address_or_the_log(bob_crawls, hidden, app, log):
    number, code = NUMBERS["dora"], hidden.lives.code("dora")
    bob_crawls.get(f"/apps/{hidden.shop.id}/users?q={number}")
    app.after_request_funcs[None].append(lambda answer: with_header(answer, hidden.shop.client_secret))
    bob_crawls.get("/apps")
    structlog.get_logger().info("slip", text=f"Your code is {code}.")

    first, second = (hidden.from_support.in_text(each.text) for each in bob_crawls.seen)
    assert number in first
    assert second == {hidden.shop.client_secret}
    assert hidden.from_logs.in_text(log.getvalue()) == {code}


# --- What is met -------------------------------------------------------------------------------------------

FILES = ("csv", "jsonl")
# A draft needs a second owner to wait for, and a key to be ended a second one of its kind; others test them.
ONLY_SOMETIMES = {"sms_template_drafts.show", "access_keys.ask_to_end"}


def pages_of(app, role: Role) -> set[str]:
    """The endpoints that open by GET for a role."""
    rules = [rule for rule in app.url_map.iter_rules() if "GET" in (rule.methods or ())]
    guards = {rule.endpoint: getattr(app.view_functions[rule.endpoint], "guard", None) for rule in rules}
    return {name for name, guard in guards.items() if guard == "signed_in" or guard in ALLOWED[role]}


def mistyped(app_id: str) -> list[str]:
    """Addresses that somebody made of a whole number."""
    users = f"/apps/{app_id}/users"
    found = [f"{users}?q={A_WHOLE_NUMBER.replace('+', '%2B')}", f"{users}?q={AT_HOME}", f"{users}/{AT_HOME}"]
    found += [f"/apps/{AT_HOME}", f"{users}?after={AT_HOME}"]
    found += [f"{users}/{AT_HOME}/reveal", f"{users}/{AT_HOME}/actions/resend", f"/apps/{AT_HOME}/users"]
    return [*found, f"/nowhere/{AT_HOME}", f"/nowhere?number={AT_HOME[:3]}-{AT_HOME[3:7]}-{AT_HOME[7:]}"]


def meet_every_trouble(crawl: Crawl, lives: Lives) -> None:
    """Everything that is refused: what support may not open or do, what is not there, what is too much."""
    here, dora = f"/apps/{lives.shop.id}", lives.page_of("dora")
    for page in (
        "/inbox",
        "/access-keys",
        "/sms-templates",
        "/sms-templates/ja",
        "/verification",
        "/sms-settings",
        "/provider",
        "/provider/new/twilio",
        "/provider/live",
    ):
        for headers in ({}, {"HX-Request": "true", "HX-Target": ""}):
            crawl.get(f"{here}{page}", headers)
    for page in (f"{here}/users/nobody", "/apps/nothing", f"{dora}/actions/nothing", "/nowhere"):
        crawl.get(page)
    crawl.note(f"DELETE {here}/users", crawl.browser.client.delete(f"{here}/users"))
    crawl.note(f"POST {here}/users", crawl.browser.client.post(f"{here}/users", data={"q": "dora"}))
    for deed in ("mark-verified", "disable"):
        crawl.post(f"{dora}/actions/{deed}", {"reason": WHY, "seen": "old"})
    crawl.post(f"{here}/audit/export", {"format": "csv"})
    crawl.post(f"{dora}/reveal", {"reason": "x" * 301})
    crawl.post(f"{here}/users", {"q": "x" * 70_000})
    look_up_everybody(crawl, lives)
    # The first one of the hour was among the lives; this one is too many.
    assert crawl.post(f"{dora}/reveal", {"reason": WHY}).status_code == 429


def look_up_everybody(crawl: Crawl, lives: Lives) -> None:
    """Types every number whole and in part, until the cap of the hour is met."""
    here = f"/apps/{lives.shop.id}/users"
    typing = {"HX-Request": "true", "HX-Trigger": "q"}
    typed = [NUMBERS[name] for name in ("dora", "dora2", "hugo", "liam", "jane")]
    parts = [part for number in typed for part in (number, f"0{number[3:]}", number[-7:], number[-4:])]
    for part in [*parts, "dora", "dora@example.com", "nobody"]:
        crawl.post(here, {"q": part}, typing)
        answer = crawl.post(here, {"q": part})
        if "Location" in answer.headers:
            crawl.get(answer.headers["Location"])
    assert crawl.statuses >= {429}


def read_file(answer) -> list:
    """The rows of an exported file."""
    if answer.mimetype == "text/csv":
        return list(csv.DictReader(io.StringIO(answer.text.removeprefix("\ufeff"))))
    return [json.loads(line) for line in answer.text.splitlines()]


def plant(app, template: str, text: str) -> None:
    """Lets a template end with a secret, as a slip of the pen would."""
    source = app.jinja_env.loader.get_source(app.jinja_env, template)[0]
    last = "{% endblock %}" if "{% block content -%}" in source else ""
    planted = source.replace("{%- endblock %}", text + "{%- endblock %}") if last else source + text
    app.jinja_env.loader = ChoiceLoader([DictLoader({template: planted}), app.jinja_env.loader])


def with_header(answer, value: str):
    answer.headers["X-Slip"] = value
    return answer


# --- Who is there ------------------------------------------------------------------------------------------


class NoWork:
    """Hashes no password: nobody here logs in with one."""

    def hash(self, _password: str) -> str:
        """Something that no password fits."""
        return "!"


@dataclasses.dataclass
class Hidden:
    """The lives, and what is to be kept from whom."""

    shop: object
    lives: Lives
    secrets: Secrets

    @property
    def from_support(self) -> Secrets:
        """Codes, numbers, keys and texts."""
        keys = {self.shop.key, self.shop.client_id}
        own = keys | {CANARY, NOTICE, CARRIER_HOST}
        return dataclasses.replace(self.secrets, words=self.secrets.words | own)

    @property
    def from_the_owner(self) -> Secrets:
        """Numbers and secrets. Wordings and the keys that clients hold are the owner's own."""
        return dataclasses.replace(self.secrets, codes=set())

    @property
    def codes(self) -> Secrets:
        """Codes alone."""
        return Secrets(codes=self.secrets.codes)

    @property
    def from_logs(self) -> Secrets:
        """All of it."""
        return self.from_support


@pytest.fixture
def log(monkeypatch) -> io.StringIO:
    """All that is logged, down to the least line."""
    lines = io.StringIO()
    monkeypatch.setattr(sys, "stderr", lines)
    return lines


@pytest.fixture
def settings(settings, log):
    """As little as possible is left out of the log."""
    return dataclasses.replace(settings, log_level="debug")


@pytest.fixture
def hidden(shop, alice, bob, app, clock, transaction, context_for, keys, signed_in) -> Hidden:
    """The shop and a live app beside it, both Alice's, both with Bob as support, full of lives."""
    parts = app.extensions["ringback"]
    profile = dataclasses.replace(DEFAULT, look_ups_per_hour=15, reveals_per_hour=1)
    app.extensions["ringback"] = dataclasses.replace(parts, profile=profile, hasher=NoWork())
    with transaction() as rows:
        created = apps.create(context_for(rows), apps.NewApp(name="Tea", home_country="JP"), alice.id)
        accounts.join(context_for(rows).in_app(created.app.id), bob.id, Role.SUPPORT)
        live = rows.get_one(App, created.app.id)
        live.mode, live.provider = "live", "carrier"
        put_a_carrier_in(context_for(rows).in_app(shop.id))
    lives = Lives(app, shop, clock, transaction, context_for, keys)
    lives.happen(lambda: signed_in(alice), lambda: signed_in(bob), live.id)
    secrets = lives.secrets()
    words = secrets.words | {created.client_secret, CARRIER_SECRET}
    return Hidden(shop, lives, dataclasses.replace(secrets, words=words))


def put_a_carrier_in(ctx) -> None:
    """A provider with a secret, for the pages that an owner sees of it."""
    wanted = Wanted(
        label="Tea carrier", settings={"address": CARRIER_HOST}, secrets={"token": CARRIER_SECRET}
    )
    providers.add(ctx, ProviderKind.KANNEL, wanted)


@pytest.fixture
def bob_crawls(hidden, signed_in, bob, app) -> Crawl:
    """Bob, who has not seen anything yet."""
    return Crawl(signed_in(bob), app)


@pytest.fixture
def alice_crawls(hidden, signed_in, alice, app) -> Crawl:
    """Alice, who has not seen anything yet."""
    return Crawl(signed_in(alice), app)
