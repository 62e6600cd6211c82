"""Can support find a person and see what logs in, without seeing the number? (PII-01)"""

import re
from dataclasses import replace
from functools import partial
from html import unescape
from urllib.parse import parse_qs, unquote, urlsplit

import pytest
from sqlalchemy import select

from portal import clock
from portal.models import AuditAction, AuditEntry, MessageState
from tests import factories


@pytest.fixture
def address(shop) -> str:
    return f"/apps/{shop.id}/users"


def found(text: str) -> list[str]:
    return re.findall(r'row-target row-name" href="[^"]+"><bdi hx-disable>([^<]*)', text)


def many(session, shop, count: int) -> None:
    for number in range(count):
        factories.user(
            session, app_id=shop.id, login_name=f"user{number:03}", created_at=clock.now() + number
        )


def test_support_finds_a_user_by_the_last_four_digits(bobs, address, customer):
    answer = bobs.get(f"{address}?q=5678")

    assert found(answer.text) == ["田中 花子"]
    assert "phone number with 5678 in it" in answer.text
    assert answer.text.count('<span class="row-match">matches</span>') == 1


def test_support_finds_a_user_by_the_end_of_the_pending_number(bobs, address, customer):
    assert found(bobs.get(f"{address}?q=4321").text) == ["田中 花子"]


def test_pii_01_no_page_holds_more_than_the_last_four_digits(alices, bobs, address, customer, session):
    factories.message(session, app_id=customer.app_id, user_id=customer.id, phone_number="+819012345678")
    for browser in (alices, bobs):
        for path in (address, f"{address}/{customer.id}"):
            text = browser.get(path).text
            assert not re.search(r"9012345678|8087654321|12345678|87654321", text)
            assert "+81 ••• •••• 5678" in text


def test_the_user_page_shows_current_and_pending_and_what_logs_in(bobs, address, customer):
    text = bobs.get(f"{address}/{customer.id}").text

    assert (
        text.index("<h3>Current</h3>")
        < text.index("5678")
        < text.index("<h3>Pending</h3>")
        < text.index("4321")
    )
    assert "24 hours left" in text
    assert '<strong>Right now <span class="phone-number">+81 ••• •••• 5678</span> logs in.</strong>' in text


@pytest.mark.parametrize(
    ("columns", "said"),
    [
        ({"disabled": True}, "Nothing logs in right now: this user is disabled."),
        ({"phone_number": "+819011112222"}, "Right now only the login name logs in."),
        (
            {"login_name": None, "email_address": "x@example.com"},
            "Right now only the e-mail address logs in.",
        ),
        ({"email_address": "x@example.com"}, "Right now only the login name and the e-mail address log in."),
        ({"login_name": None, "phone_number": "+819011112222"}, "Nothing logs in by password right now."),
    ],
)
def test_the_user_page_says_what_logs_in(bobs, address, shop, session, columns, said):
    user = factories.user(session, app_id=shop.id, **columns)

    assert said in bobs.get(f"{address}/{user.id}").text


def test_a_pending_number_that_ran_out_is_not_pending(bobs, address, customer, session):
    customer.pending_until = clock.now() - 1
    session.flush()

    assert "<h3>Pending</h3>" not in bobs.get(f"{address}/{customer.id}").text


def test_the_user_page_says_why_a_message_was_not_sent(bobs, address, customer, session):
    own = {"app_id": customer.app_id, "user_id": customer.id}
    factories.message(session, **own, state=MessageState.FAILED, reason="provider_refused")
    text = bobs.get(f"{address}/{customer.id}").text

    assert "Failed" in text
    assert "The provider refused the message." in text


