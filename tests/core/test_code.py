"""A code is drawn fairly, differs with every issue, and is matched however people type their digits."""

import unicodedata
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.core import code

KEY = bytes(range(32))
DRAWN = 20_000
# The value of chi-square with nine degrees of freedom that chance alone passes once in a million.
UNLIKELY = 46.0

ARABIC_INDIC, PERSIAN, DEVANAGARI = "٠١٢٣٤٥٦٧٨٩", "۰۱۲۳۴۵۶۷۸۹", "०१२३४५६७८९"
FULL_WIDTH, MATHEMATICAL, SUPERSCRIPT = "０１２３４５６７８９", "𝟎𝟏𝟐𝟑𝟒𝟓𝟔𝟕𝟖𝟗", "⁰¹²³⁴⁵⁶⁷⁸⁹"


def drawn(length: int) -> list[str]:
    """20,000 codes of as many verifications, the same in every run."""
    return [code.derive(KEY, f"{serial:032x}", 1, length) for serial in range(DRAWN)]


def chi_square(counts: Counter[str]) -> float:
    """How far the digits' counts are from all being alike."""
    expected = counts.total() / 10
    return sum((counts[digit] - expected) ** 2 / expected for digit in "0123456789")


def written_in(digits: str, text: str) -> str:
    """`text` with its digits in another script, given as that script's ten digits."""
    return text.translate(str.maketrans("0123456789", digits))


@pytest.mark.parametrize("length", range(4, 11))
def test_otp_01_every_digit_is_as_likely_as_any_other_at_every_place(length):
    codes = drawn(length)
    for place in range(length):
        assert chi_square(Counter(each[place] for each in codes)) < UNLIKELY


@pytest.mark.parametrize("length", range(4, 11))
def test_otp_01_codes_have_exactly_their_length_and_keep_leading_zeros(length):
    codes = drawn(length)
    assert all(len(each) == length and each.isascii() and each.isdigit() for each in codes)
    with_leading_zero = sum(each[0] == "0" for each in codes)
    assert 0.086 < with_leading_zero / DRAWN < 0.114


@pytest.mark.parametrize("length", range(4, 11))
def test_otp_01_neighbouring_digits_tell_nothing_of_each_other(length):
    pairs = Counter(each[:2] for each in drawn(length))
    expected = DRAWN / 100
    # Ninety-nine degrees of freedom: chance alone passes 180 less than once in a million.
    assert sum((pairs[f"{pair:02}"] - expected) ** 2 / expected for pair in range(100)) < 180


@pytest.mark.parametrize("length", [6, 8, 10])
def test_otp_01_codes_of_six_digits_repeat_no_more_than_chance_has_it(length):
    repeated = DRAWN - len(set(drawn(length)))
    expected = DRAWN**2 / 2 / 10**length
    assert repeated <= expected + 6 * expected**0.5 + 1


def test_otp_01_a_draw_in_the_incomplete_last_stretch_is_thrown_away(monkeypatch):
    fair = 2**64 - 2**64 % 10**6
    draws = iter([2**64 - 1, fair, fair - 1])
    monkeypatch.setattr(code.hmac, "digest", lambda *_: next(draws).to_bytes(8, "big") + bytes(24))
    assert code.derive(KEY, "any", 1, 6) == "999999"
    assert next(draws, None) is None, "both unfair draws were thrown away, the fair one was taken"


def test_the_same_issue_of_the_same_verification_always_has_the_same_code():
    assert {code.derive(KEY, "aa", 1, 6) for _ in range(100)} == {code.derive(KEY, "aa", 1, 6)}


@pytest.mark.parametrize("length", [6, 10])
def test_two_issues_two_verifications_and_two_keys_have_different_codes(length):
    same = Counter()
    for serial in range(2_000):
        one = code.derive(KEY, f"{serial:032x}", 1, length)
        same["issue"] += one == code.derive(KEY, f"{serial:032x}", 2, length)
        same["id"] += one == code.derive(KEY, f"{serial + 10**9:032x}", 1, length)
        same["key"] += one == code.derive(bytes(32), f"{serial:032x}", 1, length)
    assert max(same.values()) <= 1


def test_the_id_and_the_issue_cannot_run_into_each_other():
    codes = [code.derive(KEY, "a", 11, 10), code.derive(KEY, "a:1", 1, 10), code.derive(KEY, "a1", 1, 10)]
    assert len(set(codes)) == 3


