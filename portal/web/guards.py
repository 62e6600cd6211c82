"""Who may open this page? Sign-in, membership and role, checked before a view runs (TEN-02, TEN-05)."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any, Concatenate, ParamSpec
from urllib.parse import urlsplit

from flask import Response, flash, g, request, url_for
from flask_login import current_user
from sqlalchemy.orm import Session

from portal.core.roles import Action, Role
from portal.core.roles import may as role_may
from portal.database import reading, transaction
from portal.errors import Forbidden, NotFound
from portal.models import Account, ActorKind, App
from portal.services import accounts, fences, second_factors, trespasses
from portal.services.context import Caller, Context
from portal.web import fresh_sign_ins
from portal.web.addresses import is_page
from portal.web.own_paths import is_own_path
from portal.web.parts import parts
from portal.web.render import go_to
from portal.web.short_terms import this_address

Given = ParamSpec("Given")
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
NO_SUCH_APP = "There is no such app, or you are not a member of it."


@dataclass(frozen=True, slots=True)
class Standing:
    """Who asks, in which app, as what. `caller` fences every row that a service touches."""

    account_id: str
    app: App
    role: Role

    @property
    def caller(self) -> Caller:
        """This account, acting in this app."""
        return Caller(ActorKind.ACCOUNT, self.app.id, self.account_id)

    def context(self, session: Session) -> Context:
        """The surroundings of one call that is made now."""
        return parts().context(session, self.caller)

    def may(self, action: Action) -> bool:
        """Whether the role allows `action`."""
        return role_may(self.role, action)


def signed_in(view: Callable[Given, Response]) -> Callable[Given, Response]:
    """Guards a page that every account may open."""

    @wraps(view)
    def guarded(*given: Given.args, **named: Given.kwargs) -> Response:
        if not current_user.is_authenticated:
            return ask_to_sign_in()
        return view(*given, **named)

    guarded.guard = "signed_in"  # type: ignore[attr-defined]
    return guarded


def signed_in_lately(view: Callable[Given, Response]) -> Callable[Given, Response]:
    """Guards what could do harm to one's own account: it asks for a fresh sign-in first (WEB-09)."""

    @wraps(view)
    def guarded(*given: Given.args, **named: Given.kwargs) -> Response:
        if not current_user.is_authenticated:
            return ask_to_sign_in()
        asked = fresh_sign_ins.ask(_own_page_open())
        return view(*given, **named) if asked is None else asked

    guarded.guard = "signed_in_lately"  # type: ignore[attr-defined]
    return guarded


def may(
    action: Action, *, asks_first: bool = False
) -> Callable[[Callable[Concatenate[Standing, Given], Response]], Callable[..., Response]]:
    """Guards a page of one app. The view gets a Standing in place of the address's `app_id`.

    Strangers get the same 404 as for an app that does not exist; members without the right get 403. Where
    `action` needs a fresh sign-in, changes ask for one first and keep what was typed; a page asks with
    `asks_first`, so that nobody fills in a form for nothing (WEB-09).
    """

    def around(view: Callable[Concatenate[Standing, Given], Response]) -> Callable[..., Response]:
        @wraps(view)
        def guarded(app_id: str, *given: Any, **named: Any) -> Response:
            if not current_user.is_authenticated:
                return ask_to_sign_in()
            g.standing = _standing(current_user, app_id)
            if _lacks_second_factor(g.standing):
                flash("Owners need a second factor here. Add one, then go on.", "wait")
                return go_to(url_for("accounts.show"))
            if not g.standing.may(action):
                raise Forbidden("Your role in this app does not include this page. Ask an owner of the app.")
            if action.needs_fresh_sign_in and (asks_first or request.method not in SAFE_METHODS):
                asked = fresh_sign_ins.ask(_own_page_open())
                if asked is not None:
                    return asked
            # Who it is, is settled. What the page itself asks for reaches this one app (TEN-03).
            fences.stand(reading(), app_id)
            return view(g.standing, *given, **named)

        guarded.guard = action  # type: ignore[attr-defined]
        guarded.asks_first = asks_first  # type: ignore[attr-defined]
        return guarded

    return around


def _standing(account: Account, app_id: str) -> Standing:
    g.memberships = accounts.apps_of(reading(), account.id)
    for app, _role in g.memberships:
        # The rail names the others too; after a rollback no row of theirs can be read from behind the fence.
        if app.id != app_id:
            reading().expunge(app)
    for app, role in g.memberships:
        if app.id == app_id:
            return Standing(account.id, app, role)
    caller = Caller(ActorKind.ACCOUNT, "", account.id)
    with transaction() as session:
        trespasses.note(parts().context(session, caller), app_id)
    raise NotFound("app", NO_SUCH_APP)


def _lacks_second_factor(standing: Standing) -> bool:
    """Whether an owner has to add a second factor before anything else, where the operator wants that."""
    settings = parts().settings
    if not settings.require_second_factor or standing.role is not Role.OWNER:
        return False
    return not second_factors.of(reading(), standing.account_id)


def ask_to_sign_in(*_mechanisms: object, **_headers: object) -> Response:
    """Sends a signed-out browser to the sign-in page, and back to where it was going afterwards."""
    target = ""
    if request.method in SAFE_METHODS and not request.headers.get("HX-Request"):
        # An address that somebody put a whole phone number into is not repeated in ours.
        target = this_address()
    return go_to(url_for("security.login", next=target or None))


def _own_page_open() -> str:
    """The page that is open in the browser: the one asked for, or the one that htmx asks from."""
    if request.method in SAFE_METHODS:
        return this_address()
    path = urlsplit(request.headers.get("HX-Current-URL", "")).path
    return path if is_own_path(path) else url_for("apps.index")


def refuse_foreign_origins() -> None:
    """Refuses a change of state that another site's page asked for, whatever its token says (WEB-03).

    With `Referrer-Policy: no-referrer` browsers send `Origin: null` with our own forms, so Sec-Fetch-Site
    is asked first, and a null Origin alone is neither proof nor refusal: the token decides.
    """
    if request.method in SAFE_METHODS or not is_page(request.path):
        return
    if request.headers.get("Sec-Fetch-Site", "same-origin") not in ("same-origin", "none"):
        raise Forbidden("This form was sent from another site. Open the page here and send it again.")
    origin = request.headers.get("Origin", "null")
    if origin not in ("null", f"{request.scheme}://{request.host}") and not _names_this_host(origin):
        raise Forbidden("This form was sent from another site. Open the page here and send it again.")


def _names_this_host(origin: str) -> bool:
    # Behind a proxy that ends TLS, the browser's scheme is not the one that arrives here.
    try:
        return urlsplit(origin).netloc == request.host
    except ValueError:
        return False
