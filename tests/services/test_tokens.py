"""A token is given to whoever may log in, works in its own app until its end, and is kept only as a hash."""

import threading
import time
from hashlib import sha256

import pytest
from sqlalchemy import select

from portal.errors import BadInput, InvalidGrant, NotFound, WrongToken
from portal.models import AccessKey, ActorKind, BearerToken, KeyKind
from portal.services import access_keys, apps, tokens, users
from portal.services.context import Caller
from portal.services.tokens import Issued, LoginCandidate
from portal.services.users import Registration
from tests.services.conftest import Desk

FIRST, SECOND, THIRD = "+819012345678", "+819087654321", "+818011112222"
HOUR_S, LONGEST_S = 3600, 2_147_483_640


@pytest.fixture
def alice(desk) -> str:
    """A user with a login name, an e-mail address and a verified number."""
    record = Registration(login_name="alice", email_address="alice@example.com", phone_number=FIRST)
    user_id = desk.do(lambda ctx: users.register(ctx, record, "hash").id)
    desk.confirm(user_id, desk.code(user_id))
    return user_id


def candidate(desk: Desk, username: str) -> LoginCandidate:
    """Whom a username names."""
    return desk.do(lambda ctx: tokens.find_login(ctx.session, desk.app_id, username))


def log_in(desk: Desk, username: str = "alice", expires_at: int | None = None, new_hash=None) -> Issued:
    """A login whose password was right."""
    found = candidate(desk, username)
    return desk.do(lambda ctx: tokens.log_in(ctx, found, expires_at, new_hash))


def holder(desk: Desk, token: str) -> Caller:
    """Who holds a token."""
    return desk.do(lambda ctx: tokens.authenticate(ctx.session, desk.app_id, token, ctx.now))


def is_good(desk: Desk, token: str) -> bool:
    """Whether a token opens the desk's app."""
    try:
        holder(desk, token)
    except WrongToken:
        return False
    return True


# --- Who may log in (contract a.3, b.4) ------------------------------------------------------------


@pytest.mark.parametrize(
    "username",
    [
        "alice",
        "alice@example.com",
        "ALICE@Example.com",
        "EMAIL:alice@example.com",
        "EMAIL:Alice@Example.Com",
        "+819012345678",
        "+81 90-1234-5678",
        "PHONE:+819012345678",
        "PHONE:JP-9012345678",
        "PHONE:jp-09012345678",
    ],
)
def test_every_form_of_a_username_names_its_user(desk, alice, username):
    assert candidate(desk, username) == LoginCandidate(alice, "hash", False)


@pytest.mark.parametrize(
    "username",
    [
        "Alice",
        "alice ",
        "",
        "09012345678",
        "9012345678",
        "PHONE:09012345678",
        "PHONE:alice",
        "EMAIL:alice",
        "LOGIN_NAME:alice",
        "bob",
        "%",
        "alice' --",
        "😀",
    ],
)
def test_enu_01_anything_else_names_nobody(desk, alice, username):
    assert candidate(desk, username) == LoginCandidate()


def test_a_user_id_is_no_username(desk, alice):
    assert candidate(desk, alice) == LoginCandidate()


def test_a_number_that_is_unverified_or_pending_logs_nobody_in(desk, alice):
    desk.change(alice, SECOND)
    desk.register("bob", THIRD)
    for number in (SECOND, THIRD):
        for username in (number, f"PHONE:{number}"):
            assert candidate(desk, username) == LoginCandidate()
    assert candidate(desk, FIRST).user_id == alice, "the old number logs in until the new one is proven"
    assert candidate(desk, "bob").user_id is not None


def test_after_a_change_the_new_number_logs_in_and_the_old_one_does_not(desk, alice):
    desk.change(alice, SECOND)
    desk.confirm(alice, desk.code(alice))
    assert candidate(desk, SECOND).user_id == alice
    assert candidate(desk, FIRST) == LoginCandidate()


def test_a_login_name_beats_an_address_and_an_address_a_number(desk, alice):
    bob = Registration(login_name=FIRST, email_address="bob@example.com")
    charlie = Registration(login_name="bob@example.com")
    bob_id, charlie_id = (
        desk.do(lambda ctx, each=each: users.register(ctx, each, "hash").id) for each in (bob, charlie)
    )
    assert candidate(desk, FIRST).user_id == bob_id
    assert candidate(desk, "bob@example.com").user_id == charlie_id
    assert candidate(desk, f"PHONE:{FIRST}").user_id == alice
    assert candidate(desk, "EMAIL:bob@example.com").user_id == bob_id


