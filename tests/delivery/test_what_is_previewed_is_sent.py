"""What an owner sees while writing is byte for byte what the provider gets and the inbox shows (TPL-01)."""

from dataclasses import dataclass, field

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from sqlalchemy import update

from portal.core import app_name, code, placeholders, wordings
from portal.core.lifecycle import Purpose
from portal.delivery import dispatch
from portal.delivery.dispatch import Post
from portal.delivery.providers.base import Accepted, Sms
from portal.models import ActorKind, App, Verification
from portal.services import app_settings, fresh_attempts, outbox, sms_templates, test_sends
from portal.services.context import Caller
from portal.services.outbox import Recipient
from portal.services.sms_templates import Signed
from portal.web import previews
from portal.web.previews import Samples
from tests import factories, origin_bound_codes

NUMBER = "+819012345678"
EXAMPLES = 60

PIECES = st.sampled_from(
    [
        *(
            "{code}",
            "{app_name}",
            "{minutes}",
            " ",
            "\n",
            "\r\n",
            "@",
            "#",
            "é",
            "ü",
            "€",
            "[",
            "~",
            "'",
            "’",
        ),
        *(
            "“",
            "–",
            "…",
            "\u00a0",
            "\u3000",
            "の認証",
            "：",
            "رمز",
            "קוד",
            "👨\u200d👩\u200d👧",
            "क्ष",
            "e\u0301",
            "\u212b",
            "\\1",
            "%s",
            "$",
        ),
    ]
)
TEXTS = st.lists(PIECES | st.text(max_size=4), max_size=14).map("".join)
BODIES = st.one_of(
    st.sampled_from(list(wordings.VERIFICATION.values())),
    st.tuples(TEXTS, TEXTS).map("{code}".join),
).filter(lambda body: not placeholders.problems(body))
NAMES = st.one_of(
    st.sampled_from(["Shop", "株式会社テスト", "{code}", "{app_name}", "\\g<0>", "Ünï & Co.", "متجر"]),
    st.text(min_size=1, max_size=30),
).filter(lambda name: app_name.problem(name) is None)
DOMAINS = st.none() | st.sampled_from(["shop.example", "xn--bcher-kva.example", "login.shop.co.jp"])
HASHES = st.none() | st.from_regex(r"[A-Za-z0-9+/]{11}", fullmatch=True)


@dataclass(frozen=True)
class Settings:
    """What an owner has set, beside the wording."""

    name: str = "Shop"
    code_length: int = 6
    minutes: int = 10
    web_domain: str | None = None
    android_hash: str | None = None
    web_autofill: bool = True
    android_autofill: bool = True

    def columns(self) -> dict[str, object]:
        return {
            "name": self.name,
            "code_length": self.code_length,
            "code_life_s": self.minutes * 60,
            "web_domain": self.web_domain,
            "android_hash": self.android_hash,
            "web_autofill": self.web_autofill and self.web_domain is not None,
            "android_autofill": self.android_autofill and self.android_hash is not None,
        }


SETTINGS = st.builds(
    Settings,
    name=NAMES,
    code_length=st.integers(4, 10),
    minutes=st.integers(2, 10),
    web_domain=DOMAINS,
    android_hash=HASHES,
    web_autofill=st.booleans(),
    android_autofill=st.booleans(),
)


@dataclass
class Recording:
    """The inbox's provider, which keeps what it was handed."""

    name: str = "inbox"
    taken: list[Sms] = field(default_factory=list)

    def send(self, sms: Sms) -> Accepted:
        self.taken.append(sms)
        return Accepted(is_delivered=True)


