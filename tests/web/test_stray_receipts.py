"""Does an owner learn of receipts that match no message or cannot be read, and what is most likely wrong?"""

import re

import pytest

from portal import clock
from portal.core.provider_kinds import ProviderKind
from portal.core.receipt_troubles import ReceiptTrouble
from portal.models import MessageState
from tests import factories
from tests.web.carrier_kinds import carrier
from tests.web.test_providers import main

__all__ = ["carrier"]


@pytest.fixture
def stray(session, shop):
    """`stray(kind, count, *states)` is a provider with so many stray receipts, and SMS in these states."""

    def add(kind: str = "http", count: int = 3, *states: str):
        url = {"url": "https://sms.example/send"}
        it = factories.provider(session, app_id=shop.id, kind=kind, label="Tea", settings=url)
        if count:
            factories.unmatched_receipt(session, provider_id=it.id, receipts=count)
        for state in states:
            own = {"provider": kind, "provider_id": it.id, "state": state}
            factories.message(session, app_id=shop.id, **own)
        return it

    return add


def told(alices, shop, path: str) -> str:
    """What a page says of them, from the count on."""
    text = main(alices.get(f"/apps/{shop.id}/provider{path}").text)
    return re.search(r"[\d,]+ receipts? in the last 24 hours matched.*?(?= No SMS| Last SMS)", text)[0]


@pytest.mark.parametrize(("count", "said"), [(1_204, "1,204 receipts"), (1, "1 receipt")])
def test_the_list_says_how_many_and_when_the_last_came_and_leads_to_the_cause(
    alices, shop, stray, count, said
):
    it = stray("http", count)
    page = alices.get(f"/apps/{shop.id}/provider").text

    assert told(alices, shop, "") == (
        f"{said} in the last 24 hours matched no message, the last just now. See the likely cause for Tea."
    )
    assert f'href="/apps/{shop.id}/provider/{it.id}">See the likely cause' in page
    assert told(alices, shop, f"/{it.id}").startswith(
        f"{said} in the last 24 hours matched no message, the last just now. This app sent nothing"
    )


@pytest.mark.parametrize("kind", ProviderKind)
def test_without_one_nothing_is_said(alices, shop, stray, kind):
    stray(kind, 0, MessageState.SENT)

    assert "matched no message" not in alices.get(f"/apps/{shop.id}/provider").text


@pytest.mark.parametrize(
    ("kind", "states", "cause"),
    [
        ("http", ["sent"], "Compare “Where the answer names the message” with “Where a receipt names"),
        ("smpp", ["sent"], "Change “Numbers of messages in receipts” under Settings."),
        ("twilio", ["sent"], "None of its SMS got a receipt, so most likely a copy of this installation"),
        ("http", ["sent", "delivered"], "Other receipts match, so most likely something else sends"),
        ("vonage", [], "This app sent nothing through it that waits for one, so most likely something"),
    ],
)
def test_the_likely_cause_is_said_in_words(alices, shop, stray, kind, states, cause):
    assert cause in told(alices, shop, f"/{stray(kind, 2, *states).id}")


@pytest.mark.parametrize("kind", ["http", "smpp"])
def test_what_the_cause_names_are_fields_of_that_kind(alices, shop, stray, kind):
    it = stray(kind, 2, "sent")
    named = re.findall("“(.+?)”", told(alices, shop, f"/{it.id}"))
    page = alices.get(f"/apps/{shop.id}/provider/{it.id}").text

    assert named
    labels = re.findall(r"<label[^>]*>(.*?)</label>", page, re.DOTALL)
    assert all(any(label.startswith(each) for label in labels) for each in named), labels


def test_support_and_other_apps_learn_nothing_of_it(bobs, charlies, shop, stray, session):
    it = stray()
    elsewhere = factories.provider(session, kind="http")
    factories.unmatched_receipt(session, provider_id=elsewhere.id, receipts=99)

    assert bobs.get(f"/apps/{shop.id}/provider/{it.id}").status_code in (403, 404)
    assert charlies.get(f"/apps/{shop.id}/provider/{it.id}").status_code == 404


def test_another_apps_stray_receipts_are_not_counted_here(alices, shop, stray, session):
    stray("http", 0)
    elsewhere = factories.provider(session, kind="http")
    factories.unmatched_receipt(session, provider_id=elsewhere.id, receipts=99, last_at=clock.now())

    assert "matched no message" not in alices.get(f"/apps/{shop.id}/provider").text


# --- Receipts that cannot be read --------------------------------------------------------------------------


def puzzled(alices, shop, path: str) -> str:
    """What a page says of them, from the count on."""
    text = main(alices.get(f"/apps/{shop.id}/provider{path}").text)
    return re.search(r"[\d,]+ receipts? in the last 24 hours could.*?(?= No SMS| Last SMS)", text)[0]


BEGINS = "receipts in the last 24 hours could not be read, the last just now, so the SMS that they are about"


@pytest.mark.parametrize("trouble", ReceiptTrouble)
def test_the_page_says_how_many_cannot_be_read_and_what_they_lacked(alices, shop, session, stray, trouble):
    it = stray("http", 0, "sent")
    factories.unreadable_receipt(session, provider_id=it.id, receipts=1_204, trouble=trouble)
    said = puzzled(alices, shop, f"/{it.id}")
    page = alices.get(f"/apps/{shop.id}/provider/{it.id}").text
    labels = re.findall(r"<label[^>]*>(.*?)</label>", page, re.DOTALL)

    assert said.startswith(f"1,204 {BEGINS} stay as they were. Each time: {trouble.sentence} ")
    assert all(any(label.startswith(each) for label in labels) for each in re.findall("“(.+?)”", said))
    assert puzzled(alices, shop, "").endswith("See what was missing for Tea.")


def test_every_kind_that_came_is_explained_the_last_one_first(alices, shop, session, stray):
    it, now = stray("http", 0, "sent"), clock.now()
    counts = {"no_state": 1, "wrong_json": 12, "unknown_word": 3}
    for ago, (trouble, receipts) in enumerate(counts.items()):
        told = {"trouble": trouble, "receipts": receipts, "last_at": now - ago}
        factories.unreadable_receipt(session, provider_id=it.id, **told)
    said = puzzled(alices, shop, f"/{it.id}")

    assert said.startswith(f"16 {BEGINS} stay as they were. Once: {ReceiptTrouble.NO_STATE.sentence} ")
    assert f" 12 times: {ReceiptTrouble.WRONG_JSON.sentence} " in said
    assert f" 3 times: {ReceiptTrouble.UNKNOWN_WORD.sentence} " in said


def test_support_and_other_apps_learn_nothing_of_unreadable_receipts(alices, bobs, shop, session):
    elsewhere = factories.unreadable_receipt(session)

    assert "could not be read" not in alices.get(f"/apps/{shop.id}/provider").text
    assert alices.get(f"/apps/{shop.id}/provider/{elsewhere.provider_id}").status_code == 404
    assert bobs.get(f"/apps/{shop.id}/provider").status_code in (403, 404)
