"""User queries: the administrator's list (contract b.2)."""

import base64
import json

import pytest

from tests.drivers import vendor


def query(caller, clause, **options):
    more = {name: options.pop(name) for name in ("bestEffortLimit", "paginationKey") if name in options}
    sent = {"userQuery": {"clause": clause, **options}, **more}
    return caller.ask("POST", "/users/query", sent, type=vendor("userqueryrequest"))


def names(answer):
    assert answer.status_code == 200, answer.get_data(as_text=True)
    return [user["loginName"] for user in answer.json["results"]]


def test_it_lists_all_users_in_the_contract_shape(kii, admin, stranger):
    dora = kii.sign_up(loginName="dora", score=1)
    stranger.sign_up(loginName="other")
    answer = query(admin, {"type": "all"})
    assert answer.content_type == vendor("UserQueryResponse")
    assert answer.json == {"results": [dora.refresh()]}


def test_it_pages_by_key_in_the_order_that_was_asked_for(kii, admin):
    for name in ("cleo", "anna", "bert"):
        kii.sign_up(loginName=name)
    options = {"orderBy": "loginName", "descending": True, "bestEffortLimit": 2}
    first = query(admin, {"type": "all"}, **options)
    assert names(first) == ["cleo", "bert"]
    second = query(admin, {"type": "all"}, **options, paginationKey=first.json["nextPaginationKey"])
    assert names(second) == ["anna"]
    assert "nextPaginationKey" not in second.json


def test_it_takes_the_admins_token_only(kii):
    for caller in (kii, kii.sign_up().kii):
        assert query(caller, {"type": "all"}).json["errorCode"] == "UNAUTHORIZED"


@pytest.mark.parametrize(
    "clause",
    [
        {},
        {"type": "like"},
        {"type": "eq", "field": "password_hash", "value": "x"},
        {"type": "eq", "field": "loginName", "value": 1},
        {"type": "in", "field": "loginName", "values": []},
        {"type": "and", "clauses": [{"type": "and", "clauses": "x"}]},
        {"type": "range", "field": "createdAt", "lowerLimit": 2**63},
        "all",
        [],
    ],
)
def test_it_refuses_a_clause_that_it_does_not_know(admin, clause):
    answer = query(admin, clause)
    assert (answer.status_code, answer.json["errorCode"]) == (400, "INVALID_INPUT_DATA")


@pytest.mark.parametrize(
    "key",
    [
        "x",
        "",
        "AAAA",
        "é",
        *(
            [
                base64.urlsafe_b64encode(json.dumps(place).encode()).decode()
                for place in (
                    ["loginName", "\ud800", "x"],
                    ["loginName", "a", "\ud800"],
                    ["loginName", "a\0", "x"],
                    ["loginName", 1, "x"],
                    ["_created", 2**64, "x"],
                    {"a": 1},
                )
            ]
        ),
    ],
)
def test_it_refuses_a_page_key_that_is_not_its_own(admin, key):
    answer = query(admin, {"type": "all"}, orderBy="loginName", paginationKey=key)
    assert answer.status_code == (200 if key == "" else 400)


def test_it_refuses_what_is_no_query(admin):
    for body in ({}, {"userQuery": {}}, {"userQuery": {"clause": {"type": "all"}}, "bestEffortLimit": -1}):
        answer = admin.ask("POST", "/users/query", body)
        assert (answer.status_code, answer.json["errorCode"]) == (400, "INVALID_INPUT_DATA")
    assert query(admin, {"type": "all"}, orderBy="password").json["errorCode"] == "INVALID_INPUT_DATA"
