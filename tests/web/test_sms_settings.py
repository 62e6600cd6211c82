"""Can an owner set what is added to an SMS, how long it may be, who approves it, and what it costs?"""

import re

import pytest
from sqlalchemy import select

from portal.core.roles import Role
from portal.models import App, AuditAction, AuditEntry, SegmentPrice
from portal.services import accounts, apps, segment_prices, sms_templates

SETTINGS = {
    "web_autofill": "y",
    "web_domain": "login.example.com",
    "android_autofill": "y",
    "android_hash": "FA+9qCX9VSu",
    "most_segments": "3",
    "currency": "JPY",
    "price_JP": "8.50",
}


@pytest.fixture
def address(shop) -> str:
    return f"/apps/{shop.id}/sms-settings"


@pytest.fixture
def stored(session, shop):
    """The app's settings and prices as they are stored now."""

    def read() -> tuple[App, dict[str, int]]:
        session.rollback()
        return session.get(App, shop.id, populate_existing=True), segment_prices.of(session, shop.id)

    return read


@pytest.fixture
def in_the_shop(transaction, context_for, shop):
    """`in_the_shop(verb)` is one transaction around `verb(ctx)`."""

    def do(verb):
        with transaction() as rows:
            return verb(context_for(rows).in_app(shop.id))

    return do


def refusal_at(page: str, field: str) -> str:
    """What stands beside a field."""
    return re.sub(r"<[^>]+>", "", page.split(f'id="{field}-error"')[1].split("</p>")[0].split(">", 1)[1])


def test_the_list_leads_to_the_settings_and_the_breadcrumb_back(alices, address, shop):
    assert f'href="{address}"' in alices.get(f"/apps/{shop.id}/sms-templates").text
    trail = alices.get(address).text.split('aria-label="Breadcrumb"')[1].split("</nav>")[0]
    assert f"/apps/{shop.id}/sms-templates" in trail


def test_everything_is_saved_at_once_and_audited(alices, address, stored, session, shop):
    assert alices.post(address, SETTINGS).location == address

    app, priced = stored()
    assert (app.web_autofill, app.web_domain) == (True, "login.example.com")
    assert (app.android_autofill, app.android_hash) == (True, "FA+9qCX9VSu")
    assert (app.most_segments, app.currency, priced) == (3, "JPY", {"JP": 8_500_000})
    actions = set(session.scalars(select(AuditEntry.action).where(AuditEntry.app_id == shop.id)))
    assert {AuditAction.APP_CHANGED, AuditAction.SEGMENT_PRICES_CHANGED} <= actions


def test_what_was_saved_stands_in_the_form_again_and_in_the_examples(alices, address):
    alices.post(address, SETTINGS)
    page = alices.get(address).text

    assert 'value="8.50"' in page
    assert "@login.example.com #482913" in page
    assert ">FA+9qCX9VSu</code>" in page
    assert '<option selected value="JPY">Japanese Yen (JPY)</option>' in page


def test_a_switch_that_goes_off_keeps_what_was_looked_up_for_it(alices, address, stored):
    alices.post(address, SETTINGS)
    alices.post(address, {name: value for name, value in SETTINGS.items() if not name.endswith("_autofill")})

    app, _ = stored()
    assert (app.web_autofill, app.web_domain) == (False, "login.example.com")
    assert (app.android_autofill, app.android_hash) == (False, "FA+9qCX9VSu")


def test_what_is_emptied_is_taken_away(alices, address, stored):
    alices.post(address, SETTINGS)
    emptied = {"web_domain": "", "android_hash": " ", "price_JP": ""}
    alices.post(address, {"most_segments": "2", "currency": "USD"} | emptied)

    app, priced = stored()
    assert (app.web_domain, app.android_hash, priced) == (None, None, {})


