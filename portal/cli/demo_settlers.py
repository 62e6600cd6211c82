"""Who was there before the demo's fortnight? Verified users whose messages are gone by now."""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

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
_WHY_DISABLED = (
    "Reported by other users for spam.",
    "The user asked us to close the account.",
    "Payments were charged back twice.",
)


@dataclass(frozen=True, slots=True)
class Settler:
    """Somebody who signed up at `at` (Unix ms) and verified the number soon after.

    Support disabled a few of them at `disabled_at`, for a reason.
    """

    person: Person
    number: str
    at: int
    verified_at: int
    disabled_at: int | None
    why_disabled: str


def draw(chance: random.Random, person: Person, numbers: Numbers, now: int) -> Settler:
    """A settler out of a person."""
    at = now - chance.randint(KEPT.messages + clock.DAY, _EARLIEST)
    verified_at = at + chance.randint(15, 240) * clock.SECOND
    number, is_disabled = numbers.draw(person.country), chance.random() < _DISABLED
    disabled_at = chance.randint(verified_at + clock.DAY, now - clock.DAY) if is_disabled else None
    return Settler(person, number, at, verified_at, disabled_at, chance.choice(_WHY_DISABLED))


def add(session: Session, app_id: str, settlers: list[Settler], password_hash: str, support_id: str) -> None:
    """Adds the rows that these users' lives have left behind: themselves, and what the audit log says."""
    rows = [_user(app_id, settler, password_hash) for settler in settlers]
    session.execute(insert(User), rows)
    entries = [
        entry
        for settler, row in zip(settlers, rows, strict=True)
        for entry in _entries(settler, {"app_id": app_id, "user_id": row["id"]}, support_id)
    ]
    session.execute(insert(AuditEntry), sorted(entries, key=lambda entry: entry["at"]))


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
        "disabled": settler.disabled_at is not None,
        "custom_fields": {},
        "created_at": settler.at,
        "modified_at": settler.disabled_at or settler.verified_at,
    }


def _entries(settler: Settler, about: dict[str, object], support_id: str) -> Iterator[dict[str, Any]]:
    app, user = (ActorKind.APP, None), (ActorKind.USER, about["user_id"])
    registered, verified = {"purpose": "verification"}, {"purpose": "register"}
    yield about | _entry(settler.at, AuditAction.USER_REGISTERED, app, registered)
    yield about | _entry(settler.verified_at, AuditAction.NUMBER_VERIFIED, user, verified)
    if settler.disabled_at is not None:
        support = (ActorKind.ACCOUNT, support_id)
        disabled = {"before": {"disabled": False, "tokens": 1}, "after": {"disabled": True, "tokens": 0}}
        entry = _entry(settler.disabled_at, AuditAction.USER_DISABLED, support, disabled)
        yield about | entry | {"reason": settler.why_disabled}


def _entry(
    at: int, action: AuditAction, by: tuple[ActorKind, object], details: dict[str, Any]
) -> dict[str, Any]:
    kind, actor_id = by
    said = {"reason": None, "details": details}
    return {"at": at, "action": action, "actor_kind": kind, "actor_id": actor_id} | said
