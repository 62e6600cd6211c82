"""Which settings are in force? Typed, read once, nonsense refused. The only reader of the environment."""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path

PREFIX = "PORTAL_"
# The database in PORTAL_HOME, where no other one is set.
FILE = "ringback.db"
# The largest body that any door reads, in bytes; the doors' own limits are lower (WEB-10).
LARGEST_BODY = 256 * 1024


class WrongSetting(Exception):
    """A setting makes no sense; the message names it and says what would."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """All settings of one process. Each is read from PORTAL_<NAME IN CAPITALS>."""

    home: Path = field(default=Path("instance"), metadata={"says": "Folder of the SQLite file and the keys"})
    # An address may hold a password, so it is never shown with the other settings.
    database_url: str = field(
        default="", repr=False, metadata={"says": "SQLAlchemy address; empty means SQLite in PORTAL_HOME"}
    )
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
    require_second_factor: bool = field(
        default=False, metadata={"says": "Whether owners must have a second factor"}
    )

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
        each.name: _read(name, environment[name].strip(), each)
        for name, each in known.items()
        if environment.get(name, "").strip()
    }
    settings = Settings(**values)  # type: ignore[arg-type]
    _refuse_unsafe(settings)
    return settings


def divide_among(settings: Settings, processes: int) -> None:
    """Lets the server processes that are started from here share what is meant for all of them."""
    os.environ[f"{PREFIX}HASH_THREADS"] = str(max(settings.hash_threads // processes, 1))


def _read(name: str, text: str, setting: object) -> object:
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


def _refuse_unsafe(settings: Settings) -> None:
    if settings.database_url and not re.match(
        r"^(sqlite|postgres(ql)?(\+psycopg)?)://", settings.database_url
    ):
        raise WrongSetting("PORTAL_DATABASE_URL must begin with sqlite:// or postgresql://.")
    if settings.base_url and not re.fullmatch(r"https?://[^\s/?#]+", settings.base_url):
        raise WrongSetting("PORTAL_BASE_URL must look like https://ringback.example, without a path.")
    _refuse_unsafe_mail(settings)
    if not settings.production:
        return
    if settings.limits != "default":
        raise WrongSetting(
            "PORTAL_LIMITS must be default in production; bench lifts the limits on SMS and guesses."
        )
    if not settings.base_url.startswith("https://"):
        raise WrongSetting("PORTAL_BASE_URL must be set in production, and begin with https://.")
    if not settings.secure_cookies:
        raise WrongSetting("PORTAL_SECURE_COOKIES must be true in production.")


def _refuse_unsafe_mail(settings: Settings) -> None:
    if settings.smtp_host and not re.fullmatch(r"[^@\s]+@[^@\s]+", settings.smtp_sender):
        raise WrongSetting("PORTAL_SMTP_SENDER must be an address such as ringback@example.com.")
    if settings.production and settings.smtp_security == "none":
        raise WrongSetting("PORTAL_SMTP_SECURITY must be starttls or tls in production.")
