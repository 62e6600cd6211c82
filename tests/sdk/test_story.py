"""Kii's own client, unmodified, lives a user's whole life against Ringback, in both of its styles."""

import json
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from werkzeug.serving import make_server

from portal.core import code
from portal.database import reading
from portal.models import Verification

HERE = Path(__file__).parent
FIRST, SECOND = "+819012345678", "+819087654321"


@pytest.fixture(params=["promise", "callback"])
def shown(request, site, shop) -> dict:
    """What each step of the story showed, in one of the client's styles."""
    story = ["node", "story.js", request.param, f"{site}/api", shop.id, f"{site}/control"]
    ended = subprocess.run(
        [*story, shop.client_id, shop.client_secret],
        cwd=HERE,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert ended.stdout, ended.stderr
    told = json.loads(ended.stdout.splitlines()[-1])
    assert "failed" not in told, told["failed"]
    return told


def test_the_official_client_lives_a_whole_life(shown):
    assert shown["signedUp"] == {
        "number": FIRST,
        "verified": False,
        "pending": None,
        "name": "alice_01",
        "score": 1,
        "locale": "ja-JP",
    }
    assert shown["proven"] == {"number": FIRST, "verified": True, "pending": None}
    assert shown["changing"] == {"number": FIRST, "verified": True, "pending": SECOND}
    assert shown["changed"] == {"number": SECOND, "verified": True, "pending": None}
    assert shown["updated"] == {"age": 3, "score": None, "number": SECOND, "verified": True, "pending": None}
    for step in ("resendKeepsTheCode", "loggedInByPhone", "foundByPhone"):
        assert shown[step] is True, step
    assert shown["adminSees"] == SECOND
    assert refusals(shown) == REFUSALS


# What the client's own error parser says of every refusal: status and code.
REFUSALS = {
    "logInUnverified": (400, "invalid_grant"),
    "wrongCode": (403, "INVALID_VERIFICATION_CODE"),
    "percentCode": (403, "INVALID_VERIFICATION_CODE"),
    "resendTooSoon": (429, "TOO_MANY_REQUESTS"),
    "lateCode": (410, "PHONE_NUMBER_VERIFICATION_CODE_EXPIRED"),
    "nothingToVerify": (400, "INVALID_ACCOUNT_STATUS"),
    "nothingToResend": (400, "INVALID_ACCOUNT_STATUS"),
    "logInPending": (400, "invalid_grant"),
    "logInOld": (400, "invalid_grant"),
    "findOld": (404, "USER_NOT_FOUND"),
    "changeToNonsense": (400, "INVALID_INPUT_DATA"),
    "changeToClosedCountry": (400, "INVALID_INPUT_DATA"),
    "takenName": (409, "USER_ALREADY_EXISTS"),
    "phoneOnly": (400, "INVALID_INPUT_DATA"),
    "wrongPassword": (400, "invalid_grant"),
    "wrongOldPassword": (401, "WRONG_PASSWORD"),
    "deadToken": (403, "WRONG_TOKEN"),
    "deleted": (400, "invalid_grant"),
}


def refusals(shown: dict) -> dict:
    return {step: (told["status"], told["code"]) for step, told in shown.items() if step in REFUSALS}


@pytest.fixture
def site(app, clock, keys) -> Iterator[str]:
    """The app on a loopback port, and beside it what a test knows: the SMS's code, and the clock."""
    app.add_url_rule("/control/advance/<int:seconds>", "advance", lambda seconds: str(clock.advance(seconds)))
    app.add_url_rule("/control/code/<user_id>", "code", lambda user_id: newest_code(keys, user_id))
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def newest_code(keys, user_id: str) -> str:
    attempts = reading().query(Verification).filter_by(user_id=user_id)
    newest = attempts.order_by(Verification.created_at.desc(), Verification.ended_at.is_(None).desc()).first()
    return code.derive(keys.codes[newest.key_version], newest.id, newest.issue, newest.code_length)
