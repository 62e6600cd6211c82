"""A sorting office: people sign up, a worker sends, and a provider does what the test told it."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace

import pytest
from sqlalchemy import select

from portal import clock as portal_clock
from portal.core import code, number_hashes
from portal.core.provider_kinds import ProviderKind
from portal.delivery import dispatch
from portal.delivery.carriers import Carriers
from portal.delivery.dispatch import Post
from portal.delivery.providers.base import Accepted, Arrived, Receipt, Sms, Surroundings, WrongField
from portal.delivery.providers.inbox import Inbox
from portal.models import ActorKind, App, Message, PhoneNumberLimit, Provider, User, Verification
from portal.services import apps, phone_numbers, providers, users, verifications
from portal.services.apps import AppChanges
from portal.services.context import Caller
from portal.services.provider_details import Wanted
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

    fails_always: Exception | None = None
    is_closed: bool = False
    secrets: dict = field(default_factory=dict)

    def send(self, sms: Sms) -> Accepted:
        self.tried.append(sms)
        self.meanwhile()
        if self.script:
            raise self.script.pop(0)
        if self.fails_always is not None:
            raise self.fails_always
        self.taken.append(sms)
        return Accepted(f"ref-{len(self.taken)}")

    def check(self) -> bool:
        """Right credentials, always."""
        return True

    def read_receipts(self, arrived: Arrived) -> list[Receipt]:
        return []

    def close(self) -> None:
        self.is_closed = True


class Network:
    """The carriers of the shop: rows as its owner would add them, each opened as a scripted carrier."""

    def __init__(self, office: "Office") -> None:
        self._office, self.by_label, self.opened = office, {}, []
        self.carriers = Carriers(office.keys, office.transaction, office.post.now, open_carrier=self._open)

    def add(self, label: str, secrets: dict | None = None, **settings: str) -> Scripted:
        """One more carrier at the end of the order, and what it does."""
        carrier = self.by_label[label] = Scripted(label)
        wanted = Wanted(label=label, settings={"label": label} | settings, secrets=secrets or {})
        self._office.do(lambda ctx: providers.add(ctx, ProviderKind.HTTP, wanted))
        return carrier

    def row(self, label: str) -> Provider:
        return self._office.session.scalars(select(Provider).filter_by(label=label)).one()

    def switch(self, label: str, *, on: bool) -> None:
        provider_id = self.row(label).id
        self._office.do(lambda ctx: providers.switch(ctx, provider_id, on=on))

    def _open(self, kind, settings, secrets, surroundings: Surroundings) -> Scripted:
        assert kind is ProviderKind.HTTP
        if settings.get("needs") and settings["needs"] not in secrets:
            raise WrongField(settings["needs"], "It is missing.")
        self.opened.append(settings["label"])
        carrier = self.by_label[settings["label"]]
        carrier.secrets = secrets
        return carrier


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
        self.do(lambda ctx: phone_numbers.change(ctx, user_id, number), user_id)

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

    def limit_key(self, number: str) -> tuple[str, str]:
        """The primary key of a number's tally."""
        return self.app_id, number_hashes.limit_hashes(self.keys, self.app_id, number)[-1][1]

    def sent_times(self, number: str = DORA) -> str:
        return self.session.get_one(PhoneNumberLimit, self.limit_key(number)).sent_times

    def code(self, user_id: str) -> str:
        """The code that is right for a user now."""
        found = self.verification(user_id)
        return code.derive(self.keys.codes[found.key_version], found.id, found.issue, found.code_length)


@pytest.fixture
def network(office) -> Network:
    """The shop has gone live, with carriers of its own and none yet."""
    made = Network(office)
    office.post = replace(office.post, carriers=made.carriers)
    with office.transaction() as session:
        app = session.get_one(App, office.app_id)
        app.mode, app.provider = "live", "carriers"
    return made


@pytest.fixture
def office(clock, shop, transaction, context_for, keys, session) -> Office:
    """The sorting office; its clock stands still."""
    return Office(shop, transaction, context_for, keys, session)
