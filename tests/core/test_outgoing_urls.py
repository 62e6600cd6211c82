"""Only addresses of the public internet are called, whatever spelling somebody thinks of (WEB-11)."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.core import outgoing_urls
from portal.core.outgoing_urls import AddressRefused, is_public, target

HOSTILE = [
    "https://127.0.0.1/",
    "https://127.1/",
    "https://127.0.1/",
    "https://0/",
    "https://0.0.0.0/",
    "https://2130706433/",
    "https://0x7f000001/",
    "https://0x7f.0.0.1/",
    "https://0177.0.0.1/",
    "https://127.0.0.1./",
    "https://127.0.0.0x1/",
    "https://[::1]/",
    "https://[::]/",
    "https://[::ffff:127.0.0.1]/",
    "https://[::ffff:8.8.8.8]/",
    "https://[::7f00:1]/",
    "https://[fe80::1]/",
    "https://[fe80::1%25eth0]/",
    "https://[fc00::1]/",
    "https://[fd00:ec2::254]/",
    "https://[fec0::1]/",
    "https://[ff02::1]/",
    "https://[64:ff9b::a9fe:a9fe]/",
    "https://[2002:7f00:1::]/",
    "https://[2001:0:7f00:1::]/",
    "https://[2001:db8::1]/",
    "https://10.0.0.1/",
    "https://172.16.0.1/",
    "https://172.31.255.255/",
    "https://192.168.0.1/",
    "https://169.254.169.254/latest/meta-data/",
    "https://168.63.129.16/metadata",
    "https://100.64.0.1/",
    "https://100.100.100.200/",
    "https://192.0.0.192/",
    "https://198.18.0.1/",
    "https://203.0.113.7/",
    "https://224.0.0.1/",
    "https://240.0.0.1/",
    "https://255.255.255.255/",
    "https://localhost/",
    "https://LOCALHOST/",
    "https://localhost./",
    "https://a.localhost/",
    "https://metadata.google.internal/",
    "https://printer.local/",
    "https://intranet/",
    "https://ringback.example/receipts",
    "https://RINGBACK.example/",
    "https://user:secret@sms.example.com/",
    "https://sms.example.com@127.0.0.1/",
    "https://sms.example.com\\@127.0.0.1/",
    "https://１２７.０.０.１/",
    "https://ⓛocalhost.example.com/",
    "https://sms.example.com /",
    "https://sms.example.com/\r\nHost: other",
    "https://-.example.com/",
    "https://sms..example.com/",
    "https://sms.example.com:0/",
    "https://sms.example.com:99999/",
    "https://sms.example.com:x/",
    "https://[::1/",
    "https:///path",
    "https://",
    "//sms.example.com/",
    "sms.example.com",
    "",
    "http://sms.example.com/",
    "ftp://sms.example.com/",
    "file:///etc/passwd",
    "gopher://sms.example.com/",
    "javascript:alert(1)",
    "https://sms.example.com/" + "a" * 2_000,
]


@pytest.mark.parametrize("url", HOSTILE, ids=range(len(HOSTILE)))
def test_web_11_a_hostile_address_is_refused_with_a_sentence_that_does_not_repeat_it(url):
    with pytest.raises(AddressRefused) as refused:
        target(url, own_host="ringback.example")
    assert refused.value.fix.endswith(".")
    assert "127" not in str(refused.value)
    if refused.value.may_be_allowed:
        host = outgoing_urls.urlsplit(url).hostname
        assert target(url, frozenset({host, f"[{host}]"}), "ringback.example").is_private


@pytest.mark.parametrize(
    ("url", "netloc"),
    [
        ("https://api.twilio.com/2010-04-01", "api.twilio.com"),
        ("https://SMS.Example.com:8443/send?a=b", "sms.example.com:8443"),
        ("https://8.8.8.8/", "8.8.8.8"),
        ("https://[2606:4700::1111]:444/", "[2606:4700::1111]:444"),
        ("https://xn--bcher-kva.example/", "xn--bcher-kva.example"),
    ],
)
def test_an_address_on_the_public_internet_may_be_called(url, netloc):
    found = target(url, own_host="ringback.example")
    assert (found.scheme, found.netloc, found.is_private) == ("https", netloc, False)


@pytest.mark.parametrize(
    "url",
    ["http://127.0.0.1:13013/cgi-bin/sendsms", "http://kannel/", "http://kannel:99/", "http://[::1]:13013/"],
)
def test_web_11_only_the_operator_opens_private_addresses_and_plain_http(url):
    allowed = frozenset({"127.0.0.1:13013", "kannel", "[::1]:13013"})
    assert target(url, allowed).is_private
    with pytest.raises(AddressRefused):
        target(url)


@pytest.mark.parametrize("url", ["http://127.0.0.1:13014/", "http://127.0.0.1/", "http://kannel.example:1/"])
def test_web_11_an_exception_is_for_that_host_and_port_alone(url):
    with pytest.raises(AddressRefused):
        target(url, frozenset({"127.0.0.1:13013", "kannel:1"}))


@given(st.integers(0, 2**32 - 1))
def test_web_11_no_private_ipv4_is_public_in_any_ipv6_disguise(number):
    high, low = number >> 16, number & 0xFFFF
    for disguise in ("::ffff:{:x}:{:x}", "::{:x}:{:x}", "64:ff9b::{:x}:{:x}", "2002:{:x}:{:x}::1"):
        assert not is_public(disguise.format(high, low))


@given(st.text(max_size=60))
def test_whatever_is_written_is_a_target_or_refused(text):
    for url in (text, f"https://{text}", f"https://{text}.example.com/"):
        with contextlib.suppress(AddressRefused):
            assert target(url).host


def test_what_is_no_address_is_not_public():
    assert not any(is_public(each) for each in ("", "localhost", "127.1", "0x7f.1", "1.2.3", "8.8.8.8 "))
    assert outgoing_urls.is_public("8.8.8.8")
