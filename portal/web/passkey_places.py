"""Where is a passkey used, and what must it sign? This host, and a challenge of this session."""

import base64
import secrets
from urllib.parse import urlsplit

from flask import request, session

from portal.services.passkeys import Place
from portal.web.parts import parts

CHALLENGE = "passkey_challenge"


def here() -> Place:
    """This host, and the challenge that waits in this session; one is made where none does."""
    kept = session.get(CHALLENGE)
    if kept is None:
        kept = session[CHALLENGE] = base64.b64encode(secrets.token_bytes(32)).decode()
    return _place(base64.b64decode(kept))


def spent() -> Place:
    """The same, for an answer that came back; the challenge is good for this one answer."""
    # Without one, nothing that was signed can fit.
    kept = session.pop(CHALLENGE, None) or base64.b64encode(secrets.token_bytes(32)).decode()
    return _place(base64.b64decode(kept))


def _place(challenge: bytes) -> Place:
    # The hosts that may be named here are a list (WEB-07). Behind a proxy that ends TLS, only the configured
    # address knows the scheme that the browser sees.
    base_url: str = parts().settings.base_url
    is_ours = urlsplit(base_url).netloc == request.host
    origin = base_url if is_ours else request.host_url.rstrip("/")
    return Place(urlsplit(f"//{request.host}").hostname or "", origin, challenge)
