"""Who plays in the tests? Alice owns the shop, Bob supports it, Charlie is a stranger."""

from collections.abc import Callable
from dataclasses import dataclass

import pytest

from portal.core.roles import Role
from portal.models import App
from portal.services import accounts, apps
from portal.services.passwords import Hasher

PASSWORD = "correct horse battery staple"


@dataclass(frozen=True)
class Person:
    """An account and what its owner types to sign in."""

    id: str
    email: str
    password: str = PASSWORD


@dataclass(frozen=True)
class Shop:
    """An app of Alice's, as its row was made, with its AppKey and the secret that is shown once."""

    app: App
    key: str
    client_secret: str

    @property
    def id(self) -> str:
        """The AppID."""
        return self.app.id

    @property
    def client_id(self) -> str:
        """The ClientID."""
        return self.app.client_id


@pytest.fixture(scope="session")
def password_hash() -> str:
    """The hash of PASSWORD, made once: hashing is slow on purpose."""
    return Hasher(threads=1, waiting=1).hash(PASSWORD)


@pytest.fixture
def new_account(transaction, context_for, password_hash) -> Callable[[str], Person]:
    """`new_account("dora@example.com")` is one more person."""

    def make(email: str) -> Person:
        with transaction() as session:
            account = accounts.create(context_for(session), email, password_hash)
        return Person(account.id, email)

    return make


@pytest.fixture
def alice(new_account) -> Person:
    """Owns the shop."""
    return new_account("alice@example.com")


@pytest.fixture
def bob(new_account) -> Person:
    """Supports the shop's users, where the shop is there."""
    return new_account("bob@example.com")


@pytest.fixture
def charlie(new_account) -> Person:
    """Is a member of nothing."""
    return new_account("charlie@example.com")


@pytest.fixture
def shop(transaction, context_for, alice, bob) -> Shop:
    """A sandbox app in Japan with verification on."""
    with transaction() as session:
        created = apps.create(context_for(session), apps.NewApp(name="Shop", home_country="JP"), alice.id)
        here = context_for(session).in_app(created.app.id)
        apps.change(here, apps.AppChanges(phone_number_verification_required=True))
        accounts.join(here, bob.id, Role.SUPPORT)
    return Shop(created.app, created.app_key, created.client_secret)
