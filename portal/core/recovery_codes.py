"""What does a recovery code look like? Sixteen letters and digits that nobody takes for one another."""

import hashlib
import secrets
from typing import Final

HOW_MANY: Final = 10
_ALPHABET: Final = "23456789abcdefghjkmnpqrstvwxyz"
_LENGTH: Final = 16


def new() -> list[str]:
    """Ten fresh codes, each with 78 random bits, in groups of four."""
    return ["-".join(_group() for _ in range(_LENGTH // 4)) for _ in range(HOW_MANY)]


def hashed(typed: str) -> str:
    """The hash that is kept of a code, however it was typed. So many random bits need no slow one."""
    bare = "".join(char for char in typed.lower() if char.isalnum())
    return hashlib.sha256(f"recovery:{bare}".encode("utf-8", "surrogatepass")).hexdigest()


def _group() -> str:
    return "".join(secrets.choice(_ALPHABET) for _ in range(4))
