"""What is wrong with a carrier's settings as a whole? All of it at once, as each round takes the secrets."""

from collections.abc import Mapping
from typing import Final

from portal.core.provider_kinds import ProviderKind
from portal.delivery.providers import installed
from portal.delivery.providers.base import WrongField
from portal.errors import BadInput
from portal.web import receipt_words

# A provider that is only looked at has no address for receipts yet; its host is ours all the same.
_NOBODY: Final = "new"
# What takes the place of a wrong value, so that the others are looked at too.
_STAND_INS: Final[Mapping[str, str]] = {"url": "https://carrier.example/", "sender": "12345678"}


def refuse(kind: ProviderKind, values: Mapping[str, str]) -> None:
    """Opens the carrier once, which connects to nothing. Raises BadInput where that does not go (WEB-11)."""
    wrong = _first_wrong(kind, values)
    if wrong is not None:
        raise BadInput(wrong.field, wrong.fix) from wrong


def all_in(kind: ProviderKind, values: Mapping[str, str]) -> dict[str, str]:
    """Every field that is wrong, by itself or beside the others, with what would be right."""
    found: dict[str, str] = {}
    values, defaults = dict(values), {each.name: each.default for each in installed.fields_of(kind)}
    while (wrong := _first_wrong(kind, values)) is not None and wrong.field not in found:
        found[wrong.field] = wrong.fix
        values[wrong.field] = _STAND_INS.get(wrong.field) or defaults.get(wrong.field, "")
    return found


def _first_wrong(kind: ProviderKind, values: Mapping[str, str]) -> WrongField | None:
    try:
        installed.open_carrier(kind, values, {}, receipt_words.surroundings(_NOBODY)).close()
    except WrongField as wrong:
        return wrong
    return None
