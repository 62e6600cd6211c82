"""Which rows does a verification consist of? Every statement that reads or moves one, made once.

A move is a conditional update whose answer tells whether it happened; the verbs are in verifications.py.
"""

from dataclasses import dataclass

from sqlalchemy import and_, bindparam, case, exists, select, true, update

from portal.core import code, limits
from portal.core.lifecycle import Event, State, after
from portal.core.limits import Tally
from portal.errors import Refusal
from portal.models import PhoneNumberLimit, User, Verification, table
from portal.services import phone_number_limits, user_numbers
from portal.services.context import Context
from portal.services.user_numbers import UserNumbers


@dataclass(frozen=True, slots=True)
class Attempt:
    """The columns of a verification that deciding needs. Times in Unix ms."""

    id: str
    user_id: str
    phone_number: str
    purpose: str
    state: str
    key_version: int
    issue: int
    code_length: int
    code_expires_at: int
    sends: int
    sends_allowed: int
    last_sent_at: int | None

    def is_live(self, now: int) -> bool:
        """Whether this attempt's code would be accepted at `now`."""
        return self.state == State.OPEN and now < self.code_expires_at


_V, _LIMIT, _USER = table(Verification), table(PhoneNumberLimit), table(User)
_OF_USER = and_(_V.c.app_id == bindparam("the_app"), _V.c.user_id == bindparam("the_user"))
_IT = and_(_V.c.app_id == bindparam("the_app"), _V.c.id == bindparam("the_attempt"))
_IS_SUSPENDED = exists().where(
    _USER.c.app_id == bindparam("the_app"), _USER.c.id == _V.c.user_id, _USER.c.disabled.is_(True)
)
# The code that was compared is still the one in force, the attempt takes another guess or send, and its user
# may verify (contract a.3).
_IS_STILL_LIVE = and_(
    _IT,
    _V.c.state == State.OPEN,
    _V.c.issue == bindparam("the_issue"),
    _V.c.guesses < _V.c.guesses_allowed,
    _V.c.code_expires_at > bindparam("the_now"),
    ~_IS_SUSPENDED,
)
_IS_LAST_GUESS = _V.c.guesses + 1 >= _V.c.guesses_allowed
_LATEST = (
    select(*(_V.c[name] for name in Attempt.__slots__))
    .where(_OF_USER)
    .order_by(_V.c.created_at.desc(), (_V.c.state == State.OPEN).desc())
    .limit(1)
)
_NEWEST = _LATEST.subquery("newest")
_HASHED = _LATEST.add_columns(_V.c.number_hash).subquery("hashed")
_LATEST_LOCKED = (
    select(*_HASHED.c, _LIMIT.c.sent_times, _LIMIT.c.failed_guess_times)
    .join(
        _LIMIT,
        and_(
            _LIMIT.c.app_id == bindparam("the_app"),
            _LIMIT.c.number_hash == _HASHED.c.number_hash,
            _LIMIT.c.key_version == bindparam("the_only_key"),
        ),
    )
    .with_for_update(of=_LIMIT)
)
_HELD_WITH_LATEST = user_numbers.HELD.add_columns(*_NEWEST.c).outerjoin(_NEWEST, true())


SPEND = (
    update(_V)
    .where(_IS_STILL_LIVE)
    .values(state=after(State.OPEN, Event.RIGHT_CODE), ended_at=bindparam("the_now"))
    .returning(_V.c.id)
)
_COUNT_GUESS = (
    update(_V)
    .where(_IS_STILL_LIVE)
    .values(
        guesses=_V.c.guesses + 1,
        state=case(
            (_IS_LAST_GUESS, after(State.OPEN, Event.LAST_GUESS)), else_=after(State.OPEN, Event.WRONG_CODE)
        ),
        ended_at=case((_IS_LAST_GUESS, bindparam("the_now")), else_=None),
    )
    .returning(_V.c.state)
)
_COUNT_SEND = (
    update(_V)
    .where(_IS_STILL_LIVE, _V.c.sends == bindparam("the_sends"))
    .values(sends=_V.c.sends + 1, last_sent_at=bindparam("the_now"))
    .returning(_V.c.id)
)
_NEXT_ISSUE = (
    update(_V).where(_IT, _V.c.state == State.OPEN).values(issue=_V.c.issue + 1).returning(_V.c.issue)
)
END_OPEN = (
    update(_V)
    .where(_OF_USER, _V.c.state == State.OPEN)
    .values(
        state=case(
            (_V.c.code_expires_at <= bindparam("the_now"), after(State.OPEN, Event.EXPIRE)),
            else_=bindparam("the_end"),
        ),
        ended_at=bindparam("the_now"),
    )
)


