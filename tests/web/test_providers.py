"""Can an owner set carriers up, and does nobody ever see their secrets again?"""

import re

import pytest

from portal.core import credentials
from portal.models import Provider
from tests.web.carrier_kinds import SECRET, TYPED, carrier

__all__ = ["carrier"]


@pytest.fixture
def address(shop, carrier) -> str:
    return f"/apps/{shop.id}/provider"


@pytest.fixture
def added(alices, address, session):
    """`added(label)` is one more provider, as the page adds it."""

    def add(label: str = "Tea carrier", **typed: str) -> Provider:
        answer = alices.post(f"{address}/new/http", TYPED | {"label": label} | typed)
        assert answer.status_code == 303, refusals(answer.text)
        return session.get(Provider, answer.location.rpartition("/")[2])

    return add


def refusals(page: str) -> list[str]:
    """Every refusal that stands beside a field."""
    return [plain(found) for found in re.findall(r'class="field-error".*?</p>', page, re.DOTALL)]


def plain(html: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", "", html.split(">", 1)[1])).strip()


def test_a_provider_is_added_sealed_and_stands_in_the_list(alices, address, added, session, keys, shop):
    it = added()

    assert (it.app_id, it.kind, it.label, it.position, it.is_on) == (shop.id, "http", "Tea carrier", 1, True)
    assert it.settings == {"url": "https://sms.example/send", "sender": "Shop", "charset": "gsm"}
    assert SECRET.encode() not in it.sealed
    opened = credentials.open_up(keys.sealing, shop.id, it.id, it.sealing_key_version, it.sealed)
    assert opened == {"password": SECRET}
    page = alices.get(address).text
    assert "Tea carrier" in page
    assert "No SMS taken yet." in page
