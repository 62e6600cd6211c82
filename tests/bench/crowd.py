"""Fills a database with the users of a big app, as years of sign-ups leave them."""

import random
import time
from collections.abc import Iterator

from sqlalchemy import Engine, create_engine, event, insert

from portal.core import search_keys
from portal.models import User
from portal.services.user_records import new_user_id
from tests.bench.seed import APP_ID, CHUNK

DAY = 86_400_000
YEARS = 3
# How a country's mobile numbers begin, how many digits follow, its language, and its share of the users.
PLACES = (
    ("JP", "+8190", 8, "ja", 30),
    ("JP", "+8180", 8, "ja", 20),
    ("JP", "+8170", 8, None, 10),
    ("US", "+1415", 7, "en-US", 15),
    ("GB", "+4477", 8, "en-GB", 10),
    ("DE", "+49151", 8, "de", 10),
    ("BR", "+55119", 8, "pt-BR", 5),
)
GIVEN = ("Aoi", "Yuki", "Emma", "Noah", "João", "Ana", "Jürgen", "Mia", "蓮", "陽菜", "Liam", "Olivia")
FAMILY = ("Tanaka", "Sato", "Smith", "Müller", "da Silva", "Jones", "佐藤", "高橋", "Brown", "Weber")


def fill(url: str, users: int) -> list[dict[str, object]]:
    """Adds so many users, oldest first; returns every thousandth row, for looking it up again."""
    engine = _engine(url)
    chance = random.Random(20_261_123)
    people = _people(chance, users, time.time_ns() // 1_000_000)
    kept: list[dict[str, object]] = []
    for _ in range(0, users, CHUNK):
        rows = [row for row, _ in zip(people, range(CHUNK), strict=False)]
        with engine.begin() as connection:
            connection.execute(insert(User), rows)
        kept += rows[::1_000]
    engine.dispose()
    return kept


def _engine(url: str) -> Engine:
    engine = create_engine(url)
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", lambda connection, _: connection.execute("PRAGMA synchronous = off"))
    return engine


def _people(chance: random.Random, users: int, now: int) -> Iterator[dict[str, object]]:
    step = YEARS * 365 * DAY // users
    seen: set[str] = set()
    weights = [place[-1] for place in PLACES]
    for at in range(users):
        country, start, digits, locale, _share = chance.choices(PLACES, weights)[0]
        number = _number(chance, start, digits, seen)
        name = f"{chance.choice(GIVEN)} {chance.choice(FAMILY)}"
        yield _row(at, number, country, locale, name, now - (users - at) * step, chance)


def _number(chance: random.Random, start: str, digits: int, seen: set[str]) -> str:
    while True:
        number = f"{start}{chance.randrange(10**digits):0{digits}}"
        if number not in seen:
            seen.add(number)
            return number


def _row(
    at: int, number: str, country: str, locale: str | None, name: str, created_at: int, chance: random.Random
) -> dict[str, object]:
    key, turned = search_keys.of_name(name)
    is_verified = chance.random() < 0.95
    waiting = _pending(chance, created_at) if is_verified and chance.random() < 0.002 else _NOTHING_PENDING
    return {
        "app_id": APP_ID,
        "id": new_user_id(),
        "login_name": f"user{at:08d}",
        "email_address": f"person.{chance.randrange(10**8):08d}.{at}@example.com",
        "phone_number": number,
        "phone_country": country,
        "phone_number_verified": is_verified,
        "phone_number_verified_at": created_at if is_verified else None,
        "display_name": name,
        "display_name_key": key,
        "display_name_key_turned": turned,
        "country": country if chance.random() < 0.3 else None,
        "locale": locale,
        "disabled": chance.random() < 0.01,
        "custom_fields": {},
        "created_at": created_at,
        "modified_at": created_at,
        **waiting,
    }


_NOTHING_PENDING = dict.fromkeys(("pending_phone_number", "pending_since", "pending_until"))


def _pending(chance: random.Random, since: int) -> dict[str, object]:
    number = f"+8190{chance.randrange(10**8):08}"
    return {"pending_phone_number": number, "pending_since": since, "pending_until": 2**52}
