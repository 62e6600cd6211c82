"""How do SMS leave through a carrier unknown to Ringback? By a request that the app's owner describes."""

import base64
from collections.abc import Mapping
from typing import Final
from urllib.parse import urlsplit

from portal import clock
from portal.core.provider_kinds import ProviderKind
from portal.delivery.outgoing import Outgoing
from portal.delivery.providers import fields, http_receipts, http_templates, judging
from portal.delivery.providers.base import (
    Accepted,
    Arrived,
    Field,
    Receipt,
    Sms,
    Surroundings,
    WrongField,
)
from portal.delivery.providers.http_templates import FORM, JSON, Templates

_BODY: Final = """{"to": "{to}", "from": "{from}", "text": "{text}", "reference": "{reference}",
 "receipts_url": "{receipts_url}", "ttl": "{validity}"}"""
_WORDS: Final = """sent = sent
accepted = sent
delivered = delivered
delivrd = delivered
failed = failed
undelivered = failed
undeliv = failed
rejected = failed
expired = failed"""
_PLACE: Final = r"/[^\x00-\x1f\x7f]{1,200}|[A-Za-z0-9_.:-]{1,64}"
_HEADER_NAME: Final = r"[A-Za-z0-9-]{1,64}"

FIELDS: Final = (
    Field(
        name="url",
        label="Address",
        help=f"Filled in, each encoded for its place: {http_templates.KNOWN}. {fields.WHERE_IT_MAY_STAND}",
        pattern=r"https?://[!-~]{1,1500}",
        fix="An address begins with https:// and holds no spaces.",
    ),
    Field(name="method", label="Method", default="POST", choices=("POST", "PUT", "GET")),
    Field(name="content_type", label="Kind of body", default=JSON, choices=(JSON, FORM)),
    Field(
        name="sender",
        label="Sender",
        help="Stands where {from} does.",
        is_required=False,
        pattern=fields.sender("").pattern,
        fix=fields.sender("").fix,
    ),
    Field(
        name="body",
        label="Body",
        help='JSON, placeholders in quotes ("{validity}" becomes a number), or a form: to={to}&text={text}.',
        is_required=False,
        is_long=True,
        default=_BODY,
        pattern=r"[^\x00]{1,4000}",
        fix="The body has up to 4000 characters.",
    ),
    Field(
        name="headers",
        label="Headers",
        help="One a line. Idempotency-Key: {reference} lets the carrier drop what it got before.",
        is_required=False,
        is_long=True,
        default="Idempotency-Key: {reference}",
        pattern=r"[^\x00]{1,2000}",
        fix="The headers have up to 2000 characters.",
    ),
    Field(
        name="user",
        label="User name",
        help="With the secret as its password, unless the headers have an Authorization of their own.",
        is_required=False,
        pattern=r"[!-9;-~]{1,200}",
        fix="A user name has no spaces and no colon.",
    ),
    fields.password("secret", "Secret", "Stands where {secret} does.", is_required=False, least=1),
    fields.password("signing_key", "Signing key", "Signs what is sent.", is_required=False, least=16),
    Field(
        name="signature_header",
        label="Header of the signature",
        default="X-Ringback-Signature",
        pattern=_HEADER_NAME,
        fix="The name of a header: letters, digits and hyphens.",
    ),
    Field(
        name="reference_at",
        label="Where the answer names the message",
        help="A JSON pointer such as /messages/0/id. Empty: receipts name it by {reference}.",
        is_required=False,
        pattern=r"/[^\x00-\x1f\x7f]{1,200}",
        fix="A JSON pointer begins with a slash: /messages/0/id.",
    ),
    Field(
        name="check_url",
        label="Address to check the credentials at",
        help="A GET there must answer 2xx, and send nothing.",
        is_required=False,
        is_for_check=True,
        pattern=r"https?://[!-~]{1,1500}",
        fix="An address begins with https:// and holds no spaces.",
    ),
    Field(
        name="receipt_reference",
        label="Where a receipt names the message",
        help="The name of a field, or a JSON pointer.",
        default="reference",
        pattern=_PLACE,
        fix="The name of a field such as id, or a JSON pointer such as /data/id.",
    ),
    Field(
        name="receipt_status",
        label="Where a receipt tells the state",
        default="status",
        pattern=_PLACE,
        fix="The name of a field such as status, or a JSON pointer such as /data/status.",
    ),
    Field(
        name="receipt_words",
        label="Words for the states",
        help="One a line: the carrier's word = sent, delivered or failed.",
        is_long=True,
        default=_WORDS,
        pattern=r"[^\x00]{1,2000}",
        fix="The words have up to 2000 characters.",
    ),
    fields.password("receipt_key", "Receipt key", "Signs the receipts.", is_required=False, least=16),
    Field(
        name="receipt_header",
        label="Header of a receipt's signature",
        default="X-Signature",
        pattern=_HEADER_NAME,
        fix="The name of a header: letters, digits and hyphens.",
    ),
)


