"""The access keys of an app: what to copy into a client, and how to make a new secret."""

from flask import Blueprint, Response, current_app, make_response, render_template

from portal.core.roles import Action
from portal.database import transaction
from portal.services import apps
from portal.web.forms.access_keys import RegenerateForm
from portal.web.guards import Standing, may

pages = Blueprint("access_keys", __name__, url_prefix="/apps/<id:app_id>/access-keys")

PAGE = "access_keys/show.html"


@pages.get("")
@may(Action.MANAGE_KEYS)
def show(standing: Standing) -> Response:
    """The keys, and the last four characters of the secret."""
    return make_response(render_template(PAGE, app=standing.app, form=RegenerateForm(), client_secret=None))


@pages.post("/secret")
@may(Action.MAKE_SECRET)
def regenerate(standing: Standing) -> Response:
    """Makes a new secret, which ends every token of the app, and shows it, this once.

    The secret is in this answer and nowhere else, which is why there is no redirect.
    """
    form = RegenerateForm()
    if not form.validate_on_submit():
        return make_response(render_template(PAGE, app=standing.app, form=form, client_secret=None), 422)
    with transaction() as session:
        secret = apps.regenerate_secret(current_app.extensions["ringback"].context(session, standing.caller))
    return make_response(
        render_template(PAGE, app=standing.app, form=RegenerateForm(formdata=None), client_secret=secret)
    )
