"""How does an SMS read on the timeline? How it was put down, what became of it, and where it got to."""

from collections.abc import Iterator

from portal.core.hidden_numbers import hide
from portal.models import Message, MessagePurpose, MessageState
from portal.services.message_lists import NOT_SENT
from portal.services.timeline_events import Detail, Event, Kind, why

_WHAT = {
    MessagePurpose.VERIFICATION: "An SMS with the code",
    MessagePurpose.CHANGE_NOTICE: "A notice of the change",
}
_TAKEN = "The provider took the SMS for"
_ARRIVED = "The SMS arrived at"
_IN_INBOX = "The SMS reached the app's Inbox. It was meant for"


def of_message(message: Message, template: tuple[str, int] | None, now: int) -> Iterator[Event]:
    """How an SMS was put down, and what became of it. `template` is a locale and a version."""
    is_known = message.purpose in _WHAT
    what = _WHAT[MessagePurpose(message.purpose)] if is_known else "An SMS"
    yield Event(
        id=f"message-{message.serial}",
        at=message.created_at,
        kind=Kind.MESSAGE,
        sentence=f"{what} was put down for",
        number=message.phone_number,
        state=message.state,
        is_in_inbox=message.is_in_inbox,
        details=tuple(_about(message, template, now)),
    )
    if message.sent_at is not None and message.state == MessageState.SENT:
        yield _outcome(message, message.sent_at, Kind.SENT, _TAKEN)
    if message.state == MessageState.DELIVERED:
        yield from _arrival(message)
    if message.ended_at is not None and message.state in NOT_SENT:
        yield _outcome(message, message.ended_at, Kind.FAILED, f"{why(message.reason)} It was meant for")


def _arrival(message: Message) -> Iterator[Event]:
    sent, ended = message.sent_at, message.ended_at
    # The sandbox inbox has an SMS at the very moment that it is handed over.
    if sent is not None and ended is not None and sent < ended:
        yield _outcome(message, sent, Kind.SENT, _TAKEN)
    at = ended or sent
    if at is not None:
        yield _outcome(message, at, Kind.DELIVERED, _IN_INBOX if message.is_in_inbox else _ARRIVED)


def _outcome(message: Message, at: int, kind: Kind, sentence: str) -> Event:
    return Event(
        id=f"message-{message.serial}-{kind}",
        at=at,
        kind=kind,
        sentence=sentence,
        number=message.phone_number,
    )


def _about(message: Message, template: tuple[str, int] | None, now: int) -> Iterator[Detail]:
    if message.reason:
        yield Detail("Why", why(message.reason))
        yield Detail("Reason code", message.reason)
    if message.provider:
        yield Detail("Provider", message.provider)
    if message.provider_words:
        yield Detail("It said", message.provider_words, is_foreign=True)
    if message.provider_reference:
        yield Detail("Its reference", _reference(message), is_foreign=True)
    yield Detail("Attempts", str(message.attempts))
    if message.state == MessageState.QUEUED and message.attempts and message.due_at > now:
        yield Detail("Tried again", at=message.due_at)
    if template is not None:
        yield Detail("SMS template", f"{template[0]}, version {template[1]}")


def _reference(message: Message) -> str:
    """A provider's reference, unless it was made of the number that it is about (PII-01)."""
    reference = message.provider_reference or ""
    digits = "".join(char for char in reference if char.isdigit())
    return hide(reference) if message.phone_number[-7:] in digits else reference
