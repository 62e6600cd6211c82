"""Does signing up, proving and sending read a few rows, however many users an app has? Behind its fences too.

Behind a fence PostgreSQL takes a condition to an index only if it cannot leak what it compares (TEN-03); one
that can has all rows of the app read instead, and no test of what comes out would notice.
"""

import re

import pytest
from sqlalchemy import event

from portal import clock
from portal.core.limits import BENCH
from portal.errors import WrongCode
from portal.models import ActorKind
from portal.services import phone_numbers, tokens, users, verifications
from portal.services.context import Caller, Context
from portal.services.tokens import LoginCandidate
from portal.services.user_records import Registration
from tests import postgresql
from tests.bench import seed

MANY, FEW = 3_000, 50
# Indexes of lists: whoever looks for one number and is given one of them reads all that it holds.
LISTS = r"\b(ix_user_pending|user_number_part_end|user_number_part_pending_end)\b"
# How SQLite says that it reads every row of a table that grows with the app.
WHOLE = r"SCAN (user|verification|phone_number_limit|bearer_token|message|audit_entry)\b"


@pytest.fixture
def people(settings, database):
    """An app with many users, each with a number that waits for its code."""
    url = settings.sqlalchemy_url
    filled_by = url if database == "sqlite" else postgresql.as_role(url, postgresql.SUPERUSER)
    return seed.fill(filled_by, settings.home, MANY, "hash")


def sign_up(ctx, _person) -> None:
    users.register(ctx, Registration(login_name="new", phone_number="+817020000001"), "hash")


def send_the_right_code(ctx, person) -> None:
    verifications.confirm(ctx, person.user_id, person.code)


def send_a_wrong_code(ctx, person) -> None:
    with pytest.raises(WrongCode):
        verifications.confirm(ctx, person.user_id, f"{(int(person.code) + 1) % 10**6:06d}")


def ask_again(ctx, person) -> None:
    verifications.resend(ctx, person.user_id)


def change_number(ctx, person) -> None:
    phone_numbers.change(ctx, person.user_id, "+817020000002")


def log_in(ctx, person) -> None:
    tokens.authenticate(ctx.session, ctx.app_id, person.token, ctx.now)
    tokens.find_login(ctx.session, ctx.app_id, person.login_name)
    tokens.log_in(ctx, LoginCandidate(person.user_id, "hash"), None, None)


@pytest.mark.parametrize(
    "verb", [sign_up, send_the_right_code, send_a_wrong_code, ask_again, change_number, log_in]
)
def test_what_a_user_does_reads_a_few_rows_of_many(transaction, keys, people, verb):
    person = people[7]
    with transaction() as session:
        ctx = Context(session, Caller(ActorKind.APP, seed.APP_ID), clock.now(), keys, BENCH)
        plans = plans_of(session.connection(), lambda: verb(ctx, person))
    assert plans
    for plan in plans:
        assert most_rows(plan) < FEW, plan
        assert not re.search(WHOLE, plan, re.MULTILINE), plan
        assert not re.search(LISTS, plan), plan


def plans_of(connection, verb) -> list[str]:
    """How the database goes about each statement on tables, asked right before the statement itself."""
    explain = "EXPLAIN " if connection.dialect.name == "postgresql" else "EXPLAIN QUERY PLAN "
    plans: list[str] = []

    def ask(_connection, cursor, statement, values, *_more) -> None:
        if re.match(r"SELECT|INSERT|UPDATE|DELETE|WITH", statement) and "set_config" not in statement:
            asking = cursor.connection.cursor()
            asking.execute(explain + statement, values)
            plans.append("\n".join(str(row[-1]) for row in asking.fetchall()))

    event.listen(connection, "before_cursor_execute", ask)
    verb()
    event.remove(connection, "before_cursor_execute", ask)
    return plans


def most_rows(plan: str) -> int:
    """The largest number of rows that PostgreSQL expects anywhere in a plan; SQLite names none."""
    return max(map(int, re.findall(r"rows=(\d+)", plan)), default=0)
