"""Can an owner see what an SMS said before, and bring it back, without losing or overwriting anything?"""

import re

import pytest

from portal.models import SmsTemplateVersion
from portal.services import sms_templates
from tests import factories


@pytest.fixture
def address(shop) -> str:
    return f"/apps/{shop.id}/sms-templates/ja/versions"


@pytest.fixture
def save(shop, alice, transaction, context_for):
    """`save("{code}")` saves a Japanese wording of Alice's."""

    def do(body: str, note: str | None = None, locale: str = "ja") -> None:
        from portal.models import ActorKind
        from portal.services.context import Caller

        with transaction() as session:
            caller = Caller(ActorKind.ACCOUNT, shop.id, alice.id)
            sms_templates.save(context_for(session, caller), locale, body, note)

    return do


@pytest.fixture
def said(session, shop):
    """`said()` is what each version of the Japanese wording says, oldest first."""

    def look() -> list[str]:
        found = session.query(SmsTemplateVersion).filter_by(app_id=shop.id, locale="ja")
        return [each.body for each in found.order_by(SmsTemplateVersion.version)]

    return look


def rows(page: str) -> list[str]:
    """The text of each row of the list, tags taken out."""
    body = page.split("<tbody")[1].split("</tbody>")[0]
    return [" ".join(re.sub(r"<[^>]+>", " ", row).split()) for row in body.split("<tr ")[1:]]


def test_the_list_tells_who_saved_what_and_how_the_length_changed(alices, address, save):
    save("{code}")
    save("{code}" + "x" * 200, "Longer")
    save("{code}です")
    newest, middle, oldest = rows(alices.get(address).text)

    assert "Version 3" in newest
    assert "In force" in newest
    assert "2 to → 1 segment , UCS-2 now" in newest
    assert "Longer" in middle
    assert "1 to → 2 segments" in middle
    assert "now" not in middle.replace("just now", "")
    assert "1 segment" in oldest
    assert "→" not in oldest
    assert all("alice @example.com" in row for row in (newest, middle, oldest))


def test_what_nobody_signed_was_ringbacks(alices, shop):
    assert "Ringback" in rows(alices.get(f"/apps/{shop.id}/sms-templates/en/versions").text)[0]


def test_an_approved_version_names_both_owners(alices, address, session, shop, alice, bob, save):
    save("{code}")
    session.query(SmsTemplateVersion).filter_by(locale="ja").update({"approved_by": bob.id})

    (row,) = rows(alices.get(address).text)
    assert "alice @example.com approved by bob @example.com" in row
    assert "Approved by" in alices.get(f"{address}/1").text


def test_older_versions_are_a_page_away(alices, address, shop, session, save):
    save("{code}")
    for version in range(2, 53):
        factories.sms_template_version(session, app_id=shop.id, locale="ja", version=version)
    first = alices.get(address).text
    assert len(rows(first)) == 50
    older = re.search(r'href="([^"]+before=3)"', first)[1]

    assert ["Version 2" in row or "Version 1" in row for row in rows(alices.get(older).text)] == [True, True]
    assert "no older versions" in alices.get(f"{address}?before=1").text
    for odd in ("x", "-1", "0", "9" * 30):
        assert len(rows(alices.get(f"{address}?before={odd}").text)) == 50


def test_a_version_is_shown_beside_the_one_in_force_word_by_word(alices, address, save):
    save("Your code is {code}.")
    save("Your key is {code}.")
    page = alices.get(f"{address}/1").text

    assert '<del><span class="unseen" lang="en">removed: </span>key<span' in page
    assert '<ins><span class="unseen" lang="en">added: </span>code<span' in page
    assert "Version 2, in force" in page
    assert "Your code is 482913." in page
    assert "Restore version 1</button>" in page


def test_the_version_in_force_is_shown_beside_the_one_before_it(alices, address, save):
    save("Your code is {code}.")
    assert "It is the first version." in alices.get(f"{address}/1").text
    save("Your key is {code}.")
    page = alices.get(f"{address}/2").text

    assert "What it changed" in page
    assert "removed: </span>code<span" in page
    assert "Restore" not in page


def test_the_consequence_names_how_many_users_it_concerns(alices, address, save, session, shop):
    for locale in ("ja", "ja-JP", "fr"):
        factories.user(session, app_id=shop.id, locale=locale)
    save("{code}")
    save("{code}!")

    assert "It concerns new messages to 2 users who get Japanese." in alices.get(f"{address}/1").text


