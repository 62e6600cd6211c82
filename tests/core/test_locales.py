"""How tags are written, which one is served, and what they are called."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from portal.core import locales


@pytest.mark.parametrize(
    ("tag", "canonical"),
    [
        ("EN", "en"),
        ("zh-hans-hk", "zh-Hans-HK"),
        ("zh_HANS_hk", "zh-Hans-HK"),
        ("pt-br", "pt-BR"),
        ("es-419", "es-419"),
        ("SL-rozaj-BISKE-1994", "sl-rozaj-biske-1994"),
        ("de-ch-1996", "de-CH-1996"),
        ("en-U-CA-Gregory", "en-u-ca-gregory"),
        ("ja-jp-x-AB-Latn", "ja-JP-x-ab-latn"),
        ("zh-yue-hk", "zh-yue-HK"),
        ("X-Pirate", "x-pirate"),
    ],
)
def test_it_writes_a_tag_as_bcp_47_does(tag: str, canonical: str) -> None:
    assert locales.normalise(tag) == canonical


@pytest.mark.parametrize(
    "tag",
    [
        *(
            "",
            "-",
            "e",
            "english",
            "en-",
            "-en",
            "en--US",
            "en US",
            "en\n",
            "\nen",
            "ja_JP.UTF-8",
            "*",
            "en-*",
        ),
        *(
            "12",
            "en-a",
            "en-x",
            "x",
            "en-a-bb-a-cc",
            "de-1996-1996",
            "日本語",
            "e\x00n",
            "\u212aa",
            "../../etc",
        ),
        *("{code}", "a" * 1_000_000, "en-x-" + "a" * 8 + "-bbbbbbbb" * 4),
    ],
)
def test_it_refuses_an_ill_formed_tag(tag: str) -> None:
    with pytest.raises(locales.LocaleError):
        locales.normalise(tag)


@pytest.mark.parametrize(
    ("wanted", "default", "tags"),
    [
        ("zh-hans-hk", "ja", ["zh-Hans-HK", "zh-Hans", "zh", "ja", "en"]),
        ("zh-Hans", "zh-Hant-TW", ["zh-Hans", "zh", "zh-Hant-TW", "zh-TW", "zh-Hant", "en"]),
        ("en-GB", "en", ["en-GB", "en"]),
        ("en-GB", "fr-CA", ["en-GB", "en", "fr-CA", "fr"]),
        ("zh-Hans-u-co-pinyin", "en", ["zh-Hans-u-co-pinyin", "zh-Hans-u-co", "zh-Hans", "zh", "en"]),
        (None, "de", ["de", "en"]),
        ("", "", ["en"]),
        ("!!", "\x00", ["en"]),
    ],
)
def test_it_falls_back_by_whole_subtags_then_to_the_default_then_to_english(
    wanted: str | None, default: str, tags: list[str]
) -> None:
    assert locales.chain(wanted, default) == tags


@pytest.mark.parametrize(
    ("wanted", "default", "chosen"),
    [
        ("zh-Hans-HK", "en", "zh-Hans"),
        ("ZH_HANS_HK", "en", "zh-Hans"),
        ("zh-Hant", "en", "zh"),
        ("en", "ja", "en"),
        ("zh-Hant-TW", "en", "zh"),
        ("fr", "pt-BR", "PT-br"),
        ("fr", "it", "en"),
        ("eng", "it", "en"),
        (None, "zh", "zh"),
    ],
)
def test_it_chooses_the_longest_match(wanted: str | None, default: str, chosen: str) -> None:
    assert locales.choose(wanted, ["en", "zh", "zh-Hans", "PT-br"], default) == chosen


def test_a_prefix_never_serves_as_a_longer_tag() -> None:
    assert locales.choose("pt", ["en", "pt-BR"], "en") == "en"
    assert locales.choose("zh", ["en", "zh-Hans-CN", "zh-Hant"], "en") == "en"


# --- The script that a region reads (CLDR, likely subtags) -----------------------------------------


@pytest.mark.parametrize(
    ("wanted", "tags"),
    [
        ("zh", ["zh", "zh-Hans"]),
        ("zh-CN", ["zh-CN", "zh-Hans-CN", "zh", "zh-Hans"]),
        ("zh-SG", ["zh-SG", "zh-Hans-SG", "zh", "zh-Hans"]),
        ("zh_tw", ["zh-TW", "zh-Hant-TW", "zh-Hant", "zh"]),
        ("zh-HK", ["zh-HK", "zh-Hant-HK", "zh-Hant", "zh"]),
        ("zh-Hant-TW", ["zh-Hant-TW", "zh-TW", "zh-Hant", "zh"]),
        ("zh-Hans-HK", ["zh-Hans-HK", "zh-Hans", "zh"]),
        ("sr", ["sr", "sr-Cyrl"]),
        ("sr-ME", ["sr-ME", "sr-Latn-ME", "sr-Latn", "sr"]),
        ("pa-PK", ["pa-PK", "pa-Arab-PK", "pa-Arab", "pa"]),
        ("yue-CN", ["yue-CN", "yue-Hans-CN", "yue-Hans", "yue"]),
        ("zh-yue-HK", ["zh-yue-HK", "zh-yue", "zh", "zh-Hans"]),
        ("ja-JP", ["ja-JP", "ja"]),
        ("en-GB", ["en-GB", "en"]),
        ("zh-TW-u-co-stroke", ["zh-TW-u-co-stroke", "zh-TW-u-co", "zh-TW", "zh-Hant-TW", "zh-Hant", "zh"]),
        ("zh-Hans-x-plain", ["zh-Hans-x-plain", "zh-Hans", "zh"]),
        ("zh-" + "x" * 1_000_000, []),
        ("no tag", []),
    ],
)
def test_a_region_tells_the_script_that_is_read_there(wanted: str, tags: list[str]) -> None:
    assert list(locales.own_chain(wanted)) == tags


@pytest.mark.parametrize(
    ("wanted", "available", "chosen"),
    [
        ("zh-TW", ["en", "zh", "zh-Hans", "zh-Hant"], "zh-Hant"),
        ("zh-TW", ["en", "zh", "zh-Hans"], "zh"),
        ("zh-TW", ["en", "zh-Hans"], "en"),
        ("zh-Hant-HK", ["en", "zh-HK", "zh-CN"], "zh-HK"),
        ("zh-CN", ["en", "zh-Hans", "zh-Hant"], "zh-Hans"),
        ("sr-ME", ["en", "sr", "sr-Latn"], "sr-Latn"),
    ],
)
def test_who_reads_one_script_is_not_served_another(wanted: str, available: list[str], chosen: str) -> None:
    assert locales.choose(wanted, available, "en") == chosen


SUBTAGS = st.tuples(
    st.sampled_from(["zh", "sr", "pa", "uz", "az", "kk", "yue", "ja", "en", "de"]),
    st.sampled_from(["", "-Hans", "-Hant", "-Latn", "-Cyrl", "-Arab"]),
    st.sampled_from(["", "-TW", "-CN", "-HK", "-ME", "-PK", "-IR", "-419"]),
    st.sampled_from(["", "-u-co-stroke", "-x-abcdefgh"]),
).map("".join)


@settings(max_examples=300)
@given(SUBTAGS)
def test_another_script_never_comes_before_the_right_one(wanted: str) -> None:
    tried = locales.own_chain(wanted)
    is_right = [locales.script(tag) == locales.script(wanted) for tag in tried]
    assert tried[0] == wanted
    assert is_right == sorted(is_right, reverse=True)
    assert len(set(tried)) == len(tried)
    assert {tag.partition("-")[0] for tag in tried} == {wanted.partition("-")[0]}
    assert all(locales.normalise(tag) == tag for tag in tried)


@settings(max_examples=200)
@given(SUBTAGS)
def test_every_prefix_of_a_tag_is_still_tried_longest_first(wanted: str) -> None:
    tried = [tag for tag in locales.own_chain(wanted) if wanted == tag or wanted.startswith(f"{tag}-")]
    lengths = [tag.count("-") for tag in tried]
    assert lengths == sorted(lengths, reverse=True)
    assert tried[-1] == wanted.partition("-")[0]


@pytest.mark.parametrize(
    ("tag", "written_in"),
    [("zh-TW", "Hant"), ("zh", "Hans"), ("sr-Latn", "Latn"), ("sr", "Cyrl"), ("ja", "Jpan"), ("qaa", None)],
)
def test_it_knows_the_script_that_a_language_is_written_in(tag: str, written_in: str | None) -> None:
    assert locales.script(tag) == written_in


def test_it_says_so_when_english_is_missing() -> None:
    with pytest.raises(LookupError):
        locales.choose("fr", ["ja"], "de")


@settings(max_examples=200)
@given(st.one_of(st.none(), st.text(max_size=40), st.text("enzhHas-_x1", max_size=20)), st.text(max_size=10))
def test_a_garbage_value_never_raises_and_always_ends_in_a_language(wanted: str | None, default: str) -> None:
    tags = locales.chain(wanted, default)
    assert "en" in tags
    assert len(set(tags)) == len(tags)
    assert all(locales.normalise(tag) == tag for tag in tags)
    assert locales.choose(wanted, {"en"}, default) == "en"


@pytest.mark.parametrize(
    ("tag", "in_locale", "called"),
    [
        ("ja", "en", "Japanese"),
        ("ja", "de", "Japanisch"),
        ("zh-Hans", "en", "Chinese (Simplified)"),
        ("pt_br", "en", "Portuguese (Brazil)"),
        ("tlh", "en", "Klingon"),
        ("und", "en", "Unknown language"),
        ("qaa", "en", "qaa"),
        ("x-pirate", "en", "x-pirate"),
        ("not a tag", "en", "not a tag"),
        ("ja", "not a tag", "Japanese"),
    ],
)
def test_it_names_a_language_or_gives_the_tag_back(tag: str, in_locale: str, called: str) -> None:
    assert locales.name(tag, in_locale) == called


@pytest.mark.parametrize(
    ("tag", "called"), [("ja", "日本語"), ("de", "Deutsch"), ("ar", "العربية"), ("qaa", "qaa")]
)
def test_it_knows_what_a_language_calls_itself(tag: str, called: str) -> None:
    assert locales.autonym(tag) == called


@pytest.mark.parametrize(
    "tag", ["ar", "ar-EG", "he", "iw", "fa", "ur", "yi", "ckb", "dv", "az-Arab", "pa-PK", "AR_sa"]
)
def test_it_runs_right_to_left(tag: str) -> None:
    assert locales.direction(tag) == "rtl"


@pytest.mark.parametrize(
    "tag", ["en", "ja", "az", "pa", "ar-Latn", "ks-Deva", "zh-Hant", "qaa", "x-pirate", "", "!!"]
)
def test_it_runs_left_to_right(tag: str) -> None:
    assert locales.direction(tag) == "ltr"
