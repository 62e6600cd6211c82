"""What becomes of a user whose number no numbering plan knows any more, after an update of the library?"""

import pytest
from sqlalchemy import update

from portal.core.reasons import Reason
from portal.errors import BadInput
from portal.models import User
from portal.services import number_cards, why_no_sms
from portal.services import users as user_verbs
from portal.services.app_settings import load

# Benin wrote its numbers with eight digits until 2024.
FORMER, NEW = "+22997123456", "+819087654321"


@pytest.fixture
def benin(desk):
    """A user who proved a number that was one then."""
    user_id = desk.verified("benin", "+819012345678")
    desk.do(lambda ctx: ctx.session.execute(update(User).values(phone_number=FORMER, phone_country="BJ")))
    return user_id


def test_they_are_found_by_it_as_they_always_were(desk, benin):
    assert desk.do(lambda ctx: user_verbs.find(ctx, f"PHONE:{FORMER}").id) == benin


def test_they_change_to_a_number_that_is_one_and_the_old_one_gets_no_notice(desk, benin):
    desk.change(benin, NEW)
    assert desk.number(benin) == (FORMER, True, NEW)
    assert desk.messages(FORMER) == []
    desk.confirm(benin, desk.code(benin))
    assert desk.number(benin) == (NEW, True, None)


def test_while_it_waits_support_is_told_what_a_resend_says(desk, benin, clock):
    unproven = {"phone_number_verified": False, "phone_number_verified_at": None}
    desk.do(lambda ctx: ctx.session.execute(update(User).values(**unproven)))
    clock.advance(600)
    with pytest.raises(BadInput) as refused:
        desk.resend(benin)

    def facts(ctx):
        app = load(ctx)
        return why_no_sms.gather(ctx, app, number_cards.load(ctx, app, user_verbs.get(ctx, benin)))

    assert desk.do(facts).obstacle is refused.value.reason is Reason.NOT_MOBILE
