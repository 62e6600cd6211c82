"""Users: sign-up, reading, changing, deleting (contract a.1, a.4, a.5, b.2, b.5)."""

import json

import pytest

from tests.api.conftest import ANOTHER, NUMBER
from tests.drivers import PASSWORD, vendor

FULL = {"userID", "loginName", "phoneNumber", "phoneNumberVerified", "_hasPassword", "_disabled"}
FULL |= {"createdAt", "modifiedAt"}


def refused(answer, status, code):
    assert (answer.status_code, answer.json["errorCode"]) == (status, code), answer.get_data(as_text=True)
    return answer.json


# --- Sign-up ------------------------------------------------------------------------------------------------


def test_it_registers_with_the_contract_answer(kii):
    answer = kii.register(loginName="dora", password=PASSWORD, phoneNumber=NUMBER)
    assert answer.status_code == 201
    assert answer.content_type == vendor("RegistrationResponse")
    assert answer.headers["Location"].endswith(f"/apps/{kii.app_id}/users/{answer.json['userID']}")
    assert set(answer.json) == FULL
    assert (answer.json["phoneNumber"], answer.json["phoneNumberVerified"]) == (NUMBER, False)


def test_it_shows_the_same_record_at_sign_up_and_later(kii):
    fields = {"displayName": "ドラ", "country": "jp", "locale": "ja_jp", "emailAddress": "Dora@Example.com"}
    answer = kii.register(
        "RegistrationAndAuthorizationRequest",
        loginName="dora",
        password=PASSWORD,
        phoneNumber=NUMBER,
        score={"best": [1, None, "x"]},
        **fields,
    )
    record = dict(answer.json)
    token = record.pop("_accessToken")
    later = kii.holding(token).ask("GET", f"/users/{record['userID']}")
    assert later.content_type == vendor("UserDataRetrievalResponse")
    assert later.json == record
    assert (record["country"], record["locale"]) == ("JP", "ja-JP")
    assert (record["emailAddress"], record["emailAddressVerified"]) == ("dora@example.com", True)
    assert (record["displayName"], record["score"]) == ("ドラ", {"best": [1, None, "x"]})


def test_it_has_no_key_for_what_a_user_does_not_have(kii):
    record = kii.sign_up(loginName="dora").refresh()
    assert set(record) == FULL - {"phoneNumber", "phoneNumberVerified"}


def test_it_makes_a_pseudo_user_from_nothing(kii):
    answer = kii.register("RegistrationAndAuthorizationRequest", displayName="p")
    assert answer.status_code == 201
    assert answer.json["_hasPassword"] is False
    record = kii.holding(answer.json["_accessToken"]).ask("GET", "/users/me").json
    assert record == {name: value for name, value in answer.json.items() if name != "_accessToken"}


def test_it_turns_a_pseudo_user_into_a_normal_one(kii, code_of):
    answer = kii.register("RegistrationAndAuthorizationRequest")
    mine = kii.holding(answer.json["_accessToken"])
    sent = {"_accessToken": mine.token, "internalUserID": 148478248144076800, "loginName": "dora"}
    sent |= {"phoneNumber": NUMBER, "password": PASSWORD}
    updated = mine.ask("POST", "/users/me", sent, type=vendor("UserUpdateRequest"))
    assert updated.status_code == 200, updated.get_data(as_text=True)
    record = mine.ask("GET", "/users/me").json
    assert record["_hasPassword"] is True
    assert record["_phoneNumberPending"] == NUMBER
    assert not {"phoneNumber", "internalUserID", "_accessToken"} & set(record)
    assert kii.log_in("dora").status_code == 200


def test_it_registers_by_plain_json_and_in_the_admins_name(kii, admin):
    fields = {"loginName": "dora", "password": PASSWORD}
    assert kii.ask("POST", "/users", fields).status_code == 201
    vouched = admin.register(
        loginName="erin", password=PASSWORD, phoneNumber=NUMBER, phoneNumberVerified=True
    )
    assert vouched.json["phoneNumberVerified"] is True
    assert kii.log_in(NUMBER).status_code == 200


def test_it_gives_a_refresh_token_with_the_sign_up_where_they_are_on(kii, switch):
    switch("refreshTokenEnabled", True)
    answer = kii.register("RegistrationAndAuthorizationRequest", loginName="dora", password=PASSWORD)
    assert answer.json["_refreshToken"]


def test_it_takes_a_national_number_with_its_country(kii):
    record = kii.register(loginName="dora", password=PASSWORD, phoneNumber="090 1234-5678", country="JP").json
    assert record["phoneNumber"] == NUMBER
    body = refused(
        kii.register(loginName="erin", password=PASSWORD, phoneNumber="09012345678"),
        400,
        "INVALID_INPUT_DATA",
    )
    assert body["field"] == "phoneNumber"


