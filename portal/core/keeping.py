"""How long are rows kept that have served their time? The periods of one installation (PII-04)."""

from dataclasses import dataclass

from portal.core.limits import DAY


@dataclass(frozen=True, slots=True)
class Keeping:
    """Periods in ms. `unverified_users` is None where such users are kept for ever."""

    messages: int = 30 * DAY
    audit: int = 365 * DAY
    idempotency_keys: int = DAY
    unverified_users: int | None = None


DEFAULT = Keeping()