def test_ten_04_a_username_of_one_app_names_nobody_in_another(desk, alice, transaction, keys):
    other = Desk(transaction, keys)
    for username in ("alice", "alice@example.com", FIRST):
        assert candidate(other, username) == LoginCandidate()


# --- Logging in ------------------------------------------------------------------------------------


def test_a_login_gives_a_token_of_that_user(desk, alice):
    issued = log_in(desk)
    assert issued.id == alice
    assert issued.refresh_token is None
    assert holder(desk, issued.token) == Caller(ActorKind.USER, desk.app_id, alice)


def test_every_login_gives_another_token_and_the_former_stay_good(desk, alice):
    issued = [log_in(desk).token for _ in range(3)]
    assert len(set(issued)) == 3
    assert all(is_good(desk, token) for token in issued)
    assert all(len(token) >= 43 for token in issued), "256 random bits in base64"


@pytest.mark.parametrize(
    "meanwhile",
    [
        lambda ctx, alice: users.set_disabled(ctx, alice, True),
        lambda ctx, alice: users.delete(ctx, alice),
        lambda ctx, alice: users.change_password(ctx, alice, "hash", "other"),
    ],
)
def test_a_login_is_refused_when_the_user_changed_while_the_password_was_checked(desk, alice, meanwhile):
    found = candidate(desk, "alice")
    desk.do(lambda ctx: meanwhile(ctx, alice))
    with pytest.raises(InvalidGrant) as refused:
        desk.do(lambda ctx: tokens.log_in(ctx, found, None, None))
    assert refused.value.message == tokens.REFUSED


def test_enu_01_nobody_is_refused_like_somebody_disabled(desk, alice):
    desk.do(lambda ctx: users.set_disabled(ctx, alice, True))
    refusals = set()
    for username in ("alice", "nobody"):
        with pytest.raises(InvalidGrant) as refused:
            log_in(desk, username)
        refusals.add((refused.value.message, str(refused.value.details)))
    assert len(refusals) == 1


def test_an_older_hash_is_replaced_at_login(desk, alice):
    log_in(desk, new_hash="better hash")
    assert desk.user(alice).password_hash == "better hash"
    log_in(desk)
    assert desk.user(alice).password_hash == "better hash"


@pytest.mark.parametrize(
    "end",
    [
        lambda ctx, alice: users.set_disabled(ctx, alice, True),
        lambda ctx, alice: users.change_password(ctx, alice, "hash", "other"),
    ],
    ids=["disabled", "password changed"],
)
@pytest.mark.parametrize("how", ["log_in", "refresh"])
def test_a_login_that_runs_beside_the_end_of_all_tokens_leaves_none_behind(desk, alice, end, how):
    desk.set(refresh_token_enabled=True)
    old, found = log_in(desk), candidate(desk, "alice")
    ending = threading.Thread(target=lambda: desk.do(lambda ctx: end(ctx, alice)))

    def halfway(ctx):
        is_login = how == "log_in"
        new = tokens.log_in(ctx, found, None, None) if is_login else tokens.refresh(ctx, old.refresh_token)
        ending.start()
        time.sleep(0.3)
        return new

    new = desk.do(halfway)
    ending.join(timeout=20)
    assert not ending.is_alive()
    assert not is_good(desk, new.token)
    with pytest.raises(InvalidGrant):
        desk.do(lambda ctx: tokens.refresh(ctx, new.refresh_token))


# --- How long --------------------------------------------------------------------------------------


def test_without_a_wish_a_token_lives_practically_for_ever(desk, alice, clock):
    issued = log_in(desk)
    assert issued.expires_in == LONGEST_S
    clock.advance(LONGEST_S - 1)
    assert is_good(desk, issued.token)
    clock.advance(1)
    assert not is_good(desk, issued.token)


def test_a_wish_ends_a_token_to_the_millisecond(desk, alice, clock):
    issued = log_in(desk, expires_at=clock.now() + 90_500)
    assert issued.expires_in == 90
    clock.at += 90_499
    assert is_good(desk, issued.token)
    clock.at += 1
    assert not is_good(desk, issued.token)


