"""Why was a thing refused or not sent? The closed list, the same code in API, portal and log."""

from portal.core.closed_list import ClosedList


class Reason(ClosedList):
    """A reason code (the value) with one sentence for people (`sentence`)."""

    RESEND_WAIT = "resend_wait", "A code was sent a moment ago. Wait before asking for it again."
    SENDS_USED_UP = (
        "sends_used_up",
        "This code was sent as often as allowed. A new one can be asked for when it ends.",
    )
    NUMBER_HOURLY_LIMIT = "number_hourly_limit", "This number got as many messages as allowed in an hour."
    NUMBER_DAILY_LIMIT = "number_daily_limit", "This number got as many messages as allowed in a day."
    TEST_DAILY_LIMIT = "test_daily_limit", "Nothing was sent: you used your five tests of 24 hours."
    TOO_MANY_GUESSES = "too_many_guesses", "Too many wrong codes. Ask for a new code."
    NUMBER_GUESS_LIMIT = "number_guess_limit", "Too many wrong codes for this number in a day."
    COUNTRY_CLOSED = "country_closed", "Nothing was sent: this country is not open for this app."
    NOT_MOBILE = "not_mobile", "Nothing was sent: this number cannot receive SMS from Ringback."
    EXPIRED_BEFORE_SENDING = "expired_before_sending", "Not sent: the code had too little life left."
    NO_LONGER_NEEDED = "no_longer_needed", "Not sent: the number was verified, replaced or cancelled first."
    PROVIDER_REFUSED = "provider_refused", "The provider refused the message."
    PROVIDER_ACCOUNT_REFUSED = (
        "provider_account_refused",
        "The provider refused this app's account with it, whatever the number.",
    )
    PROVIDER_IN_TROUBLE = "provider_in_trouble", "The provider had trouble of its own."
    PROVIDER_UNREACHABLE = "provider_unreachable", "The provider could not be reached."
    NO_PROVIDER = "no_provider", "Not sent: this app has no provider."
    RENDERING_FAILED = "rendering_failed", "Not sent: the wording could not be filled in."
    SENDING_BROKE_OFF = (
        "sending_broke_off",
        "Set aside: Ringback broke off each time that it was sending the message.",
    )
    TOO_MANY_WAITING = "too_many_waiting", "Too many messages of this app wait to be sent."
    PHONE_UNREACHABLE = "phone_unreachable", "The carrier could not reach this phone."
    WAITING_TO_BE_SENT = "waiting_to_be_sent", "The SMS waits to be sent."
    WORKER_STALLED = "worker_stalled", "The SMS waits, and nothing is being sent: the worker stands still."
    SENT_NOT_CONFIRMED = "sent_not_confirmed", "The SMS was sent; its arrival is not confirmed yet."
    DELIVERED = "delivered", "The SMS arrived on the phone."
    CODE_EXPIRED = "code_expired", "The SMS was sent, and its code was not used in time."
    CHANGE_LAPSED = "change_lapsed", "The change of number was not finished within a day."
    VERIFICATION_OFF = "verification_off", "No SMS is sent: verification is switched off for this app."
    NOTHING_TO_VERIFY = "nothing_to_verify", "No SMS is due: the number is verified and no other one waits."
    NO_PHONE_NUMBER = "no_phone_number", "No SMS is due: this user has no phone number."
    USER_DISABLED = "user_disabled", "This user is disabled and cannot ask for an SMS."
    SIGN_IN_LIMIT = "sign_in_limit", "There were too many wrong tries here, or for this account."
    INVITE_LIMIT = "invite_limit", "You sent as many invites as allowed in an hour."
    REVEAL_HOURLY_LIMIT = "reveal_hourly_limit", "You revealed as many numbers as allowed in an hour."
    SOURCE_SEND_LIMIT = (
        "source_send_limit",
        "Too many sign-ups and changes of numbers came from this network within an hour.",
    )
    SOURCE_GUESS_LIMIT = "source_guess_limit", "Too many wrong codes came from this network."
    APP_GUESS_LIMIT = (
        "app_guess_limit",
        "Very many wrong codes are sent for this app, so codes are checked slowly. Try again in a moment.",
    )
    SOURCE_CALL_LIMIT = "source_call_limit", "Too many calls came from this network within a minute."
    LOOK_UP_HOURLY_LIMIT = "look_up_hourly_limit", "You looked up as many numbers as allowed in an hour."
