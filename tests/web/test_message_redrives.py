"""Is a message that was set aside tried again at a person's word, and said why it is not otherwise?"""

import re
from html import unescape

import pytest
from sqlalchemy import select, update

from portal.core.reasons import Reason
from portal.models import AuditAction, AuditEntry, Message, MessageState, User, Verification
from tests import factories

WHY = "The carrier is back."


@pytest.fixture
def dead(session, shop):
    """A message that was set aside; its code works for ten minutes more."""
    user = factories.user(session, app_id=shop.id, login_name="dora", phone_number="+819012345678")
    own = {"app_id": shop.id, "user_id": user.id, "phone_number": user.phone_number}
    code = factories.verification(session, **own)
    carrier = factories.provider(session, app_id=shop.id, label="Tea")
    state = {"state": MessageState.DEAD, "reason": Reason.PROVIDER_UNREACHABLE, "attempts": 5}
    return factories.message(session, **own, **state, verification_id=code.id, provider_id=carrier.id)


@pytest.fixture
def address(shop, dead) -> str:
    return f"/apps/{shop.id}/messages/{dead.id}/retry"


def main(page: str) -> str:
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", "", page.split("<main")[1]))).strip()


def test_del_08_support_reads_what_will_happen_and_has_it_tried_again(
    bobs, bob, address, dead, session, shop
):
    assert f'href="{address}"' in bobs.get(f"/apps/{shop.id}/messages?outcome=dead").text
    page = bobs.get(address).text
    assert "5, the last through Tea" in main(page)
    assert "with the same code is tried again" in main(page)
    assert "+819012345678" not in page
    answer = bobs.post(address, {"reason": WHY})
    after = session.scalars(select(Message)).one()
    entry = session.scalars(select(AuditEntry).where(AuditEntry.action == AuditAction.MESSAGE_REDRIVEN)).one()

    assert answer.location == f"/apps/{shop.id}/messages"
    assert (after.state, after.attempts, after.serial) == ("queued", 0, dead.serial)
    assert (entry.actor_id, entry.reason, entry.user_id) == (bob.id, WHY, dead.user_id)
    # Whoever was slower finds that it is under way.
    assert bobs.post(address, {"reason": WHY}).status_code == 404


@pytest.mark.parametrize("reason", ["", "no", "call +819012345678"])
def test_without_a_reason_nothing_is_tried_and_nothing_typed_is_lost(bobs, address, session, reason):
    answer = bobs.post(address, {"reason": reason})

    assert answer.status_code == 422
    assert 'id="reason-error"' in answer.text
    assert f'value="{reason}"' in answer.text
    assert session.scalars(select(Message.state)).all() == ["dead"]


def test_del_05_a_dead_code_is_not_sent_and_the_page_says_what_helps(bobs, address, session, shop):
    session.execute(update(Verification).values(code_expires_at=1))
    page = bobs.get(address).text
    refused = bobs.post(address, {"reason": WHY})

    assert "Its code has ended" in main(page)
    assert "Try this SMS again" not in page
    assert refused.status_code == 409
    assert "too old" in main(refused.text)
    assert f'href="{address}"' not in bobs.get(f"/apps/{shop.id}/messages?outcome=dead").text
    assert session.scalars(select(Message.state)).all() == ["dead"]


@pytest.mark.parametrize("message_id", ["0", "999", "9" * 18, "f" * 32, "9" * 64])
def test_there_is_nothing_to_try_where_nothing_was_set_aside(bobs, shop, dead, message_id):
    assert bobs.get(f"/apps/{shop.id}/messages/{message_id}/retry").status_code == 404
    assert bobs.post(f"/apps/{shop.id}/messages/{message_id}/retry", {"reason": WHY}).status_code == 404


def test_ten_02_a_message_of_another_app_is_not_there(alices, charlies, address, session, shop):
    other = factories.message(session, state=MessageState.DEAD)

    assert alices.get(f"/apps/{shop.id}/messages/{other.id}/retry").status_code == 404
    assert charlies.get(address).status_code == 404
    assert charlies.post(address, {"reason": WHY}).status_code == 404


def test_a_suspended_users_message_is_refused_at_the_form_and_the_reason_is_kept(
    bobs, address, session, dead
):
    session.execute(update(User).values(disabled=True))
    answer = bobs.post(address, {"reason": WHY})
    assert answer.status_code == 409
    assert WHY in answer.text
    assert "This user is disabled" in answer.text
