"""How does a verification begin? The one before it ends, and it is there, in one statement on PostgreSQL."""

from sqlalchemy import Executable, bindparam, func, select

from portal.core.lifecycle import Event, Purpose, State
from portal.models import INSERT, Verification, random_id, table
from portal.services import attempts, phone_number_limits
from portal.services.app_settings import AppSettings
from portal.services.context import Context
from portal.services.outbox import Recipient

_V = table(Verification)
_COLUMNS = tuple(name for name in _V.c.keys() if name != "ended_at")  # noqa: SIM118 - columns, not a dict


def replace_open(ctx: Context, app: AppSettings, to: Recipient, purpose: Purpose) -> str | None:
    """Ends the user's open attempt as replaced, and opens a fresh one, sent once; returns its id.

    The fresh one is under the app's settings. None when another request has just opened one for this user:
    a user proves one number at a time.
    """
    row = _fresh(ctx, app, to, purpose)
    opened: str | None
    if ctx.session.get_bind().dialect.name == "postgresql":
        fresh = {_named(name): value for name, value in row.items()}
        opened = ctx.scalar(_REPLACE, fresh | attempts.ending(ctx, to.user_id, Event.REPLACE))
    else:
        attempts.end_open(ctx, to.user_id, Event.REPLACE)
        opened = ctx.scalar(_ADD, row)
    return opened


def _fresh(ctx: Context, app: AppSettings, to: Recipient, purpose: Purpose) -> dict[str, object]:
    return {
        "app_id": ctx.app_id,
        "id": random_id(),
        "user_id": to.user_id,
        "phone_number": to.phone_number,
        "number_hash": phone_number_limits.newest_hash(ctx, to.phone_number),
        "purpose": purpose,
        "state": State.OPEN,
        "key_version": ctx.keys.code_version,
        "issue": 1,
        "code_length": app.code_length,
        "code_expires_at": ctx.now + app.code_life_s * 1000,
        "guesses": 0,
        "guesses_allowed": app.guesses_allowed,
        "sends": 1,
        "sends_allowed": app.sends_allowed,
        "last_sent_at": ctx.now,
        "created_at": ctx.now,
    }


def _named(column: str) -> str:
    # A parameter that is called like a column would be written by the update, too.
    return f"fresh_{column}"


def _replacing() -> Executable:
    """Both in one statement. A user has one open attempt, so the new one waits for what ends the old."""
    fresh = [bindparam(_named(name), type_=_V.c[name].type) for name in _COLUMNS]
    ended = attempts.END_OPEN.returning(_V.c.id).cte("ended")
    after_it = select(*fresh).select_from(select(func.count()).select_from(ended).subquery("after"))
    adding = INSERT["postgresql"](_V).from_select(_COLUMNS, after_it)
    found: Executable = adding.on_conflict_do_nothing().returning(_V.c.id)
    return found


_ADD = INSERT["sqlite"](_V).on_conflict_do_nothing().returning(_V.c.id)
_REPLACE = _replacing()
