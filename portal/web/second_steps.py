"""The second step of signing in, and signing in by a passkey alone (WEB-09)."""

from dataclasses import dataclass

from flask import (
    Blueprint,
    Response,
    flash,
    make_response,
    render_template,
    request,
    session,
    url_for,
)
from flask_security.utils import login_user

from portal import clock
from portal.database import reading
from portal.errors import TooSoon
from portal.models import Account
from portal.services import passkeys, second_factors
from portal.services.second_factors import WRONG_CODE, Factors
from portal.services.source_limits import Budget
from portal.web import browsers, passkey_places, proofs
from portal.web.forms.second_steps import SecondStepForm
from portal.web.own_paths import is_own_path
from portal.web.parts import parts
from portal.web.render import go_to

pages = Blueprint("second_steps", __name__, url_prefix="/sign-in")

PENDING = "second_step"
# How long the right password is remembered while the phone is looked for.
PATIENCE = 5 * clock.MINUTE


@dataclass(frozen=True, slots=True)
class Half:
    """Somebody whose password was right, what else they have, and where they wanted to go."""

    account: Account
    factors: Factors
    target: str


def begin(account: Account, target: str) -> Response:
    """Remembers that a password was right, and leads on to the second step. Nobody is signed in yet."""
    session[PENDING] = {
        "account": account.id,
        "name": account.fs_uniquifier,
        "until": clock.now() + PATIENCE,
        "next": target,
    }
    return go_to(url_for("second_steps.show"))


def options_to_sign_in() -> str:
    """What the sign-in page gives to a browser that has passkeys for this host."""
    return passkeys.options_to_use([], passkey_places.here(), alone=True)


@pages.get("/second-factor")
def show() -> Response:
    """Asks for the second factor; whoever has given no password is led to the first step."""
    half = _half()
    return _to_the_beginning() if half is None else _page(half, SecondStepForm(formdata=None))


@pages.post("/second-factor")
def check() -> Response:
    """Signs in by a code or a passkey, or says what is wrong."""
    half, form = _half(), SecondStepForm()
    if half is None:
        return _to_the_beginning()
    try:
        if form.validate() and _is_right(half, form):
            return _enter(half.account, half.target)
    except TooSoon as refusal:
        form.refusal = refusal
    return _page(half, form, 429 if form.refusal else 422)


@pages.post("/passkey")
def by_passkey() -> Response:
    """Signs in by a passkey alone, whose authenticator knows its person: that is two factors in one.

    Raises TooSoon after too much that was wrong from one source, and Busy.
    """
    budgets = parts().sources
    source = budgets.source_of(request.environ)
    # Each one that fails is on record, so nobody may send them without end.
    budgets.require_room(Budget.SIGN_INS, source)
    account = proofs.passkey_of(request.form.get("passkey", ""), alone=True)
    if account is None:
        budgets.note(Budget.SIGN_INS, source)
        flash("This passkey does not sign in here. Use your password.", "bad")
        return go_to(url_for("security.login"))
    browsers.note_proof("passkey")
    return _enter(account, request.form.get("next", ""))


def _is_right(half: Half, form: SecondStepForm) -> bool:
    if form.passkey.data:
        if proofs.passkey_of(form.passkey.data, alone=False, account_id=half.account.id):
            browsers.note_proof(browsers.PASSWORD, "passkey")
            return True
        form.form_errors.append("This passkey is not one of this account.")
    elif not form.code.data:
        form.code.errors = ["Enter a code."]
    elif proofs.code_of(half.account.id, form.code.data):
        browsers.note_proof(browsers.PASSWORD, "code")
        return True
    else:
        form.code.errors = [WRONG_CODE]
    return False


def _half() -> Half | None:
    kept = session.get(PENDING)
    if kept is None or kept["until"] <= clock.now():
        return None
    account = reading().get(Account, kept["account"])
    # A password that was changed meanwhile is to be typed anew.
    if account is None or not account.active or account.fs_uniquifier != kept["name"]:
        return None
    return Half(account, second_factors.of(reading(), account.id), kept["next"])


def _enter(account: Account, target: str) -> Response:
    login_user(account, authn_via=["password"])
    return go_to(target if is_own_path(target) else url_for("apps.index"))


def _to_the_beginning() -> Response:
    session.pop(PENDING, None)
    return go_to(url_for("security.login"))


def _page(half: Half, form: SecondStepForm, status: int = 200) -> Response:
    found = list(half.factors.passkeys)
    options = passkeys.options_to_use(found, passkey_places.here(), alone=False) if found else ""
    page = render_template("second_steps/show.html", form=form, factors=half.factors, passkey_options=options)
    return make_response(page, status)
