"""Which carriers does an app have, and how are they set? Add, change, switch, move and remove them.

Credentials go in and never come out again: of each only the last four characters are told (OPS-05). What a
carrier's own settings may be is for its file under delivery/providers to say, and for the door to ask it.
"""

from collections.abc import Mapping, Sequence
from typing import Final

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from portal.core import credentials
from portal.core.provider_kinds import ProviderKind, kind_named
from portal.core.sealing import BrokenSeal
from portal.errors import BadInput, NotFound, Overtaken
from portal.models import App, AuditAction, Provider, random_id
from portal.services import audit, provider_details
from portal.services.context import Context
from portal.services.provider_details import Wanted

MOST: Final = 10
LONGEST_LABEL: Final = 40
LONGEST_TEXT: Final = 8_000
CHANGED_MEANWHILE: Final = "Somebody else changed this provider since you looked. Nothing was changed."


def all_of(session: Session, app_id: str) -> Sequence[Provider]:
    """An app's providers in the order of use."""
    wanted = select(Provider).where(Provider.app_id == app_id)
    return session.scalars(wanted.order_by(Provider.position, Provider.created_at, Provider.id)).all()


def get(session: Session, app_id: str, provider_id: str) -> Provider:
    """One provider of an app. Raises NotFound, for those of other apps too (TEN-02)."""
    found = session.scalar(select(Provider).where(Provider.app_id == app_id, Provider.id == provider_id))
    if found is None:
        raise NotFound("provider", "There is no such provider in this app. It may have been removed.")
    return found


def stamp(provider: Provider) -> str:
    """What a form carries to say which state of a provider it showed."""
    return str(provider.modified_at)


def last_fours(ctx: Context, provider: Provider) -> dict[str, str | None]:
    """The stored secrets by name, each with its last four, or None where it is too short to show any.

    Empty when the seal no longer opens: then every secret has to be typed again.
    """
    try:
        secrets = secrets_of(ctx, provider)
    except BrokenSeal:
        return {}
    return {name: credentials.last_four(text) for name, text in secrets.items()}


def add(ctx: Context, kind: ProviderKind, wanted: Wanted) -> Provider:
    """A new provider, last in the order and on. Raises BadInput, naming the field."""
    ctx.session.get_one(App, ctx.app_id, with_for_update=True)
    others = all_of(ctx.session, ctx.app_id)
    if len(others) >= MOST:
        raise BadInput("label", f"An app has {MOST} providers at most. Remove one that is not used.")
    label = _checked(wanted, others)
    provider_id = random_id()
    provider = Provider(
        id=provider_id,
        app_id=ctx.app_id,
        kind=kind,
        label=label,
        position=max((each.position for each in others), default=0) + 1,
        settings=dict(wanted.settings),
        created_at=ctx.now,
        modified_at=ctx.now,
        **_sealed(ctx, provider_id, wanted.secrets),
    )
    ctx.session.add(provider)
    ctx.session.flush()
    details = {"provider": label, "kind": kind.sentence} | provider_details.of_new(wanted)
    audit.record(ctx, AuditAction.PROVIDER_ADDED, details=details)
    return provider


def change(ctx: Context, provider_id: str, wanted: Wanted, seen: str) -> None:
    """Changes a provider that still is as `seen` was stamped; whoever put it right gets a fresh start.

    Raises NotFound, BadInput, naming the field, and Overtaken.
    """
    ctx.session.get_one(App, ctx.app_id, with_for_update=True)
    provider = get(ctx.session, ctx.app_id, provider_id)
    _refuse_overtaken(provider, seen)
    others = [each for each in all_of(ctx.session, ctx.app_id) if each.id != provider_id]
    label = _checked(wanted, others)
    details = provider_details.of_change(provider, label, wanted)
    secrets = _kept_and_typed(ctx, provider, wanted)
    if not details and not wanted.secrets and not wanted.forgotten:
        return
    values: dict[str, object] = {"label": label, "settings": dict(wanted.settings)}
    if wanted.secrets or wanted.forgotten:
        sealed = _sealed(ctx, provider_id, secrets)
        values |= sealed
        details["credentials"] = provider_details.last_fours(provider.secret_last4, sealed["secret_last4"])
    _write(ctx, provider, values | _FRESH_START)
    audit.record(ctx, AuditAction.PROVIDER_CHANGED, details={"provider": label} | details)


def switch(ctx: Context, provider_id: str, *, on: bool) -> None:
    """Switches a provider on or off. Off, it gets no more messages; its receipts still count.

    Raises NotFound.
    """
    ctx.session.get_one(App, ctx.app_id, with_for_update=True)
    provider = get(ctx.session, ctx.app_id, provider_id)
    if provider.is_on == on:
        return
    _write(ctx, provider, {"is_on": on} | (_FRESH_START if on else {}))
    action = AuditAction.PROVIDER_SWITCHED_ON if on else AuditAction.PROVIDER_SWITCHED_OFF
    audit.record(ctx, action, details={"provider": provider.label})


