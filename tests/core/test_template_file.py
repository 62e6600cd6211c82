"""How templates stand in a file, and what is refused of one."""

import json
import time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from portal.core import locales, placeholders
from portal.core.template_file import LONGEST_FILE, FileError, TemplateFile, read, write


def problems(text: str | bytes) -> list[str]:
    with pytest.raises(FileError) as refusal:
        read(text)
    assert all(problem.endswith((".", ")")) for problem in refusal.value.problems)
    return refusal.value.problems


def text_of(entries: Any, **more: Any) -> str:
    whole = {"format": "ringback.sms-templates", "version": 1, "default_locale": "en", "templates": entries}
    return json.dumps(whole | more)


def entry(locale: Any = "en", body: Any = "{code}", **more: Any) -> dict[str, Any]:
    return {"locale": locale, "body": body, **more}


READABLE = """{
  "format": "ringback.sms-templates",
  "version": 1,
  "default_locale": "en",
  "templates": [
    {
      "locale": "en",
      "body": "{code}\\n\\"is\\" it"
    },
    {
      "locale": "ja",
      "body": "確認コード {code}"
    }
  ]
}
"""


def test_a_file_is_readable_and_ends_with_a_line_end() -> None:
    assert write("en", [("ja", "確認コード {code}"), ("en", '{code}\n"is" it')]) == READABLE


def test_the_order_in_which_templates_come_makes_no_difference() -> None:
    pairs = [("ja", "J {code}"), ("en", "{code}"), ("pt-BR", "P {code}")]
    assert write("en", pairs) == write("en", reversed(pairs))


def test_it_reads_tags_and_line_ends_in_their_plain_form() -> None:
    found = read(text_of([entry("PT_br", "a\r\n{code}")], default_locale="ZH-hans"))
    assert found == TemplateFile("zh-Hans", (("pt-BR", "a\n{code}"),))


@pytest.mark.parametrize(
    "text",
    [text_of([], default_locale=None), '{"format":"ringback.sms-templates","version":1,"templates":[]}'],
)
def test_the_default_may_be_left_out(text: str) -> None:
    assert read(text) == TemplateFile(None, ())


def test_a_file_from_a_windows_editor_is_read() -> None:
    assert read(b"\xef\xbb\xbf" + text_of([entry()]).encode()).templates == (("en", "{code}"),)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "The file is no JSON: see line 1, column 1 (Expecting value)."),
        ('{\n"a": 1,\n}', "The file is no JSON: see line 3, column 1"),
        ("[]", "The file must hold one JSON object, in braces."),
        (b"{\xff}", "The file is no UTF-8 text: see byte 2."),
        ('{"a": "\ud800"}', "The file is no UTF-8 text: see byte 8."),
        ("[" * 100_000, "The file has brackets within brackets within brackets: too deep."),
        ("1" * 10_000, "The file has a number of thousands of digits."),
        (" " * (LONGEST_FILE + 1), "The file is larger than 256 KiB."),
        ("あ" * (LONGEST_FILE // 3 + 1), "The file is larger than 256 KiB."),
        (b" " * (LONGEST_FILE + 1), "The file is larger than 256 KiB."),
    ],
)
def test_it_refuses_what_is_no_such_file_at_all(text: str | bytes, sentence: str) -> None:
    (problem,) = problems(text)
    assert problem.startswith(sentence)


@pytest.mark.parametrize(
    ("more", "sentence"),
    [
        ({"format": "other"}, "format: it must be 'ringback.sms-templates'."),
        ({"version": 2}, "version: it must be 1; no other is known here."),
        ({"version": True}, "version: it must be 1; no other is known here."),
        ({"version": 1.0}, "version: it must be 1; no other is known here."),
        ({"default_locale": "english"}, "default_locale: the locale 'english' is no language tag."),
        ({"default_locale": 7}, "default_locale: the locale must be text."),
        ({"templates": {}}, "templates: it must be a list of entries, each with a locale and a body."),
        ({"templates": None}, "templates: it must be a list of entries, each with a locale and a body."),
        ({"note": 1}, "the file: 'note' is unknown; take it out."),
        ({str(at): 1 for at in range(5)}, "the file: '0', '1', '2' and 2 more is unknown; take it out."),
        (
            {"templates": [entry(f"x-{at}") for at in range(101)]},
            "templates: there are 101 entries, and at most 100",
        ),
    ],
)
def test_it_names_what_is_wrong_with_the_whole(more: dict[str, Any], sentence: str) -> None:
    (problem,) = problems(text_of([entry()], **more))
    assert problem.startswith(sentence)


