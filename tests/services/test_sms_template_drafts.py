"""Where an app asks for a second owner, a change waits for one; and nobody's words are lost in a race."""

import pytest
from sqlalchemy import delete, select

from portal.core.placeholders import WordingError
from portal.errors import BadInput, Forbidden, NotFound, Overtaken
from portal.models import Account, App, AuditEntry, SmsTemplateDraft, SmsTemplateVersion
from portal.services import sms_template_drafts, sms_templates
from portal.services.context import Caller
from portal.services.sms_template_drafts import Submission
from tests.services.conftest import Desk
from tests.services.racing import race


@pytest.fixture
def alice(desk) -> Caller:
    return desk.owner("alice@example.com")


@pytest.fixture
def olga(desk) -> Caller:
    return desk.owner("olga@example.com")


def submit(desk: Desk, caller: Caller | None, body: str, locale: str = "ja", **more):
    """Saves or proposes a wording."""
    return desk.do(lambda ctx: sms_template_drafts.submit(ctx, Submission(locale, body, **more)), caller)


def approve(desk: Desk, caller: Caller, draft_id: str, based_on: int | None = None):
    """Approves a draft of the Japanese wording."""
    return desk.do(lambda ctx: sms_template_drafts.approve(ctx, "ja", draft_id, based_on), caller)


def discard(desk: Desk, caller: Caller, draft_id: str) -> None:
    """Drops a draft of the Japanese wording."""
    desk.do(lambda ctx: sms_template_drafts.discard(ctx, "ja", draft_id), caller)


def waiting(desk: Desk) -> list[str]:
    """What the drafts of the app say."""
    return [each.body for each in desk.do(lambda ctx: sms_template_drafts.all_of(ctx.session, desk.app_id))]


def bodies(desk: Desk, locale: str = "ja") -> list[str]:
    """What every version of a locale says, oldest first."""
    wanted = select(SmsTemplateVersion.body).where(
        SmsTemplateVersion.app_id == desk.app_id, SmsTemplateVersion.locale == locale
    )
    return desk.rows(wanted.order_by(SmsTemplateVersion.version))


def done(desk: Desk) -> list[str]:
    """What the audit log has of SMS templates, oldest first."""
    actions = desk.rows(select(AuditEntry.action).order_by(AuditEntry.id))
    return [action for action in actions if action.startswith("sms_template.")]


# --- One owner is enough -----------------------------------------------------------------------------------


def test_without_the_setting_a_wording_is_in_force_at_once(desk, alice):
    assert submit(desk, alice, "{code}", note="First words").version == 1

    assert (waiting(desk), bodies(desk)) == ([], ["{code}"])
    (version,) = desk.rows(select(SmsTemplateVersion).where(SmsTemplateVersion.locale == "ja"))
    assert (version.note, version.created_by, version.approved_by) == ("First words", alice.id, None)


def test_a_save_over_somebody_elses_is_refused_and_the_first_one_stays(desk, alice, olga):
    submit(desk, alice, "{code} one", based_on=0)
    with pytest.raises(Overtaken) as refused:
        submit(desk, olga, "{code} two", based_on=0)

    assert "Version 1 was saved since you looked" in refused.value.message
    assert bodies(desk) == ["{code} one"]
    assert submit(desk, olga, "{code} two", based_on=1).version == 2


def test_a_save_over_a_template_that_was_removed_meanwhile_is_refused(desk, alice):
    submit(desk, alice, "{code}")
    desk.do(lambda ctx: sms_templates.remove(ctx, "ja"))

    with pytest.raises(Overtaken, match="removed"):
        submit(desk, alice, "{code} again", based_on=1)


def test_a_note_is_as_long_as_its_column_at_most(desk, alice):
    with pytest.raises(BadInput) as refused:
        submit(desk, alice, "{code}", note="x" * 201)

    assert refused.value.field == "note"
    assert submit(desk, alice, "{code}", note="x" * 200).version == 1


def test_an_empty_note_is_none(desk, alice):
    submit(desk, alice, "{code}", note="")

    assert desk.rows(select(SmsTemplateVersion.note).where(SmsTemplateVersion.locale == "ja")) == [None]


# --- A second owner decides --------------------------------------------------------------------------------


def test_a_change_waits_until_another_owner_approves_it(desk, alice, olga, clock):
    submit(desk, alice, "{code} old")
    desk.ask_for_a_second_owner()
    draft = submit(desk, alice, "{code} new", note="Nicer")
    assert (waiting(desk), bodies(desk)) == (["{code} new"], ["{code} old"])

    clock.advance(60)
    saved = approve(desk, olga, draft.id, based_on=1)

    assert (saved.version, saved.body, saved.modified_at) == (2, "{code} new", clock.now())
    assert (waiting(desk), bodies(desk)) == ([], ["{code} old", "{code} new"])
    newest = desk.rows(select(SmsTemplateVersion).where(SmsTemplateVersion.version == 2))[0]
    assert (newest.note, newest.created_by, newest.approved_by) == ("Nicer", alice.id, olga.id)
    assert done(desk)[-3:] == ["sms_template.proposed", "sms_template.saved", "sms_template.approved"]


