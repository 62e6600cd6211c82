"""Is this password long enough, and not one that everybody tries first? (WEB-09)"""

from typing import Final

SHORTEST_ALONE: Final = 15
SHORTEST_WITH_SECOND_FACTOR: Final = 8
LONGEST: Final = 200
# zxcvbn looks at every pair of places, so a long text is read up to here.
_EXAMINED: Final = 72
# Of 0 to 4; below, a password is built of what lists of stolen passwords are full of.
_GOOD_ENOUGH: Final = 3
_OURS: Final = ("ringback",)


def fault(password: str, email: str = "", *, has_second_factor: bool = False) -> str | None:
    """What is wrong with a new password, and how to put it right, in a sentence; None for a good one.

    Lists of stolen passwords and common words come with zxcvbn; nothing is asked outside (WEB-09).
    """
    shortest = shortest_for(has_second_factor=has_second_factor)
    if len(password) < shortest:
        return f"Use {shortest} characters or more; a few words in a row are easy to keep in mind."
    if len(password) > LONGEST:
        return f"Use {LONGEST} characters at most."
    if _is_common(password, email):
        return "This is among the first that would be tried. Use words that nobody would put together."
    return None


def shortest_for(*, has_second_factor: bool) -> int:
    """How many characters a new password needs."""
    return SHORTEST_WITH_SECOND_FACTOR if has_second_factor else SHORTEST_ALONE


def _is_common(password: str, email: str) -> bool:
    # Its lists take twelve megabytes, and most processes never see a new password.
    from zxcvbn import zxcvbn

    own = [part for part in (*_OURS, email, *email.replace("@", ".").split(".")) if len(part) > 2]
    # What cannot be encoded would stop the estimate, and tells it nothing.
    readable = password[:_EXAMINED].encode("utf-8", "replace").decode()
    found = zxcvbn(readable, user_inputs=own)
    score: int = found["score"]
    return score < _GOOD_ENOUGH