@pytest.mark.parametrize(
    ("broken", "sentence"),
    [
        (entry("english"), "the locale 'english' is no language tag. Write a language tag such as en,"),
        (entry(None), "the locale must be text."),
        (entry(["en"]), "the locale must be text."),
        (entry("ja", 5), "the body must be text."),
        ({"locale": "ja"}, "the body must be text."),
        ({"body": "{code}"}, "the locale must be text."),
        ("ja", "it must be an object with a locale and a body."),
        (entry("ja", note="x"), "'note' is unknown; take it out. It may have locale, body."),
        (entry("EN"), "the locale 'en' stands in entry 1 already."),
        (
            entry("ja", "Hello"),
            "code missing at character 6 of the body. Put {code} where the code should stand.",
        ),
        (
            entry("ja", "{code} {Minutes}"),
            "unknown placeholder at character 8 of the body ('{Minutes}'). Write {minutes}.",
        ),
        (
            entry("ja", "{code}\ud800"),
            "control character at character 7 of the body ('U+D800'). Take the control",
        ),
        (entry("ja", "{code}" + "a" * 913), "too long at character 919 of the body. Shorten the text to 918"),
        (entry("\ud800\u202e" + "a" * 60), "the locale 'U+D800U+202Eaaaaaaaa"),
    ],
)
def test_it_names_the_entry_and_what_is_wrong_with_it(broken: Any, sentence: str) -> None:
    (problem,) = problems(text_of([entry("en"), broken]))
    assert problem.startswith(f"templates, entry 2: {sentence}")
    assert problem.encode()


def test_it_names_every_problem_in_the_order_of_the_file() -> None:
    found = problems(text_of([entry("??", "x"), entry("en"), 3], format="", version=0))
    assert [problem.split(":")[0] for problem in found] == [
        *("format", "version"),
        *("templates, entry 1", "templates, entry 1", "templates, entry 3"),
    ]


def test_a_key_that_stands_there_twice_is_named() -> None:
    (problem,) = problems(text_of([entry()]).replace('"body"', '"body": "other", "body"'))
    assert problem == "templates, entry 1: 'body' stands there twice."
    assert problems(text_of([entry()]).replace('"version"', '"version": 1, "version"')) == [
        "the file: 'version' stands there twice."
    ]


def test_a_body_full_of_problems_is_told_in_six_sentences() -> None:
    found = problems(text_of([entry("en", "{code}" + "{x}" * 300)]))
    assert len(found) == 6
    assert found[-1] == "templates, entry 1: the body has 295 more problems."


@pytest.mark.parametrize(
    "text",
    [
        "{" + ",".join(f'"{at % 9_000}":1' for at in range(25_000)) + "}",
        text_of([entry(f"x-{at}", "}{" * 459) for at in range(100)]),
        text_of([[]] * 60_000),
    ],
)
def test_the_worst_file_is_refused_in_no_time_that_anybody_could_use_against_us(text: str) -> None:
    began = time.process_time()
    assert len(problems(text)) < 700
    # It takes half a second where nobody else works; what grows with the square of the file takes minutes.
    assert time.process_time() - began < 10


BODIES = (
    st.text(max_size=40)
    .map(lambda text: f"{text}{{code}}")
    .filter(lambda body: not placeholders.problems(body))
)
TAGS = st.sampled_from(["en", "ja", "pt-BR", "zh-Hans-HK", "x-pirate", "ar"])


@settings(max_examples=150)
@given(TAGS, st.dictionaries(TAGS, BODIES))
def test_what_was_written_is_read_again(default: str, templates: dict[str, str]) -> None:
    text = write(default, templates.items())
    plain = {locale: body.replace("\r\n", "\n") for locale, body in templates.items()}
    found = read(text.encode())
    assert found == read(text) == TemplateFile(default, tuple(sorted(plain.items())))
    assert write(default, found.templates) == write(default, plain.items())


@settings(max_examples=150)
@given(
    st.recursive(
        st.one_of(st.none(), st.booleans(), st.integers(), st.text(max_size=8)),
        lambda inner: st.one_of(
            st.lists(inner, max_size=3),
            st.dictionaries(st.sampled_from(["locale", "body", "templates", "x"]), inner),
        ),
        max_leaves=8,
    )
)
def test_whatever_json_comes_is_read_or_refused_in_words_that_can_be_sent(whole: Any) -> None:
    for text in (json.dumps(whole), text_of(whole), text_of([whole])):
        assert all(sentence.encode() for sentence in _said_of(text))


def _said_of(text: str) -> list[str]:
    try:
        return [locales.normalise(locale) for locale, _ in read(text).templates]
    except FileError as refusal:
        return refusal.problems
