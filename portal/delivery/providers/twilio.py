"""How do SMS leave through Twilio? By its Programmable Messaging API, with signed status callbacks.

Source: Twilio's API reference of the Messages resource, its error dictionary and its security guide.
"""

import base64
import hashlib
import hmac
from collections.abc import Mapping
from typing import Final
from urllib.parse import quote, urlencode

from portal.core.provider_kinds import ProviderKind
from portal.core.receipt_states import ReceiptState
from portal.delivery.outgoing import Answer, Outgoing
from portal.delivery.providers import fields, judging
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
        name="account_sid",
        label="Account SID",
        help="Begins with AC.",
        pattern=r"AC[0-9a-fA-F]{32}",
        fix="An Account SID is AC and 32 hexadecimal digits.",
    ),
    fields.password(
        "auth_token", "Auth token", "Signs the receipts, and sends too where no API key is given.", least=16
    ),
    Field(
        name="key_sid",
        label="API key SID",
        help="Begins with SK. A key can be taken back without touching the auth token.",
        is_required=False,
        pattern=r"SK[0-9a-fA-F]{32}",
        fix="An API key SID is SK and 32 hexadecimal digits.",
    ),
    fields.password("key_secret", "API key secret", is_required=False, least=16),
    fields.sender(
        "A Messaging Service SID (MG...), a number of yours such as +15550100, or a sender name.",
        also=r"MG[0-9a-fA-F]{32}",
    ),
    fields.api_address("https://api.twilio.com"),
)

# Error codes of answers and of status callbacks, in our words.
_CODES: Final[Mapping[int, Verdict]] = {
    **dict.fromkeys((14107, 20429, 21611, 30001, 30008, 30017, 30022), LATER),
    # Authentication, suspension, trial, money, permission to send to a region, senders.
    **dict.fromkeys((10001, 20003, 20005, 20006, 20008, 20403, 20404, 21212, 21213), ACCOUNT),
    **dict.fromkeys((21219, 21408, 21601, 21603, 21606, 21607, 21608), ACCOUNT),
    **dict.fromkeys((21612, 21659, 21660, 21661, 21701, 21702, 21703, 21704, 21705), ACCOUNT),
    **dict.fromkeys((30002, 30010, 30018, 30023, 30024, 30027, 30032, 30034, 30037, 30038), ACCOUNT),
    **dict.fromkeys((63007, 63038), ACCOUNT),
    # No such number, not a mobile, not in service, blocked or opted out.
    **dict.fromkeys((21211, 21214, 21217, 21265, 21266, 21268, 21604, 21610, 21614, 21635), PHONE),
    **dict.fromkeys((21662, 21663, 30004, 30005, 30006, 30011, 30044), PHONE),
    **dict.fromkeys((30003, 30009, 30025), PHONE_LATER),
    **dict.fromkeys((21602, 21605, 21609, 21617, 21618, 21620, 21623, 30007, 30012, 30036), MESSAGE),
}
_STATES: Final[Mapping[str, ReceiptState]] = {
    "sent": ReceiptState.SENT,
    "delivered": ReceiptState.DELIVERED,
    "read": ReceiptState.DELIVERED,
    "undelivered": ReceiptState.FAILED,
    "failed": ReceiptState.FAILED,
    "canceled": ReceiptState.FAILED,
}
# What ValidityPeriod takes, in seconds.
_LEAST, _MOST = 1, 36_000


