"""How do SMS leave through Vonage? By its Messages API, with status webhooks that carry a signed token.

Source: Vonage's reference of the Messages API v1, its list of API errors and its guide to signed webhooks.
"""

import base64
import hashlib
import hmac
import json
import re
import secrets as chance
from collections.abc import Mapping
from typing import Final

from portal import clock
from portal.core.provider_kinds import ProviderKind
from portal.core.receipt_states import ReceiptState
from portal.delivery.outgoing import Answer, Outgoing
from portal.delivery.providers import fields, judging, tokens
from portal.delivery.providers.base import (
    Accepted,
    Arrived,
    Field,
    ProviderFailure,
    ProviderUnreachable,
    Receipt,
    Sms,
    Surroundings,
    WrongField,
    WrongSignature,
)
from portal.delivery.providers.judging import ACCOUNT, LATER, MESSAGE, PHONE, PHONE_LATER, Verdict

FIELDS: Final = (
    Field(
        name="application_id",
        label="Application ID",
        help="With the application's private key. Leave both empty to send with an API key and secret.",
        is_required=False,
        pattern=r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}",
        fix="An application ID looks like 78d335fa-323d-0114-9c3d-d6f0d48968cf.",
    ),
    Field(
        name="private_key",
        label="Private key",
        help="The whole file that Vonage made, with its first and last line.",
        is_secret=True,
        is_required=False,
        is_long=True,
        pattern=r"-----BEGIN [A-Z ]*KEY-----[A-Za-z0-9+/=\s]{100,8000}-----END [A-Z ]*KEY-----",
        fix="A private key begins with -----BEGIN PRIVATE KEY----- and ends with its last line.",
    ),
    Field(
        name="api_key",
        label="API key",
        pattern=r"[0-9A-Za-z]{4,64}",
        fix="An API key is 4 to 64 letters and digits.",
    ),
    fields.password("api_secret", "API secret", is_required=False),
    fields.password(
        "signature_secret",
        "Signature secret",
        "Signs the receipts; it stands in the settings of the account.",
    ),
    fields.sender("A number of yours, or a sender name."),
    fields.api_address("https://api.nexmo.com"),
)

# Error codes of answers and of status webhooks, in our words.
_CODES: Final[Mapping[int, Verdict]] = {
    **dict.fromkeys((1000, 1030, 1100, 1200, 1230, 1241, 1300, 1320, 1330, 1390, 1400), LATER),
    # Barred, no money, not provisioned, sender refused, no permission for the country.
    **dict.fromkeys((1060, 1070, 1080, 1110, 1120, 1140, 1160, 1310, 1340, 1350, 1420, 1460, 1470), ACCOUNT),
    **dict.fromkeys((1050, 1170, 1190, 1240, 1250, 1260, 1270, 1280, 1290, 1430, 1450), PHONE),
    **dict.fromkeys((1180, 1220, 1360), PHONE_LATER),
    **dict.fromkeys((1010, 1020, 1021, 1022, 1040, 1090, 1130, 1150, 1210, 1380, 1410, 1440, 1482), MESSAGE),
}
_STATES: Final[Mapping[str, ReceiptState]] = {
    "submitted": ReceiptState.SENT,
    "delivered": ReceiptState.DELIVERED,
    "read": ReceiptState.DELIVERED,
    "rejected": ReceiptState.FAILED,
    "undeliverable": ReceiptState.FAILED,
}
# What ttl takes, in seconds.
_LEAST, _MOST = 20, 604_800
# How old a webhook's token may be, or how far ahead its clock (ms).
_FRESH: Final = 5 * clock.MINUTE


