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


def _whole(default: int, least: int, most: int) -> int:
    """A setting that is a whole number from `least` to `most`."""
    return field(default=default, metadata={"range": (least, most)})


def _one_of(default: str, *others: str) -> str:
    """A setting that is one of a few words."""
    return field(default=default, metadata={"one_of": (default, *others)})


def _secret(fewest: int = 0) -> str:
    """A text that is never shown with the other settings; where set, of so many characters at least."""
    return field(default="", repr=False, metadata={"fewest": fewest})


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """All settings of one process. Each is read from PORTAL_<NAME IN CAPITALS>; README says what for."""

    # The folder of the SQLite file and the keys.
    home: Path = Path("instance")
    # Empty means SQLite in `home`. Each address may hold a password.
    database_url: str = _secret()
    # The same database as the role that owns its tables, for `portal migrate`.
    owner_database_url: str = _secret()

    host: str = "127.0.0.1"
    port: int = _whole(8080, 1, 65535)
    base_url: str = ""
    threads: int = _whole(32, 4, 256)
    # At once by all server processes together.
    hash_threads: int = _whole(2, 1, 64)
    production: bool = False
    secure_cookies: bool = False
    # How long (s) to go on answering, unready, after SIGTERM.
    drain_seconds: int = _whole(0, 0, 60)

    # Whether `portal serve` empties the outbox too.
    worker: bool = True
    # How many messages a worker sends at once.
    senders: int = _whole(16, 1, 64)
    # Carriers in private networks that may be called: host or host:port, by commas.
    private_carriers: str = ""

    limits: str = _one_of("default", "bench")
    # How many proxies of ours a request passes; behind them its source is found (ABU-02).
    proxies: int = _whole(0, 0, 9)
    redis_url: str = _secret()
    # Of one source: sends an hour, wrong codes and wrong sign-ins in ten minutes, API calls a minute.
    source_sends: int = _whole(60, 1, 100_000)
    source_wrong_codes: int = _whole(50, 1, 100_000)
    source_sign_ins: int = _whole(30, 1, 100_000)
    source_calls: int = _whole(6_000, 1, 1_000_000)

    log_level: str = _one_of("info", "debug", "warning", "error")
    # Empty switches /metrics off.
    metrics_token: str = _secret(fewest=16)
    alarm_url: str = _secret()
    alarm_secret: str = _secret(fewest=16)
    # Empty means the one in keys.json.
    backup_key: str = _secret(fewest=32)

    keep_messages_days: int = _whole(30, 1, 365)
    keep_audit_days: int = _whole(365, 30, 3650)
    # Users who have nothing but a number that they never proved; 0 is for ever.
    keep_unverified_users_days: int = _whole(0, 0, 365)

    # Without a server mails go to the terminal.
    smtp_host: str = ""
    smtp_port: int = _whole(587, 1, 65535)
    smtp_user: str = ""
    smtp_password: str = _secret()
    smtp_sender: str = ""
    smtp_security: str = _one_of("starttls", "tls", "none")
    security_contact: str = ""
    require_second_factor: bool = False

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
