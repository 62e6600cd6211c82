"""Do the live parts stay calm? Previews in order, an inbox that does not jump, lists that grow, no leaks."""

import re
from html import escape

import pytest
from playwright.sync_api import Page, Route, expect

from portal.core import phone_number

pytestmark = pytest.mark.browser

POLL_MS = 3_000
# Every text that the phone on the page has ever shown.
KEEP_HISTORY = """() => {
    window.shown = [];
    new MutationObserver(() => window.shown.push(document.querySelector("#preview .bubble")?.textContent))
        .observe(document.querySelector(".editor"), {childList: true, subtree: true});
}"""
HIDE = """hidden => {
    Object.defineProperty(document, "hidden", {value: hidden, configurable: true});
    document.dispatchEvent(new Event("visibilitychange"));
}"""
TOP_OF = "item => item.getBoundingClientRect().top"
STORED = "() => JSON.stringify([{...localStorage}, {...sessionStorage}])"
HOSTILE = (
    "<script>alert(1)</script>",
    "<img src=/evil onerror=alert(1)>",
    '"><img src=/evil onerror=alert(1)>',
    "<svg/onload=fetch('/evil')>",
    "' onmouseover='alert(1)' autofocus onfocus='alert(1)",
    '<i hx-get="/evil" hx-trigger="load">',
    '" hx-get="/evil" hx-trigger="load" x="',
    "<b hx-vals='js:{a:alert(1)}'>",
    "{{7*7}}{%for a in b%}",
    "javascript:alert(1)//<a href=javascript:alert(1)>",
    "</bdi></td><iframe src=/evil></iframe>",
    "".join(("<script>", chr(0x2028), chr(0x202E), "alert(1)</script>")),
)
FIELDS = ("loginName", "displayName", "country", "locale", "emailAddress", "phoneNumber", "note")


def test_a_late_preview_never_overwrites_a_newer_one_nor_the_typing(alices, shop):
    held: list[Route] = []
    alices.route("**/preview", lambda route: held.append(route))
    alices.goto(f"/apps/{shop.id}/sms-templates/en")
    alices.evaluate(KEEP_HISTORY)
    first = write(alices, "first {code}", held)
    write(alices, "first {code} second", held).continue_()
    expect(alices.locator(".bubble")).to_have_text("first 482913 second")
    first.continue_()
    write(alices, "first {code} second third", held).continue_()
    expect(alices.locator(".bubble")).to_have_text("first 482913 second third")

    assert "first 482913" not in alices.evaluate("window.shown")
    expect(alices.get_by_label("Text")).to_have_value("first {code} second third")
    expect(alices.get_by_label("Text")).to_be_focused()


def write(page: Page, text: str, held: list[Route]) -> Route:
    """Writes a text at once; returns the request for its preview, which is held back."""
    with page.expect_request("**/preview"):
        page.get_by_label("Text").fill(text)
    # The request is announced just before it is handed over.
    expect(page.get_by_label("Text")).to_have_value(text)
    return held[-1]


def test_typing_fast_asks_once_and_not_for_every_letter(alices, shop, watch):
    alices.clock.install()
    alices.goto(f"/apps/{shop.id}/sms-templates/en")
    text = alices.get_by_label("Text")
    alices.clock.pause_at(alices.evaluate("Date.now() + 60_000"))
    text.fill("")
    text.press_sequentially("{code} is your code, in many letters")
    alices.clock.resume()
    expect(alices.locator(".bubble")).to_have_text("482913 is your code, in many letters")

    assert sum(path.endswith("/preview") for path in watch.paths()) == 1


def test_a_hidden_tab_asks_for_nothing_and_asks_at_once_when_it_comes_back(alices, shop, watch, phone_full):
    alices.clock.install()
    alices.goto(f"/apps/{shop.id}/inbox")
    with alices.expect_response("**/inbox?*") as answer:
        alices.clock.fast_forward(POLL_MS)
    assert answer.value.status == 204

    alices.evaluate(HIDE, True)
    polls = watch.paths().count(f"/apps/{shop.id}/inbox")
    for _ in range(20):
        alices.clock.fast_forward(POLL_MS)
    phone_full(1)
    assert watch.paths().count(f"/apps/{shop.id}/inbox") == polls
    expect(alices.locator("#messages li")).to_have_count(0)

    alices.evaluate(HIDE, False)
    expect(alices.locator("#messages li")).to_have_count(1)


def test_new_messages_do_not_move_what_is_being_read(alices, shop, phone_full):
    phone_full(25)
    alices.clock.install()
    alices.goto(f"/apps/{shop.id}/inbox")
    first = alices.locator("#messages li").first.get_attribute("id")
    read = alices.locator("#messages li").nth(12)
    name = read.get_attribute("id")
    read.scroll_into_view_if_needed()
    before = read.evaluate(TOP_OF)

    phone_full(3)
    alices.clock.fast_forward(POLL_MS)
    expect(alices.locator("#messages li").nth(3)).to_have_attribute("id", first)
    assert abs(alices.locator(f"#{name}").evaluate(TOP_OF) - before) < 2
    expect(alices.locator("#voice")).to_have_text("3 new messages")


def test_at_the_top_of_the_inbox_a_new_message_is_seen_at_once(alices, shop, phone_full):
    phone_full(25)
    alices.clock.install()
    alices.goto(f"/apps/{shop.id}/inbox")
    phone_full(1)
    alices.clock.fast_forward(POLL_MS)
    expect(alices.locator("#messages li")).to_have_count(26)
    expect(alices.locator("#messages li").first).to_be_in_viewport()


