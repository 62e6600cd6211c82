"""What may a browser do with our pages? The headers of every answer of the portal (WEB-04)."""

from flask import Flask, Response, current_app, request
from flask_login import current_user

from portal.web.addresses import is_page
from portal.web.assets import STATIC_ENDPOINTS

# No inline script or style exists anywhere, so there is no nonce to keep.
CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",
        "font-src 'self'",
        "connect-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
        "object-src 'none'",
    )
)
HEADERS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
}
HSTS = "max-age=31536000; includeSubDomains"


def mount(app: Flask) -> None:
    """Adds the headers to every answer outside the REST API."""
    app.after_request(_add)


def _add(answer: Response) -> Response:
    if not is_page(request.path):
        return answer
    for name, value in HEADERS.items():
        answer.headers[name] = value
    if current_app.config["SESSION_COOKIE_SECURE"]:
        answer.headers["Strict-Transport-Security"] = HSTS
    if request.endpoint not in STATIC_ENDPOINTS:
        _keep_to_one_person(answer)
    return answer


def _keep_to_one_person(answer: Response) -> None:
    answer.vary.update(("Cookie", "HX-Request"))
    # The sign-in page holds a session-bound token, so it is as personal as what comes after it.
    if answer.mimetype == "text/html" or current_user:
        answer.headers["Cache-Control"] = "no-store"
