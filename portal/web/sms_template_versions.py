"""The versions of an SMS template: the list, one of them beside what is in force, the way back to it."""

from collections.abc import Sequence
from dataclasses import dataclass

from flask import Blueprint, Response, flash, make_response, render_template, request, url_for

from portal.core.placeholders import WordingError
from portal.core.roles import Action
from portal.database import reading, transaction
from portal.errors import BadInput, NotFound, Overtaken
from portal.models import SmsTemplateDraft, SmsTemplateVersion
from portal.services import accounts, locale_use, sms_template_drafts, sms_template_versions, sms_templates
from portal.services.sms_template_versions import LARGEST_VERSION, PAGE
from portal.services.sms_templates import SavedTemplate
from portal.web import comparisons, previews
from portal.web.comparisons import Length
from portal.web.guards import Standing, may
from portal.web.render import go_to
from portal.web.sms_template_pages import tag_of

pages = Blueprint(
    "sms_template_versions", __name__, url_prefix="/apps/<id:app_id>/sms-templates/<locale:locale>/versions"
)


@dataclass(frozen=True, slots=True)
class Line:
    """One version in the list, and how it changed the length of the SMS."""

    version: SmsTemplateVersion
    length: Length


@pages.get("")
@may(Action.SEE_SMS_TEMPLATES)
def index(standing: Standing, locale: str) -> Response:
    """Every version, newest first, a page at a time."""
    tag = tag_of(locale)
    # One more than are shown: what the last of them changed is told against it.
    found = sms_template_versions.all_of(reading(), standing.app.id, tag, _before(), PAGE + 1)
    if not found and _before() is None:
        raise NotFound("sms_template", f"There is no SMS template for {tag}, and there never was one.")
    page = render_template(
        "sms_templates/versions.html",
        app=standing.app,
        locale=tag,
        lines=_lines(standing, found)[:PAGE],
        older=found[PAGE - 1].version if len(found) > PAGE else None,
        is_first=_before() is None,
        in_force=sms_templates.version_of(reading(), standing.app.id, tag),
        draft=sms_template_drafts.of(reading(), standing.app.id, tag),
        signers=_signers(found),
    )
    return make_response(page)


@pages.get("/<int:version>")
@may(Action.SEE_SMS_TEMPLATES)
def show(standing: Standing, locale: str, version: int) -> Response:
    """One version beside the one in force; the one in force beside the one before it."""
    return _page(standing, tag_of(locale), version)


@pages.post("/<int:version>/restoration")
@may(Action.PUBLISH_SMS_TEMPLATES)
def restore(standing: Standing, locale: str, version: int) -> Response:
    """Says again what a former version said, or answers 422 with the reason why not."""
    tag = tag_of(locale)
    based_on = request.form.get("based_on", type=int)
    try:
        with transaction() as session:
            ctx = standing.context(session)
            kept = sms_template_versions.restore(ctx, tag, version, based_on)
    except WordingError as refusal:
        return _page(standing, tag, version, [problem.fix for problem in refusal.problems])
    except (BadInput, Overtaken) as refusal:
        return _page(standing, tag, version, [refusal.message])
    flash(_told(kept, version), "good")
    return go_to(url_for("sms_template_versions.index", app_id=standing.app.id, locale=tag))


def in_force_of(standing: Standing, locale: str) -> SavedTemplate | None:
    """The wording in force, if there is one."""
    try:
        return sms_templates.get(reading(), standing.app.id, locale)
    except NotFound:
        return None


def readers(standing: Standing, locale: str) -> int:
    """How many users get the SMS template of a locale, once there is one."""
    offered = {each.locale for each in sms_templates.all_of(reading(), standing.app.id)} | {locale}
    uses = locale_use.of(reading(), standing.app.id, offered, standing.app.default_locale)
    return sum(use.users for use in uses if use.served_by == locale)


def _before() -> int | None:
    before = request.args.get("before", type=int)
    return before if before is not None and 0 < before <= LARGEST_VERSION else None


def _lines(standing: Standing, found: Sequence[SmsTemplateVersion]) -> list[Line]:
    cuts = [comparisons.cut(standing.app, each.body) for each in found]
    before = [*cuts[1:], None] if cuts else []
    return [
        Line(each, comparisons.length(old, new)) for each, old, new in zip(found, before, cuts, strict=True)
    ]


def _signers(found: Sequence[SmsTemplateVersion]) -> dict[str, str]:
    ids = [account for each in found for account in (each.created_by, each.approved_by)]
    return accounts.emails(reading(), ids)


def _page(standing: Standing, locale: str, version: int, refusals: Sequence[str] = ()) -> Response:
    shown = sms_template_versions.get(reading(), standing.app.id, locale, version)
    in_force = in_force_of(standing, locale)
    is_in_force = in_force is not None and in_force.version == version
    against = _before_it(standing, shown) if is_in_force else in_force
    page = render_template(
        "sms_templates/version.html",
        app=standing.app,
        locale=locale,
        shown=shown,
        against=against,
        in_force=in_force,
        is_in_force=is_in_force,
        comparison=comparisons.of(standing.app, against.body if against else None, shown.body),
        preview=previews.of(standing.app, shown.body),
        readers=readers(standing, locale),
        signers=_signers([shown]),
        refusals=refusals,
    )
    return make_response(page, 422 if refusals else 200)


def _before_it(standing: Standing, shown: SmsTemplateVersion) -> SmsTemplateVersion | None:
    """The version that this one took the place of."""
    found = sms_template_versions.all_of(reading(), standing.app.id, shown.locale, shown.version, 1)
    return found[0] if found else None


def _told(kept: SavedTemplate | SmsTemplateDraft, version: int) -> str:
    if isinstance(kept, SmsTemplateDraft):
        return f"Version {version} waits as a draft for another owner. Until then nothing changes."
    return f"Restored version {version} as version {kept.version}. New messages use it."
