"""The SMS templates of an app: the list, the editor with its live preview, removal."""

from flask import Blueprint, Response, current_app, flash, make_response, render_template, request, url_for

from portal.core import locales, placeholders, wordings
from portal.core.roles import Action
from portal.database import reading, transaction
from portal.errors import BadInput, NotFound
from portal.services import sms_templates
from portal.web import previews
from portal.web.forms.sms_templates import LanguageForm, WordingForm
from portal.web.guards import Standing, may
from portal.web.render import go_to, page_or_fragment

pages = Blueprint("sms_templates", __name__, url_prefix="/apps/<id:app_id>/sms-templates")

PAGE = "sms_templates/edit.html"
PREVIEW = "sms_templates/_preview.html"
COMMON = (
    "en",
    "ja",
    "zh-Hans",
    "zh-Hant",
    "ko",
    "es",
    "pt-BR",
    "fr",
    "de",
    "it",
    "ar",
    "hi",
    "id",
    "th",
    "tr",
    "vi",
)


@pages.get("")
@may(Action.SEE_SMS_TEMPLATES)
def index(standing: Standing) -> Response:
    """Every language that the app words its SMS in."""
    templates = sms_templates.all_of(reading(), standing.app.id)
    shown = {template.locale: previews.of(standing.app, template.body) for template in templates}
    return make_response(
        render_template("sms_templates/index.html", app=standing.app, templates=templates, previews=shown)
    )


@pages.get("/new")
@may(Action.CHANGE_SMS_TEMPLATES)
def new(standing: Standing) -> Response:
    """Asks for the language of a new template, then leads to its editor."""
    form = LanguageForm(request.args)
    if "locale" in request.args and form.validate():
        return go_to(url_for(".edit", app_id=standing.app.id, locale=form.locale.data))
    taken = {template.locale for template in sms_templates.all_of(reading(), standing.app.id)}
    offered = [tag for tag in COMMON if tag not in taken]
    status = 422 if "locale" in request.args else 200
    return make_response(
        render_template("sms_templates/new.html", app=standing.app, form=form, offered=offered), status
    )


@pages.get("/<locale:locale>")
@may(Action.SEE_SMS_TEMPLATES)
def edit(standing: Standing, locale: str) -> Response:
    """The editor. A language without a template starts from Ringback's own wording."""
    saved = _saved(standing, locale)
    body = saved.body if saved else wordings.VERIFICATION[_nearest(locale)]
    return _editor(standing, locale, WordingForm(None, body=body), saved)


@pages.post("/<locale:locale>")
@may(Action.CHANGE_SMS_TEMPLATES)
def save(standing: Standing, locale: str) -> Response:
    """Saves the text as a new version, or answers 422 with the text kept and every problem with its fix."""
    form = WordingForm()
    form.validate()
    try:
        with transaction() as session:
            ctx = current_app.extensions["ringback"].context(session, standing.caller)
            kept = sms_templates.save(ctx, _tag(locale), form.body.data or "")
    except placeholders.WordingError as refusal:
        form.body.errors = [problem.fix for problem in refusal.problems]
    except BadInput as refusal:
        form.body.errors = [refusal.message]
    else:
        flash(f"Saved {locales.name(kept.locale)}, version {kept.version}. New messages use it.", "good")
        return go_to(url_for(".edit", app_id=standing.app.id, locale=kept.locale))
    return _editor(standing, locale, form, _saved(standing, locale), status=422)


@pages.post("/<locale:locale>/preview")
@may(Action.SEE_SMS_TEMPLATES)
def preview(standing: Standing, locale: str) -> Response:
    """The phone for the unsaved text. Changes nothing; a POST because the text must not be in an address."""
    body = WordingForm().body.data or ""
    shown = previews.of(standing.app, body)
    if request.htmx:  # type: ignore[attr-defined]
        return page_or_fragment(
            PAGE, PREVIEW, app=standing.app, preview=shown, locale=_tag(locale), refused=False
        )
    return _editor(standing, locale, WordingForm(), _saved(standing, locale))


@pages.post("/<locale:locale>/removal")
@may(Action.CHANGE_SMS_TEMPLATES)
def remove(standing: Standing, locale: str) -> Response:
    """Takes a language away; its users get the next closest one."""
    try:
        with transaction() as session:
            sms_templates.remove(current_app.extensions["ringback"].context(session, standing.caller), locale)
    except BadInput as refusal:
        flash(refusal.message, "bad")
        return go_to(url_for(".edit", app_id=standing.app.id, locale=locale))
    flash(f"Removed {locales.name(locale)}. Its users now get the next closest language.", "good")
    return go_to(url_for(".index", app_id=standing.app.id))


def _editor(
    standing: Standing,
    locale: str,
    form: WordingForm,
    saved: sms_templates.SavedTemplate | None,
    status: int = 200,
) -> Response:
    tag = _tag(locale)
    values = {
        "app": standing.app,
        "locale": tag,
        "form": form,
        "saved": saved,
        # A refusal stands beside the text; the phone names problems only while somebody types.
        "refused": status == 422,
        "preview": previews.of(standing.app, form.body.data or ""),
        "placeholders": list(placeholders.Placeholder),
        "removable": saved is not None and tag not in ("en", standing.app.default_locale),
    }
    return page_or_fragment(PAGE, PAGE, status=status, **values)


def _saved(standing: Standing, locale: str) -> sms_templates.SavedTemplate | None:
    try:
        return sms_templates.get(reading(), standing.app.id, _tag(locale))
    except NotFound:
        return None


def _tag(locale: str) -> str:
    try:
        return locales.normalise(locale)
    except locales.LocaleError as error:
        raise NotFound("sms_template", "There is no such language.") from error


def _nearest(locale: str) -> str:
    return locales.choose(locale, wordings.VERIFICATION, locales.LAST_RESORT)
