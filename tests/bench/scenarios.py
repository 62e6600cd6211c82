"""What is measured: requests as an app's users send them, each by another user."""

import json
from collections.abc import Iterator
from itertools import count

from tests.bench.driver import request
from tests.bench.seed import APP_ID, PASSWORD, Seeded

_USERS = f"/api/apps/{APP_ID}/users"
_APP = {"X-Kii-AppID": APP_ID, "X-Kii-AppKey": "key"}


def bare() -> Iterator[bytes]:
    """The bare Flask route, for ever."""
    while True:
        yield request("GET", "/bare", {})


def lean(route: str, requests: int, first: int = 1) -> Iterator[bytes]:
    """The lean route, each row once."""
    for at in range(first, first + requests):
        yield request("POST", f"/{route}/{at}", {})


def same_rows(what: str, people: list[Seeded]) -> Iterator[bytes]:
    """The lean route that writes the rows of `what` for each user."""
    for person in people:
        yield request("POST", f"/same-rows/{what}/{person.user_id}/{person.phone_number[-7:]}", {})


def same_rows_token(people: list[Seeded]) -> Iterator[bytes]:
    """The lean login, for ever."""
    while True:
        for person in people:
            yield request("POST", f"/same-rows/token/{person.login_name}", {})


def same_rows_register(first: int) -> Iterator[bytes]:
    """The lean sign-up of new users, for ever."""
    for place in count(first):
        yield request("POST", f"/same-rows/register/lean{place}/{place:07d}", {})


def verify(people: list[Seeded], wrong: bool = False) -> Iterator[bytes]:
    """Each user's code sent back; `wrong` sends another."""
    for person in people:
        digits = f"{(int(person.code) + 1) % 10**6:06d}" if wrong else person.code
        body = json.dumps({"verificationCode": digits}).encode()
        media = "application/vnd.kii.AddressVerificationRequest+json"
        yield request(
            "POST", f"{_USERS}/me/phone-number/verify", _bearer(person) | {"Content-Type": media}, body
        )


def resend(people: list[Seeded]) -> Iterator[bytes]:
    """Each user asks for the code again."""
    for person in people:
        path = f"{_USERS}/{person.user_id}/phone-number/resend-verification"
        yield request("POST", path, _bearer(person) | {"Content-Type": "application/json"})


def change(people: list[Seeded], prefix: str = "+81802") -> Iterator[bytes]:
    """Each user starts a change of number, which sends a code."""
    for person in people:
        body = json.dumps({"phoneNumber": prefix + person.phone_number[-7:]}).encode()
        media = "application/vnd.kii.PhoneNumberModificationRequest+json"
        path = f"{_USERS}/{person.user_id}/phone-number"
        yield request("PUT", path, _bearer(person) | {"Content-Type": media}, body)


def token(people: list[Seeded]) -> Iterator[bytes]:
    """Users log in with their passwords, for ever."""
    while True:
        for person in people:
            body = json.dumps({"username": person.login_name, "password": PASSWORD}).encode()
            yield request("POST", "/api/oauth2/token", _APP | {"Content-Type": "application/json"}, body)


def register(first: int) -> Iterator[bytes]:
    """New users sign up, for ever."""
    place = first
    while True:
        place += 1
        user = {"loginName": f"new{place}", "password": PASSWORD, "phoneNumber": f"+81702{place:07d}"}
        media = "application/vnd.kii.RegistrationRequest+json"
        yield request("POST", _USERS, _APP | {"Content-Type": media}, json.dumps(user).encode())


def _bearer(person: Seeded) -> dict[str, str]:
    return {"Authorization": f"Bearer {person.token}"}
