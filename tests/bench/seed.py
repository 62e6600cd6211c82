"""Fills a database with an app's users, fast: rows as the services would have left them."""

import secrets
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Engine, create_engine, event, insert

from portal import keys
from portal.core import code, number_hashes
from portal.models import (
    AccessKey,
    App,
    BearerToken,
    KeyKind,
    OpenCountry,
    PhoneNumberLimit,
    SmsTemplate,
    SmsTemplateVersion,
    User,
    Verification,
)
from portal.services.tokens import hashed
from portal.services.user_records import new_user_id

APP_ID = "benchbenchbench1"
CHUNK = 5_000
PASSWORD = "correct horse 1"


@dataclass(frozen=True, slots=True)
class Seeded:
    """One user that the driver can act as."""

    user_id: str
    login_name: str
    phone_number: str
    token: str
    code: str


def fill(url: str, home: Path, users: int, password_hash: str, first: int = 0) -> list[Seeded]:
    """Adds `users` users with open verifications and tokens; returns them all."""
    engine = create_engine(url)
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", lambda connection, _: connection.execute("PRAGMA synchronous = off"))
    now = time.time_ns() // 1_000_000
    if first == 0:
        add_app(engine, now)
    server_keys = keys.load(home)
    made: list[Seeded] = []
    for start in range(first, first + users, CHUNK):
        with engine.begin() as connection:
            people = list(
                _people(server_keys, range(start, min(first + users, start + CHUNK)), now, password_hash)
            )
            for table in (User, Verification, BearerToken, PhoneNumberLimit):
                connection.execute(insert(table), [person.rows[table] for person in people])
            made += [person.seeded for person in people]
    _settle(engine)
    engine.dispose()
    return made


def _settle(engine: Engine) -> None:
    """Does now what the database would do soon after so many rows, which nobody measures here."""
    settling = {
        "postgresql": ("VACUUM ANALYZE", "CHECKPOINT"),
        "sqlite": ("ANALYZE", "PRAGMA wal_checkpoint(TRUNCATE)"),
    }
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        for statement in settling[engine.dialect.name]:
            connection.exec_driver_sql(statement)


@dataclass(frozen=True, slots=True)
class _Person:
    seeded: Seeded
    rows: dict[type, dict[str, object]]


def _people(server_keys: keys.Keys, places: range, now: int, password_hash: str) -> Iterator[_Person]:
    for place in places:
        user_id, verification_id, token = new_user_id(), secrets.token_hex(16), secrets.token_urlsafe(24)
        number, name = f"+81901{place:07d}", f"user{place:08d}"
        digits = code.derive(server_keys.codes[1], verification_id, 1, 6)
        shared = {"app_id": APP_ID, "created_at": now}
        user = shared | _user(user_id, name, number, now, password_hash)
        hidden = number_hashes.limit_hashes(server_keys, APP_ID, number)[-1][1]
        attempt = shared | _verification(verification_id, user_id, number, now) | {"number_hash": hidden}
        bearer = shared | {
            "token_hash": hashed(token),
            "user_id": user_id,
            "kind": "user",
            "expires_at": 2**52,
        }
        limit = {
            "app_id": APP_ID,
            "number_hash": hidden,
            "key_version": server_keys.hashing.newest,
            "sent_times": str(now - 70_000),
            "failed_guess_times": "",
            "touched_at": now,
        }
        rows = {User: user, Verification: attempt, BearerToken: bearer, PhoneNumberLimit: limit}
        yield _Person(Seeded(user_id, name, number, token, digits), rows)


def _user(user_id: str, name: str, number: str, now: int, password_hash: str) -> dict[str, object]:
    return {
        "id": user_id,
        "login_name": name,
        "email_address": f"{name}@example.com",
        "phone_number": number,
        "phone_number_verified": False,
        "password_hash": password_hash,
        "disabled": False,
        "custom_fields": {},
        "modified_at": now,
    }


def _verification(verification_id: str, user_id: str, number: str, now: int) -> dict[str, object]:
    return {
        "id": verification_id,
        "user_id": user_id,
        "phone_number": number,
        "purpose": "register",
        "state": "open",
        "key_version": 1,
        "issue": 1,
        "code_length": 6,
        # An hour, so that a slow run does not measure refusals.
        "code_expires_at": now + 3_600_000,
        "guesses": 0,
        "guesses_allowed": 5,
        "sends": 1,
        "sends_allowed": 10,
        "last_sent_at": now - 70_000,
    }


def add_app(engine: Engine, now: int) -> None:
    """The app that is measured, with one SMS template."""
    app = {
        "id": APP_ID,
        "name": "Bench",
        "mode": "sandbox",
        "provider": "inbox",
        "home_country": "JP",
        "default_locale": "en",
        "client_id": "bench",
        "phone_number_verification_required": True,
        "created_at": now,
    }
    version = {
        "app_id": APP_ID,
        "locale": "en",
        "version": 1,
        "body": "{code} is your {app_name} code.",
        "created_at": now,
    }
    template = {"app_id": APP_ID, "locale": "en", "current_version": 1, "created_at": now, "modified_at": now}
    keys = [
        {"id": kind, "app_id": APP_ID, "kind": kind, "slot": 1, "key_hash": hashed(value), "created_at": now}
        | {"value": value if kind == KeyKind.APP_KEY else None, "last4": value[-4:]}
        for kind, value in ((KeyKind.APP_KEY, "key!"), (KeyKind.CLIENT_SECRET, "bench"))
    ]
    with engine.begin() as connection:
        connection.execute(insert(App), [app])
        connection.execute(insert(AccessKey), keys)
        connection.execute(insert(OpenCountry), [{"app_id": APP_ID, "country": "JP"}])
        connection.execute(insert(SmsTemplateVersion), [version])
        connection.execute(insert(SmsTemplate), [template])
