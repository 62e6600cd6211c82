"""How often, how soon again, how long? The numbers and the rules that use them."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from portal.core.reasons import Reason
from portal.errors import TooSoon

SECOND = 1_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR

# What one answer says when a limit gives no better time to come back (ms).
SOON = 60 * SECOND
# A code with less life than this is not worth an SMS (DEL-05).
LIFE_WORTH_SENDING = 60 * SECOND
PENDING_LIFE = 24 * HOUR
# No limit on one number is higher than this, so older times need not be kept.
_REMEMBERED = 100


@dataclass(frozen=True, slots=True)
class Profile:
    """The limits of one installation. Times in ms, counts in whole things.

    Only the bench profile is wider than the default, and a production start refuses it (OPS-06).
    """

    waits_between_sends: tuple[int, ...] = (60 * SECOND, 60 * SECOND, 120 * SECOND, 300 * SECOND)
    sends_per_hour: int = 10
    sends_per_day: int = 20
    failed_guesses_per_day: int = 20
    reveals_per_hour: int = 20
    look_ups_per_hour: int = 200
    parts_told_per_hour: int = 20
    # An app with so many messages waiting, or so many due for so long (ms), takes on no more (DEL-09).
    most_waiting: int = 50_000
    longest_backlog: int = 60 * SECOND
    least_backlog: int = 100


DEFAULT = Profile()
BENCH = Profile(
    waits_between_sends=(0,),
    sends_per_hour=10**6,
    sends_per_day=10**6,
    failed_guesses_per_day=10**6,
    look_ups_per_hour=10**6,
    parts_told_per_hour=10**6,
    most_waiting=10**6,
    longest_backlog=HOUR,
)


@dataclass(frozen=True, slots=True)
class Refused:
    """A limit was hit: why, and when (Unix ms) the same request would pass."""

    reason: Reason
    until: int

    def as_error(self) -> TooSoon:
        """What to raise for it."""
        return TooSoon(self.reason, self.reason.sentence, self.until)


def overtaken(now: int) -> Refused:
    """Another request of the same user was faster, and its SMS is on its way; `now` in Unix ms."""
    return Refused(Reason.RESEND_WAIT, now + SOON)


@dataclass(frozen=True, slots=True)
class Tally:
    """What one number was sent and guessed lately: times in Unix ms, oldest first."""

    sent: tuple[int, ...] = ()
    failed_guesses: tuple[int, ...] = ()

    def send(self, now: int) -> "Tally":
        """This tally with one more send; what is over a day old is forgotten."""
        return replace(self, sent=(*_since(self.sent, now - DAY), now))

    def unsend(self, at: int) -> "Tally":
        """This tally without the send noted at `at` (a failed hand-over frees its slot)."""
        sent = list(self.sent)
        if at in sent:
            sent.remove(at)
        return replace(self, sent=tuple(sent))

    def fail(self, now: int) -> "Tally":
        """This tally with one more failed guess."""
        return replace(self, failed_guesses=(*_since(self.failed_guesses, now - DAY), now))

    def forgive(self) -> "Tally":
        """This tally after a right code: failed guesses are forgotten, sends are not (OTP-05)."""
        return replace(self, failed_guesses=())


def together(tallies: Sequence[Tally]) -> Tally:
    """One tally out of several of the same number, each of which may lack what the others know (PII-06)."""
    return Tally(_joined([each.sent for each in tallies]), _joined([each.failed_guesses for each in tallies]))


def may_send_to_number(tally: Tally, now: int, profile: Profile) -> Refused | None:
    """Whether a number may be texted at all, over all its verifications in one app (ABU-01, ABU-07)."""
    wait = profile.waits_between_sends[0]
    if tally.sent and now < tally.sent[-1] + wait:
        return Refused(Reason.RESEND_WAIT, tally.sent[-1] + wait)
    hour = _full_until(tally.sent, now, HOUR, profile.sends_per_hour)
    day = _full_until(tally.sent, now, DAY, profile.sends_per_day)
    if day is not None:
        return Refused(Reason.NUMBER_DAILY_LIMIT, day)
    return None if hour is None else Refused(Reason.NUMBER_HOURLY_LIMIT, hour)


class Sent(Protocol):
    """A verification, as far as its sends go. Times in Unix ms."""

    @property
    def sends(self) -> int:
        """How often its code was sent."""

    @property
    def sends_allowed(self) -> int:
        """How often it may be."""

    @property
    def last_sent_at(self) -> int | None:
        """When it was last sent."""

    @property
    def code_expires_at(self) -> int:
        """When its code stops working, whatever its state."""


def may_resend(sent: Sent | None, tally: Tally, now: int, profile: Profile) -> Refused | None:
    """The first limit that keeps a waiting number from an SMS now.

    `sent` is its newest verification, where there is one, and `tally` the number's, over all of them.
    """
    again = None if sent is None or sent.code_expires_at <= now else may_send_again(sent, now, profile)
    return again or may_text(tally, now, profile)


def may_text(tally: Tally, now: int, profile: Profile) -> Refused | None:
    """The first limit that keeps a number from a code, whoever's it is; one that nobody may try is none."""
    return may_guess(tally, now, profile) or may_send_to_number(tally, now, profile)


def may_send_again(sent: Sent, now: int, profile: Profile) -> Refused | None:
    """Whether a live code may be sent again: waits of 60, 60, 120, 300 s between at most five sends."""
    if sent.sends == 0 or sent.last_sent_at is None:
        return None
    if sent.sends >= sent.sends_allowed:
        return Refused(Reason.SENDS_USED_UP, sent.code_expires_at)
    waits = profile.waits_between_sends
    until = sent.last_sent_at + waits[min(sent.sends, len(waits)) - 1]
    return Refused(Reason.RESEND_WAIT, until) if now < until else None


def may_guess(tally: Tally, now: int, profile: Profile) -> Refused | None:
    """Whether codes for this number may be tried: at most 20 wrong ones in 24 h (OTP-05)."""
    until = _full_until(tally.failed_guesses, now, DAY, profile.failed_guesses_per_day)
    return None if until is None else Refused(Reason.NUMBER_GUESS_LIMIT, until)


def read_times(stored: str) -> tuple[int, ...]:
    """Stored times back as numbers."""
    return tuple(int(at) for at in stored.split(",")) if stored else ()


def write_times(times: tuple[int, ...]) -> str:
    """Times as they are stored."""
    return ",".join(str(at) for at in times)


def _joined(known: Sequence[tuple[int, ...]]) -> tuple[int, ...]:
    if len(known) == 1:
        return known[0]
    # Two things at the same moment are two, and one that two tallies know of is one.
    most: Counter[int] = Counter()
    for times in known:
        most |= Counter(times)
    return tuple(sorted(most.elements()))


def _since(times: tuple[int, ...], start: int) -> tuple[int, ...]:
    return tuple(at for at in times if at > start)[-_REMEMBERED:]


def _full_until(times: tuple[int, ...], now: int, window: int, allowed: int) -> int | None:
    """When the oldest of the last `allowed` times leaves the window; None when there is room now."""
    recent = _since(times, now - window)
    return recent[-allowed] + window if len(recent) >= allowed else None
