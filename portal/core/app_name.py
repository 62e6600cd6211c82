"""May an app name stand in an SMS? It is filled into every text, so it must bring nothing along (TPL-03)."""

import re
import unicodedata
from typing import Final

LONGEST: Final = 30

# Compatibility forms are folded before, so that a full-width or a leader dot is a dot here too.
_ADDRESS: Final = re.compile(r"://|www\.|[\w-][.。][^\W\d_][\w-]|\d\.\d+\.\d+\.\d", re.IGNORECASE)
_BLANK_LETTERS: Final = dict.fromkeys(map(ord, "\u115f\u1160\u2800\u3164\uffa0"))


def problem(name: str) -> str | None:
    """What to change in an app's name before it may stand in an SMS, or None (TPL-03)."""
    if len(name) > LONGEST:
        return f"Shorten the name to {LONGEST} characters."
    if any(unicodedata.category(char) in {"Cc", "Cf", "Cs", "Zl", "Zp"} for char in name):
        return "Write the name in one line, without invisible characters."
    if not name.translate(_BLANK_LETTERS).strip():
        return "Give the app a name that can be seen."
    folded = unicodedata.normalize("NFKC", name)
    if _ADDRESS.search(folded) or folded.startswith(".") or any(char in "@#/" for char in folded):
        return "Write the name without a web address: no @, # or /, and no dot at its front."
    return None
