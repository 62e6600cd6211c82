"""What can the database itself not be made to hold? By raw SQL, since code above may have bugs."""

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DatabaseError, IntegrityError

from tests import factories

NUMBER = "+819012345678"
OTHER_NUMBER = "+819087654321"


def run(session, sql, **values):
    return session.execute(text(sql), values)


def refused(session, sql, **values):
    """The database's words when it refuses a statement."""
    with pytest.raises(IntegrityError) as refusal:
        run(session, sql, **values)
    session.rollback()
    return str(refusal.value.orig)


# --- A number has one verified owner -----------------------------------------------------------------------


def test_dat_06_it_refuses_a_second_verified_owner_of_a_number(session):
    ken = factories.user(session, phone_number=NUMBER, phone_number_verified=True)
    eve = factories.user(session, app_id=ken.app_id, phone_number=NUMBER)

    refused(session, 'UPDATE "user" SET phone_number_verified = true WHERE id = :id', id=eve.id)


def test_dat_06_it_refuses_a_verified_owner_a_number_that_is_taken(session):
    ken = factories.user(session, phone_number=NUMBER, phone_number_verified=True)
    eve = factories.user(session, app_id=ken.app_id, phone_number=OTHER_NUMBER, phone_number_verified=True)

    refused(session, 'UPDATE "user" SET phone_number = :number WHERE id = :id', number=NUMBER, id=eve.id)


def test_it_lets_unverified_users_share_a_number(session):
    ken = factories.user(session, phone_number=NUMBER)
    eve = factories.user(session, app_id=ken.app_id, phone_number=NUMBER)

    assert (
        run(session, 'UPDATE "user" SET phone_number_verified = true WHERE id = :id', id=eve.id).rowcount == 1
    )


def test_it_lets_two_apps_each_have_an_owner_of_a_number(session):
    for _ in range(2):
        factories.user(session, phone_number=NUMBER, phone_number_verified=True)


def test_it_lets_any_number_of_users_hold_no_number(session):
    ken = factories.user(session)
    factories.user(session, app_id=ken.app_id)


def test_it_refuses_a_verified_user_without_a_number(session):
    ken = factories.user(session)

    words = refused(session, 'UPDATE "user" SET phone_number_verified = true WHERE id = :id', id=ken.id)

    assert "verified_has_number" in words


@pytest.mark.parametrize("column", ["login_name", "email_address"])
def test_it_refuses_a_name_or_address_that_another_user_of_the_app_has(session, column):
    ken = factories.user(session, **{column: "ken@example.com"})
    eve = factories.user(session, app_id=ken.app_id)

    refused(
        session, f'UPDATE "user" SET {column} = :value WHERE id = :id', value="ken@example.com", id=eve.id
    )


# --- A pending number is whole -----------------------------------------------------------------------------


@pytest.mark.parametrize("column", ["pending_phone_number", "pending_since", "pending_until"])
def test_it_refuses_half_a_pending_change(session, column):
    ken = factories.user(session, phone_number=NUMBER, pending_phone_number=OTHER_NUMBER)

    assert "pending_is_whole" in refused(
        session, f'UPDATE "user" SET {column} = NULL WHERE id = :id', id=ken.id
    )


@pytest.mark.parametrize("column", ["pending_phone_number", "pending_since", "pending_until"])
def test_it_refuses_the_first_half_of_a_pending_change(session, column):
    ken = factories.user(session, phone_number=NUMBER)

    assert "pending_is_whole" in refused(session, f'UPDATE "user" SET {column} = 1 WHERE id = :id', id=ken.id)


# --- One open verification a user --------------------------------------------------------------------------


def test_it_refuses_a_second_open_verification_of_a_user(session):
    first = factories.verification(session)
    second = factories.verification(session, app_id=first.app_id, user_id=first.user_id, state="replaced")

    refused(session, "UPDATE verification SET state = 'open', ended_at = NULL WHERE id = :id", id=second.id)


def test_it_keeps_any_number_of_ended_verifications_beside_the_open_one(session):
    first = factories.verification(session)
    for state in ("expired", "expired", "verified"):
        factories.verification(session, app_id=first.app_id, user_id=first.user_id, state=state)


