"""Can an owner send a test, to the sandbox inbox or to the own phone, and see how it fares? (TPL-05)"""

import re

import pytest
from sqlalchemy import select, update

from portal import clock as portal_clock
from portal.core import code
from portal.delivery import dispatch
from portal.delivery.dispatch import Post
from portal.delivery.providers.base import ProviderRefused
from portal.delivery.providers.inbox import Inbox
from portal.models import Account, App, Message
from tests import factories
from tests.delivery.conftest import Scripted

MINE = "+819011112222"


class Page:
    """The page of the English template, in Alice's browser, with a worker in reach."""

    def __init__(self, browser, shop, alice, session, transaction, keys) -> None:
        self.browser, self.session, self.keys = browser, session, keys
        self.app_id, self.account_id = shop.id, alice.id
        self.address = f"/apps/{shop.id}/sms-templates/en/test"
        self.carrier = Scripted()
        providers = {"inbox": Inbox(), "scripted": self.carrier}
        self.post_office = Post(transaction, keys, providers, now=lambda: portal_clock.now())

    def text(self) -> str:
        return self.browser.get(self.address).text

    def post(self, step: str = "", **values: str):
        return self.browser.post(self.address + step, values)

    def go_live(self, own_number: str | None = None) -> None:
        live = {"mode": "live", "provider": "scripted"}
        self.session.execute(update(App).where(App.id == self.app_id).values(live))
        self.session.execute(
            update(Account).where(Account.id == self.account_id).values(phone_number=own_number)
        )

    def deliver(self) -> None:
        while dispatch.send_next(self.post_office):
            pass

    def messages(self) -> list[Message]:
        return list(self.session.scalars(select(Message).order_by(Message.serial)))

    def code(self) -> str:
        values = self.messages()[-1].values
        return code.derive(self.keys.codes[int(values["key_version"])], values["id"], 1, code.USUAL)


@pytest.fixture
def page(alices, shop, alice, session, transaction, keys) -> Page:
    return Page(alices, shop, alice, session, transaction, keys)


# --- A sandbox -------------------------------------------------------------------------------------


def test_it_shows_what_is_sent_where_to_and_how_many_are_left(page):
    text = page.text()
    assert "482913 is your Shop code. It is valid for 10 min." in text
    assert "Version 1 · GSM-7 · 1 segment" in text
    assert "+81 ••• •••• 5678" in text
    assert f"/apps/{page.app_id}/inbox" in text.split("Where it goes")[1]
    assert "5 of 5 left today" in text
    assert "Your mobile number" not in text
    assert "SMS that confirm your number" not in text
    assert re.search(r'aria-current="page"[^>]*>(<svg.*?</svg>)?SMS templates<', text)


def test_a_sandbox_test_arrives_in_the_inbox_marked_as_a_test(page):
    assert page.post().location == page.address
    text = page.text()
    assert "The test is on its way to the inbox." in text
    assert "4 of 5 left today" in text
    page.deliver()
    assert f"/apps/{page.app_id}/inbox#message-" in page.text()
    inbox = page.browser.get(f"/apps/{page.app_id}/inbox").text
    assert "482913 is your Shop code." in inbox
    assert ">Test</span>" in inbox
    assert "Open the user" not in inbox
    assert "Code works" not in inbox


def test_the_template_that_is_not_saved_has_no_test(page):
    for locale in ("fr", "x", "nonsense"):
        address = f"/apps/{page.app_id}/sms-templates/{locale}/test"
        assert page.browser.get(address).status_code == 404
        assert page.browser.post(address).status_code == 404
    assert page.messages() == []


def test_tpl_05_the_sixth_test_of_a_day_is_refused_with_429_and_the_time_of_the_next(page, clock):
    for _ in range(5):
        assert page.post().status_code == 303
        clock.advance(60)
    answer = page.post()
    assert answer.status_code == 429
    assert (
        "Nothing was sent: you used your five tests of 24 hours. The next one is possible in 24 hours."
        in answer.text
    )
    assert "None of 5 left today; the next one in 24 hours" in answer.text
    assert "data-focus" in answer.text
    assert len(page.messages()) == 5
    clock.advance(86_400)
    assert page.post().status_code == 303


