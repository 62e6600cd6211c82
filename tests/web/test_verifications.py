"""Does the Verification page say what it will do, do it, and keep what was typed when it cannot?"""

import pytest
from sqlalchemy import select

from portal.models import App, AuditAction, AuditEntry, OpenCountry
from tests import factories

SETTINGS = {
    "code_length": "8",
    "code_life_minutes": "5",
    "guesses_allowed": "3",
    "sends_allowed": "4",
    "number_taken": "move",
    "default_locale": "en",
    "open_countries": ["JP", "DE"],
}


@pytest.fixture
def address(shop) -> str:
    return f"/apps/{shop.id}/verification"


def is_on(session, shop) -> bool:
    return session.get(App, shop.id).phone_number_verification_required


def test_it_says_before_switching_whom_it_concerns_and_how_many(alices, address, shop, session):
    for _ in range(2):
        factories.user(
            session, app_id=shop.id, phone_number=factories.phone_number(), phone_number_verified=True
        )

    assert "Switching off affects 2 users:" in alices.get(address).text
    alices.post(f"{address}/switch")
    assert "Switching on affects 2 users:" in alices.get(address).text


def test_the_switch_saves_by_itself_says_so_and_offers_undo(alices, address, shop, session):
    answer = alices.post(f"{address}/switch", headers={"HX-Request": "true"})

    assert answer.status_code == 200
    assert answer.text.lstrip().startswith('<div class="switch" id="switch">')
    assert "Saved" in answer.text
    assert "Undo" in answer.text
    assert not is_on(session, shop)


def test_undo_puts_it_back_and_offers_no_second_undo(alices, address, shop, session):
    alices.post(f"{address}/switch", headers={"HX-Request": "true"})
    answer = alices.post(f"{address}/switch", {"required": "y", "undo": "y"}, headers={"HX-Request": "true"})

    assert "Undone" in answer.text
    assert "Undo<" not in answer.text
    assert is_on(session, shop)


def test_without_javascript_the_switch_is_a_form_that_leads_back(alices, address, shop, session):
    answer = alices.post(f"{address}/switch")

    assert (answer.status_code, answer.location) == (303, address)
    assert "Phone verification is off." in alices.get(address).text
    assert not is_on(session, shop)


def test_the_settings_are_saved_and_audited(alices, address, shop, session):
    assert alices.post(address, SETTINGS).status_code == 303

    app = session.get(App, shop.id)
    assert (app.code_length, app.code_life_s, app.guesses_allowed, app.sends_allowed) == (8, 300, 3, 4)
    assert (app.number_taken, app.notify_old_number) == ("move", False)
    countries = session.scalars(select(OpenCountry.country).where(OpenCountry.app_id == shop.id))
    assert set(countries) == {"JP", "DE"}
    actions = session.scalars(select(AuditEntry.action).where(AuditEntry.app_id == shop.id))
    assert AuditAction.APP_CHANGED in set(actions)


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("code_length", "3", "Write a number from 4 to 10."),
        ("code_length", "eleven", "Not a valid integer value."),
        ("code_length", "9" * 5000, "Write a number from 4 to 10."),
        ("code_life_minutes", "11", "Write a number from 1 to 10."),
        ("guesses_allowed", "0", "Write a number from 1 to 10."),
        ("sends_allowed", "", "Write a number from 1 to 10."),
        ("number_taken", "steal", "Not a valid choice."),
        ("default_locale", "xx", "Not a valid choice."),
        ("open_countries", [], "Keep at least one country open."),
        ("open_countries", ["XX"], "XX"),
    ],
)
def test_a_refused_form_answers_422_changes_nothing_and_takes_the_focus(
    alices, address, shop, session, field, value, said
):
    answer = alices.post(address, SETTINGS | {field: value})

    assert answer.status_code == 422
    assert said in answer.text
    assert "data-focus" in answer.text
    # What was typed right beside it is still there.
    assert f'value="{"3" if field == "sends_allowed" else "4"}"' in answer.text
    assert session.get(App, shop.id).code_length == 6


def test_every_country_can_be_picked_and_is_named(alices, address):
    text = alices.get(address).text

    assert text.count('name="open_countries"') > 240
    assert "Japan <code>JP</code>" in text
