"""Which numbers does a user have, and which one waits for its code? The few columns that deciding needs."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import BigInteger, Case, Executable, and_, bindparam, case, select

from portal.core import limits, waiting_numbers
from portal.core.limits import Tally
from portal.errors import NotFound, UserDisabled
from portal.models import App, PhoneNumberLimit, User, Verification, table
from portal.services import phone_number_limits
from portal.services.context import Context


@dataclass(frozen=True, slots=True)
class UserNumbers:
    """A user's numbers, and what texting them needs. Times in Unix ms.

    `app_revision` is that of the user's app, for app_settings.load.
    """

    id: str
    country: str | None
    locale: str | None
    phone_number: str | None
    phone_number_verified: bool
    pending_phone_number: str | None
    pending_until: int | None
    disabled: bool
    app_revision: str | None = None

    def pending(self, now: int) -> str | None:
        """The number that is to replace the one in force, while its day lasts."""
        return waiting_numbers.pending(self.pending_phone_number, self.pending_until, now)

    def refuse_disabled(self) -> None:
        """Raises UserDisabled for a user who was suspended: a code would be of no use (contract a.3)."""
        if self.disabled:
            raise UserDisabled("This user is disabled. Enable the user first.", user_id=self.id)

    def waiting(self, now: int) -> str | None:
        """The number whose code is wanted: the pending one, else the unverified one of the sign-up."""
        return waiting_numbers.waiting(self.phone_number, self.phone_number_verified, self.pending(now))


def waiting(user: Any, now: Any) -> Case[str]:
    """UserNumbers.waiting in SQL, for a user's columns and a time in Unix ms."""
    return case(
        (user.pending_until > now, user.pending_phone_number),
        (user.phone_number_verified.is_(False), user.phone_number),
    )


_USER, _LIMIT, _V, _APP = table(User), table(PhoneNumberLimit), table(Verification), table(App)
_REVISION = select(_APP.c.revision).where(_APP.c.id == bindparam("the_app")).scalar_subquery()
_COLUMNS = [
    *(_USER.c[name] for name in UserNumbers.__slots__ if name in _USER.c),
    _REVISION.label("app_revision"),
]
_IT = and_(_USER.c.app_id == bindparam("the_app"), _USER.c.id == bindparam("the_user"))
_NUMBERS = select(*_COLUMNS).where(_IT)
HELD = _NUMBERS.with_for_update(read=True, key_share=True, of=_USER)
_WAITING = waiting(_USER.c, bindparam("the_now", type_=BigInteger))
# The number that waits was sent a code, whose verification says what its limits are known by (PII-06). It is
# found before it is joined: behind a fence PostgreSQL takes only a plain column to an index (TEN-03).
_SENT = (
    select(_V.c.number_hash, _V.c.phone_number)
    .where(_V.c.app_id == bindparam("the_app"), _V.c.user_id == bindparam("the_user"))
    .order_by(_V.c.created_at.desc())
    .limit(1)
    .subquery("sent")
)
_WITH_TALLY = (
    select(*_COLUMNS, _LIMIT.c.number_hash, _LIMIT.c.sent_times, _LIMIT.c.failed_guess_times)
    .select_from(_USER)
    .join(_SENT, _SENT.c.phone_number == _WAITING)
    .join(
        _LIMIT,
        and_(
            _LIMIT.c.app_id == bindparam("the_app"),
            _LIMIT.c.number_hash == _SENT.c.number_hash,
            _LIMIT.c.key_version == bindparam("the_only_key"),
        ),
    )
    .where(_IT)
    .with_for_update(of=_LIMIT)
)


def load(ctx: Context, user_id: str) -> UserNumbers:
    """The numbers of the user with this ID, for looking at them. Raises NotFound."""
    return _found(ctx, _NUMBERS, user_id)


def hold(ctx: Context, user_id: str) -> UserNumbers:
    """The numbers of a user as they are now, who stays until the transaction ends. Raises NotFound.

    Whoever decides by a user's numbers locks the number first, then calls this: what was read before the
    lock may have changed while it was waited for, and the user may be gone.
    """
    return _found(ctx, HELD, user_id)


def load_locking(ctx: Context, user_id: str) -> tuple[UserNumbers, Tally | None]:
    """The numbers of a user, and the tally of the one that waits, locked until the transaction ends.

    No tally where no number waits, where nothing is known of it yet, or where one row does not tell it all,
    while a hashing key is rotated. What was read may have changed while the lock was waited for, as with
    `load`. Raises NotFound.
    """
    only_key = phone_number_limits.only_key(ctx)
    wanted = {"the_app": ctx.app_id, "the_user": user_id, "the_now": ctx.now, "the_only_key": only_key}
    found = only_key and ctx.execute(_WITH_TALLY, wanted).first()
    if not found:
        return load(ctx, user_id), None
    *columns, hidden, sent, failed = found
    user = UserNumbers(*columns)
    if not phone_number_limits.is_whole(ctx, user.waiting(ctx.now) or "", hidden):
        return user, None
    return user, Tally(limits.read_times(sent), limits.read_times(failed))


def not_found(user_id: str) -> NotFound:
    """The refusal of an ID that is nobody's."""
    return NotFound("user", "There is no such user.", field="userID", value=user_id)


def _found(ctx: Context, statement: Executable, user_id: str) -> UserNumbers:
    found = ctx.execute(statement, {"the_app": ctx.app_id, "the_user": user_id}).first()
    if found is None:
        raise not_found(user_id)
    return UserNumbers(*found)
