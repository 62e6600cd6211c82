"""Does every page say so when a person is needed, with what to do, and only with links that may be opened?"""

import re
from html import unescape

import pytest

from portal.models import App
from tests import factories


@pytest.fixture
def live(session, shop):
    """The shop, live by its own carriers, of which it has none."""
    app = session.get(App, shop.id)
    app.mode, app.provider = "live", "carriers"
    session.flush()
    return app


def lines(page: str) -> list[tuple[str, str, list[str]]]:
    """The tone, the words and the links of each line."""
    found = re.findall(r'<div class="status-line is-(\w+)".*?</div>', page, re.DOTALL)
    whole = re.findall(r'<div class="status-line is-\w+".*?</div>', page, re.DOTALL)
    words = [re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", "", each))).strip() for each in whole]
    return list(zip(found, words, (re.findall(r'href="([^"]+)"', each) for each in whole), strict=True))


def test_nothing_is_said_while_all_is_well(alices, shop):
    for path in ("", "/users", "/provider", "/audit"):
        assert lines(alices.get(f"/apps/{shop.id}{path}").text) == []
    assert lines(alices.get("/apps").text) == []


def test_without_a_provider_each_role_reads_what_it_can_do(alices, bobs, shop, live):
    owners, supports = (lines(each.get(f"/apps/{shop.id}/users").text) for each in (alices, bobs))

    links = [f"/apps/{shop.id}/provider"]
    said = "No SMS is sent: no provider is on."
    assert owners == [("bad", f"{said} Switch one on. See the providers", links)]
    assert supports == [("bad", f"{said} Tell an owner of this app.", [])]


def test_a_page_does_not_lead_to_itself(alices, shop, live):
    assert lines(alices.get(f"/apps/{shop.id}/provider").text)[0][2] == []


def test_a_paused_provider_is_named_as_text_only(alices, bobs, session, shop, live):
    factories.provider(session, app_id=shop.id, label="<b>Tea</b>", paused_until=1, failures_in_row=5)
    factories.provider(session, app_id=shop.id, label="Coffee")
    page = alices.get(f"/apps/{shop.id}").text

    assert "<b>Tea" not in page
    told = "<b>Tea</b> failed again and again and is paused. Meanwhile Coffee takes its messages."
    assert lines(page)[0][:2] == ("wait", f"{told} Look why it fails. See the providers")
    assert lines(bobs.get(f"/apps/{shop.id}").text)[0][1:] == (
        f"{told} An owner of this app can look why.",
        [],
    )


def test_ops_02_a_worker_that_stands_still_is_told_on_every_page_of_every_app(alices, bobs, session, shop):
    factories.alarm(session, name="worker_stalled", level="page")
    factories.alarm(session, name="backlog", level="warn")

    for browser in (alices, bobs):
        found = lines(browser.get(f"/apps/{shop.id}/audit").text)
        assert [tone for tone, *_ in found] == ["bad", "wait"]
        assert "Tell your operator: portal worker has to run." in found[0][1]
        assert found[0][2] == [f"/apps/{shop.id}/messages"]


@pytest.fixture
def finns(session, shop, live):
    """The shop verifies numbers, by a carrier that is well, and one in ten of its users reads Finnish."""
    live.phone_number_verification_required = True
    factories.provider(session, app_id=shop.id, label="Tea")
    for at in range(20):
        factories.user(session, app_id=shop.id, locale="fi-FI" if at % 10 == 0 else "en")
    return live


def test_a_language_that_many_users_lack_is_told_to_who_can_add_it(alices, bobs, shop, finns):
    said = "No SMS template is in Finnish, which 2 users would get."
    address = f"/apps/{shop.id}/sms-templates/fi"

    assert lines(alices.get(f"/apps/{shop.id}").text) == [("wait", f"{said} Add it", [address])]
    assert lines(bobs.get(f"/apps/{shop.id}/users").text) == [
        ("wait", f"{said} Tell an owner of this app.", [])
    ]


def test_a_language_that_was_added_is_told_no_more_at_once(alices, session, shop, finns):
    assert lines(alices.get(f"/apps/{shop.id}").text) != []
    factories.sms_template(session, app_id=shop.id, locale="fi")
    session.flush()

    assert lines(alices.get(f"/apps/{shop.id}").text) == []


@pytest.mark.parametrize("why", ["a sandbox", "no verification", "too few of them"])
def test_a_language_that_matters_little_is_told_where_the_templates_are_only(
    alices, session, shop, finns, why
):
    if why == "a sandbox":
        finns.mode, finns.provider = "sandbox", "inbox"
    if why == "no verification":
        finns.phone_number_verification_required = False
    for _ in range(21 if why == "too few of them" else 0):
        factories.user(session, app_id=shop.id, locale="en")
    session.flush()

    assert lines(alices.get(f"/apps/{shop.id}").text) == []


def test_fragments_say_nothing_of_it(alices, session, shop, live):
    assert lines(alices.fragment(f"/apps/{shop.id}/users", "results").text) == []


def test_otp_06_whoever_looks_after_an_app_reads_that_codes_are_sprayed_there(alices, bobs, session, shop):
    factories.alarm(session, name="codes_sprayed", about=shop.id)
    factories.alarm(session, name="codes_sprayed", about="another-app")
    said = "Nearly all codes sent for this app are wrong: somebody is guessing. Codes are checked slowly."
    for browser in (alices, bobs):
        told = lines(browser.get(f"/apps/{shop.id}").text)
        assert told == [("wait", f"{said} See the audit log", [f"/apps/{shop.id}/audit"])]


def test_pii_07_whoever_looks_after_an_app_reads_that_its_audit_log_was_tampered_with(
    alices, bobs, session, shop
):
    factories.alarm(session, name="audit_tampered", level="page", about=shop.id)
    for about in ("another-app", "installation"):
        factories.alarm(session, name="audit_tampered", level="page", about=about)
    said = "This app's audit log was changed, and not by Ringback. Tell your operator: portal audit verify."
    for browser in (alices, bobs):
        told = lines(browser.get(f"/apps/{shop.id}").text)
        assert told == [("bad", f"{said} See the audit log", [f"/apps/{shop.id}/audit"])]
