"""Which numbers does a user have, and which one waits for its code? The few columns that deciding needs."""

from dataclasses import dataclass

from sqlalchemy import Executable, bindparam, select

from portal.errors import NotFound
from portal.models import User, table
from portal.services.context import Context


@dataclass(frozen=True, slots=True)
class UserNumbers:
    """A user's numbers, and what texting them needs. Times in Unix ms."""

    id: str
    country: str | None
    locale: str | None
    phone_number: str | None
    phone_number_verified: bool
    pending_phone_number: str | None
    pending_until: int | None

    def pending(self, now: int) -> str | None:
        """The number that is to replace the one in force, while its day lasts."""
        return self.pending_phone_number if (self.pending_until or 0) > now else None

    def waiting(self, now: int) -> str | None:
        """The number whose code is wanted: the pending one, else the unverified one of the sign-up."""
        return self.pending(now) or (None if self.phone_number_verified else self.phone_number)


_USER = table(User)
_NUMBERS = select(*(_USER.c[name] for name in UserNumbers.__slots__)).where(
    _USER.c.app_id == bindparam("the_app"), _USER.c.id == bindparam("the_id")
)
_HELD = _NUMBERS.with_for_update(read=True, key_share=True)


def load(ctx: Context, user_id: str) -> UserNumbers:
    """The numbers of the user with this ID, for looking at them. Raises NotFound."""
    return _found(ctx, _NUMBERS, user_id)


def hold(ctx: Context, user_id: str) -> UserNumbers:
    """The numbers of a user as they are now, who stays until the transaction ends. Raises NotFound.

    Whoever decides by a user's numbers locks the number first, then calls this: what was read before the
    lock may have changed while it was waited for, and the user may be gone.
    """
    return _found(ctx, _HELD, user_id)


def _found(ctx: Context, statement: Executable, user_id: str) -> UserNumbers:
    found = ctx.execute(statement, {"the_app": ctx.app_id, "the_id": user_id}).first()
    if found is None:
        raise NotFound("user", "There is no such user.", field="userID", value=user_id)
    return UserNumbers(*found)
