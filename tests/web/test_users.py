"""Can support find a person and see what logs in, without seeing the number? (PII-01)"""

import re

import pytest

from portal import clock
from portal.models import MessageState
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
    assert "phone number ending in 5678" in answer.text


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
    assert "24 hours left" in text or "23 hours left" in text
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
