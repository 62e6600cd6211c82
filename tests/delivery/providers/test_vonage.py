"""Vonage gets what its reference asks for, its codes decide, and only webhooks that it signed now count."""

import base64
import hashlib
import hmac
import json

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from werkzeug import Request, Response

from portal import clock as portal_clock
from portal.core.provider_kinds import ProviderKind
from portal.core.reasons import Reason
from portal.core.receipt_states import ReceiptState
from portal.delivery.providers import tokens
from portal.delivery.providers.base import Arrived, ProviderUnreachable, Receipt, WrongField, WrongSignature
from portal.delivery.providers.judging import ACCOUNT, LATER, MESSAGE, PHONE, PHONE_LATER
from tests.delivery.providers.conftest import (
    RECEIPTS_URL,
    REFERENCE,
    TEXT,
    TO,
    failed,
    open_here,
    refused,
    sent,
)

API_KEY, API_SECRET, SECRET = "a1b2c3d4", "s3cret-of-the-api", "signature-secret-of-32-characters"
APPLICATION, UUID = "78d335fa-323d-0114-9c3d-d6f0d48968cf", "aaaaaaaa-bbbb-4ccc-8ddd-0123456789ab"
VALUES = {
    "api_key": API_KEY,
    "api_secret": API_SECRET,
    "signature_secret": SECRET,
    "sender": "+15550100",
}
STATUS = {
    "message_uuid": UUID,
    "to": TO[1:],
    "from": "15550100",
    "timestamp": "2026-11-28T12:14:25Z",
    "status": "delivered",
    "channel": "sms",
    "client_ref": REFERENCE,
}


def pem(key) -> str:
    """A private key as a file holds it."""
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()


@pytest.fixture(scope="module")
def key() -> rsa.RSAPrivateKey:
    """An application's private key."""
    return rsa.generate_private_key(65_537, 2_048)


def open_vonage(httpserver, **values: str):
    """Vonage's carrier over the local server."""
    address = httpserver.url_for("").rstrip("/")
    return open_here(ProviderKind.VONAGE, address, VALUES | {"address": address} | values)


def problem(status: int, code: int, title: str = "No") -> Response:
    """A refusal as Vonage words it."""
    kind = f"https://developer.vonage.com/api-errors/messages#{code}"
    said = {"type": kind, "title": title, "detail": "The reason.", "instance": "bf0ca0bf927b3b52e3cb0321"}
    return Response(json.dumps(said), status, content_type="application/problem+json")


def play(request: Request) -> Response:
    """Vonage's part, as its reference has it."""
    both = base64.b64encode(f"{API_KEY}:{API_SECRET}".encode()).decode()
    if request.headers["Authorization"] != f"Basic {both}":
        return Response(json.dumps({"type": "https://developer.vonage.com/api-errors#unauthorized"}), 401)
    message = request.get_json()
    if (message.get("channel"), message.get("message_type")) != ("sms", "text"):
        return problem(422, 1410)
    if not message["to"].isdecimal():
        return problem(422, 1430)
    if not 20 <= message["ttl"] <= 604_800 or len(message["client_ref"]) > 100:
        return problem(422, 1020)
    return Response(json.dumps({"message_uuid": UUID}), 202, content_type="application/json")


def test_it_sends_what_the_reference_of_the_messages_api_asks_for(httpserver, sms):
    httpserver.expect_request("/v1/messages", method="POST").respond_with_handler(play)
    assert open_vonage(httpserver).send(sms).reference == UUID
    message = sent(httpserver).get_json()
    assert 590 <= message.pop("ttl") <= 600
    assert message == {
        "message_type": "text",
        "channel": "sms",
        "to": TO[1:],
        "from": "15550100",
        "text": TEXT,
        "client_ref": REFERENCE,
        "sms": {"encoding_type": "auto"},
        "webhook_url": RECEIPTS_URL,
        "webhook_version": "v1",
    }


def test_an_application_signs_a_short_lived_token_of_its_own_for_each_request(httpserver, sms, key):
    httpserver.expect_request("/v1/messages").respond_with_json({"message_uuid": UUID}, 202)
    carrier = open_vonage(httpserver, application_id=APPLICATION, private_key=pem(key), api_secret="")
    ids = set()
    for _ in range(2):
        carrier.send(sms)
        token = sent(httpserver).headers["Authorization"].removeprefix("Bearer ")
        signed, _, signature = token.rpartition(".")
        raw = base64.urlsafe_b64decode(signature + "=" * (-len(signature) % 4))
        key.public_key().verify(raw, signed.encode(), padding.PKCS1v15(), hashes.SHA256())
        head, claims = (tokens._decoded(part) for part in signed.split("."))
        assert head == {"alg": "RS256", "typ": "JWT"}
        assert claims["application_id"] == APPLICATION
        assert claims["exp"] - claims["iat"] == 60
        ids.add(claims["jti"])
    assert len(ids) == 2


