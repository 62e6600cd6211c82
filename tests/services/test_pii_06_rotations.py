"""Do limits of numbers and addresses outlive a rotation of the key that they are hashed with? (PII-06)"""

import hashlib
import hmac
import shutil
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from sqlalchemy import event, select

from portal import clock as portal_clock
from portal import keys as portal_keys
from portal.core import number_hashes
from portal.core.limits import Tally
from portal.core.reasons import Reason
from portal.errors import TooSoon, WrongCode
from portal.models import AttemptTally, Base, Erasure, PhoneNumberLimit
from portal.services import attempt_tallies, erasures, hashing_keys, phone_number_limits
from portal.services.attempt_tallies import Tried
from tests.services.racing import race

DORA = "+819012345678"
EVE = "+819087654321"
ADDRESS = "dora@example.com"


@pytest.fixture
def rotate(settings):
    """`rotate()` adds a hashing key, as the operator does while everything goes on."""
    return lambda: portal_keys.add_key(settings.home, "hashing")


@pytest.fixture
def retire(settings, desk):
    """`retire()` takes away the old keys that nothing needs; returns those that are left."""

    def take_away() -> list[int]:
        in_use = set(desk.do(hashing_keys.needs))
        versions = [version for version, _key in desk.keys.hashing.all()]
        portal_keys.remove_keys(settings.home, "hashing", set(versions) - in_use)
        return [version for version, _key in desk.keys.hashing.all()]

    return take_away


def put(desk, number: str, tally: Tally) -> None:
    """Writes down what a number was sent and guessed."""

    def write(ctx) -> None:
        phone_number_limits.lock(ctx, number)
        phone_number_limits.write(ctx, number, tally)

    desk.do(write)


def known(desk, number: str = DORA) -> Tally:
    """What limits know of a number."""
    return desk.do(lambda ctx: phone_number_limits.look(ctx, number))


def test_pii_06_four_of_five_sends_stay_four_and_the_fifth_is_the_last(desk, clock, rotate, retire):
    dora = desk.register("dora", DORA)
    for wait in (60, 60, 120):
        clock.advance(wait)
        desk.resend(dora)
    rotate()
    assert len(known(desk).sent) == 4
    clock.advance(300)
    desk.resend(dora)
    assert len(known(desk).sent) == 5
    clock.advance(59)
    with pytest.raises(TooSoon) as refused:
        desk.resend(dora)
    assert refused.value.details["reason"] == Reason.SENDS_USED_UP
    # The fifth send stands under the new key too, with the four before it, so the old one can go.
    assert retire() == [2]
    assert len(known(desk).sent) == 5


def test_pii_06_nine_of_ten_sends_an_hour_leave_one_to_a_number_whoever_asks(desk, clock, rotate):
    put(desk, DORA, Tally(sent=tuple(clock.now() - at * 1_000 for at in range(1_000, 100, -100))))
    rotate()
    desk.register("dora", DORA)
    clock.advance(61)
    with pytest.raises(TooSoon) as refused:
        desk.register("eve", DORA)
    assert refused.value.details["reason"] == Reason.NUMBER_HOURLY_LIMIT


def test_pii_06_a_number_with_twenty_wrong_codes_stays_locked_and_holds_its_key(desk, clock, rotate, retire):
    dora = desk.register("dora", DORA)
    put(desk, DORA, Tally(known(desk).sent, tuple(clock.now() - 60_000 for _ in range(20))))
    for _ in range(2):
        rotate()
        with pytest.raises(TooSoon) as refused:
            desk.confirm(dora, desk.code(dora))
        assert refused.value.details["reason"] == Reason.NUMBER_GUESS_LIMIT
    assert retire() == [1, 3], "nothing wrote the tally under a newer key, so the oldest is needed"
    with pytest.raises(TooSoon):
        desk.confirm(dora, desk.code(dora))
    clock.advance(24 * 3_600 + 1)
    assert retire() == [3]


def test_pii_06_a_right_code_forgives_under_both_keys(desk, clock, rotate, retire):
    dora = desk.register("dora", DORA)
    put(desk, DORA, Tally(known(desk).sent, (clock.now() - 60_000,) * 3))
    rotate()
    desk.confirm(dora, desk.code(dora))

    assert known(desk).failed_guesses == ()
    assert retire() == [2]
    assert known(desk).failed_guesses == ()


