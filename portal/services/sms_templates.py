"""What does an app say in which locale? Saving, choosing and removing SMS templates."""

from dataclasses import dataclass

from sqlalchemy import Select, and_, bindparam, delete, insert, select, update
from sqlalchemy.orm import Session

from portal.core import locales, placeholders, segments
from portal.errors import BadInput, NotFound
from portal.models import App, AuditAction, SmsTemplate, SmsTemplateVersion, table
from portal.services import audit
from portal.services.app_settings import AppSettings
from portal.services.context import Context

MOST_SEGMENTS = 2


_CURRENT, _VERSION = table(SmsTemplate), table(SmsTemplateVersion)
_IS_CURRENT = and_(
    _VERSION.c.app_id == _CURRENT.c.app_id,
    _VERSION.c.locale == _CURRENT.c.locale,
    _VERSION.c.version == _CURRENT.c.current_version,
)
_OFFERED = (
    select(_VERSION.c.id, _VERSION.c.locale, _VERSION.c.body)
    .join(_CURRENT, _IS_CURRENT)
    .where(_CURRENT.c.app_id == bindparam("app"))
)


@dataclass(frozen=True, slots=True)
class SavedTemplate:
    """The wording in force for one locale. Times in Unix ms."""

    locale: str
    body: str
    version: int
    modified_at: int


@dataclass(frozen=True, slots=True)
class Winner:
    """The version that a user of some locale gets."""

    id: int
    locale: str
    body: str


def all_of(session: Session, app_id: str) -> list[SavedTemplate]:
    """Every template of an app, by locale."""
    return [SavedTemplate(*row) for row in session.execute(_in_force(app_id).order_by(SmsTemplate.locale))]


def get(session: Session, app_id: str, locale: str) -> SavedTemplate:
    """The template of one locale. Raises NotFound."""
    row = session.execute(_in_force(app_id).where(SmsTemplate.locale == locale)).first()
    if row is None:
        raise NotFound("sms_template", f"There is no SMS template for {locale}.")
    return SavedTemplate(*row)


def winner(ctx: Context, app: App | AppSettings, locale: str | None) -> Winner:
    """The wording for a user's locale: longest match, the app's default, then `en` (contract d.3)."""
    offered = {row.locale: row for row in ctx.execute(_OFFERED, {"app": app.id})}
    return Winner(*offered[locales.choose(locale, offered.keys(), app.default_locale)])


def save(ctx: Context, locale: str, body: str) -> SavedTemplate:
    """Saves a wording as the next version of its locale, a new locale included.

    Raises placeholders.WordingError for a broken body, BadInput for an ill-formed locale and for a text that
    could need more than two segments (TPL-01, TPL-02).
    """
    tag = _tag(locale)
    wording = placeholders.parse(body)
    _refuse_long(ctx, wording)
    version = _next_version(ctx, tag)
    ctx.session.execute(
        insert(SmsTemplateVersion).values(
            app_id=ctx.app_id,
            locale=tag,
            version=version,
            body=wording.body,
            created_at=ctx.now,
            created_by=ctx.caller.id,
        )
    )
    _put_in_force(ctx, tag, version)
    audit.record(ctx, AuditAction.SMS_TEMPLATE_SAVED, details={"locale": tag, "version": version})
    return SavedTemplate(tag, wording.body, version, ctx.now)


def remove(ctx: Context, locale: str) -> None:
    """Takes a locale's template away; its users fall back to the next one.

    Raises BadInput for `en` and for the app's default locale, NotFound for one that is not there.
    """
    app = ctx.session.get_one(App, ctx.app_id)
    if locale in ("en", app.default_locale):
        raise BadInput("locale", f"The template for {locale} cannot be removed: others fall back to it.")
    gone = ctx.session.execute(
        delete(SmsTemplate)
        .where(SmsTemplate.app_id == ctx.app_id, SmsTemplate.locale == locale)
        .returning(SmsTemplate.current_version)
    ).first()
    if gone is None:
        raise NotFound("sms_template", f"There is no SMS template for {locale}.")
    details = {"locale": locale, "version": gone.current_version}
    audit.record(ctx, AuditAction.SMS_TEMPLATE_REMOVED, details=details)


def too_long(ctx: Context) -> list[str]:
    """The locales whose wording needs more than two segments by the app's present settings (TPL-02)."""
    wordings = all_of(ctx.session, ctx.app_id)
    return [each.locale for each in wordings if _segments(ctx, placeholders.parse(each.body)) > MOST_SEGMENTS]


def _in_force(app_id: str) -> Select[str, str, int, int]:
    return (
        select(
            SmsTemplate.locale, SmsTemplateVersion.body, SmsTemplate.current_version, SmsTemplate.modified_at
        )
        .join(SmsTemplateVersion, _IS_CURRENT)
        .where(SmsTemplate.app_id == app_id)
    )


def _tag(locale: str) -> str:
    try:
        return locales.normalise(locale)
    except locales.LocaleError as error:
        raise BadInput("locale", str(error)) from error


def _segments(ctx: Context, wording: placeholders.Wording) -> int:
    app = ctx.session.get_one(App, ctx.app_id)
    longest = {"code": "0" * app.code_length, "app_name": app.name, "minutes": str(app.code_life_s // 60)}
    return segments.segment(wording.fill(longest)).count


def _refuse_long(ctx: Context, wording: placeholders.Wording) -> None:
    needed = _segments(ctx, wording)
    if needed > MOST_SEGMENTS:
        raise BadInput(
            "body", f"This text needs {needed} segments an SMS. Shorten it to fit in {MOST_SEGMENTS}."
        )


def _next_version(ctx: Context, tag: str) -> int:
    # Versions outlive their template, so counting goes on when a removed locale comes back.
    last = ctx.session.scalar(
        select(SmsTemplateVersion.version)
        .where(SmsTemplateVersion.app_id == ctx.app_id, SmsTemplateVersion.locale == tag)
        .order_by(SmsTemplateVersion.version.desc())
        .limit(1)
    )
    return (last or 0) + 1


def _put_in_force(ctx: Context, tag: str, version: int) -> None:
    changed = ctx.session.execute(
        update(SmsTemplate)
        .where(SmsTemplate.app_id == ctx.app_id, SmsTemplate.locale == tag)
        .values(current_version=version, modified_at=ctx.now)
        .returning(SmsTemplate.locale)
    ).first()
    if changed is None:
        ctx.session.execute(
            insert(SmsTemplate).values(
                app_id=ctx.app_id,
                locale=tag,
                current_version=version,
                created_at=ctx.now,
                modified_at=ctx.now,
            )
        )
