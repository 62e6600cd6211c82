"""Can an owner set carriers up, and does nobody ever see their secrets again?"""

import re
import threading
from html import unescape

import pytest
from sqlalchemy import select, update

from portal.core import credentials
from portal.core.reasons import Reason
from portal.delivery.providers.base import ProviderRefused, ProviderUnreachable
from portal.models import Account, App, AuditEntry, Message, Provider
from portal.web import provider_checks
from tests import factories
from tests.web.carrier_kinds import KEY, SECRET, TYPED, carrier

__all__ = ["carrier"]


@pytest.fixture
def address(shop, carrier) -> str:
    return f"/apps/{shop.id}/provider"


@pytest.fixture
def added(alices, address, session):
    """`added(label)` is one more provider, as the page adds it."""

    def add(label: str = "Tea carrier", **typed: str) -> Provider:
        answer = alices.post(f"{address}/new/http", TYPED | {"label": label} | typed)
        assert answer.status_code == 303, refusals(answer.text)
        return session.get(Provider, answer.location.rpartition("/")[2])

    return add


@pytest.fixture
def stored(session):
    """A provider's row as it is now."""
    return lambda it: session.get(Provider, it.id, populate_existing=True)


def plain(html: str) -> str:
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", "", html))).strip()


def main(page: str) -> str:
    return plain(page.split("<main")[1].split(">", 1)[1])


def refusals(page: str) -> dict[str, str]:
    """What stands beside each field."""
    found = re.findall(r'<p class="field-error" id="([a-z_]+)-error">(.*?)</p>', page, re.DOTALL)
    return {field: plain(text) for field, text in found}


def seen(page: str) -> str:
    return re.search(r'name="seen" type="hidden" value="([^"]*)"', page)[1]


def labels(page: str) -> list[str]:
    return [plain(found) for found in re.findall(r"<h3>.*?<bdi hx-disable>(.*?)</bdi>", page, re.DOTALL)]


def test_without_a_provider_there_is_one_thing_to_do(alices, address):
    page = alices.get(address).text

    assert "No provider yet." in main(page)
    assert page.count(f'href="{address}/new"') == 1
    assert f'href="{address}/live"' not in page


def test_a_provider_is_added_sealed_and_stands_in_the_list(alices, address, added, keys, shop):
    it = added()

    assert (it.app_id, it.kind, it.label, it.position, it.is_on) == (shop.id, "http", "Tea carrier", 1, True)
    assert it.settings == {"url": "https://sms.example/send", "sender": "Shop", "charset": "gsm"}
    assert SECRET.encode() not in it.sealed
    opened = credentials.open_up(keys.sealing, shop.id, it.id, it.sealing_key_version, it.sealed)
    assert opened == {"password": SECRET}
    page = alices.get(address).text
    assert labels(page) == ["Tea carrier"]
    assert "No SMS taken yet." in main(page)
    assert f'href="{address}/live"' in page


def test_ops_05_no_page_and_no_audit_entry_ever_holds_a_secret(alices, address, added, session):
    it = added(secret_signing_key=KEY)
    one = f"{address}/{it.id}"
    changed = TYPED | {"seen": seen(alices.get(one).text), "carrier_url": "nonsense"}
    pages = [alices.get(path) for path in (address, one, f"{one}/removal", f"{address}/live")]
    pages += [alices.post(one, changed), alices.post(f"{one}/check"), alices.get(f"/apps/{it.app_id}/audit")]

    for page in pages:
        assert page.status_code in (200, 422)
        for secret in (SECRET, KEY.split("\n")[1]):
            assert secret not in page.text
    assert "Stored, last four 9931." in pages[1].text
    entries = str([each.details for each in session.scalars(select(AuditEntry))])
    assert SECRET not in entries
    assert "MIIB" not in entries


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        ({"label": " "}, {"label": "Give the provider a name, such as Twilio Japan."}),
        ({"carrier_url": ""}, {"carrier_url": "Address is missing."}),
        ({"carrier_url": "ftp://x"}, {"carrier_url": "Write an address such as https://sms.example/send."}),
        (
            {"carrier_url": "http://127.0.0.1/x"},
            {"carrier_url": "Write a public address: this one is private."},
        ),
        ({"carrier_sender": "!"}, {"carrier_sender": "Up to 15 letters and digits."}),
        ({"carrier_charset": "utf-9"}, {"carrier_charset": "Not a valid choice."}),
        ({"secret_password": ""}, {"secret_password": "Password is missing."}),
        ({"carrier_template": "x" * 2_001}, {"carrier_template": "Up to 2,000 characters."}),
    ],
)
def test_a_refusal_stands_at_its_field_and_only_secrets_are_typed_again(
    alices, address, typed, told, session
):
    answer = alices.post(f"{address}/new/http", TYPED | typed)

    again = (
        {}
        if "secret_password" in typed
        else {"secret_password": "Type this again: a secret is not sent back to your browser."}
    )
    found = refusals(answer.text)
    assert answer.status_code == 422
    assert {name: text for name, text in found.items() if name in told} | again == told | again
    assert set(found) == set(told) | set(again)
    for name in {"label", "carrier_url", "carrier_sender"} - set(typed):
        assert f'value="{TYPED[name]}"' in answer.text
    assert SECRET not in answer.text
    assert session.scalars(select(Provider)).all() == []


