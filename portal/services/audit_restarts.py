"""How does a broken chain go on? It is begun anew: all entries stay, and the first new one says so (PII-07).

The job that seals leaves a chain alone whose own row was tampered with, or the false row would become a true
one. After a person has looked at the damage, the chain goes on from an entry that follows upon no other. What
is before it stays in place with what is wrong about it, under one hash of its own, so that nobody can blame
on the old damage what they do later.
"""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, insert, select
from sqlalchemy.orm import Session

from portal.core import audit_seals
from portal.core.audit_anchors import Anchor
from portal.core.audit_seals import FORM, NOTHING_KEPT, START, Link, Restart
from portal.errors import NothingToVerify, Overtaken
from portal.models import AuditAction, AuditEntry, table
from portal.services import (
    audit_chains,
    audit_checks,
    audit_entries,
    audit_faults,
    audit_sealing,
    audit_walks,
    unreadable_rows,
)
from portal.services.audit_chains import Chain
from portal.services.audit_sealing import LostEntry
from portal.services.context import Context
from portal.services.unreadable_rows import Unreadable

# A number beyond this was written by somebody else; new ones could not be counted on from there.
_LAST_NUMBER = 2**62
_AT_ONCE = 1_000
_ENTRY = table(AuditEntry)
_UNREADABLE = """A row of the chain holds what Ringback never writes, so it cannot be kept as it is. \
Nothing was done; keep a copy of that row elsewhere, have it hold something readable, and try again."""
_MOVED = "The chain was moved or begun anew meanwhile. Nothing was done; verify it again."


@dataclass(frozen=True, slots=True)
class Damage:
    """A chain that does not hold, as it was seen in one moment, and what a new one needs to know of it.

    `base` is what the oldest entry follows upon, `last` the greatest number given, `kept` the hash over all
    entries that are there, `count` how many those are.
    """

    chain_id: str
    chain: Chain | None
    found: str
    base: Link
    last: int
    kept: str
    count: int


def look(session: Session, key: bytes, chain_id: str, now: int, anchors: Iterable[Anchor] = ()) -> Damage:
    """What is wrong with a chain. The session must see one moment.

    Raises NothingToVerify where it holds, and where a row cannot be read at all.
    """
    with _in_words():
        return _look(session, key, chain_id, now, anchors)


def _look(session: Session, key: bytes, chain_id: str, now: int, anchors: Iterable[Anchor]) -> Damage:
    # It comes first: what moved it since is found by it.
    chain = audit_chains.find(session, chain_id)
    faults = audit_checks.check(session, key, chain_id, now, anchors).faults
    if not faults:
        raise NothingToVerify(f"The chain of {chain_id} holds: there is nothing to begin anew.")
    first = last = None
    kept, count = NOTHING_KEPT, 0
    app_id = audit_chains.app_of(chain_id)
    if any(audit_faults.in_no_place(session, app_id)):
        raise Unreadable
    for entry in _entries(session, app_id):
        if entry.sequence <= _LAST_NUMBER:
            first, last = entry.sequence if first is None else first, entry.sequence
            kept = audit_seals.with_kept(kept, [audit_entries.kept_of(key, chain_id, entry, FORM)])
            count += 1
    end = max(last or 0, chain.head.sequence if chain and chain.head.sequence <= _LAST_NUMBER else 0)
    found = faults[0] if len(faults) == 1 else f"{faults[0]}; {len(faults) - 1} more"
    return Damage(chain_id, chain, found, _base(chain, end + 1 if first is None else first), end, kept, count)


def _entries(session: Session, app_id: str | None) -> Iterator[Row[*tuple[Any, ...]]]:
    after: int | None = None
    while found := session.execute(audit_walks.entries_of(app_id, after).limit(_AT_ONCE)).all():
        yield from found
        after = found[-1].sequence