def test_tpl_05_a_sandbox_takes_no_number_of_anybody(page):
    assert page.post("/number", number=MINE).status_code == 409
    assert page.post("/code/new").status_code == 409 or page.messages() == []
    assert page.messages() == []


# --- A live app ------------------------------------------------------------------------------------


def test_a_live_app_asks_for_the_own_number_then_for_its_code_then_sends(page):
    page.go_live()
    assert "First, your own number" in page.text()
    assert "Send the test" not in page.text()
    assert page.post("/number", number="090 1111 2222").location == page.address
    text = page.text()
    assert "Then, the code" in text
    assert "A code is on its way to your number." in text
    assert page.post("/code", code=page.code()).location == page.address
    text = page.text()
    assert "This number is yours" in text
    assert "3 of 5 left today" not in text
    assert "4 of 5 left today" in text
    assert page.post().location == page.address
    page.deliver()
    assert [sms.to for sms in page.carrier.taken][-1] == MINE
    assert "482913 is your Shop code." in page.carrier.taken[-1].text


def test_tpl_05_without_a_confirmed_number_a_live_app_sends_no_test(page):
    page.go_live()
    answer = page.post()
    assert answer.status_code == 422
    assert "Nothing was sent: confirm your own number first." in answer.text
    page.post("/number", number=MINE)
    assert page.post().status_code == 422
    assert [message.purpose for message in page.messages()] == ["own_number"]


def test_tpl_05_no_field_of_the_form_sends_a_test_to_another_number(page):
    page.go_live(MINE)
    page.post(number="+819099998888", to="+819099998888", phone_number="+819099998888", account_id="x")
    assert [message.phone_number for message in page.messages()] == [MINE]


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("", "Write your mobile number"),
        ("call me <b>", "letters"),
        ("+81 3 1234 5678", "landline"),
        ("+49 170 1234567", "DE is not open for this app. An owner can open it under Verification."),
    ],
)
def test_a_number_that_does_not_do_stays_in_its_field_beside_the_reason(page, typed, words):
    page.go_live()
    answer = page.post("/number", number=typed)
    assert answer.status_code == 422
    field = answer.text.split('for="number"')[1].split("</form>")[0]
    assert words in field
    assert f'value="{typed.replace("<", "&lt;").replace(">", "&gt;")}"' in field
    assert 'aria-invalid="true"' in field
    assert page.messages() == []


def test_a_wrong_code_stays_in_its_field_and_the_fifth_leads_back_to_the_number(page):
    page.go_live()
    page.post("/number", number=MINE)
    wrong = str((int(page.code()) + 1) % 10**6).zfill(6)
    for _ in range(4):
        answer = page.post("/code", code=wrong)
        assert answer.status_code == 422
        assert "The code is wrong." in answer.text
        assert f'value="{wrong}"' in answer.text
    answer = page.post("/code", code=wrong)
    assert (answer.status_code, "Ask for a new one." in answer.text) == (422, True)
    assert "First, your own number" in answer.text
    assert page.post("/code", code=page.code()).status_code == 409
    assert "First, your own number" in page.text()


def test_an_empty_code_is_no_guess(page, session):
    page.go_live()
    page.post("/number", number=MINE)
    answer = page.post("/code", code="")
    assert answer.status_code == 422
    assert "Type the code from the SMS." in answer.text
    assert session.get(Account, page.account_id).confirmation_guesses == 0


