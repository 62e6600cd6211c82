"""Does support know beforehand what a deed does, and does it go no further than its role? (TEN-05, TEN-08)"""

import re
from html import unescape

import pytest
from sqlalchemy import select

from portal import clock
from portal.core.deeds import Deed
from portal.core.lifecycle import State
from portal.models import AuditEntry, BearerToken, Message, NumberTaken, OpenCountry, User, random_id
from tests import factories

WHY = "The user called and asked."
STAMP = re.compile(r'name="seen" type="hidden" value="([^"]*)"')


@pytest.fixture
def user_page(shop, customer) -> str:
    return f"/apps/{shop.id}/users/{customer.id}"


def confirmation(user_page: str, deed: Deed) -> str:
    return f"{user_page}/actions/{deed}"


def order(browser, path: str, reason: str = WHY):
    """Opens a confirmation, types the reason, and presses the button."""
    return send(browser, path, STAMP.search(browser.get(path).text)[1], reason)


def send(browser, path: str, seen: str, reason: str = WHY):
    return browser.post(path, {"seen": seen, "reason": reason})


def words(text: str) -> str:
    """What a page says, without its markup."""
    main = text.split("<main", 1)[1].split("</main>")[0]
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", main)).split()).replace(" ,", ",").replace(" .", ".")


def entries(session, user_id: str) -> list[AuditEntry]:
    return session.scalars(select(AuditEntry).where(AuditEntry.user_id == user_id)).all()


def waits(session, customer, **columns):
    """The code for the pending number is out."""
    number = {"phone_number": customer.pending_phone_number, "purpose": "change"}
    here = {"app_id": customer.app_id, "user_id": customer.id}
    sent = {"sends": 1, "last_sent_at": clock.now() - 2 * clock.MINUTE}
    return factories.verification(session, **here, **number, **sent | columns)


def log_in(session, customer, count: int) -> None:
    for _ in range(count):
        factories.bearer_token(session, app_id=customer.app_id, user_id=customer.id)


# --- What the user's page offers ---------------------------------------------------------------------------


def test_the_user_page_offers_what_makes_sense_the_destructive_last(alices, user_page):
    card = alices.get(user_page).text.split('id="actions"')[1].split("</section>")[0]

    assert re.findall(r"</svg>([^<]+)</a>", card) == [
        "Send the code again",
        "Cancel the pending change",
        "Mark the number as verified",
        "Free the number",
        "Disable the user",
        "Erase the user",
    ]


def test_what_could_only_be_refused_is_no_link_and_says_why_and_how_long(bobs, user_page, session, customer):
    waits(session, customer, last_sent_at=clock.now() - 10 * clock.SECOND)
    card = bobs.get(user_page).text.split('id="actions"')[1].split("</section>")[0]
    item = card.split("<li>")[1]

    assert re.search(r'<button type="button" [^>]+ disabled aria-describedby="why-not-resend">', item)
    assert re.search(
        r'id="why-not-resend">A code was sent a moment ago\. [^<]+ Possible again from <time', item
    )
    assert "<a" not in item
    assert "Cancel the pending change</a>" in card


def test_a_number_that_no_numbering_plan_knows_any_more_is_shown_and_not_texted(
    bobs, user_page, session, customer
):
    session.get(User, (customer.app_id, customer.id)).pending_phone_number = "+8112345678"
    session.commit()
    page = bobs.get(user_page)
    item = page.text.split('id="actions"')[1].split("<li>")[1]

    assert page.status_code == 200
    assert " disabled " in item
    assert 'id="why-not-resend">Nothing was sent. No such phone number can exist.' in item


def test_an_open_page_learns_when_an_action_is_possible_again(bobs, user_page, session, customer, clock):
    """The page that was opened with a limit is told once the limit has passed."""
    waits(session, customer, last_sent_at=clock.now() - 10_000)
    poll = unescape(re.search(r'id="live" data-polls hx-get="([^"]+)"', bobs.get(user_page).text)[1])
    assert bobs.fragment(poll).status_code == 204
    clock.advance(51)

    assert "Send the code again</a>" in bobs.fragment(poll).text


