"""Twilio gets what its reference asks for, its codes decide, and only receipts of its own count."""

import base64
import json

import pytest
from werkzeug import Request, Response

from portal.core.provider_kinds import ProviderKind
from portal.core.reasons import Reason
from portal.core.receipt_states import ReceiptState
from portal.delivery.providers import twilio
from portal.delivery.providers.base import (
    Arrived,
    ProviderRefused,
    ProviderUnreachable,
    Receipt,
    WrongField,
    WrongSignature,
)
from portal.delivery.providers.judging import ACCOUNT, LATER, MESSAGE, PHONE, PHONE_LATER
from tests.delivery.providers.conftest import (
    RECEIPTS_URL,
    REFERENCE,
    TEXT,
    TO,
    failed,
    form_of,
    open_here,
    posted_form,
    refused,
    sent,
)

ACCOUNT_SID, TOKEN, SID = "AC" + "a1" * 16, "t0ken" * 6, "SM" + "b2" * 16
PATH = f"/2010-04-01/Accounts/{ACCOUNT_SID}"
VALUES = {"account_sid": ACCOUNT_SID, "auth_token": TOKEN, "sender": "+15550100"}
CALLBACK = {
    "AccountSid": ACCOUNT_SID,
    "MessageSid": SID,
    "SmsSid": SID,
    "MessageStatus": "delivered",
    "SmsStatus": "delivered",
    "To": TO,
    "From": "+15550100",
    "ApiVersion": "2010-04-01",
}


def open_twilio(httpserver, **values: str):
    """Twilio's carrier over the local server."""
    return open_here(
        ProviderKind.TWILIO,
        httpserver.url_for("").rstrip("/"),
        VALUES | {"address": httpserver.url_for("").rstrip("/")} | values,
    )


def play(request: Request) -> Response:
    """Twilio's part, as its reference has it: refuses what is not a proper request for a message."""
    user, _, password = base64.b64decode(request.headers["Authorization"].removeprefix("Basic ")).partition(
        b":"
    )
    if (user.decode(), password.decode()) != (ACCOUNT_SID, TOKEN):
        return problem(401, 20003, "Authenticate")
    form = form_of(request)
    if request.content_type != "application/x-www-form-urlencoded" or not form.get("To", "").startswith("+"):
        return problem(400, 21211, f"Invalid 'To' Phone Number: {form.get('To')}")
    if ("From" in form) == ("MessagingServiceSid" in form):
        return problem(400, 21603, "A 'From' phone number is required.")
    if not form.get("Body"):
        return problem(400, 21602, "Message body is required.")
    if not 1 <= int(form["ValidityPeriod"]) <= 36_000:
        return problem(400, 30012, "Validity period is out of range.")
    made = {"sid": SID, "status": "queued", "error_code": None, "error_message": None, "to": form["To"]}
    return Response(json.dumps(made), 201, content_type="application/json")


def problem(status: int, code: int, words: str) -> Response:
    """A refusal as Twilio words it."""
    said = {
        "code": code,
        "message": words,
        "more_info": "https://www.twilio.com/docs/errors",
        "status": status,
    }
    return Response(json.dumps(said), status, content_type="application/json")


def test_it_sends_what_the_reference_of_the_messages_resource_asks_for(httpserver, sms):
    httpserver.expect_request(f"{PATH}/Messages.json", method="POST").respond_with_handler(play)
    accepted = open_twilio(httpserver).send(sms)
    form = form_of(sent(httpserver))
    assert (accepted.reference, accepted.is_delivered) == (SID, False)
    assert 590 <= int(form.pop("ValidityPeriod")) <= 600
    assert form == {
        "To": TO,
        "From": "+15550100",
        "Body": TEXT,
        "StatusCallback": f"{RECEIPTS_URL}?reference={REFERENCE}",
    }


