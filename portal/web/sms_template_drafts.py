"""The draft of an SMS template: what would change, another owner's approval, or its end."""

from collections.abc import Sequence

from flask import Blueprint, Response, flash, make_response, render_template, request, url_for

from portal.core import locales
from portal.core.placeholders import WordingError
from portal.core.roles import Action
from portal.database import reading, transaction
from portal.errors import BadInput, NotFound, Overtaken
from portal.services import accounts, sms_template_drafts
from portal.web import comparisons, previews
from portal.web.guards import Standing, may
from portal.web.render import go_to
from portal.web.sms_template_pages import tag_of
from portal.web.sms_template_versions import in_force_of, readers

pages = Blueprint(
    "sms_template_drafts", __name__, url_prefix="/apps/<id:app_id>/sms-templates/<locale:locale>/draft"
)


@pages.get("")
@may(Action.SEE_SMS_TEMPLATES)
def show(standing: Standing, locale: str) -> Response:
    """What waits, beside what is in force."""
    return _page(standing, tag_of(locale))


@pages.post("/approval")
@may(Action.PUBLISH_SMS_TEMPLATES)
def approve(standing: Standing, locale: str) -> Response:
    """Puts the draft in force that was looked at; anything else is shown again, with the reason."""
    tag = tag_of(locale)
    based_on = request.form.get("based_on", type=int)
    try:
        with transaction() as session:
            ctx = standing.context(session)
            saved = sms_template_drafts.approve(ctx, tag, request.form.get("draft", ""), based_on)
    except NotFound as refusal:
        return _look_again(standing, tag, refusal)
    except WordingError as refusal:
        return _page(standing, tag, [problem.fix for problem in refusal.problems])
    except (BadInput, Overtaken) as refusal:
        return _page(standing, tag, [refusal.message])
    flash(
        f"Approved. {locales.name(tag)}, version {saved.version}, is in force: new messages use it.", "good"
    )
    return go_to(url_for("sms_templates.edit", app_id=standing.app.id, locale=tag))


@pages.post("/removal")
@may(Action.CHANGE_SMS_TEMPLATES)
def discard(standing: Standing, locale: str) -> Response:
    """Drops the draft that was looked at, and no other."""
    tag = tag_of(locale)
    try:
        with transaction() as session:
            ctx = standing.context(session)
            sms_template_drafts.discard(ctx, tag, request.form.get("draft", ""))
    except NotFound as refusal:
        return _look_again(standing, tag, refusal)
    flash(f"Discarded the draft of {locales.name(tag)}. What is in force stays.", "good")
    return _to_the_template(standing, tag)


def _look_again(standing: Standing, tag: str, refusal: NotFound) -> Response:
    """Leads to what waits now, or to what is in force where nothing waits any more."""
    flash(refusal.message, "bad")
    if sms_template_drafts.of(reading(), standing.app.id, tag) is None:
        return _to_the_template(standing, tag)
    return go_to(url_for("sms_template_drafts.show", app_id=standing.app.id, locale=tag))


def _to_the_template(standing: Standing, tag: str) -> Response:
    return go_to(url_for("sms_templates.edit", app_id=standing.app.id, locale=tag))


def _page(standing: Standing, locale: str, refusals: Sequence[str] = ()) -> Response:
    draft = sms_template_drafts.of(reading(), standing.app.id, locale)
    if draft is None:
        raise NotFound("draft", f"No draft of {locales.name(locale)} waits for approval.")
    in_force = in_force_of(standing, locale)
    page = render_template(
        "sms_templates/draft.html",
        app=standing.app,
        locale=locale,
        draft=draft,
        is_own=draft.created_by == standing.account_id,
        in_force=in_force,
        comparison=comparisons.of(standing.app, in_force.body if in_force else None, draft.body),
        preview=previews.of(standing.app, draft.body),
        readers=readers(standing, locale),
        signers=accounts.emails(reading(), [draft.created_by]),
        refusals=refusals,
    )
    return make_response(page, 422 if refusals else 200)
