"""What happens to a request that comes twice with one Idempotency-Key?"""

import threading
from collections import Counter
from dataclasses import replace

import pytest
from sqlalchemy import func, select

from portal.errors import KeyInUse
from portal.models import ActorKind, IdempotencyKey, Message, User
from portal.services import apps, idempotency, retention
from portal.services.apps import AppChanges
from portal.services.context import Caller
from portal.services.idempotency import Answer
from tests.drivers import JSON, vendor

KEY = "0123456789abcdef"
NUMBER, OTHER = "+819012345678", "+819087654321"


class Sender:
    """Somebody who sends requests with keys."""

    def __init__(self, kii, session) -> None:
        self.kii, self._session = kii, session

    def register(self, key: str | None = KEY, name: str = "dora", number: str = NUMBER, kii=None):
        fields = {"loginName": name, "password": "pass1234", "phoneNumber": number}
        kind = "RegistrationAndAuthorizationRequest"
        return self._send(kii or self.kii, "POST", "/users", key, fields, vendor(kind))

    def resend(self, user, key: str | None = KEY):
        return self._send(user.kii, "POST", f"/users/{user.id}/phone-number/resend-verification", key)

    def change(self, user, number: str, key: str | None = KEY):
        kind = vendor("PhoneNumberModificationRequest")
        path = f"/users/{user.id}/phone-number"
        return self._send(user.kii, "PUT", path, key, {"phoneNumber": number}, kind)

    def messages(self) -> int:
        return self._session.scalar(select(func.count()).select_from(Message))

    def _send(self, kii, method: str, path: str, key: str | None, body=None, kind: str = JSON):
        headers = {"X-Kii-AppID": kii.app_id, "X-Kii-AppKey": "any"}
        headers |= {"Authorization": f"Bearer {kii.token}"} if kii.token else {}
        headers |= {"Idempotency-Key": key} if key is not None else {}
        about = {} if body is None else {"body": body}
        return kii.ask(method, path, **about, headers=headers, type=kind)


@pytest.fixture
def sender(kii, session) -> Sender:
    return Sender(kii, session)


def test_del_11_a_repeated_registration_is_answered_the_same_and_sends_one_sms(sender, session):
    first, again = sender.register(), sender.register()
    assert first.status_code == again.status_code == 201
    assert first.data == again.data
    for header in ("Content-Type", "Location"):
        assert first.headers[header] == again.headers[header]
    assert sender.messages() == 1
    assert session.scalar(select(func.count()).select_from(User)) == 1


def test_without_the_header_nothing_changes(sender, session):
    assert sender.register(None).status_code == 201
    assert sender.register(None).status_code == 409
    assert session.scalar(select(func.count()).select_from(IdempotencyKey)) == 0


def test_del_11_a_repeated_resend_sends_one_sms(sender, clock):
    dora = sender.kii.sign_up(phoneNumber=NUMBER)
    clock.advance(60)
    assert [sender.resend(dora).status_code for _ in range(3)] == [204, 204, 204]
    assert sender.messages() == 2
    assert "Content-Type" not in sender.resend(dora).headers


def test_del_11_a_repeated_change_starts_one_change(sender, clock):
    dora = sender.kii.sign_up(phoneNumber=NUMBER)
    clock.advance(60)
    before = sender.messages()
    assert [sender.change(dora, OTHER).status_code for _ in range(3)] == [204, 204, 204]
    assert sender.messages() == before + 1


def test_del_11_another_body_with_the_key_is_refused(sender):
    sender.register()
    answer = sender.register(name="emil", number=OTHER)
    assert (answer.status_code, answer.json["field"]) == (422, "Idempotency-Key")
    assert sender.messages() == 1


def test_del_11_a_request_that_is_still_being_answered_is_refused_for_now(sender, monkeypatch):
    answers = []
    real = idempotency.keep

    def keep(*arguments) -> None:
        if not answers:
            answers.append(None)
            thread = threading.Thread(target=lambda: answers.append(sender.register()))
            thread.start()
            thread.join(20)
        real(*arguments)

    monkeypatch.setattr(idempotency, "keep", keep)
    first = sender.register()
    assert first.status_code == 201
    assert (answers[1].status_code, answers[1].headers["Retry-After"]) == (409, "1")
    assert sender.messages() == 1


def test_del_11_twenty_at_once_with_one_key_send_one_sms(sender):
    start, answers = threading.Barrier(20), []

    def send() -> None:
        start.wait()
        answers.append(sender.register())

    racers = [threading.Thread(target=send) for _ in range(20)]
    for each in racers:
        each.start()
    for each in racers:
        each.join()
    statuses = Counter(answer.status_code for answer in answers)
    assert set(statuses) <= {201, 409}
    assert statuses[201] >= 1
    assert len({answer.data for answer in answers if answer.status_code == 201}) == 1
    assert sender.messages() == 1


