"""Who may do what in an app? The matrix that guards every page and generates the tests (TEN-05)."""

from enum import StrEnum

from portal.core.closed_list import ClosedList


class Role(StrEnum):
    """What an account is in one app."""

    OWNER = "owner"
    SUPPORT = "support"


class Action(ClosedList):
    """What can be done in an app, each with a sentence."""

    SEE_APP = "see_app", "See the app's overview"
    SEE_USERS = "see_users", "Look users up, numbers masked"
    REVEAL_NUMBERS = "reveal_numbers", "Reveal a user's numbers, with a reason"
    HELP_USERS = "help_users", "Resend, cancel, free a number, disable, end tokens, with a reason"
    MARK_VERIFIED = "mark_verified", "Mark a number as verified without its code, with a reason"
    ERASE_USERS = "erase_users", "Erase a user for good, with a reason"
    SEE_MESSAGES = "see_messages", "See how messages fared, without their texts"
    SEE_AUDIT = "see_audit", "Read the audit log"
    EXPORT_AUDIT = "export_audit", "Export the audit log"
    SEE_INBOX = "see_inbox", "Read the sandbox inbox, codes included"
    SEE_SETTINGS = "see_settings", "See how verification is set"
    CHANGE_SETTINGS = "change_settings", "Switch verification and change its settings"
    SEE_SMS_TEMPLATES = "see_sms_templates", "Read the SMS templates"
    CHANGE_SMS_TEMPLATES = "change_sms_templates", "Prepare SMS templates, and send tests of them"
    PUBLISH_SMS_TEMPLATES = "publish_sms_templates", "Save, approve, import and remove SMS templates"
    MANAGE_PROVIDERS = "manage_providers", "Set providers up, and take the app live"
    MANAGE_KEYS = "manage_keys", "See the access keys"
    CHANGE_KEYS = "change_keys", "Add, end and reset access keys"
    SEE_TEAM = "see_team", "See who is a member, and who is invited"
    MANAGE_TEAM = "manage_team", "Invite members, change their roles and remove them"

    @property
    def needs_fresh_sign_in(self) -> bool:
        """Whether its person must have proved within ten minutes who they are (WEB-09)."""
        return self in NEEDS_FRESH_SIGN_IN


# What could do harm at a browser that somebody left open (WEB-09, TEN-08, PII-08).
NEEDS_FRESH_SIGN_IN: frozenset[Action] = frozenset(
    {
        Action.REVEAL_NUMBERS,
        Action.ERASE_USERS,
        Action.EXPORT_AUDIT,
        Action.PUBLISH_SMS_TEMPLATES,
        Action.MANAGE_PROVIDERS,
        Action.CHANGE_KEYS,
        Action.MANAGE_TEAM,
    }
)

ALLOWED: dict[Role, frozenset[Action]] = {
    Role.OWNER: frozenset(Action),
    Role.SUPPORT: frozenset(
        {
            Action.SEE_APP,
            Action.SEE_USERS,
            Action.REVEAL_NUMBERS,
            Action.HELP_USERS,
            Action.SEE_MESSAGES,
            Action.SEE_AUDIT,
        }
    ),
}


def may(role: Role | None, action: Action) -> bool:
    """Whether `role` (None for a stranger) may do `action`. Deny is the default."""
    return role is not None and action in ALLOWED[role]


def may_give(giver: Role | None, role: Role) -> bool:
    """Whether whoever is `giver` may make others `role`: nobody gives more than they have (TEN-08)."""
    return may(giver, Action.MANAGE_TEAM) and giver is not None and ALLOWED[role] <= ALLOWED[giver]
