"""What does the demo show a newcomer?"""

import random
import re
from collections import Counter

import phonenumbers
import pytest
from sqlalchemy import func, select

from portal import clock
from portal.cli import demo_people
from portal.models import (
    AccessKey,
    Account,
    ActorKind,
    App,
    AuditAction,
    AuditEntry,
    Base,
    Message,
    SmsTemplate,
    User,
    Verification,
)
from portal.services import message_retries


def counts(session) -> dict[str, int]:
    tables = Base.metadata.sorted_tables
    return {table.name: session.scalar(select(func.count()).select_from(table)) for table in tables}


def test_the_demo_looks_like_life_and_comes_once(operator, session, settings):
    first = operator.types("demo")
    assert first.exit_code == 0, first.stderr
    the_apps_are_three_and_speak_many_languages(session)
    the_users_are_five_hundred_from_twenty_countries_in_every_state(session)
    the_messages_end_in_every_way_and_are_at_most_a_fortnight_old(session)
    everybody_who_is_disabled_was_disabled_by_somebody(session)
    an_outage_has_just_ended_and_can_be_made_good(session)
    the_passwords_are_right(first.stdout, session)
    nothing_is_older_than_what_it_belongs_to_and_the_past_is_said_to_be_made_up(first.stdout, session)
    before = counts(session)
    second = operator.types("demo")
    assert (second.exit_code, second.stdout) == (0, "The demo data is there already; nothing was changed.\n")
    assert counts(session) == before


def the_apps_are_three_and_speak_many_languages(session) -> None:
    apps = session.scalars(select(App)).all()
    assert {(app.home_country, app.mode, app.provider) for app in apps} == {
        ("JP", "sandbox", "inbox"),
        ("DE", "live", "console"),
        ("BR", "sandbox", "inbox"),
    }
    for app in apps:
        locales = set(session.scalars(select(SmsTemplate.locale).where(SmsTemplate.app_id == app.id)))
        assert {"en", "ja", "ar"} <= locales
        assert app.default_locale in locales
        assert app.phone_number_verification_required


def the_users_are_five_hundred_from_twenty_countries_in_every_state(session) -> None:
    users = session.scalars(select(User)).all()
    assert len(users) == 500
    assert len({user.country for user in users if user.country}) == 20
    assert any(user.phone_number_verified for user in users)
    assert any(user.phone_number and not user.phone_number_verified for user in users)
    assert any(user.phone_number_verified and user.pending_phone_number for user in users)
    assert any(user.pending_phone_number and not user.phone_number for user in users)
    assert any(user.disabled for user in users)
    assert any(user.phone_number_superseded_at for user in users)
    assert any(not user.phone_number and not user.pending_phone_number for user in users)
    assert any(user.password_hash is None for user in users)
    for user in users:
        for number in filter(None, (user.phone_number, user.pending_phone_number)):
            assert phonenumbers.is_valid_number(phonenumbers.parse(number))


def the_messages_end_in_every_way_and_are_at_most_a_fortnight_old(session) -> None:
    messages = session.scalars(select(Message).order_by(Message.serial)).all()
    ends = Counter((message.state, message.reason) for message in messages)
    assert set(ends) == {
        ("delivered", None),
        ("sent", None),
        ("failed", "country_closed"),
        ("failed", "provider_refused"),
        ("dead", "provider_unreachable"),
        ("expired", "expired_before_sending"),
        ("expired", "no_longer_needed"),
    }
    assert [message.created_at for message in messages] == sorted(message.created_at for message in messages)
    assert clock.now() - messages[0].created_at <= 14 * clock.DAY
    assert {message.locale for message in messages} >= {"en", "ja", "ar", "de", "pt-BR"}
    assert len(set(session.scalars(select(Verification.state)))) >= 5
    assert len(set(session.scalars(select(AuditEntry.action)))) >= 12


def everybody_who_is_disabled_was_disabled_by_somebody(session) -> None:
    entries = session.scalars(select(AuditEntry).where(AuditEntry.action == AuditAction.USER_DISABLED)).all()
    disabled = session.scalars(select(User).where(User.disabled)).all()
    assert {entry.user_id for entry in entries} == {user.id for user in disabled}
    by_hand = [entry for entry in entries if entry.actor_kind == ActorKind.ACCOUNT]
    assert by_hand
    assert all(entry.reason and session.get(Account, entry.actor_id) for entry in by_hand)
    for user in disabled:
        [entry] = [each for each in entries if each.user_id == user.id]
        assert user.created_at < entry.at == user.modified_at


def an_outage_has_just_ended_and_can_be_made_good(session) -> None:
    live = session.scalars(select(App.id).where(App.mode == "live")).one()
    assert len(message_retries.worth_it(session, live, clock.now() + 4 * clock.MINUTE)) == 3


def the_passwords_are_right(printed: str, session) -> None:
    from portal.services.passwords import Hasher

    shown = dict(re.findall(r"(\S+@ringback\.example) +password (\S+)", printed))
    accounts = session.scalars(select(Account)).all()
    assert {account.email for account in accounts} == set(shown)
    for account in accounts:
        assert Hasher(threads=1, waiting=1).check(account.password, shown[account.email]).right


def nothing_is_older_than_what_it_belongs_to_and_the_past_is_said_to_be_made_up(
    printed: str, session
) -> None:
    founded = max(session.scalars(select(Account.created_at)))
    assert f"whose past since {clock.as_datetime(founded):%-d %B %Y} is made up." in printed
    assert min(session.scalars(select(App.created_at))) >= founded
    assert min(session.scalars(select(AuditEntry.at))) >= founded
    # People signed up today, by keys; and what was printed today was not the password four months ago.
    assert {clock.now() - key.last_used_on < 2 * clock.DAY for key in session.scalars(select(AccessKey))} == {
        True
    }
    given = select(AuditEntry.at).where(AuditEntry.action == AuditAction.ACCOUNT_PASSWORD_CHANGED)
    assert [clock.now() - at < clock.HOUR for at in session.scalars(given)] == [True, True]


@pytest.mark.parametrize("country", sorted(demo_people.COUNTRIES))
def test_every_country_has_numbers_that_may_be_texted_and_chance_repeats_itself(country):
    once, again = (demo_people.Numbers(random.Random(7)) for _ in range(2))
    drawn = [once.draw(country) for _ in range(20)]
    assert drawn == [again.draw(country) for _ in range(20)]
    assert len(set(drawn)) == 20
    for number in drawn:
        assert phonenumbers.is_valid_number(phonenumbers.parse(number))


def test_ops_06_production_gets_no_demo_data(operator, session):
    operator.environment |= {
        "PORTAL_PRODUCTION": "true",
        "PORTAL_PROXIES": "1",
        "PORTAL_BASE_URL": "https://ringback.example",
        "PORTAL_SECURE_COOKIES": "true",
    }
    answer = operator.types("demo")
    assert answer.exit_code == 1
    assert session.scalars(select(Account)).all() == []


def test_messages_that_wait_are_not_swallowed_by_the_demo(operator, session):
    from tests import factories

    waiting = factories.message(session)
    answer = operator.types("demo")
    assert answer.exit_code == 1
    assert session.get(Message, waiting.serial).state == "queued"
