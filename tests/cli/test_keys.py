"""How does an operator rotate a key, while servers run, rows are sealed and numbers are hashed?"""

import json

import pytest
from sqlalchemy import select

from portal import clock as portal_clock
from portal import keys as portal_keys
from portal.core import number_hashes, sealing
from portal.core.provider_kinds import ProviderKind
from portal.core.sealing import BrokenSeal
from portal.models import AuditAction, AuditEntry, IdempotencyKey, PhoneNumberLimit, Provider, Totp
from tests import factories

NUMBER = "+819012345678"
PLAIN = b'{"auth_token": "hush-hush-hush-hush"}'


@pytest.fixture
def provider(shop, session, keys) -> Provider:
    """A provider of the shop with sealed credentials."""
    version, sealed = sealing.seal(keys.sealing, PLAIN, sealing.about_provider(shop.id, "p" * 32))
    row = Provider(
        id="p" * 32,
        app_id=shop.id,
        kind=ProviderKind.TWILIO,
        label="Twilio",
        position=0,
        settings={},
        sealed=sealed,
        sealing_key_version=version,
        created_at=1,
        modified_at=1,
    )
    session.add(row)
    session.flush()
    return row


def opened(session, keys) -> bytes:
    """The provider's credentials as they are stored now."""
    row = session.get(Provider, "p" * 32)
    about = sealing.about_provider(row.app_id, row.id)
    return sealing.unseal(keys.sealing, row.sealing_key_version, row.sealed, about)


def test_ops_05_a_rotation_reseals_and_whoever_runs_already_can_open_what_it_sealed(
    operator, provider, session, keys
):
    before = provider.sealed
    answer = operator.types("keys", "rotate", "sealing")
    assert (answer.exit_code, answer.stderr) == (0, "")
    assert "Secrets sealed anew with sealing key 2: 1" in answer.stdout
    row = session.get(Provider, provider.id)
    assert (row.sealing_key_version, row.sealed != before) == (2, True)
    # These keys were loaded before the rotation, as a running server's are.
    assert opened(session, keys) == PLAIN
    stored = json.loads((keys.sealing._path).read_text())
    assert all(key not in answer.stdout for key in stored["sealing"].values())


def test_ops_05_with_several_machines_the_key_is_added_first_and_used_later(
    operator, provider, session, keys
):
    operator.types("keys", "rotate", "sealing", "--no-reseal")
    assert session.get(Provider, provider.id).sealing_key_version == 1
    assert "Secrets sealed anew with sealing key 2: 1" in operator.types("keys", "reseal", "sealing").stdout
    assert "Secrets sealed anew with sealing key 2: 0" in operator.types("keys", "reseal", "sealing").stdout
    assert opened(session, keys) == PLAIN


def test_ops_05_an_old_key_is_retired_once_nothing_uses_it_and_an_old_dump_opens_no_more(
    operator, provider, session, settings
):
    dumped = provider.sealed
    operator.types("keys", "rotate", "sealing", "--no-reseal")
    assert operator.types("keys", "retire", "sealing").stdout.splitlines() == [
        "Removed nothing: each old sealing key is still needed.",
        "sealing key 1: old, still needed by credentials of carriers.",
        "sealing key 2: the newest; whatever is new gets it.",
        "Next: `portal keys reseal sealing`, once every machine has this keys.json.",
    ]
    operator.types("keys", "reseal", "sealing")
    assert operator.types("keys", "list", "sealing").stdout.splitlines() == [
        "sealing key 1: old, and needed by nothing.",
        "sealing key 2: the newest; whatever is new gets it.",
        "Next: `portal keys retire sealing` removes key 1.",
    ]
    assert operator.types("keys", "retire", "sealing").stdout.splitlines() == [
        "Removed sealing key 1 from keys.json: nothing needed it.",
        "sealing key 2: the newest; whatever is new gets it.",
        "Next: back keys.json up and copy it to your other machines. Older backups need an older copy.",
    ]
    found = portal_keys.load(settings.home)
    assert list(found.sealing) == [2]
    assert opened(session, found) == PLAIN
    with pytest.raises(BrokenSeal):
        sealing.unseal(found.sealing, 1, dumped, sealing.about_provider(provider.app_id, provider.id))


def test_an_answer_that_is_kept_holds_its_key(operator, shop, session, keys):
    session.add(
        IdempotencyKey(
            app_id=shop.id,
            route="users",
            key_hash="a" * 64,
            request_hash="b" * 64,
            status=200,
            answer=sealing.pack(keys.sealing, b"{}", "idempotency"),
            created_at=1,
        )
    )
    session.flush()
    operator.types("keys", "rotate", "sealing")
    assert "Removed nothing: each old" in operator.types("keys", "retire", "sealing").stdout
    listed = operator.types("keys", "list", "sealing").stdout.splitlines()
    assert listed == [
        "sealing key 1: old, still needed by answers kept for repeated calls (for a day).",
        "sealing key 2: the newest; whatever is new gets it.",
        "Next: wait until nothing needs it, then `portal keys retire sealing`.",
    ]


