"""A message is put down with what changed, shown as it was sent, and announced only once it is there."""

import pytest
from sqlalchemy import inspect, update

import portal.database
from portal.core import wordings
from portal.errors import BadInput, WrongCode
from portal.models import App, Message
from portal.services import outbox, sms_templates, verifications
from portal.services.outbox import InboxMessage
from tests.services.conftest import Desk

FIRST, SECOND, THIRD = "+819012345678", "+819087654321", "+818011112222"


@pytest.fixture
def rings(monkeypatch) -> list[int]:
    """How often the bell rang, each time with how many messages others could see then."""
    seen: list[int] = []
    monkeypatch.setattr(portal.database, "_bell", lambda: seen.append(1))
    return seen


def send_all(desk: Desk, provider: str = "inbox") -> None:
    """Marks what waits as sent, as the worker does, a second later."""
    sent = {"state": "sent", "provider": provider, "sent_at": Message.created_at + 1_000, "issue": 1}
    desk.do(lambda ctx: ctx.session.execute(update(Message).where(Message.state == "queued").values(**sent)))


def inbox(desk: Desk, **pages) -> list[InboxMessage]:
    """What the simulated phone shows."""
    return desk.do(lambda ctx: outbox.inbox(ctx, **pages))


# --- The bell --------------------------------------------------------------------------------------


def test_the_bell_rings_once_for_a_transaction_that_put_messages_down(desk, rings):
    alice = desk.verified("alice", FIRST)
    rings.clear()
    desk.change(alice, SECOND)
    assert len(desk.messages()) == 3, "the sign-up, the change, and the notice to the old number"
    assert rings == [1]


def test_the_bell_rings_only_after_others_can_see_the_message(desk, monkeypatch, session):
    from sqlalchemy import func, select

    seen = []
    count = select(func.count()).select_from(Message)
    monkeypatch.setattr(portal.database, "_bell", lambda: seen.append(session.scalar(count)))
    desk.register("alice", FIRST)
    assert seen == [1]


def test_a_transaction_without_messages_rings_nothing(desk, rings):
    alice = desk.register("alice", None)
    desk.set(name="Store")
    desk.user(alice)
    assert rings == []


def test_a_transaction_that_fails_rings_nothing_then_or_later(desk, rings):
    def registers_and_fails(ctx):
        from portal.services import users

        users.register(ctx, users.Registration(login_name="alice", phone_number=FIRST), "hash")
        raise BadInput("any", "Refused at last.")

    with pytest.raises(BadInput):
        desk.do(registers_and_fails)
    desk.register("bob", None)
    assert rings == []
    assert desk.messages() == []


def test_a_refusal_that_keeps_its_changes_rings_nothing(desk, rings):
    alice = desk.register("alice", FIRST)
    rings.clear()
    with pytest.raises(WrongCode):
        desk.confirm(alice, desk.wrong_code(alice))
    assert rings == []


# --- What is put down ------------------------------------------------------------------------------


def test_otp_09_a_message_names_its_wording_and_values_and_holds_no_code_and_no_text(desk):
    alice = desk.register("alice", FIRST)
    (message,) = desk.messages()
    assert message.values == {"app_name": "Shop", "minutes": "10"}
    assert (message.state, message.attempts, message.user_id) == ("queued", 0, alice)
    assert (message.issue, message.sent_at, message.provider) == (None, None, None)
    held = {each.key: getattr(message, each.key) for each in inspect(Message).column_attrs}
    assert desk.code(alice) not in str(held)


def test_a_message_is_worded_for_its_user(desk):
    desk.do(lambda ctx: sms_templates.save(ctx, "ja", "{code}です"))
    for name, number, locale in (("alice", FIRST, "ja-JP"), ("bob", SECOND, "fr"), ("charlie", THIRD, None)):
        desk.register(name, number, locale=locale)
    assert [message.locale for message in desk.messages()] == ["ja", "en", "en"]


