"""Which theme does this browser show? Kept in a cookie of its own, so that it outlives the session."""

from flask import Blueprint, Response, current_app, request, url_for

from portal.web.own_paths import is_own_path
from portal.web.render import go_to

pages = Blueprint("themes", __name__)

COOKIE = "theme"
THEMES = ("system", "light", "dark")
YEAR_S = 365 * 24 * 3600


@pages.post("/theme")
def choose() -> Response:
    """Keeps the chosen theme and goes back to the page that asked."""
    back = request.form.get("back", "")
    answer = go_to(back if is_own_path(back) else url_for("apps.index"))
    chosen = request.form.get("theme", "")
    if chosen in THEMES:
        secure = current_app.config["SESSION_COOKIE_SECURE"]
        answer.set_cookie(COOKIE, chosen, max_age=YEAR_S, secure=secure, httponly=True, samesite="Lax")
    return answer


def chosen_theme() -> str:
    """The theme of this browser; the system's when none was chosen."""
    chosen = request.cookies.get(COOKIE, "")
    return chosen if chosen in THEMES else "system"
