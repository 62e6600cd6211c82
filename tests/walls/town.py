"""Who lives in the town? Two apps with one of everything, and the people who knock at their doors."""

import base64
import hashlib
import secrets
from collections.abc import Iterator
from dataclasses import dataclass, field

from itsdangerous import URLSafeTimedSerializer
from sqlalchemy import Engine, delete, func, select
from sqlalchemy.orm import Session

from portal import clock
from portal import keys as portal_keys
from portal.core.receipt_addresses import token as token_of
from portal.core.roles import Role
from portal.models import (
    AccessKey,
    Account,
    App,
    Base,
    KeyKind,
    SmsTemplate,
    SmsTemplateVersion,
    TokenKind,
    User,
    random_id,
)
from portal.services import sessions
from portal.services.tokens import hashed
from portal.services.user_records import new_user_id
from tests import factories
from tests.cast import PASSWORD
from tests.conftest import FreshSession
from tests.walls.knocks import Answer, Door
from tests.walls.servers import CARRIER

# Ringback looks after itself meanwhile, whatever anybody asks.
BACKGROUND = {"alarm", "periodic_job", "worker_beat"}


@dataclass
class Tenant:
    """An app, and the ids of what is in it, by the words of the addresses."""

    app: App
    owner: Account
    support: Account
    user: User
    ids: dict[str, str]
    user_token: str
    admin_token: str


def key_of_basic(app_id: str) -> dict[str, str]:
    """The app as its clients name it: Basic, whose password is not looked at (contract b.1)."""
    return {"Authorization": "Basic " + base64.b64encode(f"{app_id}:any".encode()).decode()}


def key_of_headers(app_id: str) -> dict[str, str]:
    """The same in Kii's own headers."""
    return {"X-Kii-AppID": app_id, "X-Kii-AppKey": "any"}


def bearer(token: str) -> dict[str, str]:
    """A bearer token."""
    return {"Authorization": f"Bearer {token}"}


@dataclass
class Browser:
    """Somebody's session, with the token of its forms."""

    door: Door
    key: str
    csrf: str
    cookie_name: str = "session"

    @property
    def cookie(self) -> dict[str, str]:
        """The header that a browser sends."""
        return {"Cookie": f"{self.cookie_name}={self.key}"}

    def get(self, path: str, headers: dict[str, str] | None = None) -> Answer:
        """Opens a page."""
        return self.door.get(path, self.cookie | (headers or {}))

    def post(
        self, path: str, values: dict[str, str] | None = None, headers: dict[str, str] | None = None
    ) -> Answer:
        """Sends a form with the token."""
        sent = {"csrf_token": self.csrf} | (values or {})
        return self.door.post(path, sent, self.cookie | (headers or {}))


