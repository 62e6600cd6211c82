"""Why can a carrier's receipt not be read? A closed list, which names what is missing and never what came."""

from portal.core.closed_list import ClosedList


class ReceiptTrouble(ClosedList):
    """The first thing that a receipt lacks of what its description asks for (DEL-10)."""

    NO_FIELDS = "no_fields", "It was neither JSON that says so, nor a form, nor a query."
    WRONG_JSON = "wrong_json", "It said that it is JSON, and was none."
    NO_REFERENCE = "no_reference", "It named no message where the settings say that one stands."
    NO_STATE = "no_state", "It told no state where the settings say that one stands."
    UNKNOWN_WORD = "unknown_word", "Its word for the state is none that the settings know."
