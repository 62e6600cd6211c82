"""Everything that is done leaves an entry that says who and what, and never a code, a key or a number."""

import json
import re
from dataclasses import replace

import pytest
from sqlalchemy import select, update

from portal.core import code, totp
from portal.core.deeds import Deed
from portal.core.provider_kinds import ProviderKind
from portal.core.reasons import Reason
from portal.core.roles import Role
from portal.errors import BadInput, Refusal, TooSoon, WrongCode
from portal.models import ActorKind, App, AppMode, AuditAction, AuditEntry, KeyKind, Message, Provider
from portal.services import (
    access_keys,
    app_modes,
    audit,
    audit_log,
    erasures,
    invites,
    limit_hits,
    lookups,
    message_redrives,
    own_accounts,
    own_numbers,
    password_resets,
    phone_numbers,
    provider_order,
    providers,
    refused_sends,
    reveals,
    second_factors,
    segment_prices,
    sign_ins,
    sms_template_drafts,
    sms_template_files,
    sms_templates,
    support_deeds,
    team,
    test_sends,
    tokens,
    trespasses,
    users,
    verifications,
)
from portal.services.context import Caller
from portal.services.provider_details import Wanted
from portal.services.sign_ins import Try
from portal.services.sms_template_drafts import Submission
from portal.services.users import UserChanges
from tests.services.conftest import Desk

FIRST, SECOND, THIRD = "+819012345678", "+819087654321", "+818011112222"
DAY_S = 24 * 3600
CARRIER_SECRET = "correct-horse-9931"


# What people do to their own account belongs to no app. Passkeys need a browser: tests/browser plays them.
OF_ACCOUNTS = {
    "account.created",
    "account.signed_in",
    "account.signed_out",
    "account.confirmed",
    "account.sign_in_failed",
    "app.refused",
    "account.password_changed",
    "account.password_reset",
    "account.sign_ins_ended",
    "authenticator.added",
    "authenticator.removed",
    "recovery_codes.made",
    "recovery_code.used",
}
OF_PASSKEYS = {"passkey.added", "passkey.removed"}
# The terminal begins chains anew, and a job says that erasures leave marks: test_audit_restarts.py and
# test_pii_07_marks_migration.py do.
OF_CHAINS = {"audit_chain.restarted", "erasures.marked"}
OF_KEYS = {
    "hashing_key.added",
    "hashing_keys.removed",
    "sealing_key.added",
    "sealing_key.used",
    "sealing_keys.removed",
}


def entries(desk: Desk) -> list[AuditEntry]:
    """Every entry of the desk's app, oldest first."""
    return desk.rows(select(AuditEntry).where(AuditEntry.app_id == desk.app_id).order_by(AuditEntry.id))


# Numbers of ours, which are no numbers of people.
IDS = {"until", "erasure", "account_id"}
GONE = {"gina": "+819055550001", "hugo": "+819055550002", "iris": "+819055550003"}


def whole_story(desk: Desk, clock) -> set[str]:
    """Does everything that can be done once; returns every code, key and secret that came up."""
    secrets = {desk.client_secret, CARRIER_SECRET, CARRIER_SECRET[::-1]}
    alice = desk.register("alice", FIRST)
    secrets |= {desk.code(alice), desk.wrong_code(alice)}
    with pytest.raises(WrongCode):
        desk.confirm(alice, desk.wrong_code(alice))
    clock.advance(60)
    desk.resend(alice)
    secrets.add(desk.do(lambda ctx: verifications.reset_code(ctx, alice), desk.as_admin()))
    desk.confirm(alice, desk.code(alice))
    secrets |= change_numbers(desk, clock, alice)
    secrets |= use_up_guesses(desk, clock)
    desk.do(
        lambda ctx: users.update(ctx, alice, UserChanges(display_name="Alice", custom_fields={"n": FIRST}))
    )
    desk.do(lambda ctx: users.change_password(ctx, alice, "hash", "new hash"), desk.as_user(alice))
    for disabled in (True, False):
        desk.do(lambda ctx, disabled=disabled: users.set_disabled(ctx, alice, disabled), desk.as_admin())
    secrets.add(desk.do(lambda ctx: tokens.issue_to_user(ctx, alice)).token)
    secrets |= help_users(desk, clock)
    erase(desk)
    return secrets | change_app(desk)


