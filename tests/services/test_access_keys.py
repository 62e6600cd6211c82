"""Can a key be replaced without an outage, and does an ended one open nothing any more? (TEN-07)"""

import threading
import time

import pytest
from sqlalchemy import event, select

from portal.errors import BadInput, InvalidGrant, NotFound, Unauthorized, WrongToken
from portal.models import AccessKey, AuditEntry, KeyKind
from portal.services import access_keys, apps, key_checks, tokens
from tests.services.conftest import Desk

SECRET, APP_KEY = KeyKind.CLIENT_SECRET, KeyKind.APP_KEY


@pytest.fixture
def alice(desk):
    """An owner, as the pages would name her."""
    return desk.owner("alice@example.com")


def add(desk: Desk, kind: KeyKind, caller=None) -> str:
    return desk.do(lambda ctx: access_keys.add(ctx, kind), caller)


def live(desk: Desk, kind: KeyKind) -> list[access_keys.Key]:
    keys = desk.do(lambda ctx: access_keys.live(ctx.session, desk.app_id))
    return [key for key in keys if key.kind is kind]


def end(desk: Desk, key: access_keys.Key) -> None:
    desk.do(lambda ctx: access_keys.end(ctx, key.id))


def admin_token(desk: Desk, secret: str) -> str:
    client_id = desk.do(lambda ctx: apps.get(ctx.session, desk.app_id)).client_id
    return desk.do(lambda ctx: tokens.log_in_as_admin(ctx, client_id, secret, None)).token


def admit(desk: Desk, app_key: str) -> str | None:
    return desk.do(lambda ctx: key_checks.admit(ctx.session, desk.app_id, tokens.hashed(app_key), ctx.now))


def is_good(desk: Desk, token: str) -> bool:
    try:
        desk.do(lambda ctx: tokens.authenticate(ctx.session, desk.app_id, token, ctx.now))
    except WrongToken:
        return False
    return True


def test_ten_07_two_secrets_work_at_once_until_the_old_one_is_ended(desk, clock):
    clock.advance(60)
    new = add(desk, SECRET)
    old_token, new_token = admin_token(desk, desk.client_secret), admin_token(desk, new)
    assert is_good(desk, old_token)
    assert is_good(desk, new_token)

    newest, oldest = live(desk, SECRET)
    assert (newest.last4, oldest.last4) == (new[-4:], desk.client_secret[-4:])
    end(desk, oldest)

    assert [is_good(desk, token) for token in (old_token, new_token)] == [False, True]
    with pytest.raises(InvalidGrant):
        admin_token(desk, desk.client_secret)
    assert is_good(desk, admin_token(desk, new))


def test_ten_07_ending_a_secret_ends_no_users_token(desk):
    dora = desk.register("dora", None)
    token = desk.do(lambda ctx: tokens.issue_to_user(ctx, dora)).token
    add(desk, SECRET)
    end(desk, live(desk, SECRET)[-1])
    assert is_good(desk, token)


@pytest.mark.parametrize("kind", KeyKind)
def test_ten_07_a_third_key_is_refused_and_so_is_the_end_of_the_only_one(desk, kind):
    with pytest.raises(BadInput, match="only"):
        end(desk, live(desk, kind)[0])
    add(desk, kind)
    with pytest.raises(BadInput, match="Two"):
        add(desk, kind)
    assert len(live(desk, kind)) == 2


def test_ten_07_owners_who_add_at_once_get_one_key_between_them(desk):
    found: list[str] = []

    def try_it() -> None:
        try:
            found.append(add(desk, SECRET))
        except BadInput:
            found.append("")

    together = [threading.Thread(target=try_it) for _ in range(6)]
    for each in together:
        each.start()
    for each in together:
        each.join(timeout=30)
    assert len(found) == 6
    assert len([secret for secret in found if secret]) == 1
    assert len(live(desk, SECRET)) == 2


def test_ten_07_owners_who_end_both_at_once_leave_one(desk):
    add(desk, SECRET)

    def try_it(key: access_keys.Key) -> None:
        try:
            end(desk, key)
        except (BadInput, NotFound):
            return

    together = [threading.Thread(target=try_it, args=(key,)) for key in live(desk, SECRET)]
    for each in together:
        each.start()
    for each in together:
        each.join(timeout=30)
    assert len(live(desk, SECRET)) == 1


def test_ten_07_an_ended_app_key_is_refused_and_any_other_is_taken(desk, clock):
    first = live(desk, APP_KEY)[0]
    clock.advance(1)
    new = add(desk, APP_KEY)
    anonymous = desk.do(lambda ctx: tokens.log_in_anonymously(ctx, first.value, None)).token
    end(desk, first)
    with pytest.raises(Unauthorized, match="ended"):
        admit(desk, first.value)
    with pytest.raises(InvalidGrant):
        desk.do(lambda ctx: tokens.log_in_anonymously(ctx, first.value, None))
    assert not is_good(desk, anonymous)
    admit(desk, new)
    # The contract checks no AppKey, so what this app never made opens what it always opened.
    assert admit(desk, "any") is None


