"""The phone number and its verification (contract a.2, a.3, a.5, a.6, b.2, c.3)."""

import pytest
from sqlalchemy import update

from portal.models import App, NumberTaken
from tests.api.conftest import ANOTHER, NUMBER, wrong
from tests.drivers import vendor


def refused(answer, status, code):
    assert (answer.status_code, answer.json["errorCode"]) == (status, code), answer.get_data(as_text=True)
    return answer.json


def numbers_of(user):
    record = user.refresh()
    return record.get("phoneNumber"), record.get("phoneNumberVerified"), record.get("_phoneNumberPending")


# --- Verifying ----------------------------------------------------------------------------------------------


def test_it_verifies_the_number_of_a_sign_up(unverified, code_of, kii):
    assert numbers_of(unverified) == (NUMBER, False, None)
    assert kii.log_in(NUMBER).status_code == 400
    answer = unverified.verify(code_of(unverified))
    assert (answer.status_code, answer.json) == (200, {"verificationStatus": "VERIFIED"})
    assert answer.content_type == vendor("AddressVerificationResponse")
    assert numbers_of(unverified) == (NUMBER, True, None)
    assert kii.log_in(NUMBER).json["id"] == unverified.id
    # Verifying ends no token (contract a.9).
    assert unverified.ask("GET").status_code == 200


def test_it_refuses_a_wrong_code_and_repeats_it(unverified, code_of, kii):
    guess = wrong(code_of(unverified))
    answer = unverified.verify(guess)
    body = refused(answer, 403, "INVALID_VERIFICATION_CODE")
    assert (body["userID"], body["appID"], body["verificationCode"]) == (unverified.id, kii.app_id, guess)
    assert answer.content_type == vendor("InvalidVerificationCodeException")
    assert numbers_of(unverified) == (NUMBER, False, None)


def test_it_refuses_to_verify_what_is_verified(verified, kii):
    for answer in (verified.verify("123456"), verified.resend()):
        body = refused(answer, 400, "INVALID_ACCOUNT_STATUS")
        assert (body["userID"], body["appID"], body["accountType"]) == (verified.id, kii.app_id, "PHONE")


def test_it_refuses_to_verify_a_user_without_a_number(kii):
    dora = kii.sign_up()
    refused(dora.verify("123456"), 400, "INVALID_ACCOUNT_STATUS")
    refused(dora.resend(), 400, "INVALID_ACCOUNT_STATUS")


def test_it_tells_an_expired_code_from_a_wrong_one(unverified, code_of, clock, kii):
    code = code_of(unverified)
    clock.advance(600)
    answer = unverified.verify(code)
    body = refused(answer, 410, "PHONE_NUMBER_VERIFICATION_CODE_EXPIRED")
    assert (body["userID"], body["appID"]) == (unverified.id, kii.app_id)
    assert unverified.resend().status_code == 204
    assert unverified.verify(code_of(unverified)).status_code == 200


def test_otp_04_it_answers_429_without_an_error_code_after_five_wrong_codes(unverified, code_of, clock):
    right = code_of(unverified)
    for _guess in range(5):
        refused(unverified.verify(wrong(right)), 403, "INVALID_VERIFICATION_CODE")
    answer = unverified.verify(right)
    assert answer.status_code == 429
    assert answer.content_type == "application/json"
    assert set(answer.json) == {"reason", "message", "nextAllowedAt"}
    assert answer.json["reason"] == "too_many_guesses"
    assert 1 <= int(answer.headers["Retry-After"]) <= (answer.json["nextAllowedAt"] - clock.at) // 1000 + 1
    assert numbers_of(unverified) == (NUMBER, False, None)


@pytest.mark.parametrize(
    "spell",
    [
        lambda code: f" {code} ",
        lambda code: f"{code[:3]} {code[3:]}",
        lambda code: f"{code[:3]}-{code[3:]}",
        lambda code: "".join(chr(0xFF10 + int(digit)) for digit in code),
        lambda code: "".join(chr(0x0660 + int(digit)) for digit in code),
        lambda code: "".join(chr(0x06F0 + int(digit)) for digit in code),
        lambda code: "".join(chr(0x0966 + int(digit)) for digit in code),
    ],
)
def test_otp_11_it_takes_the_code_in_any_script_and_grouping(unverified, code_of, spell):
    assert unverified.verify(spell(code_of(unverified))).status_code == 200