def test_fifty_rows_come_at_a_time_by_a_link_that_htmx_follows_by_itself(bobs, address, shop, session):
    many(session, shop, 120)
    first = bobs.get(address).text
    more = re.search(r'href="([^"]+after=[^"]+)"', first)[1].replace("&amp;", "&")
    second = bobs.fragment(more, "users_rows_x").text

    assert len(found(first)) == len(found(second)) == 50
    assert not set(found(first)) & set(found(second))
    assert second.lstrip().startswith("<tbody")
    assert second.strip() in bobs.get(more).text
    assert 'hx-trigger="revealed, click"' in first


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("verified=yes", {"v"}),
        ("verified=no", {"n"}),
        ("pending=yes", {"p"}),
        ("status=disabled", {"d"}),
        ("status=active", {"v", "n", "p"}),
        ("verified=yes&status=disabled", set()),
        ("verified=nonsense&status=%00", {"v", "n", "p", "d"}),
    ],
)
def test_the_filters_stand_in_the_address(bobs, address, shop, session, query, names):
    number = factories.phone_number
    factories.user(session, app_id=shop.id, login_name="v", phone_number=number(), phone_number_verified=True)
    factories.user(session, app_id=shop.id, login_name="n", phone_number=number())
    factories.user(session, app_id=shop.id, login_name="p", pending_phone_number=number())
    factories.user(session, app_id=shop.id, login_name="d", disabled=True)

    assert set(found(bobs.get(f"{address}?{query}").text)) == names


def test_a_chip_keeps_the_search_and_takes_itself_back(bobs, address, customer):
    text = bobs.get(f"{address}?q=5678&verified=yes").text

    assert f'href="{address}?q=5678" aria-current="true"' in text
    assert f'href="{address}?q=5678&amp;verified=yes&amp;pending=yes"' in text
    assert f'<a class="btn btn-quiet" href="{address}">' in text


def test_an_app_without_users_says_how_they_come(alices, bobs, address):
    assert "Nobody has signed up yet." in bobs.get(address).text
    assert "See the access keys" not in bobs.get(address).text
    assert "See the access keys" in alices.get(address).text


def test_a_search_that_finds_nobody_offers_to_clear(bobs, address, customer):
    assert "No user matches" in bobs.get(f"{address}?q=9999").text


@pytest.mark.parametrize(
    "q", ["\0", "x" * 10_000, "%00", "'; drop table", "＋８１", "٠٩٠", "\u202e", "()[]*"]
)
def test_a_search_bears_whatever_is_typed(bobs, address, customer, q):
    assert bobs.get(address, query_string={"q": q}).status_code == 200


def test_a_page_key_that_is_not_ours_is_refused(bobs, address):
    assert bobs.get(f"{address}?after=nonsense").status_code == 422


def test_ten_02_a_user_of_another_app_is_not_there(bobs, address, session):
    theirs = factories.user(session)

    assert bobs.get(f"{address}/{theirs.id}").status_code == 404


# --- Whole numbers: taken in a body, never put into an address (PII-01) ------------------------------------

WHOLE = ["+819012345678", "+81 90-1234-5678", "090 1234 5678", "＋８１９０１２３４５６７８"]
WHOLE_PENDING = ["+818087654321", "080-8765-4321"]
NOBODYS = [
    "+819000001234",
    "212345678",
    "090-0000-1234",
    "+15555551234",
    "9" * 40,
]
# Numbers hide in names and addresses too; what is no whole term of anybody's is cut.
WITH_DIGITS = ["tanaka1234567", "09012345678@docomo.example", "x" * 200 + "0123456789", "1a2b3c4d5e6f7g8h"]


def digits(url: str) -> int:
    """How many digits the part of an address holds that somebody typed."""
    return sum(char.isdigit() for char in parse_qs(urlsplit(url).query).get("q", [""])[0])


def looked_up(browser, address, q, **filters) -> str:
    """Where a search leads; the address must hold no whole number, encoded or not."""
    answer = browser.post(address, {"q": q} | filters)
    assert answer.status_code == 303
    assert digits(answer.location) <= 6
    assert not re.search(r"[0-9]{7}", unquote(urlsplit(answer.location).query))
    return answer.location


@pytest.mark.parametrize("q", WHOLE + WHOLE_PENDING)
def test_a_whole_number_leads_straight_to_its_user_and_stands_in_no_address(bobs, address, customer, q):
    assert looked_up(bobs, address, q) == f"{address}/{customer.id}"


def test_a_whole_number_leads_to_its_user_whatever_the_filters(bobs, address, customer):
    assert looked_up(bobs, address, WHOLE[0], verified="no") == f"{address}/{customer.id}"


