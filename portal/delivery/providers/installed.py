"""Which providers can apps choose from here, and how is a carrier of their own opened?"""

import re
from collections.abc import Callable, Mapping
from typing import TextIO

from portal.core.provider_kinds import ProviderKind
from portal.delivery.providers import http, kannel, smpp, twilio, vonage
from portal.delivery.providers.base import Carrier, Field, Provider, Surroundings, WrongField
from portal.delivery.providers.console import Console
from portal.delivery.providers.inbox import Inbox

Opener = Callable[[Mapping[str, str], Mapping[str, str], Surroundings], Carrier]

# Every kind of carrier: its fields, and what opens one from settings, secrets and surroundings.
CARRIERS: Mapping[ProviderKind, tuple[tuple[Field, ...], Opener]] = {
    ProviderKind.TWILIO: (twilio.FIELDS, twilio.Twilio),
    ProviderKind.VONAGE: (vonage.FIELDS, vonage.Vonage),
    ProviderKind.HTTP: (http.FIELDS, http.Http),
    ProviderKind.KANNEL: (kannel.FIELDS, kannel.Kannel),
    ProviderKind.SMPP: (smpp.FIELDS, smpp.Smpp),
}


def by_name(*, production: bool, terminal: TextIO) -> Mapping[str, Provider]:
    """The providers of this installation. Codes are printed only where nobody is served yet (OPS-06)."""
    everywhere: list[Provider] = [Inbox()]
    for_trying_out: list[Provider] = [Console(terminal)]
    return {each.name: each for each in (everywhere if production else everywhere + for_trying_out)}


def fields_of(kind: ProviderKind) -> tuple[Field, ...]:
    """The settings of a kind of carrier, in the order of its form."""
    return CARRIERS[kind][0]


def is_checkable(kind: ProviderKind, settings: Mapping[str, str]) -> bool:
    """Whether a check asks the carrier about the credentials, and does not only look for its server."""
    return all(settings.get(each.name) for each in fields_of(kind) if each.is_for_check)


def divide(kind: ProviderKind, values: Mapping[str, str]) -> tuple[dict[str, str], dict[str, str]]:
    """What was typed into a form as settings and secrets, each checked by its field's own rule.

    What is required and was left empty gets its default; whatever else is empty is left out, and names that
    the kind does not have are dropped. Raises WrongField.
    """
    settings: dict[str, str] = {}
    secrets: dict[str, str] = {}
    for each in fields_of(kind):
        value = checked(each, values.get(each.name, ""))
        if value:
            (secrets if each.is_secret else settings)[each.name] = value
    return settings, secrets


def open_carrier(
    kind: ProviderKind, settings: Mapping[str, str], secrets: Mapping[str, str], surroundings: Surroundings
) -> Carrier:
    """A carrier that is ready to send; nothing is connected yet.

    Raises WrongField where a setting is missing, or does not go with the others.
    """
    _, opener = CARRIERS[kind]
    divided = divide(kind, dict(settings) | dict(secrets))
    return opener(*divided, surroundings)


def checked(each: Field, typed: str) -> str:
    """What was typed into one field, tidied; empty where nothing was, and may be. Raises WrongField."""
    value = typed.strip() or (each.default if each.is_required else "")
    if not value:
        if each.is_required:
            raise WrongField(each.name, f"{each.label} is missing.")
        return ""
    if each.choices and value not in each.choices:
        raise WrongField(each.name, f"{each.label} must be one of {', '.join(each.choices)}.")
    if not each.choices and not re.fullmatch(each.pattern, value):
        raise WrongField(each.name, each.fix)
    return value
