"""Users are registered, found, changed, suspended and deleted, each inside its own app and never twice."""

import re

import pytest
from sqlalchemy import func, select

from portal.core import phone_number
from portal.errors import (
    AlreadyExists,
    BadInput,
    NotFound,
    NothingToVerify,
    TooSoon,
    Unauthorized,
    WrongPassword,
    WrongToken,
)
from portal.models import AuditEntry, BearerToken, Message, User, Verification
from portal.services import sms_templates, tokens, users
from portal.services.users import Registration, UserChanges
from tests.services.conftest import Desk
from tests.services.racing import race

FIRST, SECOND, THIRD = "+819012345678", "+819087654321", "+818011112222"


def sign_up(desk: Desk, password_hash: str | None = "hash", caller=None, **record: object) -> User:
    """Registers exactly this record."""
    return desk.do(lambda ctx: users.register(ctx, Registration(**record), password_hash), caller)


def find(desk: Desk, address: str) -> str:
    """The ID of the user that a path names."""
    return desk.do(lambda ctx: users.find(ctx, address)).id


def change(desk: Desk, user_id: str, password_hash: str | None = None, **changes: object) -> User:
    """Updates a user as the user itself."""
    wanted = UserChanges(**changes)
    return desk.do(lambda ctx: users.update(ctx, user_id, wanted, password_hash), desk.as_user(user_id))


def token_of(desk: Desk, user_id: str) -> str:
    """A fresh bearer token of a user."""
    return desk.do(lambda ctx: tokens.issue_to_user(ctx, user_id)).token


def is_good(desk: Desk, token: str) -> bool:
    """Whether a token still opens the app."""
    try:
        desk.do(lambda ctx: tokens.authenticate(ctx.session, desk.app_id, token, ctx.now))
    except WrongToken:
        return False
    return True


def count(desk: Desk, kind: type, user_id: str) -> int:
    """How many rows of a table belong to a user."""
    return desk.rows(select(func.count()).select_from(kind).where(kind.user_id == user_id))[0]


# --- Registering (contract a.4, a.5, b.2) ------------------------------------------------------------


@pytest.mark.parametrize(
    "others",
    [
        {"login_name": "alice"},
        {"email_address": "alice@example.com"},
        {"login_name": "alice", "email_address": "alice@example.com"},
        {"authorizes": True},
    ],
)
def test_a_number_with_a_way_to_log_in_waits_for_its_code(desk, others):
    alice = sign_up(desk, phone_number=FIRST, **others)
    assert desk.number(alice.id) == (FIRST, False, None)
    assert [attempt.state for attempt in desk.attempts(alice.id)] == ["open"]
    assert [message.phone_number for message in desk.messages()] == [FIRST]


def test_a_phone_only_sign_up_that_could_never_log_in_is_refused_and_leaves_nothing(desk):
    with pytest.raises(BadInput) as refused:
        sign_up(desk, phone_number=FIRST)
    assert refused.value.field == "phoneNumber"
    assert "loginName" in refused.value.message
    assert desk.rows(select(User)) == []
    assert desk.messages() == []


def test_with_verification_off_a_number_alone_is_enough(desk):
    desk.set(phone_number_verification_required=False)
    alice = sign_up(desk, phone_number=FIRST)
    assert desk.number(alice.id) == (FIRST, True, None)
    assert desk.user(alice.id).phone_number_verified_at is not None


@pytest.mark.parametrize("others", [{"login_name": "alice"}, {"email_address": "alice@example.com"}])
def test_a_sign_up_without_a_number_sends_nothing(desk, others):
    alice = sign_up(desk, **others)
    assert desk.number(alice.id) == (None, False, None)
    assert desk.messages() == []


def test_a_pseudo_user_has_neither_identifier_nor_password(desk):
    alice = desk.user(sign_up(desk, None, display_name="Alice").id)
    assert (alice.login_name, alice.email_address, alice.phone_number) == (None, None, None)
    assert alice.password_hash is None
    assert alice.display_name == "Alice"