def erase(desk: Desk) -> None:
    """Erases people of whom nothing else is told: what is told of them is silent from then on."""
    gina, hugo, iris = (desk.register(name, number) for name, number in GONE.items())
    desk.do(lambda ctx: users.delete(ctx, gina), desk.as_admin())
    desk.do(lambda ctx: erasures.erase_user(ctx, hugo, "He asked for it."), desk.as_admin())
    desk.do(lambda ctx: erasures.erase_number(ctx, GONE["iris"], "She asked for it."), desk.as_admin())
    assert desk.user(iris).phone_number is None


def change_numbers(desk: Desk, clock, alice: str) -> set[str]:
    """Changes, takes back, vouches, lets lapse, and loses a number."""
    desk.change(alice, SECOND)
    codes = {desk.code(alice)}
    desk.change(alice, FIRST)
    desk.change(alice, THIRD, verified=True, admin=True)
    clock.advance(60)
    desk.change(alice, SECOND)
    clock.advance(DAY_S)
    desk.do(phone_numbers.lapse_due, Caller(ActorKind.SYSTEM))
    desk.set(number_taken="move")
    bob = desk.register("bob", THIRD)
    codes.add(desk.code(bob))
    desk.confirm(bob, desk.code(bob))
    return codes


def use_up_guesses(desk: Desk, clock) -> set[str]:
    """Guesses wrong until the verification is dead."""
    charlie = desk.register("charlie", "+819033334444")
    for _ in range(5):
        with pytest.raises(WrongCode):
            desk.confirm(charlie, desk.wrong_code(charlie))
    return {desk.code(charlie), desk.wrong_code(charlie)}


def help_users(desk: Desk, clock) -> set[str]:
    """Does to a user what support can do, and looks at the number."""
    eve, bob = desk.register("eve", "+819077778888"), desk.owner("bob@example.com")
    secrets = {desk.code(eve), desk.do(lambda ctx: tokens.issue_to_user(ctx, eve)).token}
    desk.do(lambda ctx: reveals.reveal(ctx, eve, "She cannot read it."), bob)
    for typed in ("+819077778888", "7777888"):
        desk.do(lambda ctx, typed=typed: lookups.search(ctx, lookups.Search(text=typed), None), bob)
    desk.do(lambda ctx: audit_log.begin_export(ctx, {"format": "CSV"}), bob)
    desk.do(lambda ctx: limit_hits.note(ctx, Reason.REVEAL_HOURLY_LIMIT), bob)
    with pytest.raises(TooSoon) as refused:
        desk.resend(eve)
    desk.do(lambda ctx: refused_sends.note(ctx, eve, refused_sends.told_by(refused.value)))
    clock.advance(60)
    desk.do(lambda ctx: redrive(ctx, eve), bob)
    clock.advance(60)
    for deed in (Deed.RESEND, Deed.MARK_VERIFIED, Deed.END_TOKENS, Deed.FREE_NUMBER, Deed.DISABLE):
        order = support_deeds.Order(deed, eve, "She asked for it.")
        desk.do(lambda ctx, order=order: support_deeds.do(ctx, order), bob)
    return secrets


def redrive(ctx, user_id: str) -> None:
    """Has a message tried again that was set aside."""
    message = ctx.session.scalars(select(Message).where(Message.user_id == user_id)).one()
    message.state, message.reason = "dead", "rendering_failed"
    ctx.session.flush()
    message_redrives.redrive(ctx, message.id, "The wording was put right.")


