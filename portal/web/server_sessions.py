"""Where is a browser's session kept? In a row of ours; the cookie only holds its key (WEB-01, WEB-02)."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from flask import Flask, Request, Response, request
from flask.sessions import SessionInterface, SessionMixin
from flask_login import current_user
from sqlalchemy.exc import OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.orm import Session

from portal import clock
from portal.database import reading, transaction
from portal.models import ActorKind
from portal.services import fences, sessions, sign_ins
from portal.services.context import Caller, Context
from portal.web import browsers
from portal.web.assets import STATIC_ENDPOINTS

ACCOUNT = "_user_id"
# What a signed-out browser may take along from a signed-in session: a notice to be shown.
SURVIVES_SIGN_OUT = frozenset({"_flashes"})
# The token of forms belongs to one session and one account, so it never outlives a change of either; nor does
# what a sign-in was half-way through.
ENDS_AT_SIGN_IN = frozenset({"csrf_token", "second_step", "passkey_challenge"})


class ServerSession(SessionMixin):
    """The values of one browser's session, read from its row when somebody first asks for them."""

    def __init__(self, key: str, load: Callable[[], sessions.Kept | None]) -> None:
        self.key = key
        self._load = load
        self._values: dict[str, Any] | None = None
        self.before: dict[str, Any] = {}
        self.id = ""
        self.last_seen_at = 0
        self.confirmed_at = 0
        self.was_confirmed = False

    @property
    def values_now(self) -> dict[str, Any]:
        """The values, loaded."""
        if self._values is None:
            kept = self._load() if self.key else None
            self._values = dict(kept.values) if kept else {}
            self.before = dict(self._values)
            self.id = kept.id if kept else ""
            self.last_seen_at = kept.last_seen_at if kept else 0
            self.confirmed_at = (kept.confirmed_at or 0) if kept else 0
            # A key that opens nothing is never adopted, so nobody can plant one (WEB-01).
            self.key = self.key if kept else ""
        return self._values

    @property
    def was_asked(self) -> bool:
        """Whether anybody looked into the session during this request."""
        return self._values is not None

    def is_fresh(self, now: int) -> bool:
        """Whether its person proved who they are within the last ten minutes (WEB-09)."""
        return ACCOUNT in self.values_now and self.confirmed_at > now - sessions.FRESH

    def confirm(self, now: int) -> None:
        """Notes that the person has just proved who they are; the key is renewed with the answer."""
        self.confirmed_at, self.was_confirmed = now, True

    def __getitem__(self, name: str) -> Any:
        return self.values_now[name]

    def __setitem__(self, name: str, value: Any) -> None:
        self.values_now[name] = value

    def __delitem__(self, name: str) -> None:
        del self.values_now[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.values_now)

    def __len__(self) -> int:
        return len(self.values_now)