@pytest.mark.parametrize(
    "record",
    [
        {"login_name": "alice"},
        {"email_address": "alice@example.com"},
        {"phone_number": FIRST, "authorizes": True},
    ],
)
def test_whoever_can_be_named_needs_a_password(desk, record):
    with pytest.raises(BadInput) as refused:
        sign_up(desk, None, **record)
    assert refused.value.field == "password"
    assert desk.rows(select(User)) == []


def test_otp_12_only_an_admin_may_register_a_number_as_verified(desk):
    record = {"login_name": "alice", "phone_number": FIRST, "phone_number_verified": True}
    with pytest.raises(Unauthorized):
        sign_up(desk, **record)
    alice = sign_up(desk, caller=desk.as_admin(), **record)
    assert desk.number(alice.id) == (FIRST, True, None)
    assert desk.messages() == []


def test_an_admin_who_does_not_vouch_starts_a_verification_like_everybody(desk):
    alice = sign_up(
        desk, caller=desk.as_admin(), login_name="alice", phone_number=FIRST, phone_number_verified=False
    )
    assert desk.number(alice.id) == (FIRST, False, None)


def test_a_national_number_is_stored_with_its_country_code(desk):
    alice = sign_up(desk, login_name="alice", phone_number="090-1234-5678", country="JP")
    assert desk.user(alice.id).phone_number == FIRST
    assert desk.user(alice.id).phone_country == "JP"


@pytest.mark.parametrize(
    "written",
    ["09012345678", "+81 90", "hello", "+819012345678x5", "+819012345678\n", "\u202a+819012345678", "", "\0"],
)
def test_otp_19_what_is_no_number_is_refused_by_its_field(desk, written):
    with pytest.raises(BadInput) as refused:
        sign_up(desk, login_name="alice", phone_number=written)
    assert refused.value.field == "phoneNumber"
    assert desk.rows(select(User)) == []


@pytest.mark.parametrize(
    ("record", "field", "value"),
    [
        ({"login_name": "alice"}, "loginName", "alice"),
        ({"email_address": "alice@example.com"}, "emailAddress", "alice@example.com"),
        ({"login_name": "phone_number"}, "loginName", "phone_number"),
        ({"email_address": "login_name@example.com"}, "emailAddress", "login_name@example.com"),
        ({"email_address": "phone_number@x.example"}, "emailAddress", "phone_number@x.example"),
    ],
)
def test_a_name_or_address_has_one_holder_and_the_refusal_says_which(desk, record, field, value):
    sign_up(desk, **record)
    with pytest.raises(AlreadyExists) as refused:
        sign_up(desk, **record)
    assert (refused.value.field, refused.value.details["value"]) == (field, value)
    assert len(desk.rows(select(User))) == 1


def test_a_duplicate_number_is_refused_at_once_only_while_verification_is_off(desk, clock):
    sign_up(desk, login_name="alice", phone_number=FIRST)
    clock.advance(60)
    sign_up(desk, login_name="bob", phone_number=FIRST)
    desk.set(phone_number_verification_required=False)
    sign_up(desk, login_name="charlie", phone_number=FIRST)
    with pytest.raises(AlreadyExists) as refused:
        sign_up(desk, login_name="dora", phone_number=FIRST)
    assert refused.value.field == "phoneNumber"


def test_ten_04_the_same_names_in_two_apps_are_two_users(desk, transaction, keys):
    other = Desk(transaction, keys)
    record = {"login_name": "alice", "email_address": "alice@example.com", "phone_number": FIRST}
    here, there = sign_up(desk, **record), sign_up(other, **record)
    assert here.id != there.id
    for address in ("LOGIN_NAME:alice", "EMAIL:alice@example.com"):
        assert (find(desk, address), find(other, address)) == (here.id, there.id)


def test_enu_05_user_ids_are_random_and_look_like_kiis(desk):
    ids = {users.new_user_id() for _ in range(1_000)}
    assert len(ids) == 1_000
    assert all(re.fullmatch(r"[0-9a-f]{12}(-[0-9a-f]{4}){3}-[0-9a-f]{8}", each) for each in ids)


