"""Which deeds are there, whose right is each, and when is it offered? (TEN-05)"""

from dataclasses import replace

import pytest

from portal.core import deed_details
from portal.core.deeds import HELD, Deed, Facts, after, makes_sense, obstacle
from portal.core.roles import ALLOWED, Role

FIRST, SECOND = "+819012345678", "+818087654321"
NOBODY = Facts()
NEW = Facts(number=FIRST, has_login_name=True)
VERIFIED = Facts(number=FIRST, is_verified=True, verified_at=5, tokens=2)
CHANGING = replace(VERIFIED, pending=SECOND, pending_since=7)
DISABLED = replace(NEW, is_disabled=True)

OFFERED = [
    (NOBODY, {Deed.DISABLE, Deed.ERASE}),
    (NEW, {Deed.RESEND, Deed.MARK_VERIFIED, Deed.FREE_NUMBER, Deed.DISABLE, Deed.ERASE}),
    (VERIFIED, {Deed.END_TOKENS, Deed.FREE_NUMBER, Deed.DISABLE, Deed.ERASE}),
    (CHANGING, set(Deed) - {Deed.ENABLE}),
    (Facts(pending=SECOND), {Deed.RESEND, Deed.CANCEL_CHANGE, Deed.MARK_VERIFIED, Deed.DISABLE, Deed.ERASE}),
    (DISABLED, {Deed.RESEND, Deed.MARK_VERIFIED, Deed.FREE_NUMBER, Deed.ENABLE, Deed.ERASE}),
]


@pytest.mark.parametrize(("facts", "offered"), OFFERED)
def test_only_what_makes_sense_is_offered(facts, offered):
    assert {deed for deed in Deed if makes_sense(deed, facts)} == offered


@pytest.mark.parametrize("deed", Deed)
def test_what_makes_no_sense_says_why(deed):
    for facts, offered in OFFERED:
        if deed not in offered:
            assert obstacle(deed, facts).endswith(".")


def test_a_disabled_user_is_sent_no_code():
    assert "Enable the user first" in obstacle(Deed.RESEND, DISABLED)


def test_a_number_that_is_held_is_marked_only_where_numbers_move():
    held = replace(NEW, holder_id="bob")

    assert obstacle(Deed.MARK_VERIFIED, held) == HELD
    assert obstacle(Deed.MARK_VERIFIED, replace(held, numbers_move=True)) is None


def test_ten_05_support_does_everything_but_vouch_for_a_number_and_erase():
    allowed = {deed for deed in Deed if deed.action in ALLOWED[Role.SUPPORT]}

    assert allowed == set(Deed) - {Deed.MARK_VERIFIED, Deed.ERASE}


def test_what_takes_away_comes_last_and_each_deed_is_drawn():
    assert [deed.takes_away for deed in Deed] == sorted(deed.takes_away for deed in Deed)
    assert all(deed.icon for deed in Deed)


@pytest.mark.parametrize(
    ("deed", "before", "then"),
    [
        (Deed.RESEND, CHANGING, CHANGING),
        (Deed.CANCEL_CHANGE, CHANGING, replace(CHANGING, pending=None)),
        (Deed.MARK_VERIFIED, CHANGING, replace(CHANGING, number=SECOND, pending=None)),
        (Deed.MARK_VERIFIED, NEW, replace(NEW, is_verified=True)),
        (Deed.FREE_NUMBER, CHANGING, replace(CHANGING, number=None, is_verified=False)),
        (Deed.DISABLE, VERIFIED, replace(VERIFIED, is_disabled=True, tokens=0)),
        (Deed.ENABLE, DISABLED, replace(DISABLED, is_disabled=False)),
        (Deed.END_TOKENS, VERIFIED, replace(VERIFIED, tokens=0)),
        (Deed.ERASE, CHANGING, NOBODY),
    ],
)
def test_a_deed_says_beforehand_what_will_be_so(deed, before, then):
    assert after(deed, before) == then


def test_pii_01_an_entry_tells_before_and_after_in_masked_numbers():
    assert deed_details.of(Deed.MARK_VERIFIED, CHANGING) == {
        "before": {
            "phone_number": "+81 ••• •••• 5678",
            "verified": True,
            "pending_phone_number": "+81 ••• •••• 4321",
        },
        "after": {"phone_number": "+81 ••• •••• 4321", "verified": True, "pending_phone_number": None},
    }
    assert deed_details.of(Deed.DISABLE, VERIFIED) == {
        "before": {"disabled": False, "tokens": 2},
        "after": {"disabled": True, "tokens": 0},
    }
    assert deed_details.of_resend(CHANGING, 1) == {
        "before": {"phone_number": "+81 ••• •••• 4321", "sends": 1},
        "after": {"phone_number": "+81 ••• •••• 4321", "sends": 2},
    }
