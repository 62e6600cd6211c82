"""What does the rail offer on this page? The pages that exist and that the role may open."""

from dataclasses import dataclass

from flask import Flask, g, request, url_for
from flask_login import current_user

from portal.core.roles import Action
from portal.database import reading
from portal.models import AppMode
from portal.services import second_factors
from portal.web import fresh_sign_ins
from portal.web.guards import Standing
from portal.web.short_terms import may_be_repeated
from portal.web.themes import THEMES, chosen_theme

# In the order of work (look.md); the page tells which entry is the current one.
ENTRIES = (
    ("Overview", "overview", "apps.show", Action.SEE_APP),
    ("Inbox", "inbox", "inbox.show", Action.SEE_INBOX),
    ("Users", "users", "users.index", Action.SEE_USERS),
    ("Messages", "messages", "messages.index", Action.SEE_MESSAGES),
    ("SMS templates", "sms_templates", "sms_templates.index", Action.SEE_SMS_TEMPLATES),
    ("Verification", "verification", "verifications.show", Action.SEE_SETTINGS),
    ("Provider", "provider", "providers.index", Action.MANAGE_PROVIDERS),
    ("Access keys", "keys", "access_keys.show", Action.MANAGE_KEYS),
    ("Team", "team", "team.index", Action.SEE_TEAM),
    ("Audit", "audit", "audit_log.index", Action.SEE_AUDIT),
)
# Pages that an entry leads to although they stand elsewhere.
_BELONGS_TO = {"sms_settings": "sms_templates"}


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the rail."""

    word: str
    icon: str
    address: str
    current: bool


def mount(app: Flask) -> None:
    """Gives every template the rail, the theme, and the address to come back to."""
    app.context_processor(_values)


def _values() -> dict[str, object]:
    broken = g.get("is_broken", False)
    standing = None if broken else g.get("standing")
    return {
        "account": None if broken or not current_user.is_authenticated else current_user,
        "memberships": g.get("memberships", []),
        "standing": standing,
        "rail": _entries(standing) if standing else [],
        "is_fresh": fresh_sign_ins.is_fresh,
        "lacks_second_factor": _lacks_second_factor,
        "theme": chosen_theme(),
        "themes": THEMES,
        "here": _here() if request.method == "GET" else "",
    }


def _lacks_second_factor() -> bool:
    """Whether whoever is signed in has nothing but a password."""
    return current_user.is_authenticated and not second_factors.of(reading(), current_user.id)


def _here() -> str:
    """The address to come back to after a change of theme."""
    return request.full_path.rstrip("?") if may_be_repeated(request.args) else request.path


def _entries(standing: Standing) -> list[Entry]:
    return [
        Entry(word, icon, address, _is_current(endpoint, address))
        for word, icon, endpoint, action in ENTRIES
        if standing.may(action) and (endpoint != "inbox.show" or standing.app.mode == AppMode.SANDBOX)
        for address in [url_for(endpoint, app_id=standing.app.id)]
    ]


def _is_current(endpoint: str, address: str) -> bool:
    """Whether this page belongs to an entry: by its blueprint, or by standing below the entry's address."""
    blueprint = (request.endpoint or "").partition(".")[0]
    blueprint = _BELONGS_TO.get(blueprint, blueprint)
    # Every page of an app stands below its overview.
    is_below = endpoint != "apps.show" and request.path.startswith(f"{address}/")
    return is_below or blueprint == endpoint.partition(".")[0]
