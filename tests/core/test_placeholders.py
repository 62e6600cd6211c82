"""Which bodies are taken, which are refused and why, and what they say when filled."""

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from portal.core import app_name
from portal.core.placeholders import (
    Placeholder,
    Rule,
    WordingError,
    fill,
    parse,
    problems,
)

VALUES = {"code": "123456", "app_name": "Acme", "minutes": "10"}
GOOD = "{code} is your {app_name} code for {minutes} minutes."


def rules(body: str) -> list[str]:
    return [problem.rule for problem in problems(body)]


def test_it_fills_every_placeholder() -> None:
    assert parse(GOOD).fill(VALUES) == "123456 is your Acme code for 10 minutes."


def test_app_name_and_minutes_may_be_left_out_or_repeated() -> None:
    assert parse("{code}").fill(VALUES) == "123456"
    assert parse("{app_name} {app_name} {code}").fill(VALUES) == "Acme Acme 123456"


@pytest.mark.parametrize("body", ["{code}\nNew line", "{code}\r\nNew line"])
def test_a_new_line_is_allowed_and_stored_plain(body: str) -> None:
    assert parse(body).body == "{code}\nNew line"


@pytest.mark.parametrize(
    ("body", "rule"),
    [
        ("{code} {{7*7}}", Rule.DOUBLE_BRACE),
        ("{code} {% for x in y %}", Rule.UNKNOWN_PLACEHOLDER),
        ("{code} {%}", Rule.UNKNOWN_PLACEHOLDER),
        ("{code} {# note #}", Rule.UNKNOWN_PLACEHOLDER),
        ("{code} ${7*7}", Rule.FOREIGN_PLACEHOLDER),
        ("{code} ${}", Rule.FOREIGN_PLACEHOLDER),
        ("${code}", Rule.FOREIGN_PLACEHOLDER),
        ("{code} %(code)s", Rule.FOREIGN_PLACEHOLDER),
        ("{code} ｛minutes｝", Rule.FOREIGN_PLACEHOLDER),
        ("{code} {code.__class__}", Rule.UNKNOWN_PLACEHOLDER),
        ("{code} {code!r}", Rule.UNKNOWN_PLACEHOLDER),
        ("{code} {code:>99}", Rule.UNKNOWN_PLACEHOLDER),
        ("{code} {code:>999999999}", Rule.UNKNOWN_PLACEHOLDER),
        ("{code} {code[0]}", Rule.UNKNOWN_PLACEHOLDER),
        ("{code} {0}", Rule.UNKNOWN_PLACEHOLDER),
        ("{code} {}", Rule.UNKNOWN_PLACEHOLDER),
        ("{code} {Code}", Rule.UNKNOWN_PLACEHOLDER),
        ("{code} { code }", Rule.UNKNOWN_PLACEHOLDER),
        ("{code} {name}", Rule.UNKNOWN_PLACEHOLDER),
        ("{{code}}", Rule.DOUBLE_BRACE),
        ("{code}}", Rule.DOUBLE_BRACE),
        ("{code} {a{code}b}", Rule.UNCLOSED_BRACE),
        ("{code} {minutes", Rule.UNCLOSED_BRACE),
        ("{code} {", Rule.UNCLOSED_BRACE),
        ("{code} }", Rule.STRAY_BRACE),
        ("}{code}{", Rule.STRAY_BRACE),
    ],
)
def test_tpl_01_it_refuses_whatever_else_stands_in_braces(body: str, rule: Rule) -> None:
    with pytest.raises(WordingError) as refusal:
        parse(body)
    assert rule in [problem.rule for problem in refusal.value.problems]


def test_tpl_01_it_refuses_a_megabyte_at_once() -> None:
    began = time.perf_counter()
    assert [rules(each * 1_000_000) for each in ("{", "a", "{code}", "\r\n")] == [[Rule.TOO_LONG]] * 4
    assert time.perf_counter() - began < 1


def test_it_takes_918_characters_and_not_one_more() -> None:
    assert rules("{code}" + "a" * 912) == []
    assert rules("{code}" + "a" * 913) == [Rule.TOO_LONG]