def test_ten_05_support_is_not_offered_to_mark_a_number(bobs, user_page):
    assert "Mark the number" not in bobs.get(user_page).text


# --- What a confirmation says ------------------------------------------------------------------------------


@pytest.mark.parametrize("deed", Deed)
def test_a_confirmation_names_the_deed_the_person_and_masked_numbers(
    alices, user_page, session, customer, deed
):
    log_in(session, customer, 1)
    if deed is Deed.ENABLE:
        session.get(User, (customer.app_id, customer.id)).disabled = True
        session.flush()
    text = unescape(alices.get(confirmation(user_page, deed)).text)

    assert f"<h1>{deed.sentence}</h1>" in text
    assert re.search(rf"<button[^>]*>{deed.sentence}</button>", text)
    assert "田中 花子" in text
    assert "+81 ••• •••• 5678" in text
    assert not re.search(r"\d{7}", re.sub(r"[0-9a-f]{16,}|[0-9a-f-]{30,}", "", words(text)))


@pytest.mark.parametrize(
    ("deed", "sentences"),
    [
        (Deed.RESEND, ["The user gets one SMS in English, 1 segment long", "counts for the limits"]),
        (
            Deed.CANCEL_CHANGE,
            ["+81 ••• •••• 4321 Japan (JP) is dropped", "Afterwards: +81 ••• •••• 5678 logs in"],
        ),
        (
            Deed.MARK_VERIFIED,
            ["becomes this user's verified number at once", "Afterwards: +81 ••• •••• 4321 logs in"],
        ),
        (
            Deed.FREE_NUMBER,
            ["The pending number +81 ••• •••• 4321", "Afterwards: Only the login name logs in."],
        ),
        (Deed.DISABLE, ["2 tokens end at once", "Afterwards: Nothing logs in: the user is disabled."]),
        (Deed.END_TOKENS, ["2 tokens end at once", "Logging in again works as before."]),
        (Deed.ERASE, ["The user goes for good", "A backup that is restored later", "Nothing logs in."]),
    ],
)
def test_a_confirmation_says_what_will_happen(alices, user_page, session, customer, deed, sentences):
    log_in(session, customer, 2)
    session.get(User, (customer.app_id, customer.id)).password_hash = "hash"
    session.flush()
    said = words(alices.get(confirmation(user_page, deed)).text)

    for sentence in sentences:
        assert sentence in said


def test_the_confirmation_of_a_resend_says_which_code_and_how_often(bobs, user_page, session, customer):
    waits(session, customer)
    said = words(bobs.get(confirmation(user_page, Deed.RESEND)).text)

    assert "The code that was sent before goes out once more, unchanged. It still ends in 10 minutes." in said
    assert "It is SMS 2 of at most 5 with this code." in said


def test_the_cost_is_told_where_the_app_has_a_price(bobs, user_page, session, shop):
    factories.segment_price(session, app_id=shop.id, country="JP", millionths=75_000)
    said = words(bobs.get(confirmation(user_page, Deed.RESEND)).text)

    assert re.search(r"at \S+ per thousand to Japan", said)


def test_a_limit_takes_the_button_away_and_says_until_when(bobs, user_page, session, customer):
    waits(session, customer, last_sent_at=clock.now() - 10 * clock.SECOND)
    answer = bobs.get(confirmation(user_page, Deed.RESEND))

    assert answer.status_code == 200
    assert "A code was sent a moment ago. Wait before asking for it again." in words(answer.text)
    assert re.search(r"The next code can be sent in \S.*, at \d\d:\d\d UTC\.", words(answer.text))
    assert "<button" not in answer.text.split('id="hindered"')[1].split("</main>")[0]


@pytest.fixture
def closed(session, shop) -> None:
    """The shop may text no country."""
    for row in session.scalars(select(OpenCountry).where(OpenCountry.app_id == shop.id)):
        session.delete(row)
    session.flush()


