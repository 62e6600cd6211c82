"""What do the figures say, and whom do they not name?"""

import re
from dataclasses import replace

import pytest
from sqlalchemy.exc import OperationalError

from portal.probes import metrics
from tests import factories
from tests.drivers import KiiClient

TOKEN = "a-token-of-the-operator"


@pytest.fixture
def settings(settings):
    return replace(settings, metrics_token=TOKEN)


@pytest.fixture
def kii(client, shop) -> KiiClient:
    return KiiClient(client, shop.id, shop.client_id, shop.client_secret)


@pytest.fixture
def scrape(client):
    """`scrape()` is every sample by its name and labels."""

    def read() -> dict[str, float]:
        answer = client.get("/metrics", headers={"Authorization": f"Bearer {TOKEN}"})
        assert answer.status_code == 200
        assert answer.mimetype == "text/plain"
        lines = [line for line in answer.get_data(as_text=True).splitlines() if not line.startswith("#")]
        return {name: float(figure) for name, _, figure in (line.rpartition(" ") for line in lines)}

    return read


def test_requests_are_counted_by_door_route_and_class_of_status(client, scrape, shop):
    client.get(f"/api/apps/{shop.id}/users/me")
    client.get("/sign-in")
    client.get("/nowhere/+819012345678")
    found = scrape()
    labels = 'door="api",method="GET",route="/api/apps/<app_id>/users/<user>",status="4xx"'
    assert found[f"ringback_requests_total{{{labels}}}"] == 1
    labels = 'door="portal",method="GET",route="/sign-in",status="2xx"'
    assert found[f"ringback_requests_total{{{labels}}}"] == 1
    labels = 'door="portal",method="GET",route="none",status="4xx"'
    assert found[f"ringback_requests_total{{{labels}}}"] == 1
    assert found['ringback_request_seconds_count{door="portal",route="/sign-in"}'] == 1
    assert found['ringback_refusals_total{code="UNAUTHORIZED"}'] == 1


def test_codes_that_are_sent_in_are_counted_by_what_became_of_them(scrape, kii):
    user = kii.sign_up(phoneNumber="+819012345678")
    user.verify("000000" if _code(kii, user) != "000000" else "000001")
    user.verify(_code(kii, user))
    found = scrape()
    assert found['ringback_code_checks_total{outcome="INVALID_VERIFICATION_CODE"}'] == 1
    assert found['ringback_code_checks_total{outcome="verified"}'] == 1
    assert found['ringback_verifications_last_hour{state="verified"}'] == 1


def _code(kii, user) -> str:
    answer = kii.as_admin().ask("GET", f"/users/{user.id}/phone-number/verification-code")
    return answer.json["verificationCode"]


def test_ops_02_messages_carriers_workers_and_alarms_come_out_of_the_rows(scrape, session, clock):
    factories.message(session, due_at=clock.at - 42_000)
    factories.message(session, state="failed", reason="provider_refused", provider="twilio")
    factories.message(session, state="sent", provider="twilio", created_at=clock.at - 2 * 3_600_000)
    factories.provider(session, kind="twilio")
    factories.provider(session, kind="twilio", paused_until=clock.at + 1_000)
    factories.worker_beat(session, beat_at=clock.at - 14_000)
    factories.worker_beat(session, beat_at=clock.at - 16_000)
    factories.alarm(session, name="backlog", level="page")
    found = scrape()
    assert found['ringback_messages_waiting{state="queued"}'] == 1
    assert found["ringback_oldest_waiting_seconds"] == 42
    refused = 'state="failed",reason="provider_refused",provider="twilio"'
    samples = {name: figure for name, figure in found.items() if "messages_last_hour" in name}
    assert {_labels(name): figure for name, figure in samples.items()} == {
        _labels(f"{{{refused}}}"): 1,
        _labels('{state="queued",reason="",provider=""}'): 1,
    }
    assert found['ringback_providers{kind="twilio",state="on"}'] == 1
    assert found['ringback_providers{kind="twilio",state="paused"}'] == 1
    assert found["ringback_workers_alive"] == 1
    assert found['ringback_alarms{level="page",name="backlog"}'] == 1 or (
        found['ringback_alarms{name="backlog",level="page"}'] == 1
    )
    assert found["ringback_quarantined"] == 0
    assert found["ringback_database_up"] == 1


def _labels(name: str) -> frozenset[str]:
    return frozenset(re.findall(r'\w+="[^"]*"', name))


def test_pii_02_no_label_names_a_number_a_user_or_an_app(client, scrape, kii, shop, session):
    user = kii.sign_up(phoneNumber="+819012345678")
    user.verify("000000")
    user.refresh()
    factories.provider(session, app_id=shop.id, label="Our carrier")
    said = client.get("/metrics", headers={"Authorization": f"Bearer {TOKEN}"}).get_data(as_text=True)
    for secret in ("9012345678", "5678", user.id, shop.id, shop.app.name, "Our carrier", user.login_name):
        assert secret not in said


def test_without_its_database_the_counters_are_told_all_the_same(client, scrape, monkeypatch):
    def away(*_):
        raise OperationalError("SELECT", {}, Exception())

    client.get("/sign-in")
    monkeypatch.setattr(metrics.figures, "read", away)
    found = scrape()
    assert found["ringback_database_up"] == 0
    assert any(name.startswith("ringback_requests_total") for name in found)
    assert "ringback_workers_alive" not in found


def test_passwords_that_are_hashed_are_counted_while_they_are(app, scrape):
    told = []
    hasher = app.extensions["ringback"].hasher
    hasher.watch(told.append)
    hasher.hash("pass1234")
    assert told == [1, 0]
    app.extensions["probes"].traffic.watch_hashes(3)
    assert scrape()["ringback_password_hashes"] == 3