def test_a_line_end_of_two_characters_counts_as_one() -> None:
    assert rules("{code}" + "a" * 911 + "\r\n") == []


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("", [Rule.EMPTY]),
        (" \n ", [Rule.EMPTY]),
        ("Hello {app_name}", [Rule.CODE_MISSING]),
        ("{code} {code}", [Rule.CODE_TWICE]),
        ("{code} {code} {code}", [Rule.CODE_TWICE, Rule.CODE_TWICE]),
    ],
)
def test_tpl_02_the_code_stands_in_it_exactly_once(body: str, expected: list[Rule]) -> None:
    assert rules(body) == expected


@pytest.mark.parametrize("char", ["\x00", "\t", "\r", "\x1b", "\x7f", "\x85", "\u2028", "\u2029", "\ud800"])
def test_it_refuses_control_characters(char: str) -> None:
    assert rules(f"{{code}}{char}a") == [Rule.CONTROL_CHARACTER]


@pytest.mark.parametrize("char", "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
def test_it_refuses_bidi_overrides_and_isolates_in_any_script(char: str) -> None:
    assert rules(f"{{code}} {char}") == [Rule.BIDI_CONTROL]
    assert rules(f"{{code}} رمز{char}") == [Rule.BIDI_CONTROL]


@pytest.mark.parametrize("char", "\u200e\u200f\u061c")
def test_direction_marks_need_a_script_that_runs_right_to_left(char: str) -> None:
    assert rules(f"{{code}} {char}") == [Rule.BIDI_CONTROL]
    assert rules(f"{{code}} رمز{char}") == []


@pytest.mark.parametrize("char", "\u200b\u2060\ufeff\u00ad")
def test_it_refuses_invisible_characters(char: str) -> None:
    assert rules(f"{{code}}{char}") == [Rule.INVISIBLE_CHARACTER]


@pytest.mark.parametrize(
    "body", ["{code} می\u200cشود", "{code} क्\u200dष", "{code} 👩\u200d💻", "{code} 100% $5 [a]"]
)
def test_it_takes_what_the_script_needs(body: str) -> None:
    assert rules(body) == []


@pytest.mark.parametrize(
    "body",
    [
        *("Hi\n@evil.example #{code}", "@evil.example #123456\n{code}", "Hi @evil.example #{code}"),
        *("{app_name}@evil.example #{code}", "@evil{app_name}#{code}", "@{app_name}#{code}"),
        *("@evil\u00a0x #{code}", "@evil\u3000x #{code}"),
    ],
)
def test_tpl_04_no_line_of_the_owner_ties_the_code_to_a_site(body: str) -> None:
    assert rules(body) == [Rule.AUTOFILL_LINE]


@pytest.mark.parametrize(
    "body", ["{code} @ {app_name} #1", "mail@{app_name} {code}", "{code}@{minutes}#x", "@ #{code}"]
)
def test_an_at_or_a_number_sign_alone_ties_the_code_to_nothing(body: str) -> None:
    assert rules(body) == []


@pytest.mark.parametrize(
    ("body", "at", "address"),
    [
        ("{code} https://evil.example/x", 7, "https://evil.example/x"),
        ("{code} for acme.com.", 11, "acme.com"),
        ("www.acme {code}", 0, "www.acme"),
        ("{code} {app_name}.com", 7, "{app_name}.com"),
        ("\r\n{code}.co", 1, "{code}.co"),
    ],
)
def test_tpl_05_a_wording_carries_no_link(body: str, at: int, address: str) -> None:
    (problem,) = problems(body)
    assert (problem.rule, problem.at, problem.text) == (Rule.LINK, at, address)
    assert problem.fix == "Take the web address out, or put a space after the dot: texts carry no links."


@pytest.mark.parametrize(
    "body", ["{code}. Gilt {minutes} Min.Geben", "{code} z.B. 24.5", "{code}。{app_name}。IT部門"]
)
def test_ordinary_punctuation_is_no_link(body: str) -> None:
    assert rules(body) == []


@pytest.mark.parametrize(
    ("body", "at", "text", "fix"),
    [
        ("{code} {App Name}", 7, "{App Name}", "Write {app_name}."),
        ("{code} ${minutes}", 7, "${minutes}", "Write {minutes}."),
        ("{code} %(minutes)s", 7, "%(minutes)s", "Write {minutes}."),
        ("{{code}}", 0, "{{code}}", "Write {code}."),
        ("{code} {name}", 7, "{name}", "Use {code}, {app_name}, {minutes}, or take the braces out."),
        ("{code} \u202e", 7, "U+202E", "Take the text direction mark out."),
        ("\r\n{code} }", 8, "}", "Take the } out, or open it with {."),
    ],
)
def test_a_problem_says_where_it_is_and_how_to_put_it_right(body: str, at: int, text: str, fix: str) -> None:
    (problem,) = problems(body)
    assert (problem.at, problem.text, problem.fix) == (at, text, fix)


def test_problems_come_in_the_order_of_the_text() -> None:
    assert rules("} \x00 {x} ") == [
        Rule.STRAY_BRACE,
        Rule.CONTROL_CHARACTER,
        Rule.UNKNOWN_PLACEHOLDER,
        Rule.CODE_MISSING,
    ]


def test_every_rule_and_placeholder_has_its_sentence() -> None:
    assert all(
        each.endswith(".") for each in [*(r.sentence for r in Rule), *(p.sentence for p in Placeholder)]
    )


def test_tpl_01_a_value_is_never_expanded_again() -> None:
    filled = parse(GOOD).fill({"code": "{minutes}", "app_name": "{code} \\1 \\g<0>", "minutes": "{app_name}"})
    assert filled == "{minutes} is your {code} \\1 \\g<0> code for {app_name} minutes."


def test_a_missing_value_is_an_error_and_never_an_empty_code() -> None:
    with pytest.raises(KeyError):
        parse(GOOD).fill({"app_name": "Acme", "minutes": "10"})


def test_a_broken_body_is_filled_as_far_as_it_goes() -> None:
    assert fill("{{code}} {x} {minutes} {app_name", VALUES) == "{123456} {x} 10 {app_name"


@pytest.mark.parametrize("body", ["{code} {minutes}", "{{minutes}}", "{x {minutes}"])
def test_a_value_that_a_body_asks_for_is_never_left_out_in_silence(body: str) -> None:
    with pytest.raises(KeyError, match="minutes"):
        fill(body, {"code": "1"})


def test_filling_needs_no_value_that_the_body_does_not_ask_for() -> None:
    assert fill("{code} {x}", {"code": "1"}) == "1 {x}"


@pytest.mark.parametrize(
    ("body", "at", "end", "swap"),
    [
        ("{code} {App Name}", 7, 17, "{app_name}"),
        ("{code} ${minutes}", 7, 17, "{minutes}"),
        ("{code} %(minutes)s", 7, 18, "{minutes}"),
        ("{code} ｛minutes｝", 7, 16, "{minutes}"),
        ("{{code}}", 0, 8, "{code}"),
        ("{code} {name}", 7, 13, None),
        ("{code} {name", 7, 12, None),
        ("\r\n{code} }", 8, 9, ""),
        ("{code} \u202e!", 7, 8, ""),
        ("{code}\x00", 6, 7, ""),
        ("{code} a {code}", 9, 15, ""),
        ("Your code:", 10, 10, " {code}"),
        ("Your code: ", 11, 11, "{code}"),
        ("{code} for acme.com.", 11, 19, None),
        ("{code} @acme #1", 7, 14, None),
        ("   ", 0, 0, None),
        ("{code}" + "x" * 1000, 918, 1006, None),
    ],
)
def test_a_problem_says_where_it_ends_and_what_would_put_it_right(
    body: str, at: int, end: int, swap: str | None
) -> None:
    (problem,) = problems(body)
    assert (problem.at, problem.end, problem.swap) == (at, end, swap)


@pytest.mark.parametrize("body", ["Your code ", "Your code\n", "{app_name}: \n", "{minutes} "])
def test_tpl_02_a_body_without_the_code_is_refused_whatever_it_ends_in(body: str) -> None:
    assert rules(body) == [Rule.CODE_MISSING]


def test_a_misspelt_code_is_one_problem_and_not_two() -> None:
    assert rules("{{code}} ") == [Rule.DOUBLE_BRACE]
    assert rules("%(code)s ") == [Rule.FOREIGN_PLACEHOLDER]


def test_a_long_culprit_is_shown_short_and_marked_whole() -> None:
    (problem,) = problems("{code} {" + "x" * 100 + "}")
    assert (len(problem.text), problem.at, problem.end) == (40, 7, 109)


def test_filling_a_broken_body_takes_linear_time() -> None:
    began = time.perf_counter()
    for body in ("{" * 1_000_000, "{code" * 200_000, "{code}" * 100_000, "}{" * 500_000):
        fill(body, VALUES)
    assert time.perf_counter() - began < 3


BODIES = st.lists(
    st.sampled_from(
        ["{code}", "{app_name}", "{minutes}", "{", "}", "$", "%(", "｛", "a b", "\n", "é", "\u202e"]
    )
).map("".join)


@settings(max_examples=200)
@given(BODIES, st.text(max_size=8))
def test_a_good_body_reads_the_same_in_the_preview_and_when_sent(body: str, name: str) -> None:
    values = VALUES | {"app_name": name}
    if not problems(body):
        assert parse(body).fill(values) == fill(body, values)
        assert parse(body).body.count("{code}") == 1


@settings(max_examples=200)
@given(BODIES)
def test_one_swap_after_the_other_leads_to_a_body_that_has_nothing_left_to_swap(body: str) -> None:
    written = body.replace("\r\n", "\n")
    for _ in range(4 * len(body) + 4):
        problem = next((each for each in problems(written) if each.swap is not None), None)
        if problem is None:
            break
        assert 0 <= problem.at <= problem.end <= len(written)
        written = written[: problem.at] + (problem.swap or "") + written[problem.end :]
    assert all(problem.swap is None for problem in problems(written))


@settings(max_examples=150)
@given(st.text(max_size=950), st.sampled_from(["", "{code}"]))
def test_looking_for_problems_never_raises(text: str, code: str) -> None:
    assert all(problem.fix and problem.at <= len(text) + len(code) for problem in problems(code + text))


@settings(max_examples=100)
@given(st.text("{}codeminutsap_", max_size=20), st.text("{}codeminutsap_", max_size=20))
def test_tpl_01_values_of_braces_stay_literal(code: str, name: str) -> None:
    assert parse("{code}|{app_name}").fill({"code": code, "app_name": name}) == f"{code}|{name}"


@pytest.mark.parametrize(
    "name",
    ["Acme", "株式会社テスト", "St. John", "Ringback 2.0", "Ünïcode & Co.", "a" * 30, "モーニング娘。"],
)
def test_tpl_03_it_takes_an_ordinary_app_name(name: str) -> None:
    assert app_name.problem(name) is None


@pytest.mark.parametrize(
    "name",
    [
        *("", "   ", "\u3164", "\u3000", "a" * 31, "a" * 1_000_000),
        *("Ac\nme", "Ac\rme", "Acme\x00", "Acme\t", "Ac\u2028me", "\ud800"),
        *("Ac\u202eme", "Ac\u2066me", "Ac\u200fme", "Ac\u200bme", "Ac\u200dme", "\ufeffAcme", "Ac\u00adme"),
        *("evil.example", "Go to EVIL.EXAMPLE", "http://", "https://a", "www.x", "a.co", "evil．example"),
        *(
            "evil。example",
            "bücher.de",
            "例え.テスト",
            "xn--a.xn--b",
            "10.0.0.1",
            "@evil.example #123456",
            "bit.ly/x",
        ),
    ],
)
def test_tpl_03_it_refuses_a_name_that_could_mislead(name: str) -> None:
    assert app_name.problem(name)


@pytest.mark.parametrize("name", [".com #", "@evil", "a#b", "localhost/x", "＠evil", "．com"])
def test_tpl_03_an_app_name_cannot_finish_an_autofill_line_or_a_link(name):
    assert app_name.problem(name) is not None
