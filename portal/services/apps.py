"""Which apps are there, and how are they set? Create, change, count, renew the secret."""

import secrets
from collections.abc import Collection
from dataclasses import dataclass, fields, replace

from sqlalchemy import bindparam, func, insert, select
from sqlalchemy.orm import Session

from portal.core import locales, phone_number, placeholders, wordings
from portal.core.roles import Role
from portal.errors import BadInput, NotFound
from portal.models import App, AppMode, AuditAction, Membership, NumberTaken, User, table
from portal.services import audit, countries, sms_templates, tokens
from portal.services.context import Context

_LIMITS = {
    "code_length": (4, 10, "digits"),
    "code_life_s": (60, 600, "seconds"),
    "guesses_allowed": (1, 10, "guesses"),
    "sends_allowed": (1, 10, "sends"),
}
LONGEST_TOKEN_LIFE_S = 2_147_483_640
_IS_THERE = select(table(App).c.id).where(table(App).c.id == bindparam("the_app"))


@dataclass(frozen=True, slots=True, kw_only=True)
class NewApp:
    """What creating an app needs. `home_country` is two letters; only it is open at first."""

    name: str
    home_country: str
    default_locale: str = "en"


@dataclass(frozen=True, slots=True, kw_only=True)
class AppChanges:
    """Which settings change; None stays as it is."""

    name: str | None = None
    default_locale: str | None = None
    phone_number_verification_required: bool | None = None
    code_length: int | None = None
    code_life_s: int | None = None
    guesses_allowed: int | None = None
    sends_allowed: int | None = None
    number_taken: str | None = None
    notify_old_number: bool | None = None
    expose_full_user_data_to_others: bool | None = None
    refresh_token_enabled: bool | None = None
    default_token_life_s: int | None = None
    max_token_life_s: int | None = None
    open_countries: frozenset[str] | None = None


@dataclass(frozen=True, slots=True)
class Created:
    """A new app and its ClientSecret, which is shown once."""

    app: App
    client_secret: str


@dataclass(frozen=True, slots=True)
class Counts:
    """How many users an app has, by the state of their number."""

    users: int
    verified: int
    unverified: int
    pending: int
    disabled: int


def create(ctx: Context, new: NewApp, owner_id: str | None = None) -> Created:
    """A new sandbox app with its English template, owned by an account. Raises BadInput."""
    _refuse_bad_name(new.name)
    if new.home_country not in phone_number.regions():
        raise BadInput("home_country", "Choose a country by its two letters, such as JP.")
    secret = secrets.token_urlsafe(32)
    app = App(
        id=secrets.token_hex(8),
        name=new.name.strip(),
        mode=AppMode.SANDBOX,
        provider="inbox",
        home_country=new.home_country,
        default_locale="en",
        client_secret_hash=tokens.hashed(secret),
        client_secret_last4=secret[-4:],
        created_at=ctx.now,
    )
    ctx.session.add(app)
    ctx.session.flush()
    here = ctx.in_app(app.id)
    if owner_id is not None:
        row = {"account_id": owner_id, "app_id": app.id, "role": Role.OWNER, "created_at": ctx.now}
        ctx.session.execute(insert(Membership).values(row))
    countries.set_open(here, [new.home_country])
    sms_templates.save(here, "en", wordings.VERIFICATION["en"])
    if new.default_locale != "en":
        change(here, AppChanges(default_locale=new.default_locale))
    details = {"name": app.name, "home_country": app.home_country}
    audit.record(here, AuditAction.APP_CREATED, details=details)
    return Created(app, secret)


def get(session: Session, app_id: str) -> App:
    """The app with this AppID. Raises NotFound."""
    app = session.get(App, app_id)
    if app is None:
        raise NotFound("app", "There is no such app.", appID=app_id)
    return app


def require(session: Session, app_id: str) -> None:
    """Raises NotFound unless there is an app with this AppID."""
    if session.connection().execute(_IS_THERE, {"the_app": app_id}).first() is None:
        raise NotFound("app", "There is no such app.", appID=app_id)


