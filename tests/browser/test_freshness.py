"""Do open pages stay up to date and calm? They ask less and less, and nothing moves under the reader."""

from collections.abc import Callable
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Page, expect

from portal.models import AuditAction, Message, MessagePurpose, MessageState
from tests import factories

pytestmark = pytest.mark.browser

SECOND = 1_000
ROWS = "#messages tbody tr[id]"
TOP_OF = "item => item.getBoundingClientRect().top"
HIDE = """hidden => {
    Object.defineProperty(document, "hidden", {value: hidden, configurable: true});
    document.dispatchEvent(new Event("visibilitychange"));
}"""
# Folds as other pages have them, in the part that is swapped: one that stays open, and a menu.
WITH_FOLDS = """() => {
    document.querySelector("#live h3").insertAdjacentHTML("beforeend",
        "<details id='fold'><summary>Fold</summary>Text</details>");
}"""
WITH_MENU = """() => document.querySelector("#live h3").insertAdjacentHTML("beforeend",
    "<details class='menu' open><summary>Menu</summary>Choices</details>")"""


def test_a_page_asks_less_and_less_while_nothing_changes(alices, polls):
    for waits in (3, 6, 12, 24, 30, 30):
        # Two seconds early, because the page's clock goes on by itself while a slow machine is at work.
        alices.clock.fast_forward((waits - 2) * SECOND)
        before = len(polls())
        answered(alices, lambda: alices.clock.fast_forward(2 * SECOND))
        assert len(polls()) == before + 1, waits


def test_after_a_change_it_asks_often_again(alices, polls, put):
    for waits in (3, 6):
        answered(alices, lambda waits=waits: alices.clock.fast_forward(waits * SECOND))
    put(1)
    answered(alices, lambda: alices.clock.fast_forward(12 * SECOND), 200)
    before = len(polls())
    answered(alices, lambda: alices.clock.fast_forward(3 * SECOND))

    assert len(polls()) == before + 1


def test_a_hidden_tab_asks_for_nothing_and_asks_at_once_when_it_comes_back(alices, polls, put):
    alices.evaluate(HIDE, True)
    for _ in range(20):
        alices.clock.fast_forward(30 * SECOND)
    assert polls() == []

    put(1)
    answered(alices, lambda: alices.evaluate(HIDE, False), 200)
    expect(alices.locator(ROWS)).to_have_count(11)


def test_a_server_that_does_not_answer_is_asked_again_and_the_page_says_so(alices, watch, put):
    watch.expects(500)
    alices.route("**/messages?*", lambda route: route.fulfill(status=500))
    answered(alices, lambda: alices.clock.fast_forward(3 * SECOND), 500)
    expect(alices.locator("#stale")).to_be_visible()
    expect(alices.locator("#trouble")).to_be_hidden()

    alices.unroute("**/messages?*")
    put(1)
    answered(alices, lambda: alices.clock.fast_forward(6 * SECOND), 200)
    expect(alices.locator("#stale")).to_be_hidden()
    # htmx says in the console what this test is about.
    watch.trouble[:] = [line for line in watch.trouble if "Response Status Error Code 500" not in line]


def test_at_the_top_new_messages_come_in_and_are_announced(alices, put):
    put(2)
    answered(alices, lambda: alices.clock.fast_forward(3 * SECOND), 200)

    expect(alices.locator(ROWS)).to_have_count(12)
    expect(alices.locator("#voice")).to_have_text("2 new messages")


def test_further_down_they_wait_until_somebody_wants_to_see_them(alices, polls, put):
    put(30)
    alices.reload()
    read = alices.locator(ROWS).nth(25)
    read.scroll_into_view_if_needed()
    name, before = read.get_attribute("id"), read.evaluate(TOP_OF)
    put(3)
    answered(alices, lambda: alices.clock.fast_forward(3 * SECOND), 200)
    link = alices.get_by_role("link", name="3 new messages. Show them")

    expect(link).to_be_in_viewport()
    expect(alices.locator(ROWS)).to_have_count(40)
    assert abs(alices.locator(f"#{name}").evaluate(TOP_OF) - before) < 2
    assert parse_qs(urlsplit(polls()[-1]).query)["held"] == ["yes"]

    link.click()
    expect(alices.locator(ROWS)).to_have_count(43)
    expect(link).to_have_count(0)


def test_rows_that_are_shown_are_updated_in_place_and_so_are_the_figures(alices, put, session):
    put(30)
    alices.reload()
    row = alices.locator(ROWS).nth(20)
    row.scroll_into_view_if_needed()
    name, before = row.get_attribute("id"), row.evaluate(TOP_OF)
    message = session.get(Message, int(name.removeprefix("message-")))
    message.state = MessageState.FAILED
    session.flush()
    answered(alices, lambda: alices.clock.fast_forward(3 * SECOND), 200)

    expect(alices.locator(f"#{name}")).to_contain_text("Failed")
    assert abs(alices.locator(f"#{name}").evaluate(TOP_OF) - before) < 2
    expect(alices.locator("#outbox a", has_text="Failed")).to_contain_text("1")


def test_what_was_loaded_below_stays_and_its_rows_go_on(alices, put):
    put(200)
    alices.reload()
    rows = alices.locator(ROWS)
    for count in (100, 150):
        rows.last.scroll_into_view_if_needed()
        alices.mouse.wheel(0, 10_000)
        expect(rows).to_have_count(count)
    alices.evaluate("scrollTo(0, 300)")
    shown = rows.evaluate_all("rows => rows.map(row => row.id)")
    put(2)
    answered(alices, lambda: alices.clock.fast_forward(3 * SECOND), 200)

    assert rows.evaluate_all("rows => rows.map(row => row.id)") == shown
    for count in (200, 210):
        rows.last.scroll_into_view_if_needed()
        alices.mouse.wheel(0, 10_000)
        expect(rows).to_have_count(count)
    assert len(set(rows.evaluate_all("rows => rows.map(row => row.id)"))) == 210


