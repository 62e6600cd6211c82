"""A link sets one new password, for 30 minutes, and tells nobody who has an account (ENU-05)."""

import pytest
from sqlalchemy import select

from portal.errors import NotFound
from portal.models import Account, AccountSession, AuditAction, AuditEntry, PasswordReset
from portal.services import accounts, password_resets, sessions
from tests.services.racing import race
from tests.services.test_audit_log import heard

DORA = "dora@example.com"


@pytest.fixture
def dora(desk) -> str:
    """The id of Dora's account."""
    return desk.do(lambda ctx: accounts.create(ctx, DORA, "old hash").id)


def ask(desk, address: str = DORA) -> str | None:
    return desk.do(lambda ctx: password_resets.ask(ctx, address))


def use(desk, key: str, password_hash: str = "new hash") -> None:
    desk.do(lambda ctx: password_resets.use(ctx, key, password_hash))


def stored(desk, account_id: str) -> str:
    return desk.rows(select(Account.password).where(Account.id == account_id))[0]


def test_a_link_sets_a_new_password_and_signs_out_everywhere(desk, dora):
    desk.do(lambda ctx: sessions.open_new(ctx.session, {}, dora, ctx.now))
    key = ask(desk, " DORA@example.com")
    use(desk, key)

    assert stored(desk, dora) == "new hash"
    assert desk.rows(select(AccountSession)) == []
    [entry] = desk.rows(select(AuditEntry).where(AuditEntry.action == AuditAction.ACCOUNT_PASSWORD_RESET))
    assert (entry.actor_id, entry.app_id) == (dora, None)


def test_it_works_once_and_only_the_newest_does(desk, dora):
    first, second = ask(desk), ask(desk)
    with pytest.raises(NotFound):
        use(desk, first)
    use(desk, second)
    with pytest.raises(NotFound):
        use(desk, second, "again")

    assert stored(desk, dora) == "new hash"


def test_it_works_for_thirty_minutes_to_the_millisecond(desk, dora, clock):
    key = ask(desk)
    clock.at += 30 * 60_000 - 1
    assert desk.do(lambda ctx: password_resets.look_at(ctx.session, key, ctx.now)).id == dora
    clock.at += 1
    for verb in (
        lambda ctx: password_resets.look_at(ctx.session, key, ctx.now),
        lambda ctx: password_resets.use(ctx, key, "h"),
    ):
        with pytest.raises(NotFound, match="This link cannot be used"):
            desk.do(verb)


def test_enu_05_no_account_and_a_disabled_one_get_no_link(desk, dora):
    desk.do(lambda ctx: setattr(ctx.session.get_one(Account, dora), "active", False))

    assert ask(desk) is None
    assert ask(desk, "nobody@example.com") is None
    assert dora not in desk.rows(select(PasswordReset.account_id))


def test_enu_02_an_unknown_address_costs_the_statements_and_rows_of_a_known_one(desk, dora):
    def cost(address: str) -> tuple[list[str], int]:
        asked = [
            desk.do(lambda ctx: list(heard(ctx, lambda ctx: password_resets.ask(ctx, address)))) for _ in "12"
        ]
        rows = desk.rows(select(PasswordReset.account_id))
        return [statement for each in asked for statement, _values in each], len(rows)

    known, unknown = cost(DORA), cost("nobody@example.com")
    assert known[0] == unknown[0]
    assert (known[1], unknown[1]) == (1, 2)


def test_web_09_three_links_an_hour_are_sent_to_one_address(desk, dora, clock):
    sent = [ask(desk) is not None for _ in range(5)]
    assert sent == [True, True, True, False, False]
    clock.advance(3600)
    assert ask(desk) is not None


def test_a_disabled_account_does_not_use_its_link(desk, dora):
    key = ask(desk)
    desk.do(lambda ctx: setattr(ctx.session.get_one(Account, dora), "active", False))
    with pytest.raises(NotFound):
        use(desk, key)

    assert stored(desk, dora) == "old hash"


def test_a_change_of_the_password_ends_the_link(desk, dora):
    key = ask(desk)
    desk.do(lambda ctx: accounts.set_password(ctx, DORA, "by the operator"))
    with pytest.raises(NotFound):
        use(desk, key)

    assert stored(desk, dora) == "by the operator"


def test_the_row_holds_only_a_hash_of_the_link(desk, dora):
    key = ask(desk)
    [kept] = desk.rows(select(PasswordReset.key_hash))

    assert len(key) >= 43
    assert key not in kept


def test_of_ten_who_use_a_link_at_once_one_does(desk, settings, dora):
    key = ask(desk)

    assert race(settings, desk.app_id, [("reset_password", key)] * 10, processes=2) == {
        "done": 1,
        "NotFound": 9,
    }