@pytest.mark.parametrize("tried", Tried)
def test_pii_06_counted_tries_go_on_under_both_keys_and_outlive_the_old_one(desk, rotate, retire, tried):
    allowed, _window = attempt_tallies.ALLOWED[tried]
    for _ in range(allowed - 1):
        desk.do(lambda ctx: attempt_tallies.take(ctx, tried, ADDRESS))
    rotate()
    assert retire() == [1, 2]
    assert desk.do(lambda ctx: attempt_tallies.take(ctx, tried, ADDRESS)) == allowed
    assert retire() == [2]
    with pytest.raises(TooSoon):
        desk.do(lambda ctx: attempt_tallies.take(ctx, tried, ADDRESS))
    desk.do(lambda ctx: attempt_tallies.forgive(ctx, tried, ADDRESS))
    assert desk.do(lambda ctx: attempt_tallies.take(ctx, tried, ADDRESS)) == 1


def test_pii_06_an_erased_number_is_matched_by_either_key_and_holds_its_own_for_35_days(
    desk, clock, rotate, retire, transaction, keys
):
    desk.do(lambda ctx: erasures.erase_number(ctx, DORA))
    rotate()
    desk.do(lambda ctx: erasures.erase_number(ctx, EVE))
    assert retire() == [1, 2]
    with transaction() as session:
        told = erasures.found(session.connection())
        session.connection().execute(Erasure.__table__.delete())
    people = [desk.register(name, None) for name in ("dora", "eve")]
    clock.advance(-3_600)
    for user_id, number in zip(people, (DORA, EVE), strict=True):
        desk.change(user_id, number, verified=True, admin=True)
    clock.advance(3_600)
    with transaction() as session:
        assert len(erasures.replay(session.connection(), told, keys, is_restored=False)) == 2
    assert [desk.number(each)[0] for each in people if each in _users(desk)] == []
    with transaction() as session:
        erasures.note(session.connection(), told)
    assert retire() == [1, 2]
    clock.advance(35 * 24 * 3_600 + 1)
    assert retire() == [2]


def _users(desk) -> list[str]:
    from portal.models import User

    return desk.rows(select(User.id))


def test_pii_06_a_stolen_dump_matches_no_number_of_a_national_range_without_the_key(desk, transaction, keys):
    """Every text in every table, against each number of the range by each hash that needs no key of ours."""
    desk.register("dora", DORA)
    desk.do(lambda ctx: attempt_tallies.take(ctx, Tried.PASSWORD, DORA))
    desk.do(lambda ctx: erasures.erase_number(ctx, EVE))
    with transaction() as session:
        rows = [
            tuple(row)
            for table in Base.metadata.sorted_tables
            for row in session.execute(select(table)).all()
        ]
    stolen = repr([rows])
    told = {each for each in stolen.replace("'", '"').split('"') if len(each) >= 32}
    told |= {each.partition(":")[2] for each in told}
    assert len(told) > 10
    national = [f"+81901234{place:04}" for place in range(10_000)]
    national += [f"+81908765{place:04}" for place in range(10_000)]
    assert {DORA, EVE} <= set(national)

    spelled = ("{}", f"{desk.app_id}:{{}}", f"{desk.app_id}{{}}", "password:{}", f"{{}}:{desk.app_id}")
    tried = {
        hashed(text.format(each).encode()).hexdigest()
        for each in national
        for text in spelled
        for hashed in (hashlib.sha256, hashlib.sha1, hashlib.md5)
    }
    tried |= {hmac.new(desk.app_id.encode(), each.encode(), "sha256").hexdigest() for each in national}
    assert told & tried == set()
    # With the key they are found, so what was compared are hashes of these very numbers.
    by_limit = {number_hashes.limit_hashes(keys, desk.app_id, each)[0][1] for each in (DORA, EVE)}
    by_erasure = {
        number_hashes.erasure_hash(keys, desk.app_id, each).partition(":")[2] for each in (DORA, EVE)
    }
    assert len(told & by_limit) == len(told & by_erasure) == 1


def test_pii_06_a_tally_is_read_and_written_in_one_statement_each_with_one_key_and_with_two(
    desk, rotate, transaction
):
    put(desk, DORA, Tally())
    with transaction() as session:
        engine = session.get_bind()
    put(desk, DORA, Tally())
    seen: list[str] = []
    event.listen(engine, "before_cursor_execute", lambda _c, _u, statement, *_rest: seen.append(statement))
    for versions in (1, 2):
        seen.clear()
        put(desk, DORA, Tally(sent=(1,)))
        assert sum("phone_number_limit" in each for each in seen) == 2, (versions, seen)
        rotate()


