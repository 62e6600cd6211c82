"""What does an SMS add to a user's timeline? That it was put down, which carrier took it, what that said."""

from collections.abc import Iterator
from typing import Final

from portal.core.hidden_numbers import hide
from portal.core.provider_kinds import ProviderKind
from portal.models import Message, MessagePurpose, MessageState
from portal.services.message_lists import NOT_SENT
from portal.services.timeline_events import Detail, Event, Kind, why

_WHAT: Final = {
    MessagePurpose.VERIFICATION: "An SMS with the code",
    MessagePurpose.CHANGE_NOTICE: "A notice of the change",
}
_TAKEN: Final = "The provider took the SMS for"
# The simulated phone has an SMS by itself; everywhere else a carrier's receipt says so.
_ARRIVED: Final = "The SMS arrived at"
_IN_INBOX: Final = "The SMS reached the app's Inbox. It was meant for"
_SAID_TO_ARRIVE: Final = "The carrier says: delivered to"
_SAID_NOT_TO_ARRIVE: Final = "The carrier says: not delivered."


def of_message(
    message: Message, template: tuple[str, int] | None, now: int, carrier: str | None
) -> Iterator[Event]:
    """How an SMS was put down, and what became of it. `template` is a locale and a version.

    `carrier` is what its owner calls the provider that the SMS went by, while that is there. Unix ms.
    """
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
        details=tuple(_about(message, template, now, carrier)),
    )
    sent, ended = message.sent_at, message.ended_at
    is_at_once = message.state == MessageState.DELIVERED and (ended is None or ended == sent)
    if sent is not None and not is_at_once:
        yield _outcome(message, sent, Kind.SENT, _TAKEN)
    if message.state == MessageState.DELIVERED and (ended or sent):
        yield _outcome(message, ended or sent or 0, Kind.DELIVERED, _arrival(message))
    if message.state in NOT_SENT and ended is not None:
        said = f"{_SAID_NOT_TO_ARRIVE} " if sent is not None else ""
        yield _outcome(message, ended, Kind.FAILED, f"{said}{why(message.reason)} It was meant for")


def _arrival(message: Message) -> str:
    if message.is_in_inbox:
        return _IN_INBOX
    return _SAID_TO_ARRIVE if message.provider_id else _ARRIVED


def _outcome(message: Message, at: int, kind: Kind, sentence: str) -> Event:
    return Event(
        id=f"message-{message.serial}-{kind}",
        at=at,
        kind=kind,
        sentence=sentence,
        number=message.phone_number,
    )


def _about(
    message: Message, template: tuple[str, int] | None, now: int, carrier: str | None
) -> Iterator[Detail]:
    if message.reason:
        yield Detail("Why", why(message.reason))
        yield Detail("Reason code", message.reason)
    if message.provider:
        yield from _provider(message.provider, carrier)
    if message.provider_words:
        yield Detail("It said", message.provider_words, is_foreign=True)
    if message.provider_reference:
        yield Detail("Its reference", _reference(message), is_foreign=True)
    yield Detail("Attempts", str(message.attempts))
    if message.unsure_attempts:
        yield Detail("Attempts without a clear answer", str(message.unsure_attempts))
    if message.state == MessageState.QUEUED and message.attempts and message.due_at > now:
        yield Detail("Tried again", at=message.due_at)
    if template is not None:
        yield Detail("SMS template", f"{template[0]}, version {template[1]}")


def _provider(kind: str, carrier: str | None) -> Iterator[Detail]:
    named = next((each.sentence for each in ProviderKind if each == kind), kind)
    yield Detail("Provider", carrier or named, is_foreign=carrier is not None)
    if carrier not in (None, named):
        yield Detail("Its kind", named)


def _reference(message: Message) -> str:
    """A provider's reference, unless it was made of the number that it is about (PII-01)."""
    reference = message.provider_reference or ""
    digits = "".join(char for char in reference if char.isdigit())
    return hide(reference) if message.phone_number[-7:] in digits else reference
