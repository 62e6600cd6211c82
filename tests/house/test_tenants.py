"""Does every query on rows of apps say which app it is about, in words that a reader can check? (TEN-03)"""

import ast
import importlib
from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy.sql import ClauseElement

from portal.models import Base, fenced
from tests.house.conftest import ROOT

SERVICES = sorted((ROOT / "portal/services").glob("*.py"))
MODELS = {
    each.class_.__name__ for each in Base.registry.mappers if each.local_table.name in fenced(Base.metadata)
}
ASKS = {"select", "update", "delete", "insert", "exists", "get", "get_one"}
# A caller's context, an app, its ID, or a walk over its rows.
NAMES_AN_APP = {"ctx", "app_id", "app", "walk"}
# Those that go over all apps on purpose, and why.
OVER_ALL = {
    "account_events._names": "the apps whose teams an account's own events are about",
    "account_events._entries": "an account's own events, in the logs of all its apps",
    "accounts.apps_of": "an account's list of its apps, before a page stands in one",
    "alarms._paused": "the watchman's look at all carriers",
    "alarms._set_aside": "the watchman's look at all messages",
    "audit_chains.every": "the operator's check of every chain",
    "audit_chains.find": "one chain, which is an app's or the installation's",
    "audit_checks.ids": "the operator's check of every chain, and a worker's",
    "erasures.note": "what a restored copy, or this machine's journal, knows of all apps",
    "figures._messages": "Prometheus' figures, which name no app",
    "figures._providers": "Prometheus' figures, which name no app",
    "figures._verifications": "Prometheus' figures, which name no app",
    "figures.apps_without": "Prometheus' figures, which name no app",
    "figures.held_apps": "Prometheus' figures, which name no app",
    "figures.waiting": "Prometheus' figures, which name no app",
    "invites._drop": "its callers say which: the app's own, or the one whose link somebody holds",
    "invites.look_at": "whoever holds the link does not know the app yet",
    "key_checks.note_use": "by the key's ID, which the call's own look-up found behind the fence",
    "quarantine.begin": "a restored copy as a whole",
    "quarantine.end_open": "every code of a server that took over, or of a copy",
    "test_allowance.of": "five a day over all apps of one person (TPL-05)",
    "tokens._as_phone": "it only chooses the statement; whoever runs it names the app",
    "tokens._readings": "it only chooses the statement; whoever runs it names the app",
}


@dataclass(frozen=True)
class Asker:
    """A function that makes a query on rows of apps, and what it is given."""

    name: str
    given: frozenset[str]


def askers() -> Iterator[Asker]:
    for path in SERVICES:
        tree = ast.parse(path.read_text(encoding="utf-8"))
        statements = statements_of(path.stem)
        for each in tree.body:
            if isinstance(each, ast.FunctionDef) and asks(each, statements):
                given = [*each.args.posonlyargs, *each.args.args, *each.args.kwonlyargs]
                yield Asker(f"{path.stem}.{each.name}", frozenset(one.arg for one in given))


def statements_of(module: str) -> set[str]:
    """The names of statements on rows of apps that a module makes once."""
    found = vars(importlib.import_module(f"portal.services.{module}"))
    return {
        name for name, value in found.items() if isinstance(value, ClauseElement) and on_rows_of_apps(value)
    }


def on_rows_of_apps(statement: ClauseElement) -> bool:
    read = statement.get_final_froms() if hasattr(statement, "get_final_froms") else []
    return any(getattr(each, "name", "") in fenced(Base.metadata) for each in [*read, *written(statement)])


def written(statement: ClauseElement) -> list[ClauseElement]:
    table = getattr(statement, "table", None)
    return [] if table is None else [table]


def asks(function: ast.FunctionDef, statements: set[str]) -> bool:
    for each in ast.walk(function):
        if isinstance(each, ast.Name) and each.id in statements:
            return True
        if isinstance(each, ast.Call) and called(each) in ASKS and names_of(each) & MODELS:
            return True
    return False


def names_of(call: ast.Call) -> set[str]:
    return {each.id for given in call.args for each in ast.walk(given) if isinstance(each, ast.Name)}


def called(call: ast.Call) -> str:
    return call.func.id if isinstance(call.func, ast.Name) else getattr(call.func, "attr", "")


def test_ten_03_no_query_helper_is_without_a_tenant():
    without = {each.name for each in askers() if not each.given & NAMES_AN_APP}

    assert without == set(OVER_ALL)
