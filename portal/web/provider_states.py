"""How is a carrier doing, in words? Its state with a shape, and its place in the order."""

from collections.abc import Sequence
from dataclasses import dataclass

from flask import Flask

from portal.core import pauses
from portal.core.pauses import Cause
from portal.core.provider_kinds import ProviderKind, kind_named
from portal.delivery.providers import installed
from portal.models import Provider


def mount(app: Flask) -> None:
    """Gives templates the names of kinds."""
    app.jinja_env.filters["provider_kind"] = kind_name


@dataclass(frozen=True, slots=True)
class Line:
    """One provider as the list and its own page show it."""

    provider: Provider
    kind: str
    place: int
    of: int
    state: str
    tone: str
    is_paused: bool
    # Whether the pause is over, so that the next SMS tries it.
    is_tried_next: bool
    # Whether it is paused because it refuses this app's account.
    is_refused: bool
    # Whether a check asks about the credentials, so that a yes ends a pause.
    is_checkable: bool
    # Whether it is the only one that is on, so that without it nothing is sent.
    is_last_on: bool
    # The one that gets what this one does not take; None where no other one is on, or all are paused.
    next_on: Provider | None


def lines(found: Sequence[Provider], now: int) -> list[Line]:
    """Every provider of an app in its order, with its state at `now` (Unix ms)."""
    return [_line(found, at, now) for at in range(len(found))]


def _line(found: Sequence[Provider], at: int, now: int) -> Line:
    provider = found[at]
    # A carrier's breaker stays open until an SMS went through, also between two tries (DEL-06).
    is_paused = provider.is_on and provider.paused_until is not None
    others = [each for each in [*found[at + 1 :], *found[:at]] if each.is_on]
    state, tone = (
        ("Off", "plain") if not provider.is_on else ("Paused", "bad") if is_paused else ("On", "good")
    )
    return Line(
        provider=provider,
        kind=kind_name(provider.kind),
        place=at + 1,
        of=len(found),
        state=state,
        tone=tone,
        is_paused=is_paused,
        is_tried_next=is_paused and (provider.paused_until or 0) <= now,
        is_refused=is_paused and _cause(provider) is Cause.REFUSED,
        is_checkable=installed.is_checkable(kind_named(provider.kind), provider.settings),
        is_last_on=provider.is_on and not others,
        next_on=next((each for each in others if each.paused_until is None), None),
    )


def _cause(provider: Provider) -> Cause:
    return pauses.cause(provider.failures_in_row, provider.last_failure_reason)


def kind_name(kind: str) -> str:
    """What people call a kind of carrier; inbox and console by their own names."""
    return next((each.sentence for each in ProviderKind if each == kind), kind.capitalize())