def change(ctx: Context, changes: AppChanges) -> App:
    """Changes an app's settings; what changed goes to the audit log with before and after.

    Raises BadInput, naming the setting, for a value out of its range.
    """
    app = ctx.session.get_one(App, ctx.app_id, with_for_update=True)
    _refuse_bad(changes)
    changes = _tidied(changes)
    difference: dict[str, object] = {}
    for each in fields(changes):
        value = getattr(changes, each.name)
        if value is None or each.name == "open_countries":
            continue
        before = getattr(app, each.name)
        if before != value:
            difference[each.name] = [before, value]
            setattr(app, each.name, value)
    _refuse_long_texts(ctx, difference)
    difference |= _change_countries(ctx, changes.open_countries)
    _ensure_default_template(ctx, app)
    if difference:
        audit.record(ctx, AuditAction.APP_CHANGED, details=difference)
    ctx.session.flush()
    return app


def regenerate_secret(ctx: Context) -> str:
    """A new ClientSecret; the old one and every token of the app end (contract a.9). Shown once."""
    app = ctx.session.get_one(App, ctx.app_id, with_for_update=True)
    secret = secrets.token_urlsafe(32)
    app.client_secret_hash, app.client_secret_last4 = tokens.hashed(secret), secret[-4:]
    tokens.end_all_of_app(ctx)
    audit.record(ctx, AuditAction.APP_SECRET_REGENERATED)
    return secret


def counts(session: Session, app_id: str, now: int) -> Counts:
    """How many users an app has in each state. Reads every user of the app once."""
    unverified = User.phone_number.is_not(None) & User.phone_number_verified.is_(False)
    row = session.execute(
        select(
            func.count(),
            func.count().filter(User.phone_number_verified),
            func.count().filter(unverified),
            func.count().filter(User.pending_until > now),
            func.count().filter(User.disabled),
        ).where(User.app_id == app_id)
    ).one()
    return Counts(*row)


def _refuse_bad_name(name: str) -> None:
    problem = placeholders.app_name_problem(name.strip())
    if problem:
        raise BadInput("name", problem)


def _refuse_bad(changes: AppChanges) -> None:
    if changes.name is not None:
        _refuse_bad_name(changes.name)
    for name, (least, most, unit) in _LIMITS.items():
        value = getattr(changes, name)
        if value is not None and not least <= value <= most:
            raise BadInput(name, f"Choose {least} to {most} {unit}.")
    for name in ("default_token_life_s", "max_token_life_s"):
        value = getattr(changes, name)
        if value is not None and not 1 <= value <= LONGEST_TOKEN_LIFE_S:
            raise BadInput(name, f"Choose 1 to {LONGEST_TOKEN_LIFE_S} seconds.")
    if changes.number_taken is not None and changes.number_taken not in set(NumberTaken):
        raise BadInput("number_taken", "Choose refuse or move.")


def _tidied(changes: AppChanges) -> AppChanges:
    """The changes as they are stored: the name without outer space, the locale in its usual spelling."""
    name, locale = changes.name, changes.default_locale
    try:
        tag = None if locale is None else locales.normalise(locale)
    except locales.LocaleError as error:
        raise BadInput("default_locale", str(error)) from error
    return replace(changes, name=None if name is None else name.strip(), default_locale=tag)


def _refuse_long_texts(ctx: Context, difference: Collection[str]) -> None:
    """A wording that fits in two segments must go on fitting when what is filled in grows (TPL-02)."""
    grown = next((name for name in ("name", "code_length", "code_life_s") if name in difference), None)
    too_long = sms_templates.too_long(ctx) if grown else []
    if grown and too_long:
        raise BadInput(
            grown, f"With this, the SMS template for {too_long[0]} needs too many segments. Shorten it first."
        )


def _change_countries(ctx: Context, wanted: frozenset[str] | None) -> dict[str, object]:
    if wanted is None:
        return {}
    before = countries.open_in(ctx.session, ctx.app_id)
    if set(before) == wanted:
        return {}
    countries.set_open(ctx, wanted)
    return {"open_countries": [before, sorted(wanted)]}


def _ensure_default_template(ctx: Context, app: App) -> None:
    """The default locale always has a template, so falling back always finds one."""
    offered = {template.locale for template in sms_templates.all_of(ctx.session, app.id)}
    if app.default_locale not in offered:
        wording = wordings.VERIFICATION[locales.choose(app.default_locale, wordings.VERIFICATION, "en")]
        sms_templates.save(ctx, app.default_locale, wording)
