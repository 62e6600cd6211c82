"""What happens in an app within a day? All of it: sign-ups, failures, changes, deeds, tests and look-ups."""

import re
from dataclasses import dataclass

from flask import Flask
from sqlalchemy import select, update

from portal import clock as portal_clock
from portal.core import code
from portal.delivery import dispatch
from portal.delivery.dispatch import Post
from portal.delivery.providers.base import Accepted, ProviderRefused, ProviderUnreachable, Sms
from portal.delivery.providers.inbox import Inbox
from portal.models import ActorKind, App, AuditAction, Message, MessagePurpose, MessageState, Verification
from portal.services import apps, phone_numbers, sms_templates
from portal.services.apps import AppChanges
from tests import factories
from tests.drivers import KiiClient, KiiUser
from tests.web.conftest import Browser
from tests.web.crawl import Secrets

WHY = "The user called and asked."
CANARY = "kanariya"
WORDING = f"{CANARY} {{code}} {{app_name}}"
# What no notice of a change leaves out.
NOTICE = "your phone number is being changed"
PEOPLE = (
    "hugo",
    "iris",
    "gail",
    "nora",
    "olga",
    "pete",
    "pete2",
    "quin",
    "finn",
    "erin",
    "jane",
    "rosa",
    "sven",
    "sven2",
    "dora",
    "dora2",
    "nina",
    "olaf",
    "liam",
    "otto",
)
# No seven digits of one of them stand in another one.
NUMBERS = {name: f"+8190{7000_0000 + (at + 1) * 1_137_461:08}" for at, name in enumerate(PEOPLE)}
NUMBERS |= {"france": "+33698745213", "alice": "+818059374628"}
STAMP = re.compile(r'name="seen" type="hidden" value="([^"]*)"')


class Carrier:
    """A provider whose refusals echo the number and the text, as some do; it notes what it was given."""

    name = "carrier"

    def __init__(self) -> None:
        self.taken: list[Sms] = []
        self.refuses: type[ProviderRefused | ProviderUnreachable] | None = None

    def send(self, sms: Sms) -> Accepted:
        """Takes an SMS, or refuses it for good."""
        self.taken.append(sms)
        if self.refuses is not None:
            raise self.refuses(f"Refused {sms.to} «{sms.text}»", permanent=True)
        return Accepted(f"ref-{len(self.taken)}")


