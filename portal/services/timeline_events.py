"""How does a row read on the timeline? Events in plain words, without code, text or full number."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from portal.core import country_names
from portal.core.hidden_numbers import hide
from portal.core.lifecycle import Purpose, State
from portal.core.reasons import Reason
from portal.models import AuditAction, AuditEntry, Verification


class Kind(StrEnum):
    """What sort of thing happened; each has a drawing."""

    DEED = "deed"
    REFUSED = "refused"
    WRONG = "wrong"
    PROVEN = "proven"
    MESSAGE = "message"
    SENT = "sent"
    DELIVERED = "delivered"
    FAILED = "failed"
    CODE = "code"
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class Detail:
    """One line that folds away: a label with a text, or with a time (Unix ms)."""

    label: str
    text: str = ""
    at: int | None = None
    # Somebody outside wrote it.
    is_foreign: bool = False


@dataclass(frozen=True, slots=True)
class Change:
    """What was so before a deed, and after it."""

    label: str
    before: str
    after: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One thing that happened at `at` (Unix ms). `id` stays the same whenever the page is asked again.

    `number` is in E.164 form, and shown masked. `actor` is an ActorKind, `email` the account's; `reason`
    holds words that a person typed.
    """

    id: str
    at: int
    kind: Kind
    sentence: str
    number: str | None = None
    state: str | None = None
    # The state is that of an SMS to the Inbox page of a sandbox, which no phone got.
    is_in_inbox: bool = False
    actor: str | None = None
    email: str | None = None
    reason: str | None = None
    details: tuple[Detail, ...] = ()
    changes: tuple[Change, ...] = ()


_KINDS = {
    AuditAction.SEND_REFUSED: Kind.REFUSED,
    AuditAction.CODE_WRONG: Kind.WRONG,
    AuditAction.CODE_EXHAUSTED: Kind.WRONG,
    AuditAction.NUMBER_VERIFIED: Kind.PROVEN,
    AuditAction.NUMBER_MARKED_VERIFIED: Kind.PROVEN,
    AuditAction.NUMBER_CHANGE_LAPSED: Kind.ENDED,
    AuditAction.NUMBER_LOST: Kind.ENDED,
}
_PURPOSES = {Purpose.REGISTER: "The number of the sign-up", Purpose.CHANGE: "A change of number"}
# Verified and exhausted codes are told by the audit entry of the last guess.
_ENDS = {
    State.EXPIRED: "The code expired unused, for",
    State.REPLACED: "The code was replaced by a newer one, for",
    State.CANCELLED: "The code was cancelled, for",
    State.SUPERSEDED: "The code ended because somebody else proved",
}


def of_audit_entry(entry: AuditEntry, email: str | None) -> Event:
    """What somebody did or was refused; `email` is the account's, where one did it."""
    action = next((each for each in AuditAction if each == entry.action), None)
    return Event(
        id=f"entry-{entry.id}",
        at=entry.at,
        kind=_KINDS.get(action, Kind.DEED) if action else Kind.DEED,
        sentence=_sentence(action, entry),
        actor=entry.actor_kind,
        email=email,
        reason=hide(entry.reason) if entry.reason else None,
        details=(*_told(entry.details), *_unchanged(entry.details)),
        changes=tuple(_changes(entry.details)),
    )


def of_verification(row: Verification) -> Iterator[Event]:
    """How a code came to be, and how it ended where no audit entry tells."""
    yield Event(
        id=f"code-{row.id[:12]}",
        at=row.created_at,
        kind=Kind.CODE,
        sentence="A code was made for",
        number=row.phone_number,
        details=(
            Detail("What for", _PURPOSES[Purpose(row.purpose)]),
            Detail("Valid until", at=row.code_expires_at),
            Detail("Guesses", f"{row.guesses} of {row.guesses_allowed} used"),
            Detail("Sends", _sends(row)),
        ),
    )
    sentence = _ENDS.get(State(row.state))
    if sentence is not None and row.ended_at is not None:
        yield Event(
            id=f"code-{row.id[:12]}-ended",
            at=row.ended_at,
            kind=Kind.ENDED,
            sentence=sentence,
            number=row.phone_number,
        )


def why(code: object) -> str:
    """The sentence of a stored reason code."""
    return next((each.sentence for each in Reason if each.value == code), "It is not known why.")


def _sends(row: Verification) -> str:
    used = f"{row.sends} of {row.sends_allowed} used"
    # A code is made to be sent, so its first send failed and was given back.
    return used if row.sends else f"{used}; a failed send does not count"


def _sentence(action: AuditAction | None, entry: AuditEntry) -> str:
    if action is None:
        return entry.action
    if action is AuditAction.SEND_REFUSED:
        return f"{action.sentence}: {why(entry.details.get('reason'))}"
    return action.sentence


def _told(details: dict[str, object]) -> Iterator[Detail]:
    """The details that are known to hold nothing secret; whatever else an entry has is not shown."""
    purpose, country, until = details.get("purpose"), details.get("country"), details.get("until")
    if purpose in list(Purpose):
        yield Detail("What for", _PURPOSES[Purpose(str(purpose))])
    if isinstance(country, str):
        yield Detail("Country", country_names.name(country))
    if isinstance(until, int):
        yield Detail("Possible again", at=until)
    if isinstance(details.get("reason"), str):
        yield Detail("Reason code", hide(str(details["reason"])))


def _changes(details: dict[str, object]) -> Iterator[Change]:
    for label, before, after in _compared(details):
        if before != after:
            yield Change(label, before, after)


def _unchanged(details: dict[str, object]) -> Iterator[Detail]:
    for label, before, after in _compared(details):
        if before == after:
            yield Detail(label, after, is_foreign=True)


def _compared(details: dict[str, object]) -> Iterator[tuple[str, str, str]]:
    before, after = details.get("before"), details.get("after")
    if isinstance(before, dict) and isinstance(after, dict):
        for name in dict.fromkeys([*before, *after]):
            label = hide(str(name)).replace("_", " ").capitalize()
            yield label, _plain(before.get(name)), _plain(after.get(name))


def _plain(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "none" if value is None else hide(str(value))
