"""Runs one verb of a desk many times at once: real threads in real processes, let go together."""

import json
import subprocess
import sys
import threading
import time
from collections import Counter
from dataclasses import replace
from pathlib import Path

from flask import Flask

import portal.database
from portal import clock, keys
from portal.config import Settings
from portal.core.deeds import Deed
from portal.core.limits import DEFAULT
from portal.core.roles import Role
from portal.errors import Refusal
from portal.models import Account, ActorKind, App, AuditAction
from portal.own_work import of_all_apps
from portal.services import (
    accounts,
    apps,
    attempt_tallies,
    audit,
    audit_restarts,
    audit_sealing,
    erasures,
    invites,
    own_numbers,
    password_resets,
    phone_numbers,
    reveals,
    second_factors,
    sign_ins,
    sms_template_drafts,
    sms_templates,
    support_deeds,
    team,
    test_sends,
    tokens,
    users,
    verifications,
)
from portal.services.context import Caller, Context
from portal.services.sms_template_drafts import Submission
from portal.services.users import Registration, UserChanges

START_IN_S = 2.0


def confirm(ctx: Context, user_id: str, typed: str) -> None:
    """Sends a code back."""
    verifications.confirm(ctx, user_id, typed)


def resend(ctx: Context, user_id: str) -> None:
    """Asks for the code again."""
    verifications.resend(ctx, user_id)


def change(ctx: Context, user_id: str, number: str) -> None:
    """Starts a change of number."""
    phone_numbers.change(ctx, user_id, number)


def register(ctx: Context, name: str, number: str) -> None:
    """Signs somebody up."""
    users.register(ctx, Registration(login_name=name, phone_number=number), "hash")


def give_password(ctx: Context, user_id: str, name: str, password_hash: str) -> None:
    """Makes a pseudo user a normal one."""
    users.update(ctx, user_id, UserChanges(login_name=name), password_hash)


def delete(ctx: Context, user_id: str) -> None:
    """Removes a user."""
    users.delete(ctx, user_id)


def rename(ctx: Context, user_id: str, name: str) -> None:
    """Changes what a user is called."""
    users.update(ctx, user_id, UserChanges(display_name=name))


def confirm_own_number(ctx: Context, account_id: str, typed: str) -> None:
    """Sends the code for an account's own number back."""
    own_numbers.confirm(ctx, account_id, typed)


def send_test(ctx: Context, account_id: str, locale: str) -> None:
    """Sends a test of an SMS template."""
    test_sends.send(ctx, ctx.session.get_one(App, ctx.app_id), account_id, locale)


def ask_for_own_number(ctx: Context, account_id: str, number: str) -> None:
    """Asks for a code to an account's own number."""
    own_numbers.ask(ctx, ctx.session.get_one(App, ctx.app_id), account_id, number)


def submit(ctx: Context, locale: str, body: str, based_on: int | None) -> None:
    """Saves or proposes a wording."""
    sms_template_drafts.submit(ctx, Submission(locale, body, based_on=based_on))


def approve(ctx: Context, locale: str, draft_id: str) -> None:
    """Puts a draft in force."""
    sms_template_drafts.approve(ctx, locale, draft_id)


def discard(ctx: Context, locale: str, draft_id: str) -> None:
    """Drops a draft."""
    sms_template_drafts.discard(ctx, locale, draft_id)


def help_user(ctx: Context, deed: str, user_id: str, seen: str | None = None) -> None:
    """Does what support does to a user."""
    support_deeds.do(ctx, support_deeds.Order(Deed(deed), user_id, "They asked for it.", seen))


def reveal(ctx: Context, user_id: str, account_id: str) -> None:
    """Looks at a user's whole numbers."""
    caller = Caller(ActorKind.ACCOUNT, ctx.app_id, account_id)
    reveals.reveal(replace(ctx, caller=caller), user_id, "They asked for it.")


def log_in(ctx: Context, user_id: str) -> None:
    """Logs somebody in whose password was right."""
    tokens.log_in(ctx, tokens.LoginCandidate(user_id, "hash", False), None, None)


def write_entry(ctx: Context, user_id: str) -> None:
    """Leaves an entry, as what a user does leaves one."""
    audit.record(ctx, AuditAction.CODE_RESENT, user_id)


def sign_in(ctx: Context, account_id: str) -> None:
    """Leaves an entry of no app, as whoever signs in does."""
    caller = Caller(ActorKind.ACCOUNT, "", account_id)
    sign_ins.succeeded(replace(ctx, caller=caller), "Firefox on Linux", "password")


def erase(ctx: Context, user_id: str) -> None:
    """Erases a user, as an operator does."""
    erasures.erase_user(ctx, user_id, "They asked for it.")


def seal_entries(ctx: Context) -> None:
    """Seals what is there, as a worker does."""
    audit_sealing.seal(ctx)


def restart_chain(ctx: Context) -> None:
    """Begins a broken chain anew, as an operator does who has just looked at it."""
    damage = audit_restarts.look(ctx.session, ctx.keys.audit, ctx.app_id, ctx.now)
    audit_restarts.begin_anew(ctx, damage, "A script edited the table.")


