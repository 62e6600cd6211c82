"""Which outside carriers can Ringback talk to?"""

from portal.core.closed_list import ClosedList


class ProviderKind(ClosedList):
    """A kind of carrier, each with the name that people know it by."""

    TWILIO = "twilio", "Twilio"
    VONAGE = "vonage", "Vonage"
    HTTP = "http", "HTTP request"
    KANNEL = "kannel", "Kannel"
    SMPP = "smpp", "SMPP 3.4"


def kind_named(code: str) -> ProviderKind:
    """The kind with this code, which a row holds. Raises KeyError for one that this version does not know."""
    for kind in ProviderKind:
        if kind == code:
            return kind
    raise KeyError(code)
