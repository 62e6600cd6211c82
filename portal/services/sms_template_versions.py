"""What did an SMS say before? The versions of a template, and the way back to one."""

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.errors import BadInput, NotFound
from portal.models import SmsTemplateDraft, SmsTemplateVersion
from portal.services import sms_template_drafts, sms_templates
from portal.services.context import Context
from portal.services.sms_template_drafts import Submission
from portal.services.sms_templates import SavedTemplate

PAGE = 50
LARGEST_VERSION = 2**31 - 1  # that the column can hold


def all_of(
    session: Session, app_id: str, locale: str, before: int | None = None, limit: int = PAGE
) -> Sequence[SmsTemplateVersion]:
    """The newest versions of one locale, newest first; those of a removed template too.

    `before` names a version: only what came before it is wanted.
    """
    wanted = select(SmsTemplateVersion).where(
        SmsTemplateVersion.app_id == app_id, SmsTemplateVersion.locale == locale
    )
    if before is not None:
        wanted = wanted.where(SmsTemplateVersion.version < before)
    return session.scalars(wanted.order_by(SmsTemplateVersion.version.desc()).limit(limit)).all()


def get(session: Session, app_id: str, locale: str, version: int) -> SmsTemplateVersion:
    """One version. Raises NotFound."""
    wanted = select(SmsTemplateVersion).where(
        SmsTemplateVersion.app_id == app_id,
        SmsTemplateVersion.locale == locale,
        SmsTemplateVersion.version == version,
    )
    found = session.scalar(wanted) if version <= LARGEST_VERSION else None
    if found is None:
        raise NotFound("version", f"There is no version {version} of this SMS template.")
    return found


def restore(
    ctx: Context, locale: str, version: int, based_on: int | None = None
) -> SavedTemplate | SmsTemplateDraft:
    """Says again what a former version said, as a new version, or as a draft where a second owner decides.

    `based_on` is the version that was in force when the caller looked, None for no check. Raises NotFound,
    BadInput for the version that is in force, and what submitting raises: rules and settings may have
    changed since.
    """
    sms_templates.lock(ctx)
    former = get(ctx.session, ctx.app_id, locale, version)
    if sms_templates.version_of(ctx.session, ctx.app_id, locale) == version:
        raise BadInput("version", f"Version {version} is in force already.")
    note = f"Restored version {version}"
    return sms_template_drafts.submit(ctx, Submission(locale, former.body, note, based_on))
