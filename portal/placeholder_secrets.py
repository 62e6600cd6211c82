"""Is this a secret that somebody forgot to replace? (OPS-06)"""

import re
from typing import Final
from urllib.parse import unquote, urlsplit

_WORDS: Final = (
    "changeme",
    "changethis",
    "replaceme",
    "replacethis",
    "placeholder",
    "yoursecret",
    "yourtoken",
    "yourpassword",
    "yourkey",
    "secretkey",
    "supersecret",
    "topsecret",
    "notsecret",
    "insecure",
    "dummy",
    "example",
    "password",
)
# A random text of 16 characters or more has more different ones.
FEWEST_DIFFERENT: Final = 6


def is_placeholder(secret: str) -> bool:
    """Whether a secret is one of those that stand in examples, or the same few characters again and again."""
    bare = re.sub(r"[^a-z0-9]", "", secret.lower())
    return len(set(secret)) < FEWEST_DIFFERENT or any(word in bare for word in _WORDS)


def address_has_placeholder(address: str) -> bool:
    """Whether the password in an address is a placeholder, or the name beside it over again; none is none."""
    try:
        parts = urlsplit(address)
        name, password = unquote(parts.username or ""), unquote(parts.password or "")
    except ValueError:
        return False
    return bool(password) and (password == name or is_placeholder(password))
