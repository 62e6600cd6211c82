"""What needs a person in this app, in one line each: what is wrong, what to do, and where to go."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from flask import Flask, current_app, url_for

from portal import clock
from portal.core import locales
from portal.core.alarms import AlarmName
from portal.core.pauses import Cause
from portal.core.roles import Action
from portal.database import reading
from portal.models import AppMode
from portal.services import status_lines, template_gaps
from portal.services.memories import Memory
from portal.services.status_lines import Trouble
from portal.services.template_gaps import Gap
from portal.web.filters import counted
from portal.web.guards import Standing

MOST: Final = 3
_GAPS: Final = "ringback_template_gaps"
_TELL: Final = "Tell your operator: portal worker has to run."


@dataclass(frozen=True, slots=True)
class Line:
    """One line. `provider` and `instead` are names of owners' making; no address for who may not go."""

    tone: str
    before: str
    provider: str
    after: str
    instead: str
    end: str
    word: str
    address: str


def mount(app: Flask) -> None:
    """Gives the frame of an app's pages its lines; they are asked for once a page, and by no fragment."""
    app.jinja_env.globals["status_lines"] = lines


def lines(standing: Standing | None) -> list[Line]:
    """What needs a person in the app of `standing`, the worst first; nothing outside an app."""
    if standing is None:
        return []
    found = [_WORDED[each.name](standing, each) for each in status_lines.of(reading(), standing.app)]
    return [*found, *_gap(standing)][:MOST]


def _gap(standing: Standing) -> list[Line]:
    """That many users lack a template in their language, where SMS go to people."""
    app = standing.app
    if app.mode != AppMode.LIVE or not app.phone_number_verification_required:
        return []
    memory: Memory[Gap | None] = current_app.extensions.setdefault(
        _GAPS, Memory(template_gaps.of, template_gaps.REMEMBERED)
    )
    gap = memory.of(reading(), app.id, clock.now())
    if gap is None or not template_gaps.stands(reading(), app.id, gap):
        return []
    sentence = (
        f"No SMS template is in {locales.name(gap.locale)}, which {counted(gap.users, 'user')} would get."
    )
    if not standing.may(Action.CHANGE_SMS_TEMPLATES):
        return [Line("wait", f"{sentence} Tell an owner of this app.", "", "", "", "", "", "")]
    address = url_for("sms_templates.edit", app_id=app.id, locale=gap.locale)
    return [Line("wait", sentence, "", "", "", "", "Add it", address)]


def _stalled(standing: Standing, it: Trouble) -> Line:
    return _line(standing, it, f"SMS wait and are not sent: the worker stands still. {_TELL}", _MESSAGES)


def _dead(standing: Standing, it: Trouble) -> Line:
    return _line(standing, it, f"No SMS is sent: no worker runs. {_TELL}", _MESSAGES)


def _crowded(standing: Standing, it: Trouble) -> Line:
    sentence = "Very many messages wait, so SMS may be late. Your operator sees it too."
    return _line(standing, it, sentence, _MESSAGES)


def _set_aside(standing: Standing, it: Trouble) -> Line:
    sentence = "Some SMS were set aside: they failed at every try. The messages say why."
    return _line(standing, it, sentence, _MESSAGES)


def _sprayed(standing: Standing, it: Trouble) -> Line:
    sentence = "Nearly all codes sent for this app are wrong: somebody is guessing. Codes are checked slowly."
    return _line(standing, it, sentence, _AUDIT)


def _tampered(standing: Standing, it: Trouble) -> Line:
    sentence = (
        "This app's audit log was changed, and not by Ringback. Tell your operator: portal audit verify."
    )
    return _line(standing, it, sentence, _AUDIT)


def _without(standing: Standing, it: Trouble) -> Line:
    told = "Switch one on." if standing.may(Action.MANAGE_PROVIDERS) else "Tell an owner of this app."
    return _line(standing, it, f"No SMS is sent: no provider is on. {told}", _PROVIDERS)


def _paused(standing: Standing, it: Trouble) -> Line:
    is_owner = standing.may(Action.MANAGE_PROVIDERS)
    told = "Look why it fails." if is_owner else "An owner of this app can look why."
    after = f" {_CAUSES[it.cause or Cause.FAILED]} and is paused." + (" Meanwhile " if it.instead else "")
    return _line(standing, it, "", _PROVIDERS, after, f" {_meanwhile(it)} {told}")


def _meanwhile(it: Trouble) -> str:
    if it.instead:
        return "takes its messages."
    if it.cause is Cause.REFUSED and it.is_alone:
        return "An SMS that it refuses fails; the others wait while their codes last."
    return "SMS wait until it works again, while their codes last."


_CAUSES: Final = {
    Cause.REFUSED: "refuses this app's account",
    Cause.AGAIN: "failed again and again",
    Cause.FAILED: "failed",
}


@dataclass(frozen=True, slots=True)
class _Goal:
    word: str
    endpoint: str
    action: Action


_MESSAGES: Final = _Goal("See the messages", "messages.index", Action.SEE_MESSAGES)
_AUDIT: Final = _Goal("See the audit log", "audit_log.index", Action.SEE_AUDIT)
_PROVIDERS: Final = _Goal("See the providers", "providers.index", Action.MANAGE_PROVIDERS)


def _line(standing: Standing, it: Trouble, before: str, goal: _Goal, after: str = "", end: str = "") -> Line:
    address = url_for(goal.endpoint, app_id=standing.app.id) if standing.may(goal.action) else ""
    tone = "bad" if it.is_bad else "wait"
    return Line(tone, before, it.provider or "", after, it.instead or "", end, goal.word, address)


_WORDED: Final[dict[str, Callable[[Standing, Trouble], Line]]] = {
    AlarmName.WORKER_STALLED: _stalled,
    AlarmName.WORKER_DEAD: _dead,
    AlarmName.BACKLOG: _crowded,
    AlarmName.MESSAGES_DEAD: _set_aside,
    AlarmName.CODES_SPRAYED: _sprayed,
    AlarmName.AUDIT_TAMPERED: _tampered,
    AlarmName.PROVIDER_PAUSED: _paused,
    "no_provider": _without,
}
