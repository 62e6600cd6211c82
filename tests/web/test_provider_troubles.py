"""When carriers fail, do their pages say what is true, and how it is put right?"""

import pytest
from sqlalchemy import update

from portal.models import App, Provider
from tests.web.carrier_kinds import carrier
from tests.web.test_providers import added, address, main, stored

__all__ = ["added", "address", "carrier", "stored"]


@pytest.fixture
def live(session, shop):
    session.execute(update(App).where(App.id == shop.id).values(mode="live", provider="carriers"))


@pytest.fixture
def pause(session, clock):
    """`pause(provider)` opens its breaker, as five failures do."""

    def paused(*found: Provider) -> None:
        values = {"paused_until": clock.now() + 9_000, "failures_in_row": 5}
        for each in found:
            session.execute(update(Provider).where(Provider.id == each.id).values(values))

    return paused


@pytest.mark.usefixtures("live")
def test_a_paused_carrier_is_said_to_stand_in_for_nobody(alices, address, added, pause):
    one, two = added("One"), added("Two")
    pause(one, two)
    text = main(alices.get(address).text)

    assert text.count("No other carrier works now, so messages wait.") == 2
    assert text.count("Switching off: no other carrier works now, so messages wait until one does.") == 2
    assert "takes its messages" not in text
    removal = main(alices.get(f"{address}/{one.id}/removal").text)
    assert "No other carrier works now: messages wait until one does." in removal


@pytest.mark.usefixtures("live")
def test_a_paused_carrier_that_is_alone_says_that_messages_wait(alices, address, added, pause):
    pause(added("One"))

    assert "Nothing else is on, so messages wait." in main(alices.get(address).text)