@pytest.mark.usefixtures("closed")
def test_a_closed_country_takes_the_button_away_and_says_who_opens_it(alices, bobs, user_page):
    where = "Nothing was sent: Japan is not open for this app."
    for page in (user_page, confirmation(user_page, Deed.RESEND)):
        assert f"{where} Open it under Verification." in words(alices.get(page).text)
        assert f"{where} Ask an owner to open it under Verification." in words(bobs.get(page).text)


@pytest.mark.usefixtures("closed")
def test_a_resend_that_a_closed_country_refuses_is_worded_for_whoever_asked(bobs, user_page):
    seen = bobs.get(confirmation(user_page, Deed.RESEND)).text
    stamp = re.search(r'name="seen"[^>]+value="([^"]+)"', seen)
    answer = bobs.post(
        confirmation(user_page, Deed.RESEND), {"reason": "They asked", "seen": stamp[1] if stamp else ""}
    )

    assert answer.status_code in (409, 422)
    assert "Ask an owner to open it under Verification." in words(answer.text)
    assert "app. Open it" not in words(answer.text)


@pytest.mark.parametrize("deed", [Deed.ENABLE, Deed.END_TOKENS])
def test_a_deed_that_makes_no_sense_says_so_and_leads_back(bobs, user_page, deed):
    answer = bobs.get(confirmation(user_page, deed))

    assert answer.status_code == 409
    assert "There is nothing to do here." in words(answer.text)
    assert f'href="{user_page}">Back to the user' in answer.text
    assert 'name="reason"' not in answer.text


def test_a_number_that_is_held_leads_the_owner_to_its_holder(alices, user_page, session, shop, customer):
    holder = factories.user(
        session, app_id=shop.id, phone_number=customer.pending_phone_number, phone_number_verified=True
    )
    text = alices.get(confirmation(user_page, Deed.MARK_VERIFIED)).text

    assert "Another user of this app holds this number and keeps it." in words(text)
    assert f'href="/apps/{shop.id}/users/{holder.id}">See that user' in text
    shop.app.number_taken = NumberTaken.MOVE
    session.merge(shop.app)
    session.flush()
    said = words(alices.get(confirmation(user_page, Deed.MARK_VERIFIED)).text)
    assert "Another user holds this number now and loses it" in said


# --- Doing it ----------------------------------------------------------------------------------------------


def test_support_resends_and_comes_back_to_the_user(bobs, user_page, session, customer):
    answer = order(bobs, confirmation(user_page, Deed.RESEND))

    assert (answer.status_code, answer.location) == (303, user_page)
    assert "The code is on its way." in bobs.get(user_page).text
    [message] = session.scalars(select(Message).where(Message.user_id == customer.id)).all()
    assert message.phone_number == customer.pending_phone_number
    [entry] = entries(session, customer.id)
    assert (entry.action, entry.reason) == ("code.resent", WHY)


def test_support_cancels_the_pending_change(bobs, user_page, session, customer):
    verification = waits(session, customer)
    order(bobs, confirmation(user_page, Deed.CANCEL_CHANGE))

    assert session.get(User, (customer.app_id, customer.id)).pending_phone_number is None
    assert session.get(type(verification), (customer.app_id, verification.id)).state == State.CANCELLED
    assert "The pending change is cancelled." in bobs.get(user_page).text


def test_an_owner_marks_the_pending_number_as_verified(alices, user_page, session, customer):
    order(alices, confirmation(user_page, Deed.MARK_VERIFIED))
    user = session.get(User, (customer.app_id, customer.id))

    assert (user.phone_number, user.phone_number_verified) == ("+818087654321", True)
    assert "The number is marked as verified" in alices.get(user_page).text


