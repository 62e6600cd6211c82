"""Is every id 128 random bits or more, with nothing in it to guess the next one by? (ENU-05)"""

import re
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from dataclasses import replace
from itertools import count, islice, pairwise

import pytest
from sqlalchemy import String, select

from portal.core.provider_kinds import ProviderKind
from portal.core.roles import Role
from portal.models import (
    AccessKey,
    AccountSession,
    ActorKind,
    App,
    Base,
    KeyKind,
    Message,
    SmsTemplateDraft,
    Verification,
)
from portal.services import (
    accounts,
    apps,
    erasures,
    invites,
    password_resets,
    providers,
    sessions,
    sms_template_drafts,
    tokens,
    users,
)
from portal.services.apps import NewApp
from portal.services.context import Caller, Context
from portal.services.provider_details import Wanted
from portal.services.sms_template_drafts import Submission
from portal.services.users import Registration
from portal.watch.pulse import Pulse
from tests import factories

MANY = 1_000
# The type tag of a key says what it is, and is the same for all of its kind.
TAG = re.compile("rb_(pub|sec)_")
# How many bits one character stands for, by the alphabet of the whole id.
ALPHABETS = ((re.compile("[0-9a-f]+"), 4), (re.compile("[0-9A-Za-z_-]+"), 6))


def refuse_what_can_be_guessed(ids: list[str]) -> None:
    """No id twice, 128 bits in each, no order, and no beginning or end that they share."""
    bare = [TAG.sub("", each) for each in ids]
    if all(re.fullmatch("[0-9a-f-]+", each) for each in bare):
        bare = [each.replace("-", "") for each in bare]
    assert len(set(bare)) == len(ids) == MANY
    bits = next(size for alphabet, size in ALPHABETS if all(alphabet.fullmatch(each) for each in bare))
    assert min(map(len, bare)) * bits >= 128
    assert len(set(map(len, bare))) == 1
    # Each place of an id takes every value about as often: nothing in it counts, and nothing is fixed.
    for place in range(len(bare[0]) - 1):
        assert len({each[place] for each in bare}) >= 2 ** min(bits, 4)
    assert len({each[:8] for each in bare}) == len({each[-8:] for each in bare}) == MANY
    rising = sum(one < other for one, other in pairwise(bare))
    assert 0.4 * MANY < rising < 0.6 * MANY


def of_apps(ctx: Context) -> Iterator[dict[str, str]]:
    for place in count():
        made = apps.create(ctx, NewApp(name=f"App {place}", home_country="JP"))
        secret = select(AccessKey.id).where(
            AccessKey.app_id == made.app.id, AccessKey.kind == KeyKind.CLIENT_SECRET
        )
        yield {
            "app": made.app.id,
            "client": made.app.client_id,
            "app_key": made.app_key,
            "client_secret": made.client_secret,
            "access_key": ctx.session.scalars(secret).one(),
        }


def of_users(ctx: Context) -> Iterator[dict[str, str]]:
    for place in count():
        wanted = Registration(login_name=f"user{place}", phone_number=factories.phone_number())
        user_id = users.register(ctx, wanted, "hash").id
        yield {
            "user": user_id,
            "verification": ctx.session.scalars(
                select(Verification.id).where(Verification.user_id == user_id)
            ).one(),
            "message": ctx.session.scalars(select(Message.id).where(Message.user_id == user_id)).one(),
            "token": tokens.issue_to_user(ctx, user_id).token,
        }


def of_erasures(ctx: Context) -> Iterator[dict[str, str]]:
    for _ in count():
        yield {"receipt": erasures.erase_number(ctx, factories.phone_number()).id}


def of_accounts(ctx: Context) -> Iterator[dict[str, str]]:
    for place in count():
        made = accounts.create(ctx, email := f"person{place}@example.com", "hash")
        link = password_resets.ask(ctx, email)
        yield {
            "account": made.id,
            "password_link": link or "",
            "passkey": factories.passkey(ctx.session, account_id=made.id).id,
        }


