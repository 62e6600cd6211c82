"""Does the Messages page show how each SMS fared, to whom it may, and never what it said?"""

import re

import pytest
from sqlalchemy import select, update

from portal import clock as portal_clock
from portal.core import phone_number
from portal.core.reasons import Reason
from portal.models import (
    AccountSession,
    AuditAction,
    AuditEntry,
    Message,
    MessagePurpose,
    MessageState,
    Verification,
)
from portal.services import walks
from tests import factories

SERIAL = re.compile(r'id="message-(\d+)"')


def test_a_row_tells_how_an_sms_fared_and_why_it_got_no_further(bobs, shop, session, customer, address):
    factories.message(
        session,
        app_id=shop.id,
        user_id=customer.id,
        purpose=MessagePurpose.CHANGE_NOTICE,
        phone_number=customer.phone_number,
        state=MessageState.FAILED,
        reason=Reason.PROVIDER_REFUSED,
        provider="console",
        provider_words="Unknown <b>subscriber</b>",
        attempts=3,
        locale="ja",
        values={"app_name": "never shown"},
    )
    page = bobs.get(address).text

    for told in (
        "Failed",
        "Notice of change",
        phone_number.mask(customer.phone_number),
        "Japan (JP)",
        "田中 花子",
        "Console",
        "3 attempts",
        Reason.PROVIDER_REFUSED.sentence,
        "Unknown &lt;b&gt;subscriber&lt;/b&gt;",
        "Japanese",
    ):
        assert told in page
    assert "never shown" not in page
    assert f'href="/apps/{shop.id}/users/{customer.id}"' in page


def test_a_test_is_shown_without_a_user(alices, alice, shop, session, address):
    factories.message(session, app_id=shop.id, user_id=None, account_id=alice.id, purpose=MessagePurpose.TEST)
    row = alices.get(address).text.split('id="message-')[1]

    assert "Test" in row
    assert "/users/" not in row


def test_the_page_begins_with_nothing_and_says_what_will_come(alices, address):
    assert "As soon as a user needs a code" in alices.get(address).text


@pytest.mark.parametrize(
    "query",
    [
        "outcome=sent",
        "country=DE",
        "provider=console",
        "reason=provider_refused",
        "country=de&outcome=failed",
    ],
)
def test_filters_are_in_the_address(alices, address, kinds, query):
    shown = SERIAL.findall(alices.get(f"{address}?{query}").text)
    asked = dict(pair.split("=") for pair in query.split("&"))
    names = {"outcome": "state"}

    def holds(message: Message) -> bool:
        return all(
            getattr(message, names.get(name, name)) in (value, value.upper()) for name, value in asked.items()
        )

    assert shown == [str(each.serial) for each in reversed(kinds) if holds(each)]
    assert len(shown) < len(kinds)


@pytest.mark.parametrize(
    "query",
    [
        "outcome=nonsense",
        "country=XX",
        "country=%00",
        "provider=../etc",
        "provider=%F0%9F%98%80",
        "reason=<script>",
        "before=-1",
        "before=99999999999999999999",
        "before=%EF%BC%91",
        "outcome=&country=&provider=&reason=",
        "newest=x&oldest=y&held=yes&seen=z",
    ],
)
def test_values_that_make_no_sense_count_as_not_asked_for(alices, address, kinds, query):
    answer = alices.get(f"{address}?{query}")

    assert answer.status_code == 200
    assert SERIAL.findall(answer.text) == [str(each.serial) for each in reversed(kinds)]
    assert "Clear" not in answer.text
    for target in ("live", "results", "message_rows_1"):
        assert alices.fragment(f"{address}?{query}", target).status_code == 200


def test_a_chosen_filter_can_be_taken_back(alices, address, kinds):
    page = alices.get(f"{address}?outcome=failed&country=JP").text

    assert 'aria-current="true"' in page
    assert f'href="{address}?country=JP"' in page
    assert f'href="{address}"' in page
    assert '<option value="JP" selected>Japan</option>' in page


def test_the_form_of_the_filters_leaves_a_clean_address(alices, address, kinds):
    answer = alices.fragment(f"{address}?outcome=failed&country=&provider=&reason=", "results")

    assert answer.headers["HX-Push-Url"] == f"{address}?outcome=failed"
    assert "<h1" not in answer.text
    assert 'id="results"' in answer.text


