"""What can support do to a user? The closed list: whose right each is, and when it makes sense."""

from dataclasses import dataclass, replace

from portal.core.closed_list import ClosedList
from portal.core.roles import Action
from portal.core.waiting_numbers import waiting

HELD = "Another user of this app holds this number and keeps it. Free the number from that user first."


class Deed(ClosedList):
    """One thing to do to a user; the sentence is its button. The most usual first, what takes away last."""

    RESEND = "resend", "Send the code again"
    CANCEL_CHANGE = "cancel-change", "Cancel the pending change"
    MARK_VERIFIED = "mark-verified", "Mark the number as verified"
    ENABLE = "enable", "Enable the user"
    END_TOKENS = "end-tokens", "End the user's tokens"
    FREE_NUMBER = "free-number", "Free the number"
    DISABLE = "disable", "Disable the user"
    ERASE = "erase", "Erase the user"

    @property
    def action(self) -> Action:
        """The right that it takes (TEN-05)."""
        return _OWNERS.get(self, Action.HELP_USERS)

    @property
    def takes_away(self) -> bool:
        """Whether a user has less afterwards, which its button warns of."""
        return self in {Deed.END_TOKENS, Deed.FREE_NUMBER, Deed.DISABLE, Deed.ERASE}

    @property
    def icon(self) -> str:
        """The drawing beside its word."""
        return _ICONS[self]


# What support may not do.
_OWNERS = {Deed.MARK_VERIFIED: Action.MARK_VERIFIED, Deed.ERASE: Action.ERASE_USERS}
_ICONS = {
    Deed.RESEND: "sms_templates",
    Deed.CANCEL_CHANGE: "undo",
    Deed.MARK_VERIFIED: "verification",
    Deed.ENABLE: "done",
    Deed.END_TOKENS: "exit",
    Deed.FREE_NUMBER: "keys",
    Deed.DISABLE: "close",
    Deed.ERASE: "warning",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What a confirmation is about: the user as it is now. Numbers in E.164, times in Unix ms."""

    number: str | None = None
    is_verified: bool = False
    verified_at: int | None = None
    # Only while its day lasts.
    pending: str | None = None
    pending_since: int | None = None
    is_disabled: bool = False
    has_login_name: bool = False
    has_email_address: bool = False
    has_password: bool = True
    tokens: int = 0
    # Another user who holds the waiting number, verified; and whether numbers move in this app.
    holder_id: str | None = None
    numbers_move: bool = False

    @property
    def waiting(self) -> str | None:
        """The number whose code is wanted: the pending one, else the unverified one of the sign-up."""
        return waiting(self.number, self.is_verified, self.pending)


def makes_sense(deed: Deed, facts: Facts) -> bool:
    """Whether there is anything that this deed could be done to; otherwise it is not offered."""
    return _senseless(deed, facts) is None


def obstacle(deed: Deed, facts: Facts) -> str | None:
    """Why a deed cannot be done now, in one or two sentences; None when it can. Limits are not asked here."""
    senseless = _senseless(deed, facts)
    if senseless is not None:
        return senseless
    if deed is Deed.RESEND and facts.is_disabled:
        return "This user is disabled and could not use a code. Enable the user first."
    if deed is Deed.MARK_VERIFIED and facts.holder_id and not facts.numbers_move:
        return HELD
    return None


def after(deed: Deed, facts: Facts) -> Facts:
    """What will be so once a deed is done, as its confirmation promises."""
    if deed is Deed.CANCEL_CHANGE:
        return replace(facts, pending=None)
    if deed is Deed.MARK_VERIFIED:
        return replace(facts, number=facts.waiting, is_verified=True, pending=None)
    if deed is Deed.FREE_NUMBER:
        return replace(facts, number=None, is_verified=False)
    if deed is Deed.ERASE:
        return Facts()
    if deed is Deed.DISABLE:
        return replace(facts, is_disabled=True, tokens=0)
    if deed is Deed.ENABLE:
        return replace(facts, is_disabled=False)
    return replace(facts, tokens=0) if deed is Deed.END_TOKENS else facts


def _senseless(deed: Deed, facts: Facts) -> str | None:
    lacks = {
        Deed.RESEND: (facts.waiting, "No number of this user waits for a code."),
        Deed.CANCEL_CHANGE: (facts.pending, "This user has no pending change."),
        Deed.MARK_VERIFIED: (facts.waiting, "No number of this user waits to be verified."),
        Deed.ENABLE: (facts.is_disabled, "This user is not disabled."),
        Deed.END_TOKENS: (facts.tokens, "This user has no tokens: nobody is logged in."),
        Deed.FREE_NUMBER: (facts.number, "This user has no number that could be freed."),
        Deed.DISABLE: (not facts.is_disabled, "This user is disabled already."),
        Deed.ERASE: (True, ""),
    }
    there, sentence = lacks[deed]
    return None if there else sentence