def begin_anew(ctx: Context, damage: Damage, reason: str) -> Link:
    """Begins the chain anew after the damage that was looked at; returns the link of the entry that says so.

    `ctx` is a call in the chain's app. Raises Overtaken, having changed nothing, when the chain was moved or
    begun anew since, and NothingToVerify where a row cannot be read at all.
    """
    with _in_words():
        kept, last = _with_forgeries(ctx, damage)
    entry = _said(ctx, damage, reason)
    key, chain_id = ctx.keys.audit, damage.chain_id
    told = audit_entries.told_of(key, chain_id, entry)
    follows = audit_seals.before_restart(key, chain_id, last)
    head = audit_seals.of_entry(key, chain_id, follows, audit_entries.facts_of(entry, told))
    restart = Restart(head.sequence, ctx.now, kept)
    is_ours = (
        audit_chains.move(ctx, damage.chain, base=damage.base, head=head, restart=restart)
        if damage.chain
        else audit_chains.add(ctx, chain_id, damage.base, head, restart)
    )
    if not is_ours:
        raise Overtaken(_MOVED)
    audit_sealing.write(ctx, chain_id, [entry], [head], [told])
    return head


@contextmanager
def _in_words() -> Iterator[None]:
    try:
        with unreadable_rows.told_apart():
            yield
    except Unreadable as error:
        raise NothingToVerify(_UNREADABLE) from error


def _base(chain: Chain | None, first: int) -> Link:
    """What the entry numbered `first` follows upon. Nothing that is there may lie before it."""
    if chain is not None and chain.base.sequence < first:
        return chain.base
    # Whatever is below the base may be removed from the database, so no false row may move it up.
    return START if first <= 1 else Link(first - 1, START.hash)


def _with_forgeries(ctx: Context, damage: Damage) -> tuple[str, int]:
    """Gives numbers to entries that claim a restart and are none: they stay, as part of the damage."""
    kept, last = damage.kept, damage.last
    app_id, key = audit_chains.app_of(damage.chain_id), ctx.keys.audit
    for entry in ctx.session.execute(audit_sealing.forged_restarts(app_id)).all():
        last += 1
        seal = audit_entries.told_of(key, damage.chain_id, entry)
        try:
            audit_sealing.write(ctx, damage.chain_id, [entry], [Link(last, START.hash)], [seal])
        except LostEntry as error:
            raise Overtaken(_MOVED) from error
        numbered = _read(ctx, entry.id)
        kept = audit_seals.with_kept(kept, [audit_entries.kept_of(key, damage.chain_id, numbered, FORM)])
    return kept, last


def _said(ctx: Context, damage: Damage, reason: str) -> Row[*tuple[Any, ...]]:
    values = {
        "app_id": ctx.app_id or None,
        "at": ctx.now,
        "actor_kind": ctx.caller.kind,
        "actor_id": ctx.caller.id,
        "action": AuditAction.AUDIT_CHAIN_RESTARTED,
        "user_id": None,
        "reason": reason,
        "details": {"found": damage.found, "kept_entries": damage.count, **_former(damage.chain)},
    }
    made = ctx.session.connection().execute(insert(_ENTRY).values(values).returning(_ENTRY.c.id))
    return _read(ctx, made.scalar_one())


def _read(ctx: Context, entry_id: int) -> Row[*tuple[Any, ...]]:
    wanted = select(*audit_entries.COLUMNS).where(_ENTRY.c.id == entry_id)
    return ctx.session.connection().execute(wanted).one()


def _former(chain: Chain | None) -> Mapping[str, object]:
    """Where the chain began and ended by its own row, true or false."""
    if chain is None:
        return {"former_base": None, "former_head": None}
    ends = {"former_base": chain.base, "former_head": chain.head}
    return {name: f"{link.sequence} {_spelled(link.hash)}" for name, link in ends.items()}


def _spelled(hashed: str) -> str:
    # In one piece it would be taken for a phone number wherever seven of its signs are digits.
    return ":".join(hashed[at : at + 4] for at in range(0, len(hashed), 4))
