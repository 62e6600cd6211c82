"""All wordings of an app go into one file and come back out of it, all of them or none."""

import json

import pytest
from sqlalchemy import select

from portal.core.template_plan import Kind
from portal.errors import BadInput, Overtaken
from portal.models import ActorKind, App, AuditEntry, SmsTemplateDraft, SmsTemplateVersion
from portal.services import accounts, sms_template_drafts, sms_template_files, sms_templates
from portal.services.context import Caller
from portal.services.sms_template_drafts import Submission
from tests.services.conftest import Desk


def file_of(*templates: tuple[str, str], default: str = "en") -> str:
    """A file as another app may have exported it."""
    entries = [{"locale": locale, "body": body} for locale, body in templates]
    whole = {"format": "ringback.sms-templates", "version": 1, "default_locale": default}
    return json.dumps(whole | {"templates": entries})


def save(desk: Desk, locale: str, body: str) -> None:
    """Saves one wording."""
    desk.do(lambda ctx: sms_templates.save(ctx, locale, body))


def examine(desk: Desk, text: str | bytes, remove_missing: bool = False):
    """What a file would do now."""
    return desk.do(
        lambda ctx: sms_template_files.examine(
            ctx.session, ctx.session.get_one(App, desk.app_id), text, remove_missing
        )
    )


def bring_in(desk: Desk, text: str, remove_missing: bool = False, stamp: str | None = None, caller=None):
    """Brings a file in, as it was looked at just before unless a stamp is given."""
    stamp = stamp if stamp is not None else examine(desk, text, remove_missing).stamp
    return desk.do(lambda ctx: sms_template_files.bring_in(ctx, text, remove_missing, stamp), caller)


def exported(desk: Desk) -> str:
    """The app's file."""
    return desk.do(lambda ctx: sms_template_files.export(ctx.session, ctx.session.get_one(App, desk.app_id)))


def said(desk: Desk) -> dict[str, str]:
    """What the app says, by locale."""
    found = desk.do(lambda ctx: sms_templates.all_of(ctx.session, desk.app_id))
    return {each.locale: each.body for each in found}


def kinds(plan) -> dict[str, str]:
    """What happens to each locale."""
    return {change.locale: str(change.kind) for change in plan.changes}


def test_what_one_app_exports_another_says_after_importing_it(desk, transaction, keys):
    save(desk, "ja", "コード：{code}\n{app_name}")
    save(desk, "ar", "الرمز {code}")
    other = Desk(transaction, keys)
    bring_in(other, exported(desk))

    assert said(other) == said(desk)
    assert exported(other) == exported(desk)
    assert {change.kind for change in examine(other, exported(desk)).changes} == {Kind.SAME}


def test_drafts_and_former_versions_stay_out_of_the_file(desk):
    save(desk, "ja", "{code} old")
    save(desk, "ja", "{code} in force")
    desk.ask_for_a_second_owner()
    desk.do(lambda ctx: sms_template_drafts.submit(ctx, Submission("ja", "{code} draft")))

    assert "in force" in exported(desk)
    assert "old" not in exported(desk)
    assert "draft" not in exported(desk)


def test_the_dry_run_tells_what_happens_to_each_language_and_does_nothing(desk):
    save(desk, "ja", "{code} ja")
    save(desk, "fr", "{code} fr")
    save(desk, "de", "{code} de")
    plan = examine(desk, file_of(("ja", "{code} new"), ("fr", "{code} fr"), ("ko", "{code} ko")), True)

    assert kinds(plan) == {"de": "remove", "en": "same", "fr": "same", "ja": "change", "ko": "add"}
    assert (plan.saved, plan.count(Kind.REMOVE), plan.problems) == (2, 1, ())
    assert said(desk)["ja"] == "{code} ja"


def test_an_import_does_what_the_dry_run_said_in_new_versions(desk):
    save(desk, "ja", "{code} ja")
    save(desk, "de", "{code} de")
    dora = desk.do(lambda ctx: accounts.create(ctx, "dora@example.com", "hash")).id
    caller = Caller(ActorKind.ACCOUNT, desk.app_id, dora)
    bring_in(desk, file_of(("ja", "{code} new"), ("ko", "{code} ko")), True, caller=caller)

    assert set(said(desk)) == {"en", "ja", "ko"}
    versions = select(SmsTemplateVersion).where(SmsTemplateVersion.note == "Imported")
    found = [(each.locale, each.version, each.body, each.created_by) for each in desk.rows(versions)]
    assert sorted(found) == [("ja", 2, "{code} new", dora), ("ko", 1, "{code} ko", dora)]
    entry = desk.rows(select(AuditEntry).order_by(AuditEntry.id))[-1]
    assert (entry.action, entry.actor_id) == ("sms_templates.imported", dora)
    assert entry.details == {"add": 1, "change": 1, "same": 1, "remove": 1}


def test_without_the_tick_no_language_goes(desk):
    save(desk, "de", "{code} de")
    bring_in(desk, file_of(("ja", "{code}")))

    assert set(said(desk)) == {"de", "en", "ja"}


