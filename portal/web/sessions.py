"""Signing in and out: Flask-Security's views in our look, everything else of it switched off."""

from typing import Any

from flask import Flask, Response, make_response, render_template, request
from flask_login import current_user
from flask_security import RoleMixin, Security, SQLAlchemyUserDatastore
from flask_wtf.csrf import CSRFProtect
from sqlalchemy import select

from portal.database import db
from portal.errors import NotFound
from portal.models import Account
from portal.web import errors, second_steps
from portal.web.forms.sessions import SignInForm
from portal.web.guards import ask_to_sign_in
from portal.web.own_paths import is_own_path
from portal.web.render import go_to
from portal.web.server_sessions import ServerSessions

SIGN_IN = "/sign-in"


class NoRole(RoleMixin):
    """Flask-Security wants a class for global roles; ours belong to memberships, so none is ever made."""


class Accounts(SQLAlchemyUserDatastore):
    """Finds accounts for Flask-Security, which would otherwise load global roles along with each."""

    def find_user(self, case_insensitive: bool = False, **kwargs: Any) -> Account | None:
        """The account whose columns equal `kwargs`. Addresses are stored in lower case already."""
        del case_insensitive
        return db.session.scalar(select(Account).filter_by(**kwargs))


def mount(app: Flask, csrf: CSRFProtect) -> None:
    """Server-side sessions, forms bound to them, and the two pages of signing in and out."""
    secure = app.extensions["ringback"].settings.secure_cookies
    app.config.update(_settings(secure))
    app.session_interface = ServerSessions()
    app.before_request(_refuse_foreign_target)
    app.before_request(_hide_what_is_not_used)
    csrf.init_app(app)
    security = Security(app, Accounts(db, Account, NoRole), login_form=SignInForm, render_template=_render)
    security.unauthn_handler(ask_to_sign_in)
    security.want_json(lambda _request: False)
    # A session cookie is the only way in: no token in a header, an address or a JSON body is looked for.
    app.login_manager.request_loader(lambda _request: None)  # type: ignore[attr-defined]
    # Without global roles nobody's identity needs loading before every request, the API's included.
    security.principal.identity_loaders.clear()


def _settings(secure: bool) -> dict[str, object]:
    return {
        "SESSION_COOKIE_NAME": "__Host-session" if secure else "session",
        "SESSION_COOKIE_SECURE": secure,
        # Tokens live as long as their session. The referrer is not checked: our pages send none
        # (WEB-04), and guards.refuse_foreign_origins asks Origin and Sec-Fetch-Site instead.
        "WTF_CSRF_TIME_LIMIT": None,
        "WTF_CSRF_SSL_STRICT": False,
        "SECURITY_LOGIN_URL": SIGN_IN,
        "SECURITY_LOGOUT_URL": "/sign-out",
        "SECURITY_LOGOUT_METHODS": ["POST"],
        "SECURITY_POST_LOGIN_VIEW": "/apps",
        "SECURITY_POST_LOGOUT_VIEW": SIGN_IN,
        "SECURITY_LOGIN_USER_TEMPLATE": "sessions/new.html",
        "SECURITY_RETURN_GENERIC_RESPONSES": True,
        "SECURITY_API_ENABLED_METHODS": ["session"],
        "SECURITY_FRESHNESS_GRACE_PERIOD": 0,
        "SECURITY_PASSWORD_HASH": "argon2",
        "SECURITY_PASSWORD_SINGLE_HASH": ["argon2"],
        # Hashes are made by services/passwords.py, which takes a password as it is typed.
        "SECURITY_PASSWORD_NORMALIZE_FORM": None,
        "SECURITY_FLASH_MESSAGES": False,
    }


def _hide_what_is_not_used() -> None:
    """Flask-Security always mounts its page for confirming a password; nothing of ours leads there yet."""
    if request.endpoint == "security.verify" and current_user.is_authenticated:
        raise NotFound("page", "There is no such page.")


def _refuse_foreign_target() -> Response | None:
    """Drops a target after sign-in that is not one of our own pages (WEB-08)."""
    if request.path != SIGN_IN:
        return None
    targets = [*request.args.getlist("next"), *request.form.getlist("next")]
    if all(target == "" or is_own_path(target) for target in targets):
        return None
    return go_to(SIGN_IN)


def _render(template: str, **values: Any) -> Any:
    # Flask-Security answers a refused form with 200; ours say 422.
    form = values["login_user_form"]
    if form.half_signed_in is not None:
        return second_steps.begin(form.half_signed_in, form.next.data or "")
    status = 429 if form.refusal else 422 if form.errors else 200
    page = render_template(template, **values, passkey_options=second_steps.options_to_sign_in())
    answer = make_response(page, status)
    if form.refusal:
        answer.headers["Retry-After"] = str(errors.wait_of(form.refusal))
    return answer
