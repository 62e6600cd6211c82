"""Does a change wait until another owner has seen it, and is what was seen what they approve?"""

import re

import pytest

from portal.core.roles import Role
from portal.models import ActorKind, SmsTemplateDraft, SmsTemplateVersion
from portal.services import accounts, apps, sms_template_drafts
from portal.services.context import Caller
from portal.services.sms_template_drafts import Submission
from tests import factories


@pytest.fixture
def olga(shop, new_account, transaction, context_for):
    """The other owner of the shop."""
    olga = new_account("olga@example.com")
    with transaction() as session:
        here = context_for(session).in_app(shop.id)
        accounts.join(here, olga.id, Role.OWNER)
        apps.change(here, apps.AppChanges(sms_templates_need_approval=True))
    return olga


@pytest.fixture
def olgas(olga, signed_in):
    return signed_in(olga)


@pytest.fixture
def address(shop) -> str:
    return f"/apps/{shop.id}/sms-templates/en/draft"


@pytest.fixture
def propose(shop, alice, olga, transaction, context_for):
    """`propose("{code}")` is a draft of Alice's for the English wording; returns its id."""

    def do(body: str, note: str | None = None, by=alice) -> str:
        with transaction() as session:
            ctx = context_for(session, Caller(ActorKind.ACCOUNT, shop.id, by.id))
            return sms_template_drafts.submit(ctx, Submission("en", body, note)).id

    return do


@pytest.fixture
def in_force(session, shop):
    """`in_force()` is what each version of the English wording says, oldest first."""

    def look() -> list[str]:
        found = session.query(SmsTemplateVersion).filter_by(app_id=shop.id, locale="en")
        return [each.body for each in found.order_by(SmsTemplateVersion.version)]

    return look


def form_of(page: str, action: str) -> dict[str, str]:
    """What a form of the page sends."""
    form = re.search(rf'<form[^>]*action="[^"]*/{action}">(.*?)</form>', page, re.DOTALL)[1]
    return dict(re.findall(r'name="(\w+)" value="([^"]*)"', form))


def test_another_owner_sees_who_proposes_what_and_approves_it(olgas, address, propose, in_force):
    propose("Your new code: {code}", "Shorter")
    page = olgas.get(address).text

    assert "alice<wbr>@example.com" in page
    assert "Shorter" in page
    assert "added: </span>" in page
    assert "Your new code: 482913" in page
    answer = olgas.post(f"{address}/approval", form_of(page, "approval"))
    assert answer.location == address.removesuffix("/draft")
    assert in_force()[-1] == "Your new code: {code}"
    assert "Approved. English, version 2, is in force" in olgas.get(answer.location).text


def test_its_author_reads_that_another_owner_decides_and_can_discard_it(alices, address, propose, in_force):
    propose("Your new code: {code}")
    page = alices.get(address).text

    assert "nobody approves their own" in page
    assert "Approve and put in force" not in page
    answer = alices.post(f"{address}/removal", form_of(page, "removal"))
    assert answer.status_code == 303
    assert alices.get(address).status_code == 404
    assert len(in_force()) == 1


def test_its_author_cannot_approve_it_by_hand_either(alices, address, propose, in_force):
    draft = propose("Your new code: {code}")

    assert alices.post(f"{address}/approval", {"draft": draft, "based_on": "1"}).status_code == 403
    assert len(in_force()) == 1


def test_the_consequence_names_how_many_users_it_concerns(olgas, address, propose, session, shop):
    for locale in ("en", None, "fr"):
        factories.user(session, app_id=shop.id, locale=locale)
    propose("Your new code: {code}")

    assert "It concerns new messages to 3 users who get English." in olgas.get(address).text


@pytest.mark.parametrize("verb", ["approval", "removal"])
def test_a_draft_replaced_since_it_was_seen_is_shown_again_and_not_decided_on(
    olgas, address, propose, in_force, session, verb
):
    propose("{code} seen")
    seen = form_of(olgas.get(address).text, verb)
    propose("{code} unseen")
    answer = olgas.post(f"{address}/{verb}", seen)

    assert answer.location == address
    page = olgas.get(address).text
    assert "This draft was replaced, approved or discarded meanwhile." in page
    assert "unseen" in page
    assert len(in_force()) == 1
    assert session.query(SmsTemplateDraft).one().body == "{code} unseen"


@pytest.mark.parametrize("verb", ["approval", "removal"])
def test_a_draft_that_is_gone_leads_to_what_is_in_force(olgas, address, propose, verb):
    propose("{code} seen")
    seen = form_of(olgas.get(address).text, verb)
    olgas.post(f"{address}/removal", seen)

    assert olgas.post(f"{address}/{verb}", seen).location == address.removesuffix("/draft")


def test_what_was_compared_with_another_version_is_shown_again(
    olgas, address, propose, shop, transaction, context_for
):
    from portal.services import sms_templates

    propose("{code} draft")
    seen = form_of(olgas.get(address).text, "approval")
    with transaction() as session:
        sms_templates.save(context_for(session).in_app(shop.id), "en", "{code} meanwhile")
    answer = olgas.post(f"{address}/approval", seen)

    assert answer.status_code == 422
    assert "Version 2 was saved since you looked" in answer.text
    assert 'name="based_on" value="2"' in answer.text


def test_tpl_02_a_draft_that_is_too_long_by_now_is_refused_with_the_reason(
    olgas, address, propose, in_force, session, shop
):
    propose("{code}" + "x" * 200)
    session.get(type(shop.app), shop.id).most_segments = 1
    session.flush()
    answer = olgas.post(f"{address}/approval", form_of(olgas.get(address).text, "approval"))

    assert answer.status_code == 422
    assert "This text needs 2 segments an SMS." in answer.text
    assert len(in_force()) == 1


@pytest.mark.parametrize("odd", [{}, {"draft": ""}, {"draft": "\0"}, {"draft": "x" * 5000, "based_on": "y"}])
def test_a_form_without_the_draft_that_was_seen_decides_nothing(olgas, address, propose, in_force, odd):
    propose("{code} draft")

    assert olgas.post(f"{address}/approval", odd).status_code == 303
    assert olgas.post(f"{address}/removal", odd).status_code == 303
    assert len(in_force()) == 1
    assert olgas.get(address).status_code == 200


def test_the_editor_says_that_a_draft_waits(olgas, alices, address, propose):
    editor = address.removesuffix("/draft")
    assert "See the draft" not in olgas.get(editor).text
    propose("{code} draft")

    assert "A draft of English waits for approval." in olgas.get(editor).text
    assert "Your draft of English waits for another owner." in alices.get(editor).text


def test_a_draft_that_is_not_there_is_not_found(alices, address, shop):
    assert alices.get(address).status_code == 404
    assert alices.get(f"/apps/{shop.id}/sms-templates/no language/draft").status_code == 404


def test_ten_05_support_sees_no_draft_and_decides_nothing(bobs, address, propose, in_force):
    draft = {"draft": propose("{code} draft"), "based_on": "1"}

    assert bobs.get(address).status_code == 403
    assert bobs.post(f"{address}/approval", draft).status_code == 403
    assert bobs.post(f"{address}/removal", draft).status_code == 403
    assert len(in_force()) == 1


def test_ten_02_a_stranger_finds_nothing(charlies, address, propose, in_force):
    draft = {"draft": propose("{code} draft"), "based_on": "1"}

    assert charlies.get(address).status_code == 404
    assert charlies.post(f"{address}/approval", draft).status_code == 404
    assert charlies.post(f"{address}/removal", draft).status_code == 404
    assert len(in_force()) == 1
