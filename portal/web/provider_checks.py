"""Are a carrier's credentials right? Asks the carrier, and says its answer in plain words."""

import threading
from dataclasses import dataclass
from typing import Final

import structlog
from flask import Blueprint, Response, flash, make_response, render_template, url_for

from portal.core.hidden_numbers import hide
from portal.core.provider_kinds import kind_named
from portal.core.roles import Action
from portal.core.sealing import BrokenSeal
from portal.database import reading, transaction
from portal.delivery.providers import installed
from portal.delivery.providers.base import ProviderFailure, ProviderRefused, WrongField
from portal.models import Provider
from portal.services import providers
from portal.web import receipt_words
from portal.web.filters import isolated
from portal.web.guards import Standing, may
from portal.web.parts import parts
from portal.web.providers import show_one
from portal.web.render import go_to, wants_fragment

pages = Blueprint("provider_checks", __name__, url_prefix="/apps/<id:app_id>/provider/<id:provider_id>/check")

FRAGMENT = "providers/_check.html"
# Each may take ten seconds, and none of them may be what keeps everybody else waiting.
AT_ONCE: Final = 4
_places = threading.BoundedSemaphore(AT_ONCE)
_FEWEST_HIDDEN: Final = 4

_logger = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Checked:
    """What a check found, in a sentence; `words` are the carrier's own."""

    tone: str
    sentence: str
    words: str = ""
    # Whether the carrier took the credentials for right.
    is_yes: bool = False


_YES: Final = Checked("good", "The provider accepts these credentials.", is_yes=True)
_NOT_ASKED: Final = Checked(
    "wait",
    "The server is there. Whether it accepts these credentials shows with the first SMS; "
    + "give an address for checking to have it asked.",
)


@pages.post("")
@may(Action.MANAGE_PROVIDERS)
def check(standing: Standing, provider_id: str) -> Response:
    """Asks the carrier, within ten seconds, and says what it answered; a yes ends its pause."""
    provider = providers.get(reading(), standing.app.id, provider_id)
    label, seen = provider.label, providers.stamp(provider)
    ctx = standing.context(reading())
    try:
        secrets = providers.secrets_of(ctx, provider)
    except BrokenSeal:
        checked = Checked("bad", "The stored credentials cannot be read any more. Type them again and save.")
    else:
        checked = _ask(provider, secrets)
    if checked.is_yes and _ends_pause(standing, provider_id, seen):
        # The banner and the badge are about the pause too, so the page is shown anew.
        flash(
            f"{isolated(label)} accepts these credentials. Its pause is over: it takes messages again.",
            "good",
        )
        return go_to(url_for("providers.show", app_id=standing.app.id, provider_id=provider_id))
    if not wants_fragment():
        return show_one(standing, providers.get(reading(), standing.app.id, provider_id), checked=checked)
    return make_response(render_template(FRAGMENT, app=standing.app, provider=provider, checked=checked))


def _ends_pause(standing: Standing, provider_id: str, seen: str) -> bool:
    with transaction() as session:
        ctx = standing.context(session)
        return providers.end_pause(ctx, provider_id, seen)


def _ask(provider: Provider, secrets: dict[str, str]) -> Checked:
    kind, settings, provider_id = kind_named(provider.kind), dict(provider.settings), provider.id
    around = receipt_words.surroundings(provider_id)
    # Nothing of the database is held while an outside server takes its time.
    reading().rollback()
    if not _places.acquire(blocking=False):
        return Checked("wait", "Other checks are under way. Try again in a few seconds.")
    try:
        with parts().while_waiting():
            carrier = installed.open_carrier(kind, settings, secrets, around)
            try:
                was_asked = carrier.check()
            finally:
                carrier.close()
    except WrongField as wrong:
        return Checked("bad", wrong.fix)
    except ProviderFailure as failure:
        return _failed(failure, secrets)
    except Exception as error:  # noqa: BLE001 - a carrier's slip is said as such, without what it was about
        _logger.error("check_failed", provider=provider_id, error=type(error).__name__)
        return Checked("wait", "The provider gave an answer that makes no sense.")
    finally:
        _places.release()
    return _YES if was_asked else _NOT_ASKED


def _failed(failure: ProviderFailure, secrets: dict[str, str]) -> Checked:
    words = _plain(failure, secrets)
    if not isinstance(failure, ProviderRefused):
        return Checked("wait", "The provider could not be reached.", words)
    if not failure.permanent:
        return Checked("wait", "The provider has trouble right now. Try again later.", words)
    return Checked("bad", "The provider refused these credentials.", words)


def _plain(failure: ProviderFailure, secrets: dict[str, str]) -> str:
    """The carrier's words without secrets and numbers, which some repeat."""
    words = "".join(char if char.isprintable() else " " for char in failure.words)
    for secret in sorted(secrets.values(), key=len, reverse=True):
        if len(secret) >= _FEWEST_HIDDEN:
            words = words.replace(secret, "••••")
    return hide(words.encode("utf-8", "replace").decode()).strip()
