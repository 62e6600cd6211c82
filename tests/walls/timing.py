"""Do two kinds of request take equally long? Medians of interleaved requests, and Mann and Whitney's test."""

import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from statistics import NormalDist, median

REQUESTS = 300
WARM = 20
TRIES = 3
# A difference that nobody can use (ENU-02): milliseconds, or a part of the whole.
LEAST_MS, LEAST_PART = 5.0, 0.05


@dataclass(frozen=True)
class Compared:
    """The medians (ms) of both kinds, and how likely such samples are when both take equally long."""

    known: float
    unknown: float
    p: float

    @property
    def is_alike(self) -> bool:
        """Whether the medians differ by less than anybody could use."""
        difference = abs(self.known - self.unknown)
        return difference < max(LEAST_MS, LEAST_PART * max(self.known, self.unknown))

    def __str__(self) -> str:
        return f"known {self.known:.2f} ms, unknown {self.unknown:.2f} ms, Mann-Whitney p {self.p:.3f}"


def compare(
    known: Callable[[int], None], unknown: Callable[[int], None], requests: int = REQUESTS
) -> Compared:
    """Asks both again and again, in turns whose order is drawn; the first ones only warm up.

    Other work on the machine falls on both alike. A difference that is one shows each of three times.
    """
    for _ in range(TRIES):
        found = _once(known, unknown, requests)
        if found.is_alike:
            break
    return found


def _once(known: Callable[[int], None], unknown: Callable[[int], None], requests: int) -> Compared:
    took: dict[Callable[[int], None], list[float]] = {known: [], unknown: []}
    for each in range(WARM + requests):
        for ask in random.sample([known, unknown], 2):
            began = time.perf_counter()
            ask(each)
            took[ask].append((time.perf_counter() - began) * 1000)
    one, other = took[known][WARM:], took[unknown][WARM:]
    return Compared(median(one), median(other), mann_whitney(one, other))


def mann_whitney(one: list[float], other: list[float]) -> float:
    """The two-sided p of Mann and Whitney's U, by its normal approximation; times are never equal."""
    ranked = sorted([(value, 0) for value in one] + [(value, 1) for value in other])
    ranks = sum(place for place, (_, which) in enumerate(ranked, 1) if which == 0)
    n, m = len(one), len(other)
    u = ranks - n * (n + 1) / 2
    z = (u - n * m / 2) / (n * m * (n + m + 1) / 12) ** 0.5
    return 2 * (1 - NormalDist().cdf(abs(z)))
