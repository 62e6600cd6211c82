"""`make bench ARGS=--desk`: how fast does support find somebody among a million users?

The yardstick is what portals do by themselves: the digits by LIKE, all hits counted, pages by OFFSET.
"""

import os
import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlencode

from sqlalchemy import Engine, Select, create_engine, event, func, or_, select, text
from sqlalchemy.orm import Session

from portal import database, keys
from portal.core.limits import BENCH
from portal.models import ActorKind, User
from portal.services import fences, lookup_pages, lookups
from portal.services.context import Caller, Context
from portal.services.lookup_pages import Place
from portal.services.lookups import Search
from tests import postgresql
from tests.bench import authors, crowd, seed, servers
from tests.bench.driver import Outcome, request, run

ALONE_MS, TOGETHER_MS = 20, 100
CLIENTS = 8
SECONDS = 5
FAR = 999 * lookups.PAGE
# A table that is read whole; not an index of parts, nor what a subquery has found already.
_WHOLE_SCAN = r'Seq Scan on "user"|^SCAN (?!.*VIRTUAL)(?!CONSTANT|\(sub|anon_)'
_USERS = f"/apps/{seed.APP_ID}/users"


@dataclass
class Desk:
    """What one database's bench knows: figures by name, and what each was asked."""

    url: str
    terms: dict[str, list[str]]
    far: str
    alone: dict[str, Outcome] = field(default_factory=dict)
    together: dict[str, Outcome] = field(default_factory=dict)
    naive_ms: dict[str, float] = field(default_factory=dict)


