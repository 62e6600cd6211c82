"""Why is a carrier paused? In one of three ways, which every page tells alike (DEL-06)."""

from enum import StrEnum

from portal.core.alarms import CARRIER_FAILS_AT
from portal.core.reasons import Reason


class Cause(StrEnum):
    """Why nothing but single SMS tries a carrier."""

    # One such answer is enough; an SMS that meets it fails for good, unless another carrier is on.
    REFUSED = "refused"
    AGAIN = "again"
    # Fewer failures, the last of which asked for a rest, or followed a refusal of the account.
    FAILED = "failed"


def cause(failures_in_row: int, last_reason: str | None) -> Cause:
    """Why a paused carrier is paused, by how often it failed since it last took an SMS, and why at last."""
    if last_reason == Reason.PROVIDER_ACCOUNT_REFUSED:
        return Cause.REFUSED
    return Cause.AGAIN if failures_in_row >= CARRIER_FAILS_AT else Cause.FAILED
