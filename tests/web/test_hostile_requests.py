"""What a stranger sends to break a page is refused in our look, and nothing else happens."""

import pytest
from sqlalchemy.exc import OperationalError


@pytest.mark.parametrize("origin", ["http://[", "http://]", "https://a b", "//"])
def test_web_03_an_origin_that_cannot_be_read_is_a_foreign_one(client, origin):
    assert client.post("/sign-in", headers={"Origin": origin}).status_code == 403


@pytest.mark.parametrize("serial", ["99999999999999999999999", "-1", "9223372036854775808", "x", "１２"])
def test_a_serial_that_no_message_has_is_passed_over(alices, shop, serial):
    answer = alices.get(f"/apps/{shop.id}/inbox?before={serial}&newest={serial}")
    assert answer.status_code == 200


def test_a_database_out_of_reach_is_a_busy_page(app, client, monkeypatch):
    def fail(*_arguments: object) -> None:
        raise OperationalError("SELECT secret", {"email": "canary@secret.example"}, Exception("locked"))

    monkeypatch.setitem(app.view_functions, "security.login", fail)
    answer = client.get("/sign-in")
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "1")
    assert "canary" not in answer.text