@dataclass
class Lives:
    """The shop with everybody's doings, told step by step under a clock that stands still."""

    app: Flask
    shop: object
    clock: object
    transaction: object
    context_for: object
    keys: object

    def __post_init__(self) -> None:
        self.carrier = Carrier()
        providers = {"carrier": self.carrier, "inbox": Inbox()}
        self._post = Post(self.transaction, self.keys, providers, now=lambda: portal_clock.now())
        self.kii = KiiClient(
            self.app.test_client(), self.shop.id, self.shop.client_id, self.shop.client_secret
        )
        self.users: dict[str, KiiUser] = {}

    def happen(self, alices, bobs, live_app: str) -> None:
        """Everything, from the first sign-up to what still waits. `alices()` and `bobs()` sign in anew."""
        self._word_the_sms()
        self._lapse()
        self._lose_a_number()
        self._fail()
        self._meet_support(alices(), bobs())
        self._confirm_an_own_number(alices(), live_app)
        self._wait()

    def secrets(self) -> Secrets:
        """All that was made up on the way, spent or live."""
        with self.transaction() as rows:
            attempts = rows.scalars(select(Verification)).all()
            codes = {self._code(each, issue) for each in attempts for issue in range(1, each.issue + 1)}
            wanted = select(Message).where(Message.purpose == MessagePurpose.OWN_NUMBER)
            codes |= {self._own_code(each) for each in rows.scalars(wanted)}
        tokens = {user.kii.token for user in self.users.values()}
        keys = {self.shop.client_secret, *tokens}
        return Secrets(set(NUMBERS.values()), codes, keys)

    # --- Steps --------------------------------------------------------------------------------------------

    def _word_the_sms(self) -> None:
        with self.transaction() as rows:
            here = self.context_for(rows).in_app(self.shop.id)
            for locale in ("en", "ja"):
                sms_templates.save(here, locale, WORDING)
            apps.change(here, AppChanges(number_taken="move"))
            rows.get_one(App, self.shop.id).provider = "carrier"

    def _lapse(self) -> None:
        self._verified("sven").change_phone(NUMBERS["sven2"])
        self.send()
        self.clock.advance(24 * 3600 + 1)
        with self.transaction() as rows:
            phone_numbers.lapse_due(self.context_for(rows))

    def _lose_a_number(self) -> None:
        self._verified("hugo")
        self._sign_up("iris", NUMBERS["hugo"])
        self.clock.advance(61)
        self.users["iris"].resend()
        self.send()
        assert self.users["iris"].verify(self.code("iris")).status_code == 200

    def _fail(self) -> None:
        self._sign_up("quin")
        self.clock.advance(9 * 60 + 1)
        self.send()
        self._sign_up("finn")
        self.send()
        self.clock.advance(601)
        self.carrier.refuses = ProviderRefused
        self._sign_up("erin")
        self.send()
        self.carrier.refuses = None
        assert self._verified("jane").change_phone(NUMBERS["france"]).status_code == 400
        self._sign_up("rosa")
        self.send()
        for _ in range(5):
            self.users["rosa"].verify(self.wrong("rosa"))
        assert self.users["rosa"].verify(self.code("rosa")).status_code == 429

    def _meet_support(self, alices: Browser, bobs: Browser) -> None:
        for name in ("gail", "nora", "pete"):
            self._verified(name)
        self._sign_up("olga")
        assert self.users["pete"].change_phone(NUMBERS["pete2"]).status_code == 204
        self.send()
        self.clock.advance(61)
        self._do(bobs, "gail", "disable")
        self._do(bobs, "nora", "free-number")
        self._do(bobs, "pete", "resend")
        self._do(bobs, "pete", "end-tokens")
        self._do(bobs, "pete", "cancel-change")
        self._do(alices, "olga", "mark-verified")
        revealed = bobs.post(f"{self.page_of('jane')}/reveal", {"reason": WHY})
        # The one answer that shows numbers; its headers and address stay as silent as all others.
        assert revealed.status_code == 200
        assert bobs.post(f"/apps/{self.shop.id}/users", {"q": NUMBERS["jane"]}).status_code == 303
        assert alices.post(f"/apps/{self.shop.id}/sms-templates/en/test").status_code == 303

    def _confirm_an_own_number(self, alices: Browser, live_app: str) -> None:
        test = f"/apps/{live_app}/sms-templates/en/test"
        assert alices.post(f"{test}/number", {"number": NUMBERS["alice"]}).status_code == 303
        with self.transaction() as rows:
            asked = rows.scalars(select(Message).where(Message.purpose == MessagePurpose.OWN_NUMBER)).one()
            digits = self._own_code(asked)
        assert alices.post(f"{test}/code", {"code": digits}).status_code == 303
        assert alices.post(test).status_code == 303
        self.send()

    def _wait(self) -> None:
        dora = self._verified("dora")
        self._fill_pages()
        self.clock.advance(1)
        assert dora.change_phone(NUMBERS["dora2"]).status_code == 204
        self.send()
        dora.verify(self.wrong("dora"))
        self.clock.advance(61)
        dora.resend()
        assert dora.resend().status_code == 429
        self.send()
        self.carrier.refuses = ProviderUnreachable
        self._sign_up("nina")
        self._sign_up("otto")
        self.send()
        self._set_aside("otto")
        with self.transaction() as rows:
            # From here on the sandbox phone gets what is sent.
            rows.execute(update(App).where(App.id == self.shop.id).values(provider="inbox"))
        self._sign_up("olaf")
        self.send()
        self._sign_up("liam")

    def _set_aside(self, name: str) -> None:
        """Lets a user's newest message be one that failed once too often."""
        dead = {"state": MessageState.DEAD, "attempts": 5}
        with self.transaction() as rows:
            rows.execute(update(Message).where(Message.user_id == self.users[name].id).values(dead))

    def _fill_pages(self) -> None:
        """More than a page holds of Dora's doings, in the audit log and in the outbox."""
        own = {"app_id": self.shop.id, "user_id": self.users["dora"].id}
        told = {
            "purpose": MessagePurpose.CHANGE_NOTICE,
            "state": MessageState.DELIVERED,
            "provider": "carrier",
        }
        told |= {"phone_number": NUMBERS["dora"], "values": {"app_name": "Shop"}, "reason": None}
        with self.transaction() as rows:
            for _ in range(51):
                factories.audit_entry(rows, **own, action=AuditAction.USER_UPDATED, actor_kind=ActorKind.USER)
                factories.message(rows, **own, **told)

    # --- Words ----------------------------------------------------------------------------------------------

    def page_of(self, name: str) -> str:
        """The address of a user's page."""
        return f"/apps/{self.shop.id}/users/{self.users[name].id}"

    def send(self) -> None:
        """One pass of a worker."""
        while dispatch.send_next(self._post):
            pass

    def code(self, name: str) -> str:
        """The code of a user's newest verification."""
        newest = Verification.created_at.desc()
        wanted = select(Verification).where(Verification.user_id == self.users[name].id).order_by(newest)
        with self.transaction() as rows:
            found = rows.scalars(wanted).first()
            return self._code(found, found.issue)

    def wrong(self, name: str) -> str:
        """A code that is another one."""
        return f"{(int(self.code(name)) + 1) % 10**6:06}"

    def _code(self, attempt: Verification, issue: int) -> str:
        return code.derive(self.keys.codes[attempt.key_version], attempt.id, issue, attempt.code_length)

    def _own_code(self, message: Message) -> str:
        key = self.keys.codes[int(message.values["key_version"])]
        return code.derive(key, message.values["id"], 1, code.USUAL)

    def _sign_up(self, name: str, number: str = "") -> KiiUser:
        fields = {"loginName": name, "phoneNumber": number or NUMBERS[name], "locale": "ja-JP"}
        self.users[name] = self.kii.sign_up(**fields, emailAddress=f"{name}@example.com")
        return self.users[name]

    def _verified(self, name: str) -> KiiUser:
        user = self._sign_up(name)
        self.send()
        assert user.verify(self.code(name)).status_code == 200
        self.clock.advance(61)
        return user

    def _do(self, browser: Browser, name: str, deed: str) -> None:
        address = f"{self.page_of(name)}/actions/{deed}"
        seen = STAMP.search(browser.get(address).text)
        assert seen, deed
        answer = browser.post(address, {"seen": seen[1], "reason": WHY})
        assert answer.status_code == 303, answer.text