def spellings() -> list[str]:
    """Twenty ways to write the first number, each of which the number field takes."""
    wide = FIRST.translate({ord(c): ord(c) + 0xFEE0 for c in "+0123456789"})
    arabic = FIRST.translate({ord(str(digit)): 0x660 + digit for digit in range(10)})
    groups = ["+81", "90", "1234", "5678"]
    separators = [" ", "-", ".", "\u00a0", "\u2009", "\u3000", "‑", "–", "—", "−", "－", "ー", "  "]
    others = [
        FIRST,
        wide,
        arabic,
        "+81(90)1234-5678",
        "+81 (0)90 1234 5678",
        "+8109012345678",
        "+81 90 12345678",
    ]
    return others + [separator.join(groups) for separator in separators]


def test_otp_19_twenty_spellings_are_one_number_one_user_and_one_wait(desk, clock):
    assert len(set(spellings())) == 20
    alice = sign_up(desk, login_name="alice", phone_number=spellings()[0])
    for written in spellings()[1:]:
        with pytest.raises(TooSoon):
            sign_up(desk, login_name="bob", phone_number=written)
    clock.advance(60)
    desk.confirm(alice.id, desk.code(alice.id))
    for written in spellings():
        assert phone_number.parse(written).e164 == FIRST
        assert find(desk, f"PHONE:{written}") == alice.id
    assert len(desk.messages(FIRST)) == 1


# --- Finding (contract a.3, b.1) -------------------------------------------------------------------


def test_a_user_is_found_by_every_name_it_has(desk):
    alice = sign_up(desk, login_name="alice", email_address="alice@example.com", phone_number=FIRST)
    desk.confirm(alice.id, desk.code(alice.id))
    addresses = ["LOGIN_NAME:alice", "EMAIL:alice@example.com", "EMAIL:ALICE@Example.com"]
    for address in [alice.id, *addresses, f"PHONE:{FIRST}", "PHONE:JP-9012345678"]:
        assert find(desk, address) == alice.id


@pytest.mark.parametrize(
    ("address", "field"),
    [
        ("alice", "userID"),
        ("LOGIN_NAME:Alice", "loginName"),
        ("LOGIN_NAME:alice ", "loginName"),
        ("EMAIL:bob@example.com", "emailAddress"),
        ("EMAIL:%", "emailAddress"),
        ("PHONE:09012345678", "phoneNumber"),
        ("PHONE:", "phoneNumber"),
        ("PHONE:hello", "phoneNumber"),
        ("", "userID"),
    ],
)
def test_nobody_else_is_found_and_the_refusal_names_the_field(desk, address, field):
    sign_up(desk, login_name="alice", email_address="alice@example.com")
    with pytest.raises(NotFound) as refused:
        find(desk, address)
    assert refused.value.kind == "user"
    assert refused.value.details["field"] == field


def test_a_number_that_is_unverified_or_pending_finds_nobody(desk):
    alice = desk.verified("alice", FIRST)
    desk.change(alice, SECOND)
    desk.register("bob", THIRD)
    assert find(desk, f"PHONE:{FIRST}") == alice
    for number in (SECOND, THIRD):
        with pytest.raises(NotFound):
            find(desk, f"PHONE:{number}")


def test_ten_02_a_user_of_another_app_is_not_there_for_any_verb(desk, transaction, keys):
    other = Desk(transaction, keys)
    alice = desk.register("alice")
    for verb in (
        lambda ctx: users.get(ctx, alice),
        lambda ctx: users.find(ctx, "LOGIN_NAME:alice"),
        lambda ctx: users.update(ctx, alice, UserChanges(display_name="X")),
        lambda ctx: users.change_email(ctx, alice, "x@example.com"),
        lambda ctx: users.set_disabled(ctx, alice, True),
        lambda ctx: users.delete(ctx, alice),
    ):
        with pytest.raises(NotFound):
            other.do(verb)
    with pytest.raises(WrongPassword):
        other.do(lambda ctx: users.change_password(ctx, alice, "hash", "new"))
    assert (desk.user(alice).display_name, desk.user(alice).disabled) == (None, False)
    assert desk.user(alice).password_hash == "hash"


# --- Changing --------------------------------------------------------------------------------------