class ServerSessions(SessionInterface):
    """Reads sessions lazily, writes them on change or once a minute, and renews the key at sign-in."""

    def open_session(self, app: Flask, request: Request) -> ServerSession:
        """The session of this request; no row is read before somebody asks for a value."""
        key = request.cookies.get(self.get_cookie_name(app), "")[:64]

        def load() -> sessions.Kept | None:
            if request.endpoint in STATIC_ENDPOINTS:
                return None
            return sessions.read(reading(), key, clock.now())

        return ServerSession(key, load)

    def save_session(self, app: Flask, session: SessionMixin, response: Response) -> None:
        """Keeps what changed. Sign-in and sign-out end the old row, and with it the old cookie."""
        assert isinstance(session, ServerSession)
        if not session.was_asked:
            return
        try:
            self._keep(app, session, response)
        except (OperationalError, PoolTimeout):
            # No error handler is asked any more; a page that its form's session has not reached is useless.
            _say_busy(response)

    def _keep(self, app: Flask, session: ServerSession, response: Response) -> None:
        if session.values_now.get(ACCOUNT) != session.before.get(ACCOUNT):
            self._renew(app, session, response)
        elif session.key and session.was_confirmed:
            self._confirm(app, session, response)
        elif not session.key and session.values_now:
            self._open(app, session, response)
        elif session.key and self._is_due(session):
            self._write(app, session, response)

    def _renew(self, app: Flask, session: ServerSession, response: Response) -> None:
        signed_in = ACCOUNT in session.values_now
        for name in list(session.values_now):
            if name in ENDS_AT_SIGN_IN or not (signed_in or name in SURVIVES_SIGN_OUT):
                del session.values_now[name]
        if session.key:
            with _of_no_app() as rows:
                if account_id := sessions.end(rows, session.key):
                    sign_ins.ended(_by(app, rows, account_id), browsers.of_request())
        if session.values_now:
            self._open(app, session, response)
        else:
            self._drop_cookie(app, response)

    def _open(self, app: Flask, session: ServerSession, response: Response) -> None:
        account_id = _account_id(session)
        with _of_no_app() as rows:
            browser = request.headers.get("User-Agent", "")
            key = sessions.open_new(rows, session.values_now, account_id, clock.now(), browser)
            # After a change of password the browser that made it goes on, which is no sign-in.
            if account_id and ACCOUNT not in session.before:
                sign_ins.succeeded(_by(app, rows, account_id), browsers.of_request(), browsers.proof())
        self._set_cookie(app, key, response)

    def _confirm(self, app: Flask, session: ServerSession, response: Response) -> None:
        account_id = _account_id(session)
        with _of_no_app() as rows:
            sessions.write(rows, session.key, session.values_now, account_id, clock.now())
            key = sessions.confirm(rows, session.key, clock.now())
            if key and account_id:
                sign_ins.confirmed(_by(app, rows, account_id), browsers.of_request())
        if key is None:
            self._drop_cookie(app, response)
        else:
            self._set_cookie(app, key, response)

    def _set_cookie(self, app: Flask, key: str, response: Response) -> None:
        response.set_cookie(
            self.get_cookie_name(app),
            key,
            path="/",
            secure=self.get_cookie_secure(app),
            httponly=True,
            samesite="Lax",
        )

    def _write(self, app: Flask, session: ServerSession, response: Response) -> None:
        account_id = _account_id(session)
        with transaction() as rows:
            kept = sessions.write(rows, session.key, session.values_now, account_id, clock.now())
        if not kept:
            self._drop_cookie(app, response)

    def _is_due(self, session: ServerSession) -> bool:
        if session.values_now != session.before:
            return True
        # What an open page asks by itself is no sign of its person (WEB-02).
        asks_by_itself = "seen" in request.args and bool(request.headers.get("HX-Request"))
        return not asks_by_itself and session.last_seen_at <= clock.now() - clock.MINUTE

    def _drop_cookie(self, app: Flask, response: Response) -> None:
        secure = self.get_cookie_secure(app)
        response.delete_cookie(
            self.get_cookie_name(app), path="/", secure=secure, httponly=True, samesite="Lax"
        )


def _say_busy(response: Response) -> None:
    response.status_code = 503
    response.headers["Retry-After"] = "1"
    response.content_type = "text/plain; charset=utf-8"
    response.set_data(
        "The database did not answer in time. Nothing was saved. Reload the page in a moment.\n"
    )


@contextmanager
def _of_no_app() -> Iterator[Session]:
    # A session is an account's, whichever app the page stands in that it is saved after.
    with transaction() as rows, fences.lifted(rows):
        yield rows


def _by(app: Flask, rows: Session, account_id: str) -> Context:
    made: Context = app.extensions["ringback"].context(rows, Caller(ActorKind.ACCOUNT, "", account_id))
    return made


def _account_id(session: ServerSession) -> str | None:
    if ACCOUNT not in session.values_now or not current_user.is_authenticated:
        return None
    return str(current_user.id)