def test_it_verifies_at_once_while_the_switch_is_off(kii, switch):
    switch("phoneNumberVerificationRequired", False)
    record = kii.register(password=PASSWORD, phoneNumber=NUMBER).json
    assert record["phoneNumberVerified"] is True
    assert kii.log_in(NUMBER).json["id"] == record["userID"]
    body = refused(kii.register(password=PASSWORD, phoneNumber=NUMBER), 409, "USER_ALREADY_EXISTS")
    assert (body["field"], body["value"]) == ("phoneNumber", NUMBER)
    assert body["message"] == f"User with phoneNumber {NUMBER} already exists"


def test_it_refuses_a_phone_only_sign_up_that_could_never_log_in(kii):
    body = refused(kii.register(password=PASSWORD, phoneNumber=NUMBER), 400, "INVALID_INPUT_DATA")
    assert body["field"] == "phoneNumber"
    answer = kii.register("RegistrationAndAuthorizationRequest", password=PASSWORD, phoneNumber=NUMBER)
    assert answer.status_code == 201
    assert answer.json["phoneNumberVerified"] is False


def test_it_refuses_a_sign_up_that_names_nobody(kii):
    for kind in ("RegistrationRequest", "RegistrationAndAuthorizationRequest"):
        refused(kii.register(kind, password=PASSWORD), 400, "NO_ACCOUNT_PROVIDED")
    refused(kii.register(displayName="p"), 400, "NO_ACCOUNT_PROVIDED")


def test_it_refuses_a_name_and_an_address_that_are_taken(kii):
    kii.sign_up(loginName="dora", emailAddress="dora@example.com")
    body = refused(kii.register(loginName="dora", password=PASSWORD), 409, "USER_ALREADY_EXISTS")
    assert (body["field"], body["value"]) == ("loginName", "dora")
    assert body["message"] == "User with loginName dora already exists"
    again = kii.register(loginName="erin", password=PASSWORD, emailAddress="DORA@example.com")
    assert refused(again, 409, "USER_ALREADY_EXISTS")["field"] == "emailAddress"


def test_enu_01_it_signs_up_alike_with_a_free_an_unverified_and_a_taken_number(clock, kii, verified):
    kii.sign_up(loginName="erin", phoneNumber=ANOTHER)
    clock.advance(60)
    answers = [
        kii.register(loginName=f"user{place}", password=PASSWORD, phoneNumber=number)
        for place, number in enumerate((NUMBER, ANOTHER, "+819077776666"))
    ]
    assert {answer.status_code for answer in answers} == {201}
    shapes = {
        (frozenset(answer.json), len(answer.data), frozenset(answer.headers.keys())) for answer in answers
    }
    assert len(shapes) == 1


OUT_OF_LIMITS = [
    ("loginName", "ab"),
    ("loginName", "a" * 65),
    ("loginName", "dora x"),
    ("loginName", "dora\n"),
    ("loginName", "ドラえもん"),
    ("loginName", 12345),
    ("password", "p" * 51),
    ("password", "pässword"),
    ("password", "pass\tword"),
    ("password", 12345),
    ("displayName", ""),
    ("displayName", "d" * 51),
    ("displayName", "d\u202ed"),
    ("country", "JPN"),
    ("country", "日本"),
    ("locale", "english!"),
    ("locale", ""),
    ("emailAddress", "dora"),
    ("emailAddress", "a@b@c"),
    ("emailAddress", "@example.com"),
    ("emailAddress", "a" * 300 + "@example.com"),
    ("phoneNumber", ""),
    ("phoneNumber", 819012345678),
    ("phoneNumber", ["+819012345678"]),
    ("phoneNumberVerified", "true"),
]


def test_it_refuses_a_field_out_of_its_limits_and_names_it(kii):
    for field, value in OUT_OF_LIMITS:
        sent = {"loginName": "dora", "password": PASSWORD, field: value}
        body = refused(kii.register(**sent), 400, "INVALID_INPUT_DATA")
        assert body["field"] == field
        assert body["message"]


def test_it_says_so_when_a_password_is_too_short(kii):
    answer = kii.register(loginName="dora", password="abc")
    assert refused(answer, 400, "PASSWORD_TOO_SHORT")["minimumLength"] == 4
    assert answer.content_type == vendor("PasswordTooShortException")


SPELLINGS = [
    "+81 90 1234 5678",
    " +819012345678 ",
    "+81-90-1234-5678",
    "+81.90.1234.5678",
    "+81 (0)90 1234 5678",
    "＋８１９０１２３４５６７８",
    "+٨١٩٠١٢٣٤٥٦٧٨",
]