def test_several_refusals_stand_there_at_once(alices, address):
    answer = alices.post(f"{address}/new/http", TYPED | {"carrier_sender": "!", "carrier_url": "x"})

    assert {"carrier_sender", "carrier_url", "secret_password"} == set(refusals(answer.text))


def test_settings_are_changed_and_a_secret_left_empty_stays(alices, address, added, stored, keys):
    it = added()
    one = f"{address}/{it.id}"
    changes = TYPED | {"secret_password": "", "carrier_sender": "House", "seen": seen(alices.get(one).text)}
    assert alices.post(one, changes).location == one

    after = stored(it)
    assert after.settings["sender"] == "House"
    assert after.sealed == it.sealed
    assert 'value="House"' in alices.get(one).text


def test_a_secret_is_replaced_and_one_that_is_not_needed_taken_away(alices, address, added, stored, keys):
    it = added(secret_signing_key=KEY)
    one = f"{address}/{it.id}"
    new = {"secret_password": "another-secret-77", "forget_signing_key": "y"}
    alices.post(one, TYPED | new | {"seen": seen(alices.get(one).text)})

    after = stored(it)
    opened = credentials.open_up(keys.sealing, it.app_id, it.id, after.sealing_key_version, after.sealed)
    assert opened == {"password": "another-secret-77"}
    assert "last four t-77" in alices.get(one).text


def test_ops_05_a_new_address_wants_the_stored_secret_typed_again(alices, address, added, stored):
    it = added()
    one = f"{address}/{it.id}"
    moved = TYPED | {"carrier_url": "https://elsewhere.example", "secret_password": ""}
    answer = alices.post(one, moved | {"seen": seen(alices.get(one).text)})

    assert answer.status_code == 422
    assert refusals(answer.text) == {"secret_password": "Type this again: where it is sent to has changed."}
    assert stored(it).settings["url"] == TYPED["carrier_url"]


def test_who_saves_over_somebody_elses_change_is_told_and_keeps_what_was_typed(
    alices, address, added, stored
):
    it = added()
    one = f"{address}/{it.id}"
    stale = seen(alices.get(one).text)
    alices.post(one, TYPED | {"label": "First", "secret_password": "", "seen": stale})
    answer = alices.post(one, TYPED | {"label": "Second", "secret_password": "", "seen": stale})

    assert answer.status_code == 422
    assert "Somebody else changed this provider since you looked." in main(answer.text)
    assert 'value="Second"' in answer.text
    assert stored(it).label == "First"
    alices.post(one, TYPED | {"label": "Second", "secret_password": "", "seen": seen(answer.text)})
    assert stored(it).label == "Second"


def test_the_list_tells_how_each_fares(alices, address, added, session, shop, clock):
    one, two, three = added("One"), added("Two"), added("Three")
    at = clock.now()
    failed = {"last_failure_at": at - 60_000, "last_failure_reason": Reason.PROVIDER_UNREACHABLE}
    paused = failed | {"paused_until": at + 9_000, "failures_in_row": 5}
    session.execute(update(Provider).where(Provider.id == one.id).values(paused))
    session.execute(update(Provider).where(Provider.id == three.id).values(is_on=False, last_success_at=at))
    for state in ("delivered", "delivered", "sent", "dead"):
        factories.message(session, app_id=shop.id, state=state, provider_id=two.id, created_at=at)
    text = main(alices.get(address).text)

    assert "Paused after 5 failures in a row until " in text
    assert "Meanwhile Two takes its messages." in text
    assert "Last failure 1 minute ago: The provider could not be reached." in text
    assert "Last 24 hours: 2 delivered, 1 sent without a receipt, 1 set aside." in text
    assert "Last SMS taken just now." in text
    assert re.search(r"Three −? ?Off|Three Off", text)


