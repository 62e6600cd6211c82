"""How are times, counts, countries and phone numbers worded on a page?"""

import re
from functools import lru_cache

from babel.numbers import format_decimal
from flask import Flask

from portal import clock
from portal.core import locales, phone_number
from portal.core.reasons import Reason
from portal.models import ActorKind, AuditAction, MessageState
from portal.web import countries, zones

MINUTE, HOUR, DAY = clock.MINUTE, clock.HOUR, clock.DAY
_IN_FULL = "%-d %B %Y, %H:%M:%S"
UNKNOWN_COUNTRY = "Unknown country"
ACTORS: dict[str, str] = {
    ActorKind.USER: "the user",
    ActorKind.APP: "the app",
    ActorKind.ADMIN: "the app's server",
    ActorKind.ACCOUNT: "a member of the portal",
    ActorKind.OPERATOR: "the operator",
    ActorKind.SYSTEM: "Ringback",
}


def mount(app: Flask) -> None:
    """Gives templates their filters."""
    app.jinja_env.filters.update(
        ago=ago,
        left=left,
        ahead=ahead,
        exact=exact,
        time_of_day=time_of_day,
        machine_time=machine_time,
        carrier_words=carrier_words,
        counted=counted,
        grouped=grouped,
        codepoint=ord,
        masked=phone_number.mask,
        place=place,
        day_of_use=day_of_use,
        country_and_letters=country_and_letters,
        language=locales.name,
        own_language=locales.autonym,
        direction=locales.direction,
        country_name=countries.name,
        reason=reason,
        action=action,
        actor=actor,
        outcome=outcome,
    )
    app.jinja_env.globals.update(now_ms=clock.now, zone_name=zones.name)


def reason(code: str) -> str:
    """The sentence of a reason code; the code itself when it is one that this version does not know."""
    return next((each.sentence for each in Reason if each == code), code)


def action(code: str) -> str:
    """The sentence of an audit action, in the past tense."""
    return next((each.sentence for each in AuditAction if each == code), code)


def actor(kind: str) -> str:
    """Who did a thing, in words."""
    return ACTORS.get(kind, kind)


def outcome(state: str) -> str:
    """How far a message got, in a word: Sent, Set aside."""
    return "Set aside" if state == MessageState.DEAD else state.capitalize()


def ago(at: int) -> str:
    """How long ago a time (Unix ms) was, in words; the date when it is over a month ago: 3 Jul 2026 (UTC)."""
    passed = clock.now() - at
    if passed < MINUTE:
        return "just now"
    if passed < HOUR:
        return f"{counted(passed // MINUTE, 'minute')} ago"
    if passed < DAY:
        return f"{counted(passed // HOUR, 'hour')} ago"
    if passed < 30 * DAY:
        return f"{counted(passed // DAY, 'day')} ago"
    return f"{zones.local(at):%-d %b %Y}{' (UTC)' if zones.is_utc() else ''}"


def day_of_use(day: int) -> str:
    """A day of use, given by its first moment in UTC (Unix ms): today (UTC), on 3 Jul 2026 (UTC)."""
    days = (clock.now() - day) // DAY
    words = {0: "today", 1: "yesterday"}.get(days, f"on {clock.as_datetime(day):%-d %b %Y}")
    return f"{words} (UTC)"


def left(until: int) -> str:
    """How much time is left until `until` (Unix ms), in words, so that 72 hours are not 71 a second later."""
    return f"{_span(until) or 'no time'} left"


def ahead(at: int) -> str:
    """How soon a time (Unix ms) comes, in words: `in 5 minutes`, and `now` once it is there."""
    span = _span(at)
    return f"in {span}" if span else "now"


def _span(until: int) -> str:
    """The time until then, in words; empty when there is none."""
    remaining = until - clock.now()
    if remaining <= 0:
        return ""
    if remaining < MINUTE:
        return "less than a minute"
    if remaining < HOUR:
        return counted(-(-remaining // MINUTE), "minute")
    return counted((remaining + HOUR // 2) // HOUR, "hour")


def exact(at: int) -> str:
    """A time (Unix ms) in full, in the person's zone and in UTC."""
    in_utc = clock.as_datetime(at)
    if zones.is_utc():
        return f"{in_utc:{_IN_FULL}} UTC"
    here = zones.local(at)
    is_same_day = here.date() == in_utc.date()
    return f"{here:{_IN_FULL}} ({in_utc:{'%H:%M:%S' if is_same_day else _IN_FULL}} UTC)"


def time_of_day(at: int) -> str:
    """The time of day of `at` (Unix ms), with the day when it is not today: 10:42, or 10:42 on 3 Jul."""
    when, today = zones.local(at), zones.local(clock.now())
    day = "" if when.date() == today.date() else " on %-d %b" if when.year == today.year else " on %-d %b %Y"
    return when.strftime(f"%H:%M{' UTC' if zones.is_utc() else ''}{day}")


def machine_time(at: int) -> str:
    """A time (Unix ms) for the `datetime` attribute."""
    return clock.as_datetime(at).isoformat(timespec="seconds")


# Babel takes longer for one number than for the rest of a row, and pages say the same ones again and again.
@lru_cache(maxsize=4096)
def grouped(number: int) -> str:
    """A number with its thousands apart: 1,204."""
    return str(format_decimal(number, locale="en"))


def counted(number: int, noun: str) -> str:
    """A number with its noun: 1 user, 1,204 users."""
    return f"{grouped(number)} {noun}{'' if number == 1 else 's'}"


def carrier_words(words: str) -> str:
    """A carrier's words as they stand after a sentence: a capital first, HTTP in one line with its number."""
    joined = re.sub(r"\bHTTP (?=\S)", "HTTP\N{NO-BREAK SPACE}", words)
    return joined[:1].upper() + joined[1:]


def isolated(text: str) -> str:
    """A text in a direction of its own within a plain sentence, as <bdi> does it in a page."""
    return f"\N{FIRST STRONG ISOLATE}{text}\N{POP DIRECTIONAL ISOLATE}"


def place(e164: str) -> str:
    """Where a number belongs, with the country's letters: Japan (JP)."""
    try:
        return country_and_letters(phone_number.region(e164))
    except phone_number.PhoneNumberError:
        return UNKNOWN_COUNTRY


def country_and_letters(region: str | None) -> str:
    """A country's name with its letters, Japan (JP), for a number whose region is stored beside it."""
    return f"{countries.name(region)} ({region})" if region else UNKNOWN_COUNTRY
