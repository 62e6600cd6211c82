"""Do all wordings of an app leave in one file and come back, looked at first, all or none?"""

import io
import json
import re
from html import unescape

import pytest

from portal.core import template_file
from portal.models import ActorKind, SmsTemplateDraft
from portal.services import sms_templates
from portal.services.context import Caller


def file_of(*templates: tuple[str, str], default: str = "en") -> str:
    """A file as another app may have exported it."""
    return template_file.write(default, templates)


@pytest.fixture
def address(shop) -> str:
    return f"/apps/{shop.id}/sms-templates/import"


@pytest.fixture
def save(shop, alice, transaction, context_for):
    """`save("ja", "{code}")` saves a wording of Alice's."""

    def do(locale: str, body: str) -> None:
        with transaction() as session:
            caller = Caller(ActorKind.ACCOUNT, shop.id, alice.id)
            sms_templates.save(context_for(session, caller), locale, body)

    return do


@pytest.fixture
def said(transaction, shop):
    """`said()` is what the shop says, by locale."""

    def look() -> dict[str, str]:
        with transaction() as session:
            return {each.locale: each.body for each in sms_templates.all_of(session, shop.id)}

    return look


def upload(browser, address: str, content: str | bytes, **more):
    """Chooses a file and sends it."""
    raw = content.encode() if isinstance(content, str) else content
    return browser.post(address, {"file": (io.BytesIO(raw), "templates.json"), "text": ""} | more)


def confirm(browser, page: str):
    """Presses the button under a dry run, as the page has it."""
    action, form = re.search(r'action="([^"]+/confirmation)">(.*?)</form>', page, re.DOTALL).groups()
    values = {name: unescape(value) for name, value in re.findall(r'name="(\w+)" value="([^"]*)"', form)}
    # A browser makes CRLF of each line end, and sends this form in parts.
    values |= {"text": values["text"].replace("\n", "\r\n"), "csrf_token": browser.token()}
    return browser.client.post(action, data=values, content_type="multipart/form-data")


def button(page: str) -> str:
    """What the button under a dry run says; empty where there is none."""
    found = re.search(r'/confirmation">.*?<button[^>]*>([^<]+)<', page, re.DOTALL)
    return found[1] if found else ""


# --- Out ---------------------------------------------------------------------------------------------------


def test_the_export_is_a_file_named_after_the_app(alices, shop, save):
    save("ja", "コード：{code}")
    answer = alices.get(f"/apps/{shop.id}/sms-templates/export")

    assert answer.mimetype == "application/json"
    assert answer.headers["Content-Disposition"] == "attachment; filename=ringback-sms-templates-shop.json"
    assert answer.headers["Cache-Control"] == "no-store"
    assert [each["locale"] for each in json.loads(answer.data)["templates"]] == ["en", "ja"]


@pytest.mark.parametrize(("name", "slug"), [("Hanami Coffee & Co", "hanami-coffee-co"), ("花見", None)])
def test_a_files_name_is_plain_whatever_the_app_is_called(alices, shop, session, name, slug):
    session.get(type(shop.app), shop.id).name = name
    session.flush()
    header = alices.get(f"/apps/{shop.id}/sms-templates/export").headers["Content-Disposition"]

    assert header.endswith(f"ringback-sms-templates-{slug or shop.id}.json")


# --- In: the look ------------------------------------------------------------------------------------------


def test_the_dry_run_shows_what_would_change_and_changes_nothing(alices, address, save, said):
    save("ja", "Old {code}")
    save("fr", "Code {code}")
    before = said()
    text = file_of(("ja", "New {code}" + "x" * 200), ("fr", "Code {code}"), ("ko", "코드 {code}"))
    page = upload(alices, address, text).text

    assert "removed: </span>Old<span" in page
    assert "added: </span>New" in page
    assert "2 segments" in page
    assert '<span aria-hidden="true">→</span>' in page
    assert "Nothing yet." in page
    assert "English and French stay as they are." in page
    assert button(page) == "Import 2 languages"
    assert said() == before


def test_a_pasted_text_is_as_good_as_a_file(alices, address):
    assert button(alices.post(address, {"text": file_of(("ja", "{code}"))}).text) == "Import 1 language"


def test_what_is_uploaded_stands_in_the_box_to_be_put_right(alices, address):
    answer = upload(alices, address, file_of(("ja", "no code at all")))

    assert answer.status_code == 422
    assert "This file cannot be imported yet." in answer.text
    assert "Put {code} where the code should stand." in unescape(answer.text)
    assert "no code at all" in answer.text.split("<textarea")[1].split("</textarea>")[0]
    assert button(answer.text) == ""


def test_tpl_02_the_apps_own_limit_counts_and_every_language_over_it_is_named(alices, address, said):
    text = file_of(("ja", "{code}" + "字" * 140), ("ko", "{code}" + "x" * 400), ("fr", "{code}"))
    answer = upload(alices, address, text)

    assert answer.status_code == 422
    assert "ja: the text needs 3 segments an SMS, and 2 segments may be used." in answer.text
    assert "ko: the text needs 3 segments" in answer.text
    assert button(answer.text) == ""
    assert set(said()) == {"en"}


@pytest.mark.parametrize("content", ["", "{", "[]", b"\xff\xfe\x00", "\0", "x" * 262_145, "[" * 200_000])
def test_a_file_that_is_none_is_refused_with_the_reason(alices, address, content):
    answer = upload(alices, address, content)

    assert answer.status_code == 422
    assert "This file cannot be imported yet." in answer.text


