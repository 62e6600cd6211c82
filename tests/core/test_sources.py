"""Whose budget does a request spend, whatever headers it sends?"""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.core.sources import UNKNOWN, source_of

PEER = "192.0.2.1"


def test_abu_02_without_proxies_nobody_is_believed():
    assert source_of(PEER, "198.51.100.7", 0) == PEER


@pytest.mark.parametrize(
    ("forwarded", "proxies", "source"),
    [
        ("198.51.100.7", 1, "198.51.100.7"),
        ("1.1.1.1, 198.51.100.7", 1, "198.51.100.7"),
        ("1.1.1.1,198.51.100.7, 203.0.113.9", 2, "198.51.100.7"),
        ("198.51.100.7", 2, PEER),
        ("", 1, PEER),
        ("1.1.1.1, nonsense", 1, PEER),
        ("1.1.1.1, 198.51.100.7:4711", 1, "198.51.100.7"),
        ("1.1.1.1, [2001:db8:1:2::5]:4711", 1, "2001:db8:1:2::/64"),
        ("1.1.1.1,", 1, PEER),
    ],
)
def test_abu_02_only_the_operators_own_proxies_are_believed_from_the_right(forwarded, proxies, source):
    assert source_of(PEER, forwarded, proxies) == source


def test_abu_02_two_spellings_of_one_address_have_one_budget():
    assert source_of("::ffff:192.0.2.1", "", 0) == source_of(PEER, "", 0) == PEER
    assert source_of("::FFFF:C000:0201", "", 0) == PEER


def test_abu_02_a_whole_64_is_one_source():
    found = {source_of(f"2001:db8:1:2:{at:x}::{at:x}", "", 0) for at in range(1, 200)}
    assert found == {"2001:db8:1:2::/64"}
    assert source_of("2001:db8:1:3::1", "", 0) != source_of("2001:db8:1:2::1", "", 0)
    assert source_of("fe80::1%eth0", "", 0) == "fe80::/64"


def test_a_peer_without_an_address_is_a_source_too():
    assert source_of("", "", 0) == source_of("unix", "", 3) == UNKNOWN


@given(st.text(), st.text(), st.integers(0, 9))
def test_no_header_breaks_it_or_makes_a_source_of_its_own(peer, forwarded, proxies):
    found = source_of(peer, forwarded, proxies)
    assert found == UNKNOWN or "." in found or found.endswith("/64")
