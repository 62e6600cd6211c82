"""Which way does a message go? To the inbox, or by the first carrier of its app that is well (DEL-07)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Select, bindparam, select
from sqlalchemy.orm import Session

from portal.delivery import breaker
from portal.delivery.carriers import Carriers
from portal.delivery.claims import Background, Claim
from portal.delivery.providers.base import Provider as Sender
from portal.delivery.providers.inbox import Inbox
from portal.models import AppMode, MessagePurpose, Provider


@dataclass(frozen=True, slots=True)
class Route:
    """Who takes a message. `provider_id` names the app's carrier.

    `others` of its carriers are as well as this one, and `resting` are paused.
    """

    sender: Sender
    kind: str
    provider_id: str | None = None
    others: int = 0
    resting: int = 0


@dataclass(frozen=True, slots=True)
class NoRoute:
    """Nobody takes it: for good, or until a carrier may be tried again at `until` (Unix ms)."""

    until: int | None = None


def choose(
    session: Session,
    claim: Claim,
    background: Background,
    senders: Mapping[str, Sender],
    carriers: Carriers | None,
    now: int,
) -> Route | NoRoute:
    """The way of a claimed message at `now` (Unix ms).

    A sandbox has its inbox, or the console where that is there. A live app's message goes to the first of its
    carriers, by position, that is on, opens and is not paused; but not to the one that failed it just now,
    while there is another. A carrier whose pause is over is tried with one message, in four seconds. A test
    that names a carrier goes by that one only, also while it is off or paused: a person wants to see it work.
    """
    has_carriers = background.app_mode == AppMode.LIVE and carriers is not None
    named = claim.values.get("provider_id") if claim.purpose == MessagePurpose.TEST else None
    if named is not None and carriers is not None and has_carriers:
        return _by_the_named(session, claim, carriers, named)
    sender = senders.get(claim.provider)
    # The inbox is the sandbox's: once real phones are meant, codes are shown on no page.
    if sender is not None and not (has_carriers and claim.provider == Inbox.name):
        return Route(sender, claim.provider)
    if carriers is None or not has_carriers:
        return NoRoute()
    return _among_carriers(session, claim, carriers, now)


def _by_the_named(session: Session, claim: Claim, carriers: Carriers, provider_id: str) -> Route | NoRoute:
    row = session.scalar(_NAMED, {"app": claim.app_id, "id": provider_id})
    carrier = carriers.open(row) if row is not None else None
    return NoRoute() if row is None or carrier is None else Route(carrier, row.kind, row.id)


def _among_carriers(session: Session, claim: Claim, carriers: Carriers, now: int) -> Route | NoRoute:
    rows = session.scalars(_CARRIERS, {"app": claim.app_id}).all()
    opened = [(row, carrier) for row in rows if (carrier := carriers.open(row)) is not None]
    usable = [(row, carrier) for row, carrier in opened if (row.paused_until or 0) <= now]
    # Whoever failed it a moment ago comes last, for a message that has been tried.
    usable.sort(key=lambda pair: claim.reason is not None and pair[0].id == claim.provider_id)
    while usable:
        row, carrier = usable.pop(0)
        if row.paused_until is None or breaker.begin_probe(session, row.id, row.paused_until, now):
            resting = len(opened) - 1 - len(usable)
            return Route(carrier, row.kind, row.id, others=len(usable), resting=resting)
    return NoRoute(_next_look([row for row, _carrier in opened], now)) if opened else NoRoute()


def _next_look(rows: Sequence[Provider], now: int) -> int:
    # One that another worker has just begun to try is read as free here; its pause is renewed.
    ends = [row.paused_until for row in rows if row.paused_until is not None and row.paused_until > now]
    return min(ends, default=now + _SOON)


# A message that came in between two looks at its carriers waits for so long (ms).
_SOON: Final = 1_000

_OF_APP: Select[Provider] = select(Provider).where(Provider.app_id == bindparam("app"))
_NAMED = _OF_APP.where(Provider.id == bindparam("id")).execution_options(populate_existing=True)
_CARRIERS = (
    _OF_APP.where(Provider.is_on)
    .order_by(Provider.position, Provider.created_at, Provider.id)
    .execution_options(populate_existing=True)
)
