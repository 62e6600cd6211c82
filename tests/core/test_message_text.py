"""What an SMS says is its wording with the values put in once, literally."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.core import message_text, wordings
from portal.core.autofill import Autofill
from tests.origin_bound_codes import OriginBoundCode, read

VALUES = {"app_name": "Shop", "minutes": "10"}
AUTOFILL = Autofill("shop.example", "FA+9qCX9VSu")
WITH_AUTOFILL = message_text.values_for("Shop", 600, AUTOFILL)


def test_a_verification_says_app_code_and_minutes():
    text = message_text.render("{app_name}: {code} ({minutes} min)", VALUES, "012345")
    assert text == "Shop: 012345 (10 min)"


def test_a_notice_has_no_code_and_needs_none():
    assert message_text.render("{app_name}: changed.", VALUES, None) == "Shop: changed."


def test_tpl_01_a_value_that_looks_like_a_placeholder_stays_as_it_is():
    values = {"app_name": "{code}", "minutes": "{app_name}"}
    assert message_text.render("{app_name} {code} {minutes}", values, "1234") == "{code} 1234 {app_name}"


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ("{code.__class__}", "{code.__class__}"),
        ("{code!r}", "{code!r}"),
        ("{code:>9999999}", "{code:>9999999}"),
        ("{{code}}", "{012345}"),
        ("%(code)s", "%(code)s"),
        ("x", "x"),
    ],
)
def test_tpl_01_a_body_that_breaks_the_rules_is_filled_literally_and_never_run(body, text):
    assert message_text.render(body, VALUES, "012345") == text


def test_a_value_that_the_body_asks_for_and_nobody_gave_is_an_error():
    with pytest.raises(KeyError):
        message_text.render("{app_name}: {code}", {"minutes": "10"}, "012345")


def test_what_a_message_keeps_has_the_lines_for_autofill_only_where_they_are_switched_on():
    assert message_text.values_for("Shop", 659, Autofill()) == {"app_name": "Shop", "minutes": "10"}
    assert message_text.values_for("Shop", 60, AUTOFILL) == {
        "app_name": "Shop",
        "minutes": "1",
        "web_domain": "shop.example",
        "android_hash": "FA+9qCX9VSu",
    }


def test_a_code_among_the_values_does_not_beat_the_messages_own():
    assert message_text.render("{code}", {**VALUES, "code": "999999"}, "012345") == "012345"


def test_tpl_04_the_autofill_lines_come_after_the_wording_with_the_messages_own_code():
    text = message_text.render("{app_name}: {code}", WITH_AUTOFILL, "012345")
    assert text == "Shop: 012345\n\nFA+9qCX9VSu\n@shop.example #012345"


def test_otp_17_a_notice_gets_no_autofill_lines():
    assert message_text.render("{app_name}: changed.", WITH_AUTOFILL, None) == "Shop: changed."


@pytest.mark.parametrize("wrong", [{"web_domain": "Shop.example"}, {"android_hash": "@a.co #1234"}])
def test_tpl_04_a_line_that_was_not_checked_is_never_sent(wrong):
    with pytest.raises(ValueError, match=r"domain|11 characters"):
        message_text.render("{code}", VALUES | wrong, "012345")


@pytest.mark.parametrize("locale", wordings.VERIFICATION)
def test_tpl_04_a_phone_reads_the_host_and_the_code_out_of_every_wording_of_ours(locale):
    text = message_text.render(wordings.VERIFICATION[locale], WITH_AUTOFILL, "012345")
    assert read(text) == OriginBoundCode("shop.example", "012345")
    assert read(message_text.render(wordings.VERIFICATION[locale], VALUES, "012345")) is None


@pytest.mark.parametrize("locale", wordings.VERIFICATION)
def test_every_wording_of_ours_holds_the_code_once_and_leaves_nothing_open(locale):
    text = message_text.render(wordings.VERIFICATION[locale], VALUES, "012345")
    assert text.count("012345") == 1
    assert "Shop" in text
    assert "{" not in text


@pytest.mark.parametrize("locale", wordings.CHANGE_NOTICE)
def test_otp_17_no_notice_of_ours_has_room_for_a_code(locale):
    text = message_text.render(wordings.CHANGE_NOTICE[locale], VALUES, None)
    assert "Shop" in text
    assert "{" not in text
    assert not any(c.isdigit() for c in text)


@given(name=st.text(max_size=30), digits=st.from_regex(r"[0-9]{4,10}", fullmatch=True))
def test_the_text_is_the_body_with_only_the_placeholders_replaced(name, digits):
    text = message_text.render("<{app_name}|{code}>", {"app_name": name}, digits)
    assert text == f"<{name}|{digits}>"