class Twilio:
    """One account at Twilio. Its API knows no idempotency key, so the reference goes with the callback."""

    name = ProviderKind.TWILIO

    def __init__(
        self, settings: Mapping[str, str], secrets: Mapping[str, str], surroundings: Surroundings
    ) -> None:
        if bool(settings.get("key_sid")) != bool(secrets.get("key_secret")):
            raise WrongField("key_secret", "An API key needs both its SID and its secret.")
        judging.refuse_address("address", settings["address"], surroundings)
        self._account, self._sender = settings["account_sid"], settings["sender"]
        self._auth_token = secrets["auth_token"]
        user = settings.get("key_sid") or self._account
        password = secrets.get("key_secret") or self._auth_token
        self._authorization = "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()
        self._base = f"{settings['address']}/2010-04-01/Accounts/{self._account}"
        self._receipts_url = surroundings.receipts_url
        self._outgoing = Outgoing(surroundings.private_hosts, surroundings.receipts_url)

    def send(self, sms: Sms) -> Accepted:
        """Hands one SMS to Twilio. Raises ProviderFailure."""
        answer = self._ask("POST", f"{self._base}/Messages.json", urlencode(self._form(sms)).encode())
        if answer.status != 201:
            raise _failure(answer)
        sid = judging.text_of(judging.member(answer.json, "sid"))
        if not sid:
            raise ProviderUnreachable("The answer names no message.", may_have_left=True)
        return Accepted(reference=sid)

    def check(self) -> bool:
        """Looks the account up, which sends nothing. Raises ProviderFailure."""
        answer = self._ask("GET", f"{self._base}.json")
        if answer.status != 200:
            raise _failure(answer)
        status = judging.text_of(judging.member(answer.json, "status"))
        if status and status != "active":
            raise ACCOUNT.refusal(f"The account is {status}.")
        return True

    def read_receipts(self, arrived: Arrived) -> list[Receipt]:
        """What a status callback says. Raises WrongSignature."""
        expected = signature(self._auth_token, arrived.url, arrived.form)
        said = arrived.headers.get("x-twilio-signature", "")
        form = dict(arrived.form)
        if not hmac.compare_digest(expected.encode(), said.encode("utf-8", "replace")):
            raise WrongSignature
        if form.get("AccountSid", self._account) != self._account:
            raise WrongSignature
        reference = form.get("MessageSid", "")
        state = _STATES.get(form.get("MessageStatus", ""))
        if not reference or state is None:
            return []
        code = form.get("ErrorCode", "")
        reason = judging.reason_of(_CODES, code) if state is ReceiptState.FAILED else None
        ours = dict(arrived.query).get("reference", "")
        return [Receipt(reference, state, reason, f"Twilio {code}" if code else "", ours)]

    def close(self) -> None:
        """Nothing is kept open."""

    def _form(self, sms: Sms) -> dict[str, str]:
        kind = "MessagingServiceSid" if self._sender.startswith("MG") and len(self._sender) == 34 else "From"
        left = judging.seconds_left(sms.valid_until, least=_LEAST, most=_MOST)
        form = {"To": sms.to, kind: self._sender, "Body": sms.text, "ValidityPeriod": str(left)}
        if self._receipts_url:
            form["StatusCallback"] = f"{self._receipts_url}?reference={quote(sms.reference, safe='')}"
        return form

    def _ask(self, method: str, url: str, content: bytes = b"") -> Answer:
        headers = {"authorization": self._authorization, "accept": "application/json"}
        if content:
            headers["content-type"] = "application/x-www-form-urlencoded"
        return judging.ask(self._outgoing, method, url, headers, content)


def signature(auth_token: str, url: str, form: tuple[tuple[str, str], ...]) -> str:
    """Twilio's signature: HMAC-SHA-1 over the address and the form's pairs, sorted by name, in base64."""
    # A pair that comes twice counts once, as in Twilio's own libraries.
    pairs = "".join(name + value for name, value in sorted(set(form)))
    digest = hmac.digest(auth_token.encode(), (url + pairs).encode(), hashlib.sha1)
    return base64.b64encode(digest).decode()


def _failure(answer: Answer) -> ProviderFailure:
    code = judging.text_of(judging.member(answer.json, "code"))
    words = judging.text_of(judging.member(answer.json, "message"))
    verdict = judging.verdict_of(_CODES, code, answer.status)
    return judging.refused(answer, verdict, f"Twilio {code}: {words}" if code else "")