def measure(url: str, home: Path, users: int, workers: int, password_hash: str) -> Desk:
    """Fills a migrated database, asks a server on it, and says how each question went."""
    engine = create_engine(url)
    database.prepare(engine)
    seed.add_app(engine, time.time_ns() // 1_000_000)
    kept = crowd.fill(url, users)
    _gather_statistics(engine)
    desk = Desk(url, _terms(kept), _far(engine))
    served = create_engine(postgresql.as_role(url, postgresql.APP))
    _refuse_whole_scans(served, home, desk)
    served.dispose()
    _measure_naively(engine, desk)
    emails = authors.add(url, CLIENTS, password_hash)
    with servers.ringback(home, url, workers) as server:
        for name, requests in _asked_in_turn(desk, _sign_in(server.port, emails), kept).items():
            run(server.port, iter(requests[:20]), 1)
            desk.alone[name] = run(server.port, _round(requests), 1, seconds=SECONDS)
            desk.together[name] = run(server.port, _round(requests), CLIENTS, seconds=SECONDS)
    engine.dispose()
    return desk


def show(name: str, desk: Desk) -> None:
    """Prints one database's table beside the yardstick of the same run."""
    print(f"\n{name}: support's pages, whole HTML answers, ms")
    print(_line("question", "p50", "p95", "8: p50", "8: p95", "naive SQL", "answers"))
    for question, alone in desk.alone.items():
        together = desk.together[question]
        times = [each.percentile(share) for each in (alone, together) for share in (0.5, 0.95)]
        naive = f"{desk.naive_ms[question]:.0f}" if question in desk.naive_ms else ""
        statuses = " ".join(f"{status}:{n}" for status, n in (alone.statuses + together.statuses).items())
        kept = times[1] <= ALONE_MS and times[3] <= TOGETHER_MS
        print(
            _line(
                question, *(f"{each:.1f}" for each in times), naive, f"{statuses} {'' if kept else 'MISSED'}"
            )
        )
    print(f"  aims: p95 at most {ALONE_MS} ms for one client, {TOGETHER_MS} ms for each of {CLIENTS}")


def _line(question: str, *cells: str) -> str:
    *figures, last = cells
    return f"{question:<24}{''.join(f'{each:>10}' for each in figures)}   {last}"


def _gather_statistics(engine: Engine) -> None:
    # PostgreSQL's autovacuum does both by itself; a new installation of SQLite has no statistics, ever.
    if engine.dialect.name == "postgresql":
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.exec_driver_sql("VACUUM ANALYZE")
            connection.exec_driver_sql("CHECKPOINT")
    # A million users of three years are on the disk by now; commits shall not wait for them.
    os.sync()


def _terms(kept: list[dict[str, object]]) -> dict[str, list[str]]:
    numbers = [str(row["phone_number"]) for row in kept]
    return {
        "last four digits": [number[-4:] for number in numbers],
        "four middle digits": [number[5:9] for number in numbers],
        "three digits": [number[6:9] for number in numbers],
        "five middle digits": [number[5:10] for number in numbers],
        "beginning": ["+8190", "+1415", "+819"],
        "e-mail prefix": [str(row["email_address"])[:12] for row in kept],
        "family name": ["tanaka", "müller", "佐藤", "smith"],
    }


def _far(engine: Engine) -> str:
    with Session(engine) as session:
        newest = select(User.created_at, User.serial).where(User.app_id == seed.APP_ID)
        newest = newest.order_by(User.created_at.desc(), User.serial.desc())
        row = session.execute(newest.offset(FAR - 1).limit(1)).one()
    return lookup_pages.write(Place(row.created_at, row.serial))


def _questions(desk: Desk, headers: dict[str, str], kept: list[dict[str, object]]) -> dict[str, list[bytes]]:
    found = {"first page": [_get({}, headers)], "page 1,000": [_get({"after": desk.far}, headers)]}
    found |= {name: [_get({"q": term}, headers) for term in terms] for name, terms in desk.terms.items()}
    found["pending only"] = [_get({"pending": "yes"}, headers)]
    found["rare combination"] = [_get({"country": "BR", "status": "disabled", "verified": "no"}, headers)]
    found["full number (to user)"] = [
        request("POST", _USERS, headers, urlencode({"q": str(row["phone_number"])}).encode()) for row in kept
    ]
    found["user page"] = [request("GET", f"{_USERS}/{row['id']}", headers) for row in kept]
    return found


def _sign_in(port: int, emails: list[str]) -> list[dict[str, str]]:
    """The headers of each supporter's page."""
    signed_in = [authors.sign_in(port, email) for email in emails]
    return [{name: value for name, value in each.items() if not name.startswith("HX")} for each in signed_in]


def _asked_in_turn(
    desk: Desk, supporters: list[dict[str, str]], kept: list[dict[str, object]]
) -> dict[str, list[bytes]]:
    """Every question, the first supporter's first request before the second one's, and so on."""
    each = [_questions(desk, headers, kept) for headers in supporters]
    return {
        name: [one for turn in zip(*(asked[name] for asked in each), strict=True) for one in turn]
        for name in each[0]
    }


def _get(arguments: dict[str, str], headers: dict[str, str]) -> bytes:
    plain = {name: value for name, value in headers.items() if name == "Cookie"}
    return request("GET", f"{_USERS}?{urlencode(arguments)}", plain)


def _round(requests: list[bytes]):
    while True:
        yield from requests


def _measure_naively(engine: Engine, desk: Desk) -> None:
    here = User.app_id == seed.APP_ID
    newest = User.created_at.desc(), User.serial.desc()
    everybody = select(User.id).where(here)

    def holding(term: str) -> Select:
        part = f"%{term}%"
        return everybody.where(or_(User.phone_number.like(part), User.pending_phone_number.like(part)))

    asked: dict[str, Callable[[], Select]] = {
        "first page": lambda: everybody,
        "page 1,000": lambda: everybody.offset(FAR),
        "e-mail prefix": lambda: everybody.where(
            User.email_address.like(f"{desk.terms['e-mail prefix'][7]}%")
        ),
        **{
            name: (lambda term=desk.terms[name][7]: holding(term))
            for name in ("last four digits", "four middle digits", "three digits", "five middle digits")
        },
    }
    with Session(engine) as session:
        if engine.dialect.name == "postgresql":
            # Without it, the yardstick would use our own index of parts, which only answers in bitmaps.
            session.execute(text("SET enable_bitmapscan = off"))
        for name, query in asked.items():
            desk.naive_ms[name] = min(_time(session, query().order_by(*newest)) for _ in range(3))


def _time(session: Session, query: Select) -> float:
    began = time.perf_counter()
    session.execute(query.limit(lookups.PAGE)).all()
    session.scalar(select(func.count()).select_from(query.order_by(None).offset(None).subquery()))
    return (time.perf_counter() - began) * 1000


def _refuse_whole_scans(engine: Engine, home: Path, desk: Desk) -> None:
    """Asks every question once more through EXPLAIN, and ends the bench where one reads a whole table."""
    for name, terms in {**desk.terms, "first page": [""]}.items():
        for after in (None, desk.far) if name == "first page" else (None,):
            for plan in _plans(engine, home, terms[0], after):
                if re.search(_WHOLE_SCAN, plan, re.MULTILINE):
                    raise SystemExit(f"{name} reads all users:\n{plan}")


def _plans(engine: Engine, home: Path, term: str, after: str | None) -> list[str]:
    asked: list[tuple[str, object]] = []
    explain = "EXPLAIN " if engine.dialect.name == "postgresql" else "EXPLAIN QUERY PLAN "
    with Session(engine) as session:
        connection = session.connection()
        fences.say(connection, seed.APP_ID)
        event.listen(connection, "before_cursor_execute", lambda *call: asked.append(call[2:4]))
        caller = Caller(ActorKind.APP, seed.APP_ID)
        ctx = Context(session, caller, time.time_ns() // 1_000_000, keys.load(home), BENCH)
        lookups.search(ctx, Search(text=term), after)
        of_users = [call for call in asked if re.search(r'FROM "?user', call[0])]
        rows = [connection.exec_driver_sql(explain + call[0], call[1]).all() for call in of_users]
    return ["\n".join(str(row[-1]) for row in plan) for plan in rows]
