"""What of a written text may be shown? All of it but the numbers in it: of those the last four digits."""

import re
from typing import Final

# Seven digits and more, with what people put between them, are somebody's number (PII-01).
_NUMBER: Final = re.compile(r"\+?\d(?:[\s().,/_·\-‐-―]{0,2}\d){6,}")
_SHOWN: Final = 4


def hide(text: str) -> str:
    """The text with `••• 5678` in place of each run of seven or more digits, in any script."""
    return _NUMBER.sub(_masked, text)


def hide_all(value: object) -> object:
    """The same for every text in a value as JSON knows it, keys included; numbers stay what they are."""
    if isinstance(value, str):
        return hide(value)
    if isinstance(value, dict):
        return {hide(str(name)): hide_all(each) for name, each in value.items()}
    return [hide_all(each) for each in value] if isinstance(value, list | tuple) else value


def _masked(found: re.Match[str]) -> str:
    digits = "".join(char for char in found[0] if char.isdigit())
    return f"••• {digits[-_SHOWN:]}"
