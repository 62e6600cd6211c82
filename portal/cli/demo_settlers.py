"""Who was there before the demo's fortnight? Verified users whose messages are gone by now."""

import random
from dataclasses import dataclass

from sqlalchemy import insert
from sqlalchemy.orm import Session

from portal import clock
from portal.cli.demo_people import Numbers, Person
from portal.core import phone_number, search_keys
from portal.core.keeping import DEFAULT as KEPT
from portal.models import ActorKind, AuditAction, AuditEntry, User
from portal.services.user_records import new_user_id

_EARLIEST = 120 * clock.DAY
_DISABLED = 0.03


@dataclass(frozen=True, slots=True)
class Settler:
    """Somebody who signed up at `at` (Unix ms) and verified the number soon after."""

    person: Person
    number: str
    at: int
    verified_at: int
    disabled: bool


def draw(chance: random.Random, person: Person, numbers: Numbers, now: int) -> Settler:
    """A settler out of a person."""
    at = now - chance.randint(KEPT.messages + clock.DAY, _EARLIEST)
    verified_at = at + chance.randint(15, 240) * clock.SECOND
    return Settler(person, numbers.draw(person.country), at, verified_at, chance.random() < _DISABLED)


def add(session: Session, app_id: str, settlers: list[Settler], password_hash: str) -> None:
    """Adds the rows that these users' lives have left behind: themselves, and what the audit log says."""
    rows = [_user(app_id, settler, password_hash) for settler in settlers]
    session.execute(insert(User), rows)
    deeds = [
        (at, action, row["id"])
        for settler, row in zip(settlers, rows, strict=True)
        for at, action in (
            (settler.at, AuditAction.USER_REGISTERED),
            (settler.verified_at, AuditAction.NUMBER_VERIFIED),
        )
    ]
    session.execute(
        insert(AuditEntry), [_entry(app_id, *deed) for deed in sorted(deeds, key=lambda deed: deed[0])]
    )


def _user(app_id: str, settler: Settler, password_hash: str) -> dict[str, object]:
    key, turned = search_keys.of_name(settler.person.display_name)
    return {
        "app_id": app_id,
        "id": new_user_id(),
        "login_name": settler.person.login_name,
        "email_address": settler.person.email_address,
        "display_name": settler.person.display_name,
        "display_name_key": key,
        "display_name_key_turned": turned,
        "country": settler.person.country,
        "locale": settler.person.locale,
        "phone_number": settler.number,
        "phone_country": phone_number.region(settler.number),
        "phone_number_verified": True,
        "phone_number_verified_at": settler.verified_at,
        "password_hash": password_hash,
        "disabled": settler.disabled,
        "custom_fields": {},
        "created_at": settler.at,
        "modified_at": settler.verified_at,
    }


def _entry(app_id: str, at: int, action: AuditAction, user_id: object) -> dict[str, object]:
    by_app = action is AuditAction.USER_REGISTERED
    return {
        "app_id": app_id,
        "at": at,
        "actor_kind": ActorKind.APP if by_app else ActorKind.USER,
        "actor_id": None if by_app else user_id,
        "action": action,
        "user_id": user_id,
        "details": {"purpose": "verification" if by_app else "register"},
    }