def test_nobody_approves_their_own_draft(desk, alice):
    desk.ask_for_a_second_owner()
    draft = submit(desk, alice, "{code}")

    with pytest.raises(Forbidden):
        approve(desk, alice, draft.id)
    assert (waiting(desk), bodies(desk)) == (["{code}"], [])


def test_a_draft_of_a_former_account_can_be_approved(desk, alice, olga):
    desk.ask_for_a_second_owner()
    draft = submit(desk, alice, "{code}")
    desk.do(lambda ctx: ctx.session.execute(delete(Account).where(Account.id == alice.id)))

    assert approve(desk, olga, draft.id).version == 1


def test_the_newest_draft_of_a_locale_takes_the_place_of_the_one_before(desk, alice, olga):
    desk.ask_for_a_second_owner()
    first = submit(desk, alice, "{code} one")
    second = submit(desk, alice, "{code} two")

    assert waiting(desk) == ["{code} two"]
    for verb in (approve, discard):
        with pytest.raises(NotFound) as refused:
            verb(desk, olga, first.id)
        assert refused.value.kind == "draft"
    assert approve(desk, olga, second.id).body == "{code} two"


def test_a_draft_that_the_writer_has_not_seen_is_not_replaced(desk, alice, olga):
    desk.ask_for_a_second_owner()
    draft = submit(desk, alice, "{code} one", draft_seen="")
    with pytest.raises(Overtaken):
        submit(desk, olga, "{code} two", draft_seen="")
    assert waiting(desk) == ["{code} one"]

    submit(desk, olga, "{code} two", draft_seen=draft.id)
    assert waiting(desk) == ["{code} two"]
    with pytest.raises(Overtaken):
        submit(desk, alice, "{code} three", draft_seen=draft.id)


def test_what_was_compared_with_another_version_is_not_approved(desk, alice, olga):
    desk.ask_for_a_second_owner()
    draft = submit(desk, alice, "{code} draft")
    desk.do(lambda ctx: sms_templates.save(ctx, "ja", "{code} meanwhile"))

    with pytest.raises(Overtaken):
        approve(desk, olga, draft.id, based_on=0)
    assert waiting(desk) == ["{code} draft"]
    assert approve(desk, olga, draft.id, based_on=1).version == 2


def test_tpl_02_a_draft_that_todays_settings_make_too_long_is_not_approved(desk, alice, olga):
    desk.ask_for_a_second_owner()
    draft = submit(desk, alice, "{code}" + "x" * 200)
    desk.set(most_segments=1)

    with pytest.raises(BadInput, match="2 segments"):
        approve(desk, olga, draft.id)
    assert (len(waiting(desk)), bodies(desk)) == (1, [])


def test_tpl_01_a_draft_that_todays_rules_refuse_is_not_approved(desk, alice, olga):
    desk.ask_for_a_second_owner()
    draft = submit(desk, alice, "{code}")
    # As if it had come in before a rule did.
    desk.do(lambda ctx: setattr(ctx.session.get_one(SmsTemplateDraft, (desk.app_id, "ja")), "body", "none"))

    with pytest.raises(WordingError):
        approve(desk, olga, draft.id)
    assert bodies(desk) == []


def test_a_broken_wording_is_refused_before_it_waits(desk, alice):
    desk.ask_for_a_second_owner()
    for body in ("", "no code", "{code} {code}", "{code}" + "x" * 400):
        with pytest.raises((WordingError, BadInput)):
            submit(desk, alice, body)

    assert waiting(desk) == []


@pytest.mark.parametrize("whose", ["alice", "olga"])
def test_any_owner_discards_a_draft_and_what_is_in_force_stays(desk, request, alice, whose):
    submit(desk, alice, "{code} old")
    desk.ask_for_a_second_owner()
    draft = submit(desk, alice, "{code} new")
    discard(desk, request.getfixturevalue(whose), draft.id)

    assert (waiting(desk), bodies(desk)) == ([], ["{code} old"])
    assert done(desk)[-1] == "sms_template.discarded"
    with pytest.raises(NotFound):
        discard(desk, alice, draft.id)


