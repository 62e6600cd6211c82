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
    SEE_MESSAGES = "see_messages", "See how messages fared, without their texts"
    SEE_AUDIT = "see_audit", "Read the audit log"
    EXPORT_AUDIT = "export_audit", "Export the audit log"
    SEE_INBOX = "see_inbox", "Read the sandbox inbox, codes included"
    SEE_SETTINGS = "see_settings", "See how verification is set"
    CHANGE_SETTINGS = "change_settings", "Switch verification and change its settings"
    SEE_SMS_TEMPLATES = "see_sms_templates", "Read the SMS templates"
    CHANGE_SMS_TEMPLATES = "change_sms_templates", "Save and remove SMS templates"
    MANAGE_PROVIDERS = "manage_providers", "Set providers up, and take the app live"
    MANAGE_KEYS = "manage_keys", "See the access keys and make a new secret"


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
