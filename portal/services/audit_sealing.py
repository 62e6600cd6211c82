"""When do audit entries become links of a chain? Seconds after their request, by a periodic job (PII-07).

Requests add entries as plain rows: they never wait for a chain, and never go to the database for it. The job
takes what is committed and not sealed, in the order of its ids, and gives each entry the next number. On
PostgreSQL an entry with a lower id may be committed later; it gets a later number. The head of the chain and
the entries change in one transaction, so a worker that dies half-way leaves neither a gap nor a double.
"""

from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import replace
from itertools import groupby
from typing import Any

from sqlalchemy import Row, Select, Table, bindparam, delete, select, update

from portal.core import audit_seals
from portal.core.audit_seals import START, Link, Restart
from portal.models import AuditAction, AuditEntry, table
from portal.services import audit_chains, audit_entries, unreadable_rows
from portal.services.audit_chains import Chain
from portal.services.context import Context
from portal.services.unreadable_rows import Unread, Unreadable

# How many entries are sealed at once: on SQLite nobody else writes meanwhile.
BATCH = 250

_Entry = Row[*tuple[Any, ...]]
_ENTRY: Table = table(AuditEntry)
_SEAL = (
    update(_ENTRY)
    .where(_ENTRY.c.id == bindparam("the_id"), _ENTRY.c.sequence.is_(None))
    .values(
        sequence=bindparam("the_sequence"),
        hash=bindparam("the_hash"),
        told_hash=bindparam("the_told_hash"),
        own_hash=bindparam("the_own_hash"),
    )
)


class LostEntry(Exception):
    """An entry vanished while it was being sealed; nothing was sealed."""


def forged_restarts(app_id: str | None) -> Select[*tuple[Any, ...]]:
    """The entries of a chain that say it was begun anew, and were not sealed as they were written."""
    forged = select(*audit_entries.COLUMNS).where(audit_chains.unsealed_of(app_id))
    return forged.where(_ENTRY.c.action == AuditAction.AUDIT_CHAIN_RESTARTED).order_by(_ENTRY.c.id)


def seal(ctx: Context) -> int:
    """Seals up to BATCH entries; returns how many. A chain whose own row was tampered with is left alone.

    So is an entry that nobody can read: it keeps no other from being sealed, and a walk names it.
    """
    after = 0
    while found := _unsealed(ctx, after):
        entries = [each for each in found if not isinstance(each, Unread)]
        by_app = sorted(entries, key=lambda entry: (entry.app_id or "", entry.id))
        chains = groupby(by_app, key=lambda entry: entry.app_id)
        sealed = [_seal_in(ctx, app_id, list(those)) for app_id, those in chains]
        if any(sealed) or None in sealed:
            return _total(sealed)
        after = found[-1].id
    return 0


def remove(ctx: Context, until: int) -> int:
    """Removes the oldest sealed entries, up to BATCH of a chain, that are not younger than `until` (Unix ms).

    Returns how many went. Each chain then begins after the last one that went. What is not sealed stays, and
    so does a chain whose own row was tampered with.
    """
    after = 0
    while oldest := _too_old(ctx, until, after):
        apps = sorted({row.app_id for row in oldest}, key=lambda app_id: app_id or "")
        removed = [_remove_in(ctx, app_id, until) for app_id in apps]
        if any(removed) or None in removed:
            return _total(removed)
        after = oldest[-1].id
    return 0


def _total(counts: Iterable[int | None]) -> int:
    # None is a chain that another worker moved first. PostgreSQL then locked its row for us all the same, so
    # looking for more in this transaction would lock chains in another order than others do, and deadlock.
    return sum(count or 0 for count in counts)


def _unsealed(ctx: Context, after: int) -> list[_Entry | Unread]:
    wanted = select(*audit_entries.COLUMNS).where(_ENTRY.c.sequence.is_(None), _ENTRY.c.id > after)
    # What begins a chain anew is sealed as it is written, so this one is a forgery.
    wanted = wanted.where(_ENTRY.c.action != AuditAction.AUDIT_CHAIN_RESTARTED)
    wanted = wanted.order_by(_ENTRY.c.id).limit(BATCH).with_for_update(skip_locked=True)
    return audit_entries.read(ctx.session, wanted)


def _too_old(ctx: Context, until: int, after: int) -> list[_Entry]:
    # The oldest rows have the lowest ids, so looking at those is enough and needs no other index.
    oldest = select(*audit_entries.COLUMNS).where(_ENTRY.c.id > after).order_by(_ENTRY.c.id).limit(BATCH)
    found = audit_entries.read(ctx.session, oldest)
    read = [row for row in found if not isinstance(row, Unread)]
    return [row for row in read if row.sequence is not None and row.at <= until]


