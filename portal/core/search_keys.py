"""Under which keys is a display name found, however it is capitalised and whichever of its words is typed?"""

import unicodedata

# A name of 50 characters can grow when it is folded; of what is longer, the beginning is enough.
LONGEST = 100


def folded(text: str) -> str:
    """A text without its capitals, widths and double blanks, to compare with."""
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())[:LONGEST]


def of_name(display_name: str | None) -> tuple[str | None, str | None]:
    """The key of a name, and the one that begins with its last word: `yuki tanaka`, `tanaka yuki`.

    The second is None for a name of one word, which the first one finds.
    """
    key = folded(display_name or "")
    *others, last = key.split(" ")
    return key or None, " ".join([last, *others]) if others else None
