"""Which wordings wait for a second owner? Submitting, approving and discarding drafts."""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from portal.errors import BadInput, Forbidden, NotFound, Overtaken
from portal.models import AuditAction, SmsTemplateDraft, random_id
from portal.services import audit, sms_templates
from portal.services.context import Context
from portal.services.sms_templates import SavedTemplate, Signed

LONGEST_NOTE = 200


@dataclass(frozen=True, slots=True)
class Submission:
    """What an owner wants an SMS to say, and what they saw when they began to write it.

    `based_on` is the version that was in force, 0 for none; `draft_seen` the id of the draft that waited, ""
    for none. None as either asks for no check that nobody else has saved meanwhile.
    """

    locale: str
    body: str
    note: str | None = None
    based_on: int | None = None
    draft_seen: str | None = None


def submit(ctx: Context, wanted: Submission) -> SavedTemplate | SmsTemplateDraft:
    """Puts a wording in force, or, where the app asks for a second owner, lets it wait for one.

    A locale has one draft; the newest takes the place of the one before. What is in force already is left
    as it is, unless a note says why it is signed once more or a draft waits to be replaced by it.
    Raises what sms_templates.checked raises, BadInput for a long note, and Overtaken when somebody else saved
    or proposed meanwhile.
    """
    app = sms_templates.lock(ctx)
    tag, wording = sms_templates.checked(ctx, wanted.locale, wanted.body)
    if len(wanted.note or "") > LONGEST_NOTE:
        raise BadInput("note", f"Shorten the note to {LONGEST_NOTE} characters.")
    if any(unicodedata.category(char) in {"Cc", "Cs"} for char in wanted.note or ""):
        raise BadInput("note", "Write the note in one line, without control characters.")
    refuse_overtaken(ctx, tag, wanted.based_on)
    if (same := _unchanged(ctx, tag, wording.body, wanted.note)) is not None:
        return same
    signed = Signed(tag, wording.body, wanted.note, ctx.caller.id)
    if not app.sms_templates_need_approval:
        return sms_templates.put_in_force(ctx, signed)
    return _let_wait(ctx, signed, wanted.draft_seen)


def of(session: Session, app_id: str, locale: str) -> SmsTemplateDraft | None:
    """The draft of one locale, if one waits."""
    return session.get(SmsTemplateDraft, (app_id, locale), populate_existing=True)


def all_of(session: Session, app_id: str) -> Sequence[SmsTemplateDraft]:
    """Every draft of an app, by locale."""
    wanted = select(SmsTemplateDraft).where(SmsTemplateDraft.app_id == app_id)
    return session.scalars(wanted.order_by(SmsTemplateDraft.locale)).all()


def approve(ctx: Context, locale: str, draft_id: str, based_on: int | None = None) -> SavedTemplate:
    """Puts the draft that was looked at in force. Raises Forbidden for its own author.

    `based_on` is the version that it was compared with, 0 for none, None for no check. Raises NotFound when
    the draft was replaced, approved or discarded meanwhile, Overtaken when another version is in force by
    now, and what `checked` raises when the app's settings have changed so that it may no longer be sent.
    """
    sms_templates.lock(ctx)
    draft = _found(ctx, locale, draft_id)
    if draft.created_by == ctx.caller.id:
        raise Forbidden("Another owner has to approve this draft: nobody approves their own.")
    refuse_overtaken(ctx, locale, based_on)
    sms_templates.checked(ctx, draft.locale, draft.body)
    signed = Signed(draft.locale, draft.body, draft.note, draft.created_by, ctx.caller.id)
    _take_away(ctx, draft)
    saved = sms_templates.put_in_force(ctx, signed)
    details = {"locale": locale, "version": saved.version}
    audit.record(ctx, AuditAction.SMS_TEMPLATE_APPROVED, details=details)
    return saved


def discard(ctx: Context, locale: str, draft_id: str) -> None:
    """Drops a draft, whoever wrote it. Raises NotFound when it is gone or was replaced."""
    sms_templates.lock(ctx)
    _take_away(ctx, _found(ctx, locale, draft_id))
    audit.record(ctx, AuditAction.SMS_TEMPLATE_DISCARDED, details={"locale": locale})


def refuse_overtaken(ctx: Context, locale: str, based_on: int | None) -> None:
    """Raises Overtaken unless the version in force is the one that was looked at; None asks for no check."""
    if based_on is None:
        return
    current = sms_templates.version_of(ctx.session, ctx.app_id, locale)
    if current != based_on:
        what = f"Version {current} was saved" if current else "The SMS template was removed"
        raise Overtaken(f"{what} since you looked. Nothing was changed.")


def _unchanged(ctx: Context, locale: str, body: str, note: str | None) -> SavedTemplate | None:
    is_new = not sms_templates.version_of(ctx.session, ctx.app_id, locale)
    if is_new or note or of(ctx.session, ctx.app_id, locale) is not None:
        return None
    in_force = sms_templates.get(ctx.session, ctx.app_id, locale)
    return in_force if in_force.body == body else None


def _let_wait(ctx: Context, signed: Signed, draft_seen: str | None) -> SmsTemplateDraft:
    old = of(ctx.session, ctx.app_id, signed.locale)
    if draft_seen is not None and (old.id if old else "") != draft_seen:
        raise Overtaken("The draft that waits is another one by now. Nothing was changed.")
    if old is not None:
        _take_away(ctx, old)
    draft = SmsTemplateDraft(
        app_id=ctx.app_id,
        locale=signed.locale,
        id=random_id(),
        body=signed.body,
        note=signed.note or None,
        created_at=ctx.now,
        created_by=signed.created_by,
    )
    ctx.session.add(draft)
    ctx.session.flush()
    audit.record(ctx, AuditAction.SMS_TEMPLATE_PROPOSED, details={"locale": signed.locale})
    return draft


def _found(ctx: Context, locale: str, draft_id: str) -> SmsTemplateDraft:
    draft = of(ctx.session, ctx.app_id, locale)
    if draft is None or draft.id != draft_id:
        raise NotFound("draft", "This draft was replaced, approved or discarded meanwhile. Look at it again.")
    return draft


def _take_away(ctx: Context, draft: SmsTemplateDraft) -> None:
    ctx.session.execute(
        delete(SmsTemplateDraft)
        .where(SmsTemplateDraft.app_id == ctx.app_id, SmsTemplateDraft.id == draft.id)
        .execution_options(synchronize_session=False)
    )
    ctx.session.expunge(draft)
