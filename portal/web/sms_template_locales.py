"""In which languages does an app write its SMS? The list with who reads what, and adding a language."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from threading import Thread

from flask import Response, make_response, render_template, request, url_for

from portal.core import locale_suggestions, locales, wordings
from portal.core.locale_suggestions import Suggestion
from portal.core.roles import Action
from portal.core.segments import Segments
from portal.database import reading
from portal.models import App, SmsTemplateDraft
from portal.services import locale_use, sms_template_drafts, sms_templates
from portal.services.locale_use import LocaleUse, Readers
from portal.services.sms_templates import SavedTemplate
from portal.web import previews
from portal.web.forms.locales import LanguageForm
from portal.web.guards import Standing, may
from portal.web.render import go_to, page_or_fragment
from portal.web.sms_template_pages import pages

NEW = "sms_templates/new.html"
SUGGESTIONS = "sms_templates/_suggestions.html"
MOST_LANGUAGES = 50


@dataclass(frozen=True, slots=True)
class Row:
    """One language of the list: what is in force, what waits, and who reads it."""

    locale: str
    saved: SavedTemplate | None
    draft: SmsTemplateDraft | None
    cut: Segments | None
    readers: Readers


@pages.get("")
@may(Action.SEE_SMS_TEMPLATES)
def index(standing: Standing) -> Response:
    """Every language that the app words its SMS in, and every one that its users have."""
    app = standing.app
    saved = sms_templates.all_of(reading(), app.id)
    uses = locale_use.of(reading(), app.id, [each.locale for each in saved], app.default_locale)
    page = render_template(
        "sms_templates/index.html",
        app=app,
        rows=_rows(app, saved, sms_template_drafts.all_of(reading(), app.id), uses),
        uses=uses[:MOST_LANGUAGES],
        rarer=uses[MOST_LANGUAGES:],
        lacking=sum(use.users for use in uses if use.lacks),
    )
    return make_response(page)


@pages.get("/new")
@may(Action.CHANGE_SMS_TEMPLATES)
def new(standing: Standing) -> Response:
    """Finds the language of a new template by what is typed; a tag that is one leads to its editor."""
    _warm_up()
    form = LanguageForm(request.args)
    typed = form.locale.data or ""
    found = locale_suggestions.suggest(typed)
    if request.htmx:  # type: ignore[attr-defined]
        return _suggested(standing, form, found)
    if "locale" in request.args and form.validate():
        if found and found[0].tag == _tag(typed):
            return go_to(url_for(".edit", app_id=standing.app.id, locale=found[0].tag))
        if not found:
            form.locale.errors = ["No language is called so. Write its English name, or a tag such as ko."]
    return _suggested(standing, form, found, status=422 if form.errors else 200)


def _rows(
    app: App, saved: Sequence[SavedTemplate], drafts: Sequence[SmsTemplateDraft], uses: Sequence[LocaleUse]
) -> list[Row]:
    in_force = {each.locale: each for each in saved}
    waiting = {each.locale: each for each in drafts}
    readers = locale_use.readers(uses)
    return [
        Row(
            locale,
            in_force.get(locale),
            waiting.get(locale),
            previews.of(app, in_force[locale].body).cut if locale in in_force else None,
            readers.get(locale, Readers()),
        )
        for locale in sorted({*in_force, *waiting})
    ]


def _suggested(
    standing: Standing, form: LanguageForm, found: list[Suggestion], status: int = 200
) -> Response:
    typed = form.locale.data or ""
    has_template = {each.locale for each in sms_templates.all_of(reading(), standing.app.id)}
    return page_or_fragment(
        NEW,
        SUGGESTIONS,
        status=status,
        app=standing.app,
        form=form,
        typed=typed,
        found=found if typed else _common(),
        has_template=has_template,
    )


@cache
def _common() -> tuple[Suggestion, ...]:
    """The languages that we have a wording for, by their English names."""
    offered = (Suggestion(tag, locales.name(tag), locales.autonym(tag)) for tag in wordings.VERIFICATION)
    return tuple(sorted(offered, key=lambda each: each.name))


@cache
def _warm_up() -> None:
    """Reads every language's name once, away from the request: it takes most of a second."""
    Thread(target=locale_suggestions.suggest, args=[locales.LAST_RESORT], daemon=True).start()


def _tag(typed: str) -> str | None:
    try:
        return locales.normalise(typed)
    except locales.LocaleError:
        return None
