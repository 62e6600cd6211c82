"""E-mail addresses: stored, verified at once, never a code (design 5, contract b.2)."""

from tests.drivers import vendor


def refused(answer, status, code):
    assert (answer.status_code, answer.json["errorCode"]) == (status, code), answer.get_data(as_text=True)
    return answer.json


def change(user, address, **fields):
    sent = {"emailAddress": address, **fields}
    return user.ask("PUT", "/email-address", sent, type=vendor("EmailAddressModificationRequest"))


def test_it_changes_an_address_at_once(kii):
    dora = kii.sign_up()
    body = refused(dora.ask("GET", "/email-address"), 404, "USER_ADDRESS_NOT_FOUND")
    assert (body["userID"], body["appID"]) == (dora.id, kii.app_id)
    assert change(dora, "Dora@Example.com").status_code == 204
    answer = dora.ask("GET", "/email-address")
    assert answer.content_type == vendor("EmailAddressRetrievalResponse")
    assert answer.json == {"emailAddress": "dora@example.com", "verified": True}
    assert "_emailAddressPending" not in dora.refresh()
    assert kii.log_in("dora@example.com").json["id"] == dora.id


def test_it_refuses_an_address_that_is_taken_or_none(kii):
    kii.sign_up(emailAddress="erin@example.com")
    dora = kii.sign_up()
    body = refused(change(dora, "ERIN@example.com"), 409, "USER_ALREADY_EXISTS")
    assert (body["field"], body["value"]) == ("emailAddress", "erin@example.com")
    refused(change(dora, "nothing"), 400, "INVALID_INPUT_DATA")


def test_it_lets_only_the_user_and_the_admin_change_it(kii, admin):
    dora, erin = kii.sign_up(), kii.sign_up()
    path, sent = f"/users/{dora.id}/email-address", {"emailAddress": "x@example.com"}
    refused(erin.kii.ask("PUT", path, sent), 401, "UNAUTHORIZED")
    refused(kii.ask("PUT", path, sent), 401, "UNAUTHORIZED")
    refused(change(dora, "x@example.com", verified=True), 401, "UNAUTHORIZED")
    assert admin.ask("PUT", path, sent | {"verified": True}).status_code == 204


def test_it_has_nothing_to_verify_and_no_code(kii, admin):
    dora = kii.sign_up(emailAddress="dora@example.com")
    for path, body in (("/verify", {"verificationCode": "123456"}), ("/resend-verification", {})):
        found = refused(dora.ask("POST", f"/email-address{path}", body), 400, "INVALID_ACCOUNT_STATUS")
        assert (found["userID"], found["accountType"]) == (dora.id, "EMAIL")
    path = f"/users/{dora.id}/email-address/verification-code"
    refused(admin.ask("GET", path), 404, "VERIFICATION_CODE_NOT_FOUND")
    refused(dora.kii.ask("GET", path), 401, "UNAUTHORIZED")
