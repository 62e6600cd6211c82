"""How does a mail leave? By the operator's SMTP server, or in development onto the terminal."""

import smtplib
import ssl
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from email.headerregistry import Address
from email.message import EmailMessage
from typing import Final, TextIO

import structlog

# How long (s) one step with the server may take, and how long to wait before it is tried again.
_PATIENCE: Final = 10.0
_PAUSES: Final = (2.0, 15.0)
# Mails that wait at most; whoever asks for more than a server takes gets none.
_MOST_WAITING: Final = 200
_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Mail:
    """One plain text to one address."""

    to: str
    subject: str
    text: str


@dataclass(frozen=True, slots=True)
class Server:
    """Where mails are handed over. `security` is starttls, tls or none."""

    host: str
    port: int = 587
    user: str = ""
    password: str = field(default="", repr=False)
    sender: str = ""
    security: str = "starttls"


class Mailer:
    """Takes mails and sends them beside the requests, so that no answer's time tells who got one (ENU-05)."""

    def __init__(self, server: Server | None, out: TextIO | None = None, pauses: tuple[float, ...] = _PAUSES):
        """Without a server mails are shown on `out`, the terminal and no log; with neither, none leaves."""
        self._server, self._out, self._pauses = server, out, pauses
        self._pool = ThreadPoolExecutor(1, "mail")
        self._places = threading.BoundedSemaphore(_MOST_WAITING)

    @property
    def works(self) -> bool:
        """Whether mails leave at all."""
        return self._server is not None or self._out is not None

    def send(self, mail: Mail) -> None:
        """Hands a mail over, or shows it; returns at once. The log tells of a failure, without the mail."""
        if self._server is None:
            self._show(mail)
        elif self._places.acquire(blocking=False):
            self._pool.submit(self._deliver, self._server, mail)
        else:
            _log.error("mail_not_taken", why="too many wait")

    def close(self) -> None:
        """Waits until what was handed over is sent."""
        self._pool.shutdown()

    def _show(self, mail: Mail) -> None:
        if self._out is not None:
            lines = "\n".join(f"  | {line}" for line in mail.text.splitlines())
            self._out.write(f"\n  Mail to {mail.to}: {mail.subject}\n{lines}\n\n")
            self._out.flush()

    def _deliver(self, server: Server, mail: Mail) -> None:
        try:
            for pause in (*self._pauses, None):
                trouble = _try(server, mail)
                if trouble is None:
                    return
                if pause is None:
                    _log.error("mail_failed", error=trouble)
                else:
                    time.sleep(pause)
        finally:
            self._places.release()


def terminal() -> TextIO:
    """Where development shows its mails."""
    return sys.stdout


def _try(server: Server, mail: Mail) -> str | None:
    """Hands one mail over; the kind of trouble where it fails. An error's own words may hold the address."""
    try:
        with _connected(server) as connection:
            connection.send_message(_message(server, mail))
    except (OSError, smtplib.SMTPException, ValueError) as error:
        return type(error).__name__
    return None


def _connected(server: Server) -> smtplib.SMTP:
    trust = ssl.create_default_context()
    if server.security == "tls":
        connection: smtplib.SMTP = smtplib.SMTP_SSL(
            server.host, server.port, timeout=_PATIENCE, context=trust
        )
    else:
        connection = smtplib.SMTP(server.host, server.port, timeout=_PATIENCE)
    try:
        if server.security == "starttls":
            connection.starttls(context=trust)
        if server.user:
            connection.login(server.user, server.password)
    except BaseException:
        with suppress(OSError, smtplib.SMTPException):
            connection.close()
        raise
    return connection


def _message(server: Server, mail: Mail) -> EmailMessage:
    message = EmailMessage()
    message["From"] = str(Address("Ringback", addr_spec=server.sender))
    message["To"] = mail.to
    message["Subject"] = mail.subject
    # Nobody's holiday notice need answer it.
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(mail.text)
    return message
