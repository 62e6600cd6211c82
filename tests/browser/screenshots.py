"""What does the portal look like? The README's two pictures, and with --all every page."""

import argparse
import tempfile
from collections.abc import Iterator
from pathlib import Path

from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.browser.chromium import CONTEXT, PATIENCE_MS, launch_options
from tests.browser.installations import OWNER, ROOT, Installation, running
from tests.browser.sites import type_sign_in

IMAGES = ROOT / "static" / "img"
# Bytes; the pictures travel with every clone.
LARGEST = 150_000
APP = "Hanami Coffee"
# The README's pictures are of an app whose language and names every machine has the letters for.
README_APP, README_LOCALE, README_COUNTRY = "Kiezrad", "de", "DE"
PAGES = {
    "overview": "",
    "inbox": "/inbox",
    "users": "/users",
    "users-pending": "/users?pending=yes",
    "users-none": "/users?q=nobody-of-this-name",
    "sms-templates": "/sms-templates",
    "sms-template-new": "/sms-templates/new",
    "sms-template-ja": "/sms-templates/ja",
    "sms-template-ar": "/sms-templates/ar",
    "sms-template-add": "/sms-templates/new?locale=kor",
    "simulator": "/sms-templates/simulator?locale=zh-TW",
    "sms-settings": "/sms-settings",
    "test-send": "/sms-templates/ja/test",
    "verification": "/verification",
    "provider": "/provider",
    "provider-new": "/provider/new/twilio",
    "access-keys": "/access-keys",
}


def main() -> None:
    """Starts Ringback with demo data in a folder of its own, and takes the pictures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--all", metavar="FOLDER", type=Path, help="every page, light and dark, 360 and 1280 px wide"
    )
    folder = parser.parse_args().all
    with (
        tempfile.TemporaryDirectory(prefix="ringback-screenshots-") as home,
        running(Path(home)) as here,
        sync_playwright() as playwright,
        playwright.chromium.launch(**launch_options()) as browser,
    ):
        page = _signed_in(browser, here)
        if folder is None:
            _take_for_readme(page)
        else:
            _take_all(page, folder)


def _signed_in(browser: Browser, here: Installation) -> Page:
    context = browser.new_context(base_url=here.address, color_scheme="light", **CONTEXT)
    context.set_default_timeout(PATIENCE_MS)
    page = context.new_page()
    type_sign_in(page, OWNER, here.password)
    return page


def _take_for_readme(page: Page) -> None:
    shop = _app(page, README_APP)
    page.set_viewport_size({"width": 1200, "height": 720})
    user = _changing_user(page, shop, f"&country={README_COUNTRY}")
    for name, path in (("sms-templates", f"{shop}/sms-templates/{README_LOCALE}"), ("user", user)):
        page.goto(path)
        picture = page.screenshot(path=IMAGES / f"{name}.png")
        assert len(picture) < LARGEST, f"{name}.png has {len(picture)} bytes"
        print(f"static/img/{name}.png  {len(picture) // 1000} kB")


def _take_all(page: Page, folder: Path) -> None:
    shop = _app(page)
    paths = {name: f"{shop}{path}" for name, path in PAGES.items()}
    paths |= {"apps": "/apps", "app-new": "/apps/new", "refusal": "/apps/nothing"}
    paths |= {"user": _changing_user(page, shop)}
    for name, path in paths.items():
        page.goto(path)
        _take_variants(page, folder, name)
    page.goto(shop)
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    _take_variants(page, folder, "sign-in")
    print(f"{len(list(folder.glob('*.png')))} pictures in {folder}")


def _take_variants(page: Page, folder: Path, name: str) -> None:
    for width, scheme in _variants():
        page.set_viewport_size({"width": width, "height": 800})
        page.emulate_media(color_scheme=scheme)
        page.screenshot(path=folder / f"{name}-{width}-{scheme}.png", full_page=True)
    page.set_viewport_size(CONTEXT["viewport"])


def _variants() -> Iterator[tuple[int, str]]:
    for width in (360, 1280):
        for scheme in ("light", "dark"):
            yield width, scheme


def _app(page: Page, name: str = APP) -> str:
    link = page.get_by_role("link", name=name).first
    return str(link.get_attribute("href"))


def _changing_user(page: Page, shop: str, more: str = "") -> str:
    """The address of the first user who has a verified number and waits for the code of another one."""
    page.goto(f"{shop}/users?pending=yes&verified=yes{more}")
    return str(page.locator("a.row-target").first.get_attribute("href"))


if __name__ == "__main__":
    main()