def test_otp_17_the_notice_goes_to_the_number_in_force_without_code_and_without_new_number(desk):
    alice = desk.verified("alice", FIRST)
    desk.change(alice, SECOND)
    send_all(desk)
    (notice,) = [message for message in desk.messages(FIRST) if message.purpose == "change_notice"]
    assert (notice.verification_id, notice.sms_template_version_id) == (None, None)
    assert notice.values == {"app_name": "Shop"}
    (shown,) = [message for message in inbox(desk) if message.serial == notice.serial]
    assert shown.text == wordings.CHANGE_NOTICE["en"].replace("{app_name}", "Shop")
    assert not shown.code_is_live
    assert desk.code(alice) not in shown.text
    assert SECOND[-4:] not in shown.text


@pytest.mark.parametrize(("locale", "spoken"), [("ja-JP", "ja"), ("AR_eg", "ar"), ("sw", "en"), (None, "en")])
def test_a_notice_speaks_the_users_language_where_we_do(desk, locale, spoken):
    alice = desk.register("alice", FIRST, locale=locale)
    desk.confirm(alice, desk.code(alice))
    desk.change(alice, SECOND)
    send_all(desk)
    texts = [message.text for message in inbox(desk)]
    assert wordings.CHANGE_NOTICE[spoken].replace("{app_name}", "Shop") in texts


# --- The sandbox's inbox ---------------------------------------------------------------------------


def test_the_inbox_shows_the_text_that_was_sent_with_its_code(desk, clock):
    alice = desk.register("alice", FIRST)
    send_all(desk)
    (message,) = inbox(desk)
    code = desk.code(alice)
    assert message.text == f"{code} is your Shop code. It is valid for 10 min. Never share it with anyone."
    assert (message.user_id, message.phone_number, message.locale) == (alice, FIRST, "en")
    assert message.sent_at == clock.now() + 1_000
    assert message.code_is_live


def test_a_later_wording_name_or_code_does_not_change_what_was_sent(desk):
    alice = desk.register("alice", FIRST)
    send_all(desk)
    (before,) = inbox(desk)
    desk.do(lambda ctx: sms_templates.save(ctx, "en", "Other {code}"))
    desk.set(name="Store", code_length=4, code_life_s=60)
    desk.do(lambda ctx: verifications.reset_code(ctx, alice))
    (after,) = inbox(desk)
    assert after.text == before.text
    assert before.code_is_live
    assert not after.code_is_live, "the reset killed the code that stands in this text"


@pytest.mark.parametrize("end", ["verified", "expired", "replaced"])
def test_the_inbox_says_which_code_is_dead(desk, clock, end):
    alice = desk.register("alice", FIRST)
    send_all(desk)
    if end == "verified":
        desk.confirm(alice, desk.code(alice))
    elif end == "expired":
        clock.advance(600)
    else:
        desk.change(alice, SECOND)
    assert inbox(desk)[0].code_is_live is False


def test_nothing_is_in_the_inbox_before_it_was_sent_nor_what_a_carrier_took(desk):
    desk.register("alice", FIRST)
    assert inbox(desk) == []
    send_all(desk, provider="console")
    assert inbox(desk) == []


def test_ten_04_the_inbox_of_another_app_is_empty(desk, transaction, keys):
    other = Desk(transaction, keys)
    desk.register("alice", FIRST)
    send_all(desk)
    assert len(inbox(desk)) == 1
    assert inbox(other) == []


def test_pages_of_the_inbox_meet_without_gap_or_double(desk):
    for place in range(7):
        desk.register(f"user{place}", f"+8190{10_000_000 + place}")
    send_all(desk)
    serials = [message.serial for message in inbox(desk)]
    assert serials == sorted(serials, reverse=True)
    assert len(serials) == 7
    first = [message.serial for message in inbox(desk, limit=3)]
    second = [message.serial for message in inbox(desk, before=first[-1], limit=3)]
    third = [message.serial for message in inbox(desk, before=second[-1], limit=3)]
    assert first + second + third == serials
    assert [message.serial for message in inbox(desk, after=serials[2])] == serials[:2]
    assert inbox(desk, after=serials[0]) == []


def test_the_name_of_the_app_at_the_time_of_asking_stands_in_the_message(desk, clock):
    alice = desk.register("alice", FIRST)
    desk.do(lambda ctx: ctx.session.execute(update(App).values(name="Store")))
    clock.advance(60)
    desk.resend(alice)
    assert [message.values["app_name"] for message in desk.messages()] == ["Shop", "Store"]
