"""The lines that let a phone fill the code in, read back as a phone reads them."""

import re

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from portal.core import app_name, autofill, message_text, placeholders, wordings
from portal.core.autofill import Autofill, DomainError
from portal.core.segments import segment
from tests.origin_bound_codes import OriginBoundCode, read

HASH = "FA+9qCX9VSu"
TEXT = "123456 is your Acme code."
# How Chrome finds the code, looser than the specification: anywhere after a blank, and the first one wins.
CHROME = re.compile(r"(?:^|\s)@([a-zA-Z0-9.-]+) #([^#\s]+)", re.ASCII)

LABELS = st.from_regex(r"[a-z0-9]([a-z0-9-]{0,8}[a-z0-9])?", fullmatch=True)
DOMAINS = (
    st.tuples(st.lists(LABELS, min_size=1, max_size=3), st.sampled_from(["com", "xn--p1ai", "jp", "example"]))
    .map(lambda parts: ".".join([*parts[0], parts[1]]))
    .filter(lambda domain: autofill.domain_problem(domain) is None)
)
CODES = st.from_regex(r"[0-9]{4,10}", fullmatch=True)
HASHES = st.none() | st.from_regex(r"[A-Za-z0-9+/]{11}", fullmatch=True)
BODIES = st.one_of(
    st.sampled_from(list(wordings.VERIFICATION.values())),
    st.lists(
        st.sampled_from(
            [
                *(
                    "{code}",
                    "{app_name}",
                    "{minutes}",
                    "@",
                    "#",
                    " ",
                    "\n",
                    "\r\n",
                    "\r",
                    "\t",
                    "a",
                    ".",
                    "é",
                ),
                *("\u00a0", "\u3000", "\u200d", "@x #", "@evil.example", "#1", "＠", "＃"),
            ]
        ),
        max_size=12,
    ).map(lambda parts: "".join([*parts, "{code}"] if "{code}" not in parts else parts)),
)
GOOD_BODIES = BODIES.map(lambda body: "@{code}\n@ #" if placeholders.problems(body) else body)
NAMES = st.text(st.sampled_from("ab .-@#\u00a0\u3000é＠"), max_size=8) | st.text(max_size=30)
GOOD_NAMES = NAMES.map(lambda name: "y " if app_name.problem(name) else name)


def test_nothing_is_switched_on_by_itself() -> None:
    assert Autofill().append(TEXT, "123456") == TEXT


def test_tpl_04_the_web_line_is_the_very_last_after_a_blank_line() -> None:
    text = Autofill(web_domain="login.example.com").append(TEXT, "123456")
    assert text == "123456 is your Acme code.\n\n@login.example.com #123456"


def test_the_android_hash_stands_on_its_own_line_after_a_blank_line() -> None:
    assert Autofill(android_hash=HASH).append(TEXT, "123456") == f"{TEXT}\n\n{HASH}"


def test_tpl_04_with_both_on_the_web_line_is_still_the_last() -> None:
    text = Autofill("example.com", HASH).append(TEXT, "123456")
    assert text == f"{TEXT}\n\n{HASH}\n@example.com #123456"
    assert read(text) == OriginBoundCode("example.com", "123456")


def test_the_lines_cost_no_change_of_alphabet() -> None:
    assert segment(Autofill("xn--bcher-kva.example", HASH).append("", "123456")).encoding == "GSM-7"


@pytest.mark.parametrize(
    "given_", [{"web_domain": each} for each in ("", "Example.com", "bücher.de", "a", "a.b/c")]
)
def test_tpl_04_a_domain_that_was_not_checked_makes_no_line(given_: dict[str, str]) -> None:
    with pytest.raises(DomainError):
        Autofill(**given_)


@pytest.mark.parametrize("android_hash", ["", "short", HASH + "x", HASH + "\n", "@a.co #1234"])
def test_tpl_04_a_hash_that_was_not_checked_makes_no_line(android_hash: str) -> None:
    with pytest.raises(ValueError, match="11 characters"):
        Autofill(android_hash=android_hash)


@settings(max_examples=200)
@given(GOOD_BODIES, GOOD_NAMES, DOMAINS, CODES, HASHES)
def test_tpl_04_whatever_the_wording_a_phone_reads_exactly_our_host_and_code(
    body: str, name: str, domain: str, code: str, android_hash: str | None
) -> None:
    values = message_text.values_for(name, 600, Autofill(domain, android_hash))
    text = message_text.render(body, values, code)
    assert read(text) == OriginBoundCode(domain, code)
    assert [found.groups() for found in CHROME.finditer(text)] == [(domain, code)]