def test_with_one_key_there_is_nothing_to_retire_and_nothing_to_do(operator, shop):
    for kind in ("sealing", "hashing"):
        assert operator.types("keys", "retire", kind).stdout.splitlines() == [
            f"Removed nothing: there is no old {kind} key.",
            f"{kind} key 1: the newest; whatever is new gets it.",
            f"Next: nothing. `portal keys rotate {kind}` adds a newer key, when you want one.",
        ]


def test_a_list_of_no_kind_has_both(operator):
    each = [operator.types("keys", "list", kind).stdout for kind in ("sealing", "hashing")]
    both = operator.types("keys", "list")
    assert (both.exit_code, both.stdout) == (0, "".join(each))


@pytest.mark.parametrize("command", ["list", "retire"])
def test_the_help_says_what_stays_and_what_comes_next(operator, command):
    said = operator.types("keys", command, "--help").stdout
    assert f"portal keys {command} hashing" in said
    assert all(word in said for word in ("still needs", "Exit codes"))


def test_credentials_that_do_not_open_are_left_and_told_of(operator, provider, session):
    provider.sealed = provider.sealed[:-1] + bytes([provider.sealed[-1] ^ 1])
    session.flush()
    answer = operator.types("keys", "rotate", "sealing")
    assert answer.exit_code == 1
    assert "does not open" in answer.stderr
    assert session.get(Provider, provider.id).sealing_key_version == 1


def test_only_known_kinds_of_keys_can_be_named(operator):
    assert operator.types("keys", "rotate", "codes").exit_code == 2
    assert operator.types("keys").exit_code in (0, 2)


def test_ops_05_an_authenticator_app_outlives_the_key_that_it_was_sealed_with(
    operator, session, keys, settings
):
    plain = b"the key of an app...."
    about = sealing.about_totp(alice_id := factories.account(session).id)
    factories.totp(session, account_id=alice_id, sealed=sealing.pack(keys.sealing, plain, about))
    session.commit()

    operator.types("keys", "rotate", "sealing")
    assert operator.types("keys", "retire", "sealing").exit_code == 0

    session.expire_all()
    packed = session.scalar(select(Totp.sealed))
    assert sealing.packed_version(packed) == 2
    newest = portal_keys.load(settings.home).sealing
    assert set(newest) == {2}
    assert sealing.unpack(newest, packed, about) == plain


def limits_of(session, keys, app_id: str) -> str | None:
    """What the limits of a number say, as a running server finds it."""
    hashes = [each for _version, each in number_hashes.limit_hashes(keys, app_id, NUMBER)]
    return session.scalar(select(PhoneNumberLimit.sent_times).where(PhoneNumberLimit.number_hash.in_(hashes)))


def test_pii_06_a_hashing_key_is_added_listed_and_retired_when_nothing_needs_it(
    operator, shop, session, keys, settings
):
    hidden = number_hashes.limit_hashes(keys, shop.id, NUMBER)[0][1]
    limit = factories.phone_number_limit(session, app_id=shop.id, number_hash=hidden, sent_times="1,2")
    factories.attempt_tally(session, subject="code_spray:" + shop.id)
    session.commit()

    answer = operator.types("keys", "rotate", "hashing")
    assert (answer.exit_code, answer.stdout) == (
        0,
        "hashing key 2 was added to keys.json. Back that file up.\n",
    )
    assert limits_of(session, keys, shop.id) == "1,2"
    assert operator.types("keys", "list", "hashing").stdout.splitlines() == [
        "hashing key 1: old, still needed by limits of numbers (for a day).",
        "hashing key 2: the newest; whatever is new gets it.",
        "Next: wait until nothing needs it, then `portal keys retire hashing`.",
    ]
    held = operator.types("keys", "retire", "hashing").stdout
    assert held.startswith("Removed nothing: each old hashing key is still needed.\n")
    # A day later no limit looks at it any more.
    limit.touched_at -= portal_clock.DAY
    session.commit()
    gone = operator.types("keys", "retire", "hashing").stdout
    assert gone.startswith("Removed hashing key 1 from keys.json: ")
    assert [version for version, _key in keys.hashing.all()] == [2]
    stored = json.loads((settings.home / portal_keys.FILE).read_text())
    assert list(stored["hashing"]) == ["2"]
    assert stored["hashing"]["2"] not in answer.output + gone
    told = session.scalars(select(AuditEntry.action).order_by(AuditEntry.id)).all()
    assert told[-2:] == [AuditAction.HASHING_KEY_ADDED, AuditAction.HASHING_KEYS_REMOVED]


def test_hashes_cannot_be_made_anew_so_there_is_nothing_to_reseal(operator):
    assert operator.types("keys", "reseal", "hashing").exit_code == 2
