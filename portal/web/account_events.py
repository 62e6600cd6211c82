"""What does an event of one's own account say? One line in the second person, for the account page."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from portal.core.roles import Role
from portal.models import AuditAction
from portal.services.account_events import Event
from portal.web.filters import action, counted


@dataclass(frozen=True, slots=True)
class Words:
    """What happened, what there is to say beside it, and whose words `name` are: an app's or a passkey's.

    `is_refused` marks what somebody tried in vain.
    """

    what: str
    more: str = ""
    name: str = ""
    is_refused: bool = False


def words(event: Event) -> Words:
    """An event as its account reads it. Never fails, whatever the details are."""
    find = _WORDS.get(event.action)
    return find(event, event.details) if find else Words(action(event.action), name=event.app or "")


def _signed_in(_event: Event, told: Mapping[str, Any]) -> Words:
    return Words("Signed in", f"by {told['by']}" if "by" in told else "")


def _failed(event: Event, told: Mapping[str, Any]) -> Words:
    what = "A wrong password was typed"
    if told.get("passkey"):
        what = "A passkey was refused"
    elif told.get("second_factor"):
        what = "A wrong code was typed"
    times = f"{event.times} times or more" if event.goes_on else f"{event.times} times"
    more = f"{times} in a row" if event.times > 1 else ""
    return Words(what, more, is_refused=True)


def _sign_ins_ended(_event: Event, told: Mapping[str, Any]) -> Words:
    if told.get("everywhere"):
        return Words("Signed out everywhere")
    return Words(f"Signed {counted(int(told.get('sign_ins', 1)), 'browser')} out")


def _password_changed(event: Event, _told: Mapping[str, Any]) -> Words:
    return Words("Changed the password" if event.is_own else "The operator set a new password")


def _passkey(event: Event, told: Mapping[str, Any]) -> Words:
    what = "Added a passkey" if event.action == AuditAction.PASSKEY_ADDED else "Removed a passkey"
    return Words(what, name=str(told.get("passkey", "")))


def _joined(event: Event, told: Mapping[str, Any]) -> Words:
    return Words(f"Joined a team as {_role(told)}", name=event.app or "")


def _role_changed(event: Event, told: Mapping[str, Any]) -> Words:
    after = told.get("after")
    role = _role(after if isinstance(after, dict) else {})
    return Words(f"Became {role} in a team", _by_whom(event), event.app or "")


def _left(event: Event, _told: Mapping[str, Any]) -> Words:
    return Words("Left a team" if event.is_own else "Taken off a team", _by_whom(event), event.app or "")


def _by_whom(event: Event) -> str:
    return "" if event.is_own else "by somebody else"


def _role(told: Mapping[str, Any]) -> str:
    # A role of another version of Ringback may be none of these.
    role = str(told.get("role"))
    return {Role.OWNER.value: "an owner", Role.SUPPORT.value: "support"}.get(role, "a member")


_WORDS: Final[dict[str, Callable[[Event, Mapping[str, Any]], Words]]] = {
    AuditAction.ACCOUNT_CREATED: lambda _event, _told: Words("Your account was made"),
    AuditAction.SIGNED_IN: _signed_in,
    AuditAction.SIGN_IN_FAILED: _failed,
    AuditAction.CONFIRMED: lambda _event, _told: Words("Confirmed that it is you"),
    AuditAction.SIGN_INS_ENDED: _sign_ins_ended,
    AuditAction.ACCOUNT_PASSWORD_CHANGED: _password_changed,
    AuditAction.PASSKEY_ADDED: _passkey,
    AuditAction.PASSKEY_REMOVED: _passkey,
    AuditAction.MEMBER_JOINED: _joined,
    AuditAction.MEMBER_CHANGED: _role_changed,
    AuditAction.MEMBER_REMOVED: _left,
}