def test_pii_06_with_one_key_checking_and_resending_find_and_lock_the_limits_by_the_way(
    desk, clock, rotate, retire, transaction
):
    """With one key no statement more than before; while there are two, three more at most."""
    dora = desk.register("dora", DORA)
    with transaction() as session:
        engine = session.get_bind()
    seen: list[str] = []
    event.listen(engine, "before_cursor_execute", lambda _c, _u, statement, *_rest: seen.append(statement))

    def counted(verb) -> int:
        seen.clear()
        verb()
        # The bell rings so many times a second at most, so whether it does is chance.
        return sum(not each.startswith("NOTIFY") for each in seen)

    def guess() -> None:
        with pytest.raises(WrongCode):
            desk.confirm(dora, typed)

    def both_verbs() -> list[int]:
        nonlocal typed
        clock.advance(601)
        sent = counted(lambda: desk.resend(dora))
        typed = desk.wrong_code(dora)
        return [sent, counted(guess)]

    typed = ""
    with_one = both_verbs()
    rotate()
    with_two = both_verbs()
    assert retire() == [2]
    after = both_verbs()

    assert with_two >= with_one
    assert max(more - fewer for more, fewer in zip(with_two, with_one, strict=True)) <= 3
    # The code before was sent under both keys, so even the first resend has its hash.
    assert after == with_one


def both(settings, app_id: str, calls: list[tuple[str, ...]], tmp_path) -> Counter[str]:
    """Runs calls at once in processes that know the new key, and in some that do not yet."""
    behind = tmp_path / "behind"
    behind.mkdir()
    shutil.copy(settings.home / portal_keys.FILE, behind)
    portal_keys.add_key(settings.home, "hashing")
    url = settings.database_url or f"sqlite:///{settings.home / 'ringback.db'}"
    homes = [replace(settings, home=home, database_url=url) for home in (settings.home, behind)]
    with ThreadPoolExecutor() as pool:
        runs = [pool.submit(race, each, app_id, calls[at::2], 2) for at, each in enumerate(homes)]
        return sum((run.result() for run in runs), Counter())


def test_pii_06_right_after_a_rotation_processes_that_meet_one_number_do_not_each_begin_at_zero(
    desk, settings, tmp_path
):
    people = [desk.register(f"user{place}", None) for place in range(12)]
    endings = both(settings, desk.app_id, [("change", person, EVE) for person in people], tmp_path)

    assert endings == {"done": 1, "TooSoon": 11}
    assert len(desk.messages(EVE)) == 1
    assert len(desk.rows(select(PhoneNumberLimit.number_hash))) in (1, 2)


def test_pii_06_right_after_a_rotation_tries_that_come_together_each_count(desk, settings, tmp_path):
    desk.do(lambda ctx: attempt_tallies.take(replace(ctx, now=portal_clock.now()), Tried.PASSWORD, ADDRESS))
    endings = both(settings, desk.app_id, [("try_password", ADDRESS)] * 24, tmp_path)

    assert endings == {"done": 9, "TooSoon": 15}
    assert max(desk.rows(select(AttemptTally.tries))) == 10


def test_otp_16_during_a_rotation_erasing_and_texting_wait_for_each_other_and_never_for_ever(
    desk, settings, tmp_path
):
    people = [desk.register(f"user{place}", None) for place in range(16)]
    put(desk, DORA, Tally())
    put(desk, EVE, Tally())
    calls: list[tuple[str, ...]] = []
    for place, person in enumerate(people):
        calls += [("change", person, (DORA, EVE)[place % 2]), ("delete", person)]
    endings = both(settings, desk.app_id, calls, tmp_path)

    assert not [each for each in endings if each.startswith("crash")], endings


def test_pii_06_a_process_with_the_older_key_too_lowers_no_count_of_one_with_the_newer_alone(
    desk, settings, rotate, tmp_path
):
    rotate()
    shutil.copy(settings.home / "keys.json", tmp_path / "keys.json")
    both = portal_keys.load(tmp_path)
    portal_keys.remove_keys(settings.home, "hashing", {1})
    newer = portal_keys.load(settings.home)
    allowed, _window = attempt_tallies.ALLOWED[Tried.PASSWORD]

    def passes(server_keys) -> bool:
        try:
            return bool(
                desk.do(
                    lambda ctx: attempt_tallies.take(replace(ctx, keys=server_keys), Tried.PASSWORD, ADDRESS)
                )
            )
        except TooSoon:
            return False

    # Each of the two counts by itself at worst; neither begins the other's count anew.
    assert sum(passes(each) for each in [newer, both] * 5 * allowed) <= 2 * allowed