class Studio:
    """An owner's editor on one side, one user's phone on the other."""

    def __init__(self, shop, alice, transaction, context_for, keys, session, clock) -> None:
        self.app_id, self.owner_id, self.keys = shop.id, alice.id, keys
        self._transaction, self._context_for = transaction, context_for
        self.provider = Recording()
        self.post = Post(transaction, keys, {"inbox": self.provider}, now=clock.now)
        self.clock = clock
        self.to = Recipient(factories.user(session, app_id=shop.id, locale="ja").id, NUMBER, "ja")

    def do(self, verb):
        """One transaction of the owner's around `verb(ctx)`."""
        with self._transaction() as session:
            return verb(self._context_for(session, Caller(ActorKind.ACCOUNT, self.app_id, self.owner_id)))

    def app(self) -> App:
        return self.do(lambda ctx: ctx.session.get_one(App, self.app_id))

    def write(self, typed: str, wanted: Settings) -> None:
        """Puts a wording in force, by the rules that every wording must keep but for its length."""
        body = placeholders.parse(typed).body
        setting = update(App).where(App.id == self.app_id).values(**wanted.columns())
        self.do(lambda ctx: ctx.session.execute(setting))
        self.do(lambda ctx: sms_templates.put_in_force(ctx, Signed("ja", body)))

    def verify(self) -> Verification:
        """Puts the SMS of a new verification down."""

        def start(ctx) -> Verification:
            app = app_settings.load(ctx)
            made = fresh_attempts.replace_open(ctx, app, self.to, Purpose.REGISTER)
            outbox.put_down_verification(ctx, app, self.to, made)
            return ctx.session.get_one(Verification, (self.app_id, made))

        return self.do(start)

    def digits(self, made: Verification) -> str:
        return code.derive(self.keys.codes[made.key_version], made.id, made.issue, made.code_length)

    def test(self) -> None:
        """Puts a test of the wording in force down, on a day of its own."""
        self.clock.advance(86_400)
        self.do(lambda ctx: test_sends.send(ctx, ctx.session.get_one(App, self.app_id), self.owner_id, "ja"))

    def deliver(self) -> bytes:
        """Sends the one message that waits; the bytes that the provider got."""
        self.provider.taken.clear()
        assert dispatch.send_next(self.post)
        assert not dispatch.send_next(self.post)
        [sms] = self.provider.taken
        return sms.text.encode()

    def shown(self) -> bytes:
        """The newest text on the sandbox phone."""
        return self.do(lambda ctx: outbox.inbox(ctx, limit=1))[0].text.encode()


@pytest.fixture
def studio(shop, alice, transaction, context_for, keys, session, clock) -> Studio:
    return Studio(shop, alice, transaction, context_for, keys, session, clock)


@settings(
    max_examples=EXAMPLES,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.filter_too_much],
)
@given(typed=BODIES, wanted=SETTINGS)
@example(" \n{code} e\u0301\u212b\u00a0\r\n \n", Settings(" Shop\u3000"))
@example("{code}\r\n{app_name}\r\n{minutes}", Settings("{code}", 4, 2, "shop.example", "FA+9qCX9VSu"))
@example("{app_name}: {code}", Settings("{minutes}", 10, 2, "shop.example", None, web_autofill=False))
def test_the_preview_is_byte_for_byte_what_the_provider_gets_and_the_inbox_shows(studio, typed, wanted):
    studio.write(typed, wanted)
    made = studio.verify()

    sent = studio.deliver()

    samples = Samples(wanted.name, str(wanted.minutes), studio.digits(made))
    assert sent == previews.of(studio.app(), typed, samples).text.encode()
    assert sent == studio.shown()
    if studio.app().web_autofill:
        read = origin_bound_codes.read(sent.decode())
        assert read == origin_bound_codes.OriginBoundCode(wanted.web_domain, studio.digits(made))


@settings(
    max_examples=EXAMPLES,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.filter_too_much],
)
@given(typed=BODIES, wanted=SETTINGS)
@example(" \n{code} e\u0301\u212b\u00a0\r\n \n", Settings(" Shop\u3000"))
@example("{code}\r\n{app_name}\r\n{minutes}", Settings("{code}", 4, 2, "shop.example", "FA+9qCX9VSu"))
def test_a_test_is_byte_for_byte_what_the_page_shows_before_anything_is_typed(studio, typed, wanted):
    studio.write(typed, wanted)
    studio.test()

    sent = studio.deliver()

    assert sent == previews.of(studio.app(), typed).text.encode() == studio.shown()


def test_tpl_05_a_wording_saved_meanwhile_changes_no_message_that_waits(studio):
    studio.write("{code} was the wording when this was put down", Settings())
    before = previews.samples_of(studio.app())
    studio.test()
    expected = previews.rendered(studio.app(), "{code} was the wording when this was put down", before)
    studio.write("{code}: new", Settings(name="Store", web_domain="shop.example"))

    assert studio.deliver() == expected.encode() == studio.shown()


def test_a_wording_of_918_characters_is_previewed_and_sent_whole(studio):
    body = "{code}" + "x" * (placeholders.LONGEST_BODY - 6)
    studio.write(body, Settings(web_domain="shop.example"))
    studio.test()

    sent = studio.deliver()

    assert len(sent) > placeholders.LONGEST_BODY
    assert sent == previews.of(studio.app(), body).text.encode()