def change_app(desk: Desk) -> set[str]:
    """Changes the app and returns its new secrets."""
    desk.do(lambda ctx: sms_templates.save(ctx, "ja", "{code}です"))
    desk.do(lambda ctx: sms_templates.remove(ctx, "ja"))
    word_the_sms(desk)
    prove_own_number(desk)
    set_up_a_provider(desk)
    gather_a_team(desk)
    secret = desk.do(lambda ctx: access_keys.add(ctx, KeyKind.CLIENT_SECRET))
    old = desk.do(lambda ctx: access_keys.live(ctx.session, desk.app_id))[-1]
    desk.do(lambda ctx: access_keys.end(ctx, old.id))
    return {secret, desk.do(access_keys.reset_secret)}


def set_up_a_provider(desk: Desk) -> None:
    """Adds a carrier, does all there is to it, goes live and back, and removes it."""
    wanted = Wanted(label="Tea", settings={"sender": "+15550100123"}, secrets={"password": CARRIER_SECRET})
    it = desk.do(lambda ctx: providers.add(ctx, ProviderKind.HTTP, wanted))
    other = desk.do(lambda ctx: providers.add(ctx, ProviderKind.SMPP, replace(wanted, label="Other")))
    new = replace(wanted, secrets={"password": CARRIER_SECRET[::-1]}, settings={"sender": "+15550100124"})
    desk.do(lambda ctx: providers.change(ctx, it.id, new, providers.stamp(it)))
    for on in (False, True):
        desk.do(lambda ctx, on=on: providers.switch(ctx, it.id, on=on))
    desk.do(lambda ctx: ctx.session.execute(update(Provider).values(paused_until=ctx.now, failures_in_row=5)))
    now = desk.do(lambda ctx: providers.stamp(providers.get(ctx.session, desk.app_id, it.id)))
    assert desk.do(lambda ctx: providers.end_pause(ctx, it.id, now))
    seen = provider_order.stamp([it, other])
    desk.do(lambda ctx: provider_order.move(ctx, other.id, up=True, seen=seen))
    desk.do(app_modes.go_live)
    desk.do(app_modes.go_back)
    desk.do(lambda ctx: providers.remove(ctx, other.id, providers.stamp(other)))


def gather_a_team(desk: Desk) -> None:
    """Invites two people, withdraws one invite, and changes and removes the one who came."""
    head = desk.owner("head@example.com")
    for email in ("mia@example.com", "max@example.com"):
        made, key = desk.do(lambda ctx, email=email: invites.send(ctx, email, Role.SUPPORT), head)
        if email == "mia@example.com":
            mia, _ = desk.do(lambda ctx, key=key: invites.accept_anew(ctx, key, "hash"))
        else:
            desk.do(lambda ctx, made=made: invites.withdraw(ctx, made.id), head)
    desk.do(lambda ctx: team.change_role(ctx, mia.id, Role.OWNER), head)
    desk.do(lambda ctx: team.remove(ctx, mia.id), head)


