"""The page "Confirm that it is you", for whoever signed in a while ago and wants to open a page."""

from flask import Blueprint, Response, request, url_for

from portal.web import fresh_sign_ins
from portal.web.forms.proofs import ProofForm
from portal.web.guards import signed_in
from portal.web.own_paths import is_own_path
from portal.web.render import go_to

pages = Blueprint("confirmations", __name__, url_prefix="/confirm")


@pages.get("")
@signed_in
def show() -> Response:
    """Asks for the password, or goes on where that was done a moment ago."""
    if fresh_sign_ins.is_fresh():
        return go_to(_target())
    return _page(ProofForm(formdata=None))


@pages.post("")
@signed_in
def confirm() -> Response:
    """Goes on to the page that was wanted, or says what is wrong."""
    form = ProofForm()
    if not form.validate():
        return _page(form, 422)
    fresh_sign_ins.remember()
    return go_to(_target())


def _page(form: ProofForm, status: int = 200) -> Response:
    return fresh_sign_ins.show(form, url_for(".confirm"), [("next", _target())], status)


def _target() -> str:
    """The page that was wanted; none but our own (WEB-08)."""
    wanted = request.values.get("next", "")
    return wanted if is_own_path(wanted) else url_for("apps.index")