def test_credentials_that_do_not_go_together_are_refused(httpserver, key):
    small = pem(rsa.generate_private_key(65_537, 1_024))
    other = pem(ec.generate_private_key(ec.SECP256R1()))
    broken = pem(key).replace("MII", "AAA", 1)
    for values, field in [
        ({"api_secret": ""}, "api_secret"),
        ({"application_id": APPLICATION}, "private_key"),
        ({"private_key": pem(key)}, "private_key"),
        ({"application_id": APPLICATION, "private_key": small}, "private_key"),
        ({"application_id": APPLICATION, "private_key": other}, "private_key"),
        ({"application_id": APPLICATION, "private_key": broken}, "private_key"),
        ({"application_id": APPLICATION, "private_key": "no key"}, "private_key"),
    ]:
        with pytest.raises(WrongField) as wrong:
            open_vonage(httpserver, **values)
        assert wrong.value.field == field
        assert "MII" not in str(wrong.value)


@pytest.mark.parametrize(
    ("status", "code", "verdict"),
    [
        (429, 1000, LATER),
        (500, 1030, LATER),
        (422, 1100, LATER),
        (401, 1060, ACCOUNT),
        (402, 1070, ACCOUNT),
        (422, 1120, ACCOUNT),
        (422, 1160, ACCOUNT),
        (422, 1420, ACCOUNT),
        (422, 1050, PHONE),
        (422, 1170, PHONE),
        (422, 1240, PHONE),
        (422, 1430, PHONE),
        (422, 1180, PHONE_LATER),
        (422, 1020, MESSAGE),
        (422, 1210, MESSAGE),
        (422, 9999, MESSAGE),
        (403, 9999, ACCOUNT),
        (503, 9999, LATER),
    ],
)
def test_del_06_each_code_decides_whether_asking_again_can_help(httpserver, sms, status, code, verdict):
    httpserver.expect_request("/v1/messages").respond_with_response(problem(status, code))
    failure = refused(open_vonage(httpserver), sms)
    assert (failure.permanent, failure.reason, failure.is_about_account) == (
        verdict.permanent,
        verdict.reason,
        verdict.is_about_account,
    )
    assert failure.words == "No The reason."


def test_del_07_a_yes_that_names_no_message_may_have_sent(httpserver, sms):
    httpserver.expect_request("/v1/messages").respond_with_data("<html>", 202)
    failure = failed(lambda: open_vonage(httpserver).send(sms))
    assert isinstance(failure, ProviderUnreachable)
    assert failure.may_have_left


def test_the_check_tells_right_credentials_from_wrong_ones_and_sends_nothing(httpserver):
    httpserver.expect_oneshot_request("/v1/messages").respond_with_response(problem(422, 1150))
    httpserver.expect_request("/v1/messages").respond_with_json({"title": "Unauthorized"}, 401)
    carrier = open_vonage(httpserver)
    assert carrier.check()
    assert sent(httpserver).get_json() == {}
    assert failed(carrier.check).is_about_account


# --- Receipts ----------------------------------------------------------------------------------------------


def hs256(claims: dict, secret: bytes) -> str:
    """A token as Vonage signs it with a shared secret (RFC 7515, appendix A.1)."""

    def part(raw: bytes) -> str:
        return base64.urlsafe_b64encode(raw).decode().rstrip("=")

    said = ".".join(part(json.dumps(each).encode()) for each in ({"alg": "HS256", "typ": "JWT"}, claims))
    return f"{said}.{part(hmac.digest(secret, said.encode(), hashlib.sha256))}"


def signed(body: dict | bytes, secret: str = SECRET, **claims: object) -> Arrived:
    """A webhook that was signed with a secret; claims may be told otherwise."""
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    usual = {
        "iat": portal_clock.now() // 1000,
        "jti": "8d2cbf07",
        "iss": "Vonage",
        "payload_hash": hashlib.sha256(raw).hexdigest(),
        "api_key": API_KEY,
        "application_id": APPLICATION,
    }
    token = hs256(usual | claims, secret.encode())
    return Arrived("POST", RECEIPTS_URL, {"authorization": f"Bearer {token}"}, body=raw)


