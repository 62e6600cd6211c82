"""Is a secret replaced by keyboard and without JavaScript, and can everybody read what ending one breaks?"""

import pytest
from playwright.sync_api import expect

from portal.models import KeyKind
from portal.services import access_keys
from tests.browser.test_accessibility import assert_everybody_can_read
from tests.browser.test_keyboard import tab_to

pytestmark = pytest.mark.browser


def ends(session, shop) -> list[str]:
    session.expire_all()
    keys = access_keys.live(session, shop.id)
    return [key.last4 for key in keys if key.kind is KeyKind.CLIENT_SECRET]


def test_ten_07_a_secret_is_replaced_by_keyboard(alices, shop, session):
    alices.goto(f"/apps/{shop.id}/access-keys")
    tab_to(alices, alices.get_by_role("button", name="Add a new ClientSecret"))
    alices.keyboard.press("Enter")
    secret = alices.locator("#client-secret").inner_text()
    tab_to(alices, alices.get_by_role("link", name="I have stored it"))

    alices.goto(f"/apps/{shop.id}/access-keys")
    tab_to(alices, alices.locator("#clientsecrets").get_by_role("link", name="End the old one"))
    alices.keyboard.press("Enter")
    expect(alices.get_by_role("heading", name="End a ClientSecret")).to_be_visible()
    tab_to(alices, alices.get_by_role("button", name="End the ClientSecret that ends in"))
    alices.keyboard.press("Enter")
    expect(alices.get_by_text("Ended the ClientSecret that ends in")).to_be_visible()
    assert ends(session, shop) == [secret[-4:]]


@pytest.mark.parametrize("scripts", [False])
def test_ten_07_a_secret_is_replaced_without_javascript(alices, shop, session, scripts):
    alices.goto(f"/apps/{shop.id}/access-keys")
    alices.get_by_role("button", name="Add a new ClientSecret").click()
    secret = alices.locator("#client-secret").inner_text()
    alices.locator("#clientsecrets").get_by_role("link", name="End the old one").click()
    alices.get_by_role("button", name="End the ClientSecret that ends in").click()
    expect(alices.get_by_text("Ended the ClientSecret that ends in")).to_be_visible()
    assert ends(session, shop) == [secret[-4:]]


def test_everybody_can_read_two_keys_and_what_ending_one_breaks(alices, shop, watch):
    alices.goto(f"/apps/{shop.id}/access-keys")
    alices.get_by_role("button", name="Add a new AppKey").click()
    expect(alices.get_by_text("Added an AppKey.")).to_be_visible()
    alices.get_by_role("button", name="Add a new ClientSecret").click()
    expect(alices.locator("#client-secret")).to_be_visible()
    assert_everybody_can_read(alices, watch)
    for cards in ("#appkeys", "#clientsecrets"):
        alices.goto(f"/apps/{shop.id}/access-keys")
        assert_everybody_can_read(alices, watch)
        alices.locator(cards).get_by_role("link", name="End the old one").click()
        expect(alices.get_by_role("heading", name="What will happen")).to_be_visible()
        assert_everybody_can_read(alices, watch)


# The shares of the widest line that the lines of each key take.
LINES = """() => [...document.querySelectorAll(".copying code")].map((code) => {
    const range = document.createRange();
    range.selectNodeContents(code);
    const widths = [...range.getClientRects()].map((line) => line.width);
    return widths.map((width) => width / Math.max(...widths));
})"""


def test_no_letter_of_a_key_stands_alone_on_a_line(alices, shop):
    page, cut = alices, 0
    page.goto(f"/apps/{shop.id}/access-keys")
    for width in range(340, 520, 20):
        page.set_viewport_size({"width": width, "height": 740})
        for lines in page.evaluate(LINES):
            cut += len(lines) > 1
            assert min(lines) > 0.5, f"{lines} at {width} px"
    assert cut