def test_support_frees_a_number(bobs, user_page, session, customer):
    order(bobs, confirmation(user_page, Deed.FREE_NUMBER))

    user = session.get(User, (customer.app_id, customer.id))
    assert (user.phone_number, user.pending_phone_number) == (None, "+818087654321")
    assert "The number is free." in bobs.get(user_page).text


def test_support_disables_and_enables_and_says_how_many_tokens_ended(bobs, user_page, session, customer):
    log_in(session, customer, 3)
    order(bobs, confirmation(user_page, Deed.DISABLE))
    assert "The user is disabled. 3 tokens ended." in bobs.get(user_page).text
    assert session.scalars(select(BearerToken).where(BearerToken.user_id == customer.id)).all() == []

    order(bobs, confirmation(user_page, Deed.ENABLE))
    assert not session.get(User, (customer.app_id, customer.id)).disabled
    assert [entry.reason for entry in entries(session, customer.id)] == [WHY, WHY]


def test_support_ends_the_tokens(bobs, user_page, session, customer):
    log_in(session, customer, 1)
    order(bobs, confirmation(user_page, Deed.END_TOKENS))

    assert "1 token ended. The user has to log in again." in bobs.get(user_page).text


def test_pii_05_an_owner_erases_a_user_and_the_audit_log_keeps_the_receipt(
    alices, user_page, session, shop, customer
):
    order(alices, confirmation(user_page, Deed.DISABLE), "Hanako asked for it.")
    answer = order(alices, confirmation(user_page, Deed.ERASE))

    assert (answer.status_code, answer.location) == (303, f"/apps/{shop.id}/users")
    assert "The user is erased." in alices.get(answer.location).text
    assert alices.get(user_page).status_code == 404
    disabled, erased = entries(session, customer.id)
    assert (disabled.details, disabled.reason) == ({}, None)
    assert (erased.action, erased.reason, erased.actor_id is None) == ("user.erased", WHY, False)
    assert erased.details["removed"]["users"] == 1
    told = alices.get(f"/apps/{shop.id}/audit").text
    assert "Erased the user" in told
    assert "花子" not in told


# --- Refusals, at the form ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("reason", "sentence"),
    [
        ("", "Write why, in at least 3 characters."),
        ("x" * 301, "Shorten the reason to 300 characters."),
        ("Call 090-1234-5678 back", "Write the reason without phone numbers or codes."),
    ],
)
def test_a_refused_reason_is_told_at_its_field_and_kept(bobs, user_page, session, customer, reason, sentence):
    answer = order(bobs, confirmation(user_page, Deed.DISABLE), reason)

    assert answer.status_code == 422
    assert sentence in answer.text
    assert f'value="{reason}"' in answer.text
    assert 'aria-invalid="true"' in answer.text
    assert entries(session, customer.id) == []


def test_what_changed_meanwhile_is_said_and_the_reason_stays_for_the_next_click(
    bobs, user_page, session, customer
):
    path = confirmation(user_page, Deed.CANCEL_CHANGE)
    seen = STAMP.search(bobs.get(path).text)[1]
    user = session.get(User, (customer.app_id, customer.id))
    user.pending_phone_number, user.pending_since = "+819033334444", clock.now()
    session.flush()
    answer = send(bobs, path, seen)

    assert answer.status_code == 409
    assert "Meanwhile another change of number was started. Nothing was done." in answer.text
    assert "+81 ••• •••• 4444" in answer.text
    assert f'value="{WHY}"' in answer.text
    assert send(bobs, path, STAMP.search(answer.text)[1]).status_code == 303


def test_a_number_verified_meanwhile_is_not_cancelled(bobs, user_page, session, customer):
    path = confirmation(user_page, Deed.CANCEL_CHANGE)
    seen = STAMP.search(bobs.get(path).text)[1]
    user = session.get(User, (customer.app_id, customer.id))
    user.phone_number, user.phone_number_verified_at = user.pending_phone_number, clock.now()
    user.pending_phone_number = user.pending_since = user.pending_until = None
    session.flush()
    answer = send(bobs, path, seen)

    assert answer.status_code == 409
    assert "The pending number was verified meanwhile and is in force now." in answer.text


