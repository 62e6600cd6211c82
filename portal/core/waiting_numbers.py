"""Which number of a user waits for its code? (contract a.2)"""


def pending(number: str | None, until: int | None, now: int) -> str | None:
    """The number that is to replace the one in force, while its day lasts; times in Unix ms."""
    return number if (until or 0) > now else None


def waiting(in_force: str | None, is_verified: bool, pending: str | None) -> str | None:
    """The number whose code is wanted: the pending one, else the unverified one of the sign-up."""
    return pending or (None if is_verified else in_force)
