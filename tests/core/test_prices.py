"""What a price is read as, how it is written, and what a thousand SMS come to."""

from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from portal.core import prices


@pytest.mark.parametrize(
    ("text", "millionths"),
    [
        ("0.0079", 7_900),
        ("0,0079", 7_900),
        (".5", 500_000),
        ("5.", 5_000_000),
        (" 8.50 ", 8_500_000),
        ("１．５", 1_500_000),
        ("0", 0),
        ("0,500", 500_000),
        ("0.000001", 1),
        ("1000000", prices.HIGHEST),
    ],
)
def test_it_reads_a_price_as_people_write_it(text: str, millionths: int) -> None:
    assert prices.read(text) == millionths


@pytest.mark.parametrize(
    ("text", "fix"),
    [
        *((text, "Write a price such as") for text in ("", " ", ".", ",", "-1", "+1", "1e3", "1_0", "nan")),
        *((text, "Write a price such as") for text in ("Infinity", "$5", "5 USD", "1.2.3", "1,2,3", "1.2,3")),
        *((text, "Write a price such as") for text in ("٣", "\0", "1\n2", "{code}", "9" * 1_000_000)),
        ("1,000", "Write 1000, or 1.000"),
        ("0.0000001", "at most six digits"),
        ("1000000.000001", "1,000,000 at most"),
    ],
)
def test_it_refuses_what_is_no_price_and_says_the_fix(text: str, fix: str) -> None:
    with pytest.raises(prices.PriceError, match=fix):
        prices.read(text)


@pytest.mark.parametrize(
    ("millionths", "text"),
    [(7_900, "0.0079"), (500_000, "0.50"), (8_500_000, "8.50"), (8_000_000, "8"), (0, "0"), (1, "0.000001")],
)
def test_it_writes_two_decimals_or_as_many_as_it_needs(millionths: int, text: str) -> None:
    assert prices.write(millionths) == text


@settings(max_examples=300)
@given(st.integers(0, prices.HIGHEST))
def test_what_is_written_is_read_as_the_same_price(millionths: int) -> None:
    text = prices.write(millionths)
    assert prices.read(text) == prices.read(text.replace(".", ",")) == millionths
    assert Decimal(text) * prices.MILLION == millionths


@settings(max_examples=300)
@given(st.text(max_size=24) | st.text("0123456789.,- ", max_size=24))
def test_whatever_is_typed_is_a_price_in_range_or_refused(text: str) -> None:
    try:
        found = prices.read(text)
    except prices.PriceError:
        return
    assert 0 <= found <= prices.HIGHEST
    assert text.strip()


@pytest.mark.parametrize(
    ("millionths", "segments", "currency", "amount"),
    [
        (7_900, 2, "USD", "$15.80"),
        (8_000, 1, "USD", "$8"),
        (1_040_000, 1, "JPY", "¥1,040"),
        (1_040_500, 1, "JPY", "¥1,040"),
        (70_000, 1, "EUR", "€70"),
        (0, 1, "USD", "$0"),
    ],
)
def test_a_thousand_sms_cost_what_their_segments_cost(
    millionths: int, segments: int, currency: str, amount: str
) -> None:
    assert prices.per_thousand(millionths, segments, currency) == amount


def test_every_currency_that_can_be_chosen_can_be_written() -> None:
    assert {"USD", "EUR", "JPY", "IDR"} <= set(prices.currencies())
    assert "DEM" not in prices.currencies()
    assert list(prices.currencies().values()) == sorted(prices.currencies().values())
    for currency in prices.currencies():
        assert any(char.isdigit() for char in prices.per_thousand(prices.HIGHEST, 6, currency))
