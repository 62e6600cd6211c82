"""In which order do things happen in the demo? A timetable of deeds, and a carrier that plays its part."""

import heapq
import itertools
import random
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

from sqlalchemy.orm import Session

from portal.core.limits import SECOND
from portal.delivery import dispatch
from portal.delivery.dispatch import Post
from portal.delivery.providers.base import Accepted, Provider, ProviderRefused, ProviderUnreachable, Sms
from portal.services.context import Context
from portal.services.outbox import BELL

Deed = Callable[[Context], None]

# Whoever could not be reached is tried again within this time (s).
RETRIES = (5, 20, 60, 160)


def look_again(_ctx: Context) -> None:
    """Nothing but time goes by, and messages that waited for it are sent."""


@dataclass(slots=True)
class Carrier:
    """Stands in for a provider while the demo is told: it sends nothing, and fails where the story says."""

    name: str
    chance: random.Random
    knows_delivery: bool
    refused: set[str] = field(default_factory=set)
    unreachable: set[str] = field(default_factory=set)

    def send(self, sms: Sms) -> Accepted:
        """Takes an SMS, unless its number is one that fails."""
        if sms.to in self.refused:
            raise ProviderRefused("Unreachable destination: the subscriber is unknown", permanent=True)
        if sms.to in self.unreachable:
            raise ProviderUnreachable("No answer in time")
        return Accepted(sms.reference, is_delivered=not self.knows_delivery or self.chance.random() < 0.8)


class Story:
    """What happens in the demo's fortnight, told in the order of time inside one transaction."""

    def __init__(self, ctx: Context, chance: random.Random) -> None:
        self.ends_at = ctx.now
        self.carriers = {
            "inbox": Carrier("inbox", chance, knows_delivery=False),
            "console": Carrier("console", chance, knows_delivery=True),
        }
        self._ctx = ctx
        self._chance = chance
        self._order = itertools.count()
        self._deeds: list[tuple[int, int, Deed]] = []

    def plan(self, at: int, deed: Deed) -> None:
        """Notes a deed for `at` (Unix ms). What would happen after the present does not happen."""
        if at <= self.ends_at:
            heapq.heappush(self._deeds, (at, next(self._order), deed))

    def plan_retries(self, at: int) -> None:
        """Lets the worker look again after a failure at `at`."""
        for wait in RETRIES:
            self.plan(at + wait * SECOND, look_again)

    def tell(self) -> None:
        """Lets everything happen; the real rules, limits and dispatch decide what comes of it."""
        while self._deeds:
            at, _, deed = heapq.heappop(self._deeds)
            deed(replace(self._ctx, now=at))
            if self._ctx.session.info.pop(BELL, False) or deed is look_again:
                self._send_at(at)
        # What waits even now, the worker finds by itself.
        self._send_at(self.ends_at)

    def _send_at(self, at: int) -> None:
        providers: Mapping[str, Provider] = dict(self.carriers)
        post = Post(self._transaction, self._ctx.keys, providers, lambda: at, self._chance.random)
        while dispatch.send_next(post):
            pass

    @contextmanager
    def _transaction(self) -> Iterator[Session]:
        yield self._ctx.session
