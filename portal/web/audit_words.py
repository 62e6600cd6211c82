"""What does an audit entry say in detail? Its facts as labelled words, and what was so before."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any, Final

from portal.core import locales, prices
from portal.core.reasons import Reason
from portal.core.roles import Action, Role, may
from portal.services.audit_log import Told
from portal.web import countries, filters

LONGEST: Final = 200

_LABELS: Final = {
    "android_autofill": "Autofill on Android",
    "android_hash": "Hash of the Android app",
    "by": "Proved by",
    "code_length": "Digits of a code",
    "code_life_s": "Seconds that a code is valid",
    "default_token_life_s": "Seconds that a token is valid",
    "expose_full_user_data_to_others": "Users see each other's data",
    "former_base": "The chain began after",
    "former_head": "The chain ended with",
    "found": "What was found",
    "kept_entries": "Entries before, which all stay",
    "key": "Key",
    "label": "Name",
    "last4": "Ends in",
    "guesses_allowed": "Wrong codes allowed",
    "locale": "Language",
    "default_locale": "Default language",
    "max_token_life_s": "Most seconds that a token is valid",
    "most_segments": "Most segments of an SMS",
    "notify_old_number": "Tell the old number of a change",
    "place": "Place in the order",
    "number_taken": "When somebody else holds the number",
    "phone_number_verification_required": "Phone verification",
    "refresh_token_enabled": "Refresh tokens",
    "same": "Stayed as they were",
    "sends": "SMS with this code",
    "sends_allowed": "Sends allowed",
    "sms_templates_need_approval": "A second owner approves each change",
    "tokens": "Tokens",
    "web_autofill": "Autofill on the web site",
    "web_domain": "Domain of the web site",
}
# What everybody who reads the log may know of a provider.
_OF_PROVIDERS: Final = {"provider", "kind", "label", "place"}
_SWITCHES: Final = {"phone_number_verification_required"}
_REASONS: Final = {str(each): each.sentence for each in Reason}


@dataclass(frozen=True, slots=True)
class Line:
    """One fact. `before` is None where the entry does not tell what was so before."""

    label: str
    value: str
    before: str | None = None


def lines(details: Mapping[str, Any]) -> list[Line]:
    """The facts of an entry's details in the order in which they stand. Never fails, whatever the shape."""
    if "account" in details or "before" in details:
        # The address beside it says whom it is about.
        details = {name: value for name, value in details.items() if name != "account_id"}
    if _is_before_and_after(details):
        return list(_differences(details["before"], details["after"]))
    return [line for name, value in details.items() for line in _fact(str(name), value)]


def for_role(role: Role, entry: Told) -> Told:
    """The entry as a role may read it: settings of providers are their owners' business (TEN-05)."""
    if may(role, Action.MANAGE_PROVIDERS) or "provider" not in entry.details:
        return entry
    seen = {name: value for name, value in entry.details.items() if name in _OF_PROVIDERS}
    return replace(entry, details=seen)


def _is_before_and_after(details: Mapping[str, Any]) -> bool:
    return set(details) == {"before", "after"} and all(isinstance(each, dict) for each in details.values())


def _differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[Line]:
    for name in dict.fromkeys((*before, *after)):
        # What stayed as it was says whom or what the entry is about.
        if name in before and name in after and before[name] == after[name]:
            yield Line(_label(name), _word(name, after[name]))
        else:
            yield Line(_label(name), _word(name, after.get(name)), _word(name, before.get(name)))


def _fact(name: str, value: object) -> Iterator[Line]:
    if name == "millionths" and isinstance(value, dict):
        for country, pair in value.items():
            yield from _pair(f"A segment to {countries.name(str(country))}", name, pair)
    elif name == "settings" and isinstance(value, dict):
        for inner, each in value.items():
            yield from _pair(_label(str(inner)), str(inner), each)
    elif isinstance(value, dict):
        for inner, each in value.items():
            yield Line(_label(str(inner)), _word(str(inner), each))
    else:
        yield from _pair(_label(name), name, value)


def _pair(label: str, name: str, value: object) -> Iterator[Line]:
    if isinstance(value, list) and len(value) == 2 and value[0] != value[1]:
        yield Line(label, _word(name, value[1]), _word(name, value[0]))
    else:
        yield Line(label, _word(name, value))


def _label(name: str) -> str:
    return _LABELS.get(name) or name.replace("_", " ").strip().capitalize()[:LONGEST] or "Detail"


def _word(name: str, value: object) -> str:
    if value is None or value == "":
        return "none"
    if isinstance(value, bool):
        yes, no = ("On", "Off") if name in _SWITCHES else ("yes", "no")
        return yes if value else no
    if isinstance(value, list | tuple):
        return ", ".join(_word(name, each) for each in value)[:LONGEST] or "none"
    return _WORDED.get(name, str)(value)[:LONGEST]


def _price(value: object) -> str:
    return prices.write(value) if isinstance(value, int) else str(value)


def _time(value: object) -> str:
    # No number that somebody wrote into the table is a time by itself.
    with suppress(ValueError, OverflowError, OSError):
        if isinstance(value, int):
            return filters.exact(value)
    return str(value)


def _reason(value: object) -> str:
    return _REASONS.get(str(value), str(value))


def _language(value: object) -> str:
    return locales.name(str(value))


def _country(value: object) -> str:
    return countries.name(str(value))


_WORDED: Final[Mapping[str, Callable[[object], str]]] = {
    "locale": _language,
    "default_locale": _language,
    "country": _country,
    "home_country": _country,
    "open_countries": _country,
    "millionths": _price,
    "until": _time,
    "reason": _reason,
}
