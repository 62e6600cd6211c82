"""Does a person find a country where its letters stand, whatever signs are on them?"""

import re
from html import unescape

import pytest


@pytest.mark.parametrize(
    ("path", "pattern"),
    [
        ("/apps/new", r'<option[^>]* value="[A-Z]{2}"[^>]*>([^<]+)</option>'),
        ("/apps/{app}/verification", r'name="open_countries"[^>]*><span>([^<]+) <code>'),
    ],
)
def test_countries_are_sorted_by_their_letters_without_accents(alices, shop, path, pattern):
    page = alices.get(path.format(app=shop.id)).text
    at = {unescape(name): place for place, name in enumerate(re.findall(pattern, page))}

    for before, name, after in (
        ("Albania", "Algeria", "American Samoa"),
        ("Afghanistan", "Åland Islands", "Albania"),
        ("Costa Rica", "Côte d\N{RIGHT SINGLE QUOTATION MARK}Ivoire", "Croatia"),
        ("Qatar", "Réunion", "Romania"),
        ("Tunisia", "Türkiye", "Turkmenistan"),
    ):
        assert at[before] < at[name] < at[after]