def test_nothing_at_all_is_refused_beside_the_field(alices, address):
    answer = alices.post(address, {"text": " "})

    assert answer.status_code == 422
    assert "Choose a file, or paste what stands in one." in answer.text


def test_the_largest_file_that_may_be_comes_through_and_is_imported(alices, address, said):
    tags = [f"x{first}{second}" for first in "abcdefghi" for second in "abcdefghij"]
    text = file_of(*((tag, "{code}") for tag in tags))
    page = upload(alices, address, text + " \n" * ((template_file.LONGEST_FILE - len(text)) // 2)).text
    assert button(page) == "Import 90 languages"

    assert confirm(alices, page).status_code == 303
    assert len(said()) == 91


def test_web_10_more_than_a_file_can_need_is_not_even_read(alices, address, shop):
    for path in (address, f"{address}/confirmation"):
        sent = {"data": b"x" * 1_000_000, "content_type": "multipart/form-data; boundary=y"}
        assert alices.client.post(path, **sent).status_code == 413
    assert alices.post(f"/apps/{shop.id}/sms-templates/ja", {"body": "x" * 100_000}).status_code == 413


def test_a_file_that_changes_nothing_says_so(alices, address, shop):
    text = alices.get(f"/apps/{shop.id}/sms-templates/export").text
    page = upload(alices, address, text).text

    assert "Nothing: the app says all of this already." in page
    assert button(page) == ""


def test_a_file_of_another_default_language_says_that_the_apps_stays(alices, address):
    page = upload(alices, address, file_of(("fr", "{code}"), default="fr")).text

    assert "This app keeps English." in page


# --- In: the leap ------------------------------------------------------------------------------------------


def test_confirming_does_what_was_shown(alices, address, shop, save, said):
    save("ja", "Old {code}")
    answer = confirm(alices, upload(alices, address, file_of(("ja", "New {code}"), ("ko", "{code}"))).text)

    assert answer.location == f"/apps/{shop.id}/sms-templates"
    assert "Imported 2 languages. New messages use them." in alices.get(answer.location).text
    assert {tag: body for tag, body in said().items() if tag != "en"} == {"ja": "New {code}", "ko": "{code}"}
    assert "Imported" in alices.get(f"/apps/{shop.id}/sms-templates/ja/versions").text


def test_languages_that_are_not_in_the_file_go_only_when_ticked(alices, address, save, said):
    save("de", "{code}")
    text = file_of(("ja", "{code}"))
    assert button(upload(alices, address, text).text) == "Import 1 language"
    page = upload(alices, address, text, remove_missing="y").text
    assert button(page) == "Import 1 language and remove 1 language"
    assert "so the language goes" in page

    confirm(alices, page)
    assert set(said()) == {"en", "ja"}


def test_a_plan_that_others_have_overtaken_is_shown_anew_and_not_made(alices, address, save, said):
    save("ja", "Old {code}")
    page = upload(alices, address, file_of(("ja", "New {code}"))).text
    save("ja", "Meanwhile {code}")
    answer = confirm(alices, page)

    assert answer.status_code == 422
    assert "Nothing was imported." in answer.text
    assert "have changed since you looked" in answer.text
    assert "removed: </span>Meanwhile<span" in answer.text
    assert said()["ja"] == "Meanwhile {code}"
    assert confirm(alices, answer.text).status_code == 303
    assert said()["ja"] == "New {code}"


def test_a_forged_confirmation_is_checked_like_any_file(alices, address, said):
    for text in ("", "{", file_of(("ja", "no code"))):
        answer = alices.post(f"{address}/confirmation", {"text": text, "stamp": "x"})
        assert answer.status_code == 422
        assert "Nothing was imported." in answer.text
    assert set(said()) == {"en"}


def test_where_a_second_owner_decides_the_texts_wait(alices, address, shop, session, said):
    session.get(type(shop.app), shop.id).sms_templates_need_approval = True
    session.flush()
    page = upload(alices, address, file_of(("ja", "{code}"), ("ko", "{code}"))).text
    assert button(page) == "Propose 2 languages"
    answer = confirm(alices, page)

    assert "2 drafts wait for another owner." in alices.get(answer.location).text
    assert set(said()) == {"en"}
    assert session.query(SmsTemplateDraft).count() == 2


def test_web_05_what_stands_in_a_file_is_never_markup(alices, address):
    for text in (file_of(("ja", "<b>{code}</b>")), "<script>x</script>", '{"<b>": 1}'):
        page = upload(alices, address, text).text
        assert "<b>" not in page
        assert "<script>x" not in page


# --- Who may -----------------------------------------------------------------------------------------------


def test_ten_05_support_neither_exports_nor_imports(bobs, address, said):
    assert bobs.get(address.replace("import", "export")).status_code == 403
    assert bobs.get(address).status_code == 403
    assert upload(bobs, address, file_of(("ja", "{code}"))).status_code == 403
    assert bobs.post(f"{address}/confirmation", {"text": file_of(("ja", "{code}"))}).status_code == 403
    assert set(said()) == {"en"}


def test_ten_02_a_stranger_finds_nothing(charlies, address, said):
    assert charlies.get(address.replace("import", "export")).status_code == 404
    assert charlies.get(address).status_code == 404
    assert upload(charlies, address, file_of(("ja", "{code}"))).status_code == 404
    assert charlies.post(f"{address}/confirmation").status_code == 404
    assert set(said()) == {"en"}
