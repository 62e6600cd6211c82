"""An app goes live only with a carrier, says whom that concerns, and comes back to its sandbox."""

import pytest
from sqlalchemy import select

from portal.core.provider_kinds import ProviderKind
from portal.errors import BadInput, Overtaken
from portal.models import App, AuditEntry
from portal.services import app_modes, providers
from portal.services.app_modes import Effect
from portal.services.provider_details import Wanted


@pytest.fixture
def carrier(desk):
    """A provider of the desk's app, on."""
    wanted = Wanted(label="Tea", settings={}, secrets={})
    return desk.do(lambda ctx: providers.add(ctx, ProviderKind.HTTP, wanted))


def mode(desk) -> tuple[str, str]:
    return desk.do(
        lambda ctx: (ctx.session.get(App, desk.app_id).mode, ctx.session.get(App, desk.app_id).provider)
    )


def test_no_app_goes_live_without_a_carrier_that_is_on(desk, carrier):
    desk.do(lambda ctx: providers.switch(ctx, carrier.id, on=False))
    with pytest.raises(BadInput):
        desk.do(app_modes.go_live)
    assert mode(desk) == ("sandbox", "inbox")


def test_it_goes_live_and_back_each_once_and_on_record(desk, carrier):
    desk.do(app_modes.go_live)
    assert mode(desk) == ("live", app_modes.OWN_CARRIERS)
    with pytest.raises(Overtaken):
        desk.do(app_modes.go_live)
    desk.do(app_modes.go_back)
    assert mode(desk) == ("sandbox", "inbox")
    with pytest.raises(Overtaken):
        desk.do(app_modes.go_back)

    actions = desk.rows(
        select(AuditEntry.action).where(AuditEntry.action.like("app.went%")).order_by(AuditEntry.id)
    )
    assert actions == ["app.went_live", "app.went_to_sandbox"]


def test_whom_it_concerns_is_counted(desk, carrier):
    desk.verified("alice", "+819012345678")
    desk.register("bob", "+819012345679")

    # The code of each waits still: nothing sends here.
    assert desk.do(lambda ctx: app_modes.effect(ctx.session, desk.app_id)) == Effect(
        users=2, verified=1, waiting=2, providers_on=1
    )


def test_ten_04_one_app_goes_live_alone(desk, carrier, transaction, keys):
    from tests.services.conftest import Desk

    other = Desk(transaction, keys)
    desk.do(app_modes.go_live)
    assert (mode(desk)[0], mode(other)[0]) == ("live", "sandbox")
