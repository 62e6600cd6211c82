"""`make bench`: our figures beside a yardstick, in one run, on SQLite and on PostgreSQL.

Only ratios within one run mean anything; the machine's pace changes from minute to minute.
"""

import argparse
import shutil
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from argon2 import PasswordHasher

from tests import postgresql
from tests.bench import authors, desk, hashes, report, scenarios, seed, servers, yardsticks
from tests.bench.driver import Outcome, run
from tests.conftest import migrate, migrate_for_app

FEW, MANY = 40_000, 1_000_000
CLIENTS, CROWD, LOGINS, AUTHORS = 16, 64, 8, 20
THREADS = 20
# The editor asks once somebody has stopped typing for so long (s).
TYPING = 0.15
# How long after the load memory is looked at (s): what only the load needed has gone back by then.
REST = 4.0


@dataclass
class Bench:
    """One database under measurement: its people are used up from the front."""

    name: str
    url: str
    home: Path
    count: int
    password_hash: str
    results: report.Results = field(default_factory=report.Results)
    people: list[seed.Seeded] = field(default_factory=list)

    def next_people(self, count: int) -> list[seed.Seeded]:
        """The next users that nobody acted as."""
        taken, self.people = self.people[:count], self.people[count:]
        return taken


def main() -> None:
    """Reads what to measure, measures it, prints the table."""
    arguments = _arguments()
    password_hash = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1).hash(seed.PASSWORD)
    raw_hashes = 0.0 if arguments.desk else hashes.per_second(seconds=5)
    for name in arguments.databases:
        with _database(name) as (url, home):
            if arguments.desk:
                users = arguments.users
                desk.show(name, desk.measure(url, home, users, arguments.workers, password_hash))
                continue
            bench = Bench(name, url, home, arguments.requests, password_hash)
            bench.results.raw_hashes = raw_hashes
            bench.people = seed.fill(url, home, FEW, password_hash)
            _measure(bench, arguments.workers)
            if arguments.many:
                bench.people += seed.fill(url, home, MANY - FEW, password_hash, first=FEW)
                _measure_many(bench, arguments.workers)
            report.show(bench.name, bench.results, arguments.workers)


