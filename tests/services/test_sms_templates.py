"""An app's wordings are checked, versioned, chosen by locale, and never taken from under a message."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from portal.core import segments
from portal.core.placeholders import WordingError
from portal.errors import BadInput, NotFound
from portal.models import ActorKind, App, AuditEntry, Message, SmsTemplateVersion
from portal.services import accounts, app_settings, sms_templates, winners
from portal.services.context import Caller
from portal.services.sms_templates import SavedTemplate
from tests.services.conftest import Desk

FIRST, SECOND = "+819012345678", "+819087654321"


def save(desk: Desk, locale: str, body: str, caller: Caller | None = None) -> SavedTemplate:
    """Saves one wording."""
    return desk.do(lambda ctx: sms_templates.save(ctx, locale, body), caller)


def get(desk: Desk, locale: str) -> SavedTemplate:
    """The wording in force."""
    return desk.do(lambda ctx: sms_templates.get(ctx.session, desk.app_id, locale))


def remove(desk: Desk, locale: str) -> None:
    """Takes a locale away."""
    desk.do(lambda ctx: sms_templates.remove(ctx, locale))


def offered(desk: Desk) -> list[str]:
    """The locales that an app has."""
    return [each.locale for each in desk.do(lambda ctx: sms_templates.all_of(ctx.session, desk.app_id))]


def winner(desk: Desk, locale: str | None) -> str:
    """The locale whose wording a user of some locale gets."""
    return desk.do(lambda ctx: winners.winner(ctx, app_settings.load(ctx), locale)).locale


# --- Versions (TPL-05) -----------------------------------------------------------------------------


def test_a_new_app_has_an_english_wording(desk):
    assert offered(desk) == ["en"]
    assert get(desk, "en").version == 1


def test_tpl_05_every_save_is_a_new_version_and_the_old_ones_stay(desk, clock):
    save(desk, "ja", "一：{code}")
    clock.advance(5)
    assert save(desk, "ja", "二：{code}") == SavedTemplate("ja", "二：{code}", 2, clock.now())
    assert get(desk, "ja") == SavedTemplate("ja", "二：{code}", 2, clock.now())
    of_ja = select(SmsTemplateVersion.body).where(SmsTemplateVersion.locale == "ja")
    assert desk.rows(of_ja.order_by(SmsTemplateVersion.version)) == ["一：{code}", "二：{code}"]


def test_tpl_05_who_saved_which_version_is_on_record(desk):
    dora = desk.do(lambda ctx: accounts.create(ctx, "dora@example.com", "hash")).id
    save(desk, "ja", "{code}", Caller(ActorKind.ACCOUNT, desk.app_id, dora))
    by = select(SmsTemplateVersion.created_by).where(SmsTemplateVersion.locale == "ja")
    assert desk.rows(by) == [dora]
    entry = desk.rows(select(AuditEntry).order_by(AuditEntry.id))[-1]
    assert (entry.action, entry.actor_id) == ("sms_template.saved", dora)
    assert entry.details == {"locale": "ja", "version": 1}


def test_counting_goes_on_when_a_removed_locale_comes_back(desk):
    save(desk, "ja", "{code}")
    save(desk, "ja", "{code}!")
    remove(desk, "ja")
    assert save(desk, "ja", "{code}?").version == 3
    assert get(desk, "ja").body == "{code}?"


def test_tpl_05_a_queued_message_keeps_the_version_that_it_was_queued_with(desk):
    save(desk, "en", "Old: {code}")
    desk.register("alice", FIRST)
    save(desk, "en", "New: {code}")
    desk.register("bob", SECOND)
    bodies = (
        select(SmsTemplateVersion.body)
        .join(Message, Message.sms_template_version_id == SmsTemplateVersion.id)
        .order_by(Message.serial)
    )
    assert desk.rows(bodies) == ["Old: {code}", "New: {code}"]


def test_tpl_05_a_removed_locale_strands_no_message(desk):
    save(desk, "ja", "{code}です")
    desk.register("alice", FIRST, locale="ja")
    remove(desk, "ja")
    (message,) = desk.messages()
    kept = select(SmsTemplateVersion.body).where(SmsTemplateVersion.id == message.sms_template_version_id)
    assert desk.rows(kept) == ["{code}です"]


# --- Which wording wins ----------------------------------------------------------------------------


WINNERS = {
    "ja": "ja",
    "ja-JP": "ja",
    "JA_jp": "ja",
    "pt-BR": "pt-BR",
    "pt-br": "pt-BR",
    "pt-PT": "fr",
    "pt": "fr",
    "zh-Hant-TW": "zh-Hant",
    "zh-Hans-CN": "fr",
    "de": "fr",
    "en-GB": "en",
    "": "fr",
    None: "fr",
    "no tag at all": "fr",
    "x" * 200: "fr",
    "\0": "fr",
}


def test_the_longest_match_wins_then_the_default_then_english(desk):
    for offer in ("ja", "pt-BR", "zh-Hant"):
        save(desk, offer, "{code}")
    desk.set(default_locale="fr")
    assert {wanted: winner(desk, wanted) for wanted in WINNERS} == WINNERS


def test_english_is_the_last_resort(desk):
    assert [winner(desk, wanted) for wanted in ("ja", None, "xx-YY")] == ["en"] * 3


def test_a_new_default_locale_gets_a_wording_of_ours_where_none_was_saved(desk):
    desk.set(default_locale="ja")
    assert "認証コード" in get(desk, "ja").body
    desk.set(default_locale="sw")
    assert get(desk, "sw").body == get(desk, "en").body


def test_a_new_default_locale_keeps_the_wording_that_is_there(desk):
    save(desk, "ja", "{code}です")
    desk.set(default_locale="ja")
    assert (get(desk, "ja").body, get(desk, "ja").version) == ("{code}です", 1)


def test_ten_04_wordings_of_one_app_are_nobody_elses(desk, transaction, keys):
    other = Desk(transaction, keys)
    save(desk, "ja", "{code}です")
    assert offered(other) == ["en"]
    assert winner(other, "ja") == "en"
    with pytest.raises(NotFound):
        remove(other, "ja")
    assert offered(desk) == ["en", "ja"]


# --- Removing --------------------------------------------------------------------------------------


def test_a_removed_locale_falls_back(desk):
    save(desk, "ja", "{code}")
    assert winner(desk, "ja") == "ja"
    remove(desk, "ja")
    assert offered(desk) == ["en"]
    assert winner(desk, "ja") == "en"


def test_english_and_the_default_stay(desk):
    desk.set(default_locale="ja")
    for locale in ("en", "ja"):
        with pytest.raises(BadInput) as refused:
            remove(desk, locale)
        assert refused.value.field == "locale"
    desk.set(default_locale="en")
    remove(desk, "ja")
    assert offered(desk) == ["en"]


@pytest.mark.parametrize("locale", ["fr", "EN", "", "%", "x" * 300])
def test_what_is_not_there_cannot_be_removed_nor_got(desk, locale):
    for verb in (remove, get):
        with pytest.raises(NotFound) as refused:
            verb(desk, locale)
        assert refused.value.kind == "sms_template"
    assert offered(desk) == ["en"]


# --- What is refused -------------------------------------------------------------------------------


BROKEN = [
    "",
    "no code",
    "{code} {code}",
    "{{7*7}} {code}",
    "{% for x in y %}{code}",
    "${7*7}{code}",
    "{code.__class__}",
    "{code!r}",
    "{code:>999999999}",
    "{0}{code}",
    "%(code)s",
    "{code",
    "{code}\u202e",
    "{code}\0",
    "{code}\ud800",
    "{code}\n@evil.example #123456",
    "{code}" + "x" * 10**6,
]


def test_tpl_01_a_body_that_breaks_the_rules_is_not_saved(desk):
    for body in BROKEN:
        with pytest.raises(WordingError) as refused:
            save(desk, "ja", body)
        assert refused.value.problems, body[:40]
    assert offered(desk) == ["en"]
    assert desk.rows(select(SmsTemplateVersion.locale)) == ["en"]


@pytest.mark.parametrize("locale", ["", "e", "english", "ja JP", "../en", "\0", "en-" + "x" * 40, "a" * 300])
def test_an_ill_formed_locale_is_refused(desk, locale):
    with pytest.raises(BadInput) as refused:
        save(desk, locale, "{code}")
    assert refused.value.field == "locale"
    assert offered(desk) == ["en"]


@pytest.mark.parametrize(("typed", "kept"), [("JA", "ja"), ("pt_br", "pt-BR"), ("ZH-hant", "zh-Hant")])
def test_a_locale_is_kept_in_its_usual_spelling(desk, typed, kept):
    assert save(desk, typed, "{code}").locale == kept
    assert offered(desk) == ["en", kept]


@pytest.mark.parametrize(("fill", "most"), [("x", 306 - 6), ("字", 134 - 6), ("€", 149)])
def test_tpl_02_two_segments_are_the_most(desk, fill, most):
    save(desk, "ja", "{code}" + fill * most)
    with pytest.raises(BadInput) as refused:
        save(desk, "ja", "{code}" + fill * (most + 1))
    assert refused.value.field == "body"
    assert "3 segments" in refused.value.message
    assert get(desk, "ja").version == 1


def longest_room(desk: Desk, body: str) -> str:
    """`body` filled up with x until one more would need a third segment."""
    for more in range(306, 0, -1):
        try:
            save(desk, "ja", body + "x" * more)
        except (BadInput, WordingError):
            continue
        return body + "x" * more
    raise AssertionError("not even one fits")


@pytest.mark.parametrize(
    "growth", [{"code_length": 10}, {"name": "Shop with a much longer name"}, {"code_life_s": 600}]
)
def test_tpl_02_no_setting_can_push_a_saved_wording_over_two_segments(desk, growth):
    desk.set(code_life_s=60, code_length=4)
    body = longest_room(desk, "{app_name} {code} {minutes} ")
    with pytest.raises(BadInput) as refused:
        desk.set(**growth)
    assert refused.value.field in growth
    assert "template for ja" in refused.value.message
    save(desk, "ja", body[:-30])
    desk.set(**growth)


def test_tpl_02_a_name_that_makes_the_text_dear_counts_too(desk):
    save(desk, "ja", "{app_name}{code}" + "x" * 200)
    with pytest.raises(BadInput):
        desk.set(name="店")
    desk.set(name="Store")


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(body=st.text(st.sampled_from("ab€字😀{}code \n"), max_size=200))
def test_whatever_is_saved_fits_in_two_segments_and_comes_back_as_it_was(desk, body):
    wanted = body + "{code}"
    try:
        saved = save(desk, "ja", wanted)
    except (WordingError, BadInput):
        return
    assert get(desk, "ja").body == saved.body == wanted
    assert segments.segment(wanted.replace("{code}", "000000")).count <= 2


@pytest.mark.parametrize(
    ("name", "body"),
    [
        ("Acme.", "{code} {app_name}com"),
        ("evil.c", "{code} {app_name}om"),
        ("https:", "{code} {app_name}//login.deals"),
        ("www", "{code} {app_name}.evil"),
        ("1.2.", "{code} {app_name}{minutes}.4"),
    ],
)
def test_tpl_03_no_link_comes_together_of_a_name_and_a_wording(desk, name, body):
    desk.do(lambda ctx: setattr(ctx.session.get_one(App, desk.app_id), "name", name))
    with pytest.raises((BadInput, WordingError)):
        desk.do(lambda ctx: sms_templates.save(ctx, "ja", body))


def test_tpl_03_a_new_name_makes_no_link_of_a_wording_in_force(desk):
    desk.do(lambda ctx: sms_templates.save(ctx, "ja", "{code} {app_name}om"))
    with pytest.raises(BadInput, match="ja says"):
        desk.set(name="evil.c")


def test_an_app_words_its_sms_in_a_hundred_languages_at_most(desk):
    def fill(ctx):
        for at in range(99):
            sms_templates.save(ctx, f"en-x-{at}", "{code}")

    desk.do(fill)
    with pytest.raises(BadInput, match="at most 100"):
        desk.do(lambda ctx: sms_templates.save(ctx, "ja", "{code}"))
    assert desk.do(lambda ctx: sms_templates.save(ctx, "en", "{code}")).version == 2