def test_the_pages_lead_through_the_whole_list(alices, address, shop, session):
    made = [factories.message(session, app_id=shop.id).serial for _ in range(110)]
    shown, path = [], address
    while path:
        page = alices.get(path).text
        shown += map(int, SERIAL.findall(page))
        found = re.search(r'<tr class="more".*?href="([^"]+)"', page, re.DOTALL)
        path = found[1].replace("&amp;", "&") if found else None

    assert shown == made[::-1]


def test_the_next_rows_come_alone(alices, address, shop, session):
    made = [factories.message(session, app_id=shop.id).serial for _ in range(60)]
    rows = alices.fragment(f"{address}?before={made[10]}", "message_rows_5").text

    assert SERIAL.findall(rows) == [str(serial) for serial in made[9::-1]]
    assert rows.lstrip().startswith("<tbody")


def test_a_walk_that_was_cut_short_says_how_far_back_it_looked(alices, address, kinds, monkeypatch):
    monkeypatch.setattr(walks, "EXAMINED", 3)
    page = alices.get(f"{address}?provider=nobody").text

    assert "Looked back to" in page
    assert "Look further back" in page


# --- Figures -----------------------------------------------------------------------------------------------


def test_the_figures_count_by_state_and_say_of_when(alices, address, kinds):
    page = alices.get(address).text

    assert "Put down in the last 24 hours" in page
    assert re.findall(r"<strong>([\d,+]+)</strong><span>(\w+)</span>", page) == [
        ("1", "Queued"),
        ("0", "Sending"),
        ("1", "Sent"),
        ("1", "Delivered"),
        ("2", "Failed"),
        ("1", "Expired"),
    ]


def test_a_worker_that_stands_still_is_said_out_loud(alices, address, shop, session):
    late = portal_clock.now() - 12 * portal_clock.MINUTE
    factories.message(session, app_id=shop.id, due_at=late, created_at=late)
    page = alices.get(address).text

    assert Reason.WORKER_STALLED.sentence in page
    assert "12 minutes ago" in page


def test_the_figures_say_so_when_they_are_of_the_newest_only(alices, address, kinds, monkeypatch):
    monkeypatch.setattr(walks, "EXAMINED", 3)

    assert "Of the newest 5,000 messages, since" in alices.get(address).text


# --- Freshness ---------------------------------------------------------------------------------------------


def test_an_open_page_gets_204_until_something_changes(alices, address, shop, session, kinds):
    asks = polled(alices.get(address).text)
    assert alices.fragment(asks, "live").status_code == 204

    session.execute(update(Message).where(Message.serial == kinds[0].serial).values(state="delivered"))
    answer = alices.fragment(asks, "live")
    assert answer.status_code == 200
    assert alices.fragment(polled(answer.text), "live").status_code == 204


def test_at_the_top_new_messages_come_in(alices, address, shop, session, kinds):
    asks = polled(alices.get(address).text)
    new = factories.message(session, app_id=shop.id)
    answer = alices.fragment(asks, "live").text

    assert SERIAL.findall(answer)[0] == str(new.serial)
    assert 'data-news="1 new message"' in answer
    assert "Show them" not in answer


def test_further_down_new_messages_are_announced_and_what_is_shown_stays(alices, address, shop, session):
    for _ in range(60):
        factories.message(session, app_id=shop.id)
    page = alices.get(address).text
    for _ in range(3):
        factories.message(session, app_id=shop.id)
    answer = alices.fragment(f"{polled(page)}&held=yes", "live").text

    assert SERIAL.findall(answer) == SERIAL.findall(page)
    assert "3 new messages. Show them" in answer
    assert re.search(r"before=\d+", page)[0] == re.search(r"before=\d+", answer)[0]
    assert alices.fragment(f"{polled(answer)}&held=yes", "live").status_code == 204


def test_an_older_page_does_not_ask_again(alices, address, kinds):
    assert "data-polls" not in alices.get(f"{address}?before={kinds[-1].serial}").text


