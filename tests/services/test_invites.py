"""An invite is for one address, one use, 72 hours, and never a role above its sender's (TEN-08)."""

import pytest
from sqlalchemy import select

from portal import clock as portal_clock
from portal.core.roles import Role
from portal.errors import AlreadyExists, BadInput, Forbidden, NotFound, TooSoon
from portal.models import Account, ActorKind, AuditAction, AuditEntry, Invite
from portal.services import accounts, attempt_tallies, invites, team
from portal.services.context import Caller
from tests.services.racing import race

GUEST = "guest@example.com"


@pytest.fixture
def olga(desk):
    """An owner, as she calls."""
    return desk.owner("olga@example.com")


def send(desk, caller, email: str = GUEST, role: Role = Role.SUPPORT) -> str:
    """The key of a new invite's link."""
    return desk.do(lambda ctx: invites.send(ctx, email, role)[1], caller)


def account(desk, email: str = GUEST) -> Account:
    return desk.do(lambda ctx: accounts.create(ctx, email, "hash"))


def accept(desk, key: str, who: Account) -> str:
    caller = Caller(ActorKind.ACCOUNT, "", who.id)
    return desk.do(lambda ctx: invites.accept(ctx, key, ctx.session.get_one(Account, who.id)), caller)


def look(desk, key: str):
    return desk.do(lambda ctx: invites.look_at(ctx.session, key, ctx.now))


def role(desk, who: Account) -> Role | None:
    return desk.do(lambda ctx: accounts.role_in(ctx.session, who.id, ctx.app_id))


def test_an_account_is_made_for_whoever_has_none(desk, olga):
    key = send(desk, olga, " Guest@Example.com ")
    offer = look(desk, key)
    assert (offer.email, offer.role, offer.app_name, offer.has_account) == (GUEST, "support", "Shop", False)
    made, app_id = desk.do(lambda ctx: invites.accept_anew(ctx, key, "their hash"))

    assert (made.email, made.password, app_id) == (GUEST, "their hash", desk.app_id)
    assert role(desk, made) is Role.SUPPORT


def test_an_account_that_is_there_joins(desk, olga):
    key, guest = send(desk, olga, role=Role.OWNER), account(desk)

    assert look(desk, key).has_account
    assert accept(desk, key, guest) == desk.app_id
    assert role(desk, guest) is Role.OWNER


def test_everything_is_put_on_record_by_whom_it_was_done(desk, olga):
    key, guest = send(desk, olga), account(desk)
    accept(desk, key, guest)
    send(desk, olga, "other@example.com")
    gone = desk.rows(select(Invite.id))[0]
    desk.do(lambda ctx: invites.withdraw(ctx, gone), olga)
    found = desk.rows(select(AuditEntry).where(AuditEntry.actor_kind == "account").order_by(AuditEntry.id))

    assert [(each.action, each.actor_id, each.details["account"], each.app_id) for each in found] == [
        (AuditAction.MEMBER_INVITED, olga.id, GUEST, desk.app_id),
        (AuditAction.MEMBER_JOINED, guest.id, GUEST, desk.app_id),
        (AuditAction.MEMBER_INVITED, olga.id, "other@example.com", desk.app_id),
        (AuditAction.INVITE_WITHDRAWN, olga.id, "other@example.com", desk.app_id),
    ]


def test_ten_08_used_foreign_old_withdrawn_and_made_up_links_read_alike(desk, olga, clock):
    guest, other = account(desk), account(desk, "other@example.com")
    used, foreign = send(desk, olga), ""
    accept(desk, used, guest)
    foreign = send(desk, olga, "third@example.com")
    withdrawn = send(desk, olga, "fourth@example.com")
    named = desk.rows(select(Invite.id).where(Invite.email == "fourth@example.com"))[0]
    desk.do(lambda ctx: invites.withdraw(ctx, named), olga)
    old = send(desk, olga, other.email)
    said = set()
    for key, late in ((used, 0), (foreign, 0), (withdrawn, 0), ("x" * 43, 0), ("\0", 0), (old, invites.LIFE)):
        clock.at += late
        with pytest.raises(NotFound) as refused:
            accept(desk, key, other)
        said.add(refused.value.message)

    assert said == {invites.UNUSABLE}


def test_ten_08_it_works_for_72_hours_to_the_millisecond(desk, olga, clock):
    key = send(desk, olga)
    clock.at += 72 * portal_clock.HOUR - 1
    assert look(desk, key).email == GUEST
    clock.at += 1
    with pytest.raises(NotFound):
        look(desk, key)