@pytest.mark.parametrize(
    "spell",
    [
        lambda code: f"{code}\n",
        lambda code: f"+{code}",
        lambda code: f"{code[:3]}_{code[3:]}",
        lambda code: f"{code}0",
        lambda code: code[1:],
        lambda code: "",
        lambda code: "0",
        lambda code: "²" * 6,
        lambda code: "五" * 6,
        lambda code: "%31" * 6,
    ],
)
def test_otp_11_it_takes_no_other_text_for_the_code(unverified, code_of, spell):
    refused(unverified.verify(spell(code_of(unverified))), 403, "INVALID_VERIFICATION_CODE")


def test_otp_11_it_takes_only_text_for_the_code(unverified, code_of):
    code = code_of(unverified)
    for shape in (int(code), float(code), True, None, [code], {"a": code}, code * 11, f"{code}\0", "\ud800"):
        refused(unverified.verify(shape), 400, "INVALID_INPUT_DATA")
    # None of these was a guess: the right one still counts.
    assert unverified.verify(code).status_code == 200


def test_otp_11_it_refuses_two_codes_in_one_body(unverified, code_of):
    code = code_of(unverified)
    for raw in (
        f'{{"verificationCode":"000000","verificationCode":"{code}"}}',
        f'[{{"verificationCode":"{code}"}}]',
        f'"{code}"',
        f"1{code}",
    ):
        refused(
            unverified.kii.ask("POST", "/users/me/phone-number/verify", raw=raw), 400, "INVALID_INPUT_DATA"
        )


NOT_OWNED = [
    "phone_verified",
    "is_verified",
    "phoneNumberVerified",
    "verified",
    "bypass",
    "bypass_otp",
    "otp",
]
NOT_OWNED += [
    "attempts",
    "guesses",
    "expires",
    "codeExpiresAt",
    "app_id",
    "appID",
    "userID",
    "phoneNumber",
    "_id",
]
NOT_OWNED += ["status", "state", "codes", "issue"]


def test_otp_12_it_refuses_fields_that_verify_and_change_do_not_own(unverified):
    for name in NOT_OWNED:
        refused(unverified.verify("000000", **{name: True}), 400, "INVALID_INPUT_DATA")
        if name not in ("verified", "phoneNumber"):
            refused(unverified.change_phone(ANOTHER, **{name: True}), 400, "INVALID_INPUT_DATA")
        path = f"/users/me/phone-number/resend-verification?{name}=1"
        assert unverified.kii.ask("POST", path, {name: True}).status_code == 429
    assert numbers_of(unverified) == (NUMBER, False, None)


def test_it_demands_the_users_own_token_or_the_admins(kii, unverified, admin, code_of):
    code = code_of(unverified)
    sent, path = {"verificationCode": code}, f"/users/{unverified.id}/phone-number/verify"
    erin = kii.sign_up()
    refused(kii.ask("POST", path, sent), 401, "UNAUTHORIZED")
    refused(erin.kii.ask("POST", path, sent), 401, "UNAUTHORIZED")
    refused(admin.ask("POST", "/users/me/phone-number/verify", sent), 401, "UNAUTHORIZED")
    refused(kii.ask("POST", path.replace("verify", "resend-verification")), 401, "UNAUTHORIZED")
    assert admin.ask("POST", path, sent).status_code == 200


# --- Changing -----------------------------------------------------------------------------------------------


def test_it_keeps_the_old_number_until_the_new_one_is_verified(verified, code_of):
    answer = verified.change_phone(ANOTHER)
    assert (answer.status_code, answer.data) == (204, b"")
    assert numbers_of(verified) == (NUMBER, True, ANOTHER)
    assert verified.verify(code_of(verified)).status_code == 200
    assert numbers_of(verified) == (ANOTHER, True, None)


def test_it_replaces_a_pending_number_and_its_code(verified, code_of):
    verified.change_phone(ANOTHER)
    first = code_of(verified)
    verified.change_phone("+819077776666")
    if first != code_of(verified):
        refused(verified.verify(first), 403, "INVALID_VERIFICATION_CODE")
    assert numbers_of(verified) == (NUMBER, True, "+819077776666")
    assert verified.verify(code_of(verified)).status_code == 200
    assert numbers_of(verified) == ("+819077776666", True, None)


def test_it_cancels_a_change_by_a_change_back(verified, admin):
    verified.change_phone(ANOTHER)
    assert verified.change_phone(NUMBER).status_code == 204
    assert numbers_of(verified) == (NUMBER, True, None)
    refused(verified.verify("123456"), 400, "INVALID_ACCOUNT_STATUS")


