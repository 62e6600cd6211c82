"""Every wording that ever was in force can be looked at and said again; waiting messages keep their own."""

import pytest
from sqlalchemy import select, update

from portal.core.placeholders import WordingError
from portal.errors import BadInput, NotFound, Overtaken
from portal.models import ActorKind, Message, SmsTemplateDraft, SmsTemplateVersion
from portal.services import accounts, sms_template_versions, sms_templates
from portal.services.context import Caller
from tests.services.conftest import Desk


def save(desk: Desk, *bodies: str, locale: str = "ja") -> None:
    """Saves wordings one after another."""
    for body in bodies:
        desk.do(lambda ctx, body=body: sms_templates.save(ctx, locale, body))


def restore(desk: Desk, version: int, based_on: int | None = None, locale: str = "ja"):
    """Says again what a version of a locale said."""
    return desk.do(lambda ctx: sms_template_versions.restore(ctx, locale, version, based_on))


def listed(desk: Desk, *given) -> list[tuple[int, str]]:
    """The versions of the Japanese wording, newest first."""
    found = desk.do(lambda ctx: sms_template_versions.all_of(ctx.session, desk.app_id, "ja", *given))
    return [(each.version, each.body) for each in found]


def in_force(desk: Desk, locale: str = "ja") -> tuple[int, str]:
    """The version in force and what it says."""
    found = desk.do(lambda ctx: sms_templates.get(ctx.session, desk.app_id, locale))
    return found.version, found.body


# --- Looking back ------------------------------------------------------------------------------------------


def test_versions_come_newest_first_a_page_at_a_time(desk):
    save(desk, *(f"{{code}} {place}" for place in range(1, 6)))

    assert listed(desk) == [(place, f"{{code}} {place}") for place in (5, 4, 3, 2, 1)]
    assert [version for version, _ in listed(desk, None, 2)] == [5, 4]
    assert [version for version, _ in listed(desk, 4, 2)] == [3, 2]
    assert listed(desk, 1) == []


def test_versions_of_a_removed_template_can_still_be_seen(desk):
    save(desk, "{code}")
    desk.do(lambda ctx: sms_templates.remove(ctx, "ja"))

    assert listed(desk) == [(1, "{code}")]
    assert desk.do(lambda ctx: sms_templates.version_of(ctx.session, desk.app_id, "ja")) == 0


@pytest.mark.parametrize("version", [0, -1, 3, 2**31, 10**30])
def test_a_version_that_never_was_is_not_found(desk, version):
    save(desk, "{code}", "{code}!")
    with pytest.raises(NotFound) as refused:
        desk.do(lambda ctx: sms_template_versions.get(ctx.session, desk.app_id, "ja", version))

    assert refused.value.kind == "version"
    with pytest.raises(NotFound):
        restore(desk, version)


def test_ten_04_the_versions_of_one_app_are_nobody_elses(desk, transaction, keys):
    other = Desk(transaction, keys)
    save(desk, "{code}")

    assert listed(other) == []
    with pytest.raises(NotFound):
        restore(other, 1)


def test_those_who_signed_are_known_by_their_addresses(desk):
    dora = desk.do(lambda ctx: accounts.create(ctx, "dora@example.com", "hash")).id
    found = desk.do(lambda ctx: accounts.emails(ctx.session, [dora, None, "gone"]))

    assert found == {dora: "dora@example.com"}
    assert desk.do(lambda ctx: accounts.emails(ctx.session, [None])) == {}


# --- The way back ------------------------------------------------------------------------------------------


def test_restoring_says_the_old_words_in_a_new_version_and_loses_none(desk):
    save(desk, "{code} one", "{code} two")
    dora = desk.do(lambda ctx: accounts.create(ctx, "dora@example.com", "hash")).id
    caller = Caller(ActorKind.ACCOUNT, desk.app_id, dora)
    desk.do(lambda ctx: sms_template_versions.restore(ctx, "ja", 1, 2), caller)

    assert listed(desk) == [(3, "{code} one"), (2, "{code} two"), (1, "{code} one")]
    assert in_force(desk) == (3, "{code} one")
    newest = desk.rows(select(SmsTemplateVersion).where(SmsTemplateVersion.version == 3))[0]
    assert (newest.note, newest.created_by) == ("Restored version 1", dora)


def test_a_removed_template_comes_back_by_restoring(desk):
    save(desk, "{code} one", "{code} two")
    desk.do(lambda ctx: sms_templates.remove(ctx, "ja"))

    assert restore(desk, 2, based_on=0).version == 3
    assert in_force(desk) == (3, "{code} two")


def test_what_is_in_force_is_not_restored(desk):
    save(desk, "{code}")
    with pytest.raises(BadInput, match="in force already"):
        restore(desk, 1)

    assert len(listed(desk)) == 1


def test_a_restoration_decided_on_beside_another_version_is_refused(desk):
    save(desk, "{code} one", "{code} two", "{code} three")
    with pytest.raises(Overtaken, match="Version 3"):
        restore(desk, 1, based_on=2)

    assert in_force(desk) == (3, "{code} three")


def test_where_a_second_owner_decides_a_restored_wording_waits(desk):
    save(desk, "{code} one", "{code} two")
    desk.ask_for_a_second_owner()
    restore(desk, 1)

    assert in_force(desk) == (2, "{code} two")
    drafts = desk.rows(select(SmsTemplateDraft))
    assert [(each.body, each.note) for each in drafts] == [("{code} one", "Restored version 1")]


def test_tpl_02_a_version_that_has_become_too_long_is_refused_with_the_reason(desk):
    save(desk, "{code}" + "x" * 200, "{code}")
    desk.set(most_segments=1)

    with pytest.raises(BadInput) as refused:
        restore(desk, 1)
    assert (refused.value.field, "needs 2 segments" in refused.value.message) == ("body", True)
    assert in_force(desk) == (2, "{code}")


@pytest.mark.parametrize("body", ["no code at all", "{code} https://evil.example/x", "{code}\u202e"])
def test_tpl_01_a_version_that_breaks_todays_rules_is_refused_with_the_reason(desk, body):
    save(desk, "{code}", "{code}!")
    # As if it had been saved before the rule was there.
    old = update(SmsTemplateVersion).where(SmsTemplateVersion.locale == "ja", SmsTemplateVersion.version == 1)
    desk.do(lambda ctx: ctx.session.execute(old.values(body=body)))

    with pytest.raises(WordingError) as refused:
        restore(desk, 1)
    assert refused.value.problems[0].fix
    assert in_force(desk) == (2, "{code}!")


# --- What waits keeps its words (TPL-05) -------------------------------------------------------------------


def change_it(desk: Desk) -> None:
    save(desk, "{code} new", locale="fr")


def restore_it(desk: Desk) -> None:
    restore(desk, 1, locale="fr")


def remove_it(desk: Desk) -> None:
    desk.do(lambda ctx: sms_templates.remove(ctx, "fr"))


@pytest.mark.parametrize("happens", [change_it, restore_it, remove_it])
def test_tpl_05_a_hundred_queued_messages_keep_the_version_they_were_queued_with(desk, happens):
    save(desk, "{code} first", "{code} second", locale="fr")
    for place in range(100):
        desk.register(f"user{place}", f"+8190{12340000 + place}", locale="fr")
    happens(desk)
    desk.register("late", "+819055556666", locale="fr")

    said = (
        select(SmsTemplateVersion.body)
        .join(Message, Message.sms_template_version_id == SmsTemplateVersion.id)
        .order_by(Message.serial)
    )
    *queued, late = desk.rows(said)
    assert queued == ["{code} second"] * 100
    assert late != "{code} second"
