"""Which providers are there, and what do they do with an SMS?"""

import io

from portal.delivery.providers import installed
from portal.delivery.providers.base import Sms
from portal.delivery.providers.console import Console
from portal.delivery.providers.inbox import Inbox

SMS = Sms("m1", "+819012345678", "123456 is your Shop code.\nBye", valid_until=0)


def test_the_console_shows_number_and_text_on_the_terminal():
    terminal = io.StringIO()
    taken = Console(terminal).send(SMS)
    assert terminal.getvalue() == "\n  SMS to +819012345678\n  | 123456 is your Shop code.\n  | Bye\n\n"
    assert (taken.reference, taken.is_delivered) == ("m1", False)


def test_the_inbox_has_an_sms_at_once():
    taken = Inbox().send(SMS)
    assert (taken.reference, taken.is_delivered) == ("m1", True)


def test_ops_06_production_prints_no_codes_on_a_terminal():
    assert set(installed.by_name(production=True, terminal=io.StringIO())) == {"inbox"}
    assert set(installed.by_name(production=False, terminal=io.StringIO())) == {"inbox", "console"}


def test_pii_02_an_sms_shows_neither_number_nor_text_when_it_is_printed_by_mistake():
    assert "9012345678" not in repr(SMS)
    assert "123456" not in repr(SMS)
