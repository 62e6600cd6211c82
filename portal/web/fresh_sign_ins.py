"""Is it still the same person? Asks again after ten minutes, and loses nothing that was typed (WEB-09)."""

from flask import Response, g, make_response, render_template, request, session, url_for

from portal import clock
from portal.services import passkeys
from portal.web import passkey_places
from portal.web.forms import secrets
from portal.web.forms.proofs import PREFIX, ProofForm
from portal.web.render import go_to
from portal.web.server_sessions import ServerSession

PAGE = "confirmations/show.html"
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
TOKEN = "csrf_token"  # noqa: S105 - the name of a field


def is_fresh() -> bool:
    """Whether whoever is signed in proved within ten minutes who they are."""
    return _session().is_fresh(clock.now())


def ask(page_open: str) -> Response | None:
    """None for a fresh sign-in. Otherwise the page that asks for one, after which it goes on.

    A page leads there and comes back to `page_open`. A form that was sent is kept in the page that asks,
    which sends it again together with the password, so that the view runs as if nothing had happened.
    """
    if is_fresh():
        return None
    if request.method in SAFE_METHODS or request.headers.get("HX-Request"):
        return go_to(url_for("confirmations.show", next=page_open))
    form = ProofForm()
    if form.was_sent and form.validate():
        remember()
        return None
    status = 422 if form.was_sent else 403
    return show(form, action=request.full_path.rstrip("?"), kept=_kept(), status=status)


def remember() -> None:
    """Notes that the person of this session has just proved who they are."""
    _session().confirm(clock.now())


def session_id() -> str:
    """What the list of one's sign-ins names this session by."""
    return _session().id


def show(form: ProofForm, action: str, kept: list[tuple[str, str]], status: int = 200) -> Response:
    """The page that asks; it is sent to `action`, together with the fields that are `kept`."""
    standing = g.get("standing")
    back = url_for("apps.show", app_id=standing.app.id) if standing else url_for("apps.index")
    found = form.factors.passkeys
    options = passkeys.options_to_use(list(found), passkey_places.here(), alone=True) if found else ""
    page = render_template(PAGE, form=form, action=action, kept=kept, back=back, passkey_options=options)
    return make_response(page, 429 if form.refusal else status)


def _kept() -> list[tuple[str, str]]:
    """What was typed into the form that was sent, but for files, which no page can hold, and secrets."""
    return secrets.without(
        (name, value)
        for name, value in request.form.items(multi=True)
        if name != TOKEN and not name.startswith(PREFIX)
    )


def _session() -> ServerSession:
    here = session._get_current_object()  # type: ignore[attr-defined]  # noqa: SLF001
    assert isinstance(here, ServerSession)
    return here