def test_web_02_a_page_that_asks_by_itself_keeps_nobody_signed_in(
    alices, address, session, kinds, monkeypatch
):
    asks = polled(alices.get(address).text)
    later = portal_clock.now() + 10 * portal_clock.MINUTE
    monkeypatch.setattr(portal_clock, "now", lambda: later)
    alices.fragment(asks, "live")
    seen = select(AccountSession.last_seen_at)
    assert session.scalars(seen).one() < later

    alices.get(address)
    assert session.scalars(seen).one() == later


# --- Trying again ------------------------------------------------------------------------------------------


def test_a_failed_message_leads_to_the_resend_of_its_user(bobs, address, shop, failed):
    user_id = failed()

    page = bobs.get(address).text
    assert f'href="/apps/{shop.id}/users/{user_id}/actions/resend"' in page
    assert "Try 1 failed one again" in page


def test_the_confirmation_says_how_many_people_get_an_sms(bobs, address, failed):
    for _ in range(3):
        failed()
    page = bobs.get(f"{address}/retries").text

    assert "3 people get an SMS." in page
    assert "Send 3 SMS" in page


def test_all_that_failed_are_tried_again_each_with_its_reason_on_record(bobs, bob, address, session, failed):
    users = {failed() for _ in range(3)}
    page = bobs.get(f"{address}/retries").text
    answer = bobs.post(f"{address}/retries", {"reason": "Carrier was down", "up_to": up_to(page)})
    entries = session.scalars(select(AuditEntry).where(AuditEntry.action == AuditAction.CODE_RESENT)).all()

    assert answer.status_code == 303
    assert "3 SMS on the way." in bobs.get(address).text
    assert {each.user_id for each in entries} == users
    assert {(each.actor_id, each.reason) for each in entries} == {(bob.id, "Carrier was down")}
    assert len(session.scalars(select(Message).where(Message.state == MessageState.QUEUED)).all()) == 3


def test_del_08_a_message_that_was_set_aside_goes_out_itself(bobs, bob, address, session, failed):
    user_id = failed()
    session.execute(update(Message).values(state=MessageState.DEAD, attempts=5))
    assert "Set aside" in bobs.get(address).text
    page = bobs.get(f"{address}/retries").text
    bobs.post(f"{address}/retries", {"reason": "Carrier was down", "up_to": up_to(page)})
    [message] = session.scalars(select(Message).where(Message.user_id == user_id)).all()
    entry = session.scalars(select(AuditEntry).where(AuditEntry.action == AuditAction.MESSAGE_REDRIVEN)).one()

    assert (message.state, message.attempts, message.reason) == ("queued", 0, None)
    assert (entry.user_id, entry.actor_id, entry.reason) == (user_id, bob.id, "Carrier was down")


@pytest.mark.parametrize("reason", ["", "no", "call +819012345678"])
def test_without_a_reason_nothing_is_sent_and_nothing_typed_is_lost(bobs, address, session, failed, reason):
    failed()
    answer = bobs.post(f"{address}/retries", {"reason": reason, "up_to": "999999"})

    assert answer.status_code == 422
    assert f'value="{reason}"' in answer.text
    assert 'id="reason-error"' in answer.text
    assert session.scalars(select(Message).where(Message.state == MessageState.QUEUED)).all() == []


def test_who_failed_after_the_confirmation_is_left_alone(bobs, address, session, failed):
    failed()
    page = bobs.get(f"{address}/retries").text
    failed()
    bobs.post(f"{address}/retries", {"reason": "Carrier was down", "up_to": up_to(page)})

    assert len(session.scalars(select(Message).where(Message.state == MessageState.QUEUED)).all()) == 1


def test_ten_08_a_limit_holds_for_one_and_the_others_are_sent(bobs, address, session, failed):
    limited = failed()
    failed()
    now = portal_clock.now()
    is_limited = Verification.user_id == limited
    session.execute(update(Verification).where(is_limited).values(sends=5, sends_allowed=5, last_sent_at=now))
    page = bobs.get(f"{address}/retries").text
    bobs.post(f"{address}/retries", {"reason": "Carrier was down", "up_to": up_to(page)})

    told = bobs.get(address).text
    assert "1 SMS on the way." in told
    assert f"1 not sent: {Reason.SENDS_USED_UP.sentence}" in told


