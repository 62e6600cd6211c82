"""What does a vendor's no mean to us? The few verdicts that every vendor's codes are mapped to (DEL-06)."""

import email.utils
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from portal import clock
from portal.core import outgoing_urls
from portal.core.reasons import Reason
from portal.delivery.outgoing import AddressRefused, Answer, NotReached, Outgoing
from portal.delivery.providers.base import (
    ProviderFailure,
    ProviderRefused,
    ProviderUnreachable,
    Surroundings,
    WrongField,
)

# A rest that somebody asks for is believed up to this long.
_LONGEST_REST: Final = clock.HOUR
_ASK_OPERATOR: Final = (
    " Only your operator can allow this one, by naming its host in PORTAL_PRIVATE_CARRIERS."
)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a refusal decides; see ProviderRefused."""

    permanent: bool
    reason: Reason = Reason.PROVIDER_REFUSED
    is_about_account: bool = False

    def refusal(
        self, words: str, *, retry_after: int | None = None, may_have_left: bool = False
    ) -> ProviderRefused:
        """The refusal with the provider's own words; `retry_after` in ms."""
        return ProviderRefused(
            words,
            permanent=self.permanent,
            reason=self.reason,
            retry_after=retry_after,
            may_have_left=may_have_left,
            is_about_account=self.is_about_account,
        )


# The message itself will never be taken, or not by this provider's account, or not for this phone.
MESSAGE: Final = Verdict(permanent=True)
ACCOUNT: Final = Verdict(permanent=True, reason=Reason.PROVIDER_ACCOUNT_REFUSED, is_about_account=True)
PHONE: Final = Verdict(permanent=True, reason=Reason.PHONE_UNREACHABLE)
# Asking again may help: too much at once, the provider's own fault, a phone that is off.
LATER: Final = Verdict(permanent=False, reason=Reason.PROVIDER_IN_TROUBLE)
PHONE_LATER: Final = Verdict(permanent=False, reason=Reason.PHONE_UNREACHABLE)


def refuse_address(name: str, url: str, surroundings: Surroundings) -> None:
    """Raises WrongField when the address in field `name` is none that Ringback calls (WEB-11)."""
    own_host = urlsplit(surroundings.receipts_url).hostname or ""
    try:
        outgoing_urls.target(url, surroundings.private_hosts, own_host)
    except AddressRefused as wrong:
        raise WrongField(name, f"{wrong.fix}{_ASK_OPERATOR if wrong.may_be_allowed else ''}") from None


def of_status(status: int) -> Verdict:
    """The verdict of an HTTP status where the vendor's own code says nothing better."""
    if status in (408, 425, 429) or status >= 500:
        return LATER
    if status in (401, 402, 403, 407):
        return ACCOUNT
    return MESSAGE


def verdict_of(codes: Mapping[int, Verdict], code: str, status: int) -> Verdict:
    """The verdict of a vendor's code by its table, or of the HTTP status where the table has none."""
    return (codes.get(int(code)) if code.isdecimal() else None) or of_status(status)


def reason_of(codes: Mapping[int, Verdict], code: str) -> Reason:
    """Why a message did not arrive, by the code of its receipt; the phone, where the table has none."""
    verdict = codes.get(int(code)) if code.isdecimal() else None
    return verdict.reason if verdict else Reason.PHONE_UNREACHABLE


def ask(
    outgoing: Outgoing, method: str, url: str, headers: dict[str, str] | None = None, content: bytes = b""
) -> Answer:
    """One call to a provider, as by `outgoing`. Raises ProviderUnreachable."""
    try:
        return outgoing.call(method, url, headers=headers, content=content)
    except AddressRefused as wrong:
        raise ProviderUnreachable(wrong.fix) from None
    except NotReached as failure:
        raise ProviderUnreachable(failure.because, may_have_left=failure.may_have_left) from None


def refused(answer: Answer, verdict: Verdict, words: str) -> ProviderFailure:
    """The failure that an answer other than yes is. Behind a broken gateway the SMS may have left."""
    return verdict.refusal(
        words or f"HTTP {answer.status}",
        retry_after=retry_after(answer),
        may_have_left=answer.status in (502, 504),
    )


def retry_after(answer: Answer) -> int | None:
    """The rest (ms) that an answer asks for, by seconds or by date; None when it asks for none."""
    said = answer.headers.get("retry-after", "").strip()
    if re.fullmatch(r"[0-9]{1,9}", said):
        return min(int(said) * clock.SECOND, _LONGEST_REST)
    try:
        until = email.utils.parsedate_to_datetime(said)
        return min(max(round(until.timestamp() * clock.SECOND) - clock.now(), 0), _LONGEST_REST)
    except (ValueError, TypeError, OverflowError, OSError):
        return None


def seconds_left(valid_until: int, *, least: int, most: int) -> int:
    """How many seconds an SMS is still of use, within what a provider takes (DEL-05)."""
    return min(max((valid_until - clock.now()) // clock.SECOND, least), most)


def text_of(found: object) -> str:
    """A value of somebody's JSON as text; whatever is no text or number is none."""
    if isinstance(found, bool) or not isinstance(found, str | int):
        return ""
    return str(found)[:200] if isinstance(found, str) or abs(found) < 10**30 else ""


def member(found: object, name: str) -> object:
    """A member of somebody's JSON object; None where there is no such object or member."""
    return found.get(name) if isinstance(found, dict) else None