@pytest.mark.parametrize(
    ("sender", "field"),
    [("MG" + "c3" * 16, "MessagingServiceSid"), ("Coffee Club", "From"), ("MGC", "From"), ("55501", "From")],
)
def test_a_messaging_service_and_a_sender_go_into_fields_of_their_own(httpserver, sms, sender, field):
    httpserver.expect_request(f"{PATH}/Messages.json").respond_with_handler(play)
    open_twilio(httpserver, sender=sender).send(sms)
    assert form_of(sent(httpserver))[field] == sender


def test_an_api_key_sends_in_place_of_the_auth_token(httpserver, sms):
    httpserver.expect_request(f"{PATH}/Messages.json").respond_with_handler(play)
    key = {"key_sid": "SK" + "d4" * 16, "key_secret": "s" * 32}
    assert refused(open_twilio(httpserver, **key), sms).is_about_account
    said = base64.b64decode(sent(httpserver).headers["Authorization"].removeprefix("Basic ")).decode()
    assert said == f"{key['key_sid']}:{key['key_secret']}"


@pytest.mark.parametrize("half", [{"key_sid": "SK" + "d4" * 16}, {"key_secret": "s" * 32}])
def test_half_an_api_key_is_refused(httpserver, half):
    with pytest.raises(WrongField, match="key_secret"):
        open_twilio(httpserver, **half)


@pytest.mark.parametrize(
    ("code", "verdict"),
    [
        (20429, LATER),
        (30001, LATER),
        (30008, LATER),
        (21611, LATER),
        (20003, ACCOUNT),
        (21408, ACCOUNT),
        (21606, ACCOUNT),
        (21608, ACCOUNT),
        (21659, ACCOUNT),
        (30002, ACCOUNT),
        (30034, ACCOUNT),
        (21211, PHONE),
        (21610, PHONE),
        (21268, PHONE),
        (21614, PHONE),
        (30004, PHONE),
        (30005, PHONE),
        (30006, PHONE),
        (30003, PHONE_LATER),
        (21617, MESSAGE),
        (30007, MESSAGE),
        (99999, MESSAGE),
    ],
)
def test_del_06_each_code_decides_whether_asking_again_can_help(httpserver, sms, code, verdict):
    httpserver.expect_request(f"{PATH}/Messages.json").respond_with_response(problem(400, code, "No."))
    failure = refused(open_twilio(httpserver), sms)
    assert (failure.permanent, failure.reason, failure.is_about_account) == (
        verdict.permanent,
        verdict.reason,
        verdict.is_about_account,
    )
    assert failure.words == f"Twilio {code}: No."
    assert not failure.may_have_left


def test_del_07_a_yes_that_names_no_message_may_have_sent(httpserver, sms):
    httpserver.expect_request(f"{PATH}/Messages.json").respond_with_data("<html>", 201)
    failure = failed(lambda: open_twilio(httpserver).send(sms))
    assert isinstance(failure, ProviderUnreachable)
    assert failure.may_have_left


def test_the_check_looks_the_account_up_and_sends_nothing(httpserver):
    httpserver.expect_request(f"{PATH}.json", method="GET").respond_with_json({"status": "active"})
    assert open_twilio(httpserver).check()
    assert len(httpserver.log) == 1


def test_the_check_tells_a_suspended_account_and_a_wrong_token(httpserver):
    httpserver.expect_oneshot_request(f"{PATH}.json").respond_with_json({"status": "suspended"})
    httpserver.expect_request(f"{PATH}.json").respond_with_response(problem(401, 20003, "Authenticate"))
    carrier = open_twilio(httpserver)
    for _ in range(2):
        failure = failed(carrier.check)
        assert isinstance(failure, ProviderRefused)
        assert failure.is_about_account


# --- Receipts ----------------------------------------------------------------------------------------------


def signed(form: dict[str, str], token: str = TOKEN, url: str = RECEIPTS_URL) -> Arrived:
    """A callback that was signed with a token."""
    return posted_form(url, form, x_twilio_signature=twilio.signature(token, url, tuple(form.items())))