def test_htmx_is_led_to_the_user_by_its_own_header(bobs, address, customer):
    answer = bobs.post(address, {"q": WHOLE[0]}, headers={"HX-Request": "true"})

    assert (answer.status_code, answer.headers["HX-Redirect"]) == (200, f"{address}/{customer.id}")


@pytest.mark.parametrize("q", [*NOBODYS, *WITH_DIGITS])
def test_a_long_term_of_nobodys_leads_to_a_short_one_and_is_said_to_be_cut(bobs, address, customer, q):
    location = looked_up(bobs, address, q, verified="yes", status="active")
    page = bobs.get(location)

    assert "verified=yes" in location
    assert "status=active" in location
    assert page.status_code == 200
    nobody = r"No user has (a number with all of those digits|exactly that)\. (Looked for|Showing)"
    assert re.search(rf'id="understood"[^>]*> ?{nobody}', page.text)


def test_a_whole_number_of_nobodys_is_looked_for_by_its_last_six_digits(bobs, address, customer, session):
    factories.user(session, app_id=customer.app_id, login_name="near", phone_number="+818077345678")
    location = looked_up(bobs, address, "+819055345678")
    page = bobs.get(location).text

    assert location == f"{address}?q=345678&whole=no-number"
    assert found(page) == ["near", "田中 花子"]
    said = "No user has a number with all of those digits. Looked for: <strong><bdi>phone number with 345678"
    assert said in page


def test_a_number_of_two_users_leads_to_both(bobs, address, customer, session):
    factories.user(session, app_id=customer.app_id, login_name="next", pending_phone_number="+819012345678")
    location = looked_up(bobs, address, "+819012345678")
    page = bobs.get(location).text

    assert location == f"{address}?q=345678&whole=several"
    assert sorted(found(page)) == ["next", "田中 花子"]
    assert "More than one user matches all of that." in page


def test_a_long_part_of_a_number_leads_to_its_only_holder(bobs, address, customer):
    assert looked_up(bobs, address, "+81 90 123") == f"{address}/{customer.id}"
    assert looked_up(bobs, address, "9012 3456") == f"{address}/{customer.id}"


def test_ten_08_each_look_up_of_a_number_is_on_record_and_no_pause_in_typing_is(
    bobs, address, customer, session
):
    typing = {"HX-Request": "true", "HX-Trigger": "q", "HX-Target": "results"}
    for q in ("567", "5678", "+819012345678"):
        bobs.post(address, {"q": q}, headers=typing)
    bobs.get(f"{address}?q=5678")
    bobs.post(address, {"q": "+819012345678"})
    bobs.get(f"{address}?q=hanako")

    entries = session.scalars(
        select(AuditEntry).where(AuditEntry.action == AuditAction.NUMBER_LOOKED_UP)
    ).all()
    assert [entry.details for entry in entries] == [{"digits": 4}, {"digits": 12}]


def test_ten_08_beyond_the_hourly_cap_the_page_says_when_it_goes_on(app, bobs, address, customer):
    parts = app.extensions["ringback"]
    app.extensions["ringback"] = replace(parts, profile=replace(parts.profile, look_ups_per_hour=2))
    for _ in range(2):
        assert bobs.get(f"{address}?q=5678").status_code == 200
    for answer in (bobs.get(f"{address}?q=5678"), bobs.post(address, {"q": "+819012345678"})):
        assert answer.status_code == 429
        assert 3500 < int(answer.headers["Retry-After"]) <= 3600
        assert "You looked up as many numbers as allowed in an hour." in answer.text
        assert "The next one is possible in 1 hour." in answer.text or "60 minutes." in answer.text
        assert found(answer.text) == []
    assert found(bobs.get(f"{address}?q=hanako").text) == ["田中 花子"]


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("country=JP", {"jp"}),
        ("country=jp&locale=ja", {"jp"}),
        ("locale=ja_JP", {"old"}),
        ("country=ZZ", {"jp", "gb", "old"}),
        ("since=2026-01-01", {"jp", "gb"}),
        ("until=2025-12-31", {"old"}),
        ("since=2025-12-31&until=2025-12-31", set()),
        ("since=2025-12-30&until=2025-12-30", {"old"}),
        ("since=yesterday&until=2026-13-45", {"jp", "gb", "old"}),
        ("since=0001-01-01&until=9999-12-31", {"jp", "gb", "old"}),
    ],
)
def test_country_language_and_days_stand_in_the_address_too(bobs, address, shop, session, query, names):
    day = 1_767_052_800_000  # 2025-12-30, 00:00 UTC
    user = partial(factories.user, session, app_id=shop.id)
    user(login_name="jp", phone_number="+819011112222", locale="ja")
    user(login_name="gb", phone_number="+447400123456", locale="en-GB")
    user(login_name="old", locale="ja_JP", created_at=day + 5)

    assert set(found(bobs.get(f"{address}?{query}").text)) == names


