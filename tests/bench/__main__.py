"""`make bench`: our figures beside a yardstick, in one run, on SQLite and on PostgreSQL.

Only ratios within one run mean anything; the machine's pace changes from minute to minute.
"""

import argparse
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from argon2 import PasswordHasher

from tests import postgresql
from tests.bench import desk, figures, hashes, report, seed
from tests.conftest import migrate, migrate_for_app


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
            bench = figures.Bench(name, url, home, arguments.requests, password_hash)
            bench.results.raw_hashes = raw_hashes
            bench.people = seed.fill(url, home, figures.FEW, password_hash)
            figures.measure(bench, arguments.workers)
            if arguments.many:
                more = figures.MANY - figures.FEW
                bench.people += seed.fill(url, home, more, password_hash, first=figures.FEW)
                figures.measure_many(bench, arguments.workers)
            report.show(bench.name, bench.results, arguments.workers)


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
    parser.add_argument(
        "--users", type=int, default=figures.MANY, help="how many users the desk has (1,000,000)"
    )
    return parser.parse_args()


if __name__ == "__main__":
    main()