def test_it_makes_a_number_pending_while_the_first_is_unverified(unverified, code_of):
    old = code_of(unverified)
    assert unverified.change_phone(ANOTHER).status_code == 204
    assert numbers_of(unverified) == (NUMBER, False, ANOTHER)
    if old != code_of(unverified):
        refused(unverified.verify(old), 403, "INVALID_VERIFICATION_CODE")
    assert unverified.verify(code_of(unverified)).status_code == 200
    assert numbers_of(unverified) == (ANOTHER, True, None)


def test_it_makes_a_first_number_pending(kii, code_of):
    dora = kii.sign_up()
    dora.change_phone(NUMBER)
    assert numbers_of(dora) == (None, None, NUMBER)
    refused(dora.ask("GET", "/phone-number"), 404, "USER_ADDRESS_NOT_FOUND")
    dora.verify(code_of(dora))
    assert numbers_of(dora) == (NUMBER, True, None)


def test_it_forgets_a_pending_number_after_a_day(verified, clock):
    verified.change_phone(ANOTHER)
    clock.advance(24 * 3600)
    assert numbers_of(verified) == (NUMBER, True, None)


def test_it_takes_over_at_once_while_the_switch_is_off(verified, switch):
    switch("phoneNumberVerificationRequired", False)
    assert verified.change_phone(ANOTHER).status_code == 204
    assert numbers_of(verified) == (ANOTHER, True, None)


def test_it_takes_the_admins_word_for_a_number(verified, admin):
    verified.change_phone(ANOTHER)
    sent = {"phoneNumber": ANOTHER, "verified": True}
    refused(verified.change_phone(ANOTHER, verified=True), 401, "UNAUTHORIZED")
    assert admin.ask("PUT", f"/users/{verified.id}/phone-number", sent).status_code == 204
    assert numbers_of(verified) == (ANOTHER, True, None)


def test_it_lets_only_the_user_and_the_admin_change_a_number(kii, unverified):
    erin = kii.sign_up()
    path = f"/users/{unverified.id}/phone-number"
    refused(erin.kii.ask("PUT", path, {"phoneNumber": ANOTHER}), 401, "UNAUTHORIZED")
    refused(kii.ask("PUT", path, {"phoneNumber": ANOTHER}), 401, "UNAUTHORIZED")


def test_it_shows_the_number_in_force(unverified, code_of, admin):
    answer = unverified.ask("GET", "/phone-number")
    assert answer.content_type == vendor("PhoneNumberRetrievalResponse")
    assert answer.json == {"phoneNumber": NUMBER, "verified": False}
    unverified.verify(code_of(unverified))
    assert admin.ask("GET", f"/users/PHONE:{NUMBER}/phone-number").json["verified"] is True


def test_it_says_that_a_user_has_no_number(kii):
    dora = kii.sign_up()
    body = refused(dora.ask("GET", "/phone-number"), 404, "USER_ADDRESS_NOT_FOUND")
    assert (body["userID"], body["appID"]) == (dora.id, kii.app_id)


# --- Two users, one number ----------------------------------------------------------------------------------


def test_it_gives_the_number_to_the_first_who_verifies(clock, kii, unverified, code_of):
    clock.advance(60)
    erin = kii.sign_up(phoneNumber=NUMBER)
    assert erin.verify(code_of(erin)).status_code == 200
    answer = unverified.verify("123456")
    assert answer.status_code in (400, 409)
    assert numbers_of(unverified)[1] is not True
    assert kii.log_in(NUMBER).json["id"] == erin.id


def test_it_tells_that_a_number_is_taken_only_after_the_right_code(clock, kii, verified, code_of):
    clock.advance(60)
    erin = kii.sign_up()
    assert erin.change_phone(NUMBER).status_code == 204
    right = code_of(erin)
    refused(erin.verify(wrong(right)), 403, "INVALID_VERIFICATION_CODE")
    body = refused(erin.verify(right), 409, "USER_ALREADY_EXISTS")
    assert (body["field"], body["value"]) == ("phoneNumber", NUMBER)
    assert numbers_of(erin) == (None, None, NUMBER)
    assert numbers_of(verified) == (NUMBER, True, None)


def test_it_moves_the_number_where_the_app_says_so(clock, kii, verified, code_of, session):
    clock.advance(60)
    session.execute(update(App).where(App.id == kii.app_id).values(number_taken=NumberTaken.MOVE))
    erin = kii.sign_up()
    erin.change_phone(NUMBER)
    assert erin.verify(code_of(erin)).status_code == 200
    assert numbers_of(erin) == (NUMBER, True, None)
    assert numbers_of(verified) == (None, None, None)


