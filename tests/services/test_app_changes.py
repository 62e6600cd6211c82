"""The settings of an app's SMS are checked, tidied, and never set so that a template breaks."""

import pytest
from sqlalchemy import select

from portal.core.autofill import Autofill
from portal.core.roles import Role
from portal.errors import BadInput
from portal.models import ActorKind, App, AuditEntry
from portal.services import accounts, app_settings, apps, sms_templates
from portal.services.app_changes import AppChanges, tidied
from portal.services.context import Caller
from tests.services.conftest import Desk

HASH = "FA+9qCX9VSu"


def get(desk: Desk) -> App:
    return desk.do(lambda ctx: apps.get(ctx.session, desk.app_id))


def refused(desk: Desk, **changes: object) -> BadInput:
    before = {each.key: getattr(get(desk), each.key) for each in App.__table__.columns}
    with pytest.raises(BadInput) as refusal:
        desk.set(**changes)
    assert {each.key: getattr(get(desk), each.key) for each in App.__table__.columns} == before
    return refusal.value


def join(desk: Desk, email: str, role: Role) -> None:
    def add(ctx):
        accounts.join(ctx, accounts.create(ctx, email, "hash").id, role)

    desk.do(add, Caller(ActorKind.OPERATOR, desk.app_id))


def save(desk: Desk, body: str) -> None:
    desk.do(lambda ctx: sms_templates.save(ctx, "ja", body))


# --- What is stored --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "stored"),
    [
        ({"web_domain": " Login.Example.COM "}, "login.example.com"),
        ({"web_domain": "bücher.example"}, "xn--bcher-kva.example"),
        ({"web_domain": " "}, ""),
        ({"web_domain": ""}, ""),
        ({"web_domain": None}, None),
        ({"android_hash": f" {HASH}\n"}, HASH),
        ({"android_hash": "  "}, ""),
        ({"currency": " jpy "}, "JPY"),
        ({"name": " Store "}, "Store"),
        ({"default_locale": "pt_br"}, "pt-BR"),
    ],
)
def test_a_change_is_tidied_before_it_is_stored(given, stored):
    (name,) = given
    assert getattr(tidied(AppChanges(**given)), name) == stored


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"web_domain": "https://example.com"}, "web_domain"),
        ({"web_domain": "127.0.0.1"}, "web_domain"),
        ({"web_domain": "\ud800.example"}, "web_domain"),
        ({"web_domain": "a" * 10**6}, "web_domain"),
        ({"android_hash": "short"}, "android_hash"),
        ({"android_hash": HASH + "x"}, "android_hash"),
        ({"android_hash": "FA+9qCX9VS\0"}, "android_hash"),
        ({"most_segments": 0}, "most_segments"),
        ({"most_segments": 7}, "most_segments"),
        ({"currency": "DEM"}, "currency"),
        ({"currency": ""}, "currency"),
        ({"currency": "US"}, "currency"),
    ],
)
def test_a_value_out_of_range_is_refused_by_the_name_of_its_setting(desk, changes, field):
    assert refused(desk, **changes).field == field


# --- Autofill (TPL-04) -----------------------------------------------------------------------------


def test_a_new_app_adds_nothing_to_its_sms(desk):
    assert app_settings.autofill_of(get(desk)) == Autofill()


def test_tpl_04_switching_on_needs_what_is_added(desk):
    assert refused(desk, web_autofill=True).field == "web_domain"
    assert refused(desk, android_autofill=True).field == "android_hash"
    desk.set(web_autofill=True, web_domain="shop.example", android_autofill=True, android_hash=HASH)
    assert app_settings.autofill_of(get(desk)) == Autofill("shop.example", HASH)


def test_tpl_04_what_is_in_use_cannot_be_taken_away(desk):
    desk.set(web_autofill=True, web_domain="shop.example", android_autofill=True, android_hash=HASH)
    assert refused(desk, web_domain="").field == "web_domain"
    assert refused(desk, android_hash=" ").field == "android_hash"
    desk.set(web_autofill=False, web_domain="", android_autofill=False)
    assert (get(desk).web_domain, get(desk).android_hash) == (None, HASH)


def test_an_empty_value_where_none_was_leaves_no_trace(desk):
    noted = select(AuditEntry.id).where(AuditEntry.action == "app.changed")
    before = len(desk.rows(noted))
    desk.set(web_domain="", android_hash="", web_autofill=False, most_segments=2, currency="usd")
    assert len(desk.rows(noted)) == before


# --- Length (TPL-02) -------------------------------------------------------------------------------


def test_tpl_02_an_app_may_allow_more_segments_and_not_take_them_back_from_a_text(desk):
    with pytest.raises(BadInput):
        save(desk, "{code}" + "x" * 400)
    desk.set(most_segments=3)
    save(desk, "{code}" + "x" * 400)
    refusal = refused(desk, most_segments=2)
    assert refusal.field == "most_segments"
    assert "SMS template for ja" in refusal.message
    desk.set(most_segments=6)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"web_autofill": True, "web_domain": "shop.example"}, "web_autofill"),
        ({"android_autofill": True, "android_hash": HASH}, "android_autofill"),
        # A setting that was loosened is not to blame for what another one makes too long.
        (
            {
                "most_segments": 3,
                "web_autofill": True,
                "web_domain": f"{'x' * 60}.example",
            },
            None,
        ),
        ({"code_length": 4, "web_autofill": True, "web_domain": "shop.example"}, "web_autofill"),
    ],
)
def test_tpl_02_lines_for_autofill_count_and_the_refusal_names_what_adds_them(desk, changes, field):
    save(desk, "{code}" + "x" * (306 - 6 - 5))
    if field is None:
        desk.set(**changes)
        assert get(desk).web_autofill
    else:
        assert refused(desk, **changes).field == field


def test_tpl_02_what_makes_texts_shorter_is_never_refused(desk):
    desk.set(web_autofill=True, web_domain="shop.example", code_length=10)
    save(desk, "{code}" + "x" * 260)
    desk.set(code_length=4, code_life_s=60)
    desk.set(web_autofill=False)


# --- Approval --------------------------------------------------------------------------------------


def test_an_owner_who_is_alone_cannot_ask_for_a_second_one(desk):
    join(desk, "alice@example.com", Role.OWNER)
    join(desk, "bob@example.com", Role.SUPPORT)
    refusal = refused(desk, sms_templates_need_approval=True)
    assert refusal.field == "sms_templates_need_approval"
    assert "nobody could approve" in refusal.message


def test_two_owners_can_and_one_who_is_left_can_stop_it(desk):
    join(desk, "alice@example.com", Role.OWNER)
    join(desk, "charlie@example.com", Role.OWNER)
    desk.set(sms_templates_need_approval=True)
    desk.do(lambda ctx: accounts.admit(ctx, "charlie@example.com", Role.SUPPORT))
    desk.set(sms_templates_need_approval=True, name="Store")
    desk.set(sms_templates_need_approval=False)
    assert not get(desk).sms_templates_need_approval


def test_ten_04_owners_of_another_app_do_not_count(desk, transaction, keys):
    join(desk, "alice@example.com", Role.OWNER)
    join(Desk(transaction, keys), "charlie@example.com", Role.OWNER)
    assert refused(desk, sms_templates_need_approval=True).field == "sms_templates_need_approval"