def latest(ctx: Context, user_id: str) -> Attempt | None:
    """The user's newest attempt, live or not."""
    found = ctx.execute(_LATEST, {"the_app": ctx.app_id, "the_user": user_id}).first()
    return None if found is None else Attempt(*found)


def latest_locked(ctx: Context, user_id: str) -> tuple[Attempt, Tally] | None:
    """The same with the tally of its number, which is locked until the transaction ends, in one statement.

    None when there is no attempt, its number has no tally yet, or one row does not tell it all, because a
    hashing key is rotated (PII-06). Where there are two rows none may be locked out of turn.
    """
    only_key = phone_number_limits.only_key(ctx)
    wanted = {"the_app": ctx.app_id, "the_user": user_id, "the_only_key": only_key}
    found = only_key and ctx.execute(_LATEST_LOCKED, wanted).first()
    if not found:
        return None
    *columns, hidden, sent, failed = found
    attempt = Attempt(*columns)
    if not phone_number_limits.is_whole(ctx, attempt.phone_number, hidden):
        return None
    return attempt, Tally(limits.read_times(sent), limits.read_times(failed))


def hold_user(ctx: Context, user_id: str) -> tuple[UserNumbers, Attempt | None]:
    """A user's numbers as user_numbers.hold gives them, with the newest attempt. Raises NotFound."""
    found = ctx.execute(_HELD_WITH_LATEST, {"the_app": ctx.app_id, "the_user": user_id}).first()
    if found is None:
        raise user_numbers.not_found(user_id)
    of_user, of_attempt = found[: len(UserNumbers.__slots__)], found[len(UserNumbers.__slots__) :]
    return UserNumbers(*of_user), None if of_attempt[0] is None else Attempt(*of_attempt)


def code_of(ctx: Context, attempt: Attempt) -> str:
    """The attempt's code, derived."""
    return code.derive(ctx.keys.codes[attempt.key_version], attempt.id, attempt.issue, attempt.code_length)


def spend(ctx: Context, attempt: Attempt) -> bool:
    """Ends an attempt as verified; False when another request was first (OTP-03)."""
    return ctx.scalar(SPEND, as_compared(ctx, attempt)) is not None


def count_wrong_guess(ctx: Context, attempt: Attempt) -> State | None:
    """Notes one evaluated wrong guess; the state after it, None when it was dead already (OTP-04)."""
    state = ctx.scalar(_COUNT_GUESS, as_compared(ctx, attempt))
    return None if state is None else State(state)


def count_send(ctx: Context, attempt: Attempt, or_else: Refusal) -> None:
    """Notes one more send of a live code; `or_else` is raised in time when another request was first."""
    ctx.add(_COUNT_SEND, as_compared(ctx, attempt) | {"the_sends": attempt.sends}, or_else)


def next_issue(ctx: Context, attempt: Attempt) -> int | None:
    """Replaces the code by the next one; its number, None when the attempt was dead already."""
    issue: int | None = ctx.scalar(_NEXT_ISSUE, {"the_app": ctx.app_id, "the_attempt": attempt.id})
    return issue


def end_open(ctx: Context, user_id: str, event: Event) -> None:
    """Ends the user's open attempt, if there is one: as expired when its time is over, else by `event`."""
    ctx.execute(END_OPEN, ending(ctx, user_id, event))


def ending(ctx: Context, user_id: str, event: Event) -> dict[str, object]:
    """What END_OPEN is run with, for a user whose open attempt ends by `event`."""
    whose = {"the_app": ctx.app_id, "the_user": user_id}
    return whose | {"the_now": ctx.now, "the_end": after(State.OPEN, event)}


def as_compared(ctx: Context, attempt: Attempt) -> dict[str, object]:
    """What names an attempt in the moves that only happen while the code that was compared is in force."""
    return {"the_app": ctx.app_id, "the_attempt": attempt.id, "the_issue": attempt.issue, "the_now": ctx.now}
