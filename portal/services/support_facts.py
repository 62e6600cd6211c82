"""What does a confirmation show of a user, and is it still so? Facts, read and held (TEN-08)."""

from dataclasses import replace

from sqlalchemy import ColumnElement, and_, or_, select

from portal.core import waiting_numbers
from portal.core.deed_stamps import NOTHING_DONE, what_changed
from portal.core.deeds import Facts
from portal.errors import NotFound, Overtaken
from portal.models import App, NumberTaken, User
from portal.services import tokens
from portal.services.context import Context


def of(ctx: Context, user_id: str) -> Facts:
    """The user as it is now, for deciding about it. Raises NotFound."""
    user = ctx.session.get(User, (ctx.app_id, user_id), populate_existing=True)
    if user is None:
        raise NotFound("user", "There is no such user.", field="userID", value=user_id)
    pending = waiting_numbers.pending(user.pending_phone_number, user.pending_until, ctx.now)
    facts = Facts(
        number=user.phone_number,
        is_verified=user.phone_number_verified,
        verified_at=user.phone_number_verified_at,
        pending=pending,
        pending_since=user.pending_since if pending else None,
        is_disabled=user.disabled,
        has_login_name=user.login_name is not None,
        has_email_address=user.email_address is not None,
        has_password=user.password_hash is not None,
        tokens=tokens.count_of_user(ctx, user_id),
        numbers_move=ctx.session.get_one(App, ctx.app_id).number_taken == NumberTaken.MOVE,
    )
    return _with_holder(ctx, user_id, facts)


def refuse_overtaken(seen: str | None, facts: Facts) -> None:
    """Raises Overtaken, saying what changed, unless the facts are those that `seen` was stamped for."""
    changed = None if seen is None else what_changed(seen, facts)
    if changed is not None:
        raise Overtaken(changed)


def hold(ctx: Context, user_id: str, facts: Facts) -> None:
    """Keeps the user as `facts` has it until the transaction ends; logins and changes of it wait.

    Numbers and verifications are locked before users, so this comes last. Raises Overtaken when another
    request was faster.
    """
    held = ctx.session.scalar(
        select(User.id)
        .where(User.app_id == ctx.app_id, User.id == user_id, User.disabled.is_(facts.is_disabled))
        .where(User.phone_number.is_not_distinct_from(facts.number))
        .where(User.phone_number_verified.is_(facts.is_verified))
        .where(User.phone_number_verified_at.is_not_distinct_from(facts.verified_at))
        .where(_waits_as(ctx, facts))
        .with_for_update(key_share=True)
    )
    if held is None:
        raise Overtaken(f"This user changed at this very moment. {NOTHING_DONE}")


def _waits_as(ctx: Context, facts: Facts) -> ColumnElement[bool]:
    if facts.pending is None:
        return or_(User.pending_until.is_(None), User.pending_until <= ctx.now)
    return and_(User.pending_phone_number == facts.pending, User.pending_since == facts.pending_since)


def _with_holder(ctx: Context, user_id: str, facts: Facts) -> Facts:
    """The facts with whoever else holds the waiting number, verified."""
    if facts.waiting is None:
        return facts
    holder_id = ctx.session.scalar(
        select(User.id)
        .where(User.app_id == ctx.app_id, User.id != user_id)
        .where(User.phone_number == facts.waiting, User.phone_number_verified)
    )
    return replace(facts, holder_id=holder_id)