def test_it_refuses_an_open_verification_with_an_end(session):
    one = factories.verification(session)

    assert "ended" in refused(session, "UPDATE verification SET ended_at = 1 WHERE id = :id", id=one.id)


def test_it_refuses_an_ended_verification_without_an_end(session):
    one = factories.verification(session)

    assert "ended" in refused(session, "UPDATE verification SET state = 'expired' WHERE id = :id", id=one.id)


# --- Keys of apps ------------------------------------------------------------------------------------------


def test_ten_07_it_refuses_a_third_live_key_of_a_kind(session):
    first = factories.access_key(session, slot=1)
    factories.access_key(session, app_id=first.app_id, slot=2)
    third = factories.access_key(session, app_id=first.app_id, slot=1, ended_at=1)

    refused(session, "UPDATE access_key SET ended_at = NULL WHERE id = :id", id=third.id)


def test_ten_07_it_refuses_an_admin_token_without_the_key_it_came_by(session):
    one = factories.bearer_token(session)
    admin = "UPDATE bearer_token SET kind = 'admin', user_id = NULL WHERE token_hash = :hash"

    assert "admin_tokens_have_keys" in refused(session, admin, hash=one.token_hash)


def test_ten_03_it_refuses_a_token_by_another_apps_key(session):
    one, foreign = factories.bearer_token(session), factories.access_key(session)

    refused(session, "UPDATE bearer_token SET access_key_id = :id", id=foreign.id)
    assert one.app_id != foreign.app_id


# --- Closed lists and ranges -------------------------------------------------------------------------------

WRONG = [
    ("app", "mode", "'production'"),
    ("app", "number_taken", "'share'"),
    ("app", "code_length", "3"),
    ("app", "code_length", "11"),
    ("app", "code_life_s", "59"),
    ("app", "code_life_s", "601"),
    ("app", "guesses_allowed", "0"),
    ("app", "guesses_allowed", "11"),
    ("app", "sends_allowed", "0"),
    ("app", "sends_allowed", "11"),
    ("app", "most_segments", "0"),
    ("app", "most_segments", "7"),
    ("segment_price", "millionths", "-1"),
    ("unmatched_receipt", "receipts", "0"),
    ("unreadable_receipt", "receipts", "0"),
    ("unreadable_receipt", "trouble", "'too_long'"),
    ("segment_price", "millionths", "1000000000001"),
    ("verification", "state", "'opened'"),
    ("verification", "purpose", "'login'"),
    ("verification", "guesses", "-1"),
    ("verification", "guesses", "11"),
    ("verification", "sends", "-1"),
    ("verification", "sends", "11"),
    ("message", "state", "'lost'"),
    ("message", "purpose", "'greeting'"),
    ("message", "verification_id", "NULL"),
    ("message", "sms_template_version_id", "NULL"),
    ("membership", "role", "'admin'"),
    ("access_key", "kind", "'password'"),
    ("access_key", "slot", "0"),
    ("access_key", "slot", "3"),
    ("access_key", "value", "'readable'"),
    ("bearer_token", "kind", "'root'"),
    ("bearer_token", "user_id", "NULL"),
    ("audit_entry", "actor_kind", "'ghost'"),
    ("audit_entry", "sequence", "1"),
    ("audit_chain", "base_sequence", "1"),
    ("audit_chain", "id", "'installation'"),
    ("audit_chain", "kept_hash", "'0'"),
    ("audit_chain", "restarted_at", "1"),
    ("provider", "kind", "'pigeon'"),
    ("provider", "failures_in_row", "-1"),
    ("provider", "sealing_key_version", "1"),
    ("idempotency_key", "status", "204"),
    ("quarantine", "id", "2"),
    ("invite", "role", "'admin'"),
    ("erasure", "kind", "'app'"),
    ("erasure", "user_id", "NULL"),
    ("database_timeline", "id", "2"),
    ("attempt_tally", "tries", "0"),
]


@pytest.mark.parametrize(("noun", "column", "value"), WRONG)
def test_it_refuses_what_is_not_in_the_list_or_the_range(session, noun, column, value):
    getattr(factories, noun)(session)

    with factories.past_audit_guard(session):
        assert "check" in refused(session, f"UPDATE {noun} SET {column} = {value}").lower()