def test_a_draft_of_a_new_language_adds_it_only_when_approved(desk, alice, olga):
    desk.ask_for_a_second_owner()
    draft = submit(desk, alice, "{code}")
    with pytest.raises(NotFound):
        desk.do(lambda ctx: sms_templates.get(ctx.session, desk.app_id, "ja"))

    approve(desk, olga, draft.id, based_on=0)
    assert desk.do(lambda ctx: sms_templates.get(ctx.session, desk.app_id, "ja")).version == 1


def test_ten_04_a_draft_of_one_app_is_nobody_elses(desk, transaction, keys, alice):
    other = Desk(transaction, keys)
    desk.ask_for_a_second_owner()
    draft = submit(desk, alice, "{code}")

    assert waiting(other) == []
    foreign = other.owner("eve@example.com")
    for verb in (approve, discard):
        with pytest.raises(NotFound):
            verb(other, foreign, draft.id)
    assert waiting(desk) == ["{code}"]


def test_tpl_02_a_save_goes_by_the_settings_of_this_moment(desk, alice):
    def save_late(ctx) -> None:
        # This transaction has seen the app; then its settings change under it, before it writes.
        seen = ctx.session.get_one(App, desk.app_id)
        assert seen.most_segments == 2
        desk_elsewhere(desk, most_segments=1)
        sms_template_drafts.submit(ctx, Submission("ja", "{code}" + "x" * 200))

    with pytest.raises(BadInput, match="1 segment"):
        desk.do(save_late, alice)


def desk_elsewhere(desk: Desk, **changes) -> None:
    """Changes settings in a transaction of another thread's."""
    import threading

    thread = threading.Thread(target=lambda: desk.set(**changes))
    thread.start()
    thread.join()


# --- Everybody at once -------------------------------------------------------------------------------------


@pytest.fixture
def busy(transaction, keys) -> Desk:
    """A desk under the real clock, which the other processes share."""
    return Desk(transaction, keys)


@pytest.mark.parametrize("processes", [1, 4])
def test_of_saves_at_once_from_one_version_a_single_one_is_taken(busy, settings, processes):
    calls = [("submit", "ja", f"{{code}} {place}", 0) for place in range(12)]

    assert race(settings, busy.app_id, calls, processes) == {"done": 1, "Overtaken": 11}
    assert len(bodies(busy)) == 1


def test_saves_at_once_that_ask_for_no_check_each_get_a_version_of_their_own(busy, settings):
    calls = [("submit", "ja", f"{{code}} {place}", None) for place in range(12)]

    assert race(settings, busy.app_id, calls, 4) == {"done": 12}
    assert sorted(bodies(busy)) == sorted(f"{{code}} {place}" for place in range(12))


@pytest.mark.parametrize("processes", [1, 4])
def test_a_draft_that_many_approve_at_once_becomes_one_version(busy, settings, processes):
    busy.ask_for_a_second_owner()
    draft = submit(busy, busy.owner("alice@example.com"), "{code}")

    endings = race(settings, busy.app_id, [("approve", "ja", draft.id)] * 8, processes)
    assert endings == {"done": 1, "NotFound": 7}
    assert (bodies(busy), waiting(busy)) == (["{code}"], [])


def test_of_an_approval_and_a_discard_at_once_one_happens(busy, settings):
    busy.ask_for_a_second_owner()
    alice = busy.owner("alice@example.com")
    for turn in range(3):
        draft, before = submit(busy, alice, f"{{code}} {turn}"), len(bodies(busy))
        calls = [("approve", "ja", draft.id), ("discard", "ja", draft.id)]
        assert race(settings, busy.app_id, calls, 2) == {"done": 1, "NotFound": 1}
        happened = done(busy)[-1]
        expected = before + 1 if happened == "sms_template.approved" else before
        assert (len(bodies(busy)), waiting(busy)) == (expected, [])


def test_a_draft_replaced_while_it_is_approved_is_approved_as_it_was_seen_or_not_at_all(busy, settings):
    busy.ask_for_a_second_owner()
    alice = busy.owner("alice@example.com")
    for _ in range(4):
        seen, before = submit(busy, alice, "{code} seen"), bodies(busy)
        calls = [("approve", "ja", seen.id), ("submit", "ja", "{code} unseen", None)]
        endings = race(settings, busy.app_id, calls, 2)
        if endings == {"done": 2}:
            assert (bodies(busy), waiting(busy)) == ([*before, "{code} seen"], ["{code} unseen"])
        else:
            assert endings == {"done": 1, "NotFound": 1}
            assert (bodies(busy), waiting(busy)) == (before, ["{code} unseen"])


def test_saving_what_is_in_force_makes_no_version_unless_a_note_says_why(desk, alice):
    first = submit(desk, alice, "{code} for you")
    assert submit(desk, alice, "{code} for you").version == first.version
    assert submit(desk, alice, "{code} for you", note="Read by our lawyers").version == first.version + 1