# --- Sending again, and codes for administrators ------------------------------------------------------------


def test_it_sends_the_same_code_again_after_a_wait(clock, unverified, code_of):
    code = code_of(unverified)
    answer = unverified.resend()
    assert (answer.status_code, answer.json["reason"]) == (429, "resend_wait")
    assert int(answer.headers["Retry-After"]) == 60
    assert answer.json["nextAllowedAt"] == clock.at + 60_000
    clock.advance(60)
    again = unverified.resend()
    assert (again.status_code, again.data) == (204, b"")
    assert code_of(unverified) == code
    assert unverified.verify(code).status_code == 200


def test_it_resends_by_address_and_for_the_admin(verified, admin, clock):
    verified.change_phone(ANOTHER)
    clock.advance(60)
    path = f"/users/PHONE%3A%2B{NUMBER[1:]}/phone-number/resend-verification"
    assert verified.kii.ask("POST", path).status_code == 204
    clock.advance(60)
    assert admin.ask("POST", path).status_code == 204


def test_it_replaces_the_code_for_the_admin(unverified, admin, code_of):
    old = code_of(unverified)
    answer = admin.ask("POST", f"/users/{unverified.id}/phone-number/reset-verification-code")
    assert answer.status_code == 200
    assert answer.content_type == vendor("ResetVerificationCodeResponse")
    assert set(answer.json) == {"verificationCode"}
    new = answer.json["verificationCode"]
    assert new == code_of(unverified)
    if old != new:
        refused(unverified.verify(old), 403, "INVALID_VERIFICATION_CODE")
    assert unverified.verify(new).status_code == 200


def test_it_has_no_code_to_show_or_replace_once_it_is_spent(verified, admin, kii):
    path = f"/users/{verified.id}/phone-number"
    body = refused(admin.ask("GET", f"{path}/verification-code"), 404, "VERIFICATION_CODE_NOT_FOUND")
    assert (body["userID"], body["appID"]) == (verified.id, kii.app_id)
    refused(admin.ask("POST", f"{path}/reset-verification-code"), 400, "INVALID_ACCOUNT_STATUS")


def test_it_shows_codes_to_administrators_of_sandboxes_only(unverified, admin, session):
    path = f"/users/{unverified.id}/phone-number"
    for method, name in (("GET", "verification-code"), ("POST", "reset-verification-code")):
        refused(unverified.kii.ask(method, f"{path}/{name}"), 401, "UNAUTHORIZED")
    session.execute(update(App).values(mode="live"))
    for method, name in (("GET", "verification-code"), ("POST", "reset-verification-code")):
        refused(admin.ask(method, f"{path}/{name}"), 403, "OPERATION_NOT_SUPPORTED")


# --- A suspended user ---------------------------------------------------------------------------------------


@pytest.fixture
def suspended(unverified, admin):
    """A user whom the administrator disabled before the code came back."""
    body = {"disabled": True}
    path = f"/users/{unverified.id}/status"
    assert admin.ask("PUT", path, body, type=vendor("UserStatusUpdateRequest")).status_code == 204
    return unverified


def test_a_suspended_user_verifies_nothing_by_nobodys_hand(suspended, code_of, admin, clock):
    path, media = f"/users/{suspended.id}/phone-number", vendor("AddressVerificationRequest")
    code = code_of(suspended)
    for typed in (code, wrong(code)):
        answer = admin.ask("POST", f"{path}/verify", {"verificationCode": typed}, type=media)
        assert refused(answer, 401, "USER_DISABLED")["userID"] == suspended.id
    clock.advance(60)
    refused(admin.ask("POST", f"{path}/resend-verification"), 401, "USER_DISABLED")
    back = {"disabled": False}
    status = vendor("UserStatusUpdateRequest")
    assert admin.ask("PUT", f"/users/{suspended.id}/status", back, type=status).status_code == 204
    assert admin.ask("POST", f"{path}/verify", {"verificationCode": code}, type=media).status_code == 200


def test_a_suspended_user_gets_a_number_by_an_admins_word_alone(suspended, admin):
    media, path = vendor("PhoneNumberModificationRequest"), f"/users/{suspended.id}/phone-number"
    refused(admin.ask("PUT", path, {"phoneNumber": ANOTHER}, type=media), 401, "USER_DISABLED")
    vouched = {"phoneNumber": ANOTHER, "verified": True}
    assert admin.ask("PUT", path, vouched, type=media).status_code == 204
    assert admin.ask("GET", f"/users/{suspended.id}").json["phoneNumberVerified"] is True
