"""Which writings are one number, which are refused, which may be texted, and what a mask leaves to see."""

import time

import phonenumbers
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from portal.core.phone_number import (
    Kind,
    PhoneNumber,
    PhoneNumberError,
    PhoneNumberFault,
    is_textable,
    mask,
    parse,
    region,
)

Fault = PhoneNumberFault


def fault_of(text: str, country: str | None = None) -> PhoneNumberFault:
    with pytest.raises(PhoneNumberError) as refusal:
        parse(text, country)
    assert str(refusal.value) == refusal.value.reason.sentence
    return refusal.value.reason


@pytest.mark.parametrize(
    ("text", "country"),
    [
        ("+442079460018", None),
        ("+442079460018", "JP"),
        ("+44 20 7946 0018", None),
        ("+44 (0)20 7946 0018", None),
        ("+4402079460018", None),
        ("(+44) 20 7946 0018", None),
        (" +44-20-7946-0018 ", None),
        ("+44.20.7946.0018", None),
        ("＋４４２０７９４６００１８", None),
        ("＋４４ー２０ー７９４６－００１８", None),
        ("＋４４（０）２０　７９４６　００１８", None),
        ("+٤٤٢٠٧٩٤٦٠٠١٨", None),
        ("+۴۴۲۰۷۹۴۶۰۰۱۸", None),
        ("+४४२०७९४६००१८", None),
        ("+𝟒𝟒𝟐𝟎𝟕𝟗𝟒𝟔𝟎𝟎𝟏𝟖", None),
        ("+44\u00a020\u202f7946\u20110018", None),
        ("020 7946 0018", "GB"),
        ("020 7946 0018", "gb"),
        ("20 7946 0018", "GB"),
        ("(020) 7946-0018", "GB"),
        ("0044 20 7946 0018", "GB"),
        ("٠٢٠٧٩٤٦٠٠١٨", "GB"),
    ],
)
def test_otp_19_these_spellings_are_one_number(text: str, country: str | None) -> None:
    assert parse(text, country) == PhoneNumber("+442079460018", "GB", Kind.FIXED_LINE)


@pytest.mark.parametrize(
    "national", ["090-1234-5678", "9012345678", "０９０ー１２３４ー５６７８", "+81 90 1234 5678"]
)
def test_a_national_number_is_read_with_its_country(national: str) -> None:
    assert parse(national, "JP") == PhoneNumber("+819012345678", "JP", Kind.MOBILE)


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("+16502530000 x5", Fault.EXTENSION),
        ("+16502530000x5", Fault.EXTENSION),
        ("+16502530000 X5", Fault.EXTENSION),
        ("+16502530000 ext. 5", Fault.EXTENSION),
        ("+16502530000;ext=5", Fault.EXTENSION),
        ("+16502530000,,5", Fault.EXTENSION),
        ("+16502530000#5", Fault.EXTENSION),
        ("+16502530000 ~5", Fault.EXTENSION),
        ("+1650CALL-NOW", Fault.LETTERS),
        ("+1 650 ＣＡＬＬ ", Fault.LETTERS),
        ("call me at +16502530000 or else", Fault.LETTERS),
        ("+1650253000O", Fault.LETTERS),
        ("+16502530000\x00", Fault.INVISIBLE),
        ("+1650\x002530000", Fault.INVISIBLE),
        ("+16502530000\n", Fault.INVISIBLE),
        ("\n+16502530000", Fault.INVISIBLE),
        ("+1650\t2530000", Fault.INVISIBLE),
        ("+1650\r2530000", Fault.INVISIBLE),
        ("\u202a+16502530000\u202c", Fault.INVISIBLE),
        ("\u202e+16502530000", Fault.INVISIBLE),
        ("\u2066+16502530000\u2069", Fault.INVISIBLE),
        ("\u200e+16502530000", Fault.INVISIBLE),
        ("+1650\u200b2530000", Fault.INVISIBLE),
        ("+1650\u200d2530000", Fault.INVISIBLE),
        ("\ufeff+16502530000", Fault.INVISIBLE),
        ("+1650\u00ad2530000", Fault.INVISIBLE),
        ("+1650\u20282530000", Fault.INVISIBLE),
        ("+1650\ud8002530000", Fault.INVISIBLE),
        ("tel:+16502530000", Fault.URI),
        ("TEL:+16502530000", Fault.URI),
        ("tel:2530000;phone-context=evil.example", Fault.URI),
        ("2530000;phone-context=+1650", Fault.URI),
        ("++16502530000", Fault.PLUS),
        ("+＋16502530000", Fault.PLUS),
        ("16502530000+", Fault.PLUS),
        ("+1650+2530000", Fault.PLUS),
        ("+1650253000²", Fault.CHARACTERS),
        ("+1650/2530000", Fault.CHARACTERS),
        ("+1650*2530000", Fault.CHARACTERS),
        ("+1_650_2530000", Fault.CHARACTERS),
        ("", Fault.EMPTY),
        ("   ", Fault.EMPTY),
        ("+", Fault.EMPTY),
        ("()-.", Fault.EMPTY),
        ("+123456", Fault.TOO_SHORT),
        ("+1911", Fault.TOO_SHORT),
        ("+44 20 7946", Fault.INVALID),
        ("+123456789012345678901", Fault.TOO_LONG),
        ("+" + "1" * 40, Fault.TOO_LONG),
        ("02079460018", Fault.NO_COUNTRY),
        ("00442079460018", Fault.NO_COUNTRY),
        ("442079460018", Fault.NO_COUNTRY),
        ("+9991234567", Fault.UNKNOWN_CALLING_CODE),
        ("+0442079460018", Fault.UNKNOWN_CALLING_CODE),
        ("+5215512345678", Fault.TOO_LONG),
        ("+22501234567", Fault.TOO_SHORT),
        ("+22507123456", Fault.TOO_SHORT),
        ("+447700900000", Fault.INVALID),
    ],
)
def test_otp_19_it_refuses_what_is_no_bare_number(text: str, fault: PhoneNumberFault) -> None:
    assert fault_of(text) is fault