@pytest.mark.parametrize(
    ("field", "typed", "said"),
    [
        ("web_domain", "", "Write the domain that codes are filled in on"),
        ("web_domain", "https://example.com", "Leave out the https://"),
        ("web_domain", "localhost", "not localhost"),
        ("web_domain", "example.com/<script>", "Leave out the path"),
        ("web_domain", "\0", "host name"),
        ("android_hash", "", "Write the hash of the Android app"),
        ("android_hash", "short", "Write the 11 characters"),
        ("most_segments", "0", "Not a valid choice."),
        ("most_segments", "7", "Not a valid choice."),
        ("most_segments", "two", "could not coerce"),
        ("most_segments", "9" * 5000, "could not coerce"),
        ("currency", "XXX", "Not a valid choice."),
        ("price_JP", "cheap", "Write a price such as 0.0079."),
        ("price_JP", "-1", "Write a price such as 0.0079."),
        ("price_JP", "1,000", "Write 1000"),
        ("price_JP", "0.0000001", "at most six digits"),
        ("price_JP", "9" * 5000, "Write a price such as 0.0079."),
    ],
)
def test_a_refusal_stands_at_its_field_and_loses_nothing(alices, address, stored, field, typed, said):
    answer = alices.post(address, SETTINGS | {field: typed})

    assert answer.status_code == 422
    assert said in refusal_at(answer.text, field)
    assert "data-focus" in answer.text
    for name in {"web_domain", "android_hash", "price_JP"} - {field}:
        assert f'value="{SETTINGS[name]}"' in answer.text
    assert answer.text.count(" checked ") == 2
    assert "<script>" not in answer.text.split("<main")[1]
    app, priced = stored()
    assert (app.web_domain, app.most_segments, app.currency, priced) == (None, 2, "USD", {})


def test_tpl_02_autofill_that_makes_a_saved_text_too_long_is_refused_at_its_field(
    alices, address, in_the_shop, stored
):
    in_the_shop(lambda ctx: sms_templates.save(ctx, "ja", "字" * 60 + "{code}"))
    answer = alices.post(address, SETTINGS | {"most_segments": "1"})

    assert answer.status_code == 422
    assert "SMS template for ja needs too many segments" in refusal_at(answer.text, "most_segments")
    assert stored()[0].most_segments == 2


def test_who_owns_an_app_alone_is_told_and_refused_a_second_approver(alices, address, stored):
    assert "nobody could approve" in alices.get(address).text
    answer = alices.post(address, SETTINGS | {"sms_templates_need_approval": "y"})

    assert answer.status_code == 422
    assert "nobody could approve a change" in refusal_at(answer.text, "sms_templates_need_approval")
    assert 'value="login.example.com"' in answer.text
    assert stored()[0].sms_templates_need_approval is False


def test_two_owners_may_ask_for_each_others_approval(alices, address, stored, in_the_shop, charlie):
    in_the_shop(lambda ctx: accounts.join(ctx, charlie.id, Role.OWNER))
    assert "nobody could approve" not in alices.get(address).text

    assert alices.post(address, SETTINGS | {"sms_templates_need_approval": "y"}).status_code == 303
    assert stored()[0].sms_templates_need_approval is True


def test_each_open_country_has_a_price_and_so_has_each_that_was_priced(alices, address, in_the_shop):
    def opens(ctx):
        segment_prices.set_to(ctx, {"FR": 70_000})
        apps.change(ctx, apps.AppChanges(open_countries=frozenset({"DE", "JP"})))

    in_the_shop(opens)
    page = alices.get(address).text

    # The home country first, then by name.
    assert re.findall(r'name="price_([A-Z]{2})"', page) == ["JP", "FR", "DE"]
    assert re.search(r"France \(FR\) <span class=\"muted\">closed</span>", page)
    assert 'value="0.07"' in page


def test_a_price_that_the_page_did_not_show_is_left_alone(alices, address, in_the_shop, stored):
    in_the_shop(lambda ctx: segment_prices.set_to(ctx, {"FR": 70_000}))
    alices.post(address, SETTINGS | {"price_XX": "5", "price_DE": "6"})

    assert stored()[1] == {"FR": 70_000, "JP": 8_500_000}


def test_ten_05_support_neither_sees_nor_changes_the_settings(bobs, address, stored):
    assert bobs.get(address).status_code == 403
    assert bobs.post(address, SETTINGS).status_code == 403
    assert stored()[0].web_domain is None


def test_ten_02_strangers_find_nothing_and_change_nothing(charlies, address, stored, session):
    assert charlies.get(address).status_code == 404
    assert charlies.post(address, SETTINGS).status_code == 404
    assert session.scalars(select(SegmentPrice)).all() == []
