"""The description for machines: what it says is what the door does."""

import pytest

from portal.api.routes import OPERATIONS
from tests.drivers import vendor


@pytest.fixture
def document(client):
    answer = client.get("/api/openapi.json")
    assert (answer.status_code, answer.content_type) == (200, "application/json")
    return answer.json


def test_it_describes_every_operation(document):
    described = {(method.upper(), path) for path, methods in document["paths"].items() for method in methods}
    mounted = {
        (each.method, "/api" + each.rule.replace("<", "{").replace(">", "}")) for each in OPERATIONS.values()
    }
    assert described == mounted
    assert document["openapi"].startswith("3.1")


def test_it_names_media_types_as_the_contract_spells_them(document):
    register = document["paths"]["/api/apps/{app_id}/users"]["post"]
    assert set(register["requestBody"]["content"]) == {
        "application/json",
        vendor("RegistrationRequest"),
        vendor("RegistrationAndAuthorizationRequest"),
    }
    assert set(register["responses"]["201"]["content"]) == {vendor("RegistrationResponse")}
    assert set(register["responses"]["404"]["content"]) >= {vendor("AppNotFoundException")}


def test_every_reference_leads_somewhere(document):
    schemas = document["components"]["schemas"]
    text = str(document)
    for name in text.split("#/components/schemas/")[1:]:
        assert name.split("'")[0] in schemas


def test_every_operation_has_a_sentence_and_a_caller(document):
    for methods in document["paths"].values():
        for each in methods.values():
            assert each["summary"].endswith(".")
            assert each["description"].endswith(".")