def test_with_nothing_to_try_the_page_says_so(bobs, address):
    assert "No failed message is worth another try now" in bobs.get(f"{address}/retries").text
    bobs.post(f"{address}/retries", {"reason": "Carrier was down"})
    assert "Nothing was sent" in bobs.get(address).text


def polled(page: str) -> str:
    """The address that an open page asks again."""
    return re.search(r'data-polls hx-get="([^"]+)"', page)[1].replace("&amp;", "&")


def up_to(page: str) -> str:
    return re.search(r'name="up_to"[^>]*value="(\d+)"', page)[1]


@pytest.fixture
def address(shop) -> str:
    return f"/apps/{shop.id}/messages"


@pytest.fixture
def kinds(session, shop) -> list[Message]:
    """One message of each kind, oldest first."""
    failed = {"state": MessageState.FAILED, "reason": Reason.PROVIDER_REFUSED}
    return [
        factories.message(session, app_id=shop.id, **columns)
        for columns in (
            {},
            {"state": MessageState.SENT, "provider": "console"},
            {"state": MessageState.DELIVERED, "provider": "inbox"},
            failed,
            failed | {"country": "DE", "reason": Reason.COUNTRY_CLOSED},
            {"state": MessageState.EXPIRED, "reason": Reason.NO_LONGER_NEEDED},
        )
    ]


@pytest.fixture
def failed(session, shop):
    """`failed()` is one more user whose SMS failed a moment ago; returns the user's ID."""

    def fail() -> str:
        user = factories.user(session, app_id=shop.id, phone_number=factories.phone_number())
        own = {"app_id": shop.id, "user_id": user.id, "phone_number": user.phone_number}
        verification = factories.verification(session, **own)
        factories.message(
            session,
            **own,
            verification_id=verification.id,
            state=MessageState.FAILED,
            reason=Reason.PROVIDER_UNREACHABLE,
        )
        return user.id

    return fail


def test_a_row_names_the_carrier_as_its_owner_does_and_a_filter_takes_each_alone(
    bobs, shop, session, customer, address
):
    tea, coffee = (factories.provider(session, app_id=shop.id, label=label) for label in ("<i>Tea", "Coffee"))
    own = {"app_id": shop.id, "user_id": customer.id, "purpose": MessagePurpose.CHANGE_NOTICE}
    for carrier in (tea, coffee):
        factories.message(session, **own, state="sent", provider="http", provider_id=carrier.id)
    factories.message(session, **own, state="sent", provider="http", provider_id="0" * 32)
    page = bobs.get(address).text

    for told in ("&lt;i&gt;Tea", "Coffee", "HTTP request", f'<option value="{tea.id}">'):
        assert told in page
    assert "<i>Tea" not in page
    assert len(SERIAL.findall(bobs.get(f"{address}?provider={tea.id}").text)) == 1
    assert len(SERIAL.findall(bobs.get(f"{address}?provider=http").text)) == 3


def test_ten_04_a_carrier_of_another_app_lends_no_message_its_name(bobs, shop, session, customer, address):
    other = factories.provider(session, label="Not yours")
    sent = {"state": "sent", "provider": "http", "provider_id": other.id}
    factories.message(session, app_id=shop.id, user_id=customer.id, purpose="change_notice", **sent)

    assert "Not yours" not in bobs.get(address).text


def test_del_08_what_was_set_aside_has_its_own_word_figure_and_filter(bobs, shop, session, customer, address):
    dead = {"state": "dead", "reason": Reason.PROVIDER_UNREACHABLE, "purpose": "change_notice"}
    factories.message(session, app_id=shop.id, user_id=customer.id, **dead)
    page = bobs.get(f"{address}?outcome=dead").text

    assert len(SERIAL.findall(page)) == 1
    assert re.search(r"outcome=dead\"><strong>1</strong><span>Set aside</span>", page)
    assert "Dead" not in page


def test_a_carriers_words_begin_as_a_sentence_and_keep_http_with_its_number(bobs, shop, session, address):
    for words in ("HTTP ••• too many", "no credit"):
        factories.message(
            session, app_id=shop.id, state="failed", reason="provider_refused", provider_words=words
        )
    page = bobs.get(address).text

    assert "HTTP\N{NO-BREAK SPACE}••• too many</bdi>" in page
    assert ">No credit</bdi>" in page
