"""A desk in one app: the services as a door would call them, without any door."""

from collections.abc import Callable

import pytest
from sqlalchemy import Select, select, update

from portal import clock as portal_clock
from portal.core import code
from portal.core.limits import DEFAULT, Profile
from portal.core.roles import Role
from portal.models import ActorKind, Message, PhoneNumberLimit, User, Verification
from portal.services import accounts, apps, phone_numbers, users, verifications
from portal.services.apps import AppChanges, NewApp
from portal.services.context import Caller, Context
from portal.services.users import Registration


class Desk:
    """One app with verification on, and verbs that each are one transaction of one caller."""

    def __init__(self, transaction, keys, profile: Profile = DEFAULT, clock=None) -> None:
        self.transaction, self.keys, self.profile, self.clock = transaction, keys, profile, clock
        made = self.do(
            lambda ctx: apps.create(ctx, NewApp(name="Shop", home_country="JP")), Caller(ActorKind.OPERATOR)
        )
        self.app_id, self.client_secret = made.app.id, made.client_secret
        self.set(phone_number_verification_required=True)

    def do(self, verb: Callable, caller: Caller | None = None):
        """One transaction around `verb(ctx)`."""
        caller = caller or Caller(ActorKind.APP, self.app_id)
        with self.transaction() as session:
            return verb(Context(session, caller, portal_clock.now(), self.keys, self.profile))

    def set(self, **changes: object) -> None:
        self.do(lambda ctx: apps.change(ctx, AppChanges(**changes)))

    def owner(self, email: str) -> Caller:
        """A new owner of the app, as the pages would name them."""

        def join(ctx: Context) -> str:
            account = accounts.create(ctx, email, "hash")
            accounts.join(ctx, account.id, Role.OWNER)
            return account.id

        return Caller(ActorKind.ACCOUNT, self.app_id, self.do(join))

    def ask_for_a_second_owner(self) -> None:
        """Switches approvals on; two owners more are there from then on, as one could approve nothing."""
        for name in ("pia", "quentin"):
            self.owner(f"{name}@example.com")
        self.set(sms_templates_need_approval=True)

    def register(self, name: str, number: str | None = "+819012345678", **more: object) -> str:
        wanted = Registration(login_name=name, phone_number=number, **more)
        return self.do(lambda ctx: users.register(ctx, wanted, "hash").id)

    def verified(self, name: str, number: str) -> str:
        user_id = self.register(name, number)
        self.confirm(user_id, self.code(user_id))
        return user_id

    def confirm(self, user_id: str, typed: str) -> None:
        self.do(lambda ctx: verifications.confirm(ctx, user_id, typed), self.as_user(user_id))

    def resend(self, user_id: str) -> None:
        self.do(lambda ctx: verifications.resend(ctx, user_id), self.as_user(user_id))

    def change(self, user_id: str, number: str, verified: bool | None = None, admin: bool = False) -> None:
        if self.clock:
            # Under a clock that stands still, nobody could tell which attempt came first.
            self.clock.advance(0.001)
        caller = Caller(ActorKind.ADMIN, self.app_id) if admin else self.as_user(user_id)
        self.do(lambda ctx: phone_numbers.change(ctx, user_id, number, verified), caller)

    def rest(self) -> None:
        """Lets the waits between sends go by, and the hours that numbers are counted in."""

        def set_back(ctx: Context) -> None:
            ctx.session.execute(update(Verification).values(last_sent_at=Verification.last_sent_at - 400_000))
            ctx.session.execute(update(PhoneNumberLimit).values(sent_times=""))

        self.do(set_back)

    def as_user(self, user_id: str) -> Caller:
        return Caller(ActorKind.USER, self.app_id, user_id)

    def as_admin(self) -> Caller:
        return Caller(ActorKind.ADMIN, self.app_id)

    def rows(self, query: Select) -> list:
        """What a query of one column finds, as it is stored now."""
        return self.do(lambda ctx: list(ctx.session.scalars(query)))

    def user(self, user_id: str) -> User:
        return self.do(lambda ctx: users.get(ctx, user_id))

    def number(self, user_id: str) -> tuple[str | None, bool, str | None]:
        """(number in force, verified, pending) as the user object shows them."""
        user = self.user(user_id)
        is_pending = (user.pending_until or 0) > portal_clock.now()
        return (
            user.phone_number,
            user.phone_number_verified,
            user.pending_phone_number if is_pending else None,
        )

    def attempts(self, user_id: str) -> list[Verification]:
        """The user's verifications, oldest first."""
        return self.do(
            lambda ctx: list(
                ctx.session.scalars(
                    select(Verification)
                    .where(Verification.user_id == user_id)
                    .order_by(Verification.created_at, Verification.ended_at.is_(None))
                )
            )
        )

    def code(self, user_id: str) -> str:
        """The code that the newest verification's SMS carries, as the worker would derive it."""
        attempt = self.attempts(user_id)[-1]
        return code.derive(
            self.keys.codes[attempt.key_version], attempt.id, attempt.issue, attempt.code_length
        )

    def wrong_code(self, user_id: str) -> str:
        right = self.code(user_id)
        return str((int(right) + 1) % 10 ** len(right)).zfill(len(right))

    def messages(self, number: str | None = None) -> list[Message]:
        """What was put down, oldest first."""
        wanted = select(Message).order_by(Message.serial)
        if number:
            wanted = wanted.where(Message.phone_number == number)
        return self.do(lambda ctx: list(ctx.session.scalars(wanted)))


@pytest.fixture
def desk(transaction, keys, clock) -> Desk:
    """An app called Shop, home country JP, verification on, under a clock that stands still."""
    return Desk(transaction, keys, clock=clock)
