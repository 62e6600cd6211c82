"""Do addresses only change on purpose, and do they all follow the same rules?"""

import re

import pytest

from tests.house.urls import LIST, listing

# Flask takes any text but a slash for a part without a type, line ends and NUL included.
UNTYPED = re.compile(r"<(?![a-z_]+(\([^)]*\))?:)[^>]+>")


def test_the_list_of_urls_is_the_golden_one(looked_at):
    assert listing(looked_at) == LIST.read_text(encoding="utf-8"), "if this was meant, run make urls"


def test_pages_are_named_in_kebab_case(looked_at):
    for rule in pages(looked_at):
        for part in re.sub(r"<[^>]+>", "", rule.rule).split("/"):
            assert re.fullmatch(r"\.?[a-z0-9-]*(\.[a-z]+)?", part), rule.rule


def test_every_part_of_a_page_address_that_varies_has_a_type(looked_at):
    untyped = [rule.rule for rule in pages(looked_at) if UNTYPED.search(rule.rule)]

    assert untyped == []


def test_no_two_endpoints_answer_one_address_and_method(looked_at):
    seen: dict[tuple[str, str], str] = {}
    for rule in looked_at.url_map.iter_rules():
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}:
            shape = (re.sub(r"<[^>]+>", "<>", rule.rule), method)
            assert seen.setdefault(shape, rule.endpoint) == rule.endpoint
            seen[shape] = rule.endpoint


@pytest.mark.parametrize("secret", ["code", "token", "secret", "password", "phone_number"])
def test_no_page_address_holds_a_secret_or_a_number(looked_at, secret):
    for rule in pages(looked_at):
        assert secret not in rule.arguments, rule.rule


def test_the_one_secret_in_an_address_is_that_of_receipts(looked_at):
    """Carriers can send nothing else along; it opens nothing but the receipts of one provider (DEL-10)."""
    others = [rule for rule in looked_at.url_map.iter_rules() if rule.rule.startswith("/receipts/")]

    assert [rule.endpoint for rule in others] == ["receipts.take"]


def pages(app):
    doors_for_machines = ("/api", "/receipts/")
    return [rule for rule in app.url_map.iter_rules() if not rule.rule.startswith(doors_for_machines)]
