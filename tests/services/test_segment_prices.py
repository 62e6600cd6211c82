"""An app's prices are exactly those that were set, its own, and on record when they change."""

import pytest
from sqlalchemy import select

from portal.core.prices import HIGHEST
from portal.errors import BadInput
from portal.models import AuditEntry, SegmentPrice
from portal.services import segment_prices
from tests.services.conftest import Desk


def put(desk: Desk, prices: dict[str, int]) -> None:
    desk.do(lambda ctx: segment_prices.set_to(ctx, prices))


def stored(desk: Desk) -> dict[str, int]:
    return desk.do(lambda ctx: segment_prices.of(ctx.session, desk.app_id))


def noted(desk: Desk) -> list[dict[str, object]]:
    changed = select(AuditEntry.details).where(AuditEntry.action == "segment_prices.changed")
    return desk.rows(changed.order_by(AuditEntry.id))


def test_a_new_app_has_no_prices(desk):
    assert stored(desk) == {}


def test_exactly_what_was_set_is_there(desk):
    put(desk, {"JP": 8_500_000, "DE": 70_000})
    put(desk, {"JP": 9_000_000, "GG": 0})
    assert stored(desk) == {"GG": 0, "JP": 9_000_000}
    put(desk, {})
    assert stored(desk) == {}


def test_the_audit_log_gets_what_differs_and_nothing_for_nothing(desk):
    put(desk, {"JP": 1, "DE": 2})
    put(desk, {"DE": 2, "JP": 1})
    put(desk, {"JP": 3, "FR": 4, "DE": 2})
    put(desk, {"JP": 3, "DE": 2})
    assert noted(desk) == [
        {"millionths": {"DE": [None, 2], "JP": [None, 1]}},
        {"millionths": {"FR": [None, 4], "JP": [1, 3]}},
        {"millionths": {"FR": [4, None]}},
    ]


@pytest.mark.parametrize(
    "prices",
    [
        {"JP": 1, "ZZ": 2},
        {"jp": 1},
        {"001": 1},
        {"": 1},
        {"\0": 1},
        {"JP": -1},
        {"JP": HIGHEST + 1},
        {"JP": 10**30},
    ],
)
def test_a_bad_price_changes_nothing(desk, prices):
    put(desk, {"DE": 5})
    with pytest.raises(BadInput) as refused:
        put(desk, prices)
    assert refused.value.field == "prices"
    assert stored(desk) == {"DE": 5}


def test_the_highest_price_fits(desk):
    put(desk, {"JP": HIGHEST})
    assert stored(desk) == {"JP": HIGHEST}


def test_ten_04_prices_of_one_app_are_nobody_elses(desk, transaction, keys):
    other = Desk(transaction, keys)
    put(desk, {"JP": 1})
    put(other, {"JP": 2})
    put(other, {})
    assert (stored(desk), stored(other)) == ({"JP": 1}, {})
    assert desk.rows(select(SegmentPrice.app_id)) == [desk.app_id]