def test_ten_08_a_refused_account_does_not_use_the_invite_up(desk, olga):
    key, other, guest = send(desk, olga), account(desk, "other@example.com"), account(desk)
    with pytest.raises(NotFound):
        accept(desk, key, other)

    assert accept(desk, key, guest) == desk.app_id


def test_ten_08_support_and_strangers_invite_nobody(desk, olga):
    sam = account(desk, "sam@example.com")
    desk.do(lambda ctx: accounts.join(ctx, sam.id, Role.SUPPORT))
    for caller in (sam.id, account(desk, "else@example.com").id):
        for wanted in Role:
            with pytest.raises(Forbidden):
                send(desk, Caller(ActorKind.ACCOUNT, desk.app_id, caller), "new@example.com", wanted)


def test_ten_08_an_invite_ends_with_the_powers_of_its_sender(desk, olga):
    pete = desk.owner("pete@example.com")
    key = send(desk, pete, role=Role.OWNER)
    desk.do(lambda ctx: team.remove(ctx, pete.id), olga)
    with pytest.raises(NotFound):
        look(desk, key)


def test_a_second_invite_to_an_address_takes_the_place_of_the_first(desk, olga):
    first, second = send(desk, olga), send(desk, olga, role=Role.OWNER)

    assert len(desk.rows(select(Invite))) == 1
    assert look(desk, second).role is Role.OWNER
    with pytest.raises(NotFound):
        look(desk, first)


def test_a_member_is_not_invited_again_and_what_is_no_address_neither(desk, olga):
    for email in (
        "olga@example.com",
        "OLGA@example.com",
        "nobody",
        "",
        "a@b.example\nBcc: c@d.example",
        "a@b@c.d",
    ):
        with pytest.raises(BadInput) as refused:
            send(desk, olga, email)
        assert refused.value.field == "email"


def test_an_account_made_meanwhile_signs_in_instead(desk, olga):
    key = send(desk, olga)
    account(desk)
    with pytest.raises(AlreadyExists):
        desk.do(lambda ctx: invites.accept_anew(ctx, key, "hash"))

    assert look(desk, key).has_account


def test_the_row_holds_only_a_hash_of_the_link(desk, olga):
    key = send(desk, olga)
    [kept] = desk.rows(select(Invite.key_hash))

    assert len(key) >= 43
    assert key not in kept
    with pytest.raises(NotFound):
        look(desk, kept)


def test_an_account_sends_twenty_an_hour_and_fifty_wait_at_most(desk, olga, clock):
    for place in range(20):
        send(desk, olga, f"guest{place}@example.com")
    with pytest.raises(TooSoon):
        send(desk, olga)
    for round_of in range(3):
        clock.at += portal_clock.HOUR
        for place in range(10):
            send(desk, olga, f"more{round_of}-{place}@example.com")
    with pytest.raises(BadInput, match="50 invites are open"):
        send(desk, olga)


def test_ten_08_of_ten_who_use_a_link_at_once_one_does(desk, settings, olga):
    key, guest = send(desk, olga), account(desk)
    endings = race(settings, desk.app_id, [("accept_invite", key, guest.id)] * 10, processes=2)

    assert endings == {"done": 1, "NotFound": 9}


def test_attempts_to_invite_are_counted_for_each_account(desk, olga):
    pete = desk.owner("pete@example.com")
    for place in range(20):
        send(desk, olga, f"guest{place}@example.com")

    assert send(desk, pete, "one-more@example.com")
    assert attempt_tallies.ALLOWED[attempt_tallies.Tried.INVITE][0] == 20


def test_ten_08_whoever_makes_an_account_twice_at_once_is_told_that_it_is_there(desk, settings, olga):
    key = send(desk, olga)
    endings = race(settings, desk.app_id, [("accept_anew", key)] * 8, processes=2)

    assert endings["done"] == 1
    assert set(endings) <= {"done", "AlreadyExists", "NotFound"}, endings


def test_two_who_invite_an_address_at_once_are_answered(desk, settings, olga):
    pete = desk.owner("pete@example.com")
    calls = [("send_invite", who.id, GUEST) for who in (olga, pete) for _ in range(4)]
    endings = race(settings, desk.app_id, calls, processes=2)

    assert set(endings) <= {"done", "BadInput"}, endings
    assert len(desk.rows(select(Invite.id))) == 1
