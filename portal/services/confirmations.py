"""What will a deed do to this user? Everything that its confirmation says, and the stamp its form carries."""

from dataclasses import dataclass

from portal.core import deed_stamps
from portal.core.deeds import Deed, Facts, after, makes_sense, obstacle
from portal.core.limits import Refused
from portal.errors import BadInput
from portal.models import User
from portal.services import next_sends, support_facts, users
from portal.services.context import Context
from portal.services.next_sends import NextSend


@dataclass(frozen=True, slots=True)
class Confirmation:
    """A deed and whom it is about: as things are, and as they will be.

    `obstacle` says why it cannot be done now; where it `makes_sense`, something can be done about that.
    """

    deed: Deed
    user: User
    facts: Facts
    after: Facts
    stamp: str
    makes_sense: bool
    obstacle: str | None
    next_send: NextSend | None


@dataclass(frozen=True, slots=True)
class Offer:
    """A deed that makes sense, and what it can only meet now: an obstacle, a fault of the number, a limit."""

    deed: Deed
    obstacle: str | None = None
    fault: BadInput | None = None
    limit: Refused | None = None


def of(ctx: Context, deed: Deed, user_id: str) -> Confirmation:
    """What doing `deed` would mean now. Raises NotFound."""
    facts = support_facts.of(ctx, user_id)
    return Confirmation(
        deed=deed,
        user=users.get(ctx, user_id),
        facts=facts,
        after=after(deed, facts),
        stamp=deed_stamps.stamp(facts),
        makes_sense=makes_sense(deed, facts),
        obstacle=obstacle(deed, facts),
        next_send=next_sends.of(ctx, user_id) if deed is Deed.RESEND else None,
    )


def offered(ctx: Context, user_id: str) -> list[Offer]:
    """The deeds that make sense for a user now, the most usual first. Raises NotFound."""
    facts = support_facts.of(ctx, user_id)
    return [_offer(ctx, deed, user_id, facts) for deed in Deed if makes_sense(deed, facts)]


def _offer(ctx: Context, deed: Deed, user_id: str, facts: Facts) -> Offer:
    hindered = obstacle(deed, facts)
    next_send = next_sends.of(ctx, user_id) if deed is Deed.RESEND and hindered is None else None
    if next_send is None:
        return Offer(deed, hindered)
    return Offer(deed, fault=next_send.fault, limit=next_send.refused)
