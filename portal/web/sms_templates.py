"""The editor of an SMS template: its text with a live preview, saving, removal."""

from dataclasses import dataclass

from flask import Response, flash, make_response, render_template, request, url_for

from portal.core import gsm7, locales, placeholders, wording_marks, wordings
from portal.core.roles import Action
from portal.database import reading, transaction
from portal.errors import BadInput, NotFound, Overtaken
from portal.models import SmsTemplateDraft
from portal.services import segment_prices, sms_template_drafts, sms_templates
from portal.services.sms_template_drafts import Submission
from portal.services.sms_templates import SavedTemplate
from portal.web import previews
from portal.web.forms.sms_templates import WordingForm
from portal.web.guards import Standing, may
from portal.web.render import go_to
from portal.web.sms_template_pages import pages, tag_of

PAGE = "sms_templates/edit.html"
PREVIEW = "sms_templates/_preview.html"
EVERYTHING = "all"


@dataclass(frozen=True, slots=True)
class Editing:
    """One template that is being written: what stands in force and what waits."""

    locale: str
    saved: SavedTemplate | None
    draft: SmsTemplateDraft | None

    @property
    def version(self) -> int:
        """The version in force, 0 for none."""
        return self.saved.version if self.saved else 0

    @property
    def body(self) -> str:
        """What the text starts from: what waits, else what is in force, else our own wording."""
        started = self.draft or self.saved
        return started.body if started else wordings.VERIFICATION[_nearest(self.locale)]


@pages.get("/<locale:locale>")
@may(Action.SEE_SMS_TEMPLATES)
def edit(standing: Standing, locale: str) -> Response:
    """The editor. A language without a template starts from Ringback's own wording."""
    editing = _editing(standing, locale)
    waiting = editing.draft.id if editing.draft else ""
    form = WordingForm(None, body=editing.body, based_on=editing.version, draft_seen=waiting)
    return _page(standing, editing, form)


@pages.post("/<locale:locale>")
@may(Action.PUBLISH_SMS_TEMPLATES)
def save(standing: Standing, locale: str) -> Response:
    """Saves the text as a new version, or answers 422 with the text kept and every problem with its fix."""
    form, editing = WordingForm(), _editing(standing, locale)
    if not form.validate():
        return _page(standing, editing, form, status=422)
    wanted = Submission(
        editing.locale, form.body.data or "", form.note.data, form.version, form.draft_seen.data
    )
    try:
        with transaction() as session:
            ctx = standing.context(session)
            kept = sms_template_drafts.submit(ctx, wanted)
    except placeholders.WordingError as refusal:
        form.body.errors = [problem.fix for problem in refusal.problems]
    except BadInput as refusal:
        (form.note if refusal.field == "note" else form.body).errors = [refusal.message]
    except Overtaken as refusal:
        return _overtaken(standing, locale, form, refusal)
    else:
        flash(_told(kept, editing), "good")
        return go_to(url_for(".edit", app_id=standing.app.id, locale=kept.locale))
    return _page(standing, editing, form, status=422)


@pages.post("/<locale:locale>/preview")
@may(Action.SEE_SMS_TEMPLATES)
def preview(standing: Standing, locale: str) -> Response:
    """The phone for the unsaved text. Changes nothing; a POST because the text must not be in an address.

    A button may ask for a swap in the text first: of one character, of all, or of what is wrong in one place.
    """
    form = WordingForm()
    if request.htmx:  # type: ignore[attr-defined]
        shown = _shown(standing, tag_of(locale), form)
        return make_response(render_template(PREVIEW, **shown, is_update=True, refused=False))
    form.body.data = _swapped(form.body.data or "")
    return _page(standing, _editing(standing, locale), form)


@pages.post("/<locale:locale>/removal")
@may(Action.PUBLISH_SMS_TEMPLATES)
def remove(standing: Standing, locale: str) -> Response:
    """Takes a language away; its users get the next closest one."""
    locale = tag_of(locale)
    try:
        with transaction() as session:
            sms_templates.remove(standing.context(session), locale)
    except BadInput as refusal:
        flash(refusal.message, "bad")
        return go_to(url_for(".edit", app_id=standing.app.id, locale=locale))
    flash(f"Removed {locales.name(locale)}. Its users now get the next closest language.", "good")
    return go_to(url_for(".index", app_id=standing.app.id))


def _told(kept: SavedTemplate | SmsTemplateDraft, before: Editing) -> str:
    if isinstance(kept, SmsTemplateDraft):
        return (
            f"Your draft of {locales.name(kept.locale)} waits for another owner. Until then nothing changes."
        )
    if kept.version == before.version:
        return (
            f"Version {kept.version} of {locales.name(kept.locale)} says this already. Nothing was changed."
        )
    return f"Saved {locales.name(kept.locale)}, version {kept.version}. New messages use it."


def _overtaken(standing: Standing, locale: str, form: WordingForm, refusal: Overtaken) -> Response:
    """Somebody else saved or proposed meanwhile: the text stays, and saving it again is a decision."""
    editing = _editing(standing, locale)
    form.body.errors = [refusal.message, "Your text is kept: compare the two, then save it again."]
    form.based_on.process_data(editing.version)
    form.draft_seen.process_data(editing.draft.id if editing.draft else "")
    return _page(standing, editing, form, status=422, overtaken=True)


def _swapped(body: str) -> str:
    swap, place = request.form.get("swap", ""), request.form.get("mend", default=-1, type=int)
    if swap == EVERYTHING:
        return gsm7.swap(body)
    return gsm7.swap_one(body, swap) if swap else wording_marks.mended(body, place)


def _shown(standing: Standing, locale: str, form: WordingForm) -> dict[str, object]:
    samples = previews.given(
        standing.app,
        form.sample_app_name.data or "",
        form.sample_minutes.data or "",
        form.sample_code.data or "",
    )
    prices = segment_prices.of(reading(), standing.app.id)
    shown = previews.of(standing.app, form.body.data or "", samples, prices)
    return {"app": standing.app, "locale": locale, "preview": shown, "samples": samples}


def _page(
    standing: Standing, editing: Editing, form: WordingForm, status: int = 200, *, overtaken: bool = False
) -> Response:
    removable = editing.saved is not None and editing.locale not in ("en", standing.app.default_locale)
    page = render_template(
        PAGE,
        **_shown(standing, editing.locale, form),
        form=form,
        editing=editing,
        draft=editing.draft,
        overtaken=overtaken,
        removable=removable,
        placeholders=list(placeholders.Placeholder),
        is_update=False,
        # A refusal names the problems beside the text; the phone names them only while somebody types.
        refused=bool(form.body.errors),
    )
    return make_response(page, status)


def _editing(standing: Standing, locale: str) -> Editing:
    tag, app_id = tag_of(locale), standing.app.id
    try:
        saved = sms_templates.get(reading(), app_id, tag)
    except NotFound:
        saved = None
    return Editing(tag, saved, sms_template_drafts.of(reading(), app_id, tag))


def _nearest(locale: str) -> str:
    return locales.choose(locale, wordings.VERIFICATION, locales.LAST_RESORT)