def test_an_update_changes_what_it_names_keeps_the_rest_and_replaces_custom_fields(desk, clock):
    alice = sign_up(desk, login_name="alice", display_name="Alice", custom_fields={"a": 1, "b": [2]}).id
    clock.advance(5)
    change(desk, alice, country="GB", custom_fields={"c": {"d": None}})
    user = desk.user(alice)
    assert (user.login_name, user.display_name, user.country) == ("alice", "Alice", "GB")
    assert user.custom_fields == {"c": {"d": None}}
    assert user.modified_at == clock.now() == user.created_at + 5_000


def test_a_number_in_an_update_waits_for_its_code_like_any_change(desk):
    alice = desk.verified("alice", FIRST)
    change(desk, alice, phone_number="080-1111-2222", country="JP")
    assert desk.number(alice) == (FIRST, True, THIRD)
    assert desk.messages(THIRD)[0].purpose == "verification"


def test_an_update_with_a_bad_number_changes_nothing_at_all(desk):
    alice = desk.register("alice", None)
    with pytest.raises(BadInput):
        change(desk, alice, display_name="Alicia", phone_number="+44 7400 123456")
    assert desk.user(alice).display_name is None
    assert desk.messages() == []


def test_an_update_cannot_take_the_name_of_somebody_else(desk):
    desk.register("alice", None)
    bob = desk.register("bob", None)
    with pytest.raises(AlreadyExists) as refused:
        change(desk, bob, login_name="alice", display_name="Bob")
    assert refused.value.field == "loginName"
    assert (desk.user(bob).login_name, desk.user(bob).display_name) == ("bob", None)


def test_a_pseudo_user_becomes_a_normal_one_with_a_name_and_a_password(desk):
    alice = sign_up(desk, None).id
    change(desk, alice, "hash", login_name="alice")
    assert (desk.user(alice).login_name, desk.user(alice).password_hash) == ("alice", "hash")


def test_a_pseudo_user_gets_no_password_without_a_name(desk):
    alice = sign_up(desk, None).id
    with pytest.raises(BadInput):
        change(desk, alice, "hash", display_name="Alice")
    assert desk.user(alice).password_hash is None


def test_an_update_never_replaces_a_password(desk):
    alice = desk.register("alice", None)
    with pytest.raises(BadInput) as refused:
        change(desk, alice, "other", login_name="alice")
    assert refused.value.field == "password"
    assert desk.user(alice).password_hash == "hash"


def test_an_email_address_changes_at_once_and_has_one_holder(desk):
    alice, bob = desk.register("alice", None), desk.register("bob", None)
    desk.do(lambda ctx: users.change_email(ctx, alice, "alice@example.com"))
    assert find(desk, "EMAIL:alice@example.com") == alice
    with pytest.raises(AlreadyExists) as refused:
        desk.do(lambda ctx: users.change_email(ctx, bob, "alice@example.com"))
    assert refused.value.field == "emailAddress"


def test_a_change_of_password_ends_every_token_of_that_user_only(desk):
    alice, bob = desk.register("alice", None), desk.register("bob", None)
    hers, his = [token_of(desk, alice), token_of(desk, alice)], token_of(desk, bob)
    desk.do(lambda ctx: users.change_password(ctx, alice, "hash", "new"))
    assert [is_good(desk, token) for token in (*hers, his)] == [False, False, True]
    assert desk.user(alice).password_hash == "new"


def test_a_password_that_changed_in_between_is_the_wrong_one(desk):
    alice = desk.register("alice", None)
    token = token_of(desk, alice)
    with pytest.raises(WrongPassword):
        desk.do(lambda ctx: users.change_password(ctx, alice, "older", "new"))
    assert desk.user(alice).password_hash == "hash"
    assert is_good(desk, token)


def test_disabling_ends_tokens_and_enabling_brings_none_back(desk):
    alice = desk.register("alice", None)
    token = token_of(desk, alice)
    desk.do(lambda ctx: users.set_disabled(ctx, alice, True))
    assert desk.user(alice).disabled
    assert find(desk, "LOGIN_NAME:alice") == alice, "look-ups still find a disabled user (contract a.3)"
    desk.do(lambda ctx: users.set_disabled(ctx, alice, False))
    assert not desk.user(alice).disabled
    assert not is_good(desk, token)


# --- Deleting --------------------------------------------------------------------------------------


