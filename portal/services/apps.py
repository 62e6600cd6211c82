"""Which apps are there, and how are they set? Create, change, count."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, fields

from sqlalchemy import func, insert, select
from sqlalchemy.orm import Session

from portal.core import locales, phone_number, wordings
from portal.core.roles import Role
from portal.errors import BadInput, NotFound
from portal.models import App, AppMode, AuditAction, KeyKind, Membership, User, random_id
from portal.services import access_keys, accounts, audit, countries, sms_templates
from portal.services.app_changes import AppChanges, refuse_bad_name, tidied
from portal.services.context import Context

__all__ = [
    "AppChanges",
    "Counts",
    "Created",
    "NewApp",
    "change",
    "counts",
    "create",
    "get",
]

# What can make a text longer. A hash always has the same length.
_LENGTHENING = ("name", "code_length", "code_life_s", "web_autofill", "web_domain", "android_autofill")


@dataclass(frozen=True, slots=True, kw_only=True)
class NewApp:
    """What creating an app needs. `home_country` is two letters; only it is open at first."""

    name: str
    home_country: str
    default_locale: str = "en"


@dataclass(frozen=True, slots=True)
class Created:
    """A new app with its AppKey, and its ClientSecret, which is shown once."""

    app: App
    app_key: str
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
    refuse_bad_name(new.name)
    if new.home_country not in phone_number.regions():
        raise BadInput("home_country", "Choose a country by its two letters, such as JP.")
    app = App(
        id=random_id(),
        name=new.name.strip(),
        mode=AppMode.SANDBOX,
        provider="inbox",
        home_country=new.home_country,
        default_locale="en",
        created_at=ctx.now,
    )
    ctx.session.add(app)
    ctx.session.flush()
    here = ctx.in_app(app.id)
    if owner_id is not None:
        row = {"account_id": owner_id, "app_id": app.id, "role": Role.OWNER, "created_at": ctx.now}
        ctx.session.execute(insert(Membership).values(row))
    app_key = access_keys.put_down(here, KeyKind.APP_KEY)
    client_secret = access_keys.put_down(here, KeyKind.CLIENT_SECRET)
    countries.set_open(here, [new.home_country])
    sms_templates.save(here, "en", wordings.VERIFICATION["en"])
    if new.default_locale != "en":
        change(here, AppChanges(default_locale=new.default_locale))
    details = {"name": app.name, "home_country": app.home_country}
    audit.record(here, AuditAction.APP_CREATED, details=details)
    return Created(app, app_key, client_secret)


def get(session: Session, app_id: str) -> App:
    """The app with this AppID. Raises NotFound."""
    app = session.get(App, app_id)
    if app is None:
        raise NotFound("app", "There is no such app.", appID=app_id)
    return app


def change(ctx: Context, changes: AppChanges) -> App:
    """Changes an app's settings; what changed goes to the audit log with before and after.

    Raises BadInput, naming the setting, for a value out of its range.
    """
    app = sms_templates.lock(ctx)
    changes = tidied(changes)
    difference: dict[str, list[object]] = {}
    for each in fields(changes):
        value = getattr(changes, each.name)
        if value is None or each.name == "open_countries":
            continue
        # An empty text takes a value away.
        stored, before = (None if value == "" else value), getattr(app, each.name)
        if before != stored:
            difference[each.name] = [before, stored]
            setattr(app, each.name, stored)
    _refuse_unready_autofill(app)
    _refuse_lonely_approval(ctx, difference)
    _refuse_strange_texts(ctx, app, difference)
    _refuse_long_texts(ctx, difference)
    difference |= _change_countries(ctx, changes.open_countries)
    _ensure_default_template(ctx, app)
    if difference:
        audit.record(ctx, AuditAction.APP_CHANGED, details=difference)
    ctx.session.flush()
    return app


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


def _refuse_unready_autofill(app: App) -> None:
    if app.web_autofill and not app.web_domain:
        raise BadInput("web_domain", "Write the domain that codes are filled in on, or switch this off.")
    if app.android_autofill and not app.android_hash:
        raise BadInput("android_hash", "Write the hash of the Android app, or switch this off.")


def _refuse_lonely_approval(ctx: Context, difference: Mapping[str, list[object]]) -> None:
    """An owner who is alone would never get a change through again."""
    is_new = difference.get("sms_templates_need_approval") == [False, True]
    if is_new and accounts.owners_of(ctx.session, ctx.app_id) < 2:
        raise BadInput(
            "sms_templates_need_approval",
            "This app has one owner, so nobody could approve a change. Make somebody else an owner first.",
        )


def _refuse_long_texts(ctx: Context, difference: Mapping[str, list[object]]) -> None:
    """A wording that fits must go on fitting when what is filled in or appended grows (TPL-02)."""
    grown = [name for name in _LENGTHENING if _has_grown(*difference.get(name, (None, None)))]
    if _has_grown(*reversed(difference.get("most_segments", [None, None]))):
        grown.insert(0, "most_segments")
    too_long = sms_templates.too_long(ctx) if grown else []
    if too_long:
        raise BadInput(
            grown[0],
            f"With this, the SMS template for {too_long[0]} needs too many segments. Shorten it first.",
        )


def _refuse_strange_texts(ctx: Context, app: App, difference: Collection[str]) -> None:
    """A wording that is no web address must not become one by what is filled in (TPL-03)."""
    changed = next((name for name in ("name", "code_life_s", "code_length") if name in difference), None)
    for template in sms_templates.all_of(ctx.session, ctx.app_id) if changed else []:
        found = sms_templates.strange_line(app, template.body)
        if found:
            raise BadInput(
                changed or "name",
                f"With this, the SMS template for {template.locale} says {found}. Change it first.",
            )


def _has_grown(before: object, after: object) -> bool:
    if isinstance(before, int) and isinstance(after, int):
        return after > before
    # Of two texts, the shorter may be the dearer one: GSM-7 lacks its characters.
    return bool(after)


def _change_countries(ctx: Context, wanted: frozenset[str] | None) -> dict[str, list[object]]:
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