def of_invites(ctx: Context) -> Iterator[dict[str, str]]:
    """One person may send twenty an hour, so many people send them."""
    for person in of_accounts(ctx):
        here = replace(ctx, caller=Caller(ActorKind.ACCOUNT, ctx.app_id, person["account"]))
        accounts.join(here, person["account"], Role.OWNER)
        for place in range(20):
            made, key = invites.send(here, f"guest{place}@example.com", Role.SUPPORT)
            yield {"invite": made.id, "link": key}


def of_providers(ctx: Context) -> Iterator[dict[str, str]]:
    """An app has ten at most, so many apps add them."""
    for each in of_apps(ctx):
        for place in range(providers.MOST):
            wanted = Wanted(label=f"Carrier {place}", settings={"url": "https://sms.example"}, secrets={})
            yield {"provider": providers.add(ctx.in_app(each["app"]), ProviderKind.HTTP, wanted).id}


def of_drafts(ctx: Context) -> Iterator[dict[str, str]]:
    ctx.session.get_one(App, ctx.app_id).sms_templates_need_approval = True
    for _ in count():
        draft = sms_template_drafts.submit(ctx, Submission("en", "Your code is {code}."))
        assert isinstance(draft, SmsTemplateDraft)
        yield {"draft": draft.id}


def of_sessions(ctx: Context) -> Iterator[dict[str, str]]:
    for _ in count():
        key = sessions.open_new(ctx.session, {}, None, ctx.now)
        its = select(AccountSession.id).where(AccountSession.key_hash == tokens.hashed(key))
        yield {"key": key, "sign_in": ctx.session.scalars(its).one()}


def of_workers(ctx: Context) -> Iterator[dict[str, str]]:
    for _ in count():
        yield {"worker": Pulse(lambda: nullcontext(ctx.session)).id}


@pytest.mark.parametrize(
    "make",
    [
        of_apps,
        of_users,
        of_erasures,
        of_accounts,
        of_invites,
        of_providers,
        of_drafts,
        of_sessions,
        of_workers,
    ],
)
def test_enu_05_a_thousand_ids_of_each_kind_have_128_bits_no_order_and_no_common_part(
    desk, make: Callable[[Context], Iterator[dict[str, str]]]
):
    made = desk.do(lambda ctx: list(islice(make(ctx), MANY)), desk.as_admin())
    for kind in made[0]:
        refuse_what_can_be_guessed([each[kind] for each in made])


def test_enu_05_every_id_that_a_table_makes_by_itself_comes_from_the_one_function():
    makers = {
        column.default.arg.__name__
        for each in Base.metadata.sorted_tables
        for column in each.columns
        if column.default is not None and column.default.is_callable and isinstance(column.type, String)
    }
    assert makers == {"random_id"}


def test_kii_apps_with_the_short_ids_of_an_earlier_ringback_keep_them(session, app):
    """The path, the header and a login know an AppID of 16 hex digits as they know a new one."""
    old = factories.app(session, id="0123456789abcdef")
    key = factories.access_key(
        session, app_id=old.id, kind=KeyKind.APP_KEY, value="old", key_hash=tokens.hashed("old")
    )
    headers = {"X-Kii-AppID": old.id, "X-Kii-AppKey": str(key.value)}
    named = app.test_client().get(f"/api/apps/{old.id}/users/LOGIN_NAME:dora", headers=headers)
    nobody = app.test_client().get(
        "/api/apps/0123456789abcdee/users/LOGIN_NAME:dora", headers=headers | {"X-Kii-AppID": "0" * 16}
    )
    sent = {"client_id": old.id, "client_secret": "old"}
    token = app.test_client().post("/api/oauth2/token", json=sent, headers=headers)

    assert nobody.json["errorCode"] == "APP_NOT_FOUND"
    assert named.json["errorCode"] != "APP_NOT_FOUND"
    assert token.status_code == 200
