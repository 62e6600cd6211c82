"""Every country but one has a made-up mobile number for its sandbox phones."""

from portal.core import example_numbers, phone_number


def test_every_country_with_mobile_phones_has_an_example_that_may_be_texted() -> None:
    found = {country: example_numbers.mobile(country) for country in phone_number.regions()}
    assert [country for country, number in found.items() if number is None] == ["TA"]
    assert all(number is None or phone_number.is_textable(number) is None for number in found.values())
    assert found["JP"] == phone_number.parse("+819012345678")
