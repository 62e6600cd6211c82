"""May a user be sent a code now, and if not, when? Looks only; verifications.py decides in earnest."""

from dataclasses import dataclass

from portal.core import limits
from portal.core.limits import Refused
from portal.errors import BadInput
from portal.services import (
    app_settings,
    attempts,
    countries,
    phone_number_limits,
    user_numbers,
    winners,
)
from portal.services.attempts import Attempt
from portal.services.context import Context
from portal.services.winners import Winner


@dataclass(frozen=True, slots=True)
class NextSend:
    """What asking for the code again would do now. Times in Unix ms.

    `refused` is the limit that stands in the way, `fault` what says that the number may not be texted at all,
    which a door words for whoever reads it. `live` is the attempt whose code would go out again; without it
    there would be a new code.
    """

    number: str
    refused: Refused | None
    fault: BadInput | None
    live: Attempt | None
    wording: Winner
    code_life_s: int


def of(ctx: Context, user_id: str) -> NextSend | None:
    """What a resend would do for a user; None when no number waits. Raises NotFound."""
    app, user = app_settings.load(ctx), user_numbers.load(ctx, user_id)
    number = user.waiting(ctx.now)
    if number is None:
        return None
    attempt = attempts.latest(ctx, user_id)
    ours = attempt if attempt is not None and attempt.phone_number == number else None
    return NextSend(
        number=number,
        refused=_refused(ctx, number, ours),
        fault=_fault(app, number),
        live=ours if ours is not None and ours.is_live(ctx.now) else None,
        wording=winners.winner(ctx, app, user.locale),
        code_life_s=app.code_life_s,
    )


def _refused(ctx: Context, number: str, attempt: Attempt | None) -> Refused | None:
    return limits.may_resend(attempt, phone_number_limits.look(ctx, number), ctx.now, ctx.profile)


def _fault(app: app_settings.AppSettings, number: str) -> BadInput | None:
    try:
        countries.refuse_unless_still_textable(app, number)
    except BadInput as refusal:
        return refusal
    return None