@pytest.mark.parametrize(
    "text", ["+16502530000 x5", "650 CALL-NOW", "650253\x000000", "6502530000\n", "6502530000;ext=5"]
)
def test_otp_19_a_country_does_not_soften_the_rules(text: str) -> None:
    assert fault_of(text, "US") in {Fault.EXTENSION, Fault.LETTERS, Fault.INVISIBLE}


def test_otp_19_a_megabyte_is_refused_at_once() -> None:
    began = time.perf_counter()
    assert fault_of("+1" * 1_000_000) is Fault.TOO_LONG
    assert time.perf_counter() - began < 0.2


@pytest.mark.parametrize("country", ["XX", "J", "JPN", "001", "81", "J\n", "日本"])
def test_it_refuses_a_country_it_does_not_know(country: str) -> None:
    assert fault_of("9012345678", country) is Fault.UNKNOWN_COUNTRY


@pytest.mark.parametrize("country", [None, ""])
def test_a_national_number_needs_a_country(country: str | None) -> None:
    assert fault_of("09012345678", country) is Fault.NO_COUNTRY


@pytest.mark.parametrize(
    ("e164", "place"),
    [
        ("+447400123456", "GB"),
        ("+447911123456", "GG"),
        ("+447624123456", "IM"),
        ("+18765551234", "JM"),
        ("+18095551234", "DO"),
        ("+77012345678", "KZ"),
        ("+16502530000", "US"),
        ("+819012345678", "JP"),
        ("+5491123456789", "AR"),
    ],
)
def test_abu_04_the_region_is_the_number_s_own_and_not_its_calling_code_s(e164: str, place: str) -> None:
    assert region(e164) == parse(e164).region == place
    assert is_textable(parse(e164)) is None


@pytest.mark.parametrize(
    ("e164", "fault"),
    [
        ("+449098790000", Fault.PREMIUM_RATE),
        ("+448712345678", Fault.PREMIUM_RATE),
        ("+19002001234", Fault.PREMIUM_RATE),
        ("+447012345678", Fault.PERSONAL),
        ("+80012345678", Fault.NETWORK),
        ("+80812345678", Fault.NETWORK),
        ("+870773111632", Fault.NETWORK),
        ("+878101234567890", Fault.NETWORK),
        ("+881612345678", Fault.NETWORK),
        ("+8821612345678", Fault.NETWORK),
        ("+883510012345", Fault.NETWORK),
        ("+979123456789", Fault.NETWORK),
        ("+442079460018", Fault.FIXED_LINE),
        ("+541123456789", Fault.FIXED_LINE),
        ("+448001234567", Fault.TOLL_FREE),
        ("+35280112345", Fault.SHARED_COST),
        ("+445512345678", Fault.UAN),
        ("+445612345678", Fault.VOIP),
        ("+447640123456", Fault.PAGER),
        ("+41860123456789", Fault.VOICEMAIL),
    ],
)
def test_abu_05_a_valid_number_may_still_get_no_sms(e164: str, fault: PhoneNumberFault) -> None:
    assert is_textable(parse(e164)) is fault


