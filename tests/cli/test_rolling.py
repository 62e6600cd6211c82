"""Does anybody notice when servers are replaced one after the other? Twenty times over in tests/soak."""

import pytest

from tests.cli.rolling import roll


@pytest.mark.slow
@pytest.mark.parametrize("options", [(), ("--workers", "2")], ids=["one process", "two processes"])
def test_ops_03_two_rolling_restarts_under_load_lose_and_repeat_nothing(operator, session, shop, options):
    roll(operator, session, shop.id, restarts=2, options=options)
