"""What is known of a user when an SMS did not come? The facts that core/why_no_sms.py decides by."""

from dataclasses import dataclass
from enum import StrEnum

from portal.core.lifecycle import State
from portal.core.limits import Refused
from portal.core.reasons import Reason


class Stage(StrEnum):
    """How far an SMS got, as far as an answer depends on it."""

    WAITING = "waiting"
    LEAVING = "leaving"
    SENT = "sent"
    DELIVERED = "delivered"
    NOT_SENT = "not_sent"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sms:
    """The newest SMS of a code. Times in Unix ms; `due_at` is the end of the lease while it is leaving."""

    stage: Stage
    put_down_at: int
    due_at: int
    reason: Reason | None = None
    # What the provider said, scrubbed; foreign text.
    words: str = ""
    # It went to the Inbox page of a sandbox, and to no phone.
    is_in_inbox: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Code:
    """The user's newest verification."""

    state: State
    expires_at: int
    # Unix ms; 0 while it is open.
    ended_at: int = 0
    is_for_waiting_number: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class RefusedSend:
    """The newest request for an SMS that a rule refused; `until` (Unix ms) where it is a matter of time."""

    reason: Reason
    at: int
    until: int | None = None
    country: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What is known of one user at `now` (Unix ms).

    `obstacle` is COUNTRY_CLOSED or NOT_MOBILE of the waiting number, `limit` what refuses it a send now,
    `settled_at` when the user's numbers last came to rest, `has_lapsed` whether by a change that ran out.
    """

    now: int
    is_sandbox: bool = False
    is_verifying: bool = True
    is_disabled: bool = False
    has_number: bool = True
    has_lost_number: bool = False
    waits: bool = True
    country: str = ""
    obstacle: Reason | None = None
    limit: Refused | None = None
    code: Code | None = None
    sms: Sms | None = None
    refused: RefusedSend | None = None
    settled_at: int = 0
    has_lapsed: bool = False