def test_english_and_the_default_language_stay_though_the_file_lacks_them(desk):
    save(desk, "de", "{code} de")
    desk.set(default_locale="ja")
    bring_in(desk, file_of(("fr", "{code}")), True)

    assert set(said(desk)) == {"en", "fr", "ja"}


def test_tpl_02_a_text_that_is_too_long_for_this_app_stops_the_whole_file(desk):
    desk.set(most_segments=1)
    text = file_of(("fr", "{code}"), ("ja", "{code}" + "字" * 70), ("ko", "{code}" + "x" * 400))
    plan = examine(desk, text)

    assert [problem.split(":")[0] for problem in plan.problems] == ["ja", "ko"]
    assert "needs 2 segments" in plan.problems[0]
    assert "1 segment may be used" in plan.problems[0]
    with pytest.raises(BadInput):
        bring_in(desk, text)
    assert set(said(desk)) == {"en"}


@pytest.mark.parametrize(
    "text",
    [
        "",
        "no json",
        "[]",
        "{}",
        b"\xff\xfe{}",
        "[" * 100_000,
        file_of(("ja", "no code")),
        file_of(("ja", "{code}"), ("JA", "{code}")),
        file_of(("no language", "{code}")),
        file_of(("ja", "{code}\ud800")),
        file_of(*((f"x{place:04}", "{code}") for place in range(101))),
        " " * 300_000,
    ],
    ids=range(12),
)
def test_tpl_01_a_file_that_breaks_the_rules_is_a_plan_of_problems_and_changes_nothing(desk, text):
    plan = examine(desk, text)

    assert plan.problems
    assert plan.changes == ()
    with pytest.raises(BadInput):
        bring_in(desk, text)
    assert set(said(desk)) == {"en"}


def someone_saves(desk: Desk) -> None:
    save(desk, "fr", "{code} meanwhile")


def someone_proposes(desk: Desk) -> None:
    desk.ask_for_a_second_owner()
    desk.do(lambda ctx: sms_template_drafts.submit(ctx, Submission("ja", "{code} theirs")))
    desk.set(sms_templates_need_approval=False)


def someone_asks_for_approval(desk: Desk) -> None:
    desk.ask_for_a_second_owner()


def someone_changes_the_default(desk: Desk) -> None:
    desk.set(default_locale="de")


@pytest.mark.parametrize(
    "happens", [someone_saves, someone_proposes, someone_asks_for_approval, someone_changes_the_default]
)
def test_an_import_that_is_not_what_was_looked_at_is_refused(desk, happens):
    save(desk, "de", "{code} de")
    text = file_of(("ja", "{code} imported"))
    stamp = examine(desk, text, True).stamp
    happens(desk)
    before = said(desk)

    with pytest.raises(Overtaken):
        bring_in(desk, text, True, stamp)
    assert said(desk) == before
    assert examine(desk, text, True).stamp != stamp


def test_where_a_second_owner_decides_every_imported_text_waits(desk):
    desk.ask_for_a_second_owner()
    bring_in(desk, file_of(("ja", "{code} ja"), ("ko", "{code} ko")))

    assert set(said(desk)) == {"en"}
    drafts = desk.rows(select(SmsTemplateDraft).order_by(SmsTemplateDraft.locale))
    assert [(each.locale, each.body, each.note) for each in drafts] == [
        ("ja", "{code} ja", "Imported"),
        ("ko", "{code} ko", "Imported"),
    ]


def test_a_hundred_languages_come_in_at_once(desk):
    tags = [f"{first}{second}" for first in "abcdefghij" for second in "klmnopqrst"]
    bring_in(desk, file_of(*((tag, f"{{code}} {tag}") for tag in tags)))

    # English is one of them.
    assert set(said(desk)) == set(tags)


def test_ten_04_an_import_touches_no_other_app(desk, transaction, keys):
    other = Desk(transaction, keys)
    save(other, "de", "{code} de")
    bring_in(desk, file_of(("ja", "{code}")), True)

    assert set(said(other)) == {"de", "en"}


def test_what_goes_makes_room_for_what_comes(desk):
    tags = [f"{first}{second}" for first in "abcdefghij" for second in "klmnopqrst"]
    bring_in(desk, file_of(*((tag, f"{{code}} {tag}") for tag in tags)))
    renamed = ["ab", *tags[:-1]]
    bring_in(desk, file_of(*((tag, f"{{code}} {tag}") for tag in renamed)), remove_missing=True)

    assert set(said(desk)) == {*renamed, "en"}


def test_the_dry_run_says_when_there_would_be_too_many(desk):
    tags = [f"{first}{second}" for first in "abcdefghij" for second in "klmnopqrst"]
    bring_in(desk, file_of(*((tag, f"{{code}} {tag}") for tag in tags)))
    plan = examine(desk, file_of(("xx", "{code}")))

    assert plan.problems == ("There would be 101 languages. An app words its SMS in at most 100.",)


def test_tpl_03_the_dry_run_says_when_the_apps_name_makes_an_address_of_a_text(desk):
    desk.set(name="Shop.")
    plan = examine(desk, file_of(("de", "{code} {app_name}com")))

    assert plan.problems == ("de: with the app's name, the text says Shop.com. Put a space between them.",)
