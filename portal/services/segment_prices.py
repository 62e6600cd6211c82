"""What does an app pay for an SMS? Its prices for one segment, by country."""

from collections.abc import Mapping

from sqlalchemy import delete, insert, select
from sqlalchemy.orm import Session

from portal.core import phone_number, prices
from portal.errors import BadInput
from portal.models import App, AuditAction, SegmentPrice
from portal.services import audit
from portal.services.context import Context


def of(session: Session, app_id: str) -> dict[str, int]:
    """The price of one segment (millionths of the app's currency) by country, two letters each."""
    wanted = select(SegmentPrice.country, SegmentPrice.millionths).where(SegmentPrice.app_id == app_id)
    return {row.country: row.millionths for row in session.execute(wanted.order_by(SegmentPrice.country))}


def set_to(ctx: Context, wanted: Mapping[str, int]) -> None:
    """Makes exactly these (millionths by country) the app's prices; the audit log gets what differs.

    Raises BadInput for a country that has no phone numbers, and for a price out of range.
    """
    _refuse_bad(wanted)
    # Two owners who save at once go one after the other, instead of both putting down the same country.
    ctx.session.get_one(App, ctx.app_id, with_for_update=True)
    before = of(ctx.session, ctx.app_id)
    countries = sorted({*before, *wanted})
    difference = {
        country: [before.get(country), wanted.get(country)]
        for country in countries
        if before.get(country) != wanted.get(country)
    }
    if not difference:
        return
    _write(ctx, {country: after for country, (_, after) in difference.items()})
    audit.record(ctx, AuditAction.SEGMENT_PRICES_CHANGED, details={"millionths": difference})


def _refuse_bad(wanted: Mapping[str, int]) -> None:
    unknown = sorted(set(wanted) - phone_number.regions())
    if unknown:
        raise BadInput(
            "prices", f"{unknown[0]} is no country with phone numbers. Use two letters such as JP."
        )
    if any(not 0 <= millionths <= prices.HIGHEST for millionths in wanted.values()):
        raise BadInput("prices", "Write the price of one segment, from 0 to 1,000,000.")


def _write(ctx: Context, changed: Mapping[str, int | None]) -> None:
    ctx.session.execute(
        delete(SegmentPrice).where(SegmentPrice.app_id == ctx.app_id, SegmentPrice.country.in_(changed))
    )
    rows = [
        {"app_id": ctx.app_id, "country": country, "millionths": millionths}
        for country, millionths in changed.items()
        if millionths is not None
    ]
    if rows:
        ctx.session.execute(insert(SegmentPrice), rows)
