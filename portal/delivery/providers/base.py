"""What is a provider? One SMS goes in; a receipt number or a failure that carries the decision comes out.

ProviderFailure
├── ProviderRefused       the provider answered no; `permanent` says whether asking again can help
└── ProviderUnreachable   no answer, a broken one or a time-out; asking again may help
WrongSignature            a receipt that does not come from the provider, or not from now
UnreadableReceipt         a receipt that comes from it, and lacks what its description asks for
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from portal.core.reasons import Reason
from portal.core.receipt_states import ReceiptState
from portal.core.receipt_troubles import ReceiptTrouble

# A provider's words are cut here at once, whatever it sent.
LONGEST_WORDS = 300


class ProviderFailure(Exception):
    """An SMS was not accepted. `words` is what the provider said; it is scrubbed before it is kept.

    `may_have_left` where the request was written and no answer told what became of it (DEL-07).
    """

    reason = Reason.PROVIDER_UNREACHABLE

    def __init__(self, words: str = "", *, permanent: bool = False, may_have_left: bool = False) -> None:
        # The words may hold the text of the SMS, so they are no part of the message that a log would show.
        super().__init__()
        self.words = words[:LONGEST_WORDS]
        self.permanent = permanent
        self.may_have_left = may_have_left


class ProviderRefused(ProviderFailure):
    """The provider answered no: for good (`permanent`), or only now (too many requests, its own fault).

    `reason` is PHONE_UNREACHABLE where the provider says that the phone, not the message, is the trouble.
    `retry_after` (ms) where it says when to come back. `is_about_account` where it is our account there that
    is refused (credentials, money, sender), so that another provider may well take the very same SMS.
    """

    def __init__(
        self,
        words: str = "",
        *,
        permanent: bool = False,
        reason: Reason = Reason.PROVIDER_REFUSED,
        retry_after: int | None = None,
        may_have_left: bool = False,
        is_about_account: bool = False,
    ) -> None:
        super().__init__(words, permanent=permanent, may_have_left=may_have_left)
        self.reason = Reason.PROVIDER_ACCOUNT_REFUSED if is_about_account else reason
        self.retry_after = retry_after
        self.is_about_account = is_about_account


class ProviderUnreachable(ProviderFailure):
    """The provider gave no usable answer in time. `may_have_left` says whether the SMS may be on its way."""


class WrongSignature(Exception):
    """A receipt is not signed by the provider, or is too old; it tells nothing more to whoever sent it."""


class UnreadableReceipt(Exception):
    """A receipt does not fit what the owner said of receipts; `trouble` says what is missing."""

    def __init__(self, trouble: ReceiptTrouble) -> None:
        super().__init__(trouble.value)
        self.trouble = trouble


class WrongField(Exception):
    """A provider's setting makes no sense. `field` names it, `fix` says in one sentence what would."""

    def __init__(self, name: str, fix: str) -> None:
        super().__init__(f"{name}: {fix}")
        self.field = name
        self.fix = fix


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One setting of a kind of provider; the portal's form is made from these.

    `pattern` must match the whole value; `fix` says what would. `choices` are the only values allowed, where
    there are any. A secret is sealed and never shown again. `is_long` is for texts of several lines. Without
    one that `is_for_check`, a check asks nobody about the credentials.
    """

    name: str
    label: str
    help: str = ""
    is_secret: bool = False
    is_required: bool = True
    is_long: bool = False
    is_for_check: bool = False
    default: str = ""
    choices: tuple[str, ...] = ()
    pattern: str = r"[^\x00-\x1f\x7f]{1,200}"
    fix: str = "Up to 200 characters in one line."


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


@dataclass(frozen=True, slots=True)
class Receipt:
    """What a provider says later about the message that it gave `reference` to.

    `our_reference` is the one that we gave it with the SMS, where it says that too.
    """

    reference: str
    state: ReceiptState
    reason: Reason | None = None
    words: str = field(default="", repr=False)
    our_reference: str = ""


@dataclass(frozen=True, slots=True)
class Arrived:
    """A request as it came in at a receipts address.

    `url` is the whole address as the provider called it, with its query; the names of `headers` are in lower
    case; `query` and `form` keep every pair in its order; `body` is as it came, before anybody read it.
    """

    method: str
    url: str = field(repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    query: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    form: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    body: bytes = field(default=b"", repr=False)


def _drop(_receipts: Sequence[Receipt]) -> int:
    return 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What a provider must know about the installation that it is opened in.

    `receipts_url` is where its receipts shall go. `private_hosts` (host or host:port) are the addresses on
    private networks that the server's operator allows (WEB-11). `on_receipts` takes receipts that come over
    a provider's own connection, in a thread of its own, and returns how many messages they changed.
    """

    receipts_url: str = field(default="", repr=False)
    private_hosts: frozenset[str] = frozenset()
    on_receipts: Callable[[Sequence[Receipt]], int] = _drop


class Provider(Protocol):
    """Whoever carries messages. One outside carrier a file, all with the same parts."""

    @property
    def name(self) -> str:
        """The name that apps choose it by."""
        ...

    def send(self, sms: Sms) -> Accepted:
        """Hands one SMS over, within 10 seconds. Raises ProviderRefused or ProviderUnreachable."""
        ...


class Carrier(Provider, Protocol):
    """An outside carrier, which an app's owner has an account with."""

    def check(self) -> bool:
        """Asks the carrier whether the credentials are right; sends nothing. Raises ProviderFailure.

        True where it took them for right; False where nobody could be asked, and only a server was found.
        """
        ...

    def read_receipts(self, arrived: Arrived) -> list[Receipt]:
        """What a request at the receipts address says; what a vendor does not report says nothing.

        Raises WrongSignature, and UnreadableReceipt where owners say themselves how receipts look.
        """
        ...

    def close(self) -> None:
        """Ends what the carrier keeps open."""
        ...
