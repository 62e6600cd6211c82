"""What does the audit log say of a deed, before and after? Plain words and masked numbers (PII-01)."""

from portal.core import phone_number
from portal.core.deeds import Deed, Facts, after

_NUMBERS = ("phone_number", "verified", "pending_phone_number")
_WORDS: dict[Deed, tuple[str, ...]] = {
    Deed.CANCEL_CHANGE: _NUMBERS,
    Deed.MARK_VERIFIED: _NUMBERS,
    Deed.FREE_NUMBER: _NUMBERS,
    Deed.ENABLE: ("disabled",),
    Deed.DISABLE: ("disabled", "tokens"),
    Deed.END_TOKENS: ("tokens",),
}

Details = dict[str, dict[str, object]]


def of(deed: Deed, facts: Facts) -> Details:
    """What a deed changes of a user who is as `facts` has it, for its audit entry."""
    return {"before": _told(deed, facts), "after": _told(deed, after(deed, facts))}


def of_resend(facts: Facts, sends: int) -> Details:
    """What a further SMS changes: how often the code was sent. `sends` is 0 where a new code is made."""
    number = {"phone_number": masked(facts.waiting)}
    return {"before": number | {"sends": sends}, "after": number | {"sends": sends + 1}}


def masked(e164: str | None) -> str | None:
    """A number as an entry may name it."""
    return None if e164 is None else phone_number.mask(e164)


def _told(deed: Deed, facts: Facts) -> dict[str, object]:
    words = {
        "phone_number": masked(facts.number),
        "verified": facts.is_verified,
        "pending_phone_number": masked(facts.pending),
        "disabled": facts.is_disabled,
        "tokens": facts.tokens,
    }
    return {name: words[name] for name in _WORDS[deed]}
