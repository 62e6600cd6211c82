"""Which numbers may an app text? Its open countries, and the kinds of numbers that get SMS."""

from collections.abc import Collection

from sqlalchemy import delete, insert, select
from sqlalchemy.orm import Session

from portal.core import next_steps, phone_number
from portal.core.phone_number import PhoneNumber, PhoneNumberError
from portal.core.reasons import Reason
from portal.errors import BadInput
from portal.models import OpenCountry
from portal.services.app_settings import AppSettings
from portal.services.context import Context

FIELD = "phoneNumber"


def open_in(session: Session, app_id: str) -> list[str]:
    """The two-letter regions that an app may text, in order."""
    return list(
        session.scalars(
            select(OpenCountry.country).where(OpenCountry.app_id == app_id).order_by(OpenCountry.country)
        )
    )


def set_open(ctx: Context, wanted: Collection[str]) -> None:
    """Opens exactly `wanted` (two letters each). Raises BadInput for one that the numbering plans lack."""
    unknown = sorted(set(wanted) - phone_number.regions())
    if unknown:
        raise BadInput(
            "openCountries", f"{unknown[0]} is no country with phone numbers. Use two letters such as JP."
        )
    ctx.session.execute(delete(OpenCountry).where(OpenCountry.app_id == ctx.app_id))
    rows = [{"app_id": ctx.app_id, "country": country} for country in sorted(set(wanted))]
    if rows:
        ctx.session.execute(insert(OpenCountry), rows)


def refuse_unless_still_textable(app: AppSettings, stored: str) -> None:
    """The same for a number (E.164) that was taken earlier.

    Numbering plans change: one that no plan knows any more is refused too, with BadInput.
    """
    try:
        number = phone_number.parse(stored)
    except PhoneNumberError as error:
        raise BadInput(FIELD, f"Nothing was sent. {error}", Reason.NOT_MOBILE) from error
    refuse_unless_textable(app, number)


def refuse_unless_textable(app: AppSettings, number: PhoneNumber) -> None:
    """Raises BadInput, with its reason, for a number that this app may not text (ABU-04, ABU-05)."""
    fault = phone_number.is_textable(number)
    if fault is not None:
        raise BadInput(FIELD, f"Nothing was sent. {fault.sentence}", Reason.NOT_MOBILE)
    if number.region not in app.open_countries:
        reason, closed = Reason.COUNTRY_CLOSED, next_steps.closed(number.region)
        raise BadInput(FIELD, f"{closed} {next_steps.WHAT_TO_DO[reason]}", reason, country=number.region)
