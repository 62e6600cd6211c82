"""What does an SMS cost, and how is a price written? Amounts are whole millionths of a currency's unit."""

import re
import unicodedata
from decimal import Decimal
from functools import cache
from typing import Final

from babel import Locale
from babel.core import get_global
from babel.numbers import format_currency, get_currency_name, get_currency_precision, get_territory_currencies

MILLION: Final = 1_000_000
# In the units of the least currencies one segment costs some thousands; more is a slip of the decimal point.
HIGHEST: Final = 1_000_000 * MILLION
THOUSAND: Final = 1000
LONGEST: Final = 20

_AMOUNT: Final = re.compile(r"[0-9]*\.?[0-9]+|[0-9]+\.")
# A thousand or one? Whoever guesses is wrong by a factor of a thousand.
_EITHER: Final = re.compile(r"[1-9][0-9]{0,2},[0-9]{3}")


class PriceError(ValueError):
    """A text that is no price; the message says how to write one."""


def read(text: str) -> int:
    """A price as somebody wrote it, `0.0079` or `0,0079`, in millionths. Raises PriceError."""
    written = unicodedata.normalize("NFKC", text[: LONGEST + 1]).strip()
    if _EITHER.fullmatch(written):
        plain = written.replace(",", "")
        raise PriceError(f"Write {plain}, or {written.replace(',', '.')} if that is meant.")
    amount = written.replace(",", ".")
    if len(written) > LONGEST or not _AMOUNT.fullmatch(amount):
        raise PriceError("Write a price such as 0.0079.")
    millionths = Decimal(amount) * MILLION
    if millionths > HIGHEST:
        raise PriceError("Write the price of one segment, 1,000,000 at most.")
    if millionths != millionths.to_integral_value():
        raise PriceError("Write at most six digits after the point.")
    return int(millionths)


def write(millionths: int) -> str:
    """A price as `read` takes it, in two decimals or as many as it needs: `0.0079` for 7900, `0.50`, `8`."""
    whole, rest = divmod(millionths, MILLION)
    decimals = f"{rest:06}".rstrip("0").ljust(2, "0")
    return f"{whole}.{decimals}" if rest else str(whole)


def per_thousand(millionths: int, segments: int, currency: str) -> str:
    """What a thousand SMS of so many segments cost: 7900 and 2 in USD give `$15.80`. Never raises."""
    amount = Decimal(millionths) * segments * THOUSAND / MILLION
    whole = amount == amount.to_integral_value() or get_currency_precision(currency) == 0
    pattern = "¤#,##0" if whole else None
    return format_currency(amount, currency, pattern, locale="en", currency_digits=not whole)


@cache
def currencies() -> dict[str, str]:
    """Every currency that is tender somewhere today (CLDR): three letters and English name, by name."""
    territories = get_global("territory_currencies")
    codes = {code for each in territories for code in get_territory_currencies(each)}
    named = {code: get_currency_name(code, locale=Locale("en")) for code in codes}
    return dict(sorted(named.items(), key=lambda pair: pair[1]))
