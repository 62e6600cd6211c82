"""How does an operator let people in?"""

import json

import pytest
from sqlalchemy import select

from portal.models import Account, AccountSession, Membership
from portal.services import team
from portal.services.passwords import Hasher
from tests import factories


def matches(stored: str, password: str) -> bool:
    return Hasher(threads=1, waiting=1).check(stored, password).right


def test_it_makes_a_random_password_and_shows_it_once(operator, session):
    answer = operator.types("accounts", "create", "Alice@Example.com")
    assert answer.exit_code == 0
    (_, address), (_, password) = (line.split() for line in answer.stdout.splitlines())
    assert address == "alice@example.com"
    stored = session.scalars(select(Account)).one().password
    assert stored.startswith("$argon2id$")
    assert matches(stored, password)


def test_it_takes_a_password_from_standard_input_and_does_not_show_it(operator, session):
    answer = operator.types(
        "accounts", "create", "a@example.com", "--password-stdin", stdin="open sesame, please\n"
    )
    assert (answer.exit_code, answer.stdout) == (0, "account   a@example.com\n")
    assert matches(session.scalars(select(Account)).one().password, "open sesame, please")


@pytest.mark.parametrize("typed", ["xK9#mPq2$vL5wZ", "passwordpassword", "ringbackringback"])
def test_web_09_a_short_or_common_password_is_refused(operator, session, typed):
    answer = operator.types("accounts", "create", "a@example.com", "--password-stdin", stdin=f"{typed}\n")
    assert (answer.exit_code, answer.stderr.count("\n")) == (1, 1)
    assert session.scalars(select(Account)).all() == []


def test_an_account_that_is_there_is_refused_and_keeps_its_password(operator, session, alice):
    before = session.get(Account, alice.id).password
    answer = operator.types("accounts", "create", "ALICE@example.com")
    assert answer.exit_code == 1
    assert answer.stdout == ""
    assert session.get(Account, alice.id).password == before


def test_an_address_that_is_none_is_refused(operator):
    answer = operator.types("accounts", "create", "alice")
    assert (answer.exit_code, answer.stderr.count("\n")) == (1, 1)


def test_the_list_names_every_account(operator, alice, bob):
    assert operator.types("accounts", "list").stdout == "alice@example.com\nbob@example.com\n"
    assert json.loads(operator.types("accounts", "list", "--json").stdout) == [
        {"email": "alice@example.com", "active": True},
        {"email": "bob@example.com", "active": True},
    ]


def test_web_01_a_new_password_works_and_ends_every_session(operator, session, alice):
    session.add(
        AccountSession(key_hash="x" * 64, account_id=alice.id, values={}, created_at=1, last_seen_at=1)
    )
    session.flush()
    before = session.get(Account, alice.id).fs_uniquifier
    answer = operator.types("accounts", "password", alice.email)
    assert answer.exit_code == 0
    fresh = answer.stdout.split()[-1]
    after = session.get(Account, alice.id)
    assert matches(after.password, fresh)
    assert after.fs_uniquifier != before
    assert session.scalars(select(AccountSession)).all() == []


def test_a_stranger_joins_an_app_and_may_change_roles(operator, session, charlie, shop):
    for role in ("support", "owner"):
        answer = operator.types("accounts", "join", charlie.email, shop.id, "--role", role)
        assert (answer.exit_code, answer.stdout) == (0, f"{charlie.email} is {role} of Shop.\n")
        assert session.get(Membership, (charlie.id, shop.id)).role == role


@pytest.mark.parametrize(
    "words", [["password", "no@example.com"], ["join", "no@example.com", "{app}", "--role", "owner"]]
)
def test_an_unknown_account_is_refused_in_one_line(operator, shop, words):
    answer = operator.types("accounts", *(word.format(app=shop.id) for word in words))
    assert (answer.exit_code, answer.stderr) == (1, "Error: There is no account no@example.com.\n")


def test_ten_06_the_last_owner_stays_one_whatever_the_operator_types(operator, session, alice, shop):
    words = ("accounts", "join", alice.email, shop.id, "--role", "support")
    answer = operator.types(*words)
    assert (answer.exit_code, answer.stderr) == (1, f"Error: {team.LAST_OWNER}\n")
    assert session.get(Membership, (alice.id, shop.id)).role == "owner"


def test_ten_06_an_owner_who_becomes_support_loses_their_sessions(operator, session, alice, bob, shop):
    for role in ("owner", "support"):
        factories.account_session(session, account_id=bob.id)
        assert operator.types("accounts", "join", bob.email, shop.id, "--role", role).exit_code == 0
    assert session.scalars(select(AccountSession).where(AccountSession.account_id == bob.id)).all() == []
