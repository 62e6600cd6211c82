"""Can a whole number be read aloud?"""

import pytest

from portal.core.number_groups import grouped


@pytest.mark.parametrize(
    ("e164", "shown"),
    [
        ("+819012345678", "+81 90-1234-5678"),
        ("+447400123456", "+44 7400 123456"),
        ("+999", "+999"),
        ("", ""),
    ],
)
def test_it_groups_as_the_country_does_and_never_fails(e164, shown):
    assert grouped(e164) == shown
