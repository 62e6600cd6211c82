"""In whatever order things happen, the engine does what a plain model of the contract's states says."""

import itertools
from dataclasses import dataclass

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test
from sqlalchemy import delete

from portal.core.limits import BENCH
from portal.errors import AlreadyExists, CodeExpired, NothingToVerify, Refusal, TooSoon, WrongCode
from portal.models import PhoneNumberLimit, User
from tests.services.conftest import Desk

NUMBERS = ("+819012345670", "+819012345671", "+819012345672")
NAMES = ("alice", "bob", "charlie")
CODE_LIFE, PENDING_LIFE = 600, 24 * 3600


@dataclass
class Model:
    """One user's number as the contract draws it (a.2): what is in force, what waits, and its code."""

    number: str | None = None
    verified: bool = False
    pending: str | None = None
    pending_until: float = 0
    code_for: str | None = None
    code_until: float = 0
    guesses: int = 0
    dead: bool = False

    def waiting(self, now: float) -> str | None:
        if self.pending is not None and now < self.pending_until:
            return self.pending
        return self.number if self.number is not None and not self.verified else None

    def open(self, number: str, now: float) -> None:
        self.code_for, self.code_until, self.guesses, self.dead = number, now + CODE_LIFE, 0, False

    def close(self) -> None:
        self.code_for = None