@pytest.mark.parametrize("back_ms", [0, 1, 10**15])
def test_a_wish_for_the_past_is_refused(desk, alice, clock, back_ms):
    with pytest.raises(BadInput) as refused:
        log_in(desk, expires_at=clock.now() - back_ms)
    assert refused.value.field == "expiresAt"


def test_the_apps_settings_cap_every_wish_and_set_the_default(desk, alice, clock):
    desk.set(default_token_life_s=HOUR_S, max_token_life_s=2 * HOUR_S)
    assert log_in(desk).expires_in == HOUR_S
    assert log_in(desk, expires_at=clock.now() + 10**15).expires_in == 2 * HOUR_S
    assert log_in(desk, expires_at=2**62).expires_in == 2 * HOUR_S
    desk.set(max_token_life_s=60)
    assert log_in(desk).expires_in == 60


def test_a_life_counts_from_the_login_and_not_from_the_last_use(desk, alice, clock):
    token = log_in(desk, expires_at=clock.now() + 60_000).token
    for _ in range(59):
        clock.advance(1)
        assert is_good(desk, token)
    clock.advance(1)
    assert not is_good(desk, token)


# --- Refreshing ------------------------------------------------------------------------------------


def test_a_refresh_token_works_once_and_brings_the_next(desk, alice):
    desk.set(refresh_token_enabled=True)
    first = log_in(desk)
    second = desk.do(lambda ctx: tokens.refresh(ctx, first.refresh_token))
    assert second.id == alice
    assert is_good(desk, second.token)
    with pytest.raises(InvalidGrant):
        desk.do(lambda ctx: tokens.refresh(ctx, first.refresh_token))
    third = desk.do(lambda ctx: tokens.refresh(ctx, second.refresh_token))
    assert len({first.refresh_token, second.refresh_token, third.refresh_token}) == 3


def test_a_refresh_token_opens_nothing_by_itself_and_a_bearer_refreshes_nothing(desk, alice):
    desk.set(refresh_token_enabled=True)
    issued = log_in(desk)
    assert not is_good(desk, issued.refresh_token)
    for wrong in (issued.token, "", "x" * 10**5, "\ud800"):
        with pytest.raises(InvalidGrant):
            desk.do(lambda ctx, wrong=wrong: tokens.refresh(ctx, wrong))
    assert is_good(desk, issued.token)


def test_a_refresh_token_ends_with_the_longest_life_of_the_app(desk, alice, clock):
    desk.set(refresh_token_enabled=True, max_token_life_s=HOUR_S)
    issued = log_in(desk)
    clock.advance(HOUR_S)
    with pytest.raises(InvalidGrant):
        desk.do(lambda ctx: tokens.refresh(ctx, issued.refresh_token))


def test_ten_04_a_refresh_token_is_unknown_in_another_app_and_not_spent_there(desk, alice, transaction, keys):
    other = Desk(transaction, keys)
    desk.set(refresh_token_enabled=True)
    issued = log_in(desk)
    with pytest.raises(InvalidGrant):
        other.do(lambda ctx: tokens.refresh(ctx, issued.refresh_token))
    assert desk.do(lambda ctx: tokens.refresh(ctx, issued.refresh_token)).id == alice


# --- Admins and anonymous callers ------------------------------------------------------------------


def as_admin(desk: Desk, client_id: str, client_secret: str) -> Issued:
    """A login with the app's client credentials."""
    return desk.do(lambda ctx: tokens.log_in_as_admin(ctx, client_id, client_secret, None))


def client_id(desk: Desk) -> str:
    """The app's ClientID."""
    return desk.do(lambda ctx: apps.get(ctx.session, desk.app_id)).client_id


def test_the_client_credentials_give_an_admin_token(desk):
    issued = as_admin(desk, client_id(desk), desk.client_secret)
    assert issued.id == client_id(desk)
    assert holder(desk, issued.token) == Caller(ActorKind.ADMIN, desk.app_id, None)
    assert holder(desk, issued.token).is_admin


