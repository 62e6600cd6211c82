"""Can an owner go back, approve and import by keyboard, with JavaScript and without?"""

import os
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from portal.core import template_file
from portal.core.roles import Role
from portal.models import ActorKind
from portal.services import accounts, apps, sms_template_drafts, sms_templates
from portal.services.context import Caller
from portal.services.sms_template_drafts import Submission
from tests.browser.lives import TEMPLATES
from tests.browser.test_accessibility import assert_everybody_can_read
from tests.browser.test_keyboard import tab_to

pytestmark = pytest.mark.browser

# Where pictures go while somebody works on the looks; nowhere otherwise.
PICTURES = os.environ.get("PICTURES")


@pytest.fixture(params=[True, False], ids=["with-js", "without-js"])
def scripts(request) -> bool:
    """Each way is gone with JavaScript and without."""
    return bool(request.param)


@pytest.fixture
def words(transaction, context_for, shop, alice):
    """`words("ja", "{code}")` saves, or proposes, a wording of Alice's."""

    def say(locale: str, body: str, note: str | None = None) -> None:
        with transaction() as session:
            ctx = context_for(session, Caller(ActorKind.ACCOUNT, shop.id, alice.id))
            sms_template_drafts.submit(ctx, Submission(locale, body, note))

    return say


@pytest.fixture
def olgas(page: Page, shop, new_account, transaction, context_for, sign_in) -> Page:
    """The tab of the shop's other owner, whose word counts from now on."""
    olga = new_account("olga@example.com")
    with transaction() as session:
        here = context_for(session).in_app(shop.id)
        accounts.join(here, olga.id, Role.OWNER)
        apps.change(here, apps.AppChanges(sms_templates_need_approval=True))
    sign_in(page, olga)
    return page


def press(page: Page, name: str) -> None:
    """Reaches a button by the Tab key and presses it."""
    tab_to(page, page.get_by_role("button", name=name, exact=True))
    page.keyboard.press("Enter")


def look_at(page: Page, watch, scripts: bool, name: str) -> None:
    """Everybody can read this page; and it is pictured where somebody wants to see it."""
    if not scripts:
        return
    if PICTURES:
        for width in (1280, 360):
            for scheme in ("light", "dark"):
                page.set_viewport_size({"width": width, "height": 800})
                page.emulate_media(color_scheme=scheme)
                page.screenshot(path=Path(PICTURES) / f"{name}-{width}-{scheme}.png", full_page=True)
    assert_everybody_can_read(page, watch)
    page.set_viewport_size({"width": 1280, "height": 800})


def test_an_owner_brings_a_former_version_back(alices, shop, words, watch, scripts):
    words("ja", TEMPLATES["ja"], "First words")
    words("ja", "{app_name} 認証コード：{code}（{minutes}分間有効）", "Shorter, as support asked for")
    words("ja", "Код: {code} – “{app_name}”, действует {minutes} минут. " + "Никому его не сообщайте. " * 2)
    alices.goto(f"/apps/{shop.id}/sms-templates/ja/versions")
    look_at(alices, watch, scripts, "versions")
    tab_to(alices, alices.get_by_role("link", name="Version 2"))
    alices.keyboard.press("Enter")
    expect(alices.get_by_role("heading", name="Version 2 of Japanese SMS")).to_be_visible()
    expect(alices.locator(".diff del").first).to_contain_text("removed:")
    look_at(alices, watch, scripts, "version")
    press(alices, "Restore version 2")

    expect(alices.get_by_text("Restored version 2 as version 4.")).to_be_visible()
    expect(alices.get_by_role("row").nth(1)).to_contain_text("In force")


def test_another_owner_approves_what_they_saw(olgas, shop, words, watch, scripts):
    words("ar", TEMPLATES["ar"], "Arabic, at last")
    olgas.goto(f"/apps/{shop.id}/sms-templates/ar/draft")
    expect(olgas.locator(".bubble")).to_contain_text("رمز التحقق")
    look_at(olgas, watch, scripts, "draft-new")
    press(olgas, "Approve and put in force")
    expect(olgas.get_by_text("Approved. Arabic, version 1, is in force")).to_be_visible()

    words("ar", TEMPLATES["ar"].replace("صالح", "ساري"))
    olgas.goto(f"/apps/{shop.id}/sms-templates/ar/draft")
    expect(olgas.locator(".diff ins")).to_contain_text("ساري")
    look_at(olgas, watch, scripts, "draft")
    press(olgas, "Discard the draft")
    expect(olgas.get_by_text("Discarded the draft of Arabic.")).to_be_visible()


def test_a_file_is_looked_at_put_right_and_imported(
    alices, shop, words, watch, scripts, tmp_path, transaction, context_for
):
    for locale, body in TEMPLATES.items():
        words(locale, body)
    words("de", "{code}")
    templates = [("ja", TEMPLATES["ja"].replace("認証", "確認")), ("ar", TEMPLATES["ar"]), ("ko", "no code")]
    file = tmp_path / "templates.json"
    file.write_text(template_file.write("ja", templates), encoding="utf-8")
    alices.goto(f"/apps/{shop.id}/sms-templates/import")
    look_at(alices, watch, scripts, "import-empty")
    alices.get_by_label("File", exact=True).set_input_files(file)
    press(alices, "Show what would change")
    expect(alices.get_by_role("alert")).to_contain_text("Put {code} where the code should stand.")
    look_at(alices, watch, scripts, "import-refused")

    text = alices.get_by_label("Or paste its text")
    text.fill(text.input_value().replace("no code", "{app_name} 인증번호: {code}"))
    alices.get_by_label("Remove languages that are not in the file").check()
    press(alices, "Show what would change")
    expect(alices.get_by_role("heading", name="German")).to_be_visible()
    look_at(alices, watch, scripts, "import-plan")
    press(alices, "Import 2 languages and remove 1 language")
    expect(alices.get_by_text("Imported 2 languages. New messages use them.")).to_be_visible()

    with transaction() as session:
        said = {each.locale: each.body for each in sms_templates.all_of(session, shop.id)}
    assert set(said) == {"ar", "en", "ja", "ko"}
    assert said["ko"] == "{app_name} 인증번호: {code}"
