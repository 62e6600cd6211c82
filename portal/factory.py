"""How does an app come together? The only place where the parts meet."""

from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from flask import Flask, request
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import SecurityError

from portal import config, database, keys, logs, mailer
from portal.api import errors as api_errors
from portal.api import receipts
from portal.api import routes as api
from portal.config import Settings
from portal.core import limits
from portal.mailer import Mailer
from portal.probes.routes import Probes
from portal.services import poolers
from portal.services.context import Parts
from portal.services.passwords import Hasher
from portal.services.source_limits import SourceLimits
from portal.turnstile import Turnstile
from portal.watch.telling import teller
from portal.watch.watchman import Watchman
from portal.web import errors as web_errors
from portal.web import routes as web
from portal.web.addresses import is_page

ROOT = Path(__file__).resolve().parent.parent
# Request threads that never wait for a password hash, so that codes are checked while everybody logs in.
FREE_THREADS = 6
# Requests that run at once in a process; more would only take turns in smaller pieces (tests/bench).
AT_ONCE = 3
PROFILES = {"default": limits.DEFAULT, "bench": limits.BENCH}


class _Flask(Flask):
    """Flask without async views, which it would look for twenty times in every request."""

    def ensure_sync(self, func: Callable[..., Any]) -> Callable[..., Any]:
        """`func` itself."""
        return func


def create_app(settings: Settings | None = None) -> Flask:
    """A Flask app with both doors, its database and its keys. Starts nothing and sends nothing.

    Raises config.WrongSetting and keys.WrongKeys, each with a line that tells an operator what to do.
    """
    settings = settings or config.load()
    logs.configure(settings.log_level)
    turnstile = Turnstile(AT_ONCE)
    app = _Flask("portal", root_path=str(ROOT), template_folder="templates", static_folder="static")
    server_keys = keys.load(settings.home, refuses_placeholders=settings.production)
    app.config.update(
        SECRET_KEY=server_keys.session,
        MAX_CONTENT_LENGTH=config.LARGEST_BODY,
        TRUSTED_HOSTS=_trusted_hosts(settings),
        SQLALCHEMY_DATABASE_URI=settings.sqlalchemy_url,
        SQLALCHEMY_ENGINE_OPTIONS=_engine_options(settings),
    )
    hasher = Hasher(
        settings.hash_threads,
        waiting=max(settings.threads - FREE_THREADS, 1),
        while_waiting=turnstile.stepped_out,
    )
    app.extensions["ringback"] = Parts(
        settings=settings,
        keys=server_keys,
        profile=PROFILES[settings.limits],
        hasher=hasher,
        sources=SourceLimits(settings),
        while_waiting=turnstile.stepped_out,
        mailer=_mailer(settings),
    )
    _connect(app)
    probes = _watch(app, settings, hasher)
    web.register(app)
    api.register(app)
    for machines in (api.api_blueprint, api.receipts_blueprint):
        web.csrf.exempt(machines)
    app.register_error_handler(SecurityError, _refuse_host)
    app.wsgi_app = probes.guard(turnstile.guard(app.wsgi_app, config.LARGEST_BODY))  # type: ignore[assignment, method-assign]
    return app


def _watch(app: Flask, settings: Settings, hasher: Hasher) -> Probes:
    """What looks after the others. Nothing of it is started."""
    app.extensions["watchman"] = Watchman(app, teller(settings))
    probes = app.extensions["probes"] = Probes(app, settings.metrics_token)
    hasher.watch(probes.traffic.watch_hashes)
    return probes


def _mailer(settings: Settings) -> Mailer:
    """By SMTP where a server is set; else onto the terminal, which in production nobody may read (OPS-06)."""
    if not settings.smtp_host:
        return Mailer(None, None if settings.production else mailer.terminal())
    server = mailer.Server(
        host=settings.smtp_host,
        port=settings.smtp_port,
        user=settings.smtp_user,
        password=settings.smtp_password,
        sender=settings.smtp_sender,
        security=settings.smtp_security,
    )
    return Mailer(server)


def _trusted_hosts(settings: Settings) -> list[str] | None:
    """The hosts that a request may name (WEB-07): that of the base URL, and this machine when trying out."""
    host = urlsplit(settings.base_url).hostname
    if host is None:
        return None
    return [host] if settings.production else [host, "localhost", "127.0.0.1"]


def _refuse_host(error: SecurityError) -> ResponseReturnValue:
    # It happens before there is a route, so no door is asked by itself.
    if is_page(request.path):
        return web_errors.show_wrong_host(error)
    is_api = request.path.startswith("/api/")
    return (api_errors.answer_to_http if is_api else receipts.answer_to_http)(error)


def _connect(app: Flask) -> None:
    database.db.init_app(app)
    with app.app_context():
        database.prepare(database.db.engine)


def _engine_options(settings: Settings) -> dict[str, object]:
    # Each thread holds one connection at most: those of requests, of the worker's senders and its timetable.
    options: dict[str, object] = {
        "pool_size": settings.threads + settings.senders + 2,
        "max_overflow": 2,
        # The connection that was used last knows its statements best.
        "pool_use_lifo": True,
        # What was asked for may be an address or a number, and an error's text goes to the log (PII-02).
        "hide_parameters": True,
    }
    if settings.sqlalchemy_url.startswith("postgresql"):
        options["connect_args"] = dict(poolers.PATIENCE)
    return options
