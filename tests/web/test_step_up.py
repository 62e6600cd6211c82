"""Does a browser left open do no harm after ten minutes, and does nobody lose a form to that? (WEB-09)"""

import re
from html import unescape

import pytest
from sqlalchemy import func, select

from portal.models import AuditAction, AuditEntry, SmsTemplate
from portal.services import access_keys
from tests.cast import PASSWORD

CUSTOMER = "/users/abcdefabcdef-4abc-8abc-abcd-abcdefab"
ASKS = "Confirm that it is you"
HIDDEN = re.compile(r'<input type="hidden" name="([^"]+)" value="([^"]*)">')
# One way to do each thing that could do harm, and what is typed for it.
HARM = {
    "/provider/new/twilio": {"label": "Twilio"},
    "/provider/live": {},
    "/provider/sandbox": {},
    "/provider/x": {"label": "Twilio"},
    "/provider/x/check": {},
    "/provider/x/place": {"to": "1"},
    "/provider/x/switch": {},
    "/provider/x/removal": {},
    "/team/invites": {"email": "guest@example.com", "role": "owner"},
    "/team/invites/x/removal": {},
    "/team/x/role": {"role": "owner"},
    "/team/x/removal": {},
    "/access-keys/secret": {"confirmation": "reset"},
    "/access-keys/app-keys": {},
    "/access-keys/client-secrets": {},
    "/access-keys/x/ending": {},
    "/audit/export": {"format": "csv"},
    f"{CUSTOMER}/actions/erase": {"reason": "They asked for it.", "seen": "x"},
    f"{CUSTOMER}/reveal": {"reason": "The carrier asks for it."},
    "/sms-templates/ja": {"body": "{app_name}: {code}", "note": "short"},
    "/sms-templates/ja/removal": {},
    "/sms-templates/en/versions/1/restoration": {"based_on": "1"},
    "/sms-templates/en/draft/approval": {"draft": "x"},
    "/sms-templates/import/confirmation": {"text": "{}", "stamp": "x"},
}


@pytest.fixture
def left_open(alices, clock, customer):
    """Alice's browser, eleven minutes after she signed in."""
    alices.get("/apps")
    clock.advance(11 * 60)
    return alices


def hidden_fields(page) -> dict[str, str]:
    """The form's hidden fields as the browser would send them."""
    form = page.text[page.text.index('<form class="card narrow"') :]
    return {name: unescape(value) for name, value in HIDDEN.findall(form)}


@pytest.mark.parametrize("path", HARM)
def test_web_09_an_eleven_minute_old_sign_in_is_asked_and_nothing_is_done(left_open, shop, session, path):
    before = session.scalar(select(func.count()).select_from(AuditEntry))
    answer = left_open.post(f"/apps/{shop.id}{path}", HARM[path])

    assert answer.status_code == 403
    assert ASKS in answer.text
    assert session.scalar(select(func.count()).select_from(AuditEntry)) == before


@pytest.mark.parametrize("path", HARM)
def test_web_09_a_fresh_sign_in_is_not_asked(alices, clock, shop, customer, path):
    clock.advance(9 * 60)

    assert ASKS not in alices.post(f"/apps/{shop.id}{path}", HARM[path]).text


def test_web_09_every_change_whose_action_needs_it_is_tried_here(app):
    guarded = {
        rule.rule.removeprefix("/apps/<id:app_id>")
        for rule in app.url_map.iter_rules()
        if "POST" in (rule.methods or ())
        and getattr(getattr(app.view_functions[rule.endpoint], "guard", None), "needs_fresh_sign_in", False)
    }
    tried = {app.url_map.bind("").match(f"/apps/x{path}", "POST", return_rule=True)[0].rule for path in HARM}

    assert guarded == {rule.removeprefix("/apps/<id:app_id>") for rule in tried}


def test_a_form_goes_along_with_the_password_and_is_done(left_open, shop, session):
    asked = left_open.post(f"/apps/{shop.id}/sms-templates/ja", HARM["/sms-templates/ja"] | {"based_on": "0"})
    kept = hidden_fields(asked)
    assert kept["body"] == "{app_name}: {code}"

    answer = left_open.post(f"/apps/{shop.id}/sms-templates/ja", kept | {"confirm_password": PASSWORD})

    assert answer.status_code == 303
    assert session.get(SmsTemplate, (shop.id, "ja")) is not None
    assert left_open.get(answer.location).status_code == 200


def test_a_wrong_password_keeps_the_form_and_does_nothing(left_open, shop, session):
    path, typed = f"/apps/{shop.id}/sms-templates/ja", {"body": 'a "quoted" <b> {code}\nline', "note": "née"}
    answer = left_open.post(path, typed | {"confirm_password": "wrong"})

    assert answer.status_code == 422
    assert "This is not your password." in answer.text
    assert {name: hidden_fields(answer)[name] for name in typed} == typed
    assert 'value="wrong"' not in answer.text
    assert session.get(SmsTemplate, (shop.id, "ja")) is None


def test_web_09_a_page_is_led_back_to_after_the_password(left_open, shop):
    reveal = f"/apps/{shop.id}{CUSTOMER}/reveal"
    led = left_open.get(reveal)
    assert led.location == f"/confirm?next={reveal}"
    assert hidden_fields(left_open.get(led.location))["next"] == reveal

    assert left_open.post("/confirm", {"next": reveal, "confirm_password": PASSWORD}).location == reveal
    assert ASKS not in left_open.get(reveal).text


