"""Who uses an app of the demo, and which life does each of them live?"""

import random
from dataclasses import dataclass, replace

from sqlalchemy.orm import Session

from portal import clock
from portal.cli import demo_settlers
from portal.cli.demo_apps import DemoApp
from portal.cli.demo_lives import GOING_ON, HEIR, LIVES, LOST_NUMBER, Life, Steps, live, live_until
from portal.cli.demo_people import Numbers, draw
from portal.cli.demo_story import RETRIES, Story
from portal.models import ActorKind, AppMode, NumberTaken
from portal.services import apps
from portal.services.apps import AppChanges
from portal.services.context import Caller, Context

LASTS = 14 * clock.DAY
# Whoever has signed up has had the time to finish by now.
_SETTLED = 30 * clock.MINUTE
_CLOSED_AT = 26 * clock.MINUTE
_LOST_NUMBERS = 3
_CUT_OFF = 3
# So many seconds ago (least, most) that the last try has failed by now, and their codes live on.
_CUT_OFF_AGO = (RETRIES[-1] + 5, RETRIES[-1] + 20)


@dataclass(slots=True)
class Town:
    """The users of one app."""

    story: Story
    plan: DemoApp
    app_id: str
    numbers: Numbers
    chance: random.Random
    password_hash: str
    signed_up: int = 0

    def settle(self, session: Session, owner_id: str, support_id: str) -> None:
        """Adds the settlers, and plans the others' lives, up to as many people as the app is to have."""
        if self.plan.closes:
            self._close_country(self.plan.closes, owner_id)
        if self.plan.number_taken is NumberTaken.MOVE:
            for _ in range(_LOST_NUMBERS):
                self._lose_number()
        if self.plan.mode is AppMode.LIVE:
            self._lose_carrier()
        settlers = [self._settler() for _ in range(self.plan.settlers)]
        demo_settlers.add(session, self.app_id, settlers, self.password_hash, support_id)
        names = [*LIVES, *GOING_ON]
        weights = [weight for weight, _ in (*LIVES.values(), *GOING_ON.values())]
        while self.signed_up < self.plan.users:
            [name] = self.chance.choices(names, weights)
            self._begin(name)

    def _begin(self, name: str) -> None:
        if name in GOING_ON:
            ago = self.chance.randint(10 * clock.MINUTE, 20 * clock.HOUR)
            live_until(self._newcomer(), GOING_ON[name][1], self.story.ends_at - ago, self.chance)
        else:
            live(self._newcomer(), LIVES[name][1], self._some_time(), self.chance)

    def _lose_number(self) -> None:
        holder, heir = self._newcomer(), self._newcomer()
        heir.person = replace(heir.person, country=holder.person.country, locale=holder.person.locale)
        heir.number = holder.number
        at = self.story.ends_at - self.chance.randint(5, 12) * clock.DAY
        live(holder, LOST_NUMBER, at, self.chance)
        live(heir, HEIR, at, self.chance)

    def _close_country(self, country: str, owner_id: str) -> None:
        at = self.story.ends_at - _CLOSED_AT
        steps: Steps = (("sign_up_before_closing", 0, 60),)
        for _ in range(3):
            live(self._newcomer(country), steps, at - clock.MINUTE, self.chance)
        owner = Caller(ActorKind.ACCOUNT, self.app_id, owner_id)

        def close(ctx: Context) -> None:
            changes = AppChanges(open_countries=frozenset(self.plan.countries))
            apps.change(replace(ctx, caller=owner), changes)

        self.story.plan(at, close)

    def _lose_carrier(self) -> None:
        """A few people sign up during an outage that has just ended: their codes still wait for an SMS."""
        for _ in range(_CUT_OFF):
            at = self.story.ends_at - self.chance.randint(*_CUT_OFF_AGO) * clock.SECOND
            live(self._newcomer(), LIVES["cut_off"][1], at, self.chance)

    def _newcomer(self, *countries: str) -> Life:
        self.signed_up += 1
        person = draw(self.chance, countries or self.plan.countries, self.signed_up)
        number = self.numbers.draw(person.country)
        return Life(self.story, self.app_id, person, number, self.numbers, self.password_hash)

    def _settler(self) -> demo_settlers.Settler:
        self.signed_up += 1
        person = draw(self.chance, self.plan.countries, self.signed_up)
        return demo_settlers.draw(self.chance, person, self.numbers, self.story.ends_at)

    def _some_time(self) -> int:
        return self.story.ends_at - self.chance.randint(_SETTLED, LASTS)