def end_pause(ctx: Context, provider_id: str, seen: str) -> bool:
    """Ends the pause of a provider that answers again, as it was checked; whether there was one to end.

    The stamp stays: whoever edits the provider meanwhile loses nothing by a check.
    """
    provider = get(ctx.session, ctx.app_id, provider_id)
    ended = ctx.session.execute(
        update(Provider)
        .where(Provider.app_id == ctx.app_id, Provider.id == provider_id, Provider.is_on)
        .where(Provider.modified_at == int(seen), Provider.paused_until.is_not(None))
        .values(**_FRESH_START)
        .returning(Provider.id)
        .execution_options(synchronize_session=False)
    ).first()
    if ended is None:
        return False
    ctx.session.expire(provider)
    audit.record(ctx, AuditAction.PROVIDER_PAUSE_ENDED, details={"provider": provider.label})
    return True


def remove(ctx: Context, provider_id: str, seen: str) -> str:
    """Removes a provider with its credentials; returns its label. Raises NotFound and Overtaken."""
    ctx.session.get_one(App, ctx.app_id, with_for_update=True)
    provider = get(ctx.session, ctx.app_id, provider_id)
    _refuse_overtaken(provider, seen)
    ctx.session.execute(delete(Provider).where(Provider.app_id == ctx.app_id, Provider.id == provider_id))
    details = {"provider": provider.label, "kind": kind_named(provider.kind).sentence}
    audit.record(ctx, AuditAction.PROVIDER_REMOVED, details=details)
    return provider.label


_FRESH_START: Final[dict[str, object]] = {"failures_in_row": 0, "paused_until": None}


def _write(ctx: Context, provider: Provider, values: Mapping[str, object]) -> None:
    """Writes to the row as it was read; the stamp always moves on, within one millisecond too."""
    seen = provider.modified_at
    written = ctx.session.execute(
        update(Provider)
        .where(Provider.app_id == ctx.app_id, Provider.id == provider.id, Provider.modified_at == seen)
        .values(**values, modified_at=max(ctx.now, seen + 1))
        .returning(Provider.id)
        .execution_options(synchronize_session=False)
    ).first()
    if written is None:
        raise Overtaken(CHANGED_MEANWHILE)
    ctx.session.expire(provider)


def _refuse_overtaken(provider: Provider, seen: str) -> None:
    if stamp(provider) != seen:
        raise Overtaken(CHANGED_MEANWHILE)


def _checked(wanted: Wanted, others: Sequence[Provider]) -> str:
    """The label as it is kept. Raises BadInput for what no row should hold, whoever asks."""
    label = " ".join(wanted.label.split())
    if not label:
        raise BadInput("label", "Give the provider a name, such as Twilio Japan.")
    if len(label) > LONGEST_LABEL or not label.isprintable():
        raise BadInput("label", f"Write {LONGEST_LABEL} characters at most, without control characters.")
    if label.casefold() in {each.label.casefold() for each in others}:
        raise BadInput("label", "Another provider of this app has this name. Choose a different one.")
    for name, text in {**wanted.settings, **wanted.secrets}.items():
        if len(text) > LONGEST_TEXT:
            raise BadInput(name, f"Shorten this to {LONGEST_TEXT:,} characters.")
        if "\0" in text or any("\ud800" <= char <= "\udfff" for char in text):
            raise BadInput(name, "Leave out characters that cannot be written.")
    return label


def secrets_of(ctx: Context, provider: Provider) -> dict[str, str]:
    """The credentials by name, to talk to the carrier with and never to be shown. Raises BrokenSeal."""
    version, sealed = provider.sealing_key_version, provider.sealed
    return credentials.open_up(ctx.keys.sealing, provider.app_id, provider.id, version, sealed)


def _kept_and_typed(ctx: Context, provider: Provider, wanted: Wanted) -> dict[str, str]:
    try:
        stored = secrets_of(ctx, provider)
    except BrokenSeal:
        # Nothing of it can be kept; the door asked for all that is needed.
        stored = {}
    kept = {name: text for name, text in stored.items() if name not in wanted.forgotten}
    moved = [name for name in wanted.bound_to if provider.settings.get(name) != wanted.settings.get(name)]
    missing = sorted(set(kept) - set(wanted.secrets))
    if moved and missing:
        raise BadInput(missing[0], "Type this again: where it is sent to has changed.")
    return kept | dict(wanted.secrets)


def _sealed(ctx: Context, provider_id: str, secrets: Mapping[str, str]) -> dict[str, object]:
    if not secrets:
        return {"sealed": None, "sealing_key_version": None, "secret_last4": None}
    version, sealed = credentials.close(ctx.keys.sealing, ctx.app_id, provider_id, secrets)
    first = next(iter(secrets.values()))
    return {
        "sealed": sealed,
        "sealing_key_version": version,
        "secret_last4": credentials.last_four(first),
    }
