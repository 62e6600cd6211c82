"""How does a test speak Kii? A client that says what the SDK says, and hands back the raw answer."""

import json
from dataclasses import dataclass, replace
from itertools import count
from typing import Any

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

PASSWORD = "pass1234"
JSON = "application/json"
_NOTHING = object()
_names = count(1)


def vendor(name: str) -> str:
    """The vendor media type called `name`."""
    return f"application/vnd.kii.{name}+json"


@dataclass(frozen=True)
class KiiClient:
    """One client of one app, as the SDK is: it always names the app, and its user's token if it has one."""

    http: FlaskClient
    app_id: str
    client_id: str = ""
    client_secret: str = ""
    token: str = ""

    def holding(self, token: str) -> "KiiClient":
        """The same client, logged in with another token."""
        return replace(self, token=token)

    def call(self, method: str, path: str, body: Any = _NOTHING, **options: Any) -> TestResponse:
        """Any request under /api. `type`, `headers` and `raw` override what the SDK would send."""
        headers = {"X-Kii-AppID": self.app_id, "X-Kii-AppKey": "any", "X-Kii-SDK": "sn=jss;sv=2.4.19"}
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        data = options.get("raw", None if body is _NOTHING else json.dumps(body))
        return self.http.open(
            f"/api{path}",
            method=method,
            data=data,
            headers=options.get("headers", headers),
            content_type=options.get("type", JSON),
        )

    def ask(self, method: str, path: str, body: Any = _NOTHING, **options: Any) -> TestResponse:
        """Any request under the app's own path."""
        return self.call(method, f"/apps/{self.app_id}{path}", body, **options)

    def register(self, kind: str = "RegistrationRequest", **fields: Any) -> TestResponse:
        """Signs up with just these fields."""
        return self.ask("POST", "/users", fields, type=vendor(kind))

    def log_in(self, username: str, password: str = PASSWORD, **fields: Any) -> TestResponse:
        """Asks for a user's token as the SDK does: no grant_type, no Authorization."""
        sent = {"username": username, "password": password, **fields}
        return self.holding("").call("POST", "/oauth2/token", sent)

    def as_admin(self) -> "KiiClient":
        """The same client with the app administrator's token."""
        sent = {"client_id": self.client_id, "client_secret": self.client_secret}
        return self.holding(self.call("POST", "/oauth2/token", sent).json["access_token"])

    def sign_up(self, **fields: Any) -> "KiiUser":
        """Somebody new with a login name, signed up and logged in, with whatever fields are given."""
        named = {"loginName": f"dora{next(_names)}", "password": PASSWORD} | fields
        answer = self.register("RegistrationAndAuthorizationRequest", **named)
        assert answer.status_code == 201, answer.get_data(as_text=True)
        return KiiUser(self.holding(answer.json["_accessToken"]), answer.json["userID"], named["loginName"])


@dataclass(frozen=True)
class KiiUser:
    """An end user with its client, as the SDK's KiiUser."""

    kii: KiiClient
    id: str
    login_name: str

    def ask(self, method: str, path: str = "", body: Any = _NOTHING, **options: Any) -> TestResponse:
        """Any request under the user's own path."""
        return self.kii.ask(method, f"/users/{self.id}{path}", body, **options)

    def refresh(self) -> dict[str, Any]:
        """The user's record as it is now."""
        answer = self.ask("GET")
        assert answer.status_code == 200, answer.get_data(as_text=True)
        return dict(answer.json)

    def update(self, **fields: Any) -> TestResponse:
        """Sends an update of just these fields."""
        return self.ask("POST", "", fields, type=vendor("UserUpdateRequest"))

    def change_phone(self, phone_number: Any, **fields: Any) -> TestResponse:
        """Sends a change of number."""
        sent = {"phoneNumber": phone_number, **fields}
        return self.ask("PUT", "/phone-number", sent, type=vendor("PhoneNumberModificationRequest"))

    def verify(self, code: Any, **fields: Any) -> TestResponse:
        """Sends a code, addressed to `me` as the SDK does."""
        sent = {"verificationCode": code, **fields}
        path = "/users/me/phone-number/verify"
        return self.kii.ask("POST", path, sent, type=vendor("AddressVerificationRequest"))

    def resend(self) -> TestResponse:
        """Asks for the code again: a JSON content type and no body, as the SDK does."""
        return self.ask("POST", "/phone-number/resend-verification")
