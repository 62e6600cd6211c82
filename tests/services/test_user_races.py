"""Two requests about one user at the same moment: one after the other, and never a 500."""

import pytest

from portal.services import users
from portal.services.users import Registration
from tests.services.racing import race

NUMBER, OTHER = "+819012345678", "+819087654321"


@pytest.fixture
def pseudo(desk) -> str:
    """A user without a name and a password, as the authorizing sign-up makes one."""
    return desk.do(lambda ctx: users.register(ctx, Registration(authorizes=True), None).id)


@pytest.mark.parametrize("processes", [1, 4])
def test_a_first_password_is_given_once_however_many_ask_at_once(desk, pseudo, settings, processes):
    calls = [("give_password", pseudo, f"name{at}", f"hash{at}") for at in range(20)]

    assert race(settings, desk.app_id, calls, processes) == {"done": 1, "BadInput": 19}
    kept = desk.user(pseudo)
    assert kept.password_hash == kept.login_name.replace("name", "hash")


@pytest.mark.parametrize("processes", [1, 4])
def test_a_user_deleted_meanwhile_is_simply_not_there(desk, settings, processes):
    alice = desk.verified("alice", NUMBER)
    calls = [("rename", alice, "Alice"), ("change", alice, OTHER), ("delete", alice)]
    endings = race(settings, desk.app_id, calls * 7, processes)

    # Whoever comes before the deletion succeeds, or asks too soon; everybody else is told that she is gone.
    assert set(endings) <= {"done", "TooSoon", "NotFound"}
    assert endings["NotFound"] >= 6


@pytest.mark.parametrize("processes", [1, 4])
def test_a_resend_never_ends_the_code_of_a_change(desk, settings, processes):
    alice = desk.verified("alice", NUMBER)
    desk.change(alice, "+818011112222")
    endings = race(settings, desk.app_id, [("resend", alice), ("change", alice, OTHER)] * 8, processes)

    assert set(endings) <= {"done", "TooSoon"}
    _, _, pending = desk.number(alice)
    desk.confirm(alice, desk.code(alice))
    assert desk.number(alice) == (pending, True, None)