def test_they_are_moved_by_buttons_and_only_as_they_were_seen(alices, address, added):
    ids = [added(label).id for label in ("One", "Two", "Three")]
    page = alices.get(address).text
    stale = re.search(r'name="seen" value="([^"]+)"', page)[1]
    moved = alices.post(
        f"{address}/{ids[2]}/place", {"direction": "up", "seen": stale}, headers={"HX-Request": "true"}
    )

    assert labels(moved.text) == ["One", "Three", "Two"]
    assert "is number 2 now." in moved.text.split("data-news=")[1]
    refused = alices.post(
        f"{address}/{ids[0]}/place", {"direction": "down", "seen": stale}, headers={"HX-Request": "true"}
    )
    assert "Somebody else changed the order since you looked." in refused.text
    assert labels(refused.text) == ["One", "Three", "Two"]
    assert alices.post(f"{address}/{ids[0]}/place", {"direction": "up", "seen": stale}).location == address


def test_they_are_switched_with_a_word_on_what_that_does(alices, address, added, stored, session, shop):
    one, _two = added("One"), added("Two")
    session.execute(update(App).where(App.id == shop.id).values(mode="live", provider="carriers"))
    assert "Switching off: Two takes its messages." in main(alices.get(address).text)
    answer = alices.post(f"{address}/{one.id}/switch", {}, headers={"HX-Request": "true"})

    assert stored(one).is_on is False
    assert "Switching off leaves no provider: no SMS would reach the 0 users" in plain(answer.text)
    assert alices.post(f"{address}/{one.id}/switch", {"on": "y"}).location == address
    assert stored(one).is_on is True


def test_removing_says_what_happens_to_whom_before_it_happens(alices, address, added, session, shop, stored):
    one, two = added("One"), added("Two")
    session.execute(update(App).where(App.id == shop.id).values(mode="live", provider="carriers"))
    factories.message(session, app_id=shop.id, due_at=2**50)
    factories.message(session, app_id=shop.id, state="sent", provider_id=one.id)
    page = alices.get(f"{address}/{one.id}/removal").text

    assert "The message that waits now leaves through Two." in main(page)
    assert "1 SMS that it took in the last 24 hours has no receipt yet" in main(page)
    assert alices.post(f"{address}/{one.id}/removal", {"seen": "old"}).status_code == 409
    assert alices.post(f"{address}/{one.id}/removal", {"seen": seen(page)}).location == address
    assert stored(one) is None
    last = alices.get(f"{address}/{two.id}/removal").text
    assert "No provider is left that is on: no SMS reaches the 2 users" in main(last)
    assert "Remove the last provider of 2 users" in last


def test_the_app_goes_live_after_a_word_and_comes_back(alices, address, added, session, shop, customer):
    assert "Switch a provider on first" in main(alices.get(f"{address}/live").text)
    assert alices.post(f"{address}/live").status_code == 422
    added()
    page = alices.get(f"{address}/live").text
    assert "the 1 user of this app gets codes by SMS through Tea carrier" in main(page)
    assert "Go live for 1 user" in main(page)
    assert alices.post(f"{address}/live").location == address
    assert session.get(App, shop.id).mode == "live"
    assert alices.post(f"{address}/live").status_code == 409

    page = alices.get(f"{address}/sandbox").text
    assert "The 1 user of this app gets no code on a phone" in main(page)
    assert alices.post(f"{address}/sandbox").location == address
    assert session.get(App, shop.id).mode == "sandbox"
    assert "already" in main(alices.get(f"{address}/sandbox").text)


@pytest.mark.parametrize(
    ("fails", "told"),
    [
        (None, "The provider accepts these credentials."),
        (
            ProviderRefused(f"no {SECRET} for +819012345678", permanent=True),
            "The provider refused these credentials.",
        ),
        (ProviderRefused("busy"), "The provider has trouble right now."),
        (ProviderUnreachable("connect"), "The provider could not be reached."),
        (RuntimeError(f"{SECRET}"), "The provider gave an answer that makes no sense."),
    ],
)
def test_credentials_are_checked_and_the_answer_is_in_plain_words(
    alices, address, added, carrier, fails, told
):
    it = added()
    carrier.fails = fails
    page = alices.post(f"{address}/{it.id}/check")
    part = alices.post(f"{address}/{it.id}/check", headers={"HX-Request": "true"})

    assert (page.status_code, part.status_code) == (200, 200)
    assert told in main(page.text)
    assert told in plain(part.text)
    assert part.text.strip() in page.text or 'id="check"' in page.text
    for answer in (page, part):
        assert SECRET not in answer.text
        assert "9012345678" not in answer.text
    assert carrier.opened[-1][1] == {"password": SECRET}