def test_deleting_takes_tokens_verifications_and_messages_along_and_keeps_the_audit(desk):
    alice = desk.verified("alice", FIRST)
    token_of(desk, alice)
    desk.change(alice, SECOND)
    kinds = (BearerToken, Verification, Message)
    assert all(count(desk, kind, alice) for kind in kinds)
    desk.do(lambda ctx: users.delete(ctx, alice))
    assert [count(desk, kind, alice) for kind in kinds] == [0, 0, 0]
    assert desk.rows(select(User)) == []
    actions = desk.rows(select(AuditEntry.action).where(AuditEntry.user_id == alice))
    assert actions[0] == "user.registered"
    assert actions[-1] == "user.deleted"


def test_a_deleted_user_is_gone_for_every_verb_and_its_names_are_free(desk, clock):
    alice = desk.verified("alice", FIRST)
    desk.do(lambda ctx: users.delete(ctx, alice))
    for verb in (users.get, users.delete):
        with pytest.raises(NotFound):
            desk.do(lambda ctx, verb=verb: verb(ctx, alice))
    with pytest.raises(NothingToVerify):
        desk.confirm(alice, "000000")
    clock.advance(60)
    again = desk.verified("alice", FIRST)
    assert desk.number(again) == (FIRST, True, None)


def test_deleting_one_user_leaves_the_others_alone(desk):
    alice, bob = desk.verified("alice", FIRST), desk.verified("bob", SECOND)
    token = token_of(desk, bob)
    desk.do(lambda ctx: users.delete(ctx, alice))
    assert desk.number(bob) == (SECOND, True, None)
    assert is_good(desk, token)


# --- At once ---------------------------------------------------------------------------------------


def test_of_many_who_register_one_name_at_once_one_gets_it(settings, transaction, keys):
    desk = Desk(transaction, keys)
    calls = [("register", "alice", f"+8190{10_000_000 + place}") for place in range(24)]
    endings = race(settings, desk.app_id, calls, processes=2)
    assert endings == {"done": 1, "AlreadyExists": 23}
    assert len(desk.rows(select(User))) == len(desk.messages()) == 1


def test_otp_16_of_many_who_register_one_number_at_once_with_the_switch_off_one_gets_it(
    settings, transaction, keys
):
    desk = Desk(transaction, keys)
    desk.set(phone_number_verification_required=False)
    calls = [("register", f"user{place}", FIRST) for place in range(24)]
    endings = race(settings, desk.app_id, calls, processes=2)
    assert endings == {"done": 1, "AlreadyExists": 23}
    holders = select(func.count()).where(User.phone_number == FIRST, User.phone_number_verified)
    assert desk.rows(holders) == [1]


def test_an_update_of_number_and_locale_words_the_sms_in_the_new_locale(desk):
    desk.do(lambda ctx: sms_templates.save(ctx, "ja", "コード{code}"))
    alice = desk.verified("alice", "+819012345678")
    changes = UserChanges(phone_number="+819087654321", locale="ja-JP")
    desk.do(lambda ctx: users.update(ctx, alice, changes), desk.as_user(alice))

    assert desk.messages("+819087654321")[-1].locale == "ja"


def test_an_update_that_names_the_waiting_number_again_words_its_sms_in_the_new_locale(desk, clock):
    desk.do(lambda ctx: sms_templates.save(ctx, "ja", "コード{code}"))
    alice = desk.verified("alice", "+819012345678")
    desk.change(alice, "+819087654321")
    clock.advance(60)
    changes = UserChanges(phone_number="+819087654321", locale="ja-JP")
    desk.do(lambda ctx: users.update(ctx, alice, changes), desk.as_user(alice))

    assert [each.locale for each in desk.messages("+819087654321")] == ["en", "ja"]


def test_an_admin_may_send_a_suspended_users_record_back_as_it_is(desk):
    alice = desk.register("alice", "+819012345678")
    desk.do(lambda ctx: users.set_disabled(ctx, alice, True))
    changes = UserChanges(phone_number="+819012345678", display_name="Alice")
    desk.do(lambda ctx: users.update(ctx, alice, changes), desk.as_admin())
    assert desk.user(alice).display_name == "Alice"
    assert len(desk.messages("+819012345678")) == 1
