"""Can an owner word the SMS, see exactly what is sent, and lose no typing? (TPL-01, TPL-02)"""

from contextlib import contextmanager

import pytest
from markupsafe import escape
from sqlalchemy import func, select

from portal.models import ActorKind, SmsTemplateVersion
from portal.services import apps, segment_prices
from portal.services.app_changes import AppChanges
from portal.services.context import Caller

BROKEN = [
    ("Your code", "Put {code} where the code should stand."),
    ("{code} {code}", "Keep {code} once."),
    ("{code} {{7*7}}", "Write one brace on each side"),
    ("{code.__class__}", "or take the braces out"),
    ("{code!r}", "or take the braces out"),
    ("%(code)s", "Write {code}."),
    ("", "Write a text with {code} in it."),
    ("{code}" + "x" * 1000, "Shorten the text"),
    ("{code}\u202e", "Take the text direction mark out."),
    ("{code} " + "y" * 320, "segments"),
]


@pytest.fixture
def address(shop) -> str:
    return f"/apps/{shop.id}/sms-templates"


@pytest.fixture
def owner_context(transaction, context_for, shop):
    """`owner_context()` is a transaction in which Alice's app is changed behind the page."""

    @contextmanager
    def opened():
        with transaction() as session:
            yield context_for(session, Caller(ActorKind.OPERATOR, shop.id))

    return opened


def versions(session, shop) -> int:
    found = select(func.count()).select_from(SmsTemplateVersion).where(SmsTemplateVersion.app_id == shop.id)
    return session.scalar(found)


def test_a_new_language_starts_from_a_wording_and_is_saved_as_a_version(alices, address, session, shop):
    assert "認証コード" in alices.get(f"{address}/ja").text
    assert alices.post(f"{address}/ja", {"body": "コードは{code}です"}).location == f"{address}/ja"

    assert "コードは{code}です" in alices.get(f"{address}/ja").text
    assert "Japanese" in alices.get(address).text
    assert versions(session, shop) == 2


def test_saving_an_unchanged_text_says_so_and_makes_no_version(alices, address, session, shop):
    for _ in range(2):
        answer = alices.post(f"{address}/ja", {"body": "コードは{code}です"})

    assert "Version 1 of Japanese says this already. Nothing was changed." in alices.get(answer.location).text
    assert versions(session, shop) == 2


@pytest.mark.parametrize(("body", "fix"), BROKEN)
def test_tpl_01_a_broken_wording_is_refused_with_the_fix_and_the_text_kept(
    alices, address, session, shop, body, fix
):
    answer = alices.post(f"{address}/en", {"body": body})

    assert answer.status_code == 422
    refusal, phone = answer.text.split('id="body-error"')[1].split('id="preview"')
    assert "Nothing was saved." in refusal
    assert fix in refusal
    assert "is-bad" not in phone.split("</section>")[0]
    assert body[:20].split("{")[0] in answer.text
    assert "data-focus" in answer.text
    assert versions(session, shop) == 1


def test_the_preview_shows_the_unsaved_text_and_saves_nothing(alices, address, session, shop):
    answer = alices.post(f"{address}/en/preview", {"body": "Hello {code}"}, headers={"HX-Request": "true"})

    assert answer.text.lstrip().startswith('<section class="preview" id="preview"')
    assert "Hello 482913" in answer.text
    assert "12 of 160 characters · GSM-7 · 1 segment" in answer.text
    assert "<textarea" not in answer.text
    assert versions(session, shop) == 1


def test_without_javascript_the_preview_is_the_whole_page_with_the_text_kept(alices, address):
    text = alices.post(f"{address}/en/preview", {"body": "Hello {code}"}).text

    assert "Hello {code}</textarea>" in text
    assert "Hello 482913" in text


def test_tpl_02_the_preview_marks_where_a_long_text_is_cut(alices, address):
    text = alices.post(
        f"{address}/en/preview", {"body": "{code}" + "x" * 160}, headers={"HX-Request": "true"}
    ).text

    assert "1 of 2" in text
    assert "2 of 2" in text
    assert "166 of 306 characters · GSM-7 · 2 segments" in text


@pytest.mark.parametrize("body", ["\0", "\ud800", "x" * 60_000, "{" * 5000, "\r\n" * 3000])
def test_the_preview_bears_whatever_is_typed(alices, address, body):
    sent = body.encode("utf-8", "surrogatepass")
    answer = alices.post(f"{address}/en/preview", {"body": sent}, headers={"HX-Request": "true"})

    assert answer.status_code == 200


@pytest.mark.parametrize("locale", ["en", "ja"])
def test_the_page_contains_the_fragment(alices, address, locale):
    whole = alices.get(f"{address}/{locale}").text
    body = whole.split("<textarea")[1].split(">\n", 1)[1].split("</textarea>")[0]
    fragment = alices.post(f"{address}/{locale}/preview", {"body": body}, headers={"HX-Request": "true"}).text

    phone, marks = fragment.strip().split("</section>")
    assert phone in whole
    assert marks.strip().replace(' hx-swap-oob="true"', "") in whole


def test_the_last_resort_cannot_be_removed(alices, address):
    assert "Remove English" not in alices.get(f"{address}/en").text
    assert alices.post(f"{address}/en/removal").location == f"{address}/en"
    assert "cannot be removed" in alices.get(f"{address}/en").text


def test_a_language_can_be_removed(alices, address):
    alices.post(f"{address}/ja", {"body": "{code}"})
    assert alices.post(f"{address}/JA/removal").location == address

    assert "Not saved yet" in alices.get(f"{address}/ja").text