def test_a_check_holds_neither_the_database_nor_a_place_of_other_requests(
    alices, bobs, address, added, carrier, shop, monkeypatch
):
    it = added()
    under_way, go_on = threading.Event(), threading.Event()

    def waits() -> None:
        under_way.set()
        assert go_on.wait(10)

    monkeypatch.setattr(carrier, "check", waits)
    token = alices.token()
    asking = threading.Thread(
        target=lambda: alices.client.post(f"{address}/{it.id}/check", data={"csrf_token": token})
    )
    asking.start()
    assert under_way.wait(10)
    # Everybody else goes on, writers too.
    assert bobs.get(f"/apps/{shop.id}/users").status_code == 200
    assert bobs.post("/theme", {"theme": "dark"}).status_code == 303
    go_on.set()
    asking.join(10)


def test_more_checks_at_once_than_may_be_are_told_to_wait(alices, address, added):
    it = added()
    for _ in range(provider_checks.AT_ONCE):
        provider_checks._places.acquire()
    try:
        answer = alices.post(f"{address}/{it.id}/check")
    finally:
        for _ in range(provider_checks.AT_ONCE):
            provider_checks._places.release()

    assert "Other checks are under way." in main(answer.text)


def test_credentials_that_open_no_more_are_said_to(alices, address, added, session):
    it = added()
    session.execute(update(Provider).where(Provider.id == it.id).values(sealed=b"x" * 40))
    one = f"{address}/{it.id}"

    assert "cannot be read any more" in main(alices.post(f"{one}/check").text)
    page = alices.get(one).text
    assert "Stored" not in main(page)
    assert alices.post(one, TYPED | {"seen": seen(page)}).status_code == 303


def test_the_receipts_address_is_shown_where_somebody_has_to_type_it_in(alices, address, added):
    it = added()
    text = main(alices.get(f"{address}/{it.id}").text)

    assert re.search(rf"http://localhost/receipts/{it.id}/[0-9a-f]{{32}}", text)
    assert "No receipt can arrive yet: your operator has to set PORTAL_BASE_URL" in text


@pytest.mark.parametrize(
    ("kind", "told"),
    [
        ("http", "Receipts came, but {receipts_url} stays empty, so your request names no address: your"),
        ("kannel", "Receipts came, but new SMS name no address for theirs: your"),
    ],
)
@pytest.mark.parametrize("came", ["delivered", "unmatched"])
def test_where_receipts_came_it_is_not_said_that_none_can(
    alices, address, added, session, shop, clock, kind, told, came
):
    it = added()
    session.execute(update(Provider).where(Provider.id == it.id).values(kind=kind))
    if came == "delivered":
        factories.message(
            session, app_id=shop.id, state=came, provider_id=it.id, created_at=clock.now(), provider=kind
        )
    else:
        factories.unmatched_receipt(session, app_id=shop.id, provider_id=it.id, hour=clock.now())
    text = main(alices.get(f"{address}/{it.id}").text)

    assert f"{told} operator has to set PORTAL_BASE_URL" in text
    assert "No receipt can arrive" not in text


def test_in_a_live_app_a_test_goes_to_the_owners_own_number_once_that_is_known(
    alices, alice, address, added, session, shop
):
    it = added()
    send = f'action="/apps/{shop.id}/sms-templates/en/test?provider={it.id}"'
    assert send not in alices.get(f"{address}/{it.id}").text
    alices.post(f"{address}/live")
    assert send in alices.get(f"{address}/{it.id}").text
    refused = alices.post(f"/apps/{shop.id}/sms-templates/en/test")
    assert "confirm your own number first" in main(refused.text)
    session.get(Account, alice.id).phone_number = "+819012345678"
    session.flush()

    assert alices.post(f"/apps/{shop.id}/sms-templates/en/test").status_code == 303
    assert session.scalars(select(Message.phone_number)).all() == ["+819012345678"]


@pytest.mark.parametrize("path", ["", "/check", "/switch", "/place", "/removal"])
def test_ten_02_another_apps_provider_is_not_there(alices, address, carrier, session, path):
    other = factories.provider(session)

    for method in ("get", "post"):
        answer = getattr(alices, method)(f"{address}/{other.id}{path}")
        assert answer.status_code == (
            405 if method == "get" and path in ("/check", "/switch", "/place") else 404
        )
    assert session.get(Provider, other.id).is_on


@pytest.mark.parametrize("kind", ["nonsense", "inbox", "console"])
def test_there_are_no_other_kinds(alices, address, kind):
    assert alices.get(f"{address}/new/{kind}").status_code == 404
    assert alices.post(f"{address}/new/{kind}", TYPED).status_code == 404


def test_ten_05_support_reads_that_a_provider_changed_but_not_its_settings(
    alices, bobs, address, added, shop
):
    added()
    owners, supports = (each.get(f"/apps/{shop.id}/audit").text for each in (alices, bobs))

    assert "https://sms.example" in owners
    assert "https://sms.example" not in supports
    for page in (owners, supports):
        assert "Added a provider" in page
        assert "Tea carrier" in page
