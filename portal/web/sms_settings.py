"""The SMS settings of an app: autofill, length, approval and prices."""

from flask import Blueprint, Response, flash, url_for

from portal.core import code
from portal.core.roles import Action
from portal.database import reading, transaction
from portal.errors import BadInput
from portal.models import App
from portal.services import accounts, apps, countries, segment_prices
from portal.web import countries as named
from portal.web.forms import refusals
from portal.web.forms.sms_settings import SmsSettingsForm, with_prices, written_prices
from portal.web.guards import Standing, may
from portal.web.render import go_to, page_or_fragment

pages = Blueprint("sms_settings", __name__, url_prefix="/apps/<id:app_id>/sms-settings")

PAGE = "sms_settings/show.html"
# What the examples show as long as the app has none of its own.
SAMPLE_DOMAIN, SAMPLE_HASH = "login.example.com", "FA+9qCX9VSu"


@pages.get("")
@may(Action.SEE_SMS_TEMPLATES)
def show(standing: Standing) -> Response:
    """The settings as they are."""
    return _page(standing, _form(standing.app))


@pages.post("")
@may(Action.CHANGE_SMS_TEMPLATES)
def change(standing: Standing) -> Response:
    """Saves the settings, or answers 422 with what was typed and what is wrong with it."""
    form = _form(standing.app)
    if form.validate_on_submit() and _saved(standing, form):
        flash("Saved. New messages follow these settings; messages on their way stay as they are.", "good")
        return go_to(url_for(".show", app_id=standing.app.id))
    return _page(standing, form, status=422)


def _saved(standing: Standing, form: SmsSettingsForm) -> bool:
    changes = apps.AppChanges(
        web_autofill=form.web_autofill.data,
        web_domain=form.web_domain.data or "",
        android_autofill=form.android_autofill.data,
        android_hash=form.android_hash.data or "",
        most_segments=form.most_segments.data,
        sms_templates_need_approval=form.sms_templates_need_approval.data,
        currency=form.currency.data,
    )
    try:
        with transaction() as session:
            ctx = standing.context(session)
            apps.change(ctx, changes)
            segment_prices.set_to(ctx, form.typed_prices())
    except BadInput as refusal:
        refusals.show(form, refusal)
        return False
    return True


def _form(app: App) -> SmsSettingsForm:
    stored = segment_prices.of(reading(), app.id)
    wanted = {*countries.open_in(reading(), app.id), *stored}
    ordered = sorted(named.by_name(wanted), key=lambda each: each != app.home_country)
    return with_prices(ordered)(obj=app, **written_prices(stored))


def _page(standing: Standing, form: SmsSettingsForm, status: int = 200) -> Response:
    app = standing.app
    values = {
        "app": app,
        "form": form,
        "open_countries": countries.open_in(reading(), app.id),
        "is_alone": accounts.owners_of(reading(), app.id) < 2,
        "web_line": f"@{app.web_domain or SAMPLE_DOMAIN} #{code.FAKE[: app.code_length]}",
        "android_line": app.android_hash or SAMPLE_HASH,
    }
    return page_or_fragment(PAGE, PAGE, status=status, **values)
