"""An app is created with what it needs, changed only within bounds, and each change leaves a trace."""

import re

import pytest
from sqlalchemy import select, update

from portal.errors import BadInput, NotFound
from portal.models import AccessKey, ActorKind, App, AuditEntry, Membership, OpenCountry, User
from portal.services import accounts, apps, countries, sms_templates
from portal.services.apps import Counts, NewApp
from portal.services.context import Caller
from tests.services.conftest import Desk

FIRST, SECOND, THIRD = "+819012345678", "+819087654321", "+818011112222"


def create(desk: Desk, owner_id: str | None = None, **new: str) -> apps.Created:
    """One more app, made by an operator."""
    wanted = NewApp(**{"name": "Store", "home_country": "GB"} | new)
    return desk.do(lambda ctx: apps.create(ctx, wanted, owner_id), Caller(ActorKind.OPERATOR))


def get(desk: Desk) -> App:
    """The desk's app as it is stored now."""
    return desk.do(lambda ctx: apps.get(ctx.session, desk.app_id))


def changes(desk: Desk) -> list[dict[str, object]]:
    """What the audit log says was changed, oldest first."""
    changed = select(AuditEntry.details).where(
        AuditEntry.action == "app.changed", AuditEntry.app_id == desk.app_id
    )
    return desk.rows(changed.order_by(AuditEntry.id))


def test_a_new_app_is_a_sandbox_with_verification_off_and_only_its_country_open(desk):
    made = create(desk).app
    assert (made.mode, made.provider, made.default_locale) == ("sandbox", "inbox", "en")
    assert not made.phone_number_verification_required
    assert desk.do(lambda ctx: countries.open_in(ctx.session, made.id)) == ["GB"]
    offered = desk.do(lambda ctx: sms_templates.all_of(ctx.session, made.id))
    assert [template.locale for template in offered] == ["en"]


def test_ten_07_keys_of_an_app_are_its_own_and_the_secret_is_kept_as_a_hash(desk):
    one, other = create(desk), create(desk)
    for name in ("id", "client_id"):
        assert getattr(one.app, name) != getattr(other.app, name)
    assert len({one.app_key, one.client_secret, other.app_key, other.client_secret}) == 4
    assert len(one.client_secret.removeprefix("rb_sec_")) == len(one.app_key.removeprefix("rb_pub_")) == 43
    kept = desk.rows(select(AccessKey).where(AccessKey.app_id == one.app.id))
    assert one.client_secret not in str([vars(key) for key in kept])
    assert re.fullmatch(r"[0-9a-f]{32}", one.app.id)


def test_an_app_made_for_an_account_is_owned_by_it(desk):
    dora = desk.do(lambda ctx: accounts.create(ctx, "dora@example.com", "hash")).id
    made = create(desk, dora).app
    (membership,) = desk.rows(select(Membership).where(Membership.app_id == made.id))
    assert (membership.account_id, membership.role) == (dora, "owner")


def test_a_default_locale_at_creation_brings_its_wording(desk):
    made = create(desk, default_locale="JA_jp").app
    assert made.default_locale == "ja-JP"
    offered = desk.do(lambda ctx: sms_templates.all_of(ctx.session, made.id))
    assert [template.locale for template in offered] == ["en", "ja-JP"]


@pytest.mark.parametrize(
    ("new", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": "   "}, "name"),
        ({"name": "x" * 31}, "name"),
        ({"name": "two\nlines"}, "name"),
        ({"name": "\u202eevil"}, "name"),
        ({"name": "evil.example"}, "name"),
        ({"name": "http://evil"}, "name"),
        ({"name": "NUL\0"}, "name"),
        ({"name": "\ud800"}, "name"),
        ({"home_country": "jp"}, "home_country"),
        ({"home_country": "ZZ"}, "home_country"),
        ({"home_country": ""}, "home_country"),
        ({"home_country": "001"}, "home_country"),
        ({"default_locale": "english"}, "default_locale"),
        ({"default_locale": "x" * 300}, "default_locale"),
    ],
)
def test_tpl_03_an_app_that_makes_no_sense_is_not_created(desk, new, field):
    before = len(desk.rows(select(App.id)))
    with pytest.raises(BadInput) as refused:
        create(desk, **new)
    assert refused.value.field == field
    assert len(desk.rows(select(App.id))) == before


def test_an_unknown_app_is_not_found(desk):
    with pytest.raises(NotFound) as refused:
        desk.do(lambda ctx: apps.get(ctx.session, "0" * 16))
    assert refused.value.kind == "app"


# --- Changing --------------------------------------------------------------------------------------


