"""What is wanted of a provider, and what may the audit log tell of it? No secret, no number, no free text."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from portal.core.hidden_numbers import hide
from portal.models import Provider


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """A provider as its owner describes it. `secrets` holds what was typed; a change keeps the others.

    `forgotten` names secrets to take away. `bound_to` names the settings, such as an address, whose change
    asks for every secret anew: nobody may lead a stored secret to a place of their own.
    """

    label: str
    settings: Mapping[str, str]
    secrets: Mapping[str, str] = field(repr=False)
    forgotten: frozenset[str] = frozenset()
    bound_to: frozenset[str] = frozenset()
    # Settings of free text, such as headers: what they say is not for the audit log.
    unshown: frozenset[str] = frozenset()


def of_new(wanted: Wanted) -> dict[str, object]:
    """The settings of a new provider."""
    return {"settings": {name: _shown(wanted, name, text) for name, text in wanted.settings.items()}}


def of_change(provider: Provider, label: str, wanted: Wanted) -> dict[str, object]:
    """What differs, with before and after; empty where nothing does. No secret is among it."""
    found: dict[str, object] = {} if provider.label == label else {"label": [provider.label, label]}
    names = dict.fromkeys([*provider.settings, *wanted.settings])
    pairs = {name: [provider.settings.get(name), wanted.settings.get(name)] for name in names}
    changed = {
        name: [_shown(wanted, name, text) for text in pair]
        for name, pair in pairs.items()
        if (pair[0] or "") != (pair[1] or "")
    }
    return found | ({"settings": changed} if changed else {})


def last_fours(before: object, after: object) -> list[str]:
    """That credentials were replaced: the last four before and after, where they may be shown."""
    return [f"•••• {each}" if each else "••••" for each in (before, after)]


def _shown(wanted: Wanted, name: str, text: str | None) -> str | None:
    """A setting as the audit log may hold it: no number, no free text, of an address its host."""
    if not text:
        return None
    if name in wanted.unshown:
        return f"{len(text):,} characters"
    if text.startswith(("http://", "https://")):
        scheme, _, rest = text.partition("://")
        return f"{scheme}://{re.split(r'[/?#]', rest)[0].rpartition('@')[2]}"
    return hide(text)
