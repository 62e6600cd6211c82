"""What does an app's audit log say? Its entries, newest first for a page, oldest first for an export."""

import operator
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.core import limits
from portal.core.hidden_numbers import hide, hide_all
from portal.models import ActorKind, AuditAction, AuditEntry, User
from portal.services import accounts, audit, walks
from portal.services.audit_kinds import ACTIONS, Kind
from portal.services.context import Context
from portal.services.walks import Filter, Stretch, Walk

# Entries are numbered when they are written and timed when their request began, so two neighbours may have
# their times the other way round; by no more than this (ms).
_OUT_OF_ORDER = limits.HOUR
# No entry has this key, and no column could hold one above it.
_BEYOND = 2**62


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which entries are asked for; None means any. `since` is the first ms that counts, `until` the end."""

    actor: ActorKind | None = None
    # The e-mail address of a portal account.
    account: str | None = None
    kind: Kind | None = None
    user_id: str | None = None
    since: int | None = None
    until: int | None = None


@dataclass(frozen=True, slots=True)
class Told:
    """One entry with its names, fit to be shown: texts hold no number of seven or more digits. Unix ms."""

    id: int
    at: int
    actor_kind: str
    # Whoever did it: an account's e-mail address, where it was an account that still exists.
    account: str | None
    action: str
    user_id: str | None
    # What the user is called; None for nobody, or for a user who is gone.
    user: str | None
    reason: str | None
    details: Mapping[str, Any]


def page(
    session: Session,
    app_id: str,
    wanted: Wanted,
    before: int | None = None,
    down_to: int | None = None,
) -> tuple[list[Told], Stretch]:
    """Up to fifty entries, newest first, and where the next ones begin (services/walks.py)."""
    stretch = walks.back(session, _walk(session, app_id, wanted), before, down_to)
    entries = session.scalars(
        select(AuditEntry)
        .where(AuditEntry.app_id == app_id, AuditEntry.id.in_(stretch.keys))
        .order_by(AuditEntry.id.desc())
    ).all()
    return _told(session, app_id, entries), stretch


def newer(session: Session, app_id: str, wanted: Wanted, than: int) -> int:
    """How many wanted entries came after the one with this ID; 51 stands for more than fifty."""
    return walks.newer(session, _walk(session, app_id, wanted), than)


def begin_export(ctx: Context, facts: Mapping[str, object]) -> int:
    """Puts an export and how it was filtered on record; returns the ID that its last entry is below."""
    audit.record(ctx, AuditAction.AUDIT_EXPORTED, details=facts)
    newest = _entry_at(ctx.session, ctx.app_id, _BEYOND)
    return newest[0] if newest else 0


def chunks(
    session: Session, app_id: str, wanted: Wanted, end: int, examined: int = 1_000
) -> Iterator[list[Told]]:
    """All wanted entries below the ID `end`, oldest first, in lists of up to `examined`.

    Between two lists no transaction is open, so a slow or broken reader holds nothing up.
    """
    walk = _walk(session, app_id, wanted)
    after: int | None = 0
    while after is not None:
        last = walks.forward(session, walk, after, end, examined)
        told = _told(session, app_id, _stretch(session, walk, after, last)) if last else []
        session.rollback()
        session.expunge_all()
        if told:
            yield told
        after = last


def _stretch(session: Session, walk: Walk, after: int, last: int) -> Sequence[AuditEntry]:
    between = (AuditEntry.id > after, AuditEntry.id <= last)
    entries = select(AuditEntry).where(*walk.where, *between, *walk.conditions).order_by(AuditEntry.id)
    return session.scalars(entries).all()


def _is_one_of(column: Any, values: Any) -> Any:
    return column.in_(values)


def _walk(session: Session, app_id: str, wanted: Wanted) -> Walk:
    """The way through an app's entries, or through one user's; days are found by halving, not by walking."""
    where = [AuditEntry.app_id == app_id]
    if wanted.user_id is not None:
        where.append(AuditEntry.user_id == wanted.user_id)
    filters: list[Filter] = []
    if wanted.actor is not None:
        filters.append((AuditEntry.actor_kind, operator.eq, wanted.actor))
    if wanted.account is not None:
        filters.append((AuditEntry.actor_id, operator.eq, _account_id(session, wanted.account)))
        filters.append((AuditEntry.actor_kind, operator.eq, ActorKind.ACCOUNT))
    if wanted.kind is not None:
        filters.append((AuditEntry.action, _is_one_of, sorted(ACTIONS[wanted.kind])))
    if wanted.since is not None:
        where.append(AuditEntry.id > _last_before(session, app_id, wanted.since - _OUT_OF_ORDER))
        filters.append((AuditEntry.at, operator.ge, wanted.since))
    if wanted.until is not None:
        where.append(AuditEntry.id <= _last_before(session, app_id, wanted.until + _OUT_OF_ORDER))
        filters.append((AuditEntry.at, operator.lt, wanted.until))
    return Walk(key=AuditEntry.id, at=AuditEntry.at, where=tuple(where), filters=tuple(filters))


def _account_id(session: Session, email: str) -> str:
    account = accounts.find(session, email)
    return account.id if account else ""


def _last_before(session: Session, app_id: str, at: int) -> int:
    """The ID of an app's last entry that was made before `at` (Unix ms); 0 when there is none."""
    newest = _entry_at(session, app_id, _BEYOND)
    low, high = 0, newest[0] if newest else 0
    # Everything up to `low` is earlier, everything above `high` is not.
    while low < high:
        middle = (low + high + 1) // 2
        found = _entry_at(session, app_id, middle)
        if found is None or found[1] < at:
            low = middle
        else:
            high = found[0] - 1
    return low


def _entry_at(session: Session, app_id: str, entry_id: int) -> tuple[int, int] | None:
    """The ID and the time of an app's last entry up to this ID."""
    up_to = select(AuditEntry.id, AuditEntry.at).where(AuditEntry.app_id == app_id, AuditEntry.id <= entry_id)
    found = session.execute(up_to.order_by(AuditEntry.id.desc()).limit(1)).first()
    return None if found is None else (found.id, found.at)


def _told(session: Session, app_id: str, entries: Sequence[AuditEntry]) -> list[Told]:
    emails = accounts.emails(
        session, {each.actor_id for each in entries if each.actor_kind == ActorKind.ACCOUNT}
    )
    names = _names(session, app_id, {each.user_id for each in entries})
    return [
        Told(
            each.id,
            each.at,
            each.actor_kind,
            emails.get(each.actor_id or ""),
            each.action,
            each.user_id,
            names.get(each.user_id),
            hide(each.reason) if each.reason else None,
            hide_all(each.details or {}),  # type: ignore[arg-type]
        )
        for each in entries
    ]


def _names(session: Session, app_id: str, ids: set[str | None]) -> dict[str | None, str]:
    known = sorted(each for each in ids if each)
    columns = (User.id, User.display_name, User.login_name, User.email_address)
    wanted = select(*columns).where(User.app_id == app_id, User.id.in_(known))
    rows = session.execute(wanted) if known else ()
    return {row.id: row.display_name or row.login_name or row.email_address or "" for row in rows}