def try_password(ctx: Context, address: str) -> None:
    """Is about to check a password."""
    attempt_tallies.take(ctx, attempt_tallies.Tried.PASSWORD, address)


def leave_team(ctx: Context, account_id: str) -> None:
    """Ends a membership."""
    team.remove(ctx, account_id)


def make_support(ctx: Context, account_id: str) -> None:
    """Takes an owner's powers."""
    team.change_role(ctx, account_id, Role.SUPPORT)


def accept_invite(ctx: Context, key: str, account_id: str) -> None:
    """Uses the link of an invite."""
    invites.accept(ctx, key, ctx.session.get_one(Account, account_id))


def admit(ctx: Context, email: str) -> None:
    """Makes somebody a member, as an operator does."""
    accounts.admit(ctx, email, Role.SUPPORT)


def send_invite(ctx: Context, account_id: str, email: str) -> None:
    """Invites an address."""
    caller = Caller(ActorKind.ACCOUNT, ctx.app_id, account_id)
    invites.send(replace(ctx, caller=caller), email, Role.SUPPORT)


def accept_anew(ctx: Context, key: str) -> None:
    """Makes an account by the link of an invite."""
    invites.accept_anew(ctx, key, "hash")


def begin_app(ctx: Context, account_id: str) -> None:
    """Begins to set an authenticator app up."""
    second_factors.begin_app(ctx.by_account(account_id))


def reset_password(ctx: Context, key: str) -> None:
    """Uses the link of a new password."""
    password_resets.use(ctx, key, "hash")


def open_countries(ctx: Context, *countries: str) -> None:
    """Opens exactly these."""
    apps.change(ctx, apps.AppChanges(open_countries=frozenset(countries)))


def save_template(ctx: Context, locale: str, body: str) -> None:
    """Puts a wording in force."""
    sms_templates.save(ctx, locale, body)


def rename_app(ctx: Context, name: str) -> None:
    """Changes what an app is called."""
    apps.change(ctx, apps.AppChanges(name=name))


def cancel(ctx: Context, user_id: str) -> None:
    """Ends what is open."""
    verifications.cancel(ctx, user_id)


VERBS = {
    verb.__name__: verb
    for verb in (
        accept_anew,
        admit,
        send_invite,
        begin_app,
        open_countries,
        save_template,
        rename_app,
        cancel,
        submit,
        approve,
        discard,
        confirm,
        resend,
        change,
        register,
        give_password,
        delete,
        rename,
        confirm_own_number,
        send_test,
        ask_for_own_number,
        help_user,
        reveal,
        log_in,
        write_entry,
        sign_in,
        erase,
        seal_entries,
        restart_chain,
        try_password,
        leave_team,
        make_support,
        accept_invite,
        reset_password,
    )
}


def race(settings: Settings, app_id: str, calls: list[tuple[str, ...]], processes: int) -> Counter[str]:
    """Runs `calls` (verb, then its arguments) all at once over `processes`; counts how each ended."""
    at = time.time() + START_IN_S
    runners = []
    for place in range(processes):
        task = {
            "home": str(settings.home),
            "url": settings.database_url,
            "app_id": app_id,
            "calls": calls[place::processes],
            "at": at,
        }
        command = [sys.executable, "-m", "tests.services.racing"]
        runners.append(
            subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT)
        )
        runners[-1].stdin.write(json.dumps(task))
        runners[-1].stdin.close()
    endings: Counter[str] = Counter()
    for runner in runners:
        endings.update(json.loads(runner.stdout.read()))
        runner.stdout.close()
        assert runner.wait(timeout=60) == 0
    return endings


ROOT = Path(__file__).resolve().parents[2]


def main() -> None:
    """One process of a race: reads its task, waits for the common start, prints how its calls ended."""
    task = json.loads(sys.stdin.read())
    settings = Settings(home=Path(task["home"]), database_url=task["url"])
    rows = Flask("rows")
    rows.config["SQLALCHEMY_DATABASE_URI"] = settings.sqlalchemy_url
    rows.config["SQLALCHEMY_ENGINE_OPTIONS"] = {"pool_size": 64}
    portal.database.db.init_app(rows)
    with rows.app_context():
        portal.database.prepare(portal.database.db.engine)
    server_keys = keys.load(settings.home)
    endings: Counter[str] = Counter()

    def run(verb: str, *arguments: str) -> None:
        time.sleep(max(0.0, task["at"] - time.time()))
        try:
            with of_all_apps(rows), portal.database.transaction() as session:
                caller = Caller(ActorKind.APP, task["app_id"])
                VERBS[verb](Context(session, caller, clock.now(), server_keys, DEFAULT), *arguments)
            ending = "done"
        except Refusal as refusal:
            ending = type(refusal).__name__
        # Whatever else goes wrong is an ending too, which no race expects.
        except Exception as error:  # noqa: BLE001
            ending = f"crash: {type(error).__name__}: {error}"[:1000]
        endings[ending] += 1

    threads = [threading.Thread(target=run, args=call) for call in task["calls"]]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    print(json.dumps(endings))


if __name__ == "__main__":
    main()
