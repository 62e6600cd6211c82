"""Owners may do everything, support may look, and whoever is nobody may do nothing."""

import pytest

from portal.core.roles import ALLOWED, Action, Role, may, may_give

# Written out a second time on purpose; TEN-05 asks for a matrix that a person can read.
MATRIX = {
    "see_app": {"owner", "support"},
    "see_users": {"owner", "support"},
    "reveal_numbers": {"owner", "support"},
    "help_users": {"owner", "support"},
    "see_messages": {"owner", "support"},
    "see_audit": {"owner", "support"},
    "mark_verified": {"owner"},
    "erase_users": {"owner"},
    "export_audit": {"owner"},
    "see_inbox": {"owner"},
    "see_settings": {"owner"},
    "change_settings": {"owner"},
    "see_sms_templates": {"owner"},
    "change_sms_templates": {"owner"},
    "publish_sms_templates": {"owner"},
    "manage_providers": {"owner"},
    "manage_keys": {"owner"},
    "change_keys": {"owner"},
    "see_team": {"owner"},
    "manage_team": {"owner"},
}
# What a sign-in of more than ten minutes ago is not enough for.
NEEDS_FRESH_SIGN_IN = {
    "reveal_numbers",
    "erase_users",
    "export_audit",
    "publish_sms_templates",
    "manage_providers",
    "change_keys",
    "manage_team",
}
CELLS = [(role, action) for action in MATRIX for role in ("owner", "support")]


@pytest.mark.parametrize(("role", "action"), CELLS)
def test_ten_05_a_role_may_do_what_the_matrix_says_and_no_more(role, action):
    assert may(Role(role), Action(action)) is (role in MATRIX[action])


@pytest.mark.parametrize("action", Action)
def test_web_09_what_could_do_harm_needs_a_fresh_sign_in(action):
    assert action.needs_fresh_sign_in is (action.value in NEEDS_FRESH_SIGN_IN)


def test_ten_08_nobody_gives_a_role_above_their_own():
    assert may_give(Role.OWNER, Role.OWNER)
    assert may_give(Role.OWNER, Role.SUPPORT)
    assert not may_give(Role.SUPPORT, Role.SUPPORT)
    assert not may_give(Role.SUPPORT, Role.OWNER)
    assert not may_give(None, Role.SUPPORT)


def test_ten_05_every_role_and_every_action_stands_in_the_matrix():
    assert {action.value for action in Action} == set(MATRIX)
    assert {role.value for role in Role} == {"owner", "support"}
    assert set(ALLOWED) == set(Role)


@pytest.mark.parametrize("action", Action)
def test_ten_05_a_stranger_may_do_nothing(action):
    assert may(None, action) is False


def test_ten_05_a_role_that_the_matrix_forgot_may_do_nothing(monkeypatch):
    monkeypatch.setitem(ALLOWED, Role.OWNER, frozenset())
    assert not any(may(Role.OWNER, action) for action in Action)


def test_ten_05_support_never_sees_codes_or_keys():
    assert not {Action.SEE_INBOX, Action.MANAGE_KEYS} & ALLOWED[Role.SUPPORT]


@pytest.mark.parametrize("action", Action)
def test_every_action_says_in_a_sentence_what_it_is(action):
    assert action.sentence[0].isupper()
    assert not action.sentence.endswith(".")