def test_the_focus_stays_on_its_row(alices, put):
    alices.evaluate("scrollTo(0, 0)")
    link = alices.locator("a.row-target").nth(4)
    link.focus()
    name = alices.evaluate("document.activeElement.closest('[id]').id")
    put(1)
    answered(alices, lambda: alices.clock.fast_forward(3 * SECOND), 200)

    expect(alices.locator(ROWS)).to_have_count(11)
    assert alices.evaluate("document.activeElement.closest('[id]').id") == name
    assert alices.evaluate("document.activeElement.className") == "row-target row-name"


def test_what_was_opened_stays_open(alices, put):
    # What the server sends holds the same fold, shut.
    alices.route("**/messages?*", with_fold)
    alices.evaluate(WITH_FOLDS)
    alices.locator("#fold summary").click()
    put(1)
    answered(alices, lambda: alices.clock.fast_forward(3 * SECOND), 200)

    expect(alices.locator(ROWS)).to_have_count(11)
    expect(alices.locator("#fold")).to_have_attribute("open", "")


def with_fold(route) -> None:
    """Answers with one part more than the portal does."""
    answer = route.fetch()
    fold = "<details id='fold'><summary>Fold</summary>Text</details></h3>"
    route.fulfill(response=answer, body=answer.text().replace("</h3>", fold, 1))


def test_nothing_is_asked_while_a_menu_is_open(alices, polls):
    alices.evaluate(WITH_MENU)
    alices.clock.fast_forward(3 * SECOND)
    alices.clock.fast_forward(30 * SECOND)
    assert polls() == []

    alices.evaluate("document.querySelector('details.menu').open = false")
    answered(alices, lambda: alices.clock.fast_forward(30 * SECOND))
    assert len(polls()) == 1


def test_an_answer_that_comes_while_text_is_being_marked_is_left_for_later(alices, put):
    held = []
    alices.route("**/messages?*", lambda route: held.append(route))
    put(1)
    with alices.expect_request("**/messages?*"):
        alices.clock.fast_forward(3 * SECOND)
    alices.evaluate("getSelection().selectAllChildren(document.querySelector('#outbox h3'))")
    answered(alices, lambda: held[0].continue_(), 200)
    expect(alices.locator(ROWS)).to_have_count(10)

    alices.unroute("**/messages?*")
    alices.evaluate("getSelection().removeAllRanges()")
    answered(alices, lambda: alices.clock.fast_forward(30 * SECOND), 200)
    expect(alices.locator(ROWS)).to_have_count(11)


def test_the_audit_log_shows_what_is_new_the_same_way(alices, shop, session):
    for _ in range(40):
        factories.audit_entry(session, app_id=shop.id, action=AuditAction.CODE_WRONG)
    alices.goto(f"/apps/{shop.id}/audit")
    rows = alices.locator("#entries tbody tr[id]")
    count = rows.count()
    factories.audit_entry(session, app_id=shop.id, action=AuditAction.CODE_WRONG)
    answered(alices, lambda: alices.clock.fast_forward(3 * SECOND), 200, "audit")
    expect(rows).to_have_count(count + 1)

    rows.nth(30).scroll_into_view_if_needed()
    factories.audit_entry(session, app_id=shop.id, action=AuditAction.CODE_WRONG)
    answered(alices, lambda: alices.clock.fast_forward(3 * SECOND), 200, "audit")
    expect(alices.get_by_role("link", name="1 new entry. Show them")).to_be_visible()
    expect(rows).to_have_count(count + 1)


def test_the_list_of_users_does_not_ask_by_itself(alices, watch, shop, crowd):
    alices.goto(f"/apps/{shop.id}/users")
    before = len(watch.requests)
    alices.clock.fast_forward(30 * SECOND)

    expect(alices.locator("[data-polls]")).to_have_count(0)
    assert [each.url for each in watch.requests[before:] if "/users" in each.url] == []


def answered(page: Page, does: Callable[[], object], status: int = 204, where: str = "messages") -> None:
    """Waits until what `does` sets going was answered, and the page has dealt with it."""
    with page.expect_response(f"**/{where}?*") as answer:
        does()
    assert answer.value.status == status
    page.wait_for_load_state("networkidle")
    expect(page.locator(".htmx-request, .htmx-swapping, .htmx-settling")).to_have_count(0)


@pytest.fixture
def polls(watch):
    """`polls()` are the addresses that the open page has asked by itself."""
    return lambda: [each.url for each in watch.requests if "seen=" in each.url]


@pytest.fixture
def put(session, shop):
    """`put(3)` puts so many delivered notices into the shop's outbox."""
    user = factories.user(session, app_id=shop.id)

    def do(count: int) -> None:
        for _ in range(count):
            factories.message(
                session,
                app_id=shop.id,
                user_id=user.id,
                purpose=MessagePurpose.CHANGE_NOTICE,
                state=MessageState.DELIVERED,
            )

    return do


@pytest.fixture
def alices(alices, shop, put) -> Page:
    """Alice's tab, open at the messages of the shop, of which there are ten."""
    put(10)
    alices.clock.install()
    alices.goto(f"/apps/{shop.id}/messages")
    return alices
