"""Which settings of an app can be changed, and to what? Checks and tidies a change before it is made."""

from dataclasses import dataclass, replace

from portal.core import app_name, autofill, locales, prices
from portal.errors import BadInput
from portal.models import NumberTaken

_LIMITS = {
    "code_length": (4, 10, "digits"),
    "code_life_s": (60, 600, "seconds"),
    "guesses_allowed": (1, 10, "guesses"),
    "sends_allowed": (1, 10, "sends"),
    "most_segments": (1, 6, "segments"),
}
LONGEST_TOKEN_LIFE_S = 2_147_483_640


@dataclass(frozen=True, slots=True, kw_only=True)
class AppChanges:
    """Which settings change; None stays as it is. An empty `web_domain` or `android_hash` takes it away."""

    name: str | None = None
    default_locale: str | None = None
    phone_number_verification_required: bool | None = None
    code_length: int | None = None
    code_life_s: int | None = None
    guesses_allowed: int | None = None
    sends_allowed: int | None = None
    number_taken: str | None = None
    notify_old_number: bool | None = None
    expose_full_user_data_to_others: bool | None = None
    refresh_token_enabled: bool | None = None
    default_token_life_s: int | None = None
    max_token_life_s: int | None = None
    open_countries: frozenset[str] | None = None
    most_segments: int | None = None
    sms_templates_need_approval: bool | None = None
    web_autofill: bool | None = None
    web_domain: str | None = None
    android_autofill: bool | None = None
    android_hash: str | None = None
    currency: str | None = None


def tidied(changes: AppChanges) -> AppChanges:
    """The changes as they are stored. Raises BadInput, naming the setting, for a value out of its range."""
    _refuse_bad(changes)
    return replace(
        changes,
        name=None if changes.name is None else changes.name.strip(),
        default_locale=_tag(changes.default_locale),
        web_domain=_domain(changes.web_domain),
        android_hash=_hash(changes.android_hash),
        currency=_currency(changes.currency),
    )


def refuse_bad_name(name: str) -> None:
    """Raises BadInput for a name that may not stand in an SMS (TPL-03)."""
    problem = app_name.problem(name.strip())
    if problem:
        raise BadInput("name", problem)


def _refuse_bad(changes: AppChanges) -> None:
    if changes.name is not None:
        refuse_bad_name(changes.name)
    for name, (least, most, unit) in _LIMITS.items():
        value = getattr(changes, name)
        if value is not None and not least <= value <= most:
            raise BadInput(name, f"Choose {least} to {most} {unit}.")
    for name in ("default_token_life_s", "max_token_life_s"):
        value = getattr(changes, name)
        if value is not None and not 1 <= value <= LONGEST_TOKEN_LIFE_S:
            raise BadInput(name, f"Choose 1 to {LONGEST_TOKEN_LIFE_S} seconds.")
    if changes.number_taken is not None and changes.number_taken not in set(NumberTaken):
        raise BadInput("number_taken", "Choose refuse or move.")


def _tag(locale: str | None) -> str | None:
    try:
        return None if locale is None else locales.normalise(locale)
    except locales.LocaleError as error:
        raise BadInput("default_locale", str(error)) from error


def _domain(domain: str | None) -> str | None:
    # An empty text takes the domain away; None leaves it as it is.
    written = domain.strip() if domain else domain
    try:
        return autofill.normalise_domain(written) if written else written
    except autofill.DomainError as error:
        raise BadInput("web_domain", str(error)) from error


def _hash(android_hash: str | None) -> str | None:
    written = android_hash.strip() if android_hash else android_hash
    problem = autofill.android_hash_problem(written) if written else None
    if problem:
        raise BadInput("android_hash", problem)
    return written


def _currency(currency: str | None) -> str | None:
    if currency is None:
        return None
    written = currency.strip().upper()
    if written not in prices.currencies():
        raise BadInput("currency", "Write a currency by its three letters, such as USD or JPY.")
    return written
