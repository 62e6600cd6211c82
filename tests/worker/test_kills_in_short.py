"""Is nothing lost when processes are killed under load? A few rounds; `make soak` plays a hundred."""

from tests.soak.conftest import say, sink, town
from tests.soak.test_kills import chance, play

__all__ = ["chance", "say", "sink", "town"]


def test_del_02_dat_02_nothing_that_was_accepted_is_lost_in_a_few_kills(town, chance, say):
    play(town, chance, lambda _figures: None, rounds=5, everybody_in=5)
