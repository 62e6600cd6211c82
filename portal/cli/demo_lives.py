"""What becomes of the people in the demo? Each lives one of these lives, by the verbs of real users."""

import random
from dataclasses import dataclass, field, replace

from sqlalchemy import select, update

from portal.cli.demo_people import Numbers, Person
from portal.cli.demo_story import Story, look_again
from portal.core import code
from portal.core.lifecycle import State
from portal.core.limits import SECOND
from portal.errors import WrongCode
from portal.models import ActorKind, Message, MessageState, Verification
from portal.services import phone_numbers, user_numbers, users, verifications
from portal.services.context import Caller, Context
from portal.services.user_records import Registration

_MINUTE = 60
_HOUR = 60 * _MINUTE
_DAY = 24 * _HOUR

Steps = tuple[tuple[str, int, int], ...]

# What a life is called: its weight when one is drawn, and its deeds, each so many seconds (least, most)
# after the one before.
LIVES: dict[str, tuple[int, Steps]] = {
    "verified": (26, (("sign_up", 0, 0), ("confirm", 15, 150))),
    "slipped": (6, (("sign_up", 0, 0), ("guess_wrong", 20, 60), ("confirm", 20, 90))),
    "asked_again": (6, (("sign_up", 0, 0), ("resend", 70, 150), ("confirm", 20, 90))),
    "vouched_for": (3, (("sign_up_vouched", 0, 0),)),
    "forgot": (12, (("sign_up", 0, 0),)),
    "gave_up": (5, (("sign_up", 0, 0), ("use_up_guesses", 60, 200))),
    "refused": (5, (("sign_up_refused", 0, 0),)),
    "unreachable": (4, (("sign_up_unreachable", 0, 0), ("recover", 300, 330), ("confirm", 20, 60))),
    "cut_off": (4, (("sign_up_unreachable", 0, 0),)),
    "too_late": (4, (("sign_up_during_outage", 0, 0),)),
    "thought_twice": (3, (("sign_up_during_outage", 0, 0), ("change", 90, 150), ("confirm", 30, 90))),
    "moved": (6, (("sign_up", 0, 0), ("confirm", 15, 90), ("change", _DAY, 4 * _DAY), ("confirm", 20, 90))),
    "let_lapse": (
        3,
        (("sign_up", 0, 0), ("confirm", 15, 90), ("change", _HOUR, _DAY), ("lapse", _DAY, _DAY)),
    ),
    "went_back": (2, (("sign_up", 0, 0), ("confirm", 15, 90), ("change", _HOUR, _DAY), ("cancel", 60, 300))),
    "disabled": (3, (("sign_up", 0, 0), ("confirm", 15, 90), ("disable", _HOUR, 5 * _DAY))),
    "without_number": (5, (("sign_up_without_number", 0, 0),)),
    "pseudo": (4, (("sign_up_pseudo", 0, 0),)),
}
# The last deed of these is lately enough to be still going on; the first was so many seconds before it.
GOING_ON: dict[str, tuple[int, Steps]] = {
    "pending": (9, (("sign_up", 3 * _DAY, 12 * _DAY), ("confirm", 30, 90), ("change", 0, 0))),
    "pending_first": (5, (("sign_up_without_number", 3 * _DAY, 12 * _DAY), ("change", 0, 0))),
}
# Somebody loses the number to its new holder, where the app's settings let numbers move.
LOST_NUMBER: Steps = (("sign_up", 0, 0), ("confirm", 15, 90))
HEIR: Steps = (("sign_up", _DAY, 3 * _DAY), ("confirm", 15, 90))