class Http:
    """One carrier behind an address. Every 2xx is a yes, every other 4xx a no for good (but see judging)."""

    name = ProviderKind.HTTP

    def __init__(
        self, settings: Mapping[str, str], secrets: Mapping[str, str], surroundings: Surroundings
    ) -> None:
        self._settings, self._method = settings, settings["method"]
        body = "" if self._method == "GET" else settings.get("body", "")
        self._templates = http_templates.read(
            settings["url"], settings.get("headers", ""), settings["content_type"], body
        )
        self._check_url = _read_check(settings.get("check_url", ""))
        for name in ("url", "check_url"):
            if name in settings:
                judging.refuse_address(name, settings[name], surroundings)
        self._secret, self._user = secrets.get("secret", ""), settings.get("user", "")
        self._signing_key = secrets.get("signing_key", "").encode()
        self._receipts_url = surroundings.receipts_url
        self._receipts = http_receipts.ReceiptFormat(
            settings["receipt_reference"],
            settings["receipt_status"],
            http_receipts.read_words(settings["receipt_words"]),
            secrets.get("receipt_key", "").encode(),
            settings["receipt_header"],
        )
        if not settings.get("sender"):
            _refuse_empty_sender({**settings, "body": body})
        self._outgoing = Outgoing(surroundings.private_hosts, surroundings.receipts_url)

    def send(self, sms: Sms) -> Accepted:
        """Makes the described request. Raises ProviderFailure."""
        values = self._values(sms)
        url = self._templates.filled_url(values)
        content = b"" if self._method == "GET" else self._templates.filled_body(values)
        answer = judging.ask(self._outgoing, self._method, url, self._headers(values, content), content)
        if not 200 <= answer.status < 300:
            raise judging.refused(answer, judging.of_status(answer.status), "")
        place = self._settings.get("reference_at", "")
        if not place:
            return Accepted(reference=sms.reference)
        return Accepted(reference=judging.text_of(http_receipts.found_at(answer.json, place)) or None)

    def check(self) -> bool:
        """Asks the check address; without one, only looks for the server. Raises ProviderFailure."""
        values = dict.fromkeys(http_templates.NAMES, "") | {"user": self._user, "secret": self._secret}
        headers = self._headers(values, b"")
        if not self._check_url:
            where = urlsplit(self._settings["url"])
            judging.ask(self._outgoing, "OPTIONS", f"{where.scheme}://{where.netloc}/")
            return False
        answer = judging.ask(self._outgoing, "GET", self._check_url.filled_url(values), headers)
        if not 200 <= answer.status < 300:
            raise judging.refused(answer, judging.of_status(answer.status), "")
        return True

    def read_receipts(self, arrived: Arrived) -> list[Receipt]:
        """What a receipt says, by its described format. Raises WrongSignature and UnreadableReceipt."""
        return self._receipts.read(arrived)

    def close(self) -> None:
        """Nothing is kept open."""

    def _values(self, sms: Sms) -> dict[str, str]:
        return {
            "to": sms.to,
            "to_digits": sms.to.removeprefix("+"),
            "from": self._settings.get("sender", ""),
            "text": sms.text,
            "reference": sms.reference,
            "receipts_url": self._receipts_url,
            "validity": str(judging.seconds_left(sms.valid_until, least=1, most=86_400)),
            "user": self._user,
            "secret": self._secret,
        }

    def _headers(self, values: Mapping[str, str], content: bytes) -> dict[str, str]:
        headers = self._templates.filled_headers(values)
        if self._user and "authorization" not in headers:
            both = base64.b64encode(f"{self._user}:{self._secret}".encode()).decode()
            headers["authorization"] = f"Basic {both}"
        if content:
            headers["content-type"] = self._templates.content_type
        if self._signing_key:
            at = str(clock.now() // clock.SECOND)
            name = self._settings["signature_header"].lower()
            headers[name] = http_receipts.signature(self._signing_key, at, content)
        return headers


def _refuse_empty_sender(settings: Mapping[str, str]) -> None:
    places = {"url": "the address", "body": "the body", "headers": "the headers"}
    named = [words for name, words in places.items() if "{from}" in settings.get(name, "")]
    if named:
        where = " and ".join(named)
        raise WrongField("sender", f"{{from}} stands in {where}: give a sender, or take {{from}} out there.")


def _read_check(url: str) -> Templates | None:
    try:
        return http_templates.read(url, "", FORM, "") if url else None
    except WrongField as wrong:
        raise WrongField("check_url", wrong.fix) from None
