"""Few requests run at once, nobody is overtaken, and who only waits gives its place to another."""

import io
import threading
import time

import pytest

from portal.turnstile import Turnstile

PATIENCE = 20
LARGEST = 100


class Stage:
    """A WSGI app whose requests each stay on until they are told to go, and a note of who is on."""

    def __init__(self, places: int) -> None:
        self.turnstile = Turnstile(places)
        self.on: list[str] = []
        self.came: list[str] = []
        self.go = {name: threading.Event() for name in "abcdef"}
        self.app = self.turnstile.guard(self._serve, LARGEST)
        self.threads: list[threading.Thread] = []

    def _serve(self, environment, start_response):
        name = environment["name"]
        self.came.append(name)
        self.on.append(name)
        if environment.get("waits"):
            with self.turnstile.stepped_out():
                self.on.remove(name)
                assert self.go[name].wait(PATIENCE)
            self.on.append(name)
        else:
            assert self.go[name].wait(PATIENCE)
        self.on.remove(name)
        if environment.get("breaks"):
            raise RuntimeError("broken")
        return [name.encode()]

    def ask(self, name: str, **more: bool) -> None:
        """Starts a request, and gives it time to queue up behind those who asked before."""
        thread = threading.Thread(target=self._ask, args=(name, more))
        self.threads.append(thread)
        thread.start()
        time.sleep(0.05)

    def _ask(self, name, more):
        try:
            self.app({"name": name, **more}, None)
        except RuntimeError:
            assert more["breaks"]

    def wait_for(self, *names: str) -> None:
        """Waits until exactly these are on."""
        end = time.monotonic() + PATIENCE
        while sorted(self.on) != sorted(names):
            assert time.monotonic() < end, f"{self.on} are on, not {names}"
            time.sleep(0.002)


@pytest.fixture
def stage():
    """`stage(places)` is a stage with so many places; at the end everybody goes home."""
    made: list[Stage] = []

    def make(places: int) -> Stage:
        made.append(Stage(places))
        return made[-1]

    yield make
    for one in made:
        for event in one.go.values():
            event.set()
        for thread in one.threads:
            thread.join(PATIENCE)
            assert not thread.is_alive()


def test_no_more_than_the_places_are_on_at_once(stage):
    theatre = stage(2)
    for name in "abcd":
        theatre.ask(name)
    theatre.wait_for("a", "b")
    theatre.go["a"].set()
    theatre.wait_for("b", "c")


def test_who_came_first_is_served_first(stage):
    theatre = stage(1)
    for name in "abcdef":
        theatre.ask(name)
    for name in "abcdef":
        theatre.wait_for(name)
        theatre.go[name].set()
    theatre.wait_for()
    assert theatre.came == list("abcdef")


def test_who_waits_for_something_gives_its_place_to_the_next(stage):
    theatre = stage(1)
    theatre.ask("a", waits=True)
    theatre.ask("b")
    theatre.wait_for("b")
    theatre.go["a"].set()
    theatre.wait_for("b")
    theatre.go["b"].set()
    theatre.wait_for()


def test_a_request_that_breaks_gives_its_place_back(stage):
    theatre = stage(1)
    theatre.go["a"].set()
    theatre.ask("a", breaks=True)
    theatre.ask("b")
    theatre.wait_for("b")


def test_stepping_out_from_outside_changes_nothing(stage):
    theatre = stage(1)
    with theatre.turnstile.stepped_out():
        theatre.ask("a")
        theatre.wait_for("a")
    theatre.ask("b")
    theatre.wait_for("a")


def test_under_real_load_the_places_are_never_exceeded_and_all_are_served():
    turnstile, inside, most, served = Turnstile(3), [], [], []

    def app(environment, start_response):
        inside.append(1)
        most.append(len(inside))
        inside.pop()
        if environment["waits"]:
            with turnstile.stepped_out():
                time.sleep(0.0001)
        served.append(1)
        return []

    guarded = turnstile.guard(app, LARGEST)

    def client(waits):
        for _ in range(200):
            guarded({"waits": waits}, None)

    threads = [threading.Thread(target=client, args=(at % 2 == 0,)) for at in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
    assert len(served) == 8 * 200
    assert max(most) <= 3


class SlowBody:
    """A body that comes when it is told to, as a slow client's does."""

    def __init__(self) -> None:
        self.arrives = threading.Event()

    def read(self, most: int) -> bytes:
        assert self.arrives.wait(PATIENCE)
        return b"x" * most


def test_web_10_whoever_sends_a_body_slowly_holds_no_place():
    turnstile, slow = Turnstile(1), SlowBody()
    app = turnstile.guard(lambda environment, _start: [environment["wsgi.input"].read()], LARGEST)
    bodies: list[list[bytes]] = []
    sender = threading.Thread(
        target=lambda: bodies.append(app({"CONTENT_LENGTH": "3", "wsgi.input": slow}, None))
    )
    sender.start()
    assert app({"wsgi.input": io.BytesIO(b"")}, None) == [b""]
    slow.arrives.set()
    sender.join(PATIENCE)
    assert bodies == [[b"xxx"]]


def test_web_10_a_body_that_is_too_large_is_left_to_be_refused_unread():
    left = io.BytesIO(b"y" * (LARGEST + 1))
    app = Turnstile(1).guard(lambda environment, _start: [environment["wsgi.input"]], LARGEST)
    assert app({"CONTENT_LENGTH": str(LARGEST + 1), "wsgi.input": left}, None) == [left]
    assert left.tell() == 0


def test_web_10_of_a_body_of_unknown_length_one_byte_more_than_is_taken_is_read():
    endless = io.BytesIO(b"y" * 10 * LARGEST)
    app = Turnstile(1).guard(lambda environment, _start: [environment["wsgi.input"].read()], LARGEST)
    [read] = app({"HTTP_TRANSFER_ENCODING": "chunked", "wsgi.input": endless}, None)
    assert len(read) == LARGEST + 1


def test_a_client_that_went_away_leaves_a_body_that_is_cut_off():
    class Gone:
        def read(self, _most: int) -> bytes:
            raise ConnectionResetError

    app = Turnstile(1).guard(lambda environment, _start: [environment["wsgi.input"].read()], LARGEST)
    assert app({"CONTENT_LENGTH": "3", "wsgi.input": Gone()}, None) == [b""]
