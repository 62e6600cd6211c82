"""What does an app say in which locale? Saving, choosing and removing SMS templates."""

from dataclasses import dataclass

from sqlalchemy import Select, delete, insert, select, update
from sqlalchemy.orm import Session

from portal.core import locales, message_text, placeholders, segments
from portal.core.template_file import MOST_TEMPLATES
from portal.errors import BadInput, NotFound
from portal.models import App, AuditAction, SmsTemplate, SmsTemplateVersion
from portal.services import app_settings, audit
from portal.services.context import Context
from portal.services.winners import IS_CURRENT


@dataclass(frozen=True, slots=True)
class SavedTemplate:
    """The wording in force for one locale. Times in Unix ms."""

    locale: str
    body: str
    version: int
    modified_at: int


@dataclass(frozen=True, slots=True)
class Signed:
    """A checked wording, and which accounts stand for it."""

    locale: str
    body: str
    note: str | None = None
    created_by: str | None = None
    approved_by: str | None = None


def all_of(session: Session, app_id: str) -> list[SavedTemplate]:
    """Every template of an app, by locale."""
    return [SavedTemplate(*row) for row in session.execute(_in_force(app_id).order_by(SmsTemplate.locale))]


def get(session: Session, app_id: str, locale: str) -> SavedTemplate:
    """The template of one locale. Raises NotFound."""
    row = session.execute(_in_force(app_id).where(SmsTemplate.locale == locale)).first()
    if row is None:
        raise NotFound("sms_template", f"There is no SMS template for {locale}.")
    return SavedTemplate(*row)


def version_of(session: Session, app_id: str, locale: str) -> int:
    """Which version of a locale's template is in force; 0 for none."""
    found = session.scalar(
        select(SmsTemplate.current_version).where(SmsTemplate.app_id == app_id, SmsTemplate.locale == locale)
    )
    return found or 0


def save(ctx: Context, locale: str, body: str, note: str | None = None) -> SavedTemplate:
    """Puts a wording in force as the next version of its locale, a new locale included.

    Raises what `checked` raises.
    """
    lock(ctx)
    tag, wording = checked(ctx, locale, body)
    return put_in_force(ctx, Signed(tag, wording.body, note, ctx.caller.id))


def lock(ctx: Context) -> App:
    """The app as it is now, held until the transaction ends: its templates and settings change one by one.

    Without it, two saves could count up to the same version, and a text could pass by settings just changed.
    """
    # A row that this session has seen before would be locked, and yet keep its old values. No key changes, so
    # sign-ups that point at the app go on meanwhile.
    return ctx.session.get_one(App, ctx.app_id, with_for_update={"key_share": True}, populate_existing=True)


def checked(ctx: Context, locale: str, body: str) -> tuple[str, placeholders.Wording]:
    """A locale in its usual casing, and a wording that this app may send.

    Raises placeholders.WordingError for a broken body, BadInput for an ill-formed locale and for a text that
    could need more segments than the app allows (TPL-01, TPL-02).
    """
    tag = _tag(locale)
    wording = placeholders.parse(body)
    _refuse_filled(ctx, wording)
    _refuse_long(ctx, wording)
    return tag, wording


def put_in_force(ctx: Context, signed: Signed) -> SavedTemplate:
    """The next version of a locale: new messages use it, those that wait keep theirs (TPL-05)."""
    _refuse_too_many(ctx, signed.locale)
    version = _next_version(ctx, signed.locale)
    ctx.session.execute(
        insert(SmsTemplateVersion).values(
            app_id=ctx.app_id,
            locale=signed.locale,
            version=version,
            body=signed.body,
            note=signed.note or None,
            created_at=ctx.now,
            created_by=signed.created_by,
            approved_by=signed.approved_by,
        )
    )
    _make_current(ctx, signed.locale, version)
    details = {"locale": signed.locale, "version": version}
    audit.record(ctx, AuditAction.SMS_TEMPLATE_SAVED, details=details)
    return SavedTemplate(signed.locale, signed.body, version, ctx.now)


def remove(ctx: Context, locale: str) -> None:
    """Takes a locale's template away; its users fall back to the next one.

    Raises BadInput for `en` and for the app's default locale, NotFound for one that is not there.
    """
    app = lock(ctx)
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
    """The locales whose wording needs more segments than the app's present settings allow (TPL-02)."""
    app = ctx.session.get_one(App, ctx.app_id)
    wordings = all_of(ctx.session, ctx.app_id)
    return [each.locale for each in wordings if most_needed(app, each.body) > app.most_segments]


def most_needed(app: App, body: str) -> int:
    """How many segments a wording takes with the longest values that the app's settings can give it."""
    values = message_text.values_for(app.name, app.code_life_s, app_settings.autofill_of(app))
    return segments.segment(message_text.render(body, values, "0" * app.code_length)).count


def _in_force(app_id: str) -> Select[str, str, int, int]:
    return (
        select(
            SmsTemplate.locale, SmsTemplateVersion.body, SmsTemplate.current_version, SmsTemplate.modified_at
        )
        .join(SmsTemplateVersion, IS_CURRENT)
        .where(SmsTemplate.app_id == app_id)
    )


def _tag(locale: str) -> str:
    try:
        return locales.normalise(locale)
    except locales.LocaleError as error:
        raise BadInput("locale", str(error)) from error


def _refuse_too_many(ctx: Context, locale: str) -> None:
    offered = ctx.session.scalars(select(SmsTemplate.locale).where(SmsTemplate.app_id == ctx.app_id)).all()
    if locale not in offered and len(offered) >= MOST_TEMPLATES:
        raise BadInput("locale", f"An app words its SMS in at most {MOST_TEMPLATES} languages.")


def strange_line(app: App, body: str) -> str | None:
    """What a wording says, once filled in, that no wording may: a web address, or a line for autofill.

    Neither the name nor the wording need say it alone (TPL-03, TPL-04).
    """
    values = {"app_name": app.name, "minutes": str(app.code_life_s // 60), "code": "0" * app.code_length}
    return placeholders.strange_line(placeholders.fill(body, values))


def _refuse_filled(ctx: Context, wording: placeholders.Wording) -> None:
    found = strange_line(ctx.session.get_one(App, ctx.app_id), wording.body)
    if found:
        raise BadInput(
            "body", f"With the app's name in it, this text says {found}. Put a space between them."
        )


def _refuse_long(ctx: Context, wording: placeholders.Wording) -> None:
    app = ctx.session.get_one(App, ctx.app_id)
    needed = most_needed(app, wording.body)
    if needed > app.most_segments:
        allowed = "1 segment" if app.most_segments == 1 else f"{app.most_segments} segments"
        raise BadInput("body", f"This text needs {needed} segments an SMS. Shorten it to fit in {allowed}.")


def _next_version(ctx: Context, tag: str) -> int:
    # Versions outlive their template, so counting goes on when a removed locale comes back.
    last = ctx.session.scalar(
        select(SmsTemplateVersion.version)
        .where(SmsTemplateVersion.app_id == ctx.app_id, SmsTemplateVersion.locale == tag)
        .order_by(SmsTemplateVersion.version.desc())
        .limit(1)
    )
    return (last or 0) + 1


def _make_current(ctx: Context, tag: str, version: int) -> None:
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