def test_otp_19_it_stores_one_number_for_all_its_spellings(kii, clock):
    for place, spelling in enumerate(SPELLINGS):
        clock.advance(600)
        answer = kii.register(loginName=f"user{place}", password=PASSWORD, phoneNumber=spelling)
        assert answer.json["phoneNumber"] == NUMBER


NO_BARE_NUMBERS = [
    "+819012345678x5",
    "+819012345678;ext=5",
    "+819012345678,,5",
    "+1800CALLNOW",
    "\u202a+819012345678",
    "+8190\u200b12345678",
    "+819012345678\n",
    "tel:+819012345678;phone-context=evil.example",
    "00819012345678",
    "+81" + "9" * 30,
]


def test_otp_19_it_refuses_what_is_no_bare_number(kii):
    for spelling in NO_BARE_NUMBERS:
        answer = kii.register(loginName="dora", password=PASSWORD, phoneNumber=spelling)
        assert refused(answer, 400, "INVALID_INPUT_DATA")["field"] == "phoneNumber"


def test_it_refuses_a_number_of_a_closed_country_with_the_reason(kii):
    answer = kii.register(loginName="dora", password=PASSWORD, phoneNumber="+14155552671")
    body = refused(answer, 400, "INVALID_INPUT_DATA")
    assert (body["field"], body["reason"]) == ("phoneNumber", "country_closed")


def test_otp_12_it_lets_nobody_call_a_number_verified(kii):
    for name in (
        "phone_verified",
        "is_verified",
        "bypass",
        "otp",
        "attempts",
        "app_id",
        "verified",
        "status",
    ):
        answer = kii.register(loginName=f"u.{name}", password=PASSWORD, phoneNumber=NUMBER, **{name: True})
        assert answer.json.get("phoneNumberVerified") is not True
    refused(
        kii.register(loginName="dora", password=PASSWORD, phoneNumber=NUMBER, phoneNumberVerified=True),
        401,
        "UNAUTHORIZED",
    )
    assert kii.log_in(NUMBER).status_code == 400


# --- Reading ------------------------------------------------------------------------------------------------


def test_it_finds_a_user_in_every_way_to_name_one(kii, code_of):
    dora = kii.sign_up(loginName="dora", emailAddress="dora@example.com", phoneNumber=NUMBER)
    dora.verify(code_of(dora))
    for name in (
        "me",
        dora.id,
        "LOGIN_NAME:dora",
        "EMAIL:Dora@example.com",
        "EMAIL%3Adora%40example.com",
        f"PHONE:{NUMBER}",
        f"PHONE%3A%2B{NUMBER[1:]}",
    ):
        answer = dora.kii.ask("GET", f"/users/{name}?disable_cache=1")
        assert (answer.status_code, answer.json["userID"]) == (200, dora.id)


@pytest.mark.parametrize(
    ("name", "field", "value"),
    [
        ("nobody", "userID", "nobody"),
        ("LOGIN_NAME:nobody", "loginName", "nobody"),
        ("EMAIL:no@example.com", "emailAddress", "no@example.com"),
        (f"PHONE:{NUMBER}", "phoneNumber", NUMBER),
        ("PHONE:rubbish", "phoneNumber", "rubbish"),
        ("%00", "userID", "\0"),
        ("LOGIN_NAME:%00", "loginName", "\0"),
        ("%FF%FE", "userID", "\ufffd\ufffd"),
    ],
)
def test_it_says_who_was_not_found(kii, unverified, name, field, value):
    answer = unverified.kii.ask("GET", f"/users/{name}")
    body = refused(answer, 404, "USER_NOT_FOUND")
    assert (body["field"], body["value"], body["appID"]) == (field, value, kii.app_id)
    assert answer.content_type == vendor("UserNotFoundException")


def test_it_refuses_an_unknown_way_to_name_a_user(kii):
    refused(kii.sign_up().kii.ask("GET", "/users/FACEBOOK:1"), 400, "ACCOUNT_TYPE_NOT_SUPPORTED")


def test_it_shows_others_little_until_the_app_exposes_users(kii, verified, switch):
    erin = kii.sign_up(loginName="erin")
    found = erin.kii.ask("GET", f"/users/PHONE:{NUMBER}")
    assert set(found.json) == {"userID", "loginName", "_disabled"}
    assert erin.kii.ask("GET", f"/users/{verified.id}/phone-number").status_code == 401
    switch("exposeFullUserDataToOthers", True)
    assert set(erin.kii.ask("GET", f"/users/{verified.id}").json) == FULL
    assert erin.kii.ask("GET", f"/users/{verified.id}/phone-number").json["phoneNumber"] == NUMBER


