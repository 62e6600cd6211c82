"""Does an owner see who reads what, find any language by typing, and see how one is chosen? (contract d.3)"""

import re

import pytest

from portal.core import locale_suggestions, wordings
from portal.core.roles import Role
from portal.services import accounts, apps, sms_template_drafts, sms_templates
from portal.services.sms_template_drafts import Submission
from portal.web import sms_template_locales
from tests import factories


@pytest.fixture
def address(shop) -> str:
    return f"/apps/{shop.id}/sms-templates"


@pytest.fixture
def readers(session, shop):
    """`readers("ko", 3)` are three more users with a language."""

    def sign_up(locale: str | None, users: int = 1) -> None:
        for _ in range(users):
            factories.user(session, app_id=shop.id, locale=locale)

    return sign_up


@pytest.fixture
def worded(transaction, context_for, shop):
    """`worded("ja")` gives the shop a template."""

    def save(locale: str, body: str = "{code}") -> None:
        with transaction() as rows:
            sms_templates.save(context_for(rows).in_app(shop.id), locale, body)

    return save


def words(html: str) -> str:
    """What a person reads of a piece of a page."""
    return " ".join(re.sub(r"<[^>]+>", " ", html).split())


def rows_of(page: str, caption: str) -> list[str]:
    table = page.split(f'<caption class="unseen">{caption}')[1].split("</table>")[0]
    return [words(f"<tr{row}") for row in table.split("<tr")[2:]]


# --- The list --------------------------------------------------------------------------------------


def test_each_template_tells_who_reads_it_in_their_language_and_who_has_no_other(
    alices, address, readers, worded
):
    worded("ja")
    for locale, users in (("ja", 2), ("ja-JP", 3), ("en", 1), ("en-GB", 1), ("ko", 4), (None, 5)):
        readers(locale, users)
    english, japanese = rows_of(alices.get(address).text, "SMS templates by language")

    assert "11 users 2 read their language 4 have no template of theirs 5 have no language set" in english
    assert "5 users 5 read their language" in japanese
    assert "no template of theirs" not in japanese


def test_languages_of_users_are_listed_and_the_missing_ones_offered(alices, address, readers, worded):
    worded("ja")
    for locale, users in (("ko-KR", 4), ("ja-JP", 3), (None, 2), ("zh-TW", 1)):
        readers(locale, users)
    page = alices.get(address).text

    korean, japanese, unset, chinese = rows_of(page, "Languages of your users")
    assert (korean, japanese) == (
        "Korean (South Korea) ko-KR 4 English No template Add Korean",
        "Japanese (Japan) ja-JP 3 Japanese",
    )
    assert unset == "Not set 2 English"
    assert chinese.endswith("No template Add Chinese (Traditional)")
    assert f'href="{address}/zh-Hant"' in page
    assert "5 users read another language than theirs." in page


def test_who_reads_another_script_counts_as_without_a_template(alices, address, readers, worded):
    worded("zh")
    readers("zh-TW")
    (row,) = rows_of(alices.get(address).text, "Languages of your users")

    assert "Chinese No template Add Chinese (Traditional)" in row


def test_an_app_without_users_says_so_instead_of_an_empty_table(alices, address):
    page = alices.get(address).text

    assert "No users yet." in page
    assert "Languages of your users, and" not in page


@pytest.mark.parametrize("locale", ["<script>x</script>", "{{7*7}}", "no tag", "\u202egnp", "'\";--"])
def test_whatever_stands_as_a_users_language_is_text(alices, address, readers, locale):
    readers(locale)
    page = alices.get(address).text

    assert "<script>x" not in page
    assert "{{7*7}}" not in page or locale == "{{7*7}}"
    (row,) = rows_of(page, "Languages of your users")
    assert row.endswith("1 English")


def test_a_long_tail_of_languages_is_summed_up(alices, address, readers):
    for number in range(52):
        readers(f"en-x-{number:02}")
    page = alices.get(address).text

    assert len(rows_of(page, "Languages of your users")) == 50
    assert "And 2 languages with 2 users." in page


def test_a_draft_that_waits_is_marked_and_leads_to_itself(
    alices, address, shop, charlie, transaction, context_for, worded
):
    worded("ja")
    with transaction() as rows:
        here = context_for(rows).in_app(shop.id)
        accounts.join(here, charlie.id, Role.OWNER)
        apps.change(here, apps.AppChanges(sms_templates_need_approval=True))
        for locale in ("ja", "ko"):
            sms_template_drafts.submit(here, Submission(locale, "{code}!"))
    page = alices.get(address).text
    _, japanese, korean = rows_of(page, "SMS templates by language")

    assert "Japanese Waits for approval" in japanese
    assert "Korean Waits for approval" in korean
    assert "Nothing is in force yet." in korean
    assert f'href="{address}/ko/draft"' in page


def test_the_list_leads_to_everything_around_it(alices, address, shop):
    page = alices.get(address).text

    for path in ("/new", "/simulator", "/export", "/import"):
        assert f'href="{address}{path}"' in page


# --- Adding a language -----------------------------------------------------------------------------


def offered(page: str) -> list[str]:
    return re.findall(r'<li>\s*<a href="[^"]*/sms-templates/([^"]+)"', page)


def test_before_typing_every_language_with_a_ready_wording_is_offered(alices, address):
    assert sorted(offered(alices.get(f"{address}/new").text)) == sorted(wordings.VERIFICATION)


@pytest.mark.parametrize("typed", ["kor", "Kore", "한국", "KO"])
def test_typing_offers_languages_by_any_of_their_names(alices, address, typed):
    answer = alices.get(f"{address}/new", query_string={"locale": typed}, headers={"HX-Request": "true"})

    assert answer.status_code == 200
    assert answer.text.lstrip().startswith('<section class="stack-tight" id="suggestions"')
    assert offered(answer.text)[0] == "ko"
    assert words(answer.text.split("<li>")[1].split("</li>")[0]) == "Korean 한국어 ko"


