"""Who plays in the tests of the REST door? Clients of two shops, an administrator, and end users."""

from collections.abc import Callable

import pytest

from portal.services import apps
from tests.cast import Shop
from tests.drivers import KiiClient, KiiUser

NUMBER = "+819012345678"
ANOTHER = "+819099998888"


@pytest.fixture
def kii(client, shop) -> KiiClient:
    """A client of the shop's app, where verification is on. Nobody is logged in."""
    return KiiClient(client, shop.id, shop.client_id, shop.client_secret)


@pytest.fixture
def admin(kii) -> KiiClient:
    """The shop's administrator."""
    return kii.as_admin()


@pytest.fixture
def other_shop(transaction, context_for, charlie) -> Shop:
    """An app of the stranger's, with verification on too."""
    with transaction() as session:
        created = apps.create(context_for(session), apps.NewApp(name="Other", home_country="JP"), charlie.id)
        here = context_for(session).in_app(created.app.id)
        apps.change(here, apps.AppChanges(phone_number_verification_required=True))
    return Shop(created.app, created.app_key, created.client_secret)


@pytest.fixture
def stranger(client, other_shop) -> KiiClient:
    """A client of the other app."""
    return KiiClient(client, other_shop.id, other_shop.client_id, other_shop.client_secret)


@pytest.fixture
def unverified(kii) -> KiiUser:
    """A user who signed up with NUMBER and has not sent the code."""
    return kii.sign_up(phoneNumber=NUMBER)


@pytest.fixture
def code_of(admin) -> Callable[[KiiUser], str]:
    """`code_of(user)` is the live code, as the administrator of a sandbox reads it."""

    def read(user: KiiUser) -> str:
        answer = admin.ask("GET", f"/users/{user.id}/phone-number/verification-code")
        assert answer.status_code == 200, answer.get_data(as_text=True)
        return str(answer.json["verificationCode"])

    return read


@pytest.fixture
def verified(unverified, code_of) -> KiiUser:
    """A user who holds NUMBER."""
    assert unverified.verify(code_of(unverified)).status_code == 200
    return unverified


@pytest.fixture
def switch(admin) -> Callable[[str, object], None]:
    """`switch("phoneNumberVerificationRequired", False)` sets a parameter of the shop's app."""

    def write(name: str, value: object) -> None:
        answer = admin.ask("PATCH", "/configuration/parameters", {name: value})
        assert answer.status_code == 204, answer.get_data(as_text=True)

    return write


def wrong(code: str) -> str:
    """A code of the same length that is another one."""
    return str((int(code) + 1) % 10 ** len(code)).zfill(len(code))
