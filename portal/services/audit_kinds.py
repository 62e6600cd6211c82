"""Which kinds of audit entries are there? Every action has one."""

from portal.core.closed_list import ClosedList
from portal.models import OF_ACCOUNTS, AuditAction


class Kind(ClosedList):
    """What an audit action is about; the sentence is the word on its filter."""

    SETTINGS = "settings", "Settings"
    PROVIDERS = "providers", "Providers"
    SMS_TEMPLATES = "sms_templates", "SMS templates"
    USERS = "users", "Users"
    PHONE_NUMBERS = "phone_numbers", "Phone numbers and codes"
    LOOK_UPS = "look_ups", "Look-ups, reveals and exports"
    TESTS = "tests", "Tests"
    KEYS = "keys", "Keys"
    TEAM = "team", "Team and accounts"


ACTIONS: dict[Kind, frozenset[AuditAction]] = {
    Kind.SETTINGS: frozenset(
        {
            AuditAction.APP_CREATED,
            AuditAction.APP_CHANGED,
            AuditAction.SEGMENT_PRICES_CHANGED,
            AuditAction.AUDIT_CHAIN_RESTARTED,
            AuditAction.ERASURES_MARKED,
        }
    ),
    Kind.PROVIDERS: frozenset(
        {
            AuditAction.APP_WENT_LIVE,
            AuditAction.APP_WENT_TO_SANDBOX,
            AuditAction.PROVIDER_ADDED,
            AuditAction.PROVIDER_CHANGED,
            AuditAction.PROVIDER_SWITCHED_ON,
            AuditAction.PROVIDER_SWITCHED_OFF,
            AuditAction.PROVIDER_PAUSE_ENDED,
            AuditAction.PROVIDER_MOVED,
            AuditAction.PROVIDER_REMOVED,
        }
    ),
    Kind.SMS_TEMPLATES: frozenset(
        {
            AuditAction.SMS_TEMPLATE_SAVED,
            AuditAction.SMS_TEMPLATE_PROPOSED,
            AuditAction.SMS_TEMPLATE_APPROVED,
            AuditAction.SMS_TEMPLATE_DISCARDED,
            AuditAction.SMS_TEMPLATE_REMOVED,
            AuditAction.SMS_TEMPLATES_IMPORTED,
        }
    ),
    Kind.USERS: frozenset(
        {
            AuditAction.USER_REGISTERED,
            AuditAction.USER_UPDATED,
            AuditAction.USER_DELETED,
            AuditAction.USER_ERASED,
            AuditAction.USER_DISABLED,
            AuditAction.USER_ENABLED,
            AuditAction.USER_PASSWORD_CHANGED,
            AuditAction.TOKENS_ENDED,
        }
    ),
    Kind.PHONE_NUMBERS: frozenset(
        {
            AuditAction.NUMBER_SET,
            AuditAction.NUMBER_CHANGE_STARTED,
            AuditAction.NUMBER_CHANGE_CANCELLED,
            AuditAction.NUMBER_CHANGE_LAPSED,
            AuditAction.NUMBER_VERIFIED,
            AuditAction.NUMBER_LOST,
            AuditAction.NUMBER_MARKED_VERIFIED,
            AuditAction.NUMBER_FREED,
            AuditAction.NUMBER_ERASED,
            AuditAction.SEND_REFUSED,
            AuditAction.CODE_RESENT,
            AuditAction.MESSAGE_REDRIVEN,
            AuditAction.CODE_RESET,
            AuditAction.CODE_WRONG,
            AuditAction.CODE_EXHAUSTED,
        }
    ),
    Kind.LOOK_UPS: frozenset(
        {
            AuditAction.NUMBER_LOOKED_UP,
            AuditAction.NUMBER_PART_TOLD,
            AuditAction.NUMBER_REVEALED,
            AuditAction.AUDIT_EXPORTED,
            AuditAction.LIMIT_HIT,
        }
    ),
    Kind.TESTS: frozenset(
        {
            AuditAction.TEST_SENT,
            AuditAction.OWN_NUMBER_ASKED,
            AuditAction.OWN_NUMBER_CONFIRMED,
            AuditAction.OWN_NUMBER_FORGOTTEN,
        }
    ),
    Kind.KEYS: frozenset(
        {
            AuditAction.KEY_ADDED,
            AuditAction.KEY_ENDED,
            AuditAction.APP_SECRET_REGENERATED,
            AuditAction.SEALING_KEY_ADDED,
            AuditAction.SEALING_KEY_USED,
            AuditAction.SEALING_KEYS_REMOVED,
            AuditAction.HASHING_KEY_ADDED,
            AuditAction.HASHING_KEYS_REMOVED,
        }
    ),
    Kind.TEAM: frozenset(
        {*OF_ACCOUNTS, AuditAction.MEMBER_INVITED, AuditAction.INVITE_WITHDRAWN, AuditAction.APP_REFUSED}
    ),
}
