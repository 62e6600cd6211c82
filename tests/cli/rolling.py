"""Two servers behind a tiny balancer, a carrier that counts, and a crowd that comes at a steady pace."""

import contextlib
import http.client
import http.server
import itertools
import json
import signal
import socket
import subprocess
import threading
import time
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from sqlalchemy import insert

from portal import clock
from portal.delivery.providers import http as http_carrier
from portal.models import App, AppMode, BearerToken, Message, User, random_id
from portal.services.tokens import hashed
from tests import factories
from tests.cli.conftest import Operator, free_port

CHECK_EVERY = 0.2
TEXT = '{"to": "{to}", "text": "{text}"}'


class Sink:
    """A carrier over HTTP that takes every SMS and counts them by their reference."""

    def __init__(self) -> None:
        self.got: Counter[str] = Counter()
        sink, lock = self.got, threading.Lock()

        class Take(http.server.BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                self.rfile.read(int(self.headers["Content-Length"]))
                with lock:
                    sink[self.headers["Idempotency-Key"]] += 1
                answer = json.dumps({"id": self.headers["Idempotency-Key"]}).encode()
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *_) -> None:
                """Says nothing."""

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Take)
        self.port = self._server.server_port
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def serve(self, session, app_id: str) -> None:
        """Makes this the one carrier of an app that goes live."""
        settings = {each.name: each.default for each in http_carrier.FIELDS if each.default}
        settings |= {"url": f"http://127.0.0.1:{self.port}/sms", "body": TEXT}
        factories.provider(session, app_id=app_id, kind="http", settings=settings)
        app = session.get(App, app_id)
        app.mode, app.provider = AppMode.LIVE, "carriers"
        session.flush()