def test_a_shorter_code_is_not_the_end_of_a_longer_one():
    alike = sum(
        code.derive(KEY, f"{serial:032x}", 1, 8).endswith(code.derive(KEY, f"{serial:032x}", 1, 4))
        for serial in range(2_000)
    )
    assert alike <= 5


# --- What people type (OTP-11) ------------------------------------------------------------------------------

RIGHT = "012345"

SPELLINGS = {
    "as it is": "012345",
    "full-width": written_in(FULL_WIDTH, RIGHT),
    "Arabic-Indic": written_in(ARABIC_INDIC, RIGHT),
    "Persian": written_in(PERSIAN, RIGHT),
    "Devanagari": written_in(DEVANAGARI, RIGHT),
    "mathematical": written_in(MATHEMATICAL, RIGHT),
    "two scripts": "012" + written_in(PERSIAN, "345"),
    "a space between": "012 345",
    "spaces around": "  012345\t",
    "a wide space between": "012\u3000345",
    "a hard space between": "012\u00a0345",
    "a hyphen between": "012-345",
    "an en dash between": "012–345",
    "a hyphen after each": "0-1-2-3-4-5-",
}
NO_SPELLINGS = {
    "superscript": written_in(SUPERSCRIPT, RIGHT),
    "circled": "⓪①②③④⑤",
    "Roman": "Ⅰ",
    "a line end": "012345\n",
    "a line end before": "\n012345",
    "CR LF": "012345\r\n",
    "NUL": "012345\0",
    "NUL between": "012\x00345",
    "nothing": "",
    "one digit": "0",
    "without its leading zero": "12345",
    "one digit more": "0123450",
    "a leading zero more": "0012345",
    "a plus": "+12345",
    "an underscore": "012_345",
    "an exponent": "1.2345e4",
    "hexadecimal": "0x3039",
    "another code": "012346",
    "a word": "null",
    "a list": "[012345]",
    "a lone surrogate": "012345\ud800",
    "only surrogates": "\udfff" * 6,
    "a joiner between": "012\u200d345",
    "a direction mark": "\u202e012345",
    "a megabyte of it": "012345" * 175_000,
    "a megabyte of spaces": " " * 10**6 + "012345",
    "a megabyte of zeros": "0" * 10**6,
}


@pytest.mark.parametrize("typed", SPELLINGS.values(), ids=SPELLINGS)
def test_otp_11_every_true_spelling_of_the_code_is_right(typed):
    assert code.matches(RIGHT, typed)


@pytest.mark.parametrize("typed", NO_SPELLINGS.values(), ids=NO_SPELLINGS)
def test_otp_11_everything_else_is_wrong_and_never_an_error(typed):
    assert not code.matches(RIGHT, typed)


@given(st.text(st.characters(), max_size=60))
def test_otp_11_whatever_is_typed_only_the_codes_own_digits_match(typed):
    digits = [unicodedata.decimal(character, None) for character in typed]
    spelled = "".join(str(digit) for digit in digits if digit is not None)
    assert not code.matches(RIGHT, typed) or spelled == RIGHT


@given(st.text(st.sampled_from("0123456789"), min_size=4, max_size=10), st.sampled_from("0123456789"))
def test_a_code_matches_itself_and_no_beginning_and_no_extension_of_it(digits, more):
    assert code.matches(digits, digits)
    assert not code.matches(digits, digits[:-1])
    assert not code.matches(digits, digits + more)


@pytest.mark.parametrize("digits", [ARABIC_INDIC, PERSIAN, DEVANAGARI, FULL_WIDTH, MATHEMATICAL])
def test_otp_11_a_longest_code_with_a_space_after_each_digit_is_still_read(digits):
    assert code.matches("0123456789", " ".join(written_in(digits, "0123456789")))


def test_otp_11_superscripts_stay_what_they_are_when_folded():
    assert code.fold("¹2") == "¹2"


@pytest.mark.parametrize(
    ("typed", "could_be"),
    [
        ("123456", True),
        ("123 456", True),
        ("\u0661\u0662\u0663\u0664\u0665\u0666", True),
        ("12345", False),
        ("1234567", False),
        ("12345a", False),
        ("12345\u00b2", False),
        ("", False),
        (" " * 10**6 + "123456", False),
        ("12345\ud800", False),
    ],
)
def test_otp_11_what_could_be_a_code_has_its_number_of_digits(typed, could_be):
    assert code.has_shape(typed, 6) is could_be
