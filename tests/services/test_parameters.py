"""Kii clients read and write an app's parameters by the names that they know, and only those that exist."""

import pytest
from sqlalchemy import select

from portal.errors import BadInput, NotFound, NotSupported
from portal.models import AuditEntry
from portal.services import parameters
from tests.services.conftest import Desk

LONGEST_S = 2_147_483_640


def read(desk: Desk) -> dict[str, object]:
    """Every parameter."""
    return desk.do(parameters.read_all)


def write(desk: Desk, **values: object) -> None:
    """Sets parameters."""
    desk.do(lambda ctx: parameters.write(ctx, values))


def test_every_parameter_reads_as_a_real_value(desk):
    assert read(desk) == {
        "phoneNumberVerificationRequired": True,
        "exposeFullUserDataToOthers": False,
        "refreshTokenEnabled": False,
        "defaultTokenExpirationSeconds": LONGEST_S,
        "maxTokenExpirationSeconds": LONGEST_S,
        "emailAddressVerificationRequired": False,
        "reservedFieldsValidation": True,
        "passwordResetMethod": "GENERATE_PASSWORD",
    }


@pytest.mark.parametrize(
    ("name", "given", "kept"),
    [
        ("phoneNumberVerificationRequired", "false", False),
        ("phoneNumberVerificationRequired", False, False),
        ("exposeFullUserDataToOthers", " TRUE\n", True),
        ("refreshTokenEnabled", True, True),
        ("defaultTokenExpirationSeconds", "3600", 3600),
        ("defaultTokenExpirationSeconds", 3600, 3600),
        ("maxTokenExpirationSeconds", LONGEST_S, LONGEST_S),
        ("maxTokenExpirationSeconds", " 1 ", 1),
    ],
)
def test_a_parameter_takes_a_value_or_the_text_that_spells_it(desk, name, given, kept):
    write(desk, **{name: given})
    assert read(desk)[name] == kept
    assert type(read(desk)[name]) is type(kept)


@pytest.mark.parametrize("name", ["phoneNumberVerificationRequired", "refreshTokenEnabled"])
def test_a_switch_takes_nothing_but_true_and_false(desk, name):
    before = read(desk)
    for given in ("yes", "1", "", 1, 0, 1.0, None, [], {}, "\0", "truefalse", "ｔｒｕｅ"):
        with pytest.raises(BadInput) as refused:
            write(desk, **{name: given})
        assert refused.value.field == name
    assert read(desk) == before


@pytest.mark.parametrize("name", ["defaultTokenExpirationSeconds", "maxTokenExpirationSeconds"])
def test_a_life_takes_nothing_but_whole_seconds_in_its_range(desk, name):
    before = read(desk)
    for given in (
        "",
        "-1",
        "1.5",
        1.5,
        "1e3",
        True,
        None,
        "٣٦٠٠",
        "0",
        0,
        LONGEST_S + 1,
        10**30,
        "9" * 10**5,
        [1],
    ):
        with pytest.raises(BadInput) as refused:
            write(desk, **{name: given})
        assert refused.value.field == name
    assert read(desk) == before


@pytest.mark.parametrize(
    "name", ["nonsense", "", "code_length", "phonenumberverificationrequired", "__class__"]
)
def test_an_unknown_parameter_is_not_found(desk, name):
    for verb in (lambda ctx: parameters.write(ctx, {name: "true"}), lambda ctx: parameters.reset(ctx, name)):
        with pytest.raises(NotFound) as refused:
            desk.do(verb)
        assert refused.value.kind == "parameter"


@pytest.mark.parametrize(
    ("name", "same", "other"),
    [
        ("emailAddressVerificationRequired", "false", "true"),
        ("emailAddressVerificationRequired", False, True),
        ("reservedFieldsValidation", True, "false"),
        ("passwordResetMethod", "GENERATE_PASSWORD", "SPECIFY_PASSWORD"),
    ],
)
def test_what_is_fixed_can_be_written_only_as_it_is(desk, name, same, other):
    write(desk, **{name: same})
    with pytest.raises(NotSupported):
        write(desk, **{name: other})
    desk.do(lambda ctx: parameters.reset(ctx, name))


def test_several_parameters_change_together_or_not_at_all(desk):
    before = read(desk)
    with pytest.raises(NotFound):
        write(desk, refreshTokenEnabled=True, nonsense=True)
    with pytest.raises(NotSupported):
        write(desk, refreshTokenEnabled=True, emailAddressVerificationRequired=True)
    assert read(desk) == before
    write(desk, refreshTokenEnabled=True, defaultTokenExpirationSeconds=60)
    assert (read(desk)["refreshTokenEnabled"], read(desk)["defaultTokenExpirationSeconds"]) == (True, 60)


def test_a_reset_brings_the_default_back(desk):
    write(desk, exposeFullUserDataToOthers=True, maxTokenExpirationSeconds=60)
    for name in (
        "exposeFullUserDataToOthers",
        "maxTokenExpirationSeconds",
        "phoneNumberVerificationRequired",
    ):
        desk.do(lambda ctx, name=name: parameters.reset(ctx, name))
    assert read(desk)["exposeFullUserDataToOthers"] is False
    assert read(desk)["maxTokenExpirationSeconds"] == LONGEST_S
    assert read(desk)["phoneNumberVerificationRequired"] is False


def test_a_change_by_parameter_is_noted_like_one_in_the_portal(desk):
    write(desk, phoneNumberVerificationRequired="false")
    entry = desk.rows(select(AuditEntry).order_by(AuditEntry.id))[-1]
    assert entry.action == "app.changed"
    assert entry.details == {"phone_number_verification_required": [True, False]}


def test_ten_04_parameters_of_one_app_are_not_anothers(desk, transaction, keys):
    other = Desk(transaction, keys)
    write(desk, refreshTokenEnabled=True)
    assert read(other)["refreshTokenEnabled"] is False
