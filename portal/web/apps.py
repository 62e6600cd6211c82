"""The apps of an account: the list, a new one, and one app's overview."""

from flask import Blueprint, Response, g, make_response, redirect, render_template, url_for
from flask_login import current_user

from portal import clock
from portal.core.roles import Action, Role
from portal.database import reading, transaction
from portal.errors import BadInput
from portal.models import ActorKind
from portal.services import accounts, app_modes, apps, sms_templates
from portal.services.context import Caller
from portal.web.forms.apps import NewAppForm
from portal.web.guards import Standing, may, signed_in
from portal.web.parts import parts

pages = Blueprint("apps", __name__)


@pages.get("/")
def start() -> Response:
    """The front door leads to the apps."""
    return make_response(redirect(url_for("apps.index")))


@pages.get("/apps")
@signed_in
def index() -> Response:
    """Every app that this account is a member of."""
    g.memberships = accounts.apps_of(reading(), current_user.id)
    return make_response(render_template("apps/index.html", memberships=g.memberships))


@pages.get("/apps/new")
@signed_in
def new() -> Response:
    """The form of a new app."""
    return make_response(render_template("apps/new.html", form=NewAppForm()))


@pages.post("/apps")
@signed_in
def create() -> Response:
    """Makes an app owned by this account and shows its secret, this once.

    The secret is in this answer and nowhere else, which is why there is no redirect.
    """
    form = NewAppForm()
    if not form.validate_on_submit():
        return make_response(render_template("apps/new.html", form=form), 422)
    wanted = apps.NewApp(name=form.name.data or "", home_country=form.home_country.data)
    try:
        with transaction() as session:
            ctx = parts().context(session, Caller(ActorKind.ACCOUNT, "", current_user.id))
            created = apps.create(ctx, wanted, current_user.id)
    except BadInput as refusal:
        form.form_errors.append(refusal.message)
        return make_response(render_template("apps/new.html", form=form), 422)
    g.memberships = accounts.apps_of(reading(), current_user.id)
    g.standing = Standing(current_user.id, created.app, Role.OWNER)
    return make_response(
        render_template(
            "apps/created.html",
            app=created.app,
            app_key=created.app_key,
            client_secret=created.client_secret,
        )
    )


@pages.get("/apps/<id:app_id>")
@may(Action.SEE_APP)
def show(standing: Standing) -> Response:
    """One app at a glance: its users by state, and what is still to be set up."""
    session = reading()
    counts = apps.counts(session, standing.app.id, clock.now())
    templates = sms_templates.all_of(session, standing.app.id)
    carriers = app_modes.providers_on(session, standing.app.id)
    well = app_modes.providers_well(session, standing.app.id, clock.now())
    return make_response(
        render_template(
            "apps/show.html",
            app=standing.app,
            counts=counts,
            templates=templates,
            carriers=carriers,
            well=well,
            standing=standing,
        )
    )
