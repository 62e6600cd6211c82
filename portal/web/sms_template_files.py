"""All SMS templates of an app as one file: taken out, looked at on its way in, brought in."""

import re
from dataclasses import dataclass

from flask import Blueprint, Response, flash, make_response, render_template, url_for

from portal.core.roles import Action
from portal.core.template_file import LONGEST_FILE
from portal.core.template_plan import Change, Kind
from portal.database import reading, transaction
from portal.errors import BadInput, Overtaken
from portal.models import App
from portal.services import sms_template_files
from portal.services.sms_template_files import Plan
from portal.web import comparisons
from portal.web.comparisons import Comparison
from portal.web.filters import counted
from portal.web.forms.sms_template_files import ConfirmedImportForm, ImportForm
from portal.web.guards import Standing, may
from portal.web.render import go_to

pages = Blueprint("sms_template_files", __name__, url_prefix="/apps/<id:app_id>/sms-templates")

PAGE = "sms_templates/import.html"
# Bytes: a file may come beside a pasted text, and a browser makes two characters of each line end.
LARGEST_FORM = 3 * LONGEST_FILE + 64 * 1024
ROUTES = ("sms_template_files.examine", "sms_template_files.bring_in")


@dataclass(frozen=True, slots=True)
class Planned:
    """What would happen to one SMS template, and how it would read."""

    change: Change
    comparison: Comparison


@pages.get("/export")
@may(Action.SEE_SMS_TEMPLATES)
def export(standing: Standing) -> Response:
    """A file with every wording in force."""
    answer = make_response(sms_template_files.export(reading(), standing.app))
    answer.mimetype = "application/json"
    answer.headers.set("Content-Disposition", "attachment", filename=_file_name(standing.app))
    return answer


@pages.get("/import")
@may(Action.CHANGE_SMS_TEMPLATES)
def choose(standing: Standing) -> Response:
    """Asks for a file."""
    return _page(standing, ImportForm(None))


@pages.post("/import")
@may(Action.CHANGE_SMS_TEMPLATES)
def examine(standing: Standing) -> Response:
    """Shows what a file would change, or everything that is wrong with it. Changes nothing."""
    form = ImportForm()
    if not form.validate():
        return _page(standing, form, status=422)
    given = form.given
    form.text.data = given if isinstance(given, str) else ""
    plan = sms_template_files.examine(reading(), standing.app, given, form.remove_missing.data)
    return _page(standing, form, plan, status=422 if plan.problems else 200)


@pages.post("/import/confirmation")
@may(Action.PUBLISH_SMS_TEMPLATES)
def bring_in(standing: Standing) -> Response:
    """Does what was looked at; where that is not what would happen now, shows that instead."""
    given = ConfirmedImportForm()
    text, remove_missing = given.text.data or "", given.remove_missing.data
    try:
        with transaction() as session:
            ctx = standing.context(session)
            made = sms_template_files.bring_in(ctx, text, remove_missing, given.stamp.data or "")
    except (BadInput, Overtaken) as refusal:
        form = ImportForm(None, text=text, remove_missing=remove_missing)
        plan = sms_template_files.examine(reading(), standing.app, text, remove_missing)
        return _page(standing, form, plan, status=422, refusal=refusal.message)
    flash(_told(standing.app, made), "good")
    return go_to(url_for("sms_templates.index", app_id=standing.app.id))


def _page(
    standing: Standing, form: ImportForm, plan: Plan | None = None, status: int = 200, refusal: str = ""
) -> Response:
    app = standing.app
    changes = plan.changes if plan else ()
    shown = [Planned(each, comparisons.of(app, each.old, each.new)) for each in changes if _is_shown(each)]
    page = render_template(
        PAGE,
        app=app,
        form=form,
        plan=plan,
        planned=shown,
        same=[each.locale for each in changes if each.kind is Kind.SAME],
        verb=_verb(app, plan) if plan else "",
        refusal=refusal,
    )
    return make_response(page, status)


def _is_shown(change: Change) -> bool:
    return change.kind is not Kind.SAME


def _verb(app: App, plan: Plan) -> str:
    """What the button does, in its own words; empty where there is nothing to do."""
    verb = "propose" if app.sms_templates_need_approval else "import"
    saved = f"{verb} {counted(plan.saved, 'language')}" if plan.saved else ""
    gone = f"remove {counted(plan.count(Kind.REMOVE), 'language')}" if plan.count(Kind.REMOVE) else ""
    words = " and ".join(part for part in (saved, gone) if part)
    return words[:1].upper() + words[1:]


def _told(app: App, made: Plan) -> str:
    removed = made.count(Kind.REMOVE)
    also = f" Removed {counted(removed, 'language')}." if removed else ""
    if not made.saved:
        return also.strip() or "The file changes nothing."
    if app.sms_templates_need_approval:
        return f"{counted(made.saved, 'draft')} wait for another owner. Until then nothing changes.{also}"
    return f"Imported {counted(made.saved, 'language')}. New messages use them.{also}"


def _file_name(app: App) -> str:
    slug = re.sub(r"[^a-z0-9]+", "-", app.name.lower()).strip("-") or app.id
    return f"ringback-sms-templates-{slug}.json"
