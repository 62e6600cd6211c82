"""What does the text of a setting mean? A word, a number or a yes; anything else is refused by its name."""

import re
from pathlib import Path


class WrongSetting(Exception):
    """A setting makes no sense; the message names it and says what would."""


def read(name: str, text: str, setting: object) -> object:
    """The value that the environment gives a setting (a dataclass field) as `text`. Raises WrongSetting."""
    default = setting.default  # type: ignore[attr-defined]
    metadata = setting.metadata  # type: ignore[attr-defined]
    if isinstance(default, bool):
        return _yes_or_no(name, text)
    if isinstance(default, int):
        return _number(name, text, *metadata["range"])
    if isinstance(default, Path):
        return Path(text)
    if "one_of" in metadata and text not in metadata["one_of"]:
        raise WrongSetting(f"{name} is '{text}'; it must be one of {', '.join(metadata['one_of'])}.")
    fewest = metadata.get("fewest", 0)
    if len(text) < fewest:
        raise WrongSetting(f"{name} must have {fewest} characters at least.")
    return text


def _yes_or_no(name: str, text: str) -> bool:
    if text.lower() in ("1", "true", "yes", "on"):
        return True
    if text.lower() in ("0", "false", "no", "off"):
        return False
    raise WrongSetting(f"{name} is '{text}'; it must be true or false.")


def _number(name: str, text: str, least: int, most: int) -> int:
    if re.fullmatch(r"[0-9]{1,9}", text) and least <= int(text) <= most:
        return int(text)
    raise WrongSetting(f"{name} is '{text}'; it must be a whole number from {least} to {most}.")
