"""What counts as a web address in a text, and what is only punctuation."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.core import links, wordings

ADDRESSES = [
    *("http://x", "HTTPS://a.b", "app://open", "http://10.0.0.1/x", "10.0.0.1", "www.acme", "WWW.acme"),
    *("acme.com", "ACME.COM", "Acme.Com", "acme.co.uk", "a-b.acme.de", "help@acme.com", "acme.com:80/x?y#z"),
    *("bücher.de", "日本.jp", "пример.рф", "例子.中国", "xn--bcher-kva.de", "evil．com", "ｅｖｉｌ.com"),
    *("{app_name}.com", "{code}.co", "shop.{app_name}", "bit.ly/x", "evil.anything/x", "login.acme.app"),
]
PROSE = [
    *("24.5 EUR", "24.12.2026", "12.30 Uhr", "v2.0.1", "Nr.5", "10:30", "1.2.3", "km/h", "C/O", "and/or"),
    *(
        "Inc.Your code",
        "Min.Geben",
        "z.B. so",
        "z. B. so",
        "d.h.",
        "e.g. this",
        "i.e. that",
        "U.S.",
        "S.p.A.",
    ),
    *("St. John", "{code}. Er gilt {minutes} Min.", "{app_name}.", "wait...ok", "p.m.", "wwww", "Mr.Smith"),
    *("ください。ID 123", "です。IT部門", "です．ＩＴ部門", "モーニング娘。com", "コード：{code}。"),
]


@pytest.mark.parametrize("address", ADDRESSES)
@pytest.mark.parametrize(
    "sentence", ["{}", "Go to {} now.", "({})", "{}.", "{}!\nBye", "24.5, z.B. {}, {{minutes}} Min."]
)
def test_tpl_05_it_finds_a_web_address_and_where_it_stands(address: str, sentence: str) -> None:
    text = sentence.format(address)
    ((at, found),) = links.find(text)
    assert text.startswith(found, at)
    # What follows an address without a space may be taken along; what comes first never is.
    assert at == text.index(address)
    assert found.startswith(address)


@pytest.mark.parametrize("text", [*PROSE, *wordings.VERIFICATION.values(), *wordings.CHANGE_NOTICE.values()])
def test_ordinary_punctuation_is_no_address(text: str) -> None:
    assert list(links.find(text)) == []


def test_it_finds_every_address_in_the_order_of_the_text() -> None:
    assert list(links.find("a.com b.de, http://c")) == [(0, "a.com"), (6, "b.de"), (12, "http://c")]


@given(st.text(max_size=200))
def test_looking_never_raises_and_what_is_found_stands_there(text: str) -> None:
    assert all(text[at : at + len(found)] == found != "" for at, found in links.find(text))


def test_the_longest_body_is_looked_through_at_once() -> None:
    began = time.perf_counter()
    for unit in ("a.", ".", "}.", "a", "1.", "www.", "a-", "co.", "://", "xn--"):
        list(links.find((unit * 918)[:918]))
    assert time.perf_counter() - began < 1
