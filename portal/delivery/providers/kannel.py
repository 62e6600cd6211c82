"""How do SMS leave through a Kannel of one's own? By its sendsms, which reports back at an address we give.

Source: Kannel's user guide 1.4.5, "Using the sendsms" and "Delivery reports". Everything goes in the headers
and the body of a POST, so that neither number nor text nor password stands in the log of a server (PII-02).
"""

from collections.abc import Mapping
from typing import Final
from urllib.parse import quote

from portal.core import segments
from portal.core.provider_kinds import ProviderKind
from portal.core.reasons import Reason
from portal.core.receipt_states import ReceiptState
from portal.delivery.outgoing import Answer, Outgoing
from portal.delivery.providers import fields, judging
from portal.delivery.providers.base import (
    Accepted,
    Arrived,
    Field,
    ProviderUnreachable,
    Receipt,
    Sms,
    Surroundings,
)
from portal.delivery.providers.judging import ACCOUNT, PHONE, Verdict

FIELDS: Final = (
    Field(
        name="address",
        label="Address of sendsms",
        help=f"Such as https://kannel.example/cgi-bin/sendsms. {fields.WHERE_IT_MAY_STAND}",
        pattern=r"https?://[!-~]{1,500}",
        fix="The address looks like https://kannel.example/cgi-bin/sendsms.",
    ),
    Field(
        name="user",
        label="User name",
        help="Of the group sendsms-user.",
        pattern=r"[!-~]{1,64}",
        fix="A user name has no spaces.",
    ),
    fields.password("password", "Password", least=1),
    fields.sender("A number, or a sender name."),
    Field(
        name="smsc",
        label="SMSC",
        help="The smsc-id to go through, where Kannel shall not choose.",
        is_required=False,
        pattern=r"[!-~]{1,64}",
        fix="An smsc-id has no spaces.",
    ),
)

# What Kannel says with a no, in our words; the status decides where none of these stands in the answer.
_WORDS: Final[Mapping[str, Verdict]] = {
    "authorization failed": ACCOUNT,
    "not routable": ACCOUNT,
    "white- and/or black-lists": PHONE,
}
_TAKEN: Final = ("0:", "3:")
# Delivery reports: to the phone or not, waiting or taken at the SMSC, refused by it, too late for the phone.
_STATES: Final[Mapping[str, ReceiptState]] = {
    "1": ReceiptState.DELIVERED,
    "2": ReceiptState.FAILED,
    "4": ReceiptState.SENT,
    "8": ReceiptState.SENT,
    "16": ReceiptState.FAILED,
    "34": ReceiptState.FAILED,
}
_REFUSED_BY_SMSC: Final = "16"
_ALL_REPORTS: Final = "31"
_GSM_7, _UCS_2 = "0", "2"


class Kannel:
    """One sendsms user of a Kannel. It keeps no id of ours, so that stands in the address of the report."""

    name = ProviderKind.KANNEL

    def __init__(
        self, settings: Mapping[str, str], secrets: Mapping[str, str], surroundings: Surroundings
    ) -> None:
        judging.refuse_address("address", settings["address"], surroundings)
        self._address = settings["address"]
        self._headers = {
            "x-kannel-username": settings["user"],
            "x-kannel-password": secrets["password"],
            "x-kannel-from": settings["sender"],
            "content-type": "text/plain; charset=UTF-8",
        }
        if settings.get("smsc"):
            self._headers["x-kannel-smsc"] = settings["smsc"]
        self._receipts_url = surroundings.receipts_url
        self._outgoing = Outgoing(surroundings.private_hosts, surroundings.receipts_url)

    def send(self, sms: Sms) -> Accepted:
        """Hands one SMS to Kannel. Raises ProviderFailure."""
        is_ucs_2 = segments.segment(sms.text).encoding == "UCS-2"
        minutes = judging.seconds_left(sms.valid_until, least=60, most=86_400) // 60
        headers = self._headers | {
            "x-kannel-to": sms.to,
            "x-kannel-coding": _UCS_2 if is_ucs_2 else _GSM_7,
            "x-kannel-validity": str(minutes),
        }
        if self._receipts_url:
            url = f"{self._receipts_url}?reference={quote(sms.reference, safe='')}&status=%d&reply=%A"
            headers |= {"x-kannel-dlr-mask": _ALL_REPORTS, "x-kannel-dlr-url": url}
        answer = judging.ask(self._outgoing, "POST", self._address, headers, sms.text.encode())
        if answer.status != 202:
            raise judging.refused(answer, _verdict(answer), _first_line(answer))
        if not answer.text.startswith(_TAKEN):
            raise ProviderUnreachable(_first_line(answer), may_have_left=True)
        return Accepted(reference=sms.reference)

    def check(self) -> bool:
        """Asks to send to nobody: a right password is told what is missing. Raises ProviderFailure."""
        answer = judging.ask(self._outgoing, "POST", self._address, self._headers, b"")
        if answer.status != 400 or "receiver" not in answer.text:
            raise judging.refused(answer, _verdict(answer), _first_line(answer))
        return True

    def read_receipts(self, arrived: Arrived) -> list[Receipt]:
        """What a delivery report says; only the token in its address shows that it is Kannel's."""
        said = dict(arrived.query)
        reference, code = said.get("reference", ""), said.get("status", "")
        state = _STATES.get(code)
        if not reference or state is None:
            return []
        reason = None
        if state is ReceiptState.FAILED:
            reason = Reason.PROVIDER_REFUSED if code == _REFUSED_BY_SMSC else Reason.PHONE_UNREACHABLE
        return [Receipt(reference, state, reason, said.get("reply", "")[:200], our_reference=reference)]

    def close(self) -> None:
        """Nothing is kept open."""


def _verdict(answer: Answer) -> Verdict:
    words = answer.text.lower()
    found = (verdict for said, verdict in _WORDS.items() if said in words)
    return next(found, judging.of_status(answer.status))


def _first_line(answer: Answer) -> str:
    return answer.text.partition("\n")[0][:200]