@settings(max_examples=500)
@given(BODIES, NAMES, CODES)
@example("@x{app_name}#{code}", "y ", "1234")
@example("@a\u00a0b #{code}", "Acme", "1234")
@example("Hi @evil.example #{code}", "Acme", "1234")
@example("{app_name}@evil.example #{code}", "Acme ", "1234")
def test_tpl_04_without_the_switch_no_wording_and_no_app_name_takes_that_role(
    body: str, name: str, code: str
) -> None:
    values = {"app_name": name, "minutes": "10", "code": code}
    text = placeholders.fill(body.replace("\r\n", "\n"), values)
    if read(text) or CHROME.search(text):
        assert placeholders.problems(body) or app_name.problem(name)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Code.\n\n@example.com #747723", OriginBoundCode("example.com", "747723")),
        ("@example.com #747723", OriginBoundCode("example.com", "747723")),
        ("a\r\n@example.com #747723", OriginBoundCode("example.com", "747723")),
        ("a\r@example.com #747723", OriginBoundCode("example.com", "747723")),
        (
            "x\n@example.com #747723 @ecommerce.example",
            OriginBoundCode("example.com", "747723", "ecommerce.example"),
        ),
        (
            "@example.com #747723 @ecommerce.example $future",
            OriginBoundCode("example.com", "747723", "ecommerce.example"),
        ),
        (
            "@example.com #747723 future @x.example",
            OriginBoundCode("example.com", "747723"),
        ),
        ("@example.com #747723 ", OriginBoundCode("example.com", "747723")),
        ("@example.com #747723\t@x", OriginBoundCode("example.com", "747723")),
        ("@a\u00a0b #c\u3000d", OriginBoundCode("a\u00a0b", "c\u3000d")),
        *(
            (text, None)
            for text in ("", "@", "@ #1", "@a", "@a ", "@a #", "@a # 1", "@a  #1", "@a\t#1", "@a#1")
        ),
        *((text, None) for text in ("something @example.com #747723", "@example.com code #747723", " @a #1")),
        *(
            (text, None)
            for text in ("#747723 @ecommerce.example @example.com", "@example.com #747723\n", "a #1")
        ),
    ],
)
def test_it_reads_what_the_specification_says(text: str, expected: OriginBoundCode | None) -> None:
    assert read(text) == expected


def test_android_passes_over_a_text_of_more_than_140_bytes() -> None:
    assert not autofill.too_long_for_retriever("a" * 140)
    assert autofill.too_long_for_retriever("a" * 141)
    assert not autofill.too_long_for_retriever("あ" * 46)
    assert autofill.too_long_for_retriever("あ" * 47)
    assert not autofill.too_long_for_retriever("\ud800")


@pytest.mark.parametrize(
    ("written", "normal"),
    [
        ("example.com", "example.com"),
        (" Login.EXAMPLE.com\n", "login.example.com"),
        ("bücher.example", "xn--bcher-kva.example"),
        ("BÜCHER.example", "xn--bcher-kva.example"),
        ("straße.example", "xn--strae-oqa.example"),
        ("例え.テスト", "xn--r8jz45g.xn--zckzah"),
        ("例え。テスト", "xn--r8jz45g.xn--zckzah"),
        ("ｅｘａｍｐｌｅ．ｃｏｍ", "example.com"),
        ("xn--bcher-kva.example", "xn--bcher-kva.example"),
        ("r3---a.example", "r3---a.example"),
        ("1.example", "1.example"),
    ],
)
def test_a_domain_is_written_as_browsers_compare_it(written: str, normal: str) -> None:
    assert autofill.normalise_domain(written) == normal
    assert autofill.domain_problem(written) is None


@pytest.mark.parametrize(
    ("written", "sign"),
    [
        *(("", "such as"), ("  ", "such as"), ("a b.com", "space"), ("a.com\nb.com", "space")),
        *(("https://a.com", "https://"), ("HTTP://a.com", "https://"), ("//a.com", "https://")),
        *(("me@a.com", "@"), ("@a.com", "@"), ("a.com/", "path"), ("a.com?x", "path"), ("a.com#1", "path")),
        *(("a.com\\b", "path"), ("a.com:443", "port"), ("a.com.", "dot at the end"), ("a..com", "dot")),
        *((".a.com", "dot"), ("localhost", "localhost"), ("a.localhost", "localhost"), ("example", "ending")),
        *(("10.0.0.1", "IP"), ("10.0.0.1:80", "IP"), ("[::1]", "IP"), ("::1", "IP"), ("0x7f.1", "IP")),
        *(("2130706433", "IP"), ("１２７.0.0.1", "IP"), ("a.0x1", "IP"), ("10.0.0.1.", "IP")),
        *(("a_b.com", "letters"), ("-a.com", "letters"), ("a-.com", "letters"), ("*.a.com", "letters")),
        *(("a" * 64 + ".com", "letters"), ("a.1com", "letters"), ("xn--a.com", "characters")),
        *(("a\u202e.com", "characters"), ("😀\u0000.com", "characters"), ("a." * 127 + "com", "253")),
        *(("ü." * 40 + "com", "253"), ("a" * 1_000_000, "253")),
    ],
)
def test_whatever_is_no_bare_host_name_is_refused_in_one_sentence_with_the_fix(
    written: str, sign: str
) -> None:
    problem = autofill.domain_problem(written)
    assert problem is not None
    assert sign in problem
    assert problem.endswith(".")


@settings(max_examples=200)
@given(st.text(max_size=30) | st.text("aü.-xn:/@#1。 ", max_size=20))
def test_a_domain_that_is_taken_is_plain_and_stays_as_it_is(written: str) -> None:
    if autofill.domain_problem(written) is None:
        normal = autofill.normalise_domain(written)
        assert re.fullmatch(r"[a-z0-9-]+(\.[a-z0-9-]+)+", normal)
        assert autofill.normalise_domain(normal) == normal
        assert Autofill(normal).web_domain == normal


@pytest.mark.parametrize("android_hash", [HASH, "a" * 11, "+/+/+/+/+/+", "01234567890"])
def test_a_hash_of_11_base64_characters_is_taken(android_hash: str) -> None:
    assert autofill.android_hash_problem(android_hash) is None


@pytest.mark.parametrize(
    "android_hash", ["", "a" * 10, "a" * 12, "FA-9qCX9VSu", "FA_9qCX9VSu", "FA+9qCX9VS=", "é" * 11]
)
def test_any_other_hash_is_refused(android_hash: str) -> None:
    assert autofill.android_hash_problem(android_hash)