def test_the_filters_offer_what_there_is_and_each_can_be_taken_away(bobs, address, shop, session):
    factories.user(session, app_id=shop.id, phone_number="+447400123456", locale="en-GB")
    text = bobs.get(f"{address}?country=GB&locale=en-GB&since=2026-01-01").text

    assert '<option value="GB" selected>United Kingdom (GB)</option>' in text
    assert '<option value="en-GB" selected>' in text
    assert f'href="{address}?locale=en-GB&amp;since=2026-01-01" aria-current="true"' in text
    assert f'href="{address}?country=GB&amp;since=2026-01-01" aria-current="true"' in text


def test_a_pending_number_stands_below_the_current_one(bobs, address, customer):
    text = bobs.get(f"{address}?q=4321").text

    assert text.index("5678</span>") < text.index("4321</span>")
    waits = text.split('class="row-pending"')[1]
    assert '<span class="row-match">matches</span>' in waits.split("</td>")[0]


def test_a_short_beginning_finds_everybody_it_fits(bobs, address, customer, session):
    factories.user(session, app_id=customer.app_id, login_name="near", phone_number="+819012399999")

    assert sorted(found(bobs.get(f"{address}?q=%2B8190").text)) == ["near", "田中 花子"]


def test_names_with_many_digits_are_looked_for_by_their_beginning(bobs, address, shop, session):
    for name in ("user12345678", "user12345679", "user99"):
        factories.user(session, app_id=shop.id, login_name=name)
    location = looked_up(bobs, address, "user1234567")

    assert location == f"{address}?q=user123456&whole=several"
    assert sorted(found(bobs.get(location).text)) == ["user12345678", "user12345679"]


@pytest.mark.parametrize("q", ["5678", "田中 花子", "hanako", "hana@example.com", "user123456", "+8190", ""])
def test_a_short_term_goes_into_the_address_as_before(bobs, address, customer, q):
    location = looked_up(bobs, address, f" {q} ", pending="yes")

    assert parse_qs(urlsplit(location).query) == {"pending": ["yes"]} | ({"q": [q]} if q else {})


def test_a_user_id_may_stand_in_an_address(bobs, address, customer):
    other = "012345678901-4abc-8abc-abcd-01234567"

    assert bobs.get(f"{address}?q={customer.id}").status_code == 200
    assert bobs.post(address, {"q": other}).location == f"{address}?q={other}"


def test_an_address_with_a_whole_number_is_answered_with_a_short_one(bobs, address, customer):
    for q in [*WHOLE, *NOBODYS, *WITH_DIGITS]:
        asked = {"q": q, "verified": "yes"}
        page = bobs.get(address, query_string=asked)
        fragment = bobs.get(address, query_string=asked, headers={"HX-Request": "true"})

        assert (page.status_code, fragment.status_code) == (303, 200)
        assert page.location == fragment.headers["HX-Redirect"] == looked_up(bobs, address, **asked)


def test_chips_after_a_whole_number_hold_the_short_term(bobs, address, customer):
    page = bobs.get(looked_up(bobs, address, "+819055345678")).text

    assert f'href="{address}?q=345678&amp;verified=yes"' in page
    assert "55345678" not in page


