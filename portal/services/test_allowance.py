"""May this account still send a test today? Five in any 24 hours, over all its apps (TPL-05)."""

from dataclasses import dataclass
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.core import limits
from portal.core.limits import Refused
from portal.core.reasons import Reason
from portal.models import Account, Message
from portal.services import fences
from portal.services.context import Context

TESTS_A_DAY: Final = 5


@dataclass(frozen=True, slots=True)
class Allowance:
    """How many tests are left, and, when none is, when (Unix ms) there is one again."""

    left: int
    next_at: int | None = None


def of(session: Session, account_id: str, now: int) -> Allowance:
    """What an account may still send at `now` (Unix ms). SMS to confirm its own number count too."""
    lately = (
        select(Message.created_at)
        .where(Message.account_id == account_id, Message.created_at > now - limits.DAY)
        .order_by(Message.created_at.desc())
        .limit(TESTS_A_DAY)
    )
    with fences.lifted(session):
        sent = list(session.scalars(lately))
    left = TESTS_A_DAY - len(sent)
    return Allowance(left, None if left else sent[-1] + limits.DAY)


def take(ctx: Context, account_id: str) -> None:
    """Makes sure that one more message may be put down for an account. Raises TooSoon.

    The account's row stays locked until the transaction ends, so that requests which come together take
    their turns, each seeing what those before it put down.
    """
    ctx.session.execute(select(Account.id).where(Account.id == account_id).with_for_update()).one()
    allowance = of(ctx.session, account_id, ctx.now)
    if allowance.next_at is not None:
        raise Refused(Reason.TEST_DAILY_LIMIT, allowance.next_at).as_error()
