"""An app's providers are its own, sealed, in order, changed only as they were seen, and on record."""

import dataclasses

import pytest
from sqlalchemy import select, update

from portal.core import credentials
from portal.core.provider_kinds import ProviderKind
from portal.core.sealing import BrokenSeal
from portal.errors import BadInput, NotFound, Overtaken
from portal.models import ActorKind, AuditEntry, Provider
from portal.services import provider_order, providers
from portal.services.context import Caller
from portal.services.provider_details import Wanted
from tests.services.conftest import Desk

SECRET, OTHER = "correct-horse-9931", "battery-staple-0042"
PLACE = {"url": "https://sms.example/send", "sender": "Shop"}
SHOWN = PLACE | {"url": "https://sms.example"}


def wanted(label: str = "Tea", **changes: object) -> Wanted:
    return dataclasses.replace(
        Wanted(label=label, settings=PLACE, secrets={"password": SECRET}, bound_to=frozenset({"url"})),
        **changes,
    )


@pytest.fixture
def add(desk):
    """`add(label)` is one more provider of the desk's app."""
    return lambda label="Tea", **more: desk.do(
        lambda ctx: providers.add(ctx, ProviderKind.HTTP, wanted(label, **more))
    )


def change(desk: Desk, it: Provider, new: Wanted, seen: str | None = None) -> None:
    seen = providers.stamp(it) if seen is None else seen
    desk.do(lambda ctx: providers.change(ctx, it.id, new, seen))


def now(desk: Desk, provider_id: str) -> Provider:
    return desk.do(lambda ctx: providers.get(ctx.session, desk.app_id, provider_id))


def secrets_of(desk: Desk, provider_id: str) -> dict[str, str]:
    return desk.do(
        lambda ctx: providers.secrets_of(ctx, providers.get(ctx.session, desk.app_id, provider_id))
    )


def order(desk: Desk) -> list[str]:
    return desk.do(lambda ctx: [each.label for each in providers.all_of(ctx.session, desk.app_id)])


def noted(desk: Desk) -> list[tuple[str, dict]]:
    entries = select(AuditEntry).where(AuditEntry.action.like("provider.%")).order_by(AuditEntry.id)
    return [(each.action, each.details) for each in desk.rows(entries)]


def test_ops_05_what_is_added_is_sealed_for_its_own_row_and_shows_its_last_four(desk, add, keys):
    it = add()

    assert (it.position, it.is_on, it.settings, it.secret_last4) == (1, True, PLACE, "9931")
    assert SECRET.encode() not in it.sealed
    assert secrets_of(desk, it.id) == {"password": SECRET}
    with pytest.raises(BrokenSeal):
        credentials.open_up(keys.sealing, desk.app_id, "another", it.sealing_key_version, it.sealed)
    assert noted(desk) == [
        ("provider.added", {"provider": "Tea", "kind": "HTTP request", "settings": SHOWN}),
    ]


def test_a_short_secret_shows_nothing_of_itself(desk, add):
    it = add(secrets={"password": "short-pw"})

    assert it.secret_last4 is None
    assert desk.do(lambda ctx: providers.last_fours(ctx, it)) == {"password": None}


def test_ops_05_a_moved_seal_opens_nowhere_and_asks_for_every_secret_again(desk, add):
    one, other = add("One"), add("Other")
    stolen = {"sealed": one.sealed, "sealing_key_version": one.sealing_key_version}
    desk.do(lambda ctx: ctx.session.execute(update(Provider).where(Provider.id == other.id).values(stolen)))

    with pytest.raises(BrokenSeal):
        secrets_of(desk, other.id)
    assert desk.do(lambda ctx: providers.last_fours(ctx, now(desk, other.id))) == {}
    change(desk, other, wanted("Other", secrets={"password": OTHER}))
    assert secrets_of(desk, other.id) == {"password": OTHER}