def test_typing_a_tag_never_leaves_the_page_before_it_is_sent(alices, address):
    answer = alices.fragment(f"{address}/new?locale=ja")

    assert (answer.status_code, "HX-Redirect" in answer.headers) == (200, False)


def test_without_javascript_the_same_suggestions_are_links_on_the_page(alices, address):
    answer = alices.get(f"{address}/new?locale=kor")

    assert answer.status_code == 200
    assert 'value="kor"' in answer.text
    assert offered(answer.text)[0] == "ko"


@pytest.mark.parametrize(
    ("typed", "tag"), [("PT_br", "pt-BR"), ("ja", "ja"), ("zh-hant", "zh-Hant"), ("de-CH-1996", "de-CH-1996")]
)
def test_an_exact_tag_leads_to_its_editor_in_its_usual_spelling(alices, address, typed, tag):
    assert alices.get(f"{address}/new?locale={typed}").location == f"{address}/{tag}"


def test_a_language_that_has_a_template_is_marked_and_leads_to_its_editor(alices, address, worded):
    worded("ko")
    page = alices.get(f"{address}/new?locale=kor").text

    assert words(page.split('<ul class="picks">')[1].split("</li>")[0]).endswith("Has a template ko")
    assert offered(page)[0] == "ko"


@pytest.mark.parametrize("tag", ["", "no language", "../../etc", "x" * 60, "\0", "<b>", "{{7*7}}", "\u202e"])
def test_what_is_no_language_is_refused_beside_the_field(alices, address, tag):
    answer = alices.get(f"{address}/new", query_string={"locale": tag})

    assert answer.status_code == 422
    assert "field-error" in answer.text
    assert "<b>" not in answer.text


@pytest.mark.parametrize("typed", ["x" * 60_000, "\0\0", "((((", "*", "%s"])
def test_the_suggestions_bear_whatever_is_typed(alices, address, typed):
    answer = alices.get(f"{address}/new", query_string={"locale": typed}, headers={"HX-Request": "true"})

    assert answer.status_code == 200
    assert "No language is called so." in answer.text


def test_the_names_are_read_before_the_first_letter_is_typed(alices, address, monkeypatch):
    asked = []
    monkeypatch.setattr(locale_suggestions, "suggest", lambda typed, most=8: asked.append(typed) or [])
    sms_template_locales._warm_up.cache_clear()
    alices.get(f"{address}/new")
    alices.get(f"{address}/new")

    assert asked.count("en") == 1


# --- The simulator ---------------------------------------------------------------------------------


def steps_in(page: str) -> list[str]:
    return [
        words(f"<li{step}") for step in page.split('<ol class="steps">')[1].split("</ol>")[0].split("<li")[1:]
    ]


def test_the_simulator_shows_each_step_the_winner_and_its_text(alices, address, readers, worded):
    worded("zh-Hans", "验证码 {code}")
    readers("zh-Hans-HK", 3)
    page = alices.get(f"{address}/simulator?locale=zh_hans_hk").text

    first, winner = steps_in(page)
    assert "zh-Hans-HK The language that the user asks for. No template" in first
    assert "zh-Hans The same language with less detail. Sent" in winner
    assert "验证码 482913" in page
    assert "3 users have exactly" in page
    assert 'value="zh-Hans-HK"' in page


def test_the_simulator_tells_the_script_that_was_only_meant(alices, address, worded):
    worded("zh")
    worded("zh-Hant", "驗證碼 {code}")
    page = alices.get(f"{address}/simulator?locale=zh-TW").text

    *_, winner = steps_in(page)
    assert "zh-Hant The same language, with the script that its readers usually read. Sent" in winner
    assert "驗證碼 482913" in page


def test_the_simulator_answers_typing_with_the_steps_alone(alices, address):
    answer = alices.fragment(f"{address}/simulator?locale=ko")

    assert answer.text.lstrip().startswith('<div id="steps"')
    assert "No user has exactly" in words(answer.text)
    assert len(steps_in(answer.text)) == 2


def test_the_simulator_without_a_language_asks_for_one_and_offers_what_users_have(alices, address, readers):
    readers("ko-KR")
    page = alices.get(f"{address}/simulator")

    assert page.status_code == 200
    assert '<ol class="steps">' not in page.text
    assert f'href="{address}/simulator?locale=ko-KR"' in page.text


@pytest.mark.parametrize("tag", ["", "english", "en--US", "日本語", "\0", "<script>", "x" * 5000])
def test_the_simulator_refuses_what_is_no_tag_at_its_field(alices, address, tag):
    whole = alices.get(f"{address}/simulator", query_string={"locale": tag})
    assert whole.status_code == 422
    assert 'id="locale-error"' in whole.text
    assert 'aria-invalid="true"' in whole.text
    assert "<script>" not in whole.text.split("<main")[1]

    part = alices.get(f"{address}/simulator", query_string={"locale": tag}, headers={"HX-Request": "true"})
    assert part.status_code == 422
    assert "Write a language tag" in part.text or "at most 35" in part.text
    assert "<ol" not in part.text


# --- Whose pages they are --------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["", "/new", "/new?locale=ko", "/simulator", "/simulator?locale=ko"])
def test_ten_05_only_owners_see_these_pages(bobs, charlies, stranger, address, path):
    assert bobs.get(f"{address}{path}").status_code == 403
    assert charlies.get(f"{address}{path}").status_code == 404
    assert stranger.get(f"{address}{path}").status_code == 303
    assert bobs.fragment(f"{address}{path}").status_code == 403
