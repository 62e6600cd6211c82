"""What does support do about a reason? One sentence each, in the words of the page's own deeds."""

from typing import Final

from portal.core.reasons import Reason

_RESEND_LATER: Final = "Wait. The limit protects the number from being flooded, and nobody can lift it."

WHAT_TO_DO: Final[dict[Reason, str]] = {
    Reason.RESEND_WAIT: "Ask the user to look for the SMS that was sent, and to wait before asking again.",
    Reason.SENDS_USED_UP: "Ask the user to try the newest SMS, or to ask again when its code has ended.",
    Reason.NUMBER_HOURLY_LIMIT: _RESEND_LATER,
    Reason.NUMBER_DAILY_LIMIT: _RESEND_LATER,
    Reason.NUMBER_GUESS_LIMIT: "Wait. If the number is certain, an owner can mark it as verified.",
    Reason.TOO_MANY_GUESSES: "Send the code again: it will be a new one.",
    Reason.SOURCE_SEND_LIMIT: "Wait, or ask the user to try from another network, such as without Wi-Fi.",
    Reason.COUNTRY_CLOSED: "An owner can open it under Verification.",
    Reason.NOT_MOBILE: "Ask the user for a mobile number.",
    Reason.EXPIRED_BEFORE_SENDING: "Send the code again. If this happens once more, tell the operator.",
    Reason.NO_LONGER_NEEDED: "Nothing, unless the user still waits: then the user starts again in the app.",
    Reason.PROVIDER_REFUSED: "Check the number with the user. If it is right, show the operator this answer.",
    Reason.PROVIDER_ACCOUNT_REFUSED: "Tell an owner: it is not about the number. Then send the code again.",
    Reason.PROVIDER_IN_TROUBLE: "Send the code again. If that fails too, tell the operator.",
    Reason.PROVIDER_UNREACHABLE: "Send the code again. If that fails too, tell the operator.",
    Reason.NO_PROVIDER: "Ask an owner to choose a provider for this app.",
    Reason.RENDERING_FAILED: "Ask an owner to look at the SMS template, then send the code again.",
    Reason.SENDING_BROKE_OFF: "Tell the operator. Then send the code again, or have the message tried again.",
    Reason.TOO_MANY_WAITING: "Wait a minute. If it stays so, tell the operator: the provider is too slow.",
    Reason.PHONE_UNREACHABLE: "Ask the user to check the phone's reception, then send the code again.",
    Reason.WAITING_TO_BE_SENT: "Nothing: it leaves within seconds.",
    Reason.WORKER_STALLED: "Tell the operator. The SMS leaves by itself once the worker runs again.",
    Reason.SENT_NOT_CONFIRMED: "Ask the user to look among unknown senders too, then send the code again.",
    Reason.DELIVERED: "Ask the user to look among unknown senders too, then send the code again.",
    Reason.CODE_EXPIRED: "Send the code again: it will be a new one.",
    Reason.CHANGE_LAPSED: "Ask the user to start the change again in the app.",
    Reason.VERIFICATION_OFF: "Nothing. An owner can switch verification on under Verification.",
    Reason.NOTHING_TO_VERIFY: "Nothing. For another number, the user changes it in the app.",
    Reason.NO_PHONE_NUMBER: "Ask the user to add a phone number in the app.",
    Reason.USER_DISABLED: "Enable the user first, if that is right.",
}

# The words that lead to a time; every other reason has those of POSSIBLE_AGAIN.
POSSIBLE_AGAIN: Final = "The next SMS is possible from"
TRIED_AGAIN: Final = "It is tried again at"
THEN: Final[dict[Reason, str]] = {
    Reason.WORKER_STALLED: "It has been due since",
    Reason.NUMBER_GUESS_LIMIT: "Codes work again from",
}

OPEN_IT: Final = "Open it under Verification."
ASK_TO_OPEN_IT: Final = "Ask an owner to open it under Verification."
WAIT_FOR_RETRY: Final = "Nothing now: Ringback tries again by itself."
OPEN_BY_NOW: Final = "The country was opened since: send the code again."
SANDBOX: Final = "This app is a sandbox: its messages go to its Inbox, and no phone gets them."
IN_INBOX: Final = "The SMS reached the app's Inbox."
LOOK_IN_INBOX: Final = "An owner can read it in the Inbox."
LEFT_IN_INBOX: Final = "The app has gone live since, and its Inbox is closed. Send the code again."
EXPIRED_IN_INBOX: Final = "The SMS reached the app's Inbox, and its code was not used in time."
LOST_NUMBER: Final = "No SMS is due: this user's phone number went to its new holder."
SOMEBODY_ELSES: Final = "No SMS is due: somebody else proved this number first."
NO_LIVE_CODE: Final = "No code is under way: the last one was not used in time."


def closed(country: str) -> str:
    """What is said of a country, by its name, that an app may not text."""
    return f"Nothing was sent: {country} is not open for this app."