@pytest.mark.parametrize(
    ("status", "state"),
    [
        ("submitted", ReceiptState.SENT),
        ("delivered", ReceiptState.DELIVERED),
        ("rejected", ReceiptState.FAILED),
        ("undeliverable", ReceiptState.FAILED),
    ],
)
def test_del_10_a_signed_webhook_is_a_receipt(httpserver, status, state):
    (receipt,) = open_vonage(httpserver).read_receipts(signed(STATUS | {"status": status}))
    assert (receipt.reference, receipt.state) == (UUID, state)


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (
            {"type": "https://developer.vonage.com/api-errors/messages#1180", "title": 1180},
            "PHONE_UNREACHABLE",
        ),
        ({"error": {"type": "https://x/#rejected", "title": "1210", "detail": "Spam"}}, "PROVIDER_REFUSED"),
        ({"title": 1120}, "PROVIDER_ACCOUNT_REFUSED"),
        ({"title": "Rejected"}, "PHONE_UNREACHABLE"),
        ("text", "PHONE_UNREACHABLE"),
    ],
)
def test_a_failed_message_tells_why_in_our_words(httpserver, error, reason):
    body = STATUS | {"status": "undeliverable", "error": error}
    (receipt,) = open_vonage(httpserver).read_receipts(signed(body))
    assert receipt.reason is Reason[reason]


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"[]", b"null", b"5", b'{"status": "delivered"}', b'{"message_uuid": [], "status": {}}'],
)
def test_a_signed_webhook_that_names_no_message_says_nothing(httpserver, body):
    assert open_vonage(httpserver).read_receipts(signed(body)) == []


def test_del_10_the_same_webhook_five_times_is_the_same_receipt_five_times(httpserver):
    carrier, arrived = open_vonage(httpserver), signed(STATUS)
    assert [carrier.read_receipts(arrived) for _ in range(5)] == [
        [Receipt(UUID, ReceiptState.DELIVERED, our_reference=STATUS["client_ref"])]
    ] * 5


@pytest.mark.parametrize(
    "claims",
    [
        {"iat": -400},
        {"iat": 400},
        {"iat": None},
        {"iat": "now"},
        {"iat": True},
        {"exp": -1},
        {"payload_hash": "00" * 32},
        {"payload_hash": None},
        {"payload_hash": "\ud800"},
        {"api_key": "other"},
        {"api_key": None},
    ],
    ids=repr,
)
def test_del_10_a_token_that_is_stale_or_about_something_else_is_refused(httpserver, claims):
    now = portal_clock.now() // 1000
    # Whole numbers are seconds from now.
    told = {name: now + value if type(value) is int else value for name, value in claims.items()}
    with pytest.raises(WrongSignature):
        open_vonage(httpserver).read_receipts(signed(STATUS, **told))


def test_del_10_another_application_of_the_same_account_is_refused(httpserver, key):
    carrier = open_vonage(httpserver, application_id=APPLICATION, private_key=pem(key))
    assert carrier.read_receipts(signed(STATUS))
    with pytest.raises(WrongSignature):
        carrier.read_receipts(signed(STATUS, application_id="0" * 36))


def test_del_10_a_body_that_was_changed_on_the_way_is_refused(httpserver):
    arrived = signed(STATUS)
    changed = Arrived(
        "POST", arrived.url, arrived.headers, body=arrived.body.replace(b"delivered", b"rejected")
    )
    with pytest.raises(WrongSignature):
        open_vonage(httpserver).read_receipts(changed)


def unsigned() -> list[str]:
    """Authorization headers without a signature of the right secret."""
    token = signed(STATUS).headers["authorization"]
    head, claims, signature = token.removeprefix("Bearer ").split(".")
    none = tokens._encoded(b'{"alg":"none"}')
    rs = tokens._encoded(b'{"alg":"RS256"}')
    forged = signed(STATUS, secret="another tenant's secret").headers["authorization"]
    return [
        "",
        "Bearer",
        "Bearer ",
        "Basic abc",
        forged,
        f"Bearer {none}.{claims}.",
        f"Bearer {none}.{claims}.{signature}",
        f"Bearer {rs}.{claims}.{signature}",
        f"Bearer {head}.{claims}.",
        f"Bearer {head}.{claims}",
        f"Bearer {head}.{claims}.{signature[:-2]}",
        f"Bearer ü.{claims}.{signature}",
        "Bearer " + "a" * 9_000,
        "Bearer ..",
    ]


@pytest.mark.parametrize("header", unsigned(), ids=range(len(unsigned())))
def test_del_10_a_webhook_without_the_right_signature_is_refused(httpserver, header):
    body = json.dumps(STATUS).encode()
    with pytest.raises(WrongSignature):
        open_vonage(httpserver).read_receipts(
            Arrived("POST", RECEIPTS_URL, {"authorization": header}, body=body)
        )


def test_a_token_that_claims_nothing_readable_is_refused():
    for parts in (["e30", "e30"], ["W10", "W10"], ["!", "!"], [tokens._encoded(b'{"alg":"HS256"}'), "W10"]):
        text = ".".join(parts)
        signature = tokens._encoded(hmac.digest(b"s" * 32, text.encode(), hashlib.sha256))
        with pytest.raises(WrongSignature):
            tokens.read_hs256(f"{text}.{signature}", b"s" * 32)
