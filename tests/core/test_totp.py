"""The codes are those of RFC 6238, near the present, and each only once."""

import re
from urllib.parse import parse_qs, urlsplit

import pytest

from portal.core import recovery_codes, totp

RFC_KEY = b"12345678901234567890"


@pytest.mark.parametrize(
    ("seconds", "code"),
    [
        (59, "287082"),
        (1_111_111_109, "081804"),
        (1_111_111_111, "050471"),
        (1_234_567_890, "005924"),
        (2_000_000_000, "279037"),
        (20_000_000_000, "353130"),
    ],
)
def test_the_codes_are_the_last_six_digits_of_rfc_6238(seconds, code):
    assert totp.code_at(RFC_KEY, seconds // 30) == code
    assert totp.step_of(RFC_KEY, code, seconds * 1000, 0) == seconds // 30


@pytest.mark.parametrize(("steps", "is_taken"), [(-2, False), (-1, True), (0, True), (1, True), (2, False)])
def test_a_clock_may_be_off_by_half_a_minute(steps, is_taken):
    now = 1_795_000_000_000
    code = totp.code_at(RFC_KEY, now // 30_000 + steps)

    assert (totp.step_of(RFC_KEY, code, now, 0) is not None) is is_taken


def test_a_step_is_taken_only_after_the_last_one():
    now = 1_795_000_000_000
    here = now // 30_000
    code = totp.code_at(RFC_KEY, here)

    assert totp.step_of(RFC_KEY, code, now, here - 1) == here
    assert totp.step_of(RFC_KEY, code, now, here) is None


@pytest.mark.parametrize("typed", ["", "12345", "1234567", "\ud800", "abcdef", "２８７０８２"])
def test_what_is_no_code_is_wrong(typed):
    assert totp.step_of(RFC_KEY, typed, 59_000, 0) is None


def test_the_key_is_written_in_groups_and_named_in_the_picture():
    key = totp.new_key()
    told = urlsplit(totp.address(key, "alice@example.com"))

    assert len(key) == 20
    assert re.fullmatch(r"([A-Z2-7]{4} ){7}[A-Z2-7]{4}", totp.written(key))
    assert parse_qs(told.query) == {"secret": [totp.written(key).replace(" ", "")], "issuer": ["Ringback"]}
    assert (told.scheme, told.path) == ("otpauth", "/Ringback%3Aalice%40example.com")


def test_recovery_codes_are_ten_random_ones_and_read_however_they_are_typed():
    codes = recovery_codes.new()

    assert len(set(codes)) == 10
    assert all(re.fullmatch(r"([2-9a-z]{4}-){3}[2-9a-z]{4}", code) for code in codes)
    assert not set("".join(codes)) & set("01ilou")
    assert recovery_codes.hashed(f" {codes[0].upper().replace('-', ' ')}") == recovery_codes.hashed(codes[0])
    assert recovery_codes.hashed(codes[0]) != recovery_codes.hashed(codes[1])
