"""How often may a sign-in go wrong, from one source? (ABU-02, OTP-15)"""

from dataclasses import replace

import pytest

from portal.errors import Busy
from portal.services.source_limits import SourceLimits


@pytest.fixture
def allow(app, settings):
    """`allow(source_sign_ins=2)` gives every source other budgets."""

    def change(**budgets) -> None:
        parts = app.extensions["ringback"]
        app.extensions["ringback"] = replace(parts, sources=SourceLimits(replace(settings, **budgets)))

    return change


def wrong(browser, email: str):
    return browser.post("/sign-in", {"email": email, "password": "wrong"})


def test_abu_02_after_too_many_wrong_sign_ins_a_source_waits_and_is_told_how_long(stranger, alice, allow):
    allow(source_sign_ins=3)
    statuses = [wrong(stranger, f"person{at}@example.com").status_code for at in range(4)]
    assert statuses == [422, 422, 422, 429]
    answer = stranger.sign_in(alice)
    assert answer.status_code == 429
    assert "There were too many wrong tries here" in answer.text
    assert "You can try again " in answer.text
    assert 0 < int(answer.headers["Retry-After"]) <= 1200
    stranger.client.environ_base["REMOTE_ADDR"] = "198.51.100.9"
    assert stranger.sign_in(alice).status_code == 302


def test_right_sign_ins_spend_nothing(stranger, alice, bob, allow):
    allow(source_sign_ins=1)
    for person in (alice, bob, alice):
        assert stranger.sign_in(person).status_code == 302
        stranger.client.delete_cookie("session")


def test_otp_15_without_the_store_nobody_signs_in(stranger, alice, allow, monkeypatch):
    allow()

    def away(*_):
        raise Busy("Limits cannot be counted just now.")

    monkeypatch.setattr(SourceLimits, "_ask", away)
    answer = stranger.sign_in(alice)
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "1")
