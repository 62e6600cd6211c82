"""How fast is a lean route that writes the very rows of ours, and asks, checks and decides nothing?

The lean routes of `yardsticks` write one or two narrow rows. What a code or a change of number must leave
behind, by the contract and the design, is more: a user with all that support searches it by, a verification,
a message, an entry of the audit log, a limit. This is what is left of the lean figure once they are written.
"""

import secrets
import time
from typing import Any

from argon2 import PasswordHasher
from flask import Blueprint, current_app, jsonify
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import insert, select, update

from portal import models
from tests.bench.seed import APP_ID, PASSWORD

_ENTRY, _LIMIT, _MESSAGE = (
    each.__table__ for each in (models.AuditEntry, models.PhoneNumberLimit, models.Message)
)
_TOKEN, _USER, _VERIFICATION = (
    each.__table__ for each in (models.BearerToken, models.User, models.Verification)
)

routes = Blueprint("same_rows", __name__, url_prefix="/same-rows")
_HASHER = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)
_CODE_LIFE, _PENDING_LIFE = 600_000, 86_400_000


@routes.post("/verify/<user_id>/<tail>")
def verify(user_id: str, tail: str) -> object:
    """The rows of a right code: the verification ends, the number is the user's."""
    now, number = _now(), f"+81901{tail}"
    _execute(update(_VERIFICATION).where(*_open_of(user_id)).values(state="verified", ended_at=now))
    proven = {"phone_number": number, "phone_country": "JP", "phone_number_verified": True}
    _execute(
        update(_USER).where(*_is(user_id)).values(**proven, phone_number_verified_at=now, modified_at=now)
    )
    return _recorded("number.verified", user_id, now)


@routes.post("/resend/<user_id>/<tail>")
def resend(user_id: str, tail: str) -> object:
    """The rows of a code that is sent again."""
    now = _now()
    sent = {"sends": _VERIFICATION.c.sends + 1, "last_sent_at": now}
    found = _VERIFICATION.c.id, _VERIFICATION.c.number_hash
    counted = update(_VERIFICATION).where(*_open_of(user_id)).values(**sent).returning(*found)
    verification_id, number_hash = _execute(counted).one()
    _put_down(user_id, f"+81901{tail}", verification_id, now)
    limit = update(_LIMIT).where(_LIMIT.c.app_id == APP_ID, _LIMIT.c.number_hash == number_hash)
    _execute(limit.values(sent_times=str(now), touched_at=now))
    return _recorded("code.resent", user_id, now)


@routes.post("/change/<user_id>/<tail>")
def change(user_id: str, tail: str) -> object:
    """The rows of a change of number: it is pending, the old attempt ends, a new one begins."""
    now, number = _now(), f"+81802{tail}"
    pending = {"pending_phone_number": number, "pending_since": now, "pending_until": now + _PENDING_LIFE}
    _execute(update(_USER).where(*_is(user_id)).values(**pending, modified_at=now))
    _execute(update(_VERIFICATION).where(*_open_of(user_id)).values(state="replaced", ended_at=now))
    _start(user_id, number, "change", now)
    return _recorded("number.change_started", user_id, now)


@routes.post("/register/<user_id>/<tail>")
def register(user_id: str, tail: str) -> object:
    """The rows of a sign-up, after its password was hashed."""
    now, number = _now(), f"+81702{tail}"
    own = {
        "id": user_id,
        "login_name": user_id,
        "phone_number": number,
        "password_hash": _HASHER.hash(PASSWORD),
    }
    state = {"phone_number_verified": False, "disabled": False, "custom_fields": {}}
    _execute(insert(_USER).values(app_id=APP_ID, **own, **state, created_at=now, modified_at=now))
    _start(user_id, number, "register", now)
    return _recorded("user.created", user_id, now)


@routes.post("/token/<login_name>")
def token(login_name: str) -> object:
    """The row of a login, after its password was checked."""
    now, hashed = _now(), secrets.token_hex(32)
    wanted = select(_USER.c.id, _USER.c.password_hash).where(
        _USER.c.app_id == APP_ID, _USER.c.login_name == login_name
    )
    user_id, password_hash = _execute(wanted).one()
    # Nobody's writing waits while a password is hashed.
    _db().session.rollback()
    _HASHER.verify(password_hash, PASSWORD)
    own = {"token_hash": hashed, "app_id": APP_ID, "user_id": user_id, "kind": "user"}
    _execute(insert(_TOKEN).values(**own, expires_at=2**52, created_at=now))
    return _answered()


def _start(user_id: str, number: str, purpose: str, now: int) -> None:
    verification_id, number_hash = secrets.token_hex(16), secrets.token_hex(32)
    own = {"app_id": APP_ID, "id": verification_id, "user_id": user_id, "phone_number": number}
    code = {"key_version": 1, "issue": 1, "code_length": 6, "code_expires_at": now + _CODE_LIFE}
    counts = {"guesses": 0, "guesses_allowed": 5, "sends": 1, "sends_allowed": 10, "last_sent_at": now}
    begun = {"purpose": purpose, "state": "open", "created_at": now, "number_hash": number_hash}
    _execute(insert(_VERIFICATION).values(**own, **code, **counts, **begun))
    _put_down(user_id, number, verification_id, now)
    limit = {"app_id": APP_ID, "number_hash": number_hash, "key_version": 1, "failed_guess_times": ""}
    _execute(insert(_LIMIT).values(**limit, sent_times=str(now), touched_at=now))


def _put_down(user_id: str, number: str, verification_id: str, now: int) -> None:
    to = {"app_id": APP_ID, "user_id": user_id, "phone_number": number, "country": "JP", "locale": "en"}
    text = {"sms_template_version_id": _wording(), "values": {"app_name": "Bench", "minutes": "10"}}
    about = {"purpose": "verification", "verification_id": verification_id, "issue": 1}
    state = {"state": "queued", "attempts": 0, "unsure_attempts": 0, "due_at": now, "created_at": now}
    _execute(insert(_MESSAGE).values(id=secrets.token_hex(16), **to, **text, **about, **state))


def _recorded(action: str, user_id: str, now: int) -> object:
    by = {"actor_kind": "user", "actor_id": user_id, "user_id": user_id}
    _execute(insert(_ENTRY).values(app_id=APP_ID, at=now, action=action, details={}, **by))
    return _answered()


def _answered() -> object:
    _db().session.commit()
    return jsonify(ok=True)


def _wording() -> int:
    # Read once, as ours is: it is remembered until somebody saves another one.
    known = current_app.config.get("SAME_ROWS_WORDING")
    if known is None:
        known = _execute(select(models.SmsTemplateVersion.id)).scalar_one()
        current_app.config["SAME_ROWS_WORDING"] = known
    return known


def _is(user_id: str) -> tuple[Any, ...]:
    return _USER.c.app_id == APP_ID, _USER.c.id == user_id


def _open_of(user_id: str) -> tuple[Any, ...]:
    return (
        _VERIFICATION.c.app_id == APP_ID,
        _VERIFICATION.c.user_id == user_id,
        _VERIFICATION.c.state == "open",
    )


def _execute(statement: Any) -> Any:
    return _db().session.execute(statement)


def _db() -> SQLAlchemy:
    return current_app.extensions["sqlalchemy"]


def _now() -> int:
    return time.time_ns() // 1_000_000
