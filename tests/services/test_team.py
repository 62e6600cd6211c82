"""Roles change and members go, with their powers, and one owner always stays (TEN-06)."""

import pytest
from sqlalchemy import func, select

from portal.core.roles import Role
from portal.errors import BadInput, NotFound
from portal.models import Account, AccountSession, AuditAction, AuditEntry, Invite, Membership
from portal.services import accounts, invites, sessions, team
from tests.services.conftest import Desk
from tests.services.racing import race


@pytest.fixture
def olga(desk):
    """An owner, as she calls."""
    return desk.owner("olga@example.com")


@pytest.fixture
def pete(desk):
    """Another owner."""
    return desk.owner("pete@example.com")


@pytest.fixture
def sam(desk) -> str:
    """The account id of a supporter."""

    def join(ctx):
        account = accounts.create(ctx, "sam@example.com", "hash")
        accounts.join(ctx, account.id, Role.SUPPORT)
        return account.id

    return desk.do(join)


def signed_in(desk: Desk, account_id: str) -> None:
    desk.do(lambda ctx: sessions.open_new(ctx.session, {}, account_id, ctx.now))


def sessions_of(desk: Desk, account_id: str) -> int:
    return len(desk.rows(select(AccountSession.id).where(AccountSession.account_id == account_id)))


def roles(desk: Desk) -> list[tuple[str, str]]:
    return [(each.email, each.role) for each in desk.do(lambda ctx: team.members(ctx.session, ctx.app_id))]


def owners(desk: Desk) -> int:
    wanted = select(func.count()).select_from(Membership).where(Membership.role == Role.OWNER)
    return desk.rows(wanted)[0]


def told(desk: Desk) -> list[tuple[str, dict]]:
    wanted = select(AuditEntry).where(AuditEntry.action.like("member.%")).order_by(AuditEntry.id)
    return [(each.action, each.details) for each in desk.rows(wanted)]


def test_the_members_are_listed_owners_first(desk, sam, olga):
    assert roles(desk) == [("olga@example.com", "owner"), ("sam@example.com", "support")]


def test_a_role_is_changed_and_put_on_record(desk, olga, sam):
    desk.do(lambda ctx: team.change_role(ctx, sam, Role.OWNER), olga)

    assert roles(desk)[1] == ("sam@example.com", "owner")
    before, after = ({"account": "sam@example.com", "role": role} for role in ("support", "owner"))
    details = {"before": before, "after": after, "account_id": sam}
    assert told(desk) == [(AuditAction.MEMBER_CHANGED, details)]


def test_the_same_role_again_changes_nothing(desk, olga, sam):
    desk.do(lambda ctx: team.change_role(ctx, sam, Role.SUPPORT), olga)

    assert told(desk) == []


def test_ten_06_a_demoted_owner_is_signed_out_and_what_they_invited_is_withdrawn(desk, olga, pete):
    desk.do(lambda ctx: invites.send(ctx, "guest@example.com", Role.OWNER), pete)
    signed_in(desk, pete.id)
    desk.do(lambda ctx: team.change_role(ctx, pete.id, Role.SUPPORT), olga)

    assert sessions_of(desk, pete.id) == 0
    assert desk.rows(select(Invite)) == []


def test_ten_06_a_removed_member_is_signed_out_and_its_account_stays(desk, olga, sam):
    signed_in(desk, sam)
    signed_in(desk, olga.id)
    desk.do(lambda ctx: team.remove(ctx, sam), olga)

    assert roles(desk) == [("olga@example.com", "owner")]
    assert (sessions_of(desk, sam), sessions_of(desk, olga.id)) == (0, 1)
    assert desk.rows(select(Account.id).where(Account.id == sam)) == [sam]
    details = {"account": "sam@example.com", "role": "support", "account_id": sam}
    assert told(desk) == [(AuditAction.MEMBER_REMOVED, details)]


def test_whoever_leaves_by_themselves_stays_signed_in(desk, olga, pete):
    signed_in(desk, pete.id)
    desk.do(lambda ctx: team.remove(ctx, pete.id), pete)

    assert sessions_of(desk, pete.id) == 1


@pytest.mark.parametrize("leaves", [True, False])
def test_ten_06_the_last_owner_stays_owner(desk, olga, sam, leaves):
    with pytest.raises(BadInput) as refused:
        desk.do(
            lambda ctx: team.remove(ctx, olga.id) if leaves else team.change_role(ctx, olga.id, Role.SUPPORT),
            olga,
        )

    assert refused.value.field == "role"
    assert owners(desk) == 1
    assert told(desk) == []


def test_ten_02_a_stranger_and_nobody_are_no_members_alike(desk, olga):
    stranger = desk.do(lambda ctx: accounts.create(ctx, "else@example.com", "hash").id)
    for account_id in (stranger, "0" * 32):
        for verb in (
            lambda ctx, who: team.remove(ctx, who),
            lambda ctx, who: team.change_role(ctx, who, Role.OWNER),
        ):
            with pytest.raises(NotFound, match="There is no such member"):
                desk.do(lambda ctx, verb=verb, who=account_id: verb(ctx, who), olga)


def test_ten_01_a_member_of_another_app_is_out_of_reach(desk, olga, transaction, keys):
    other = Desk(transaction, keys)
    theirs = other.owner("theirs@example.com")
    other.owner("second@example.com")
    with pytest.raises(NotFound):
        desk.do(lambda ctx: team.remove(ctx, theirs.id), olga)

    assert owners(other) == 3


@pytest.mark.parametrize("verb", ["leave_team", "make_support"])
def test_ten_06_of_two_owners_who_go_at_once_one_stays(desk, settings, olga, pete, verb):
    for _ in range(3):
        calls = [(verb, who.id) for who in (olga, pete) for _ in range(6)]
        endings = race(settings, desk.app_id, calls, processes=2)
        assert not [ending for ending in endings if "crash" in ending], endings
        assert owners(desk) == 1
        for who in (olga, pete):
            desk.do(lambda ctx, who=who: accounts.admit(ctx, f"{name_of(desk, who.id)}", Role.OWNER))


def name_of(desk: Desk, account_id: str) -> str:
    """The address of an account."""
    return desk.rows(select(Account.email).where(Account.id == account_id))[0]


def test_ten_06_of_many_who_are_admitted_at_once_each_is_a_member_and_one_owner_stays(
    desk, settings, olga, pete
):
    desk.do(lambda ctx: accounts.create(ctx, "new@example.com", "hash"))
    calls = [
        ("admit", email) for email in ("new@example.com", name_of(desk, olga.id), name_of(desk, pete.id))
    ]
    endings = race(settings, desk.app_id, calls * 4, processes=2)

    assert set(endings) <= {"done", "BadInput"}, endings
    assert owners(desk) == 1


def test_whoever_is_removed_at_the_moment_of_a_change_is_nobody_and_no_last_owner(desk, olga, monkeypatch):
    bob = desk.do(lambda ctx: accounts.create(ctx, "bob@example.com", "hash").id)
    desk.do(lambda ctx: accounts.join(ctx, bob, Role.SUPPORT))
    found = desk.do(lambda ctx: team.member(ctx.session, desk.app_id, bob))
    desk.do(lambda ctx: team.remove(ctx, bob), olga)
    seen = iter([found])
    real = team.member
    monkeypatch.setattr(team, "member", lambda *whom: next(seen, None) or real(*whom))
    with pytest.raises(NotFound):
        desk.do(lambda ctx: team.change_role(ctx, bob, Role.OWNER), olga)
