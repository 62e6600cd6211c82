"""Which settings are in force? Typed, read once, nonsense refused. The only reader of the environment."""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path

from portal.placeholder_secrets import address_has_placeholder, is_placeholder
from portal.setting_values import WrongSetting as WrongSetting
from portal.setting_values import read

PREFIX = "PORTAL_"
# The database in PORTAL_HOME, where no other one is set.
FILE = "ringback.db"
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


def _whole(default: int, least: int, most: int, says: str) -> int:
    """A setting that is a whole number from `least` to `most`."""
    return field(default=default, metadata={"says": says, "range": (least, most)})


def _secret(says: str, fewest: int = 0) -> str:
    """A text that is never shown with the other settings; where set, of so many characters at least."""
    return field(default="", repr=False, metadata={"says": says, "fewest": fewest})


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """All settings of one process. Each is read from PORTAL_<NAME IN CAPITALS>."""

    home: Path = field(default=Path("instance"), metadata={"says": "Folder of the SQLite file and the keys"})
    # An address may hold a password, so it is never shown with the other settings.
    database_url: str = field(
        default="", repr=False, metadata={"says": "SQLAlchemy address; empty means SQLite in PORTAL_HOME"}
    )
    owner_database_url: str = _secret("The same database as the role that owns its tables, for `migrate`")
    host: str = field(default="127.0.0.1", metadata={"says": "Address to listen on"})
    port: int = field(default=8080, metadata={"says": "Port to listen on, 1-65535", "range": (1, 65535)})
    threads: int = field(default=32, metadata={"says": "Request threads a process, 4-256", "range": (4, 256)})
    hash_threads: int = field(
        default=2,
        metadata={"says": "Password hashes computed at once by all server processes, 1-64", "range": (1, 64)},
    )
    production: bool = field(
        default=False, metadata={"says": "Refuse settings that are only good for trying things out"}
    )
    base_url: str = field(
        default="", metadata={"says": "Address that people use, for links; needed in production"}
    )
    secure_cookies: bool = field(default=False, metadata={"says": "Send cookies over HTTPS only"})
    worker: bool = field(default=True, metadata={"says": "Empty the outbox inside `portal serve`"})
    private_carriers: str = field(
        default="",
        metadata={"says": "Carriers in private networks that may be called, host or host:port, by commas"},
    )
    senders: int = field(
        default=16, metadata={"says": "Messages that a worker sends at once, 1-64", "range": (1, 64)}
    )
    limits: str = field(
        default="default",
        metadata={"says": "Limit profile: default, or bench for measuring", "one_of": ("default", "bench")},
    )
    log_level: str = field(
        default="info",
        metadata={
            "says": "Least important log line to print",
            "one_of": ("debug", "info", "warning", "error"),
        },
    )
    drain_seconds: int = _whole(0, 0, 60, "How long to go on answering, unready, after SIGTERM")
    metrics_token: str = _secret("The bearer that /metrics takes; empty switches it off", fewest=16)
    alarm_url: str = _secret("Where alarms are sent to, by POST")
    alarm_secret: str = _secret("The key that alarms are signed with", fewest=16)
    backup_key: str = _secret("The key of backups; empty means the one in keys.json", fewest=32)
    keep_messages_days: int = _whole(30, 1, 365, "Days that messages and verifications are kept")
    keep_audit_days: int = _whole(365, 30, 3650, "Days that audit entries are kept")
    keep_unverified_users_days: int = _whole(
        0, 0, 365, "Days that users are kept who have nothing but a number they never proved; 0 for ever"
    )
    redis_url: str = _secret("Where processes share the limits by source: redis://host:6379/0")
    proxies: int = _whole(0, 0, 9, "How many proxies of yours a request passes")
    source_sends: int = _whole(60, 1, 100_000, "Sign-ups and number changes an hour from one source")
    source_wrong_codes: int = _whole(50, 1, 100_000, "Wrong codes in 10 minutes from one source")
    source_sign_ins: int = _whole(30, 1, 100_000, "Wrong portal sign-ins in 10 minutes from one source")
    source_calls: int = _whole(6_000, 1, 1_000_000, "API calls a minute from one source")
    smtp_host: str = field(
        default="", metadata={"says": "Mail server; without one, mails go to the terminal"}
    )
    smtp_port: int = field(
        default=587, metadata={"says": "Port of the mail server, 1-65535", "range": (1, 65535)}
    )
    smtp_user: str = field(default="", metadata={"says": "Name to log in to the mail server with"})
    smtp_password: str = field(default="", repr=False, metadata={"says": "Password of that name"})
    smtp_sender: str = field(default="", metadata={"says": "Address that mails come from"})
    smtp_security: str = field(
        default="starttls",
        metadata={"says": "How mails are protected", "one_of": ("starttls", "tls", "none")},
    )
    security_contact: str = field(
        default="",
        metadata={"says": "Where weaknesses are reported to: mailto: or https:; empty means no security.txt"},
    )
    require_second_factor: bool = field(
        default=False, metadata={"says": "Whether owners must have a second factor"}
    )

    @property
    def private_hosts(self) -> frozenset[str]:
        """Each host or host:port of `private_carriers`, in lower case."""
        return frozenset(each.strip().lower() for each in self.private_carriers.split(",") if each.strip())

    @property
    def address(self) -> str:
        """The address that links in mails begin with (WEB-07)."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return self.base_url or f"http://{host}:{self.port}"

    @property
    def sqlalchemy_url(self) -> str:
        """The database address, with the driver that Ringback is tested with."""
        if not self.database_url:
            return f"sqlite:///{(self.home / FILE).absolute()}"
        return re.sub(r"^postgres(ql)?://", "postgresql+psycopg://", self.database_url)


def load(environment: Mapping[str, str] = os.environ) -> Settings:
    """The settings that `environment` asks for.

    Raises WrongSetting for an unknown PORTAL_ name, a value of the wrong kind, and, in production, for
    settings that are only good for trying things out (OPS-06).
    """
    known = {PREFIX + each.name.upper(): each for each in fields(Settings)}
    unknown = sorted(name for name in environment if name.startswith(PREFIX) and name not in known)
    if unknown:
        raise WrongSetting(f"{unknown[0]} is not a setting. Known: {', '.join(known)}.")
    values = {
        each.name: read(name, environment[name].strip(), each)
        for name, each in known.items()
        if environment.get(name, "").strip()
    }
    settings = Settings(**values)  # type: ignore[arg-type]
    _refuse_odd_hosts(settings)
    _refuse_unsafe(settings)
    if settings.production and _is_set(environment.get(_FLASK_DEBUG, "")):
        raise WrongSetting(f"{_FLASK_DEBUG} must not be set in production: it shows errors to everybody.")
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


def _refuse_unsafe(settings: Settings) -> None:
    for name in ("DATABASE_URL", "OWNER_DATABASE_URL"):
        address = getattr(settings, name.lower())
        if address and not re.match(r"^(sqlite|postgres(ql)?(\+psycopg)?)://", address):
            raise WrongSetting(f"{PREFIX}{name} must begin with sqlite:// or postgresql://.")
    if settings.base_url and not re.fullmatch(r"https?://[^\s/?#]+", settings.base_url):
        raise WrongSetting("PORTAL_BASE_URL must look like https://ringback.example, without a path.")
    if settings.security_contact and not re.fullmatch(_CONTACT, settings.security_contact):
        raise WrongSetting(
            f"{PREFIX}SECURITY_CONTACT must be like mailto:security@ringback.example or https://."
        )
    _refuse_strange_addresses(settings)
    _refuse_unsafe_mail(settings)
    if settings.production:
        _refuse_unsafe_in_production(settings)


def _refuse_strange_addresses(settings: Settings) -> None:
    for name, schemes in _ADDRESSES.items():
        address = getattr(settings, name.lower())
        if address and not re.match(rf"^({schemes})://[^\s/]+", address):
            raise WrongSetting(f"{PREFIX}{name} must begin with {schemes.split('|')[0]}:// and a host.")


def _refuse_unsafe_in_production(settings: Settings) -> None:
    if settings.limits != "default":
        raise WrongSetting(
            "PORTAL_LIMITS must be default in production; bench lifts the limits on SMS and guesses."
        )
    if not settings.base_url.startswith("https://"):
        raise WrongSetting("PORTAL_BASE_URL must be set in production, and begin with https://.")
    if not settings.secure_cookies:
        raise WrongSetting("PORTAL_SECURE_COOKIES must be true in production.")
    if not settings.proxies:
        # Somebody else ends TLS; with none believed, all the world would be one source (ABU-02, OPS-06).
        raise WrongSetting(
            "PORTAL_PROXIES must say in production how many proxies of yours a request passes."
        )
    _refuse_placeholders(settings)


def _refuse_placeholders(settings: Settings) -> None:
    # Their values are never repeated, not even in a refusal (PII-02).
    for each in ("metrics_token", "alarm_secret", "backup_key", "smtp_password"):
        if getattr(settings, each) and is_placeholder(getattr(settings, each)):
            raise WrongSetting(f"{PREFIX}{each.upper()} is a placeholder. Set a random text of your own.")
    for each in ("database_url", "owner_database_url", "redis_url"):
        if address_has_placeholder(getattr(settings, each)):
            raise WrongSetting(f"{PREFIX}{each.upper()} has a placeholder for its password. Set another one.")


def _is_set(flag: str) -> bool:
    """Whether Flask takes this for yes."""
    return bool(flag) and flag.lower() not in ("0", "false", "no")


def _refuse_odd_hosts(settings: Settings) -> None:
    for each in sorted(settings.private_hosts):
        if not re.fullmatch(r"(\[[0-9a-f:.]+\]|[a-z0-9_.-]+)(:[0-9]{1,5})?", each):
            raise WrongSetting(
                f"PORTAL_PRIVATE_CARRIERS has '{each}'; it must be host or host:port, by commas."
            )


def _refuse_unsafe_mail(settings: Settings) -> None:
    if settings.smtp_host and not re.fullmatch(r"[^@\s]+@[^@\s]+", settings.smtp_sender):
        raise WrongSetting("PORTAL_SMTP_SENDER must be an address such as ringback@example.com.")
    if settings.production and settings.smtp_security == "none":
        raise WrongSetting("PORTAL_SMTP_SECURITY must be starttls or tls in production.")