@dataclass
class Balancer:
    """Sends each connection to a server that lately said it was ready. It tries nothing twice."""

    backends: list[int]
    ready: set[int] = field(default_factory=set)

    def __post_init__(self) -> None:
        self._turn = itertools.count()
        self._listening = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.port = self._listening.getsockname()[1]
        self._stopping = threading.Event()
        for work in (self._accept, self._check):
            threading.Thread(target=work, daemon=True).start()

    def close(self) -> None:
        self._stopping.set()
        self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()

    def _check(self) -> None:
        while not self._stopping.wait(CHECK_EVERY):
            for port in self.backends:
                (self.ready.add if is_ready(port) else self.ready.discard)(port)

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listening.accept()
                threading.Thread(target=self._join, args=(client,), daemon=True).start()

    def _join(self, client: socket.socket) -> None:
        chosen = sorted(self.ready)
        with client, contextlib.suppress(OSError):
            if not chosen:
                client.sendall(b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n")
                return
            port = chosen[next(self._turn) % len(chosen)]
            with socket.create_connection(("127.0.0.1", port), timeout=30) as server:
                back = threading.Thread(target=_pump, args=(server, client), daemon=True)
                back.start()
                _pump(client, server)
                back.join(30)


def _pump(source: socket.socket, target: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(65536):
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)


def is_ready(port: int) -> bool:
    """What a balancer asks."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=1) as answer:
            return answer.status == 200
    except (OSError, urllib.error.HTTPError, http.client.HTTPException):
        return False


@dataclass
class Crowd:
    """People who give their number, so many a second, each over a connection of its own."""

    port: int
    app_id: str
    pace: float
    answers: Counter = field(default_factory=Counter)
    slowest: float = 0

    def __post_init__(self) -> None:
        self._stopping, self._lock = threading.Event(), threading.Lock()
        self._people: list[threading.Thread] = []
        self._clock = threading.Thread(target=self._walk, daemon=True)
        self._clock.start()

    def stop(self) -> int:
        """Lets nobody else come, waits for those who are there; how many there were."""
        self._stopping.set()
        for each in [self._clock, *self._people]:
            each.join(60)
        return len(self._people)

    def _walk(self) -> None:
        began = time.monotonic()
        for at in itertools.count():
            if self._stopping.wait(max(0, began + at / self.pace - time.monotonic())):
                return
            self._people.append(threading.Thread(target=self._give_number, args=(at,), daemon=True))
            self._people[-1].start()

    def _give_number(self, at: int) -> None:
        began = time.monotonic()
        try:
            answer = self._ask(at)
        except (OSError, http.client.HTTPException) as error:
            answer = type(error).__name__
        with self._lock:
            self.answers[answer] += 1
            self.slowest = max(self.slowest, time.monotonic() - began)

    def _ask(self, at: int) -> int:
        # A change of number puts an SMS down without hashing a password, which a busy machine puts off.
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        headers = {"Authorization": f"Bearer {_token(at)}", "Connection": "close"}
        headers["Content-Type"] = "application/vnd.kii.PhoneNumberModificationRequest+json"
        fields = json.dumps({"phoneNumber": f"+8190{30_000_000 + at}"})
        with contextlib.closing(connection):
            connection.request("PUT", f"/api/apps/{self.app_id}/users/me/phone-number", fields, headers)
            return connection.getresponse().status


def put_down_people(session, app_id: str, count: int) -> None:
    """So many users who are logged in."""
    now = clock.now()
    ids = [random_id() for _ in range(count)]
    session.execute(
        insert(User),
        [
            {"id": each, "app_id": app_id, "login_name": f"user{at}", "custom_fields": {}, "disabled": False}
            | {"phone_number_verified": False, "created_at": now, "modified_at": now}
            for at, each in enumerate(ids)
        ],
    )
    session.execute(
        insert(BearerToken),
        [
            {"token_hash": hashed(_token(at)), "app_id": app_id, "user_id": each, "kind": "user"}
            | {"created_at": now, "expires_at": now + clock.DAY}
            for at, each in enumerate(ids)
        ],
    )


def _token(at: int) -> str:
    return f"token-of-user-{at}"


@dataclass
class Fleet:
    """Two `portal serve` on one database, each with a worker, and whoever ends and starts them."""

    operator: Operator
    options: tuple[str, ...]
    ports: list[int] = field(default_factory=list)
    processes: dict[int, subprocess.Popen] = field(default_factory=dict)
    slowest_end: float = 0

    def start(self, port: int = 0) -> int:
        """Starts a server and waits until it is ready; its port."""
        port = port or free_port()
        environment = self.operator.environment | {"PORTAL_PORT": str(port)}
        self.processes[port] = Operator(environment).starts("serve", *self.options)
        wait_for(lambda: is_ready(port))
        return port

    def restart(self, port: int) -> None:
        """Ends a server as an orchestrator does, and starts the next one in its place."""
        began = time.monotonic()
        process = self.processes[port]
        process.send_signal(signal.SIGTERM)
        _said, wrong = process.communicate(timeout=60)
        assert process.returncode == 0, wrong
        self.slowest_end = max(self.slowest_end, time.monotonic() - began)
        self.start(port)


def roll(operator: Operator, session, app_id: str, *, restarts: int, options: tuple[str, ...] = ()) -> str:
    """So many restarts under a crowd of twenty a second; says how it went, if nothing was lost."""
    sink = Sink()
    sink.serve(session, app_id)
    put_down_people(session, app_id, 1_000 + 400 * restarts)
    operator.environment |= {
        "PORTAL_DRAIN_SECONDS": "1",
        "PORTAL_LIMITS": "bench",
        "PORTAL_LOG_LEVEL": "error",
        "PORTAL_PRIVATE_CARRIERS": f"127.0.0.1:{sink.port}",
    }
    fleet = Fleet(operator, options)
    ports = [fleet.start(), fleet.start()]
    balancer = Balancer(ports)
    wait_for(lambda: len(balancer.ready) == 2)
    crowd = Crowd(balancer.port, app_id, pace=20)
    try:
        for at in range(restarts):
            fleet.restart(ports[at % 2])
            wait_for(lambda: len(balancer.ready) == 2)
        came = crowd.stop()
        wait_for(lambda: not under_way(session), seconds=60)
    finally:
        crowd.stop()
        balancer.close()
        end(fleet)
        sink.close()
    assert crowd.answers == {204: came}, crowd.answers
    messages = session.query(Message).all()
    states = Counter((each.state, each.reason, each.lease) for each in messages)
    assert states == {("sent", None, None): came}, states
    assert Counter(sink.got.values()) == {1: came}, Counter(sink.got.values())
    assert set(sink.got) == {each.id for each in messages}
    return f"{came} numbers, slowest {crowd.slowest:.2f} s, slowest end {fleet.slowest_end:.1f} s"


def under_way(session) -> int:
    """How many messages are not sent yet."""
    return session.query(Message).where(Message.state.in_(["queued", "sending"])).count()


def end(fleet: Fleet) -> None:
    """Ends the servers, whatever state they are in."""
    for process in fleet.processes.values():
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
    for process in fleet.processes.values():
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.communicate(timeout=40)
        if process.poll() is None:
            process.kill()
            process.communicate()


def wait_for(condition: Callable[[], object], seconds: float = 60) -> None:
    """Waits till it holds."""
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until, "waited in vain"
        time.sleep(0.05)