@dataclass
class Town:
    """The rows under a server. Alice owns the shop, Bob supports it, Olga owns the inn, Charlie nothing."""

    engine: Engine
    keys: portal_keys.Keys
    password_hash: str
    rows: Session = field(init=False)

    def __post_init__(self) -> None:
        self.rows = FreshSession(
            self.engine, expire_on_commit=False, execution_options={"populate_existing": True}
        )
        self.secret_ids: dict[str, str] = {}
        self.shop = self.tenant("Shop", "alice@example.com", "bob@example.com")
        self.inn = self.tenant("Inn", "olga@example.com", "pete@example.com")
        self.charlie = self.person("charlie@example.com")

    def person(self, email: str) -> Account:
        """Somebody with the cast's password."""
        return factories.account(self.rows, email=email, password=self.password_hash)

    def tenant(self, name: str, owner: str, support: str) -> Tenant:
        """An app with one of everything."""
        app = factories.app(self.rows, name=name, phone_number_verification_required=True)
        people = self.person(owner), self.person(support)
        for account, role in zip(people, (Role.OWNER, Role.SUPPORT), strict=True):
            factories.membership(self.rows, app_id=app.id, account_id=account.id, role=role)
        factories.open_country(self.rows, app_id=app.id)
        self.secret_ids[app.id] = factories.access_key(self.rows, app_id=app.id).id
        factories.sms_template(self.rows, app_id=app.id, locale="en")
        self.have_japanese(app.id)
        factories.sms_template_draft(self.rows, app_id=app.id, locale="ja")
        user = self.user(app)
        tokens = self.token(app, user, TokenKind.USER), self.token(app, None, TokenKind.ADMIN)
        made = Tenant(app, *people, user, {}, *tokens)
        made.ids = self.new_ids(made) | {"user_id": user.id, "user": user.id}
        return made

    def have_japanese(self, app_id: str) -> None:
        """The wording that the addresses name, also after an owner has removed it."""
        if self.rows.get(SmsTemplate, (app_id, "ja")) is None:
            number = SmsTemplateVersion.version
            last = select(func.max(number)).where(
                SmsTemplateVersion.app_id == app_id, SmsTemplateVersion.locale == "ja"
            )
            version = (self.rows.scalar(last) or 0) + 1
            factories.sms_template(self.rows, app_id=app_id, locale="ja", current_version=version)

    def user(self, app: App) -> User:
        """A user with a verified number, and another one waiting."""
        waiting = {"pending_phone_number": factories.phone_number()}
        number = {"phone_number": factories.phone_number(), "phone_number_verified": True}
        return factories.user(
            self.rows,
            app_id=app.id,
            id=new_user_id(),
            password_hash=self.password_hash,
            **number,
            **waiting,
        )

    def token(self, app: App, user: User | None, kind: TokenKind) -> str:
        """A bearer token, as its holder has it."""
        made = secrets.token_urlsafe(24)
        owner = {"app_id": app.id, "user_id": user.id if user else None}
        if kind is TokenKind.ADMIN:
            owner["access_key_id"] = self.secret_ids[app.id]
        factories.bearer_token(self.rows, token_hash=hashed(made), kind=kind, **owner)
        return made

    def new_ids(self, tenant: Tenant) -> dict[str, str]:
        """One more of everything in an app, so that whatever is done to it, the rest stays."""
        app_id, user = tenant.app.id, self.user(tenant.app)
        self.have_japanese(app_id)
        member = factories.membership(self.rows, app_id=app_id)
        link, reset = random_id(), random_id()
        invite = factories.invite(self.rows, app_id=app_id, invited_by=tenant.owner.id, key_hash=hashed(link))
        factories.password_reset(self.rows, account_id=member.account_id, key_hash=hashed(reset))
        provider = factories.provider(self.rows, app_id=app_id, settings={"url": f"http://{CARRIER}/sms"})
        opened = self.sign_in(tenant.owner)
        return {
            "app_id": app_id,
            "user_id": user.id,
            "user": user.id,
            "message_id": factories.message(self.rows, app_id=app_id, state="dead").id,
            "provider_id": provider.id,
            "key_id": self._app_key(app_id),
            "account_id": member.account_id,
            "invite_id": invite.id,
            "passkey_id": factories.passkey(self.rows, account_id=tenant.owner.id).id,
            "sign_in_id": self.session_of(opened.key),
            "link": link,
            "token": token_of(self.keys.receipts, provider.id),
        }

    def _app_key(self, app_id: str) -> str:
        """A live AppKey that is new each time, in the same of the two places that there are."""
        here = AccessKey.app_id == app_id, AccessKey.kind == KeyKind.APP_KEY, AccessKey.slot == 2
        self.rows.execute(delete(AccessKey).where(*here))
        key = {"kind": KeyKind.APP_KEY, "slot": 2, "value": f"rb_pub_{secrets.token_urlsafe(32)}"}
        return factories.access_key(self.rows, app_id=app_id, **key).id

    def no_ids(self) -> dict[str, str]:
        """Ids of nothing, in the shapes of the others."""
        words = (
            "app_id",
            "message_id",
            "provider_id",
            "key_id",
            "account_id",
            "invite_id",
            "passkey_id",
            "sign_in_id",
            "link",
        )
        ids = {word: random_id() for word in words}
        user = new_user_id()
        token = token_of(self.keys.receipts, random_id())
        return ids | {
            "user_id": user,
            "user": user,
            "token": token,
        }

    def sign_in(
        self, account: Account | None, door: Door | None = None, cookie_name: str = "session"
    ) -> Browser:
        """A session of its own, as after a right password a moment ago; of nobody for None."""
        token = hashlib.sha256(secrets.token_bytes()).hexdigest()[:40]
        values: dict[str, object] = {"csrf_token": token}
        if account is not None:
            values |= {"_user_id": account.fs_uniquifier, "_fresh": True}
        key = sessions.open_new(self.rows, values, account.id if account else None, clock.now(), "Walls")
        signer = URLSafeTimedSerializer(self.keys.session, salt="wtf-csrf-token")
        return Browser(door or Door(0, ""), key, str(signer.dumps(token)), cookie_name)

    def session_of(self, key: str) -> str:
        """The id of a session."""
        table = Base.metadata.tables["account_session"]
        found = select(table.c.id).where(table.c.key_hash == hashed(key))
        return str(self.rows.execute(found).scalar_one())

    def session_of_id(self, session_id: str) -> bool:
        """Whether a session is still there."""
        table = Base.metadata.tables["account_session"]
        return self.rows.execute(select(table.c.id).where(table.c.id == session_id)).first() is not None

    def sign_ins(self) -> set[tuple[object, ...]]:
        """Who is signed in where, and since when: what a forged request must not change of a session."""
        columns = Base.metadata.tables["account_session"].c
        kept = select(columns.key_hash, columns.account_id, columns.created_at, columns.confirmed_at)
        return {tuple(row) for row in self.rows.execute(kept)}

    def digest(self, app_id: str) -> dict[str, str]:
        """What every row of an app says, by table."""
        return {name: _digest(lines) for name, lines in self._rows_of(app_id)}

    def digest_of_all(self, *besides: str) -> dict[str, str]:
        """What every row there is says, by table, but for those named."""
        left_out = BACKGROUND | set(besides)
        tables = [each for each in Base.metadata.sorted_tables if each.name not in left_out]
        return {each.name: _digest(self._read(select(each))) for each in tables}

    def _rows_of(self, app_id: str) -> Iterator[tuple[str, list[str]]]:
        for table in Base.metadata.sorted_tables:
            column = table.c.get("id" if table.name == "app" else "app_id")
            if column is not None:
                yield table.name, self._read(select(table).where(column == app_id))

    def _read(self, statement) -> list[str]:
        return sorted(str(tuple(row)) for row in self.rows.execute(statement))


def _digest(lines: list[str]) -> str:
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


__all__ = ["PASSWORD", "Browser", "Tenant", "Town"]
