"""A path names a user by ID or by a prefix, and a number only in a form that names one country."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.core import addresses
from portal.core.addresses import Address, AddressKind

NUMBER = "+819012345678"


@pytest.mark.parametrize(
    ("text", "kind", "value"),
    [
        ("LOGIN_NAME:alice", AddressKind.LOGIN_NAME, "alice"),
        ("EMAIL:alice@example.com", AddressKind.EMAIL, "alice@example.com"),
        ("PHONE:+819012345678", AddressKind.PHONE, "+819012345678"),
        ("PHONE:JP-9012345678", AddressKind.PHONE, "JP-9012345678"),
        ("LOGIN_NAME:EMAIL:alice", AddressKind.LOGIN_NAME, "EMAIL:alice"),
        ("EMAIL:", AddressKind.EMAIL, ""),
    ],
)
def test_a_prefix_says_what_is_named(text, kind, value):
    assert addresses.parse(text) == Address(kind, value)


@pytest.mark.parametrize(
    "text",
    [
        "0123456789ab-cdef-0123-4567-89abcdef",
        "",
        "alice",
        "PHONE",
        "phone:+819012345678",
        "Email:a@example.com",
        " EMAIL:a@example.com",
        "EMAIL :a@example.com",
        "USER_ID:abc",
        "ＥＭＡＩＬ:a@example.com",
        "\0",
        "\ud800",
    ],
)
def test_whatever_has_no_known_prefix_is_a_user_id_as_it_stands(text):
    assert addresses.parse(text) == Address(AddressKind.USER_ID, text)


@pytest.mark.parametrize(
    "text",
    [
        NUMBER,
        "+81 90-1234-5678",
        "+81(0)90 1234 5678",
        "＋８１９０１２３４５６７８",
        "JP-9012345678",
        "jp-9012345678",
        "JP-09012345678",
        "JP-090-1234-5678",
        "JP-+819012345678",
    ],
)
def test_otp_19_every_spelling_of_a_number_is_the_same_number(text):
    assert addresses.phone_number_of(text) == NUMBER


@pytest.mark.parametrize(
    "text",
    [
        "09012345678",
        "9012345678",
        "090-1234-5678",
        "00819012345678",
        "",
        "JP-",
        "-9012345678",
        "JPN-9012345678",
        "ZZ-9012345678",
        "ＪＰ-9012345678",
        "81-9012345678",
        "+81",
        "alice",
        "+819012345678x5",
        "+819012345678;ext=5",
        "tel:+819012345678",
        "+819012345678\n",
        "\u202a+819012345678",
        "+81\x009012345678",
        "\ud800",
        "+" + "8" * 10**6,
    ],
)
def test_otp_19_what_names_no_single_number_names_nobody(text):
    assert addresses.phone_number_of(text) is None


@given(st.text(st.characters(), max_size=50))
def test_no_text_is_an_error(text):
    found = addresses.phone_number_of(text)
    assert found is None or found.startswith("+")
    assert addresses.parse(text).value in text


def test_a_number_that_no_plan_knows_any_more_still_names_its_holder():
    assert addresses.phone_number_of("+22997123456") == "+22997123456"
    assert addresses.phone_number_of("+229 97 12 34 56") is None