def test_ten_07_a_key_of_one_app_means_nothing_to_another(desk, transaction, keys):
    other = Desk(transaction, keys)
    first = live(desk, APP_KEY)[0]
    add(desk, APP_KEY)
    end(desk, first)
    admit(other, first.value)
    with pytest.raises(NotFound):
        other.do(lambda ctx: access_keys.end(ctx, live(desk, APP_KEY)[0].id))


def test_ten_07_a_reset_ends_both_secrets_and_leaves_the_app_keys(desk):
    old = [desk.client_secret, add(desk, SECRET)]
    before = live(desk, APP_KEY)
    new = desk.do(access_keys.reset_secret)
    for secret in old:
        with pytest.raises(InvalidGrant):
            admin_token(desk, secret)
    assert [key.last4 for key in live(desk, SECRET)] == [new[-4:]]
    assert live(desk, APP_KEY) == before
    assert is_good(desk, admin_token(desk, new))
    entry = desk.rows(select(AuditEntry).order_by(AuditEntry.id))[-1]
    assert (entry.action, entry.details) == ("app.secret_regenerated", {})


def test_ten_07_it_says_who_made_a_key_and_when_and_keeps_no_secret(desk, alice, clock):
    clock.advance(60)
    secret = add(desk, SECRET, alice)
    newest, oldest = live(desk, SECRET)
    assert (newest.created_by, oldest.created_by) == ("alice@example.com", None)
    assert newest.created_at - oldest.created_at == 60_000
    assert newest.value is None
    kept = [vars(key) for key in desk.rows(select(AccessKey))]
    assert secret not in str(kept)
    assert desk.client_secret not in str(kept)
    entry = desk.rows(select(AuditEntry).order_by(AuditEntry.id))[-1]
    assert (entry.action, entry.details) == ("key.added", {"key": "ClientSecret", "last4": secret[-4:]})


def test_ten_07_the_last_use_is_noted_once_a_day(desk, clock):
    app_key = live(desk, APP_KEY)[0]
    assert (app_key.last_used_on, live(desk, SECRET)[0].last_used_on) == (None, None)
    assert admit(desk, app_key.value) == app_key.id
    desk.do(lambda ctx: key_checks.note_use(ctx.session, app_key.id, ctx.now))
    admin_token(desk, desk.client_secret)
    today = live(desk, APP_KEY)[0].last_used_on
    assert today is not None
    assert today % 86_400_000 == 0
    assert live(desk, SECRET)[0].last_used_on == today
    assert admit(desk, app_key.value) is None
    clock.advance(86_400)
    assert admit(desk, app_key.value) == app_key.id
    admin_token(desk, desk.client_secret)
    assert live(desk, SECRET)[0].last_used_on == today + 86_400_000


def statements_of(desk: Desk, verb) -> list[str]:
    """What `verb(ctx)` asks the database."""
    asked: list[str] = []

    def heard(ctx) -> None:
        connection = ctx.session.connection()
        note = lambda _connection, _cursor, sql, *_: asked.append(sql)  # noqa: E731
        event.listen(connection, "before_cursor_execute", note)
        verb(ctx)
        event.remove(connection, "before_cursor_execute", note)

    desk.do(heard)
    return asked


def test_ten_07_an_app_key_is_checked_in_one_journey(desk):
    asked = statements_of(
        desk, lambda ctx: key_checks.admit(ctx.session, desk.app_id, tokens.hashed("any"), ctx.now)
    )
    assert len(asked) == 1


def test_ten_07_a_login_by_secret_takes_two_journeys_and_notes_its_use_once(desk):
    client_id = desk.do(lambda ctx: apps.get(ctx.session, desk.app_id)).client_id

    def log_in(ctx) -> None:
        tokens.log_in_as_admin(ctx, client_id, desk.client_secret, None)

    first, second = statements_of(desk, log_in), statements_of(desk, log_in)
    assert len([sql for sql in first if sql.startswith("UPDATE access_key")]) == 1
    assert [sql.split()[0] for sql in second if not sql.startswith("BEGIN")] == ["SELECT", "INSERT"]


def test_ten_07_a_login_beside_the_end_of_its_secret_leaves_no_token(desk):
    add(desk, SECRET)
    old = live(desk, SECRET)[-1]
    client_id = desk.do(lambda ctx: apps.get(ctx.session, desk.app_id)).client_id
    ending = threading.Thread(target=lambda: end(desk, old))

    def halfway(ctx):
        issued = tokens.log_in_as_admin(ctx, client_id, secret_of(old, desk), None)
        ending.start()
        time.sleep(0.3)
        return issued

    issued = desk.do(halfway)
    ending.join(timeout=20)
    assert not ending.is_alive()
    assert not is_good(desk, issued.token)


def secret_of(key: access_keys.Key, desk: Desk) -> str:
    assert desk.client_secret.endswith(key.last4)
    return desk.client_secret
