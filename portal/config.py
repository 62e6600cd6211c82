"""Which settings are in force? Typed, read once, nonsense refused. The only reader of the environment."""

import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import fields
from pathlib import Path

from portal.placeholder_secrets import address_has_placeholder, is_placeholder
from portal.setting_values import WrongSetting as WrongSetting
from portal.setting_values import read
from portal.settings import FILE as FILE
from portal.settings import PREFIX as PREFIX
from portal.settings import Settings as Settings

# The largest body that any door reads, in bytes; the doors' own limits are lower (WEB-10).
LARGEST_BODY = 256 * 1024
# What Flask itself reads, and obeys in every process.
_FLASK_DEBUG = "FLASK_DEBUG"
# Where prometheus-client looks, when it is imported.
_METRICS_FOLDER = "PROMETHEUS_MULTIPROC_DIR"
# RFC 9116 takes addresses with their scheme.
_CONTACT = r"mailto:[^@\s]+@[^@\s]+|https://[^\s/]+\S*"
# Addresses that may hold a password or a token, with what they may begin with.
_ADDRESSES = {"ALARM_URL": "https|http", "REDIS_URL": "redis|rediss"}


def load(environment: Mapping[str, str] = os.environ) -> Settings:
    """The settings that `environment` asks for.

    Raises WrongSetting for unknown PORTAL_ names, values of the wrong kind, and, in production, settings that
    are only good for trying things out (OPS-06): for all of them at once, in a line each.
    """
    known = {PREFIX + each.name.upper(): each for each in fields(Settings)}
    unknown = sorted(name for name in environment if name.startswith(PREFIX) and name not in known)
    wrong = [f"{name} is not a setting. Known: {', '.join(known)}." for name in unknown[-1:]]
    wrong = [f"{name} is not a setting." for name in unknown[:-1]] + wrong
    values: dict[str, object] = {}
    for name, each in known.items():
        if text := environment.get(name, "").strip():
            try:
                values[each.name] = read(name, text, each)
            except WrongSetting as refusal:
                wrong.append(str(refusal))
    settings = Settings(**values)  # type: ignore[arg-type]
    wrong += [*_odd(settings), *_unsafe(settings)]
    if settings.production:
        wrong += [*_unsafe_in_production(settings), *_placeholders(settings)]
        if _is_set(environment.get(_FLASK_DEBUG, "")):
            wrong.append(f"{_FLASK_DEBUG} must not be set in production: it shows errors to everybody.")
    if wrong:
        raise WrongSetting("\n".join(_once(wrong)))
    return settings


def divide_among(settings: Settings, processes: int) -> None:
    """Lets the server processes that are started from here share what is meant for all of them."""
    os.environ[f"{PREFIX}HASH_THREADS"] = str(max(settings.hash_threads // processes, 1))


def share_metrics(folder: Path) -> None:
    """Lets the server processes that are started from here count together, in files in `folder`."""
    os.environ[_METRICS_FOLDER] = str(folder)


def shared_metrics() -> Path | None:
    """The folder in which this server's processes count together; None for a process that serves alone."""
    folder = os.environ.get(_METRICS_FOLDER)
    return Path(folder) if folder else None


def _once(wrong: list[str]) -> list[str]:
    """The first line about each setting: what could not be read is not called missing too."""
    found: dict[str, str] = {}
    for line in wrong:
        found.setdefault(line.partition(" ")[0], line)
    return list(found.values())


def _odd(settings: Settings) -> Iterator[str]:
    """What is wrong with the form of a value, in production or not."""
    for name in ("DATABASE_URL", "OWNER_DATABASE_URL"):
        address = getattr(settings, name.lower())
        if address and not re.match(r"^(sqlite|postgres(ql)?(\+psycopg)?)://", address):
            yield f"{PREFIX}{name} must begin with sqlite:// or postgresql://."
    if settings.base_url and not re.fullmatch(r"https?://[^\s/?#]+", settings.base_url):
        yield "PORTAL_BASE_URL must look like https://ringback.example, without a path."
    if settings.security_contact and not re.fullmatch(_CONTACT, settings.security_contact):
        yield f"{PREFIX}SECURITY_CONTACT must be like mailto:security@ringback.example or https://."
    for name, schemes in _ADDRESSES.items():
        address = getattr(settings, name.lower())
        if address and not re.match(rf"^({schemes})://[^\s/]+", address):
            yield f"{PREFIX}{name} must begin with {schemes.split('|')[0]}:// and a host."


def _unsafe(settings: Settings) -> Iterator[str]:
    """What would call, or write as, somebody that nobody meant."""
    for each in sorted(settings.private_hosts):
        if not re.fullmatch(r"(\[[0-9a-f:.]+\]|[a-z0-9_.-]+)(:[0-9]{1,5})?", each):
            yield f"PORTAL_PRIVATE_CARRIERS has '{each}'; it must be host or host:port, by commas."
    if settings.smtp_host and not re.fullmatch(r"[^@\s]+@[^@\s]+", settings.smtp_sender):
        yield "PORTAL_SMTP_SENDER must be an address such as ringback@example.com."


def _unsafe_in_production(settings: Settings) -> Iterator[str]:
    if settings.limits != "default":
        yield "PORTAL_LIMITS must be default in production; bench lifts the limits on SMS and guesses."
    if not settings.base_url.startswith("https://"):
        yield "PORTAL_BASE_URL must be set in production, and begin with https://."
    if not settings.secure_cookies:
        yield "PORTAL_SECURE_COOKIES must be true in production."
    if not settings.proxies:
        # Somebody else ends TLS; with none believed, all the world would be one source (ABU-02, OPS-06).
        yield "PORTAL_PROXIES must say in production how many proxies of yours a request passes."
    if settings.smtp_security == "none":
        yield "PORTAL_SMTP_SECURITY must be starttls or tls in production."


def _placeholders(settings: Settings) -> Iterator[str]:
    # Their values are never repeated, not even in a refusal (PII-02).
    for each in ("metrics_token", "alarm_secret", "backup_key", "smtp_password"):
        if getattr(settings, each) and is_placeholder(getattr(settings, each)):
            yield f"{PREFIX}{each.upper()} is a placeholder. Set a random text of your own."
    for each in ("database_url", "owner_database_url", "redis_url"):
        if address_has_placeholder(getattr(settings, each)):
            yield f"{PREFIX}{each.upper()} has a placeholder for its password. Set another one."


def _is_set(flag: str) -> bool:
    """Whether Flask takes this for yes."""
    return bool(flag) and flag.lower() not in ("0", "false", "no")
