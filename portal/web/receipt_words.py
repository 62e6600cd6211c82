"""Where do a carrier's receipts go, and who has to be told the address?"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from flask import Flask, request

from portal.core import receipt_addresses
from portal.core.provider_kinds import ProviderKind, kind_named
from portal.core.receipt_troubles import ReceiptTrouble
from portal.delivery.providers.base import Surroundings
from portal.models import MessageState, Provider
from portal.services.provider_activity import Activity
from portal.web.parts import parts

# What an owner does with the address, for the kinds whose owner may have to.
_SHOWN: Final = {
    ProviderKind.HTTP: "Your request names this address where it says {receipts_url}; "
    + "otherwise give it to your carrier.",
}
_BY_ITSELF: Final = "Ringback names an address for receipts with each SMS."
_WITHOUT_ADDRESS: Final = {
    ProviderKind.TWILIO: _BY_ITSELF,
    ProviderKind.VONAGE: f"{_BY_ITSELF} Switch signed webhooks on in the settings of your Vonage account.",
    ProviderKind.KANNEL: f"{_BY_ITSELF} Your Kannel must be able to reach it.",
    ProviderKind.SMPP: "They come over the connection that SMS leave by.",
}
_NONE_CAME: Final = "No receipt can arrive yet: "
_NOT_NAMED: Final = "Receipts came, but new SMS name no address for theirs: "
_NOT_NAMED_IN: Final = "Receipts came, but {receipts_url} stays empty, so your request names no address: "

_USED_ELSEWHERE: Final = (
    "most likely something else sends through the same account, or they are of SMS that are kept no more."
)
# Where the two names of an SMS are set, for the kinds in which they can be set wrong.
_NAMED_OTHERWISE: Final = {
    ProviderKind.HTTP: "most likely the answer and the receipt name an SMS differently. "
    + "Compare “Where the answer names the message” with “Where a receipt names the message”.",
    ProviderKind.SMPP: "most likely the SMSC writes the number of a message differently in its receipts. "
    + "Change “Numbers of messages in receipts” under Settings.",
}
_SENT_ELSEWHERE: Final = (
    "most likely a copy of this installation, or something else, sends through the same account."
)
# What an owner compares or changes; what is named in quotes are fields of the form.
_MENDED_BY: Final[Mapping[ReceiptTrouble, str]] = {
    ReceiptTrouble.NO_FIELDS: "Have your carrier send JSON as application/json, a form, or a query.",
    ReceiptTrouble.WRONG_JSON: "Look at what your carrier sends, or have it send a form instead.",
    ReceiptTrouble.NO_REFERENCE: "Compare “Where a receipt names the message” with your carrier's manual.",
    ReceiptTrouble.NO_STATE: "Compare “Where a receipt tells the state” with your carrier's manual.",
    ReceiptTrouble.UNKNOWN_WORD: "Add it to “Words for the states” if it means sent, delivered or failed.",
}


def mount(app: Flask) -> None:
    """Gives templates the likely cause of receipts that match nothing, and of those that say nothing."""
    app.jinja_env.filters.update(why_unmatched=why_unmatched, why_unreadable=why_unreadable)


@dataclass(frozen=True, slots=True)
class Receipts:
    """What to say of receipts; `address` where somebody has to type it in somewhere."""

    sentence: str
    address: str | None
    # What is wrong while the installation has no address that a carrier could reach.
    trouble: str


def of(provider: Provider, activity: Activity) -> Receipts:
    """What an owner has to know about one provider's receipts; `activity` is its app's."""
    kind = kind_named(provider.kind)
    address = address_of(provider.id) if kind in _SHOWN else None
    has_base = bool(parts().settings.base_url)
    trouble = "" if has_base or kind is ProviderKind.SMPP else _trouble(kind, provider, activity)
    return Receipts(_SHOWN.get(kind) or _WITHOUT_ADDRESS[kind], address, trouble)


def _trouble(kind: ProviderKind, provider: Provider, activity: Activity) -> str:
    if not activity.has_receipts(provider.id):
        return _NONE_CAME
    return _NOT_NAMED_IN if kind in _SHOWN else _NOT_NAMED


def why_unmatched(provider: Provider, counts: Mapping[MessageState, int]) -> str:
    """The likely cause of receipts that match no message, and what helps.

    `counts` has the SMS that this provider had lately, by what became of them.
    """
    if counts.get(MessageState.DELIVERED):
        return f"Other receipts match, so {_USED_ELSEWHERE}"
    if counts.get(MessageState.SENT):
        likely = _NAMED_OTHERWISE.get(kind_named(provider.kind), _SENT_ELSEWHERE)
        return f"None of its SMS got a receipt, so {likely}"
    return f"This app sent nothing through it that waits for one, so {_USED_ELSEWHERE}"


def why_unreadable(trouble: ReceiptTrouble) -> str:
    """What was missing in a receipt that could not be read, and what helps."""
    return f"{trouble.sentence} {_MENDED_BY[trouble]}"


def address_of(provider_id: str) -> str:
    """The whole receipts address of a provider, under the installation's own address."""
    base = parts().settings.base_url or request.host_url
    return receipt_addresses.url(base, parts().keys.receipts, provider_id)


def surroundings(provider_id: str) -> Surroundings:
    """What a carrier is told when a door opens it."""
    return Surroundings(
        receipts_url=address_of(provider_id),
        private_hosts=parts().settings.private_hosts,
    )