@pytest.mark.parametrize("label", ["", "  ", "x" * 41, "two\nlines\x00", "tea"])
def test_a_name_that_nobody_could_tell_apart_is_refused(desk, add, label):
    add()
    with pytest.raises(BadInput) as refused:
        add(label)
    assert refused.value.field == "label"
    assert order(desk) == ["Tea"]


@pytest.mark.parametrize("text", ["x" * 8_001, "nul\0", "half \ud800"])
def test_what_no_database_could_keep_is_refused_at_its_field(add, text):
    for part in ("settings", "secrets"):
        with pytest.raises(BadInput) as refused:
            add(**{part: {"odd": text}})
        assert refused.value.field == "odd"


def test_an_app_has_ten_providers_at_most(desk, add):
    for at in range(providers.MOST):
        add(f"Number {at}")
    with pytest.raises(BadInput):
        add("One too many")
    assert len(order(desk)) == providers.MOST


def test_a_change_keeps_secrets_that_were_not_typed_and_is_told_with_before_and_after(desk, add):
    it = add(secrets={"password": SECRET, "signing_key": OTHER})
    change(desk, it, wanted("Tea house", settings=PLACE | {"sender": "House"}, secrets={}))

    assert secrets_of(desk, it.id) == {"password": SECRET, "signing_key": OTHER}
    details = {"provider": "Tea house", "label": ["Tea", "Tea house"]}
    details |= {"settings": {"sender": ["Shop", "House"]}}
    assert noted(desk)[-1] == ("provider.changed", details)


def test_secrets_are_replaced_and_taken_away_and_no_entry_holds_one(desk, add):
    it = add(secrets={"password": SECRET, "signing_key": OTHER})
    change(desk, it, wanted(secrets={"password": OTHER}, forgotten=frozenset({"signing_key"})))

    assert secrets_of(desk, it.id) == {"password": OTHER}
    assert now(desk, it.id).secret_last4 == "0042"
    assert noted(desk)[-1][1]["credentials"] == ["•••• 9931", "•••• 0042"]
    assert SECRET not in str(noted(desk))
    assert OTHER not in str(noted(desk))


def test_ops_05_nobody_leads_a_stored_secret_to_another_address(desk, add):
    it = add()
    elsewhere = PLACE | {"url": "https://elsewhere.example"}
    with pytest.raises(BadInput) as refused:
        change(desk, it, wanted(settings=elsewhere, secrets={}))
    assert refused.value.field == "password"
    assert now(desk, it.id).settings == PLACE

    change(desk, it, wanted(settings=elsewhere, secrets={"password": SECRET}))
    assert now(desk, it.id).settings == elsewhere


def test_a_change_of_nothing_is_no_change(desk, add):
    it = add()
    change(desk, it, wanted(secrets={}))

    assert providers.stamp(now(desk, it.id)) == providers.stamp(it)
    assert len(noted(desk)) == 1


def test_who_saves_last_without_looking_changes_nothing(desk, add):
    it = add()
    change(desk, it, wanted("First", secrets={}))
    with pytest.raises(Overtaken):
        change(desk, it, wanted("Second", secrets={}))
    with pytest.raises(Overtaken):
        change(desk, it, wanted("Second", secrets={}), seen="nonsense")
    assert order(desk) == ["First"]


@pytest.mark.parametrize("verb", ["change", "switch"])
def test_whoever_puts_a_carrier_right_gets_a_fresh_start(desk, add, verb):
    it = add()
    paused = {"failures_in_row": 5, "paused_until": it.created_at + 60_000, "is_on": verb == "change"}
    desk.do(lambda ctx: ctx.session.execute(update(Provider).where(Provider.id == it.id).values(paused)))
    if verb == "change":
        change(desk, it, wanted("Better", secrets={}))
    else:
        desk.do(lambda ctx: providers.switch(ctx, it.id, on=True))

    after = now(desk, it.id)
    assert (after.failures_in_row, after.paused_until, after.is_on) == (0, None, True)


