"""Long, and not what everybody tries first; nothing else is asked of a password (WEB-09)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.core.password_rules import LONGEST, fault, shortest_for


@pytest.mark.parametrize(
    "password",
    ["tea garden 42 umbrella", "Xk9#mPq2$vL5wZr8", "日本語のパスワードですよね、長い", "né à la mer du Nord"],
)
def test_web_09_a_long_one_that_nobody_would_guess_will_do(password):
    assert fault(password, "alice@example.com") is None


def test_web_09_twelve_characters_do_only_beside_a_second_factor():
    assert "15 characters" in fault("xK9#mPq2$vL5")
    assert fault("xK9#mPq2$vL5", has_second_factor=True) is None
    assert "8 characters" in fault("xK9#mPq", has_second_factor=True)
    assert (shortest_for(has_second_factor=False), shortest_for(has_second_factor=True)) == (15, 8)


@pytest.mark.parametrize(
    "password",
    [
        "passwordpassword",
        "123456789012345",
        "qwertyuiopasdfghjkl",
        "aaaaaaaaaaaaaaaaaaaa",
        "alice@example.com",
        "alicealicealice1",
        "ringbackringback1",
        "letmeinletmein12",
    ],
)
def test_web_09_what_everybody_tries_first_is_refused(password):
    assert "first that would be tried" in fault(password, "alice@example.com")


def test_web_09_short_and_common_is_refused_beside_a_second_factor_too():
    assert fault("password1", has_second_factor=True)
    assert fault("iloveyou", has_second_factor=True)


def test_a_password_has_an_end():
    assert str(LONGEST) in fault("x9Kq" * 51)


@given(st.text(max_size=300), st.text(max_size=60))
def test_whatever_is_typed_gets_a_sentence_or_nothing(password, email):
    said = fault(password, email)

    assert said is None or said.endswith((".",))
