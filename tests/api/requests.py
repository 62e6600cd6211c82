"""Which requests may somebody send? Hypothesis strategies over the contract's shapes, mostly bent."""

import base64
import json
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from hypothesis import strategies as st

from portal.api.operations import Operation
from portal.api.routes import OPERATIONS
from tests.drivers import KiiUser

ANY_TEXT = st.text(st.characters(exclude_categories=()), max_size=40)
ODD_TEXT = st.sampled_from(
    [
        "",
        "\x00",
        "a\x00b",
        "�",
        "��",
        "٠١٢٣٤٥",
        "１２３４５６",
        "%",
        "%00",
        "%41",
        "\u202e",
        "\n",
        "é" * 64,
        "x" * 300,
        "x" * 5000,
        "true",
        "null",
        "'; --",
        "../..",
        "{code}",
        "me",
        "+819012345678",
        "+81-90-1234-5678",
        "090-1234-5678",
        "PHONE:+819012345678",
        "EMAIL:a@b",
        "LOGIN_NAME:",
        "PHONE:JP-9012345678",
        "password",
    ]
)
NUMBERS = st.one_of(
    st.integers(),
    st.floats(),
    st.sampled_from([0, -1, 2**31, 2**53, 2**62, 2**63, 2**64, 10**30, 1e308, -0.0]),
)
SCALARS = st.one_of(st.none(), st.booleans(), NUMBERS, ANY_TEXT, ODD_TEXT)
ANYTHING = st.recursive(
    SCALARS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4), st.dictionaries(st.one_of(ANY_TEXT, ODD_TEXT), inner, max_size=4)
    ),
    max_leaves=12,
)
RAW = st.one_of(
    st.binary(max_size=60),
    st.sampled_from(
        [b"", b"{", b"[" * 2000, b"[" * 20_000 + b"]" * 20_000, b"{}" * 9, b'{"a":1,"a":2}', b" " * 140_000]
    )
    | st.sampled_from(
        [b"\xff\xfe{}", b'{"a":NaN}', b'{"a":1e999}', b'{"a":' + b"9" * 6000 + b"}", b"a=b&a=c"]
    ),
)
LOGIN_NAMES = st.sampled_from(["dora", "erin", "x.y", "ab"])
PASSWORDS = st.sampled_from(["pass1234", "another1", "abc"])
PHONE_NUMBERS = st.sampled_from(["+819012345678", "+819099998888", "09077776666", "+14155552671"])
CODES = st.sampled_from(["000000", "123456", "١٢٣٤٥٦", "12345", ""])
CLAUSES = st.sampled_from(
    [
        {"type": "all"},
        {"type": "eq", "field": "loginName", "value": "dora"},
        {"type": "hasField", "field": "country"},
        {"type": "not", "clause": {"type": "all"}},
        {"type": "prefix", "field": "phoneNumber", "prefix": "+81"},
        {"type": "range", "field": "createdAt", "lowerLimit": 0},
        {"type": "in", "field": "locale", "values": ["ja"]},
    ]
)
# What each field of the contract looks like when it is right.
RIGHT: dict[str, st.SearchStrategy[Any]] = {
    "loginName": LOGIN_NAMES,
    "username": LOGIN_NAMES | PHONE_NUMBERS,
    "password": PASSWORDS,
    "oldPassword": PASSWORDS,
    "newPassword": PASSWORDS,
    "displayName": st.sampled_from(["Dora", "ドラ", "🦖"]),
    "country": st.sampled_from(["JP", "jp", "US"]),
    "locale": st.sampled_from(["ja", "zh-Hans-HK", "en_us"]),
    "emailAddress": st.sampled_from(["dora@example.com", "Erin@Example.com"]),
    "phoneNumber": PHONE_NUMBERS,
    "phoneNumberVerified": st.booleans(),
    "verified": st.booleans(),
    "verificationCode": CODES,
    "disabled": st.booleans(),
    "expiresAt": st.integers(0, 2**62),
    "grant_type": st.sampled_from(["password", "client_credentials", "refresh_token"]),
    "client_id": LOGIN_NAMES,
    "client_secret": PASSWORDS,
    "refresh_token": PASSWORDS,
    "userQuery": st.fixed_dictionaries(
        {"clause": CLAUSES | ANYTHING},
        optional={
            "orderBy": st.sampled_from(["loginName", "_created", "phoneNumberVerified", "locale"]) | ANYTHING,
            "descending": st.booleans(),
        },
    ),
    "bestEffortLimit": st.integers(0, 300),
    "paginationKey": st.one_of(
        ANYTHING,
        st.lists(st.sampled_from(["loginName", "_created"]) | SCALARS, max_size=4).map(
            lambda place: base64.urlsafe_b64encode(json.dumps(place).encode()).decode()
        ),
    ),
    "phoneNumberVerificationRequired": st.booleans(),
    "defaultTokenExpirationSeconds": st.integers(1, 10**6),
    "_accessToken": ANY_TEXT,
    "internalUserID": NUMBERS,
    "score": ANYTHING,
}
PATHS = st.sampled_from([*OPERATIONS.values()] * 4)
_PARAMETERS = ["phoneNumberVerificationRequired", "defaultTokenExpirationSeconds"]
METHODS = st.sampled_from(["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "HEAD", "BREW"])


@dataclass(frozen=True)
class Sent:
    """One request, before the places of app, users and tokens are filled in."""

    method: str
    rule: str
    app_id: str
    user: str
    name: str
    credentials: str
    type: str
    query: str
    body: bytes = field(repr=True)

    def send(self, user: KiiUser, admin_token: str) -> Any:
        """Sends it as, or about, a user of an app; returns the answer."""
        app_id = user.kii.app_id
        places = {"<app_id>": self.app_id or app_id, "<user>": self.user or user.id, "<name>": self.name}
        path = self.rule
        for place, text in places.items():
            path = path.replace(place, quote(text, safe=":+", errors="surrogatepass"))
        basic = base64.b64encode(f"{app_id}:x".encode()).decode()
        headers = {
            "user": {"Authorization": f"Bearer {user.kii.token}"},
            "admin": {"Authorization": f"bearer {admin_token}"},
            "basic": {"Authorization": f"Basic {basic}"},
            "app": {"X-Kii-AppID": app_id, "X-Kii-AppKey": "x"},
            "wrong": {"Authorization": "Bearer \xff\x01"},
            "broken": {"Authorization": "Basic \xff="},
            "none": {},
        }[self.credentials]
        return user.kii.http.open(
            f"/api{path}?{self.query}",
            method=self.method,
            headers=headers,
            data=self.body,
            content_type=self.type or None,
        )


@st.composite
def requests(draw: st.DrawFn) -> Sent:
    """One request: an operation of the contract with one or more things bent, or with none."""
    operation: Operation = draw(PATHS)
    straight = draw(st.booleans())
    media = next(iter(operation.consumes), "application/json")
    odd_media = st.sampled_from(
        ["", "text/plain", "application/x-www-form-urlencoded", "application/json", "x;y"]
    )
    return Sent(
        method=operation.method if straight else draw(st.just(operation.method) | METHODS),
        rule=operation.rule,
        app_id="" if straight else draw(st.just("") | ANY_TEXT | ODD_TEXT),
        user=draw(st.sampled_from(["", "me"]) | (st.just("") if straight else ANY_TEXT | ODD_TEXT)),
        name=draw(st.sampled_from(["phoneNumberVerificationRequired", "refreshTokenEnabled"]) | ODD_TEXT),
        credentials=draw(
            st.sampled_from(["user", "admin", "app"])
            if straight
            else st.sampled_from(["user", "admin", "basic", "app", "wrong", "broken", "none"])
        ),
        type=media if straight else draw(st.just(media) | odd_media),
        query="disable_cache=1" if straight else quote(draw(ANY_TEXT), errors="surrogatepass"),
        body=draw(_body(operation) if straight else _body(operation) | RAW | ANYTHING.map(_dumped)),
    )


def _body(operation: Operation) -> st.SearchStrategy[bytes]:
    model = next(iter(operation.consumes.values()), None)
    if model is None:
        return st.sampled_from([b"", b"true", b"3600"])
    names = [each.alias or name for name, each in model.model_fields.items()] or _PARAMETERS
    own = st.fixed_dictionaries({}, optional={name: RIGHT[name] for name in names})
    right = st.fixed_dictionaries({name: RIGHT[name] for name in names[:2]})
    bent = st.dictionaries(st.sampled_from([*names, *RIGHT]), ANYTHING, max_size=3)
    return st.builds(lambda first, second, third: first | second | third, right, own, bent | st.just({})).map(
        _dumped
    )


def _dumped(value: Any) -> bytes:
    return json.dumps(value).encode()
