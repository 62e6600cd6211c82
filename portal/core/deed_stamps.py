"""Is the user still what a confirmation showed? A stamp that its form carries, and what changed since."""

import hashlib
from dataclasses import dataclass
from typing import Final

from portal.core import phone_number
from portal.core.deeds import Facts

_SEPARATOR: Final = "."
_NONE: Final = "none"
NOTHING_DONE: Final = "Nothing was done. Look again, then decide."


@dataclass(frozen=True, slots=True)
class _Stamp:
    number: str
    verified_at: str
    pending: str
    pending_since: str
    disabled: str
    holder: str


def stamp(facts: Facts) -> str:
    """What a confirmation showed, short and without a number: of those only what is shown anyway counts."""
    it = _of(facts)
    return _SEPARATOR.join(getattr(it, name) for name in _Stamp.__slots__)


def what_changed(seen: str, now: Facts) -> str | None:
    """What became different since `seen` was stamped, in a sentence; None when nothing did."""
    if seen == stamp(now):
        return None
    parts = seen.split(_SEPARATOR)
    if len(parts) != len(_Stamp.__slots__):
        return f"This form does not say what it showed. {NOTHING_DONE}"
    return f"{_difference(_Stamp(*parts), _of(now), now)} {NOTHING_DONE}"


def _of(facts: Facts) -> _Stamp:
    return _Stamp(
        number=_short(facts.number),
        verified_at=str(facts.verified_at or 1) if facts.is_verified else _NONE,
        pending=_short(facts.pending),
        pending_since=str(facts.pending_since) if facts.pending else _NONE,
        disabled=str(int(facts.is_disabled)),
        holder=hashlib.sha256(facts.holder_id.encode()).hexdigest()[:8] if facts.holder_id else _NONE,
    )


def _difference(then: _Stamp, now: _Stamp, facts: Facts) -> str:
    if _NONE != then.pending == now.number and facts.is_verified and not facts.pending:
        return "The pending number was verified meanwhile and is in force now."
    if (then.number, then.verified_at) != (now.number, now.verified_at):
        return _difference_in_force(then, now, facts)
    if (then.pending, then.pending_since) != (now.pending, now.pending_since):
        if not facts.pending:
            return "The pending change has ended meanwhile."
        return "Meanwhile another change of number was started."
    if then.disabled != now.disabled:
        return f"This user was {'disabled' if facts.is_disabled else 'enabled'} meanwhile."
    if facts.holder_id is None:
        return "Nobody else holds the number any more."
    return "Another user holds the number by now."


def _difference_in_force(then: _Stamp, now: _Stamp, facts: Facts) -> str:
    if facts.number is None:
        return "The number was taken from this user meanwhile."
    if then.number == now.number and then.verified_at == _NONE:
        return "The number was verified meanwhile."
    return "The number in force is another one by now."


def _short(e164: str | None) -> str:
    # A hash of the whole number could be guessed back; the masked form tells no more than the page does.
    return hashlib.sha256(phone_number.mask(e164).encode()).hexdigest()[:8] if e164 else _NONE
