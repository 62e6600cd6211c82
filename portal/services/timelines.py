"""What happened to a user's numbers, newest first? One timeline out of three tables, a page at a time.

Each table is read by its own key, so page 1,000 costs what page 1 costs. A row's events stay on the page of
the row, whenever they happened, so that no page misses any.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, or_, select

from portal.errors import BadInput
from portal.models import (
    Account,
    ActorKind,
    AuditEntry,
    Message,
    Provider,
    SmsTemplateVersion,
    Verification,
)
from portal.services import timeline_events, timeline_messages
from portal.services.context import Context
from portal.services.timeline_events import Event

PAGE = 50
# An open page keeps its oldest row and grows; beyond so many rows it had better start again.
MOST_KEPT = 200

_CURSOR = re.compile(r"(\d{1,18})\.(\d{1,18})\.(\d{1,18})(?:-([0-9a-f]{32}))?")


@dataclass(frozen=True, slots=True)
class Cursor:
    """Where a page ends: in each table, rows below these keys come after it."""

    audit: int
    message: int
    verification: tuple[int, str]

    def __str__(self) -> str:
        at, verification_id = self.verification
        return f"{self.audit}.{self.message}.{at}" + (f"-{verification_id}" if verification_id else "")


@dataclass(frozen=True, slots=True)
class Page:
    """A stretch of events, newest first. `end` is where it stops, `has_more` whether older rows follow."""

    events: list[Event]
    end: Cursor
    has_more: bool


@dataclass(frozen=True, slots=True)
class _Row:
    """A row of some table on its way into a page: its place in the order of all, its key, its events."""

    at: int
    rank: int
    key: Any
    events: Callable[[], Iterable[Event]]


def read_cursor(text: str) -> Cursor:
    """A cursor as an address holds it. Raises BadInput for one that is not ours."""
    found = _CURSOR.fullmatch(text)
    if found is None:
        raise BadInput("before", "This page key is not one of ours. Start again from the newest.")
    audit, message, at, verification_id = found.groups()
    return Cursor(int(audit), int(message), (int(at), verification_id or ""))


def page(ctx: Context, user_id: str, before: Cursor | None = None, limit: int = PAGE) -> Page:
    """The newest `limit` rows about a user, or those that come after a page which ended at `before`."""
    return _merged(_sources(ctx, user_id, limit + 1, below=before), limit)


def since(ctx: Context, user_id: str, end: Cursor) -> Page | None:
    """All that stands before the place where a page ended, news included; None when that is too much."""
    sources = _sources(ctx, user_id, MOST_KEPT + 1, down_to=end)
    rows = [row for source in sources for row in source]
    return None if len(rows) > MOST_KEPT else Page(_events(rows), end, has_more=True)


def _merged(sources: Sequence[list[_Row]], limit: int) -> Page:
    """The first `limit` rows of three ordered lists, each taken in its own order."""
    heads = [0] * len(sources)
    taken: list[_Row] = []
    while len(taken) < limit:
        waiting = [at for at, source in enumerate(sources) if heads[at] < len(source)]
        if not waiting:
            break
        newest = max(waiting, key=lambda at: (sources[at][heads[at]].at, sources[at][heads[at]].rank))
        taken.append(sources[newest][heads[newest]])
        heads[newest] += 1
    has_more = any(head < len(source) for head, source in zip(heads, sources, strict=True))
    return Page(_events(taken), _end(sources, heads), has_more)


def _end(sources: Sequence[list[_Row]], heads: list[int]) -> Cursor:
    audit, message, verification = (
        _end_of(source, head) for source, head in zip(sources, heads, strict=True)
    )
    return Cursor(audit or 0, message or 0, verification or (0, ""))


def _end_of(source: list[_Row], head: int) -> Any:
    """The key below which a table's rows are still to come; None where there are none."""
    if head:
        return source[head - 1].key
    if not source:
        return None
    # Nothing was taken: what is there comes later, and what is put down from now on comes before.
    key = source[0].key
    return key + 1 if isinstance(key, int) else (key[0] + 1, "")


def _events(rows: Iterable[_Row]) -> list[Event]:
    ranked = [(event.at, row.rank, place, event) for row in rows for place, event in enumerate(row.events())]
    return [event for *_order, event in sorted(ranked, key=lambda item: item[:3], reverse=True)]


def _sources(
    ctx: Context, user_id: str, limit: int, *, below: Cursor | None = None, down_to: Cursor | None = None
) -> tuple[list[_Row], list[_Row], list[_Row]]:
    """The newest rows of each table, in its own order. What comes of another has the higher rank."""
    audits, messages, verifications = _of_user(ctx, user_id)
    if below is not None:
        audits = audits.where(AuditEntry.id < below.audit)
        messages = messages.where(Message.serial < below.message)
        verifications = verifications.where(_is_older(below.verification))
    if down_to is not None:
        audits = audits.where(AuditEntry.id >= down_to.audit)
        messages = messages.where(Message.serial >= down_to.message)
        verifications = verifications.where(_is_not_older(down_to.verification))
    run = ctx.session.execute
    return (
        [_audit_row(*row) for row in run(audits.limit(limit))],
        [_message_row(ctx.now, *row) for row in run(messages.limit(limit))],
        [_verification_row(row) for row in ctx.session.scalars(verifications.limit(limit))],
    )


def _of_user(
    ctx: Context, user_id: str
) -> tuple[Select[AuditEntry, str], Select[Message, str, int, str], Select[Verification]]:
    did_it = and_(Account.id == AuditEntry.actor_id, AuditEntry.actor_kind == ActorKind.ACCOUNT)
    audits = select(AuditEntry, Account.email).outerjoin(Account, did_it)
    messages = (
        select(Message, SmsTemplateVersion.locale, SmsTemplateVersion.version, Provider.label)
        .outerjoin(SmsTemplateVersion, SmsTemplateVersion.id == Message.sms_template_version_id)
        .outerjoin(Provider, and_(Provider.app_id == Message.app_id, Provider.id == Message.provider_id))
    )
    newest = (Verification.created_at.desc(), Verification.id.desc())
    here, about = ctx.app_id, user_id
    return (
        audits.where(AuditEntry.app_id == here, AuditEntry.user_id == about).order_by(AuditEntry.id.desc()),
        messages.where(Message.app_id == here, Message.user_id == about).order_by(Message.serial.desc()),
        select(Verification)
        .where(Verification.app_id == here, Verification.user_id == about)
        .order_by(*newest),
    )


def _is_older(key: tuple[int, str]) -> ColumnElement[bool]:
    at, verification_id = key
    # The bare bound lets both databases begin in the index.
    return and_(
        Verification.created_at <= at, or_(Verification.created_at < at, Verification.id < verification_id)
    )


def _is_not_older(key: tuple[int, str]) -> ColumnElement[bool]:
    at, verification_id = key
    return and_(
        Verification.created_at >= at, or_(Verification.created_at > at, Verification.id >= verification_id)
    )


def _audit_row(entry: AuditEntry, email: str | None) -> _Row:
    return _Row(entry.at, 1, entry.id, lambda: [timeline_events.of_audit_entry(entry, email)])


def _verification_row(row: Verification) -> _Row:
    return _Row(row.created_at, 2, (row.created_at, row.id), lambda: timeline_events.of_verification(row))


def _message_row(
    now: int, message: Message, locale: str | None, version: int | None, label: str | None
) -> _Row:
    template = None if locale is None or version is None else (locale, version)
    told = partial(timeline_messages.of_message, message, template, now, label)
    return _Row(message.created_at, 3, message.serial, told)
