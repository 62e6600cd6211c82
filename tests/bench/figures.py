"""What is measured on one database, in which order, and beside what?"""

import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from tests.bench import authors, report, scenarios, seed, servers, yardsticks
from tests.bench.driver import Outcome, run

FEW, MANY = 40_000, 1_000_000
CLIENTS, CROWD, CALM, LOGINS, AUTHORS = 16, 64, 4, 8, 20
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


def measure(bench: Bench, workers: int) -> None:
    """All but the million. Ours run right beside their yardsticks, because the machine's pace changes."""
    yardsticks.seed(bench.url, FEW)
    for turn in range(2):
        with servers.yardstick(bench.url, workers, THREADS) as server:
            _lean_codes(bench, server.port, turn)
        with servers.ringback(bench.home, bench.url, workers) as server:
            _codes(bench, server.port)
    with servers.yardstick(bench.url, workers, THREADS) as server:
        _lean_passwords(bench, server.port)
    with servers.ringback(bench.home, bench.url, workers) as server:
        _crowd_and_passwords(bench, server, workers)
    _one_process(bench)
    _previews(bench, workers)


def _lean_codes(bench: Bench, port: int, turn: int) -> None:
    few = bench.count // 2
    start = turn * 4 * few + 1
    bench.results.note("bare", run(port, scenarios.bare(), CLIENTS, seconds=3))
    run(port, scenarios.lean("verify", few // 4, start + 3 * few), CLIENTS)
    bench.results.note("lean verify", run(port, scenarios.lean("verify", few, start), CLIENTS))
    bench.results.note("lean send", run(port, scenarios.lean("send", few, start + few), CLIENTS))
    for what in ("verify", "resend", "change"):
        rows = scenarios.same_rows(what, bench.next_people(few))
        bench.results.note(f"same rows, {what}", run(port, rows, CLIENTS))


def _codes(bench: Bench, port: int) -> None:
    few = bench.count // 2
    run(port, scenarios.verify(bench.next_people(few // 4)), CLIENTS)
    bench.results.note("verify", run(port, scenarios.verify(bench.next_people(few)), CLIENTS))
    wrong = scenarios.verify(bench.next_people(few), wrong=True)
    bench.results.note("verify, wrong code", run(port, wrong, CLIENTS))
    bench.results.note("resend", run(port, scenarios.resend(bench.next_people(few)), CLIENTS))
    bench.results.note("send (change)", run(port, scenarios.change(bench.next_people(few)), CLIENTS))


def _lean_passwords(bench: Bench, port: int) -> None:
    results, names = bench.results, bench.people[-500:]
    results.note("same rows, token", run(port, scenarios.same_rows_token(names), CLIENTS, seconds=6))
    results.note("same rows, register", run(port, scenarios.same_rows_register(0), CLIENTS, seconds=6))
    calm = scenarios.same_rows("verify", bench.next_people(bench.count))
    results.note("same rows, calm", run(port, calm, CALM, seconds=8))
    stormy = scenarios.same_rows("verify", bench.next_people(bench.count))
    logins = scenarios.same_rows_token(names)
    results.note("same rows, storm", _in_a_storm(port, stormy, logins))


def _crowd_and_passwords(bench: Bench, server: servers.Server, workers: int) -> None:
    results, port = bench.results, server.port
    run(port, scenarios.verify(bench.next_people(300)), CLIENTS)
    crowd = scenarios.verify(bench.next_people(bench.count))
    results.note("verify, 64 clients", run(port, crowd, CROWD))
    names = bench.people[-500:]
    results.note("token", run(port, scenarios.token(names), CLIENTS, seconds=6))
    results.note("register", run(port, scenarios.register(0), CLIENTS, seconds=6))
    calm = scenarios.verify(bench.next_people(bench.count))
    results.note("verify, calm", run(port, calm, CALM, seconds=8))
    stormy = scenarios.verify(bench.next_people(bench.count))
    results.note("verify, storm", _in_a_storm(port, stormy, scenarios.token(names)))
    results.pss_mb[f"{workers} processes and their parent"] = _memory_after_load(server)


def _in_a_storm(port: int, codes: Iterator[bytes], logins: Iterator[bytes]) -> Outcome:
    """Checks codes while eight clients log in without a pause."""
    storm = threading.Thread(target=run, args=(port, logins, LOGINS, 10))
    storm.start()
    outcome = run(port, codes, CALM, seconds=8)
    storm.join()
    return outcome


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


def _previews(bench: Bench, workers: int) -> None:
    emails = authors.add(bench.url, AUTHORS, bench.password_hash)
    with servers.ringback(bench.home, bench.url, workers) as server:
        desks = [authors.sign_in(server.port, email) for email in emails]
        typed = run(server.port, authors.typing(desks), AUTHORS, seconds=8, pause=TYPING)
        bench.results.note("preview, 20 authors", typed)


def measure_many(bench: Bench, workers: int) -> None:
    """Ours once more, among a million users."""
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
