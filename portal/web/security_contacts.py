"""Where does somebody report a weakness? RFC 9116's security.txt, where there is a contact (OPS-07)."""

from datetime import timedelta

from flask import Blueprint, Response, abort

from portal import clock
from portal.web.parts import parts

pages = Blueprint("security_contacts", __name__)

PATH = "/.well-known/security.txt"
# The RFC asks for less than a year, so that nobody relies on a page that was forgotten.
_GOOD_FOR = timedelta(days=180)


@pages.get(PATH)
def show() -> Response:
    """The contact, as text; 404 where there is none."""
    settings = parts().settings
    if not settings.security_contact:
        abort(404)
    expires = (clock.as_datetime(clock.now()) + _GOOD_FOR).isoformat(timespec="seconds")
    lines = [f"Contact: {settings.security_contact}", f"Expires: {expires.replace('+00:00', 'Z')}"]
    if settings.base_url:
        lines.append(f"Canonical: {settings.base_url}{PATH}")
    lines.append("Preferred-Languages: en")
    return Response("\n".join(lines) + "\n", content_type="text/plain; charset=utf-8")