def test_every_check_of_the_models_is_broken_by_some_test():
    here = {(noun, column) for noun, column, _ in WRONG}
    by_name = {("user", "pending_is_whole"), ("user", "verified_has_number"), ("verification", "ended")}
    by_name |= {("message", "verification_is_whole"), ("bearer_token", "user_tokens_have_users")}
    by_name |= {("app", "web_autofill_has_domain"), ("app", "android_autofill_has_hash")}
    by_name |= {("message", "somebody_gets_it"), ("provider", "sealed_is_whole")}
    by_name |= {("audit_entry", "sealed_is_whole"), ("audit_chain", "base_and_head")}
    by_name |= {("audit_chain", "is_of_one_app"), ("audit_chain", "restart_is_whole")}
    by_name |= {("access_key", "only_public_keys_are_readable"), ("bearer_token", "admin_tokens_have_keys")}
    by_name |= {("idempotency_key", "answer_is_whole"), ("quarantine", "only_one")}
    by_name |= {("erasure", "names_its_user"), ("database_timeline", "only_one")}
    checks = {
        (table.name, str(check.name).removeprefix(f"ck_{table.name}_"))
        for table in factories.User.metadata.sorted_tables
        for check in table.constraints
        if type(check).__name__ == "CheckConstraint"
    }

    assert checks - here - by_name == set()


# --- What is switched on is there, and who a message is for ------------------------------------------------


@pytest.mark.parametrize(
    ("switch", "needed", "value"),
    [("web_autofill", "web_domain", "shop.example"), ("android_autofill", "android_hash", "FA+9qCX9VSu")],
)
def test_tpl_04_it_refuses_an_autofill_that_lacks_what_it_appends(session, switch, needed, value):
    factories.app(session)
    assert f"{switch}_has_" in refused(session, f"UPDATE app SET {switch} = true")

    app = factories.app(session, **{switch: True, needed: value})
    assert f"{switch}_has_" in refused(session, f"UPDATE app SET {needed} = NULL WHERE id = :id", id=app.id)


def test_it_refuses_a_verification_message_to_nobody(session):
    factories.message(session)

    words = refused(session, "UPDATE message SET user_id = NULL")
    assert "somebody_gets_it" in words


@pytest.mark.parametrize("purpose", ["test", "own_number"])
def test_it_refuses_an_owners_own_message_to_a_user(session, purpose):
    notice = factories.message(session, purpose="change_notice")

    words = refused(
        session, "UPDATE message SET purpose = :purpose WHERE id = :id", purpose=purpose, id=notice.id
    )
    assert "somebody_gets_it" in words


@pytest.mark.parametrize("purpose", ["test", "own_number"])
def test_an_owners_own_message_names_no_user(session, purpose):
    app, alice = factories.app(session), factories.account(session)

    own = factories.message(session, app_id=app.id, user_id=None, account_id=alice.id, purpose=purpose)
    assert rows_in(session, "message") == 1
    run(session, "DELETE FROM account WHERE id = :id", id=own.account_id)
    assert rows_in(session, "message") == 0


@pytest.mark.parametrize(
    ("noun", "column", "length"),
    [("user", "phone_number", 16), ("app", "name", 30), ("audit_entry", "reason", 300)],
)
def test_postgresql_refuses_a_text_longer_than_its_column(session, database, noun, column, length):
    getattr(factories, noun)(session)
    long = {"text": "9" * (length + 1)}

    if database == "sqlite":
        # SQLite knows no lengths, so there the services alone keep them.
        with factories.past_audit_guard(session):
            assert run(session, f'UPDATE "{noun}" SET {column} = :text', **long).rowcount == 1
    else:
        with pytest.raises(DatabaseError):
            run(session, f'UPDATE "{noun}" SET {column} = :text', **long)


# --- Tenants -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("noun", ["verification", "message", "bearer_token"])
def test_ten_03_it_refuses_a_row_that_names_another_apps_user(session, noun):
    factories.user(session, id="stranger")
    getattr(factories, noun)(session)

    assert "foreign key" in refused(session, f"UPDATE {noun} SET user_id = 'stranger'").lower()


