"""Mails leave by a real SMTP server, or show on the terminal; no failure tells what stood in them."""

import io
import json
import socketserver
import threading
from collections.abc import Iterator

import pytest
import structlog

from portal.mailer import Mail, Mailer, Server

MAIL = Mail(
    "alice@example.com", "You are invited to Café", "Grüße\n\nhttps://ringback.example/invites/secret-key\n"
)


class PostOffice(socketserver.ThreadingTCPServer):
    """A small SMTP server on loopback that keeps what it takes; it refuses the first `busy` mails."""

    allow_reuse_address = daemon_threads = True

    def __init__(self, busy: int = 0) -> None:
        super().__init__(("127.0.0.1", 0), Counter)
        self.busy, self.taken = busy, []

    @property
    def address(self) -> Server:
        host, port = self.server_address[:2]
        return Server(str(host), int(port), sender="ringback@example.com", security="none")


class Counter(socketserver.StreamRequestHandler):
    """One conversation."""

    def handle(self) -> None:
        self.say("220 here")
        while line := self.rfile.readline().decode().strip():
            word = line.upper().split(" ")[0]
            if word == "DATA":
                self.say("354 go on")
                self.server.taken.append(self.letter())
                self.say("250 taken")
            elif word == "MAIL" and self.server.busy:
                self.server.busy -= 1
                self.say("451 later")
            else:
                self.say("221 bye" if word == "QUIT" else "250 SMTPUTF8")

    def letter(self) -> str:
        lines = iter(lambda: self.rfile.readline().decode().rstrip("\r\n"), ".")
        return "\n".join(lines)

    def say(self, text: str) -> None:
        self.wfile.write(f"{text}\r\n".encode())


@pytest.fixture
def open_office() -> Iterator:
    """`open_office(busy=1)` is a server that runs until the test ends."""
    running = []

    def start(busy: int = 0) -> PostOffice:
        office = PostOffice(busy)
        thread = threading.Thread(target=office.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        running.append((office, thread))
        return office

    yield start
    for office, thread in running:
        office.shutdown()
        office.server_close()
        thread.join()


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    """What is logged while a test runs."""
    written, before = io.StringIO(), structlog.get_config()
    structlog.configure(
        processors=[structlog.processors.JSONRenderer()],
        logger_factory=structlog.PrintLoggerFactory(written),
        cache_logger_on_first_use=False,
    )
    yield written
    structlog.configure(**before)


def test_a_mail_is_handed_over_as_plain_text(open_office):
    office = open_office()
    mailer = Mailer(office.address)
    mailer.send(MAIL)
    mailer.close()
    [letter] = office.taken

    assert "From: Ringback <ringback@example.com>" in letter
    assert "To: alice@example.com" in letter
    assert "Auto-Submitted: auto-generated" in letter
    assert "https://ringback.example/invites/secret-key" in letter


def test_a_server_that_is_busy_is_tried_again(open_office):
    office = open_office(busy=2)
    mailer = Mailer(office.address, pauses=(0.0, 0.0))
    mailer.send(MAIL)
    mailer.close()

    assert len(office.taken) == 1


@pytest.mark.parametrize("busy", [3, None])
def test_a_failure_tells_its_kind_and_nothing_of_the_mail(open_office, log, busy):
    server = (
        open_office(busy).address if busy else Server("127.0.0.1", 9, sender="a@example.com", security="none")
    )
    mailer = Mailer(server, pauses=(0.0, 0.0))
    mailer.send(MAIL)
    mailer.close()

    told = json.loads(log.getvalue())
    assert set(told) == {"event", "error"}
    assert told["event"] == "mail_failed"
    assert "alice" not in log.getvalue()


def test_an_address_with_a_line_end_adds_no_header(open_office, log):
    office = open_office()
    mailer = Mailer(office.address, pauses=())
    mailer.send(Mail("alice@example.com\nBcc: eve@example.com", "x", "y"))
    mailer.close()

    assert office.taken == []
    assert "eve@" not in log.getvalue()


def test_without_a_server_a_mail_shows_on_the_terminal():
    terminal = io.StringIO()
    Mailer(None, terminal).send(MAIL)

    assert "Mail to alice@example.com: You are invited to Café" in terminal.getvalue()
    assert "  | https://ringback.example/invites/secret-key" in terminal.getvalue()


def test_ops_06_with_neither_nothing_leaves():
    mailer = Mailer(None)
    mailer.send(MAIL)

    assert not mailer.works


def test_a_password_of_the_server_is_not_shown():
    assert "hunter2" not in repr(Server("mail.example", password="hunter2"))