def test_del_11_keys_of_apps_routes_and_callers_are_apart(sender, clock):
    dora = sender.kii.sign_up(phoneNumber=NUMBER)
    emil = sender.kii.sign_up(phoneNumber=OTHER)
    clock.advance(60)
    assert sender.resend(dora).status_code == 204
    assert sender.resend(emil).status_code == 204
    assert sender.register(name="gina", number="+819011112222").status_code == 201
    assert sender.messages() == 5


def test_del_11_after_a_day_a_key_is_new(sender, clock, session, transaction, context_for):
    dora = sender.kii.sign_up(phoneNumber=NUMBER)
    clock.advance(60)
    sender.resend(dora)
    clock.advance(24 * 3600 - 1)
    assert sender.resend(dora).status_code == 204
    assert sender.messages() == 2
    clock.advance(1)
    assert sender.resend(dora).status_code == 204
    assert sender.messages() == 3
    clock.advance(24 * 3600)
    with transaction() as writing:
        assert retention.remove_old_idempotency_keys(context_for(writing)) == 1


def test_a_refused_request_leaves_its_key_free(sender, clock):
    dora = sender.kii.sign_up(phoneNumber=NUMBER)
    assert sender.resend(dora).status_code == 429
    clock.advance(60)
    assert sender.resend(dora).status_code == 204
    assert sender.messages() == 2


@pytest.mark.parametrize("key", ["", "short", "x" * 256, "with a space in it all", "pass1234é" * 2])
def test_a_key_that_is_none_is_refused_with_the_fix(sender, key):
    answer = sender.register(key)
    assert (answer.status_code, answer.json["field"]) == (400, "Idempotency-Key")
    assert "16 to 255" in answer.json["message"]


@pytest.mark.parametrize("key", ["x" * 16, "~" * 255])
def test_the_shortest_and_the_longest_key_are_taken(sender, key):
    assert sender.register(key).status_code == 201


def test_a_stranger_learns_nothing_by_a_key(sender, kii):
    sender.register()
    stranger = replace(kii, app_id="0" * 32)
    assert sender.register(kii=stranger).status_code == 404
    assert sender.register(kii=kii.holding("wrong")).status_code == 403


def test_pii_02_no_stored_column_holds_key_number_password_or_token(sender, session):
    token = sender.register().json["_accessToken"]
    [row] = session.scalars(select(IdempotencyKey)).all()
    stored = repr([getattr(row, column.key) for column in row.__table__.columns])
    for secret in (KEY, NUMBER, "pass1234", token):
        assert secret not in stored


def test_del_02_a_request_that_was_broken_off_is_carried_out_a_minute_later(sender, monkeypatch, clock):
    def die(*_arguments) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as killed:
        killed.setattr(idempotency, "keep", die)
        killed.setattr(idempotency, "release", die)
        with pytest.raises(KeyboardInterrupt):
            sender.register()
    assert sender.messages() == 0
    assert sender.register().status_code == 409
    clock.advance(60)
    assert sender.register().status_code == 201
    assert sender.messages() == 1


def test_a_request_that_was_overtaken_after_all_keeps_nothing_of_it(transaction, context_for, shop, clock):
    def in_one(verb, *arguments):
        with transaction() as session:
            return verb(context_for(session, Caller(ActorKind.APP, shop.id)), *arguments)

    slow = in_one(idempotency.begin, "register", KEY, b"body")
    clock.advance(60)
    second = in_one(idempotency.begin, "register", KEY, b"body")
    answer = Answer(201, None, None, "")
    with pytest.raises(KeyInUse):
        in_one(idempotency.keep, slow, answer)
    in_one(idempotency.keep, second, answer)
    assert in_one(idempotency.begin, "register", KEY, b"body") == answer


def test_openapi_speaks_of_the_key_where_it_is_taken(kii):
    paths = kii.call("GET", "/openapi.json").json["paths"]
    with_key = {
        each["operationId"]
        for path in paths.values()
        for each in path.values()
        if any(parameter["name"] == "Idempotency-Key" for parameter in each["parameters"])
    }
    assert with_key == {"users_register", "phone_numbers_resend", "phone_numbers_change"}


def test_del_09_a_crowded_app_is_told_to_come_back(sender, monkeypatch):
    monkeypatch.setattr("portal.services.backlog._CROWDED", Crowded())
    answer = sender.register(None)
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "15")
    assert answer.json["reason"] == "too_many_waiting"
    assert answer.json["errorCode"] == "RESOURCE_TEMPORARILY_UNAVAILABLE"
    assert sender.messages() == 0


class Crowded:
    """An app with too many messages waiting."""

    def is_crowded(self, _ctx) -> bool:
        return True


def test_an_app_that_verifies_nothing_is_never_crowded(sender, monkeypatch, shop, transaction, context_for):
    monkeypatch.setattr("portal.services.backlog._CROWDED", Crowded())
    with transaction() as session:
        off = AppChanges(phone_number_verification_required=False)
        apps.change(context_for(session).in_app(shop.id), off)
    assert sender.register(None).status_code == 201