@pytest.mark.parametrize("code", ["800", "808", "870", "878", "881", "882", "883", "888", "979"])
def test_abu_05_no_kind_opens_a_worldwide_network(code: str) -> None:
    assert is_textable(PhoneNumber(f"+{code}12345678", "001", Kind.MOBILE)) is Fault.NETWORK


@pytest.mark.parametrize("kind", Kind)
def test_abu_05_only_two_kinds_pass(kind: Kind) -> None:
    fault = is_textable(PhoneNumber("+447400123456", "GB", kind))
    assert (fault is None) == (kind in {Kind.MOBILE, Kind.FIXED_LINE_OR_MOBILE})


def test_abu_05_every_kind_of_the_library_is_known_or_refused() -> None:
    for country in phonenumbers.SUPPORTED_REGIONS:
        for kind in range(11):
            example = phonenumbers.example_number_for_type(country, kind)
            if not example or phonenumbers.number_type(example) in {1, 2}:
                continue
            e164 = phonenumbers.format_number(example, phonenumbers.PhoneNumberFormat.E164)
            if len(e164) > 7:
                assert is_textable(parse(e164)) is not None


@pytest.mark.parametrize("text", ["999", "112", "911", "7726"])
def test_abu_05_short_and_emergency_numbers_are_no_phone_numbers(text: str) -> None:
    assert fault_of(text, "GB") in {Fault.TOO_SHORT, Fault.INVALID}


def test_every_fault_has_a_sentence_that_ends() -> None:
    assert all(fault.sentence.endswith(".") for fault in Fault)


@pytest.mark.parametrize(
    ("e164", "shown"),
    [
        ("+819012345678", "+81 ••• •••• 5678"),
        ("+16502530000", "+1 ••• •••• 0000"),
        ("+35455512345", "+354 ••• •••• 2345"),
        ("+6834002", "+683 ••• •••• ••02"),
    ],
)
def test_a_mask_leaves_the_country_code_and_the_last_digits(e164: str, shown: str) -> None:
    assert mask(e164) == shown


@pytest.mark.parametrize(
    "text", ["", "+", "hello 5678", "09012345678", "+9991234567", "+81901234\n5678", "+٨١٩٠١٢٣٤٥٦٧٨"]
)
def test_a_mask_shows_nothing_of_what_is_no_number(text: str) -> None:
    assert mask(text) == "••• •••• ••••"


COUNTRIES = st.sampled_from(sorted(phonenumbers.SUPPORTED_REGIONS))
SEPARATORS = st.lists(st.sampled_from(["", " ", "-", ".", "\u00a0", "－", "　"]), min_size=16, max_size=16)
ZEROS = st.sampled_from("0０٠۰०০๐𝟎")


@settings(max_examples=150)
@given(COUNTRIES, st.sampled_from([0, 1]), SEPARATORS, ZEROS)
def test_otp_19_any_spelling_gives_the_same_number_and_parsing_is_idempotent(
    country: str, kind: int, separators: list[str], zero: str
) -> None:
    example = phonenumbers.example_number_for_type(country, kind)
    assert example
    e164 = phonenumbers.format_number(example, phonenumbers.PhoneNumberFormat.E164)
    number = parse(e164)
    digits = [chr(ord(zero) + int(digit)) for digit in e164[1:]]
    spelled = "+" + "".join(a + b for a, b in zip(separators, digits, strict=False))
    assert parse(spelled) == number
    assert parse(number.e164, country) == number


@settings(max_examples=300)
@given(st.text(max_size=45), st.sampled_from([None, "GB", "JP", "??"]))
def test_otp_19_no_text_whatever_gives_anything_but_a_number_or_a_refusal(
    text: str, country: str | None
) -> None:
    try:
        number = parse(text, country)
    except PhoneNumberError:
        return
    assert parse(number.e164) == number


@settings(max_examples=300)
@given(st.text("+0123456789 x,;#()\n", max_size=24), st.sampled_from([None, "GB", "US"]))
def test_otp_19_whatever_is_taken_is_taken_for_good(text: str, country: str | None) -> None:
    try:
        number = parse(text, country)
    except PhoneNumberError:
        return
    assert parse(number.e164) == number
    assert not set(text) & set("x,;#\n")


@settings(max_examples=100)
@given(st.text(max_size=20))
def test_a_mask_never_raises(text: str) -> None:
    assert mask(text).count("•") >= 7
