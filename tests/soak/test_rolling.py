"""Does anybody notice when servers are replaced one after the other, all day long? (OPS-03)"""

import pytest

from tests.cli.conftest import operator  # noqa: F401
from tests.cli.rolling import roll


@pytest.mark.parametrize("options", [(), ("--workers", "2")], ids=["one process", "two processes"])
def test_ops_03_twenty_rolling_restarts_at_twenty_a_second_lose_and_repeat_nothing(
    operator,  # noqa: F811
    session,
    shop,
    options,
):
    print(roll(operator, session, shop.id, restarts=20, options=options))