@dataclass(slots=True)
class Life:
    """One person's dealings with one app. Every method that takes a context is a deed."""

    story: Story
    app_id: str
    person: Person
    number: str
    numbers: Numbers
    password_hash: str
    user_id: str = field(default="")

    def sign_up(self, ctx: Context) -> None:
        """Registers with the number."""
        self._register(ctx, self.password_hash, self._registration(phone_number=self.number))

    def sign_up_vouched(self, ctx: Context) -> None:
        """An administrator registers the user and vouches for the number."""
        registration = self._registration(phone_number=self.number, phone_number_verified=True)
        self._register(ctx, self.password_hash, registration, ActorKind.ADMIN)

    def sign_up_without_number(self, ctx: Context) -> None:
        """Registers with names only."""
        self._register(ctx, self.password_hash, self._registration())

    def sign_up_pseudo(self, ctx: Context) -> None:
        """Registers without any name or password, as an app does for a first look around."""
        self._register(ctx, None, Registration())

    def sign_up_refused(self, ctx: Context) -> None:
        """Registers with a number that the carrier does not know."""
        self._carrier_set("refused").add(self.number)
        self.sign_up(ctx)

    def sign_up_unreachable(self, ctx: Context) -> None:
        """Registers while the carrier does not answer."""
        self._carrier_set("unreachable").add(self.number)
        self.sign_up(ctx)
        self.story.plan_retries(ctx.now)

    def sign_up_during_outage(self, ctx: Context) -> None:
        """Registers while no worker runs for a quarter of an hour."""
        self.sign_up(ctx)
        self._hold_messages(ctx, 15 * _MINUTE)

    def sign_up_before_closing(self, ctx: Context) -> None:
        """Registers, and the SMS waits until the owner has closed the country."""
        self.sign_up(ctx)
        self._hold_messages(ctx, 2 * _MINUTE)

    def recover(self, ctx: Context) -> None:
        """Asks again when the carrier answers again."""
        self._carrier_set("unreachable").discard(self.number)
        self.resend(ctx)

    def resend(self, ctx: Context) -> None:
        """Asks for the code again."""
        verifications.resend(self._as_user(ctx), self.user_id)

    def confirm(self, ctx: Context) -> None:
        """Sends the right code back."""
        verifications.confirm(self._as_user(ctx), self.user_id, self._code(ctx))

    def guess_wrong(self, ctx: Context) -> None:
        """Sends a wrong code back."""
        right = self._code(ctx)
        wrong = str((int(right) + 1) % 10 ** len(right)).zfill(len(right))
        try:
            verifications.confirm(self._as_user(ctx), self.user_id, wrong)
        except WrongCode:
            # The user sees the refusal; what counts here is that the guess was counted.
            return

    def use_up_guesses(self, ctx: Context) -> None:
        """Guesses until no guess is left."""
        for at in range(5):
            self.guess_wrong(replace(ctx, now=ctx.now + at * SECOND))

    def change(self, ctx: Context) -> None:
        """Changes to another number of the same country."""
        self.number = self.numbers.draw(self.person.country)
        phone_numbers.change(self._as_user(ctx), self.user_id, self.number)

    def cancel(self, ctx: Context) -> None:
        """Goes back to the number in force."""
        numbers = user_numbers.load(self._as_user(ctx), self.user_id)
        phone_numbers.cancel_change(self._as_user(ctx), numbers)

    def lapse(self, ctx: Context) -> None:
        """Lets the day of a pending number go by."""
        phone_numbers.lapse_due(replace(ctx, caller=Caller(ActorKind.SYSTEM)))

    def disable(self, ctx: Context) -> None:
        """Is suspended by an administrator."""
        users.set_disabled(self._as(ctx, ActorKind.ADMIN), self.user_id, True)

    def _register(
        self,
        ctx: Context,
        password_hash: str | None,
        registration: Registration,
        by: ActorKind = ActorKind.APP,
    ) -> None:
        self.user_id = users.register(self._as(ctx, by), registration, password_hash).id

    def _registration(self, **number: object) -> Registration:
        who = self.person
        names: dict[str, object] = {
            "login_name": who.login_name,
            "email_address": who.email_address,
            "display_name": who.display_name,
            "country": who.country,
            "locale": who.locale,
        }
        return Registration(**names, **number)  # type: ignore[arg-type]

    def _code(self, ctx: Context) -> str:
        found = ctx.session.execute(
            select(Verification.id, Verification.key_version, Verification.issue, Verification.code_length)
            .where(Verification.app_id == self.app_id, Verification.user_id == self.user_id)
            .where(Verification.state == State.OPEN)
        ).one()
        return code.derive(ctx.keys.codes[found.key_version], found.id, found.issue, found.code_length)

    def _hold_messages(self, ctx: Context, seconds: int) -> None:
        ctx.session.execute(
            update(Message)
            .where(Message.app_id == self.app_id, Message.user_id == self.user_id)
            .where(Message.state == MessageState.QUEUED)
            .values(due_at=ctx.now + seconds * SECOND)
        )
        self.story.plan(ctx.now + seconds * SECOND, look_again)

    def _carrier_set(self, name: str) -> set[str]:
        numbers: set[str] = getattr(self.story.carriers["console"], name)
        return numbers

    def _as_user(self, ctx: Context) -> Context:
        return replace(ctx, caller=Caller(ActorKind.USER, self.app_id, self.user_id))

    def _as(self, ctx: Context, kind: ActorKind) -> Context:
        return replace(ctx, caller=Caller(kind, self.app_id))


def live(life: Life, steps: Steps, at: int, chance: random.Random) -> None:
    """Plans a life whose first deed is after `at` (Unix ms)."""
    for deed, least, most in steps:
        at += chance.randint(least, most) * SECOND
        life.story.plan(at, getattr(life, deed))


def live_until(life: Life, steps: Steps, end: int, chance: random.Random) -> None:
    """Plans a life whose last deed is at `end` (Unix ms), and whose first is so long before."""
    (first, least, most), *others, (last, _, _) = steps
    at = end - chance.randint(least, most) * SECOND
    life.story.plan(at, getattr(life, first))
    live(life, tuple(others), at, chance)
    life.story.plan(end, getattr(life, last))