def test_it_shows_the_admin_everything_and_the_app_nothing(kii, admin, unverified):
    assert set(admin.ask("GET", f"/users/{unverified.id}").json) == FULL
    refused(kii.ask("GET", f"/users/{unverified.id}"), 401, "UNAUTHORIZED")
    refused(admin.ask("GET", "/users/me"), 401, "UNAUTHORIZED")


# --- Changing -----------------------------------------------------------------------------------------------


def test_it_changes_named_fields_and_replaces_custom_ones(kii):
    dora = kii.sign_up(displayName="Dora", country="JP", score=1, level=2)
    answer = dora.update(locale="ja", score=3)
    assert answer.status_code == 200
    assert answer.content_type == vendor("UserUpdateResponse")
    record = dora.refresh()
    assert answer.json == {"modifiedAt": record["modifiedAt"]}
    assert (record["displayName"], record["country"], record["locale"]) == ("Dora", "JP", "ja")
    assert record["score"] == 3
    assert "level" not in record


def test_it_ignores_what_the_sdk_sends_back(kii, unverified):
    before = unverified.refresh()
    echoed = before | {"internalUserID": 2**60, "_accessToken": "secret", "_disabled": True, "userID": "x"}
    echoed |= {"phoneNumberVerified": True, "createdAt": 1, "id": "y", "_thirdPartyAccounts": {}}
    del echoed["phoneNumber"]
    assert unverified.update(**echoed).status_code == 200
    after = unverified.refresh()
    assert {**after, "modifiedAt": 0} == {**before, "modifiedAt": 0}


def test_it_starts_a_change_of_number_from_a_general_update(kii, verified, code_of):
    assert verified.update(phoneNumber="09099998888", country="JP").status_code == 200
    record = verified.refresh()
    assert (record["phoneNumber"], record["phoneNumberVerified"]) == (NUMBER, True)
    assert record["_phoneNumberPending"] == ANOTHER
    assert verified.verify(code_of(verified)).status_code == 200
    assert verified.refresh()["phoneNumber"] == ANOTHER


def test_it_refuses_a_second_password_and_a_taken_name(kii):
    dora, _erin = kii.sign_up(), kii.sign_up(loginName="erin")
    refused(dora.update(password="another1"), 400, "INVALID_INPUT_DATA")
    body = refused(dora.update(loginName="erin"), 409, "USER_ALREADY_EXISTS")
    assert (body["field"], body["value"]) == ("loginName", "erin")


def test_it_lets_the_admin_change_a_user_and_nobody_else(kii, admin, unverified):
    sent = {"displayName": "Dora"}
    assert admin.ask("POST", f"/users/{unverified.id}", sent).status_code == 200
    erin = kii.sign_up()
    body = refused(erin.kii.ask("POST", f"/users/{unverified.id}", sent), 401, "UNAUTHORIZED")
    assert (body["authenticatedAppID"], body["authenticatedPrincipalID"]) == (kii.app_id, erin.id)
    refused(kii.ask("POST", f"/users/{unverified.id}", sent), 401, "UNAUTHORIZED")


def test_it_keeps_63_kb_of_custom_fields_and_no_more(kii):
    dora = kii.sign_up()
    assert dora.update(text="x" * (63 * 1024 - 11)).status_code == 200
    assert len(json.dumps({"text": dora.refresh()["text"]}, separators=(",", ":"))) == 63 * 1024
    refused(dora.update(text="x" * (63 * 1024 - 10)), 400, "INVALID_INPUT_DATA")
    refused(kii.register(loginName="erin", password=PASSWORD, text="x" * 65_000), 400, "INVALID_INPUT_DATA")


def test_it_does_not_store_names_that_begin_with_an_underscore(kii):
    assert "_mine" not in kii.sign_up(_mine=1, mine=2).refresh()


# --- Deleting -----------------------------------------------------------------------------------------------


def test_it_deletes_a_user_with_its_tokens(kii, admin):
    dora, erin = kii.sign_up(), kii.sign_up()
    refused(erin.kii.ask("DELETE", f"/users/{dora.id}"), 401, "UNAUTHORIZED")
    gone = dora.ask("DELETE")
    assert (gone.status_code, gone.data) == (204, b"")
    refused(dora.ask("GET"), 403, "WRONG_TOKEN")
    refused(admin.ask("GET", f"/users/{dora.id}"), 404, "USER_NOT_FOUND")
    assert admin.ask("DELETE", f"/users/{erin.id}").status_code == 204
    refused(admin.ask("DELETE", f"/users/{erin.id}"), 404, "USER_NOT_FOUND")