def test_wrong_client_credentials_give_nothing_and_never_an_error(desk, transaction, keys):
    other = Desk(transaction, keys)
    right = client_id(desk), desk.client_secret
    for name, secret in (
        (right[0], right[1] + "x"),
        (right[0], ""),
        (right[0], other.client_secret),
        (client_id(other), right[1]),
        (client_id(other), other.client_secret),
        ("", right[1]),
        ("clé\ud800", "\0\ud800"),
    ):
        with pytest.raises(InvalidGrant):
            as_admin(desk, name, secret)
    assert desk.rows(select(BearerToken)) == []


def test_an_anonymous_token_is_the_apps_and_no_admins(desk):
    issued = desk.do(lambda ctx: tokens.log_in_anonymously(ctx, "any", None))
    assert holder(desk, issued.token) == Caller(ActorKind.APP, desk.app_id, None)
    assert not holder(desk, issued.token).is_admin


def test_a_new_secret_ends_every_token_of_the_app_and_of_no_other(desk, alice, transaction, keys):
    other = Desk(transaction, keys)
    bob = other.register("bob", None)
    his = other.do(lambda ctx: tokens.issue_to_user(ctx, bob)).token
    hers = [
        log_in(desk).token,
        as_admin(desk, client_id(desk), desk.client_secret).token,
        desk.do(lambda ctx: tokens.log_in_anonymously(ctx, "any", None)).token,
    ]
    secret = desk.do(access_keys.reset_secret)
    assert [is_good(desk, token) for token in hers] == [False] * 3
    assert is_good(other, his)
    with pytest.raises(InvalidGrant):
        as_admin(desk, client_id(desk), desk.client_secret)
    assert is_good(desk, as_admin(desk, client_id(desk), secret).token)


def test_an_admin_login_beside_a_new_secret_leaves_no_token_of_the_old_one(desk):
    name = client_id(desk)
    renewing = threading.Thread(target=lambda: desk.do(access_keys.reset_secret))

    def halfway(ctx):
        issued = tokens.log_in_as_admin(ctx, name, desk.client_secret, None)
        renewing.start()
        time.sleep(0.3)
        return issued

    issued = desk.do(halfway)
    renewing.join(timeout=20)
    assert not renewing.is_alive()
    assert not is_good(desk, issued.token)


# --- Ending and keeping ----------------------------------------------------------------------------


def test_ending_all_of_a_user_ends_refresh_tokens_too(desk, alice):
    desk.set(refresh_token_enabled=True)
    issued = log_in(desk)
    desk.do(lambda ctx: tokens.end_all_of_user(ctx, alice))
    assert not is_good(desk, issued.token)
    with pytest.raises(InvalidGrant):
        desk.do(lambda ctx: tokens.refresh(ctx, issued.refresh_token))


def test_otp_09_ten_07_only_hashes_are_kept(desk, alice):
    desk.set(refresh_token_enabled=True)
    issued = log_in(desk)
    kept = set(desk.rows(select(BearerToken.token_hash)))
    assert kept == {sha256(secret.encode()).hexdigest() for secret in (issued.token, issued.refresh_token)}
    secrets = desk.rows(select(AccessKey.key_hash).where(AccessKey.kind == KeyKind.CLIENT_SECRET))
    assert secrets == [sha256(desk.client_secret.encode()).hexdigest()]


def test_ten_02_a_token_of_one_app_finds_no_other_app(desk, alice, transaction, keys):
    other = Desk(transaction, keys)
    token = log_in(desk).token
    with pytest.raises((NotFound, WrongToken)) as refused:
        holder(other, token)
    with pytest.raises((NotFound, WrongToken)) as unknown:
        other.do(lambda ctx: tokens.authenticate(ctx.session, "no-such-app", token, ctx.now))
    assert (type(unknown.value), str(unknown.value)) == (type(refused.value), str(refused.value))


@pytest.mark.parametrize("wrong", ["", "x", "\0", "\ud800", "x" * 10**6, "' OR 1=1 --"])
def test_a_token_that_was_never_given_out_is_wrong_and_never_an_error(desk, alice, wrong):
    log_in(desk)
    with pytest.raises(WrongToken):
        holder(desk, wrong)


def test_a_stored_hash_is_no_token(desk, alice):
    log_in(desk)
    (stored,) = desk.rows(select(BearerToken.token_hash))
    with pytest.raises(WrongToken):
        holder(desk, stored)
