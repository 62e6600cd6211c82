"""What is a provider? One SMS goes in; a receipt number or a failure that carries the decision comes out.

ProviderFailure
├── ProviderRefused       the provider answered no; `permanent` says whether asking again can help
└── ProviderUnreachable   no answer, a broken one or a time-out; asking again may help
"""

from dataclasses import dataclass, field
from typing import Protocol

from portal.core.reasons import Reason


class ProviderFailure(Exception):
    """An SMS was not accepted. `words` is what the provider said; it is scrubbed before it is kept."""

    reason = Reason.PROVIDER_UNREACHABLE

    def __init__(self, words: str = "", *, permanent: bool = False) -> None:
        # The words may hold the text of the SMS, so they are no part of the message that a log would show.
        super().__init__()
        self.words = words
        self.permanent = permanent


class ProviderRefused(ProviderFailure):
    """The provider answered no: for good (`permanent`), or only now (too many requests, its own fault).

    `reason` is PHONE_UNREACHABLE where the provider says that the phone, not the message, is the trouble.
    """

    def __init__(
        self, words: str = "", *, permanent: bool = False, reason: Reason = Reason.PROVIDER_REFUSED
    ) -> None:
        super().__init__(words, permanent=permanent)
        self.reason = reason


class ProviderUnreachable(ProviderFailure):
    """The provider gave no usable answer in time. The SMS may or may not have left."""


@dataclass(frozen=True, slots=True)
class Sms:
    """One SMS as a provider gets it.

    `reference` is the same at every try of one message, for providers that drop repetitions (DEL-03).
    `to` is in E.164 form. After `valid_until` (Unix ms) the SMS is of no use to anybody (DEL-05).
    """

    reference: str
    to: str = field(repr=False)
    text: str = field(repr=False)
    valid_until: int


@dataclass(frozen=True, slots=True)
class Accepted:
    """A provider took an SMS. `is_delivered` where it is known to be on the phone already."""

    reference: str | None = None
    is_delivered: bool = False


class Provider(Protocol):
    """Whoever carries messages. One outside carrier a file, all with the same parts."""

    @property
    def name(self) -> str:
        """The name that apps choose it by."""
        ...

    def send(self, sms: Sms) -> Accepted:
        """Hands one SMS over, within 10 seconds. Raises ProviderRefused or ProviderUnreachable."""
        ...
