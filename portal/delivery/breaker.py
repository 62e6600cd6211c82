"""Is a carrier well enough to be tried? A circuit breaker on its row, which all processes share (DEL-06).

Closed, the carrier takes messages. After five failures in a row, or one that refuses the account, it opens:
nothing is tried before `paused_until`. From then on one message of one worker tries it, once in four seconds;
a success closes the breaker, so a carrier that is well again has new messages within five seconds (DEL-05). A
carrier that asks for a rest (`Retry-After`) is paused for that long. Only the carrier's own passing faults
count: a refusal for good, or a phone that is off, shows that the carrier is well.
"""

from typing import Final

from sqlalchemy import BigInteger, bindparam, case, null, or_, update
from sqlalchemy.orm import Session

from portal.core.alarms import CARRIER_FAILS_AT
from portal.core.limits import MINUTE, SECOND
from portal.core.reasons import Reason
from portal.models import Provider

PROBE_EVERY: Final = 4 * SECOND
# No carrier may silence an app for longer by one answer (ms).
LONGEST_REST: Final = 5 * MINUTE
# A carrier that is well is noted so often (ms) at most, for the page that shows it.
_NOTED_EVERY: Final = 10 * SECOND


def counts(reason: Reason, *, is_permanent: bool, is_about_account: bool) -> bool:
    """Whether a failure is the carrier's own and passing, or would meet every message."""
    return is_about_account or (not is_permanent and reason is not Reason.PHONE_UNREACHABLE)


def begin_probe(session: Session, provider_id: str, paused_until: int, now: int) -> bool:
    """Whether this worker may try a carrier whose pause, as it was read, is over at `now` (Unix ms).

    True for one worker only; the others find the carrier paused for the next four seconds.
    """
    probe = {"the_id": provider_id, "seen": paused_until, "until": now + PROBE_EVERY}
    return session.execute(_BEGIN_PROBE, probe).first() is not None


def note_success(session: Session, provider_id: str, now: int) -> None:
    """The carrier answered at `now` (Unix ms) as a carrier that is well does: closes its breaker."""
    session.execute(_SUCCESS, {"the_id": provider_id, "the_now": now, "lately": now - _NOTED_EVERY})


def note_failure(
    session: Session, provider_id: str, reason: Reason, now: int, retry_after: int | None = None
) -> None:
    """The carrier failed at `now` (Unix ms): opens its breaker when that makes five in a row.

    A carrier that refuses the account would refuse every message, so that opens it at once. `retry_after`
    (ms) is the rest that the carrier asked for; it gets that, up to five minutes.
    """
    rest = None if retry_after is None else now + min(max(retry_after, 0), LONGEST_REST)
    session.execute(
        _FAILURE,
        {
            "the_id": provider_id,
            "the_now": now,
            "why": reason.value,
            "probe_at": now + PROBE_EVERY,
            "enough": 1 if reason is Reason.PROVIDER_ACCOUNT_REFUSED else CARRIER_FAILS_AT,
            "rest": rest,
        },
    )


_P = Provider
_IT = update(_P).where(_P.id == bindparam("the_id")).execution_options(synchronize_session=False)
_NOW = bindparam("the_now", type_=BigInteger)
_REST = bindparam("rest", type_=BigInteger)
_IS_NOT_PAUSED = or_(_P.paused_until.is_(None), _P.paused_until <= _NOW)

_BEGIN_PROBE = (
    _IT.where(_P.paused_until == bindparam("seen")).values(paused_until=bindparam("until")).returning(_P.id)
)

# A carrier that was well a moment ago is not written to, so that its messages do not queue for one row.
_SUCCESS = _IT.where(
    or_(
        _P.failures_in_row > 0,
        _P.paused_until.is_not(None),
        _P.last_success_at.is_(None),
        _P.last_success_at < bindparam("lately", type_=BigInteger),
    )
).values(failures_in_row=0, paused_until=null(), last_success_at=_NOW)

# Messages that were under way when it opened, and fail later, do not put the next probe off.
_OPENS = (_P.failures_in_row + 1 >= bindparam("enough", type_=BigInteger)) & _IS_NOT_PAUSED
_FAILURE = _IT.values(
    failures_in_row=_P.failures_in_row + 1,
    last_failure_at=_NOW,
    last_failure_reason=bindparam("why"),
    paused_until=case(
        (_REST.is_not(None) & (_IS_NOT_PAUSED | (_P.paused_until < _REST)), _REST),
        (_OPENS, bindparam("probe_at", type_=BigInteger)),
        else_=_P.paused_until,
    ),
)