def test_the_signature_is_that_of_twilios_own_example():
    form = (("Digits", "1234"), ("To", "+18005551212"), ("From", "+14158675310"), ("Caller", "+14158675310"))
    url = "https://example.com/myapp.php?foo=1&bar=2"
    found = twilio.signature("12345", url, (*form, ("CallSid", "CA1234567890ABCDE")))
    assert found == "L/OH5YylLD5NRKLltdqwSvS0BnU="


@pytest.mark.parametrize(
    ("status", "state"),
    [
        ("sent", ReceiptState.SENT),
        ("delivered", ReceiptState.DELIVERED),
        ("undelivered", ReceiptState.FAILED),
        ("failed", ReceiptState.FAILED),
    ],
)
def test_del_10_a_signed_callback_is_a_receipt(httpserver, status, state):
    carrier = open_twilio(httpserver)
    (receipt,) = carrier.read_receipts(signed(CALLBACK | {"MessageStatus": status}))
    assert (receipt.reference, receipt.state) == (SID, state)
    assert (receipt.reason is not None) == (state is ReceiptState.FAILED)


@pytest.mark.parametrize("status", ["queued", "sending", "accepted", "receiving", "new-word", ""])
def test_a_callback_that_tells_no_news_says_nothing(httpserver, status):
    assert open_twilio(httpserver).read_receipts(signed(CALLBACK | {"MessageStatus": status})) == []


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("30003", Reason.PHONE_UNREACHABLE),
        ("30007", Reason.PROVIDER_REFUSED),
        ("", Reason.PHONE_UNREACHABLE),
        ("abc", Reason.PHONE_UNREACHABLE),
    ],
)
def test_a_failed_message_tells_why_in_our_words(httpserver, code, reason):
    form = CALLBACK | {"MessageStatus": "undelivered", "ErrorCode": code}
    (receipt,) = open_twilio(httpserver).read_receipts(signed(form))
    assert receipt.reason is reason


def test_del_10_the_same_callback_five_times_is_the_same_receipt_five_times(httpserver):
    carrier = open_twilio(httpserver)
    url = f"{RECEIPTS_URL}?reference=message-1"
    found = [carrier.read_receipts(signed(CALLBACK, url=url)) for _ in range(5)]
    assert found == [[Receipt(SID, ReceiptState.DELIVERED)]] * 5


@pytest.mark.parametrize(
    "arrived",
    [
        posted_form(RECEIPTS_URL, CALLBACK),
        posted_form(RECEIPTS_URL, CALLBACK, x_twilio_signature=""),
        posted_form(RECEIPTS_URL, CALLBACK, x_twilio_signature="ü"),
        signed(CALLBACK, token="another tenant's"),
        signed(CALLBACK | {"AccountSid": "AC" + "ff" * 16}),
        signed(CALLBACK, url=RECEIPTS_URL.replace("0123", "9999")),
    ],
    ids=["unsigned", "empty", "no base64", "other token", "other account", "other address"],
)
def test_del_10_what_twilio_did_not_sign_for_this_account_and_address_is_refused(httpserver, arrived):
    here = Arrived(arrived.method, RECEIPTS_URL, arrived.headers, arrived.query, arrived.form, arrived.body)
    with pytest.raises(WrongSignature):
        open_twilio(httpserver).read_receipts(here)


@pytest.mark.parametrize("change", [{"MessageStatus": "failed"}, {"MessageSid": "SM1"}, {"Extra": "x"}])
def test_del_10_a_signature_is_for_that_form_alone(httpserver, change):
    signature = signed(CALLBACK).headers["x-twilio-signature"]
    with pytest.raises(WrongSignature):
        open_twilio(httpserver).read_receipts(
            posted_form(RECEIPTS_URL, CALLBACK | change, x_twilio_signature=signature)
        )
