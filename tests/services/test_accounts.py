"""An account has one address, and a role only where somebody made it a member."""

import pytest
from sqlalchemy import select

from portal.core.roles import Role
from portal.errors import AlreadyExists, BadInput
from portal.models import Account, AuditEntry
from portal.services import accounts, apps
from portal.services.apps import NewApp
from tests.services.conftest import Desk


def create(desk: Desk, email: str) -> Account:
    """A new account."""
    return desk.do(lambda ctx: accounts.create(ctx, email, "hash"))


def join(desk: Desk, account_id: str, role: Role) -> None:
    """Makes an account a member of the desk's app."""
    desk.do(lambda ctx: accounts.join(ctx, account_id, role))


def role(desk: Desk, account_id: str, app_id: str | None = None) -> Role | None:
    """An account's role in an app."""
    return desk.do(lambda ctx: accounts.role_in(ctx.session, account_id, app_id or desk.app_id))


def test_an_account_is_found_by_its_address_however_it_is_typed(desk):
    dora = create(desk, "  Dora@Example.COM ")
    assert dora.email == "dora@example.com"
    assert dora.active
    for typed in ("dora@example.com", "DORA@example.com", " dora@example.com\n"):
        assert desk.do(lambda ctx, typed=typed: accounts.find(ctx.session, typed)).id == dora.id
    assert desk.do(lambda ctx: accounts.find(ctx.session, "dora@example.org")) is None


@pytest.mark.parametrize("email", ["dora@example.com", "DORA@EXAMPLE.COM", " dora@example.com"])
def test_one_address_is_one_account(desk, email):
    create(desk, "dora@example.com")
    with pytest.raises(AlreadyExists):
        create(desk, email)
    assert len(desk.rows(select(Account))) == 1


def test_what_is_no_address_is_refused(desk):
    for email in (
        "",
        "dora",
        "@example.com",
        "dora@",
        "dora@example",
        "do ra@example.com",
        "a@b.c\nd",
        "x" * 250 + "@a.bc",
    ):
        with pytest.raises(BadInput) as refused:
            create(desk, email)
        assert refused.value.field == "email", email
    assert desk.rows(select(Account)) == []


def test_two_accounts_share_neither_id_nor_session_key(desk):
    dora, emil = create(desk, "dora@example.com"), create(desk, "emil@example.com")
    assert dora.id != emil.id
    assert dora.fs_uniquifier != emil.fs_uniquifier
    assert len(dora.fs_uniquifier) == 32


def test_ten_05_a_member_has_its_role_and_everybody_else_none(desk, transaction, keys):
    other = Desk(transaction, keys)
    dora, emil = create(desk, "dora@example.com").id, create(desk, "emil@example.com").id
    join(desk, dora, Role.SUPPORT)
    assert role(desk, dora) is Role.SUPPORT
    assert role(desk, emil) is None
    assert role(desk, dora, other.app_id) is None
    assert role(desk, dora, "no such app") is None
    assert role(desk, "nobody") is None


def test_a_member_cannot_join_again_to_get_another_role(desk):
    dora = create(desk, "dora@example.com").id
    join(desk, dora, Role.SUPPORT)
    with pytest.raises(AlreadyExists):
        join(desk, dora, Role.OWNER)
    assert role(desk, dora) is Role.SUPPORT


def test_the_apps_of_an_account_are_its_own_by_name_each_with_its_role(desk, transaction, keys):
    Desk(transaction, keys)
    dora = create(desk, "dora@example.com").id
    join(desk, dora, Role.SUPPORT)
    desk.do(lambda ctx: apps.create(ctx, NewApp(name="Bakery", home_country="JP"), dora))
    found = desk.do(lambda ctx: accounts.apps_of(ctx.session, dora))
    assert [(app.name, its) for app, its in found] == [("Bakery", Role.OWNER), ("Shop", Role.SUPPORT)]
    assert desk.do(lambda ctx: accounts.apps_of(ctx.session, "nobody")) == []


def test_no_password_and_no_address_stand_in_the_audit(desk):
    dora = create(desk, "dora@example.com").id
    join(desk, dora, Role.SUPPORT)
    assert "dora@" not in str([vars(entry) for entry in desk.rows(select(AuditEntry))])