def test_ten_03_it_refuses_a_message_of_another_apps_verification(session):
    foreign = factories.verification(session)
    own = factories.message(session)

    sql = "UPDATE message SET verification_id = :other WHERE id = :id"
    assert "foreign key" in refused(session, sql, other=foreign.id, id=own.id).lower()


def test_ten_03_it_refuses_a_message_with_another_apps_wording(session):
    foreign = factories.sms_template_version(session)
    own = factories.message(session)

    sql = "UPDATE message SET sms_template_version_id = :other WHERE id = :id"
    assert "foreign key" in refused(session, sql, other=foreign.id, id=own.id).lower()


@pytest.mark.parametrize(
    "noun",
    [
        "audit_entry",
        "bearer_token",
        "invite",
        "membership",
        "message",
        "open_country",
        "phone_number_limit",
        "segment_price",
        "sms_template",
        "sms_template_draft",
        "sms_template_version",
        "user",
        "verification",
    ],
)
def test_ten_03_it_refuses_to_move_a_row_to_an_app_that_is_not_there(session, noun):
    getattr(factories, noun)(session)

    with factories.past_audit_guard(session):
        assert "foreign key" in refused(session, f"UPDATE \"{noun}\" SET app_id = 'nowhere'").lower()


def test_it_refuses_two_messages_with_one_id(session):
    one, other = factories.message(session), factories.message(session)

    refused(session, "UPDATE message SET id = :one WHERE id = :other", one=one.id, other=other.id)


# --- What goes with what -----------------------------------------------------------------------------------


def test_a_deleted_user_takes_tokens_verifications_and_messages_along(session):
    message = factories.message(session)
    factories.bearer_token(session, app_id=message.app_id, user_id=message.user_id)

    run(session, 'DELETE FROM "user" WHERE id = :id', id=message.user_id)

    assert rows_in(session, "bearer_token", "verification", "message") == 0


def test_a_deleted_user_leaves_its_audit_entries_behind(session):
    ken = factories.user(session)
    factories.audit_entry(session, app_id=ken.app_id, user_id=ken.id)

    run(session, 'DELETE FROM "user"')

    assert rows_in(session, "audit_entry") == 1


def test_a_deleted_app_takes_everything_of_its_own_along_and_nothing_else(session):
    message = factories.message(session)
    factories.bearer_token(session, app_id=message.app_id, user_id=message.user_id)
    factories.sms_template(session, app_id=message.app_id, locale="ja")
    factories.sms_template_draft(session, app_id=message.app_id)
    factories.segment_price(session, app_id=message.app_id)
    factories.membership(session, app_id=message.app_id)
    factories.message(session)

    run(session, "DELETE FROM app WHERE id = :id", id=message.app_id)

    assert rows_in(session, "app", "user", "verification", "message") == 4
    assert rows_in(session, "sms_template", "membership", "bearer_token") == 0
    assert rows_in(session, "sms_template_draft", "segment_price") == 0


def test_a_deleted_account_takes_its_sessions_and_memberships_along_and_leaves_its_wordings(session):
    alice = factories.account(session)
    factories.account_session(session, account_id=alice.id)
    factories.membership(session, account_id=alice.id)
    factories.invite(session, invited_by=alice.id)
    for of_account in ("totp", "recovery_code", "passkey"):
        getattr(factories, of_account)(session, account_id=alice.id)
    factories.sms_template_version(session, created_by=alice.id, approved_by=alice.id)
    factories.sms_template_draft(session, created_by=alice.id)

    run(session, "DELETE FROM account")

    assert rows_in(session, "account_session", "membership", "invite") == 0
    assert rows_in(session, "totp", "recovery_code", "passkey") == 0
    assert run(session, "SELECT created_by, approved_by FROM sms_template_version").all() == [(None, None)]
    assert run(session, "SELECT created_by FROM sms_template_draft").all() == [(None,)]


def test_a_locale_has_one_draft(session):
    draft = factories.sms_template_draft(session)
    factories.sms_template_draft(session, app_id=draft.app_id, locale="ja")

    refused(session, "UPDATE sms_template_draft SET locale = 'en' WHERE locale = 'ja'")


def rows_in(session, *tables):
    return sum(run(session, f'SELECT count(*) FROM "{table}"').scalar_one() for table in tables)
