"""What do our mails say? Plain text, and links that begin with the configured address only (WEB-07)."""

from typing import Any

from flask import url_for

from portal.core.roles import Role
from portal.errors import NotSupported
from portal.mailer import Mail, Mailer
from portal.web.parts import parts

NO_MAIL = "This portal cannot send mail yet: its operator has to set PORTAL_SMTP_HOST."


def mailer() -> Mailer:
    """Who sends them. Raises NotSupported in production without a server."""
    found: Mailer = parts().mailer
    if not found.works:
        raise NotSupported(NO_MAIL)
    return found


def invite(email: str, app_name: str, role: Role, key: str) -> Mail:
    """Asks somebody to join an app."""
    link = _link("invites.show", link=key)
    lines = (
        f"You are invited to join {app_name} on Ringback as {role}.",
        link,
        "The link works once, for 72 hours, and only for this address.",
        "If you do not know what this is about, do nothing: nothing happens without you.",
    )
    return Mail(email, f"You are invited to {app_name}", _paragraphs(*lines))


def password_reset(email: str, key: str) -> Mail:
    """Lets somebody set a new password."""
    lines = (
        "Somebody asked for a new password of your Ringback account. Set it here:",
        _link("password_resets.show", link=key),
        "The link works once, for 30 minutes. Your second factor is still asked for.",
        "If it was not you, do nothing: your password stays as it is.",
    )
    return Mail(email, "A new password for Ringback", _paragraphs(*lines))


def _paragraphs(*lines: str) -> str:
    return "\n\n".join(lines) + "\n"


def _link(endpoint: str, **place: Any) -> str:
    # Not `_external`: that would take whatever host the request named.
    settings = parts().settings
    return f"{settings.address}{url_for(endpoint, **place)}"