def test_an_address_that_is_no_language_is_not_there(alices, address):
    assert alices.get(f"{address}/not a language").status_code == 404
    assert alices.post(f"{address}/not a language", {"body": "{code}"}).status_code == 404


def test_a_text_is_written_in_the_direction_of_its_language(alices, address):
    assert 'name="body" rows="7" dir="rtl" lang="ar"' in alices.get(f"{address}/ar").text
    assert 'name="body" rows="7" dir="ltr" lang="ja"' in alices.get(f"{address}/ja").text


def test_the_segments_of_a_text_share_one_direction(alices, address):
    answer = alices.post(
        f"{address}/ar/preview", {"body": "{code} " + "م" * 90}, headers={"HX-Request": "true"}
    )

    assert 'class="bubble is-cut" dir="auto"' in answer.text
    assert answer.text.count('<div class="bubble-part"><span>') == 2
    assert "2 of 2" in answer.text


@pytest.mark.parametrize(
    ("asked", "shown"),
    [
        ({"swap": "“"}, '"x” – {Code}'),
        ({"swap": "all"}, '"x" - {Code}'),
        ({"mend": "0"}, "“x” – {code}"),
        ({"mend": "7"}, "“x” – {Code}"),
        ({"mend": "x"}, "“x” – {Code}"),
        ({"swap": "😀"}, "“x” – {Code}"),
    ],
)
def test_without_javascript_a_button_swaps_in_the_text_and_saves_nothing(
    alices, address, session, shop, asked, shown
):
    text = alices.post(f"{address}/en/preview", {"body": "“x” – {Code}"} | asked).text

    assert f">\n{escape(shown)}</textarea>" in text
    assert versions(session, shop) == 1


def test_problems_are_marked_in_place_behind_the_text(alices, address):
    text = alices.post(
        f"{address}/en/preview", {"body": "Hi {Code} <b>"}, headers={"HX-Request": "true"}
    ).text

    marks = text.split('id="marks"')[1].split("</div>")[0]
    assert 'hx-swap-oob="true"' in marks
    assert marks.endswith(">Hi <mark>{Code}</mark> &lt;b&gt;")
    assert 'name="mend" value="0" data-from="3" data-to="9" data-with="{code}"' in text


def test_sample_values_stand_in_the_preview_and_nowhere_else(alices, address, session, shop):
    sent = {"body": "{app_name}: {code} ({minutes})", "sample_app_name": "Café <Б>", "sample_code": "0007"}
    text = alices.post(f"{address}/en/preview", sent | {"sample_minutes": "3"}).text

    assert "<span>Café &lt;Б&gt;: 0007 (3)</span>" in text
    assert 'value="Café &lt;Б&gt;"' in text
    assert versions(session, shop) == 1
    assert "Café" not in alices.get(f"{address}/en").text


def test_a_thousand_sends_cost_what_the_owner_pays_for_a_segment(alices, address, owner_context, shop):
    with owner_context() as ctx:
        segment_prices.set_to(ctx, {"JP": 7_900, "DE": 75_000})
    text = alices.post(f"{address}/en/preview", {"body": "{code}" + "x" * 160}).text

    assert "$15.80 per thousand to Japan" in text
    assert "Cost per thousand in 2 countries" in text
    assert "<dt>Germany</dt><dd>$150</dd>" in text


def test_tpl_05_who_saves_over_a_newer_version_is_told_and_keeps_the_text(alices, address, session, shop):
    alices.post(f"{address}/en", {"body": "Newer {code}", "based_on": "1"})
    answer = alices.post(f"{address}/en", {"body": "Older {code}", "based_on": "1"})

    assert answer.status_code == 422
    assert "since you looked. Nothing was changed." in answer.text
    assert "Older {code}</textarea>" in answer.text
    assert f'href="{address}/en/versions/2"' in answer.text
    assert versions(session, shop) == 2
    assert alices.post(f"{address}/en", {"body": "Older {code}", "based_on": "2"}).status_code == 303
    assert versions(session, shop) == 3


def test_a_long_note_is_refused_beside_it_and_loses_nothing(alices, address, session, shop):
    answer = alices.post(f"{address}/en", {"body": "Newer {code}", "note": "y" * 201})

    assert answer.status_code == 422
    assert "Shorten the note to 200 characters." in answer.text
    assert "Newer {code}</textarea>" in answer.text
    assert "y" * 201 in answer.text
    assert versions(session, shop) == 1


def test_tpl_04_the_preview_ends_with_the_lines_that_autofill_adds(alices, address, owner_context):
    with owner_context() as ctx:
        changes = AppChanges(web_autofill=True, web_domain="shop.example", android_hash="FA+9qCX9VSu")
        apps.change(ctx, changes)
    text = alices.get(f"{address}/en").text

    assert "\n\n@shop.example #482913" in text
    assert "FA+9qCX9VSu" not in text.split('id="preview"')[1]


@pytest.mark.parametrize("note", ["a\0b", "two\nlines"])
def test_a_note_with_control_characters_is_refused_and_loses_nothing(alices, address, session, shop, note):
    answer = alices.post(f"{address}/en", {"body": "Newer {code}", "note": note})

    assert answer.status_code == 422
    beside = answer.text.split('id="note-error"')[1]
    assert "Write the note in one line" in beside
    assert "Newer {code}</textarea>" in answer.text
    assert versions(session, shop) == 1