def test_the_list_of_users_loads_more_as_it_is_scrolled(alices, shop, crowd):
    alices.goto(f"/apps/{shop.id}/users")
    rows = alices.locator("a.row-target")
    for count in (50, 100, 120):
        expect(rows).to_have_count(count)
        rows.last.scroll_into_view_if_needed()
        alices.mouse.wheel(0, 10_000)

    assert rows.all_inner_texts() == [user.login_name for user in reversed(crowd)]
    expect(alices.get_by_role("link", name="Show 50 more").locator("visible=true")).to_have_count(0)
    expect(alices).to_have_url(f"/apps/{shop.id}/users")


def test_web_05_nothing_of_a_number_stays_in_the_browser(alices, shop, town, crowd):
    numbers = [user.phone_number for user in [*town.values(), *crowd] if user.phone_number]
    alices.goto(f"/apps/{shop.id}/users")
    alices.get_by_role("searchbox").fill("5678")
    expect(alices.get_by_text("Press Enter to look this phone number up.")).to_be_visible()
    alices.get_by_role("searchbox").press("Enter")
    expect(alices.locator("a.row-target")).to_have_count(1)
    alices.locator("a.row-target").click()
    expect(alices.get_by_role("heading", name="Pending")).to_be_visible()
    shown = alices.content()
    alices.go_back()
    expect(alices.locator("a.row-target")).to_have_count(1)
    alices.go_forward()
    expect(alices.get_by_role("heading", name="Pending")).to_be_visible()

    assert re.findall(r"\d{4}", alices.evaluate(STORED)) == []
    assert phone_number.mask("+819012345678") in shown
    assert [number for number in numbers if number in shown or number[1:] in shown] == []


@pytest.mark.parametrize("where", ["/users", "/users/{0}"])
def test_web_05_an_hx_get_in_a_name_does_not_fire_even_if_it_were_not_escaped(
    alices, shop, watch, session, town, where
):
    name = '<i hx-get="/evil" hx-trigger="load">Eve</i>'
    user = town["new"]
    user.display_name = name
    session.flush()
    alices.goto(f"/apps/{shop.id}{where.format(user.id)}")
    expect(alices.locator("bdi", has_text=name).first).to_be_visible()
    alices.route(f"**{where.format(user.id)}", lambda route: unescaped(route, name))
    alices.reload()
    expect(alices.locator("i[hx-get]", has_text="Eve").first).to_be_visible()
    settle(alices)

    assert "/evil" not in watch.paths()


def unescaped(route: Route, name: str) -> None:
    """Answers as a portal would that has forgotten to escape names."""
    answer = route.fetch()
    page = answer.text()
    for quoted in (escape(name), escape(name).replace("&quot;", "&#34;")):
        page = page.replace(quoted, name)
    route.fulfill(response=answer, body=page)


def test_web_06_hostile_texts_in_every_field_are_shown_as_text_and_do_nothing(alices, shop, watch, kii):
    people = [kii.sign_up(loginName=f"eve{at}") for at in range(len(HOSTILE))]
    taken = [
        (user, field, text)
        for user, text in zip(people, HOSTILE, strict=True)
        for field in FIELDS
        if takes(user, field, text)
    ]
    assert {field for _, field, _ in taken} == {"displayName", "emailAddress", "note"}
    alices.goto(f"/apps/{shop.id}/users")
    assert_calm(alices, [text for _, field, text in taken if field == "displayName"])
    for user in people:
        alices.goto(f"/apps/{shop.id}/users/{user.id}")
        mine = [(field, text) for owner, field, text in taken if owner is user]
        assert_calm(alices, [as_shown(field, text) for field, text in mine if field != "note"])

    allowed = re.compile(rf"/apps/{shop.id}/users(/[0-9a-f-]+)?|/(static|vendor|bootstrap)/.*|/api/.*")
    assert [path for path in watch.paths() if not allowed.fullmatch(path)] == []


@pytest.mark.parametrize("text", HOSTILE[:-1])
def test_web_06_a_hostile_search_is_shown_as_text_and_does_nothing(alices, shop, watch, text):
    alices.goto(f"/apps/{shop.id}/users")
    alices.get_by_role("searchbox").fill(text)
    expect(alices.locator("#results").get_by_text("No user matches")).to_be_visible()
    expect(alices.locator("#understood bdi")).to_contain_text(text)
    alices.reload()
    expect(alices.get_by_role("searchbox")).to_have_value(text)
    settle(alices)

    assert "/evil" not in watch.paths()


def takes(user, field: str, text: str) -> bool:
    """Whether the REST API takes a text for a field, in the shape that the field asks for."""
    answer = user.update(**{field: shaped(field, text)})
    assert answer.status_code in (200, 400), (field, text, answer.text)
    return answer.status_code == 200


def shaped(field: str, text: str) -> str:
    return f"{text.replace(' ', '/')}@x.example" if field == "emailAddress" else text


def as_shown(field: str, text: str) -> str:
    return shaped(field, text).lower() if field == "emailAddress" else text


def assert_calm(page: Page, texts: list[str]) -> None:
    """Fails unless every text stands on the page letter by letter, as text and nothing else."""
    shown = page.locator("bdi").all_text_contents()
    assert [text for text in texts if text not in shown] == []
    expect(page.locator("bdi :not(bdi, wbr), [onmouseover], [onfocus], iframe, img")).to_have_count(0)
    page.locator("a.row-target, h1").first.hover()
    settle(page)


def settle(page: Page) -> None:
    """Waits until everything that would fire on load has had its turn."""
    page.wait_for_load_state("networkidle")