def _measure(bench: Bench, workers: int) -> None:
    yardsticks.seed(bench.url, FEW)
    few = bench.count // 2
    # Each of ours runs right beside its yardstick, twice, because the machine's pace changes.
    for turn in range(2):
        with servers.yardstick(bench.url, workers, THREADS) as server:
            bench.results.note("bare", run(server.port, scenarios.bare(), CLIENTS, seconds=3))
            start = turn * 4 * few + 1
            run(server.port, scenarios.lean("verify", few // 4, start + 3 * few), CLIENTS)
            bench.results.note("lean verify", run(server.port, scenarios.lean("verify", few, start), CLIENTS))
            bench.results.note(
                "lean send", run(server.port, scenarios.lean("send", few, start + few), CLIENTS)
            )
        with servers.ringback(bench.home, bench.url, workers) as server:
            run(server.port, scenarios.verify(bench.next_people(few // 4)), CLIENTS)
            bench.results.note("verify", run(server.port, scenarios.verify(bench.next_people(few)), CLIENTS))
            wrong = scenarios.verify(bench.next_people(few), wrong=True)
            bench.results.note("verify, wrong code", run(server.port, wrong, CLIENTS))
            bench.results.note("resend", run(server.port, scenarios.resend(bench.next_people(few)), CLIENTS))
            bench.results.note(
                "send (change)", run(server.port, scenarios.change(bench.next_people(few)), CLIENTS)
            )
    with servers.ringback(bench.home, bench.url, workers) as server:
        _crowd_and_passwords(bench, server, workers)
    _one_process(bench)
    emails = authors.add(bench.url, AUTHORS, bench.password_hash)
    with servers.ringback(bench.home, bench.url, workers) as server:
        desks = [authors.sign_in(server.port, email) for email in emails]
        bench.results.note(
            "preview, 20 authors", run(server.port, authors.typing(desks), AUTHORS, seconds=8, pause=TYPING)
        )


def _crowd_and_passwords(bench: Bench, server: servers.Server, workers: int) -> None:
    results = bench.results
    run(server.port, scenarios.verify(bench.next_people(300)), CLIENTS)
    crowd = scenarios.verify(bench.next_people(bench.count))
    results.note("verify, 64 clients", run(server.port, crowd, CROWD))
    results.note("token", run(server.port, scenarios.token(bench.people[:500]), CLIENTS, seconds=6))
    results.note("register", run(server.port, scenarios.register(0), CLIENTS, seconds=6))
    results.note(
        "verify, calm", run(server.port, scenarios.verify(bench.next_people(bench.count)), 4, seconds=8)
    )
    results.note("verify, storm", _in_a_storm(bench, server))
    results.pss_mb[f"{workers} processes and their parent"] = _memory_after_load(server)


def _one_process(bench: Bench) -> None:
    """How `make run` starts, and what it holds once it has had a load of its own."""
    with servers.ringback(bench.home, bench.url, 1) as server:
        bench.results.start_s = server.start_s
        run(server.port, scenarios.verify(bench.next_people(bench.count // 4)), CLIENTS)
        run(server.port, scenarios.token(bench.people[:500]), CLIENTS, seconds=4)
        bench.results.pss_mb["one process"] = _memory_after_load(server)


def _memory_after_load(server: servers.Server) -> float:
    time.sleep(REST)
    return servers.pss_mb(server.pid)


def _in_a_storm(bench: Bench, server: servers.Server) -> Outcome:
    """Checks codes while eight clients log in without a pause."""
    logins = scenarios.token(bench.people[:500])
    storm = threading.Thread(target=run, args=(server.port, logins, LOGINS, 10))
    storm.start()
    outcome = run(server.port, scenarios.verify(bench.next_people(bench.count)), 4, seconds=8)
    storm.join()
    return outcome


def _measure_many(bench: Bench, workers: int) -> None:
    with servers.ringback(bench.home, bench.url, workers) as server:
        run(server.port, scenarios.verify(bench.next_people(300)), CLIENTS)
        half = bench.count // 2
        results = bench.results
        results.note("verify, 1 M", run(server.port, scenarios.verify(bench.next_people(half)), CLIENTS))
        results.note("resend, 1 M", run(server.port, scenarios.resend(bench.next_people(half)), CLIENTS))
        results.note(
            "send (change), 1 M", run(server.port, scenarios.change(bench.next_people(half)), CLIENTS)
        )
        results.note("token, 1 M", run(server.port, scenarios.token(bench.people[:500]), CLIENTS, seconds=6))


@contextmanager
def _database(name: str) -> Iterator[tuple[str, Path]]:
    """A new database and its home. A superuser of PostgreSQL fills it; servers work as the app's role."""
    folder = Path(tempfile.mkdtemp(prefix="ringback-bench-"))
    home = folder / "home"
    home.mkdir()
    run_folder = postgresql.open_run(durable=True)
    try:
        url = f"sqlite:///{home / 'ringback.db'}"
        if name == "postgresql":
            url = postgresql.create_database(postgresql.address(run_folder), "bench")
            migrate_for_app(url)
        else:
            migrate(url)
        yield url, home
    finally:
        postgresql.close_run(run_folder)
        shutil.rmtree(folder, ignore_errors=True)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--databases", nargs="+", default=["sqlite", "postgresql"])
    parser.add_argument("--workers", type=int, default=2, help="server processes (2)")
    parser.add_argument("--requests", type=int, default=3000, help="requests a figure (3000)")
    parser.add_argument(
        "--many", action="store_true", help="also with 1,000,000 users (takes minutes to fill)"
    )
    parser.add_argument("--desk", action="store_true", help="only support's look-ups, among many users")
    parser.add_argument("--users", type=int, default=MANY, help="how many users the desk has (1,000,000)")
    return parser.parse_args()


if __name__ == "__main__":
    main()