def look_after_an_account(desk: Desk) -> set[str]:
    """Does to an account what its own person can; returns every code, key and secret that came up."""
    dora = desk.owner("dora@example.com")
    desk.do(lambda ctx: own_accounts.change_password(ctx, "new hash"), dora)
    desk.do(second_factors.begin_app, dora)
    key = desk.do(second_factors.app_key, dora)

    def typed(ctx) -> str:
        return totp.code_at(key, ctx.now // totp.STEP_MS)

    codes = desk.do(lambda ctx: second_factors.confirm_app(ctx, typed(ctx)), dora)
    desk.do(lambda ctx: second_factors.spend(ctx, dora.id, codes[0]), dora)
    desk.do(second_factors.remove_app, dora)
    link = desk.do(lambda ctx: password_resets.ask(ctx, "dora@example.com"))
    desk.do(lambda ctx: password_resets.use(ctx, link, "newest hash"))
    desk.do(own_accounts.end_all_sign_ins, dora)
    alone = Caller(ActorKind.ACCOUNT, "", dora.id)
    desk.do(lambda ctx: sign_ins.succeeded(ctx, "Firefox on Windows", "password"), alone)
    desk.do(lambda ctx: sign_ins.confirmed(ctx, "Firefox on Windows"), alone)
    desk.do(lambda ctx: sign_ins.ended(ctx, "Firefox on Windows"), alone)
    wrong = Try("A browser", 1)
    desk.do(lambda ctx: sign_ins.failed(ctx, None, " Nobody@Example.com", wrong), Caller(ActorKind.SYSTEM))
    desk.do(lambda ctx: sign_ins.failed_second_step(ctx, dora.id, wrong), Caller(ActorKind.SYSTEM))
    desk.do(lambda ctx: sign_ins.failed_passkey(ctx, dora.id, Try("A browser")), Caller(ActorKind.SYSTEM))
    desk.do(lambda ctx: trespasses.note(ctx, "0123abcd"), alone)
    return {link, totp.written(key), *codes}


def prove_own_number(desk: Desk) -> None:
    """Asks for a code to an owner's own number, sends it back, and forgets the number."""
    dora = desk.owner("dora@example.com")

    def app(ctx) -> App:
        return ctx.session.get_one(App, desk.app_id)

    desk.do(lambda ctx: setattr(app(ctx), "mode", AppMode.LIVE))
    desk.do(lambda ctx: own_numbers.ask(ctx, app(ctx), dora.id, "+819055556666"), dora)
    [values] = desk.rows(select(Message.values).where(Message.account_id == dora.id))
    digits = code.derive(desk.keys.codes[int(values["key_version"])], values["id"], 1, code.USUAL)
    desk.do(lambda ctx: own_numbers.confirm(ctx, dora.id, digits), dora)
    desk.do(lambda ctx: own_numbers.forget(ctx, dora.id), dora)
    desk.do(lambda ctx: setattr(app(ctx), "mode", AppMode.SANDBOX))


def word_the_sms(desk: Desk) -> None:
    """Prices, tests, proposes, approves, discards and imports wordings."""
    alice = desk.owner("alice@example.com")
    desk.do(lambda ctx: segment_prices.set_to(ctx, {"JP": 75_000}))
    desk.do(lambda ctx: test_sends.send(ctx, ctx.session.get_one(App, desk.app_id), alice.id, "en"), alice)
    desk.ask_for_a_second_owner()
    for verb, body in ((sms_template_drafts.approve, "{code}"), (sms_template_drafts.discard, "{code}!")):
        wanted = Submission("ja", body)
        draft = desk.do(lambda ctx, wanted=wanted: sms_template_drafts.submit(ctx, wanted), alice)
        desk.do(lambda ctx, verb=verb, draft=draft: verb(ctx, "ja", draft.id))
    desk.do(import_what_was_exported)


def import_what_was_exported(ctx) -> None:
    """Takes the file of an app out and in again."""
    app = ctx.session.get_one(App, ctx.app_id)
    text = sms_template_files.export(ctx.session, app)
    stamp = sms_template_files.examine(ctx.session, app, text, False).stamp
    sms_template_files.bring_in(ctx, text, False, stamp)


def test_pii_02_no_entry_of_a_whole_story_holds_a_code_a_key_or_a_number(desk, clock):
    secrets = whole_story(desk, clock)
    found = entries(desk)
    told_elsewhere = OF_ACCOUNTS | OF_PASSKEYS | OF_KEYS | OF_CHAINS
    of_apps = {action.value for action in AuditAction} - told_elsewhere
    assert {entry.action for entry in found} == of_apps
    told = [{name: value for name, value in entry.details.items() if name not in IDS} for entry in found]
    written = json.dumps([told, [entry.reason for entry in found]], ensure_ascii=False)
    assert not [secret for secret in secrets if secret in written]
    assert not re.search(r"\d{7}", written), "no whole number, with or without its country code"
    assert "hash" not in written


def test_pii_02_no_entry_about_an_account_holds_a_code_a_key_or_a_link(desk):
    secrets = look_after_an_account(desk)
    found = desk.rows(select(AuditEntry).where(AuditEntry.action.in_(OF_ACCOUNTS)))
    assert {entry.action for entry in found} == OF_ACCOUNTS
    assert {entry.app_id for entry in found if entry.action == "account.created"} == {None}
    written = json.dumps([[entry.details, entry.reason] for entry in found], ensure_ascii=False)
    assert not [secret for secret in secrets if secret in written]
    assert "hash" not in written.replace("address_hash", "")
    assert "nobody" not in written.lower()


def test_otp_09_no_table_holds_a_code_after_a_whole_story(desk, clock):
    alice = desk.register("alice", FIRST)
    code = desk.code(alice)
    dumped = []
    with desk.transaction() as session:
        for table in AuditEntry.metadata.sorted_tables:
            for row in session.execute(select(table)).mappings():
                shown = {name: value for name, value in row.items() if not isinstance(value, int)}
                dumped.append(" ".join(map(str, shown.values())))
    assert len(dumped) > 5
    assert not [row for row in dumped if re.search(rf"(?<![0-9a-f]){code}(?![0-9a-f])", row)]


def test_an_entry_says_who_did_what_to_whom_when_and_why(desk, clock):
    bob = Caller(ActorKind.ACCOUNT, desk.app_id, "bobs account")
    desk.do(lambda ctx: audit.record(ctx, AuditAction.CODE_RESENT, "alice", {"n": 1}, "He asked."), bob)
    entry = entries(desk)[-1]
    assert (entry.actor_kind, entry.actor_id) == ("account", "bobs account")
    assert (entry.action, entry.user_id, entry.at) == ("code.resent", "alice", clock.now())
    assert (entry.details, entry.reason) == ({"n": 1}, "He asked.")


@pytest.mark.parametrize(
    ("caller", "kind"),
    [(lambda desk, alice: desk.as_user(alice), "user"), (lambda desk, _: desk.as_admin(), "admin")],
)
def test_the_caller_is_noted_and_not_whom_it_is_about(desk, clock, caller, kind):
    alice = desk.register("alice", FIRST)
    clock.advance(60)
    asking = caller(desk, alice)
    desk.do(lambda ctx: verifications.resend(ctx, alice), asking)
    entry = entries(desk)[-1]
    assert (entry.actor_kind, entry.actor_id, entry.user_id) == (kind, asking.id, alice)


def test_what_is_refused_leaves_no_entry_but_a_wrong_code_does(desk):
    alice = desk.register("alice", FIRST)
    before = len(entries(desk))
    for refused in (
        lambda: desk.resend(alice),
        lambda: desk.register("alice", None),
        lambda: desk.change(alice, SECOND, verified=True),
        lambda: desk.set(code_length=3),
    ):
        with pytest.raises(Refusal):
            refused()
    assert len(entries(desk)) == before
    with pytest.raises(WrongCode):
        desk.confirm(alice, desk.wrong_code(alice))
    assert [entry.action for entry in entries(desk)[before:]] == ["code.wrong"]


def test_an_operator_without_an_app_can_be_noted_too(desk):
    desk.do(lambda ctx: audit.record(ctx, AuditAction.APP_CREATED), Caller(ActorKind.OPERATOR))
    assert desk.rows(select(AuditEntry.app_id).order_by(AuditEntry.id))[-1] is None


def test_an_entry_goes_with_its_transaction(desk):
    def records_and_fails(ctx):
        audit.record(ctx, AuditAction.CODE_RESET, "alice")
        ctx.session.execute(update(App).values(name="Gone"))
        raise BadInput("any", "Refused at last.")

    before = len(entries(desk))
    with pytest.raises(BadInput):
        desk.do(records_and_fails)
    assert len(entries(desk)) == before