def test_a_change_touches_only_what_it_names_and_notes_before_and_after(desk):
    before = get(desk)
    desk.set(name="Store", code_length=8)
    after = get(desk)
    assert (after.name, after.code_length) == ("Store", 8)
    assert (after.code_life_s, after.default_locale) == (before.code_life_s, before.default_locale)
    assert changes(desk)[-1] == {"name": ["Shop", "Store"], "code_length": [6, 8]}


def test_a_change_to_the_same_value_leaves_no_trace(desk):
    noted = len(changes(desk))
    desk.set(name=" Shop ", code_length=6, notify_old_number=True, default_locale="EN")
    desk.set(open_countries=frozenset({"JP"}))
    desk.set()
    assert len(changes(desk)) == noted


@pytest.mark.parametrize("name", ["Store\n", "  Store ", "\tStore\r\n", " " * 40 + "Store"])
def test_tpl_03_a_changed_name_is_stored_as_it_was_checked(desk, name):
    desk.set(name=name)
    assert get(desk).name == "Store"


@pytest.mark.parametrize(
    ("setting", "least", "most"),
    [
        ("code_length", 4, 10),
        ("code_life_s", 60, 600),
        ("guesses_allowed", 1, 10),
        ("sends_allowed", 1, 10),
        ("default_token_life_s", 1, 2_147_483_640),
        ("max_token_life_s", 1, 2_147_483_640),
    ],
)
def test_otp_02_settings_stay_within_their_bounds(desk, setting, least, most):
    for good in (least, most):
        desk.set(**{setting: good})
        assert getattr(get(desk), setting) == good
    for bad in (least - 1, most + 1, -(10**30), 10**30):
        with pytest.raises(BadInput) as refused:
            desk.set(**{setting: bad})
        assert refused.value.field == setting
    assert getattr(get(desk), setting) == most


@pytest.mark.parametrize(
    ("wanted", "field"),
    [
        ({"number_taken": "give"}, "number_taken"),
        ({"number_taken": ""}, "number_taken"),
        ({"name": "evil.example"}, "name"),
        ({"default_locale": "english"}, "default_locale"),
        ({"default_locale": "x" * 60, "open_countries": frozenset({"JP", "GB"})}, "default_locale"),
        ({"open_countries": frozenset({"JP", "ZZ"})}, "openCountries"),
        ({"open_countries": frozenset({"jp"})}, "openCountries"),
        ({"open_countries": frozenset({"001"})}, "openCountries"),
        ({"code_length": 8, "code_life_s": 601}, "code_life_s"),
    ],
)
def test_a_bad_change_changes_nothing_at_all(desk, wanted, field):
    before = {each.key: getattr(get(desk), each.key) for each in App.__table__.columns}
    with pytest.raises(BadInput) as refused:
        desk.set(**wanted)
    assert refused.value.field == field
    assert {each.key: getattr(get(desk), each.key) for each in App.__table__.columns} == before
    assert desk.rows(select(OpenCountry.country)) == ["JP"]


def test_abu_04_exactly_the_named_countries_are_open(desk):
    desk.set(open_countries=frozenset({"GB", "GG", "JP"}))
    assert desk.do(lambda ctx: countries.open_in(ctx.session, desk.app_id)) == ["GB", "GG", "JP"]
    assert changes(desk)[-1] == {"open_countries": [["JP"], ["GB", "GG", "JP"]]}
    desk.set(open_countries=frozenset())
    assert desk.do(lambda ctx: countries.open_in(ctx.session, desk.app_id)) == []


def test_abu_04_countries_of_one_app_open_nothing_in_another(desk, transaction, keys):
    other = Desk(transaction, keys)
    desk.set(open_countries=frozenset({"GB"}))
    assert desk.do(lambda ctx: countries.open_in(ctx.session, other.app_id)) == ["JP"]


def test_a_new_code_length_holds_for_new_codes_only(desk, clock):
    alice = desk.register("alice", FIRST)
    desk.set(code_length=4)
    assert len(desk.code(alice)) == 6
    bob = desk.register("bob", SECOND)
    assert len(desk.code(bob)) == 4
    desk.confirm(alice, desk.code(alice))
    desk.confirm(bob, desk.code(bob))


def test_counts_tell_how_many_users_are_in_which_state(desk, clock, transaction, keys):
    Desk(transaction, keys).register("stranger", FIRST)
    alice = desk.verified("alice", FIRST)
    desk.change(alice, SECOND)
    desk.register("bob", THIRD)
    charlie = desk.register("charlie", None)
    desk.do(lambda ctx: ctx.session.execute(update(User).where(User.id == charlie).values(disabled=True)))
    counted = lambda: desk.do(lambda ctx: apps.counts(ctx.session, desk.app_id, ctx.now))  # noqa: E731
    assert counted() == Counts(users=3, verified=1, unverified=1, pending=1, disabled=1)
    clock.advance(24 * 3600)
    assert counted() == Counts(users=3, verified=1, unverified=1, pending=0, disabled=1)
