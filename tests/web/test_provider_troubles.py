"""When carriers fail, do their pages say what is true, and how it is put right?"""

import pytest
from sqlalchemy import select, update

from portal.delivery.providers.base import ProviderUnreachable
from portal.models import Account, ActorKind, App, AuditEntry, Message, Provider
from portal.services import providers
from portal.services.context import Caller
from tests import factories
from tests.web.carrier_kinds import carrier
from tests.web.test_providers import added, address, main, plain, stored

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

    assert text.count("No other carrier works now, so messages wait while their codes last.") == 2
    assert text.count("Switching off: no other carrier works now, so messages wait until one does.") == 2
    assert "takes its messages" not in text
    removal = main(alices.get(f"{address}/{one.id}/removal").text)
    assert "No other carrier works now: messages wait until one does." in removal


@pytest.mark.usefixtures("live")
def test_a_paused_carrier_that_is_alone_says_that_messages_wait(alices, address, added, pause):
    pause(added("One"))

    assert "Nothing else is on, so messages wait while their codes last." in main(alices.get(address).text)


def ended(session) -> list[dict[str, object]]:
    wanted = select(AuditEntry.details).where(AuditEntry.action == "provider.pause_ended")
    return list(session.scalars(wanted))


@pytest.mark.usefixtures("live")
def test_a_check_that_goes_well_ends_the_pause_and_says_so(alices, address, added, pause, stored, session):
    it = added("One")
    pause(it)
    stamp = stored(it).modified_at
    answer = alices.post(f"{address}/{it.id}/check")

    assert answer.location == f"{address}/{it.id}"
    page = main(alices.get(answer.location).text)
    assert "Its pause is over: it takes messages again." in page
    assert "is paused" not in page
    assert (stored(it).paused_until, stored(it).failures_in_row) == (None, 0)
    assert stored(it).modified_at == stamp
    assert ended(session) == [{"provider": "One"}]


@pytest.mark.usefixtures("live")
def test_a_check_that_fails_or_finds_no_pause_ends_nothing(
    alices, address, added, carrier, pause, stored, session
):
    it = added("One")
    assert alices.post(f"{address}/{it.id}/check").status_code == 200
    pause(it)
    carrier.fails = ProviderUnreachable("connect")
    assert alices.post(f"{address}/{it.id}/check").status_code == 200

    assert stored(it).paused_until is not None
    assert ended(session) == []


@pytest.mark.usefixtures("live")
def test_a_check_that_could_ask_nobody_says_so_and_ends_no_pause(
    alices, address, added, carrier, pause, stored, session
):
    it = added("One")
    pause(it)
    carrier.is_asked = False
    answer = alices.post(f"{address}/{it.id}/check")
    found = answer.text.split('id="check-result"')[0].rpartition("<p")[2]

    assert answer.status_code == 200
    assert "The server is there. Whether it accepts these credentials shows with the first SMS" in main(
        answer.text
    )
    assert "The provider accepts" not in answer.text
    assert "is-wait" in found
    assert stored(it).paused_until is not None
    assert ended(session) == []
    # No more than that is promised beforehand.
    assert "Check credentials ends the pause" not in main(answer.text)
    assert "a test that it takes, ends the pause" in main(answer.text)


@pytest.mark.usefixtures("live")
@pytest.mark.parametrize("others", [(), ("Two",)])
def test_a_carrier_that_refuses_the_account_is_not_said_to_have_failed_again_and_again(
    alices, address, added, session, clock, others
):
    values = {"paused_until": clock.now() + 4_000, "failures_in_row": 1}
    values["last_failure_reason"] = "provider_account_refused"
    for label in ("One", *others):
        it = added(label)
        session.execute(update(Provider).where(Provider.id == it.id).values(values))
    page = alices.get(f"{address}/{it.id}").text
    banner, own = plain(page.split("<main")[0] + page.split('id="state"')[0]), main(page)

    assert "refuses this app's account and is paused." in banner
    assert "again and again" not in banner + own
    assert "Paused, since it refuses this app's account, until" in own
    fails = "An SMS that it refuses fails; the others wait while their codes last."
    assert (fails in banner) is not bool(others)
    assert (fails[0].lower() + fails[1:] in own) is not bool(others)
    assert ("SMS wait until it works again, while their codes last." in banner) is bool(others)


def test_a_check_of_what_was_changed_meanwhile_ends_no_pause(
    added, pause, stored, session, context_for, shop
):
    it = added("One")
    pause(it)
    ctx = context_for(session, Caller(ActorKind.APP, shop.id))

    assert not providers.end_pause(ctx, it.id, str(stored(it).modified_at - 1))
    assert stored(it).paused_until is not None


@pytest.mark.usefixtures("live")
def test_a_test_from_a_carriers_page_goes_by_that_carrier_and_the_page_says_so(
    alices, alice, address, added, session, shop
):
    _one, two = added("One"), added("Two")
    session.execute(update(Account).where(Account.id == alice.id).values(phone_number="+819012345678"))
    session.execute(update(Provider).where(Provider.id == two.id).values(is_on=False))
    page = alices.get(f"{address}/{two.id}")
    assert "through this carrier and no other, although it is off." in main(page.text)
    send = f"/apps/{shop.id}/sms-templates/en/test?provider={two.id}"
    assert f'action="{send}"' in page.text
    assert alices.post(send).location == send

    assert session.scalars(select(Message)).one().values["provider_id"] == two.id
    values = {"state": "failed", "reason": "provider_refused", "provider_words": "no such sender"}
    session.execute(update(Message).values(provider_id=two.id, provider="http", **values))
    text = main(alices.get(send).text)
    assert "through Two, although it is off, and no other carrier." in text
    assert "Through Two. The provider refused" in text
    assert "No such sender" in text


@pytest.mark.usefixtures("live")
def test_ten_02_a_test_goes_by_no_carrier_of_another_app(alices, alice, session, shop, carrier):
    session.execute(update(Account).where(Account.id == alice.id).values(phone_number="+819012345678"))
    other = factories.provider(session)

    assert alices.post(f"/apps/{shop.id}/sms-templates/en/test?provider={other.id}").status_code == 404
    assert session.scalars(select(Message)).all() == []


def test_going_live_without_users_says_who_will_get_a_code(alices, address, added):
    added("One")
    text = main(alices.get(f"{address}/live").text)

    assert "From now on whoever signs up gets a code by SMS through One" in text
    assert "Verification is off" not in text


def test_going_live_while_verification_is_off_says_that_nobody_gets_a_code(
    alices, address, added, session, shop
):
    added("One")
    session.execute(update(App).where(App.id == shop.id).values(phone_number_verification_required=False))
    page = alices.get(f"{address}/live").text

    assert "From now on every SMS of this app leaves through One" in main(page)
    assert "Verification is off, so nobody gets a code: switch it on" in main(page)
    assert f'href="/apps/{shop.id}/verification"' in page.split("What will happen")[1]


@pytest.mark.usefixtures("live")
def test_going_back_without_users_says_who_gets_no_code(alices, address):
    assert "Whoever signs up gets no code on a phone" in main(alices.get(f"{address}/sandbox").text)
