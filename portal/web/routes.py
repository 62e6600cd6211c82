"""Which pages are there? Mounts the HTML door on a Flask app."""

import structlog
from flask import Flask, Response, g, request
from flask_wtf.csrf import CSRFProtect
from htmx_flask import Htmx
from jinja2 import StrictUndefined

from portal.database import reading
from portal.models import random_id
from portal.services import beginnings, fences
from portal.web import (
    access_keys,
    accounts,
    addresses,
    app_modes,
    apps,
    assets,
    audit_exports,
    audit_log,
    confirmations,
    errors,
    filters,
    guards,
    headers,
    inbox,
    invites,
    locale_simulator,
    message_redrives,
    message_retries,
    messages,
    password_resets,
    provider_actions,
    provider_checks,
    provider_states,
    providers,
    rail,
    receipt_words,
    reveals,
    second_factors,
    second_steps,
    security_contacts,
    sessions,
    sms_settings,
    sms_template_drafts,
    sms_template_files,
    sms_template_locales,
    sms_template_versions,
    sms_templates,
    status_lines,
    team,
    test_sends,
    themes,
    user_actions,
    user_lookups,
    users,
    verifications,
)

# The factory exempts the REST API, which has no cookies to protect.
csrf = CSRFProtect()

# Bytes; no form of the portal comes near (WEB-10).
LARGEST_FORM = 64 * 1024

# Modules of pages, in the order in which their addresses are tried. Several share one blueprint.
PAGES = (
    apps,
    verifications,
    sms_templates,
    sms_template_locales,
    locale_simulator,
    sms_settings,
    sms_template_versions,
    sms_template_drafts,
    sms_template_files,
    test_sends,
    users,
    user_lookups,
    user_actions,
    reveals,
    inbox,
    messages,
    message_retries,
    message_redrives,
    providers,
    app_modes,
    provider_actions,
    provider_checks,
    access_keys,
    team,
    accounts,
    second_factors,
    second_steps,
    password_resets,
    invites,
    audit_log,
    audit_exports,
    themes,
    confirmations,
    security_contacts,
)


def register(app: Flask) -> None:
    """Mounts every page, with sessions, guards, headers, error pages and assets.

    Needs `app.extensions["ringback"]` and the database to be in place.
    """
    # A template that names what it was not given is a mistake, never an empty place.
    app.jinja_env.undefined = StrictUndefined
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    Htmx(app)
    addresses.mount(app)
    app.before_request(_name_request)
    app.before_request(_open_fences)
    app.before_request(_limit_body)
    app.before_request(guards.refuse_foreign_origins)
    assets.mount(app)
    sessions.mount(app, csrf)
    headers.mount(app)
    errors.mount(app)
    filters.mount(app)
    provider_states.mount(app)
    receipt_words.mount(app)
    rail.mount(app)
    status_lines.mount(app)
    for blueprint in dict.fromkeys(each.pages for each in PAGES):
        app.register_blueprint(blueprint)
    app.after_request(_tell_request)


def _name_request() -> None:
    # The word that an error page shows and a log line carries.
    g.setdefault("request_id", random_id())
    structlog.contextvars.clear_contextvars()
    structlog.contextvars.bind_contextvars(request_id=g.request_id)


def _open_fences() -> None:
    # A session and a list of apps are an account's, and an account belongs to no app. The guard of an app's
    # pages puts the fence up as soon as it knows that the account may be there (guards.may).
    if addresses.is_page(request.path):
        fences.open_to_all(reading())
        beginnings.plan_anew(reading())


def _limit_body() -> None:
    # Doors for machines have limits of their own.
    if not addresses.is_page(request.path):
        return
    request.max_content_length = LARGEST_FORM
    if request.endpoint in sms_template_files.ROUTES:
        request.max_content_length = request.max_form_memory_size = sms_template_files.LARGEST_FORM


def _tell_request(answer: Response) -> Response:
    answer.headers.setdefault("X-Request-ID", g.get("request_id", ""))
    return answer