class Vonage:
    """One account at Vonage; sends as an application, or with the account's key and secret."""

    name = ProviderKind.VONAGE

    def __init__(
        self, settings: Mapping[str, str], secrets: Mapping[str, str], surroundings: Surroundings
    ) -> None:
        judging.refuse_address("address", settings["address"], surroundings)
        self._application, self._api_key = settings.get("application_id", ""), settings["api_key"]
        self._key = secrets.get("private_key", "")
        self._api_secret = secrets.get("api_secret", "")
        self._signature_secret = secrets["signature_secret"].encode()
        if bool(self._application) != bool(self._key):
            raise WrongField("private_key", "An application needs both its ID and its private key.")
        if self._key and not tokens.is_rsa_key(self._key):
            raise WrongField("private_key", "This is no RSA private key in PEM form.")
        if not self._key and not self._api_secret:
            raise WrongField("api_secret", "Give the API secret, or an application with its private key.")
        self._sender = settings["sender"].removeprefix("+")
        self._base = settings["address"]
        self._receipts_url = surroundings.receipts_url
        self._outgoing = Outgoing(surroundings.private_hosts, surroundings.receipts_url)

    def send(self, sms: Sms) -> Accepted:
        """Hands one SMS to Vonage. Raises ProviderFailure."""
        answer = self._ask("POST", "/v1/messages", json.dumps(self._message(sms)).encode())
        if answer.status != 202:
            raise _failure(answer)
        found = judging.text_of(judging.member(answer.json, "message_uuid"))
        if not found:
            raise ProviderUnreachable("The answer names no message.", may_have_left=True)
        return Accepted(reference=found)

    def check(self) -> bool:
        """Asks for a message that cannot be: right credentials are told what it lacks, and nothing is sent.

        Raises ProviderFailure. Vonage has no call that an application may make just to see who it is.
        """
        answer = self._ask("POST", "/v1/messages", b"{}")
        if answer.status not in (400, 422):
            raise _failure(answer)
        return True

    def read_receipts(self, arrived: Arrived) -> list[Receipt]:
        """What a status webhook says. Raises WrongSignature."""
        claims = tokens.read_hs256(_bearer(arrived), self._signature_secret)
        if not self._is_ours(claims) or not _is_fresh(claims) or not _is_of(claims, arrived.body):
            raise WrongSignature
        try:
            said = json.loads(arrived.body)
        except (ValueError, RecursionError):
            return []
        reference = judging.text_of(judging.member(said, "message_uuid"))
        state = _STATES.get(judging.text_of(judging.member(said, "status")))
        if not reference or state is None:
            return []
        code = _code(judging.member(said, "error"))
        reason = judging.reason_of(_CODES, code) if state is ReceiptState.FAILED else None
        ours = judging.text_of(judging.member(said, "client_ref"))
        return [Receipt(reference, state, reason, f"Vonage {code}" if code else "", ours)]

    def close(self) -> None:
        """Nothing is kept open."""

    def _message(self, sms: Sms) -> dict[str, object]:
        message: dict[str, object] = {
            "message_type": "text",
            "channel": "sms",
            "to": sms.to.removeprefix("+"),
            "from": self._sender,
            "text": sms.text,
            "ttl": judging.seconds_left(sms.valid_until, least=_LEAST, most=_MOST),
            "client_ref": sms.reference,
            "sms": {"encoding_type": "auto"},
        }
        if self._receipts_url:
            message |= {"webhook_url": self._receipts_url, "webhook_version": "v1"}
        return message

    def _ask(self, method: str, path: str, content: bytes) -> Answer:
        headers = {
            "authorization": self._authorization(),
            "content-type": "application/json",
            "accept": "application/json",
        }
        return judging.ask(self._outgoing, method, f"{self._base}{path}", headers, content)

    def _authorization(self) -> str:
        if not self._key:
            both = f"{self._api_key}:{self._api_secret}".encode()
            return "Basic " + base64.b64encode(both).decode()
        now = clock.now() // clock.SECOND
        claims = {
            "application_id": self._application,
            "iat": now,
            "exp": now + 60,
            "jti": chance.token_hex(16),
        }
        return "Bearer " + tokens.write_rs256(claims, self._key)

    def _is_ours(self, claims: Mapping[str, object]) -> bool:
        application = claims.get("application_id")
        return claims.get("api_key") == self._api_key and (
            not self._application or not application or application == self._application
        )


def _bearer(arrived: Arrived) -> str:
    scheme, _, token = arrived.headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


def _is_fresh(claims: Mapping[str, object]) -> bool:
    issued, expires = claims.get("iat"), claims.get("exp")
    if not isinstance(issued, int) or isinstance(issued, bool):
        return False
    now = clock.now()
    has_ended = isinstance(expires, int) and expires * clock.SECOND <= now
    return abs(now - issued * clock.SECOND) <= _FRESH and not has_ended


def _is_of(claims: Mapping[str, object], body: bytes) -> bool:
    """Whether a token is about this very body, as it came."""
    said = claims.get("payload_hash")
    found = hashlib.sha256(body).hexdigest()
    return isinstance(said, str) and hmac.compare_digest(
        found, said.lower().encode("ascii", "replace").decode()
    )


def _code(problem: object) -> str:
    """The number of a problem, which stands at the end of its type or is its title, one level down or two."""
    inner = judging.member(problem, "error")
    problem = inner if isinstance(inner, dict) else problem
    kind = re.search(r"#([0-9]{4})$", judging.text_of(judging.member(problem, "type")))
    title = judging.text_of(judging.member(problem, "title"))
    return kind.group(1) if kind else title if re.fullmatch(r"[0-9]{4}", title) else ""


def _failure(answer: Answer) -> ProviderFailure:
    code = _code(answer.json)
    words = " ".join(
        part for name in ("title", "detail") if (part := judging.text_of(judging.member(answer.json, name)))
    )
    return judging.refused(answer, judging.verdict_of(_CODES, code, answer.status), words)
