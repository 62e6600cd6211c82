"""What can be set, and what is it when nobody sets it? The list of all settings, with their kinds."""

import re
from dataclasses import dataclass, field
from pathlib import Path

PREFIX = "PORTAL_"
# The database in PORTAL_HOME, where no other one is set.
FILE = "ringback.db"
# postgresql://user@one,two:5433/name?target_session_attrs=read-write, cut where SQLAlchemy cannot.
_SEVERAL_HOSTS = re.compile(
    r"^(?P<who>postgresql\+psycopg://(?:[^@/?]*@)?)(?P<hosts>[^@/?,]*,[^@/?]*)"
    + r"(?:/(?P<name>[^?]*))?(?:\?(?P<options>.*))?$"
)


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
        address = re.sub(r"^postgres(ql)?://", "postgresql+psycopg://", self.database_url)
        return _SEVERAL_HOSTS.sub(_one_by_one, address)


def _one_by_one(address: re.Match[str]) -> str:
    """Several hosts of PostgreSQL's, which libpq takes in one row, as SQLAlchemy wants them: as options."""
    hosts = [re.fullmatch(r"(.*?)(?::([0-9]*))?", each) for each in address["hosts"].split(",")]
    names = ",".join(each[1].strip("[]") for each in hosts if each)
    ports = ",".join(each[2] or "5432" for each in hosts if each)
    options = f"host={names}&port={ports}" + (f"&{address['options']}" if address["options"] else "")
    return f"{address['who']}/{address['name'] or ''}?{options}"