def test_a_limit_that_was_hit_meanwhile_keeps_what_was_typed(bobs, user_page, session, customer):
    path = confirmation(user_page, Deed.RESEND)
    seen = STAMP.search(bobs.get(path).text)[1]
    waits(session, customer, last_sent_at=clock.now())
    answer = send(bobs, path, seen)

    assert answer.status_code == 429
    assert "A code was sent a moment ago." in answer.text
    assert f'value="{WHY}"' in answer.text
    assert session.scalars(select(Message)).all() == []


def test_a_form_without_a_stamp_does_nothing(bobs, user_page, session, customer):
    answer = bobs.post(confirmation(user_page, Deed.DISABLE), {"reason": WHY})

    assert answer.status_code == 409
    assert not session.get(User, (customer.app_id, customer.id)).disabled


def test_web_03_a_form_without_the_key_of_the_session_does_nothing(bobs, user_page, session, customer):
    answer = bobs.client.post(confirmation(user_page, Deed.DISABLE), data={"reason": WHY})

    assert answer.status_code == 400
    assert not session.get(User, (customer.app_id, customer.id)).disabled


# --- Whose right it is -------------------------------------------------------------------------------------


@pytest.mark.parametrize("spelling", ["mark-verified", "mark%2Dverified", "mark-verified?", "erase"])
def test_ten_05_support_neither_opens_nor_sends_what_is_the_owners(
    bobs, user_page, session, customer, spelling
):
    path = f"{user_page}/actions/{spelling}"

    assert bobs.get(path).status_code == 403
    assert bobs.post(path, {"reason": WHY, "seen": ""}).status_code == 403
    assert session.get(User, (customer.app_id, customer.id)).pending_phone_number is not None


@pytest.mark.parametrize("deed", Deed)
def test_ten_02_a_stranger_does_nothing_to_a_user_and_nobody_does_without_signing_in(
    charlies, stranger, user_page, session, customer, deed
):
    path = confirmation(user_page, deed)

    assert charlies.post(path, {"reason": WHY, "seen": ""}).status_code == 404
    assert stranger.post(path, {"reason": WHY, "seen": ""}).location == "/sign-in"
    assert entries(session, customer.id) == []


@pytest.mark.parametrize("word", ["nothing", "MARK-VERIFIED", "mark_verified", "RESEND", "resend-"])
def test_what_is_no_deed_is_not_there(alices, bobs, user_page, word):
    for browser in (alices, bobs):
        assert browser.get(f"{user_page}/actions/{word}").status_code == 404
        assert browser.post(f"{user_page}/actions/{word}", {"reason": WHY}).status_code == 404


@pytest.mark.parametrize("deed", Deed)
def test_ten_02_another_apps_user_is_as_absent_as_nobody(alices, shop, session, deed):
    elsewhere = factories.user(session, phone_number="+819012345678")
    answers = [
        alices.get(f"/apps/{shop.id}/users/{user_id}/actions/{deed}")
        for user_id in (elsewhere.id, random_id())
    ]
    posts = [
        alices.post(f"/apps/{shop.id}/users/{user_id}/actions/{deed}", {"reason": WHY, "seen": ""})
        for user_id in (elsewhere.id, random_id())
    ]

    assert {answer.status_code for answer in answers + posts} == {404}
    assert entries(session, elsewhere.id) == []


def test_web_06_a_hostile_name_and_reason_appear_only_escaped(bobs, user_page, session, customer):
    hostile = '"><img src=x onerror=alert(1)>{{7*7}}'
    session.get(User, (customer.app_id, customer.id)).display_name = hostile
    session.flush()
    page = bobs.get(confirmation(user_page, Deed.DISABLE)).text
    refused = order(bobs, confirmation(user_page, Deed.DISABLE), f"{hostile} 1234567").text

    for text in (page, refused):
        assert "<img" not in text
        assert ">49<" not in text
