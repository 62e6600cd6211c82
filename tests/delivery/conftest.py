"""A sorting office: people sign up, a worker sends, and a provider does what the test told it."""

from collections.abc import Callable
from dataclasses import dataclass, field

import pytest
from sqlalchemy import select

from portal import clock as portal_clock
from portal.core import code
from portal.delivery import dispatch
from portal.delivery.dispatch import Post
from portal.delivery.providers.base import Accepted, Sms
from portal.delivery.providers.inbox import Inbox
from portal.models import ActorKind, App, Message, PhoneNumberLimit, User, Verification
from portal.services import apps, phone_numbers, user_numbers, users, verifications
from portal.services.apps import AppChanges
from portal.services.context import Caller
from portal.services.users import Registration

DORA = "+819012345678"


@dataclass
class Scripted:
    """A carrier that takes every SMS, but for those tries that its script fails, first come first failed."""

    name: str = "scripted"
    script: list[Exception] = field(default_factory=list)
    tried: list[Sms] = field(default_factory=list)
    taken: list[Sms] = field(default_factory=list)
    meanwhile: Callable[[], None] = field(default=lambda: None)

    def send(self, sms: Sms) -> Accepted:
        self.tried.append(sms)
        self.meanwhile()
        if self.script:
            raise self.script.pop(0)
        self.taken.append(sms)
        return Accepted(f"ref-{len(self.taken)}")


class Office:
    """The shop's users on one side, one worker's dispatch on the other."""

    def __init__(self, shop, transaction, context_for, keys, session) -> None:
        self.app_id, self.keys, self.session = shop.id, keys, session
        self.transaction, self._context_for = transaction, context_for
        self.carrier = Scripted()
        self.post = Post(
            transaction,
            keys,
            {"scripted": self.carrier, "inbox": Inbox()},
            now=lambda: portal_clock.now(),
            draw=lambda: 0.0,
        )
        self.use("scripted")

    def use(self, provider: str) -> None:
        """Lets the shop's messages go through a provider."""
        with self.transaction() as session:
            session.get_one(App, self.app_id).provider = provider

    def do(self, verb: Callable, user_id: str | None = None):
        """One transaction around `verb(ctx)`, of a user or of the app."""
        kind = ActorKind.USER if user_id else ActorKind.APP
        with self.transaction() as session:
            return verb(self._context_for(session, Caller(kind, self.app_id, user_id)))

    def sign_up(self, name: str = "dora", number: str = DORA, locale: str = "en") -> str:
        """A new user, whose code waits to be sent."""
        registration = Registration(login_name=name, phone_number=number, locale=locale)
        return self.do(lambda ctx: users.register(ctx, registration, "hash").id)

    def resend(self, user_id: str) -> None:
        self.do(lambda ctx: verifications.resend(ctx, user_id), user_id)

    def confirm(self, user_id: str) -> None:
        self.do(lambda ctx: verifications.confirm(ctx, user_id, self.code(user_id)), user_id)

    def change(self, user_id: str, number: str) -> None:
        self.do(lambda ctx: phone_numbers.change(ctx, user_numbers.load(ctx, user_id), number), user_id)

    def set(self, **changes: object) -> None:
        self.do(lambda ctx: apps.change(ctx, AppChanges(**changes)))

    def send(self, post: Post | None = None) -> int:
        """One pass of a worker; how many messages it took up."""
        count = 0
        while dispatch.send_next(post or self.post):
            count += 1
        return count

    def messages(self, user_id: str) -> list[Message]:
        """A user's messages as they are stored now, oldest first."""
        wanted = select(Message).where(Message.user_id == user_id).order_by(Message.serial)
        return list(self.session.scalars(wanted))

    def message(self, user_id: str) -> Message:
        """A user's newest message."""
        return self.messages(user_id)[-1]

    def verification(self, user_id: str) -> Verification:
        """A user's newest verification."""
        newest = Verification.created_at.desc()
        return self.session.scalars(
            select(Verification).where(Verification.user_id == user_id).order_by(newest)
        ).first()

    def user(self, user_id: str) -> User:
        return self.session.get_one(User, (self.app_id, user_id))

    def sent_times(self, number: str = DORA) -> str:
        return self.session.get_one(PhoneNumberLimit, (self.app_id, number)).sent_times

    def code(self, user_id: str) -> str:
        """The code that is right for a user now."""
        found = self.verification(user_id)
        return code.derive(self.keys.codes[found.key_version], found.id, found.issue, found.code_length)


@pytest.fixture
def office(clock, shop, transaction, context_for, keys, session) -> Office:
    """The sorting office; its clock stands still."""
    return Office(shop, transaction, context_for, keys, session)