def _true_chain(ctx: Context, app_id: str | None) -> Chain | None:
    # A head that somebody else set would become ours by going on from it.
    with suppress(Unreadable), unreadable_rows.told_apart():
        found = audit_chains.find_or_begin(ctx, app_id)
        return found if found is not None and found.is_sealed_with(ctx.keys.audit) else None
    return None


def _seal_in(ctx: Context, app_id: str | None, entries: list[_Entry]) -> int | None:
    chain = _true_chain(ctx, app_id)
    if chain is None:
        return 0
    told = [audit_entries.told_of(ctx.keys.audit, chain.id, entry) for entry in entries]
    links = list(_links(ctx.keys.audit, chain, entries, told))
    if not audit_chains.move(ctx, chain, head=links[-1]):
        # Another worker was faster; what it left is for the next round.
        return None
    write(ctx, chain.id, entries, links, told)
    return len(entries)


def write(
    ctx: Context, chain_id: str, entries: Sequence[_Entry], links: Sequence[Link], told: Sequence[str]
) -> None:
    """Puts each entry in its place. Raises LostEntry where one is gone, or is in its place already."""
    values = [
        {
            "the_id": entry.id,
            "the_sequence": link.sequence,
            "the_hash": link.hash,
            "the_told_hash": each,
            "the_own_hash": _own_of(ctx.keys.audit, chain_id, entry, link, each),
        }
        for entry, link, each in zip(entries, links, told, strict=True)
    ]
    if ctx.session.connection().execute(_SEAL, values).rowcount != len(values):
        raise LostEntry


def _own_of(key: bytes, chain_id: str, entry: _Entry, link: Link, told: str) -> str | None:
    # What somebody forged and only gets a number has no hash that anybody vouches for.
    if link.hash == START.hash:
        return None
    return audit_seals.of_own(key, chain_id, link, audit_entries.facts_of(entry, told))


def _links(key: bytes, chain: Chain, entries: Iterable[_Entry], told: Iterable[str]) -> Iterable[Link]:
    link = chain.head
    for entry, each in zip(entries, told, strict=True):
        link = audit_seals.of_entry(key, chain.id, link, audit_entries.facts_of(entry, each))
        yield link


def _remove_in(ctx: Context, app_id: str | None, until: int) -> int | None:
    chain = _true_chain(ctx, app_id)
    if chain is None:
        return 0
    oldest = select(*audit_entries.COLUMNS)
    oldest = oldest.where(audit_chains.of(app_id), _ENTRY.c.sequence > chain.base.sequence)
    last: Link | None = None
    for entry in audit_entries.read(ctx.session, oldest.order_by(_ENTRY.c.sequence).limit(BATCH)):
        # Whoever dates an entry back must not have it removed by us, and what is wrong about it with it.
        if (
            isinstance(entry, Unread)
            or entry.at > until
            or not _may_go(ctx.keys.audit, chain, last or chain.base, entry)
        ):
            break
        last = Link(entry.sequence, entry.hash)
    if last is None:
        return 0
    if not audit_chains.move(ctx, chain, base=last, restart=_without(ctx, chain, last)):
        return None
    gone = delete(_ENTRY).where(audit_chains.of(app_id), _ENTRY.c.sequence <= last.sequence)
    return ctx.session.connection().execute(gone).rowcount


def _may_go(key: bytes, chain: Chain, before: Link, entry: _Entry) -> bool:
    """Whether an entry is as it was sealed. Those of before a restart are held together by its `kept`."""
    if chain.is_before_restart(entry.sequence):
        return True
    if chain.restart is not None and entry.sequence == chain.restart.sequence:
        before = audit_seals.before_restart(key, chain.id, entry.sequence - 1)
    return audit_entries.follows(key, chain.id, before, entry)


def _without(ctx: Context, chain: Chain, last: Link) -> Restart | None:
    """The chain's restart without the entries up to `last`, which are about to go."""
    restart = chain.restart
    if restart is None:
        return None
    going = select(*audit_entries.COLUMNS).where(
        audit_chains.of(chain.app_id), _ENTRY.c.sequence <= last.sequence
    )
    gone = ctx.session.execute(going.where(_ENTRY.c.sequence < restart.sequence)).all()
    hashes = (audit_entries.kept_of(ctx.keys.audit, chain.id, each, restart.form) for each in gone)
    return replace(restart, kept=audit_seals.with_kept(restart.kept, hashes, -1))