class Story(RuleBasedStateMachine):
    """Alice, Bob and Charlie, three numbers, and everything that can happen to them."""

    desk: Desk
    clock: object

    @initialize()
    def begin(self) -> None:
        self.desk.do(lambda ctx: ctx.session.execute(delete(User)))
        self.desk.do(lambda ctx: ctx.session.execute(delete(PhoneNumberLimit)))
        self.desk.set(phone_number_verification_required=True, number_taken="refuse")
        self.switch, self.ids, self.models = True, {}, {}

    @property
    def now(self) -> float:
        return self.clock.at / 1000

    def holder(self, number: str) -> str | None:
        return next(
            (name for name, user in self.models.items() if user.number == number and user.verified), None
        )

    @rule(name=st.sampled_from(NAMES), number=st.sampled_from((*NUMBERS, None)))
    def register(self, name, number) -> None:
        if name in self.models:
            return
        if number and not self.switch and self.holder(number):
            with pytest.raises(AlreadyExists):
                self.desk.register(name, number)
            return
        self.ids[name] = self.desk.register(name, number)
        user = self.models[name] = Model(number=number, verified=bool(number) and not self.switch)
        if number and self.switch:
            user.open(number, self.now)
        elif number:
            self.others_lose(name, number)

    @rule(name=st.sampled_from(NAMES), number=st.sampled_from(NUMBERS))
    def change(self, name, number) -> None:
        user = self.models.get(name)
        if user is None:
            return
        if not self.switch:
            self.change_at_once(name, user, number)
            return
        try:
            self.desk.change(self.ids[name], number)
        except TooSoon:
            assert user.waiting(self.now) == number, (
                "only asking again for the waiting number has a wait here"
            )
            assert len(self.desk.messages(number)) >= 5, "only the fifth send is the last"
            return
        if user.number == number and user.verified:
            if user.pending is not None:
                user.pending = None
                user.close()
        elif user.waiting(self.now) == number:
            self.model_resend(user)
        elif user.number == number:
            user.pending = None
            user.open(number, self.now)
        else:
            user.pending, user.pending_until = number, self.now + PENDING_LIFE
            user.open(number, self.now)

    def change_at_once(self, name, user, number) -> None:
        if self.holder(number) not in (None, name):
            with pytest.raises(AlreadyExists):
                self.desk.change(self.ids[name], number)
            return
        self.desk.change(self.ids[name], number)
        self.take(name, user, number)

    @rule(name=st.sampled_from(NAMES))
    def send_the_right_code(self, name) -> None:
        user = self.models.get(name)
        if user is None:
            return
        expected = self.expected_refusal(name, user)
        if expected is None:
            self.desk.confirm(self.ids[name], self.desk.code(self.ids[name]))
            self.take(name, user, user.code_for)
        else:
            typed = self.desk.code(self.ids[name]) if self.desk.attempts(self.ids[name]) else "000000"
            with pytest.raises(expected):
                self.desk.confirm(self.ids[name], typed)

    def expected_refusal(self, name, user) -> type[Refusal] | None:
        if user.code_for is None:
            return NothingToVerify
        if self.now >= user.code_until:
            return self.refusal_of_an_old_code(user)
        if user.dead:
            return TooSoon
        if self.holder(user.code_for) not in (None, name):
            return AlreadyExists
        return None

    def refusal_of_an_old_code(self, user) -> type[Refusal]:
        return CodeExpired if user.waiting(self.now) == user.code_for else NothingToVerify

    @rule(name=st.sampled_from(NAMES))
    def send_a_wrong_code(self, name) -> None:
        user = self.models.get(name)
        if user is None or user.code_for is None:
            return
        expected = TooSoon if user.dead else WrongCode
        if self.now >= user.code_until:
            expected = self.refusal_of_an_old_code(user)
        with pytest.raises(expected):
            self.desk.confirm(self.ids[name], self.desk.wrong_code(self.ids[name]))
        if expected is WrongCode:
            user.guesses += 1
            user.dead = user.guesses == 5

    @rule(name=st.sampled_from(NAMES))
    def resend(self, name) -> None:
        user = self.models.get(name)
        if user is None:
            return
        if user.waiting(self.now) is None:
            with pytest.raises(NothingToVerify):
                self.desk.resend(self.ids[name])
            return
        before = self.desk.code(self.ids[name])
        was_live = user.code_for and self.now < user.code_until and not user.dead
        try:
            self.desk.resend(self.ids[name])
        except TooSoon:
            assert len(self.desk.messages(user.waiting(self.now))) >= 5, "only the fifth send is the last"
            return
        self.model_resend(user)
        assert not was_live or self.desk.code(self.ids[name]) == before

    def model_resend(self, user) -> None:
        if user.code_for != user.waiting(self.now) or self.now >= user.code_until or user.dead:
            user.open(user.waiting(self.now), self.now)

    @rule(on=st.booleans())
    def switch_verification(self, on) -> None:
        self.desk.set(phone_number_verification_required=on)
        self.switch = on

    @rule(seconds=st.sampled_from((1, 59, 599, 601, 25 * 3600)))
    def wait(self, seconds) -> None:
        self.clock.advance(seconds)

    def take(self, name, user, number) -> None:
        user.number, user.verified, user.pending = number, True, None
        user.close()
        self.others_lose(name, number)

    def others_lose(self, name, number) -> None:
        for other_name, other in self.models.items():
            if other_name == name:
                continue
            if other.code_for == number and self.attempt_is_open(other):
                other.close()
            if other.pending == number:
                other.pending = None

    def attempt_is_open(self, user) -> bool:
        return not user.dead

    @invariant()
    def every_user_looks_as_the_model_says(self) -> None:
        for name, user in getattr(self, "models", {}).items():
            pending = user.pending if self.now < user.pending_until else None
            assert self.desk.number(self.ids[name]) == (user.number, user.verified, pending)

    @invariant()
    def no_number_has_two_holders(self) -> None:
        models = getattr(self, "models", {})
        for one, other in itertools.combinations(models.values(), 2):
            assert not (one.verified and other.verified and one.number == other.number)


def test_dat_06_otp_16_any_order_of_events_ends_as_the_model_says(transaction, keys, clock):
    class Here(Story):
        pass

    Here.desk = Desk(transaction, keys, profile=BENCH)
    Here.clock = clock
    run_state_machine_as_test(
        Here,
        settings=settings(
            max_examples=60,
            stateful_step_count=30,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