def test_a_code_that_did_not_come_is_sent_again_and_another_number_can_be_given(page):
    page.go_live()
    page.post("/number", number=MINE)
    first = page.code()
    assert page.post("/code/new").location == page.address
    assert page.code() != first
    assert page.post("/code", code=first).status_code == 422
    assert page.post("/number/removal").location == page.address
    assert "First, your own number" in page.text()
    assert page.post("/code", code=page.code()).status_code == 409


def test_the_number_used_up_for_the_day_is_refused_at_its_field(page):
    page.go_live()
    for _ in range(5):
        page.post("/number", number=MINE)
    answer = page.post("/code/new")
    assert answer.status_code == 429
    assert "you used your five tests" in answer.text.split('for="code"')[1].split("</form>")[0]
    page.post("/number/removal")
    answer = page.post("/number", number="090-1111-2222")
    assert answer.status_code == 429
    assert 'value="090-1111-2222"' in answer.text


def test_pii_01_the_own_number_is_shown_masked_and_is_in_no_address(page):
    page.go_live()
    answers = [page.post("/number", number=MINE)]
    answers += [page.browser.get(page.address), page.post("/code", code=page.code())]
    answers += [page.post(), page.browser.get(page.address)]
    page.deliver()
    answers += [page.browser.get(page.address), page.browser.fragment(page.address)]
    for answer in answers:
        assert not re.search(r"\d{7}", re.sub(r"[0-9a-f]{16,}", "", answer.text.split("<main")[-1]))
        assert "1111" not in answer.headers.get("Location", "")
    assert "+81 ••• •••• 2222" in answers[-1].text


# --- How it fares ----------------------------------------------------------------------------------


def test_the_state_follows_the_message_without_javascript_by_a_reload(page):
    page.go_live(MINE)
    page.post()
    assert ">Queued</span>" in page.text()
    page.deliver()
    assert ">Sent</span>" in page.text()


def test_the_state_follows_the_message_by_polling_and_stops_at_its_end(page):
    page.go_live(MINE)
    page.post()
    waiting = page.browser.fragment(page.address).text
    assert waiting.lstrip().startswith("<section")
    assert "data-polls" in waiting
    assert page.browser.fragment(f"{page.address}?seen=queued").status_code == 204
    page.deliver()
    ended = page.browser.fragment(f"{page.address}?seen=queued").text
    assert ">Sent</span>" in ended
    assert "data-polls" not in ended


def test_a_failure_is_told_with_its_reason(page):
    page.go_live(MINE)
    page.carrier.script = [ProviderRefused("no such subscriber", permanent=True)]
    page.post()
    page.deliver()
    text = page.text()
    assert ">Failed</span>" in text
    assert "The provider refused the message." in text


def test_an_owner_sees_no_test_of_another_owner(page, new_account, signed_in, session):
    page.post()
    dora = new_account("dora@example.com")
    factories.membership(session, app_id=page.app_id, account_id=dora.id, role="owner")
    text = signed_in(dora).get(page.address).text
    assert "Your newest test" not in text
    assert "5 of 5 left today" in text


# --- Who may ---------------------------------------------------------------------------------------

STEPS = ["", "/number", "/number/removal", "/code", "/code/new"]


def test_ten_05_support_sees_and_sends_no_tests(page, bobs):
    assert bobs.get(page.address).status_code == 403
    assert {bobs.post(page.address + step, {"number": MINE}).status_code for step in STEPS} == {403}
    assert page.messages() == []


def test_ten_02_a_stranger_finds_nothing(page, charlies, stranger):
    assert charlies.get(page.address).status_code == 404
    assert {charlies.post(page.address + step, {"number": MINE}).status_code for step in STEPS} == {404}
    assert {stranger.post(page.address + step).location for step in STEPS} == {"/sign-in"}
    assert page.messages() == []


@pytest.mark.parametrize("step", STEPS)
def test_web_03_a_form_without_the_token_of_the_session_sends_nothing(page, step):
    page.go_live(MINE)
    assert page.browser.client.post(page.address + step, data={"number": MINE}).status_code == 400
    assert page.messages() == []
