"""A sealed value opens only with its key, in its own row of its own app, and unchanged."""

import secrets

import pytest

from portal.core import receipt_addresses, sealing
from portal.core.sealing import BrokenSeal

KEYS = {1: secrets.token_bytes(32), 2: secrets.token_bytes(32)}
ABOUT = sealing.about_provider("coffee", "p1")
PLAIN = b"the carrier's password"


def test_what_was_sealed_opens_again():
    version, sealed = sealing.seal(KEYS, PLAIN, ABOUT)
    assert sealing.unseal(KEYS, version, sealed, ABOUT) == PLAIN


def test_the_newest_key_seals_and_the_older_ones_still_open():
    version, sealed = sealing.seal({1: KEYS[1]}, PLAIN, ABOUT)
    assert (version, sealing.seal(KEYS, PLAIN, ABOUT)[0]) == (1, 2)
    assert sealing.unseal(KEYS, version, sealed, ABOUT) == PLAIN


def test_ops_05_a_sealed_value_says_nothing_and_is_never_the_same_twice():
    _, one = sealing.seal(KEYS, PLAIN, ABOUT)
    _, other = sealing.seal(KEYS, PLAIN, ABOUT)
    assert one != other
    assert PLAIN not in one


@pytest.mark.parametrize(
    "about",
    [
        sealing.about_provider("other", "p1"),
        sealing.about_provider("coffee", "p2"),
        "",
        "provider:coffee:p1 ",
    ],
)
def test_ops_05_a_value_that_was_moved_to_another_row_or_app_does_not_open(about):
    version, sealed = sealing.seal(KEYS, PLAIN, ABOUT)
    with pytest.raises(BrokenSeal):
        sealing.unseal(KEYS, version, sealed, about)


@pytest.mark.parametrize("at", [0, 11, 12, 20, -1])
def test_a_value_of_which_one_bit_was_changed_does_not_open(at):
    version, sealed = sealing.seal(KEYS, PLAIN, ABOUT)
    changed = bytearray(sealed)
    changed[at] ^= 1
    with pytest.raises(BrokenSeal):
        sealing.unseal(KEYS, version, bytes(changed), ABOUT)


@pytest.mark.parametrize("sealed", [b"", b"x", b"x" * 12, b"x" * 27, b"x" * 200])
def test_what_is_no_sealed_value_does_not_open_and_the_error_tells_nothing(sealed):
    with pytest.raises(BrokenSeal) as refused:
        sealing.unseal(KEYS, 1, sealed, ABOUT)
    assert str(refused.value) == ""
    assert refused.value.__suppress_context__


def test_a_value_whose_key_is_gone_or_swapped_does_not_open():
    version, sealed = sealing.seal(KEYS, PLAIN, ABOUT)
    for keys, said in [({1: KEYS[1]}, version), (KEYS, 1), (KEYS, 3), ({2: KEYS[1]}, 2)]:
        with pytest.raises(BrokenSeal):
            sealing.unseal(keys, said, sealed, ABOUT)


def test_a_packed_value_brings_the_version_of_its_key_along():
    packed = sealing.pack(KEYS, PLAIN, ABOUT)
    assert sealing.packed_version(packed) == 2
    assert sealing.unpack(KEYS, packed, ABOUT) == PLAIN
    for broken in [b"", packed[:3], packed[1:], b"\x00\x00\x00\x01" + packed[4:]]:
        with pytest.raises(BrokenSeal):
            sealing.unpack(KEYS, broken, ABOUT)


def test_del_10_each_provider_has_a_receipts_address_that_only_this_server_can_make():
    address = receipt_addresses.url("https://ringback.example/", KEYS[1], "p1")
    token = receipt_addresses.token(KEYS[1], "p1")
    assert address == f"https://ringback.example/receipts/p1/{token}"
    assert len(token) == 32
    assert token not in (receipt_addresses.token(KEYS[1], "p2"), receipt_addresses.token(KEYS[2], "p1"))


def test_del_10_only_the_right_token_is_right():
    token = receipt_addresses.token(KEYS[1], "p1")
    assert receipt_addresses.is_right(KEYS[1], "p1", token)
    for wrong in ["", token[:-1], token + "0", token.upper() + "x", "ü" * 32, "\ud800", "0" * 32]:
        assert not receipt_addresses.is_right(KEYS[1], "p1", wrong)
    assert not receipt_addresses.is_right(KEYS[1], "p2", token)
