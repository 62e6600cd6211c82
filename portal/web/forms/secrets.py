"""Which fields hold a secret that no page may repeat? Those with a prefix; a word asks for them again."""

from collections.abc import Iterable

PREFIX = "secret_"
# Names a secret that was typed into a form which had to be sent again without it.
AGAIN = "again"


def without(fields: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """The fields of a form as a page may hold them: in place of each secret, that it is to be typed again."""
    return [
        (AGAIN, name) if name.startswith(PREFIX) else (name, value)
        for name, value in fields
        if value or not name.startswith(PREFIX)
    ]