def test_restoring_makes_a_new_version_and_says_so(alices, address, save, said):
    save("{code} one")
    save("{code} two")
    answer = alices.post(f"{address}/1/restoration", {"based_on": "2"})

    assert (answer.status_code, answer.location) == (303, address)
    assert "Restored version 1 as version 3. New messages use it." in alices.get(address).text
    assert said() == ["{code} one", "{code} two", "{code} one"]


def test_a_restoration_beside_another_version_is_shown_again_beside_the_new_one(alices, address, save, said):
    save("{code} one")
    save("{code} two")
    save("{code} three")
    answer = alices.post(f"{address}/1/restoration", {"based_on": "2"})

    assert answer.status_code == 422
    assert "Version 3 was saved since you looked" in answer.text
    assert 'name="based_on" value="3"' in answer.text
    assert len(said()) == 3


def test_tpl_02_a_version_that_is_too_long_by_now_is_refused_with_the_reason(
    alices, address, save, said, session, shop
):
    save("{code}" + "x" * 200)
    save("{code}")
    session.get(type(shop.app), shop.id).most_segments = 1
    session.flush()
    answer = alices.post(f"{address}/1/restoration", {"based_on": "2"})

    assert answer.status_code == 422
    assert "This text needs 2 segments an SMS." in answer.text
    assert "data-focus" in answer.text
    assert len(said()) == 2


def test_tpl_01_a_version_that_breaks_a_newer_rule_is_refused_with_the_fix(
    alices, address, save, session, said
):
    save("{code}")
    save("{code}!")
    session.query(SmsTemplateVersion).filter_by(locale="ja", version=1).update({"body": "no code"})
    answer = alices.post(f"{address}/1/restoration")

    assert answer.status_code == 422
    assert "Put {code} where the code should stand." in answer.text
    assert len(said()) == 2


def test_a_removed_template_is_brought_back_from_its_versions(alices, address, save, shop):
    save("{code} one")
    alices.post(f"/apps/{shop.id}/sms-templates/ja/removal")
    assert "was removed" in alices.get(address).text
    page = alices.get(f"{address}/1").text
    assert "There is no Japanese template now." in page
    assert 'name="based_on" value="0"' in page

    assert alices.post(f"{address}/1/restoration", {"based_on": "0"}).status_code == 303
    assert "In force" in rows(alices.get(address).text)[0]


def test_where_a_second_owner_decides_the_button_and_the_notice_say_so(
    alices, address, save, session, shop, said
):
    save("{code} one")
    save("{code} two")
    session.get(type(shop.app), shop.id).sms_templates_need_approval = True
    session.flush()
    assert "waits as a draft" in alices.get(f"{address}/1").text
    alices.post(f"{address}/1/restoration", {"based_on": "2"})
    page = alices.get(address).text

    assert "Version 1 waits as a draft for another owner." in page
    assert "See the draft" in page
    assert len(said()) == 2


def test_web_05_what_was_written_is_never_markup(alices, address, save):
    save("<b>one</b> {code}", "<i>note</i>")
    save("<script>two</script> {code}")
    for page in (alices.get(address).text, alices.get(f"{address}/1").text, alices.get(f"{address}/2").text):
        assert "<b>" not in page
        assert "<i>note" not in page
        assert "<script>two" not in page


@pytest.mark.parametrize("path", ["/sms-templates/fr/versions", "/sms-templates/ja/versions/7"])
@pytest.mark.parametrize("last", ["", "0", "99999999999999999999"])
def test_what_never_was_is_not_there(alices, shop, save, path, last):
    save("{code}")

    assert (
        alices.get(f"/apps/{shop.id}{path}{last and '/' + last if 'fr' in path else last}").status_code == 404
    )


def test_a_version_that_never_was_is_not_restored(alices, address, save):
    save("{code}")

    for version in ("0", "9", "99999999999999999999"):
        assert alices.post(f"{address}/{version}/restoration").status_code == 404


def test_a_locale_is_found_in_any_spelling(alices, shop, save):
    save("{code}", locale="pt-BR")

    assert alices.get(f"/apps/{shop.id}/sms-templates/PT_br/versions").status_code == 200


def test_ten_05_support_sees_no_version_and_restores_none(bobs, address, save, said):
    save("{code} one")
    save("{code} two")

    assert bobs.get(address).status_code == 403
    assert bobs.get(f"{address}/1").status_code == 403
    assert bobs.post(f"{address}/1/restoration").status_code == 403
    assert len(said()) == 2


def test_ten_02_a_stranger_finds_nothing(charlies, address, save, said):
    save("{code} one")
    save("{code} two")

    assert charlies.get(address).status_code == 404
    assert charlies.get(f"{address}/1").status_code == 404
    assert charlies.post(f"{address}/1/restoration").status_code == 404
    assert len(said()) == 2