def test_who_is_still_typing_stays_on_the_page_and_the_address_stays_short(bobs, address, customer):
    typing = {"HX-Request": "true", "HX-Trigger": "q", "HX-Target": "results"}
    for q in WITH_DIGITS[:1] + WITH_DIGITS[2:]:
        answer = bobs.post(address, {"q": q, "pending": "yes"}, headers=typing)
        links = re.findall(r'(?:href|hx-get)="([^"]+)"', answer.text)

        assert answer.status_code == 200
        assert 'id="results"' in answer.text
        assert "Press Enter to look for all of it." in answer.text
        assert "pending=yes" in answer.headers["HX-Replace-Url"]
        assert all(digits(unescape(link)) <= 6 for link in [*links, answer.headers["HX-Replace-Url"]])


@pytest.mark.parametrize("q", ["567", "5678", "1", "12", "+8", *WHOLE, *WHOLE_PENDING])
def test_who_types_a_number_is_told_what_enter_does_and_nothing_is_looked_up(bobs, address, customer, q):
    answer = bobs.post(address, {"q": q}, headers={"HX-Request": "true", "HX-Trigger": "q"})

    assert (answer.status_code, answer.headers["HX-Retarget"]) == (200, "#understood")
    assert ("Press Enter to look this phone number up." in answer.text) is (len(q) > 2)
    assert "HX-Replace-Url" not in answer.headers
    assert "田中" not in answer.text


def test_who_types_a_short_term_sees_what_it_finds(bobs, address, customer):
    answer = bobs.post(address, {"q": "hana"}, headers={"HX-Request": "true", "HX-Trigger": "q"})

    assert found(answer.text) == ["田中 花子"]
    assert answer.headers["HX-Replace-Url"] == f"{address}?q=hana"
    assert 'data-news="1 user shown"' in answer.text
    assert "Press Enter" not in answer.text


def test_the_form_works_without_scripts_and_keeps_the_filters(bobs, address, customer):
    form = bobs.get(f"{address}?q=5678&verified=yes").text.split('role="search"')[1].split("</form>")[0]

    assert 'name="csrf_token"' in form
    assert '<input type="hidden" name="verified" value="yes">' in form
    assert f'method="post" action="{address}"' in bobs.get(address).text
    assert "hx-get" not in form


def test_web_03_no_search_is_taken_without_the_token_of_its_session(bobs, address, customer):
    assert bobs.client.post(address, data={"q": WHOLE[0]}).status_code == 400


def test_the_sign_in_page_does_not_repeat_a_whole_number(stranger, address):
    long = stranger.get(address, query_string={"q": WHOLE[0], "verified": "yes"})
    short = stranger.get(address, query_string={"q": "5678"})

    assert long.location == f"/sign-in?next={address}"
    assert unquote(short.location) == f"/sign-in?next={address}?q=5678"


@pytest.mark.parametrize("number", ["819012345678", "090-1234-5678"])
@pytest.mark.parametrize(
    "asked", ["users?locale={}", "audit?user={}", "audit?account={}", "messages?reason={}"]
)
def test_pii_01_no_page_leads_back_to_an_address_with_a_number(stranger, bobs, shop, asked, number):
    path = f"/apps/{shop.id}/{asked.format(number)}"

    assert number not in bobs.get(path).text
    assert unquote(stranger.get(path).location) == f"/sign-in?next={path.partition('?')[0]}"


def test_a_day_in_an_address_is_no_phone_number(bobs, stranger, address):
    assert f'value="{address}?since=2026-11-23"' in bobs.get(f"{address}?since=2026-11-23").text
    assert unquote(stranger.get(f"{address}?since=2026-11-23").location).endswith("since=2026-11-23")


def test_a_user_without_a_number_has_an_empty_state_so_that_nothing_is_indented(bobs, address, shop, session):
    factories.user(session, app_id=shop.id, login_name="plain")

    assert '<td role="cell"></td>' in bobs.get(address).text


def test_of_two_numbers_the_one_that_waits_is_marked_once(bobs, shop, customer):
    page = bobs.get(f"/apps/{shop.id}/users").text

    assert page.count('class="row-pending"') == 1
    assert '<span class="unseen">pending </span></span><span class="phone-number">+81 ••• •••• 4321' in page