@pytest.mark.parametrize(
    "target", ["//evil.example", "https://evil.example/", "/\\evil", "javascript:x", "/nothing"]
)
def test_web_08_it_leads_to_own_pages_only(left_open, target):
    assert "evil" not in hidden_fields(left_open.get("/confirm", query_string={"next": target}))["next"]
    answer = left_open.post("/confirm", {"next": target, "confirm_password": PASSWORD})

    assert answer.location == "/apps"


def test_web_01_the_key_of_the_session_is_renewed(left_open, stranger):
    before = left_open.cookie()
    left_open.post("/confirm", {"confirm_password": PASSWORD})
    stranger.client.set_cookie("session", before)

    assert left_open.cookie() != before
    assert stranger.get("/apps").status_code == 303
    assert left_open.get("/apps").status_code == 200


def test_an_answer_in_time_goes_straight_on(alices, shop):
    assert alices.get("/confirm", query_string={"next": f"/apps/{shop.id}"}).location == f"/apps/{shop.id}"


def test_a_signed_out_browser_is_asked_to_sign_in(stranger):
    assert stranger.get("/confirm").location.startswith("/sign-in")
    assert stranger.post("/confirm", {"confirm_password": PASSWORD}).location == "/sign-in"


def test_pages_say_beforehand_that_they_will_ask(left_open, shop):
    for path in ("/access-keys", "/audit"):
        page = left_open.get(f"/apps/{shop.id}{path}").text
        assert f'href="/confirm?next=/apps/{shop.id}{path}"' in page
    assert 'name="confirmation"' not in left_open.get(f"/apps/{shop.id}/access-keys").text
    assert "your text goes along" in left_open.get(f"/apps/{shop.id}/sms-templates/ja").text


def test_htmx_is_led_to_the_page_that_asks(left_open, shop):
    headers = {"HX-Request": "true", "HX-Current-URL": f"http://localhost/apps/{shop.id}/audit?q=1"}
    answer = left_open.post(f"/apps/{shop.id}/audit/export", {"format": "csv"}, headers=headers)

    assert answer.headers["HX-Redirect"] == f"/confirm?next=/apps/{shop.id}/audit"


def test_ten_05_support_is_refused_before_it_is_asked(bobs, clock, shop):
    bobs.get("/apps")
    clock.advance(11 * 60)

    assert ASKS not in bobs.post(f"/apps/{shop.id}/access-keys/secret", HARM["/access-keys/secret"]).text


def test_web_09_the_eleventh_wrong_password_is_throttled_wherever_it_is_typed(
    left_open, stranger, alice, clock
):
    for _ in range(5):
        assert stranger.post("/sign-in", {"email": alice.email, "password": "wrong"}).status_code == 422
        assert left_open.post("/confirm", {"confirm_password": "wrong"}).status_code == 422
    answers = [left_open.post("/confirm", {"confirm_password": PASSWORD}), stranger.sign_in(alice)]

    assert [answer.status_code for answer in answers] == [429, 429]
    assert all("You can try again in 15 minutes" in answer.text for answer in answers)
    clock.advance(15 * 60 + 1)
    assert stranger.sign_in(alice).location == "/apps"


def test_enu_05_an_address_without_an_account_is_throttled_alike(stranger):
    nobody = {"email": "nobody@example.com", "password": "wrong"}
    statuses = [stranger.post("/sign-in", nobody).status_code for _ in range(11)]

    assert statuses == [422] * 10 + [429]


def test_a_right_password_forgives_the_wrong_ones(stranger, alice):
    for _ in range(2):
        for _ in range(9):
            stranger.post("/sign-in", {"email": alice.email, "password": "wrong"})
        assert stranger.sign_in(alice).location == "/apps"
        stranger.post("/sign-out")


def test_web_01_a_new_secret_is_made_with_the_password_in_one_go(left_open, shop, session):
    before = access_keys.live(session, shop.id)
    typed = HARM["/access-keys/secret"] | {"confirm_password": PASSWORD}

    assert left_open.post(f"/apps/{shop.id}/access-keys/secret", typed).status_code == 200
    assert access_keys.live(session, shop.id) != before
    made = select(AuditEntry).where(AuditEntry.action == AuditAction.APP_SECRET_REGENERATED)
    assert len(session.scalars(made).all()) == 1


def test_ops_05_a_secret_is_not_repeated_by_the_page_that_asks_and_is_typed_again(left_open, shop, session):
    address, secret = f"/apps/{shop.id}/provider/new/twilio", "correct-horse-battery-9931"
    typed = {"label": "Twilio", "carrier_account_sid": "AC" + "0" * 32, "carrier_sender": "Shop"}
    asked = left_open.post(address, typed | {"secret_auth_token": secret})
    assert ASKS in asked.text
    assert secret not in asked.text
    kept = hidden_fields(asked)
    answer = left_open.post(address, kept | {"confirm_password": PASSWORD})

    assert answer.status_code == 422
    assert 'id="secret_auth_token-error"' in answer.text
    assert "Type this again" in answer.text
    assert 'value="Shop"' in answer.text
    assert left_open.post(address, typed | {"secret_auth_token": secret}).status_code == 303
