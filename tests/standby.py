"""A PostgreSQL server and its standby, for tests of failover: small, throw-away, on this machine alone."""

import contextlib
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg

from tests import postgresql

# A standby that replays as it can, and no server that waits for the disk.
SETTINGS = postgresql.FAST | {
    "max_connections": "60",
    "synchronous_commit": "local",
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "hot_standby": "on",
    "wal_level": "replica",
}


class Server:
    """One server on a data folder."""

    def __init__(self, programs: Path, data: Path, who: dict) -> None:
        self._programs, self.data, self._who = programs, data, who
        self.port = postgresql._free_port()
        self._process: subprocess.Popen | None = None

    def start(self) -> None:
        """Starts it, and waits until it answers."""
        settings = SETTINGS | {"port": str(self.port)}
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        command = [self._programs / "postgres", "-D", self.data, *options]
        self._process = subprocess.Popen(command, stderr=subprocess.DEVNULL, **self._who)
        postgresql._wait(lambda: postgresql._answers(self.port))

    def kill(self) -> None:
        """Ends it as a power cut would: at once, with no word to its standby."""
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(signal.SIGQUIT)
            self._process.wait(30)

    def ask(self, statement: str, name: str = "postgres") -> list[tuple]:
        """What a statement gives."""
        address = f"postgresql://postgres@127.0.0.1:{self.port}/{name}"
        with psycopg.connect(address, autocommit=True) as connection:
            found = connection.execute(statement.encode())
            return found.fetchall() if found.description else []


class Pair:
    """A primary, and the standby that follows it."""

    def __init__(self, programs: Path, folder: Path, who: dict) -> None:
        self._programs, self._folder, self._who = programs, folder, who
        self.primary = Server(programs, folder / "primary", who)
        self.standby = Server(programs, folder / "standby", who)

    def start(self) -> None:
        """Makes the primary, and the standby from a base backup of it."""
        made = [self._programs / "initdb", "-D", self.primary.data, "-A", "trust", "-U", "postgres", "-N"]
        self._run([*made, "-E", "UTF8", "--locale=C"])
        self.primary.start()
        copy = [self._programs / "pg_basebackup", "-D", self.standby.data, "-R", "-X", "stream", "-c", "fast"]
        self._run([*copy, "-d", f"host=127.0.0.1 port={self.primary.port} user=postgres"])
        self.standby.start()

    def catch_up(self) -> None:
        """Waits until the standby has everything."""
        [(there,)] = self.primary.ask("SELECT pg_current_wal_insert_lsn()")
        lag = f"SELECT coalesce(pg_last_wal_replay_lsn() >= '{there}'::pg_lsn, false)"
        postgresql._wait(lambda: self.standby.ask(lag) == [(True,)], 30)

    def cut_off(self) -> None:
        """From now on the standby gets nothing more: it lags."""
        self.standby.ask("ALTER SYSTEM SET primary_conninfo = ''")
        self.standby.ask("SELECT pg_reload_conf()")
        receivers = "SELECT count(*) FROM pg_stat_wal_receiver"
        postgresql._wait(lambda: self.standby.ask(receivers) == [(0,)], 30)

    def fail_over(self) -> None:
        """The primary is gone, and the standby takes over."""
        self.primary.kill()
        self.standby.ask("SELECT pg_promote()")

    def stop(self) -> None:
        """Ends both."""
        for server in (self.standby, self.primary):
            server.kill()

    def _run(self, command: list) -> None:
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, **self._who)


@contextlib.contextmanager
def pair() -> Iterator[Pair]:
    """A primary with its standby, gone at the end. Raises NoPostgresql."""
    folder = Path(tempfile.mkdtemp(prefix="ringback-standby-"))
    who = postgresql._unprivileged()
    try:
        programs = postgresql._programs(folder, who)
        if who:
            shutil.chown(folder, who["user"], who["group"])
        two = Pair(programs, folder, who)
        try:
            two.start()
            yield two
        finally:
            two.stop()
            time.sleep(0.1)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