def test_switching_is_on_record_and_switching_twice_is_not(desk, add):
    it = add()
    for on in (False, False, True):
        desk.do(lambda ctx, on=on: providers.switch(ctx, it.id, on=on))

    assert [action for action, _ in noted(desk)][1:] == ["provider.switched_off", "provider.switched_on"]


def test_the_order_is_changed_by_one_place_and_only_as_it_was_seen(desk, add):
    for label in ("One", "Two", "Three"):
        add(label)

    def move(label: str, *, up: bool, seen: str | None = None) -> int:
        def verb(ctx):
            found = providers.all_of(ctx.session, desk.app_id)
            it = next(each for each in found if each.label == label)
            return provider_order.move(ctx, it.id, up=up, seen=seen or provider_order.stamp(found))

        return desk.do(verb)

    stale = desk.do(lambda ctx: provider_order.stamp(providers.all_of(ctx.session, desk.app_id)))
    assert (move("Three", up=True), order(desk)) == (2, ["One", "Three", "Two"])
    assert (move("One", up=False), order(desk)) == (2, ["Three", "One", "Two"])
    assert (move("Three", up=True), move("Two", up=False)) == (1, 3)
    assert order(desk) == ["Three", "One", "Two"]
    with pytest.raises(Overtaken):
        move("Two", up=True, seen=stale)
    assert [details for action, details in noted(desk) if action == "provider.moved"] == [
        {"provider": "Three", "place": [3, 2]},
        {"provider": "One", "place": [1, 2]},
    ]


def test_what_is_removed_is_gone_with_its_credentials(desk, add):
    it = add()
    with pytest.raises(Overtaken):
        desk.do(lambda ctx: providers.remove(ctx, it.id, "old"))
    assert desk.do(lambda ctx: providers.remove(ctx, it.id, providers.stamp(it))) == "Tea"

    assert desk.rows(select(Provider.id)) == []
    assert noted(desk)[-1] == ("provider.removed", {"provider": "Tea", "kind": "HTTP request"})


def test_ten_02_another_apps_provider_is_not_there(desk, add, transaction, keys):
    it, other = add(), Desk(transaction, keys)
    verbs = [
        lambda ctx: providers.get(ctx.session, other.app_id, it.id),
        lambda ctx: providers.change(ctx, it.id, wanted(), providers.stamp(it)),
        lambda ctx: providers.switch(ctx, it.id, on=False),
        lambda ctx: providers.remove(ctx, it.id, providers.stamp(it)),
        lambda ctx: provider_order.move(ctx, it.id, up=True, seen=provider_order.stamp([])),
    ]
    for verb in verbs:
        with pytest.raises(NotFound):
            other.do(verb, Caller(ActorKind.APP, other.app_id))
    assert other.do(lambda ctx: list(providers.all_of(ctx.session, other.app_id))) == []
    assert order(desk) == ["Tea"]


def test_pii_02_the_log_tells_settings_without_numbers_free_text_and_ways_of_addresses(desk, add):
    typed = {
        "url": "https://user:key-in-it@sms.example:8443/send?key=abc",
        "sender": "+15550100123",
        "headers": "Authorization: Bearer abc",
        "charset": "gsm",
    }
    it = add(settings=typed, unshown=frozenset({"headers"}))
    later = typed | {"headers": "none", "sender": "Shop", "charset": ""}
    change(desk, it, wanted(settings=later, secrets={}, unshown=frozenset({"headers"})))

    assert [details["settings"] for _, details in noted(desk)] == [
        {
            "url": "https://sms.example:8443",
            "sender": "••• 0123",
            "headers": "25 characters",
            "charset": "gsm",
        },
        {
            "headers": ["25 characters", "4 characters"],
            "sender": ["••• 0123", "Shop"],
            "charset": ["gsm", None],
        },
    ]
