"""Who lives in the shop? People with long and foreign names, and enough of them to fill pages."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from portal import clock
from portal.core.provider_kinds import ProviderKind
from portal.core.reasons import Reason
from portal.models import ActorKind, AuditAction, MessagePurpose, MessageState, Provider, User
from portal.services import sms_templates
from tests import factories
from tests.cast import Shop

LONGEST_LOGIN_NAME = "hanako.of-the-very-long-login-name_" + "x" * 29
# 50 characters, the most that a display name may have.
ARABIC = "عبد الرحمن بن محمد بن عبد الله آل الشيخ القحطاني"
JAPANESE = "山田 花子（東京都千代田区霞が関一丁目二番三号・山田珈琲店）"
VALUES = {"app_name": "Shop", "minutes": "10"}
TEMPLATES = {
    "ja": "【{app_name}】認証コードは{code}です。{minutes}分以内に入力し、他人に教えないでください。",
    "ar": "{app_name}: رمز التحقق هو {code}، وهو صالح لمدة {minutes} دقائق. لا تشاركه مع أي شخص.",
}


@pytest.fixture
def town(session: Session, shop: Shop, transaction, context_for) -> dict[str, User]:
    """The shop worded in three languages, with a user in every state, messages and an audit trail."""
    with transaction() as writing:
        for locale, body in TEMPLATES.items():
            sms_templates.save(context_for(writing).in_app(shop.id), locale, body)
    here = {"app_id": shop.id}
    people = {
        "changing": factories.user(
            session,
            **here,
            login_name=LONGEST_LOGIN_NAME,
            display_name=ARABIC,
            email_address=f"{'a' * 60}@{'long-domain-name.' * 8}example",
            phone_number="+819012345678",
            phone_number_verified=True,
            phone_number_verified_at=clock.now(),
            pending_phone_number="+818087654321",
            country="JP",
            locale="zh-Hant-HK",
        ),
        "new": factories.user(session, **here, display_name=JAPANESE, phone_number="+819011112222"),
        "disabled": factories.user(session, **here, disabled=True, phone_number="+819011113333"),
        "nameless": factories.user(session, **here, login_name=None),
    }
    _trail(session, people["changing"])
    return people


def _trail(session: Session, user: User) -> None:
    notice = {"user_id": user.id, "values": VALUES, "purpose": MessagePurpose.CHANGE_NOTICE}
    for state in MessageState:
        told = {"reason": Reason.PROVIDER_REFUSED if state is MessageState.FAILED else None}
        # What waits must wait till the test is over: a worker is at work.
        factories.message(
            session, app_id=user.app_id, **notice, **told, state=state, due_at=clock.now() + clock.DAY
        )
    for action in (AuditAction.USER_REGISTERED, AuditAction.NUMBER_CHANGE_STARTED):
        factories.audit_entry(
            session, app_id=user.app_id, user_id=user.id, action=action, actor_kind=ActorKind.USER
        )


@pytest.fixture
def carriers(session: Session, shop: Shop) -> list[Provider]:
    """Three carriers of the shop: one paused, one that works, one that is off; their names are long."""
    at = clock.now()
    failed = {"last_failure_at": at, "last_failure_reason": Reason.PROVIDER_UNREACHABLE}
    rows = [
        {"label": JAPANESE[:40], "failures_in_row": 5, "paused_until": at + clock.DAY, **failed},
        {"label": ARABIC[:40], "last_success_at": at, **failed},
        {"label": "x" * 40, "is_on": False, "kind": ProviderKind.KANNEL},
    ]
    # Nobody is called at this address, which every carrier refuses to call.
    settings = {"settings": {"url": "https://127.0.0.1/send"}}
    found = [factories.provider(session, app_id=shop.id, **settings, **row) for row in rows]
    for state in MessageState:
        kept = {"state": state, "provider": "http", "provider_id": found[1].id, "due_at": at + clock.DAY}
        factories.message(session, app_id=shop.id, **kept)
    return found


@pytest.fixture
def crowd(transaction, shop: Shop) -> list[User]:
    """120 users with numbers, the first of them disabled, each a second younger than the one before."""
    start = clock.now() - 120 * clock.SECOND
    with transaction() as writing:
        return [
            factories.user(
                writing,
                app_id=shop.id,
                login_name=f"person{at:03}",
                phone_number=f"+8190200{at:05}",
                phone_number_verified=True,
                disabled=at == 0,
                created_at=start + at * clock.SECOND,
            )
            for at in range(120)
        ]


@pytest.fixture
def fail_one(session: Session, shop: Shop) -> Callable[[], None]:
    """`fail_one()` is one more user of the shop whose SMS failed a moment ago, and can be tried again."""

    def fail() -> None:
        user = factories.user(session, app_id=shop.id, phone_number=factories.phone_number())
        own = {"app_id": shop.id, "user_id": user.id, "phone_number": user.phone_number}
        failed = {"state": MessageState.FAILED, "reason": Reason.PROVIDER_UNREACHABLE, "provider": "console"}
        code = factories.verification(session, **own)
        words = "No answer within •• seconds, and no other word from the carrier for a long while"
        factories.message(session, **own, **failed, verification_id=code.id, attempts=5, provider_words=words)

    return fail


@pytest.fixture
def set_one_aside(session: Session, shop: Shop, carriers: list[Provider]) -> Callable[[], str]:
    """`set_one_aside()` is the id of one more message that was set aside; its code still works."""

    def put() -> str:
        user = factories.user(session, app_id=shop.id, phone_number=factories.phone_number())
        own = {"app_id": shop.id, "user_id": user.id, "phone_number": user.phone_number}
        code = factories.verification(session, **own)
        dead = {"state": MessageState.DEAD, "reason": Reason.PROVIDER_UNREACHABLE, "attempts": 5}
        by = {"provider": carriers[0].kind, "provider_id": carriers[0].id, "provider_words": "x" * 90}
        return factories.message(session, **own, **dead, **by, verification_id=code.id).id

    return put


@pytest.fixture
def phone_full(transaction, shop: Shop) -> Callable[[int], None]:
    """`phone_full(20)` puts so many SMS on the sandbox phone of the shop."""

    def deliver(count: int) -> None:
        arrived = {"state": MessageState.DELIVERED, "provider": "inbox", "sent_at": clock.now()}
        with transaction() as writing:
            for _ in range(count):
                factories.message(writing, app_id=shop.id, values=VALUES, **arrived)

    return deliver


@pytest.fixture
def audit_full(transaction, shop: Shop, town: dict[str, User], bob) -> Callable[[int], None]:
    """`audit_full(60)` puts so many deeds of Bob's on record, done to the user who changes the number."""
    changed = {"before": {"phone_number": "+81 ••• •••• 5678"}, "after": {"phone_number": "nothing"}}
    deed = {"action": AuditAction.NUMBER_FREED, "details": changed, "reason": f"{ARABIC} {'x' * 60}"}

    def put(count: int) -> None:
        by_bob = {"actor_kind": ActorKind.ACCOUNT, "actor_id": bob.id, "user_id": town["changing"].id}
        with transaction() as writing:
            for _ in range(count):
                factories.audit_entry(writing, app_id=shop.id, **by_bob, **deed)

    return put


@pytest.fixture
def one_look_up(app: Flask) -> Callable[[], None]:
    """`one_look_up()` lets each person look up one number in this hour, and no more."""

    def cap() -> None:
        parts = app.extensions["ringback"]
        app.extensions["ringback"] = replace(parts, profile=replace(parts.profile, look_ups_per_hour=1))

    return cap
