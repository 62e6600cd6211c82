"""A call outside goes to a checked address, once, and ends in time and size whatever the server does."""

import socket
import threading
import time

import pytest

from portal.core.outgoing_urls import AddressRefused
from portal.delivery import resolving
from portal.delivery.outgoing import LARGEST_ANSWER, NotReached, Outgoing
from tests.delivery.log_lines import every_line
from tests.delivery.odd_servers import OK, Authority, answers, drips, hangs, resets, serving

PUBLIC, PRIVATE = "93.184.216.34", "127.0.0.1"
NAME = "sms.example.com"


ASK_THE_SYSTEM, is_own = socket.getaddrinfo, resolving._is_own


class Names:
    """A resolver that answers from a script, and counts how often it was asked for a name."""

    def __init__(self, *script: list[str]) -> None:
        self.script, self.asked = list(script), 0

    def __call__(self, host, port, *rest, **options):
        if host.strip("0123456789.:") == "":
            return ASK_THE_SYSTEM(host, port, *rest, **options)
        self.asked += 1
        found = self.script.pop(0) if len(self.script) > 1 else self.script[0]
        if not found:
            raise socket.gaierror(-2, "Name or service not known")
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (each, port)) for each in found]


@pytest.fixture
def names(monkeypatch):
    """`names([...], [...])` lets every name have these addresses, one list a look-up, the last for ever."""

    def use(*script: list[str]) -> Names:
        resolver = Names(*script)
        monkeypatch.setattr(resolving.socket, "getaddrinfo", resolver)
        # The test run stops every look beyond this machine, even one that sends nothing.
        monkeypatch.setattr(resolving, "_is_own", lambda address: address != PUBLIC and is_own(address))
        return resolver

    return use


def here(server, **options) -> tuple[Outgoing, str]:
    """A client that may call this server, and the server's address."""
    host = f"127.0.0.1:{server.port}"
    return Outgoing(private_hosts=frozenset({host}), **options), f"http://{host}/send?a=b%20c"


def not_reached(outgoing, url, **options) -> NotReached:
    with pytest.raises(NotReached) as failed:
        outgoing.call("POST", url, content=b"a=b", **options)
    return failed.value


# --- Where it goes -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "address", ["127.0.0.1", "10.0.0.1", "169.254.169.254", "::1", "100.64.0.1", "0.0.0.0"]
)
def test_web_11_a_name_of_a_private_address_is_refused_and_nothing_is_connected(names, address):
    resolver = names([address])
    with serving(answers()) as server, pytest.raises(AddressRefused):
        Outgoing().call("GET", f"https://{NAME}:{server.port}/")
    assert (resolver.asked, server.connections) == (1, 0)


def test_web_11_a_name_that_is_half_public_and_half_private_is_refused(names):
    names([PUBLIC, PRIVATE])
    with pytest.raises(AddressRefused):
        Outgoing().call("GET", f"https://{NAME}/")


def test_web_11_a_name_that_turns_private_after_the_check_is_still_called_at_the_checked_address(names):
    resolver = names([PUBLIC], [PRIVATE])
    with serving(answers()) as server:
        # The test run itself stops whoever leaves this machine, and says where to.
        with pytest.raises(RuntimeError, match=PUBLIC):
            Outgoing().call("GET", f"https://{NAME}:{server.port}/")
        assert (resolver.asked, server.connections) == (1, 0)
        with pytest.raises(AddressRefused):
            Outgoing().call("GET", f"https://{NAME}:{server.port}/")


def test_web_11_a_public_address_of_this_very_machine_is_refused(names, monkeypatch):
    monkeypatch.setattr(resolving.outgoing_urls, "is_public", lambda _address: True)
    names([PRIVATE])
    with pytest.raises(AddressRefused, match="own"):
        Outgoing().call("GET", f"https://{NAME}/")


def test_web_11_ringbacks_own_address_is_refused(names):
    resolver = names([PUBLIC])
    with pytest.raises(AddressRefused, match="own"):
        Outgoing(own_url="https://ringback.example/receipts/x").call("GET", "https://ringback.example/api")
    assert resolver.asked == 0


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_web_11_a_redirect_is_an_answer_and_is_never_followed(status):
    with serving(answers()) as inner:
        raw = f"HTTP/1.1 {status} X\r\nLocation: http://127.0.0.1:{inner.port}/\r\nContent-Length: 0\r\n\r\n"
        with serving(answers(raw.encode())) as server:
            outgoing, url = here(server)
            assert outgoing.call("GET", url).status == status
        assert inner.connections == 0


def test_no_proxy_of_the_environment_is_used_and_no_cookie_is_kept(monkeypatch):
    with serving(answers()) as proxy:
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "HTTPS_PROXY"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.port}")
        with serving(answers(OK.replace(b"\r\n\r\n", b"\r\nSet-Cookie: a=b\r\n\r\n"))) as server:
            outgoing, url = here(server)
            assert [outgoing.call("GET", url).text for _ in range(2)] == ["ok", "ok"]
            assert all(b"cookie" not in request.lower() for request in server.requests)
        assert proxy.connections == 0


def test_what_is_asked_arrives_as_it_was_said():
    with serving(answers()) as server:
        outgoing, url = here(server)
        answer = outgoing.call("POST", url, headers={"x-a": "b"}, content=b"\x00\xff")
        head, _, body = server.requests[0].partition(b"\r\n\r\n")
    assert (answer.status, answer.text) == (200, "ok")
    assert head.startswith(b"POST /send?a=b%20c HTTP/1.1")
    assert f"host: 127.0.0.1:{server.port}".encode() in head.lower()
    assert b"x-a: b" in head.lower()
    assert body == b"\x00\xff"


# --- TLS ---------------------------------------------------------------------------------------------------


def test_web_11_the_certificate_and_the_host_are_those_of_the_name_although_an_address_is_called(
    names, tmp_path
):
    authority, seen = Authority(tmp_path), []
    names([PRIVATE])
    with serving(answers(), authority.server(NAME, seen)) as server:
        host = f"{NAME}:{server.port}"
        outgoing = Outgoing(private_hosts=frozenset({host}), trust=authority.trust())
        assert outgoing.call("GET", f"https://{host}/").text == "ok"
        assert seen == [NAME]
        assert f"host: {host}".encode() in server.requests[0].lower()


@pytest.mark.parametrize("name", ["other.example.com", "127.0.0.1"])
def test_a_certificate_of_another_name_is_refused_before_anything_is_said(names, tmp_path, name):
    authority = Authority(tmp_path)
    names([PRIVATE])
    with serving(answers(), authority.server(name)) as server:
        host = f"{NAME}:{server.port}"
        failure = not_reached(Outgoing(frozenset({host}), trust=authority.trust()), f"https://{host}/")
        assert server.requests in ([], [b""])
    assert not failure.may_have_left


def test_a_certificate_of_nobody_known_is_refused(names, tmp_path):
    names([PRIVATE])
    with serving(answers(), Authority(tmp_path).server(NAME)) as server:
        host = f"{NAME}:{server.port}"
        assert not not_reached(Outgoing(frozenset({host})), f"https://{host}/").may_have_left


# --- Time and size -----------------------------------------------------------------------------------------


def test_del_07_where_nobody_listens_nothing_has_left():
    with serving(answers()) as server:
        outgoing, url = here(server)
    assert not not_reached(outgoing, url).may_have_left


def test_del_07_a_name_without_an_address_is_not_reached_and_nothing_has_left(names):
    names([])
    assert not not_reached(Outgoing(), f"https://{NAME}/").may_have_left


def test_del_06_a_resolver_that_hangs_takes_no_longer_than_a_connection(monkeypatch):
    over = threading.Event()
    monkeypatch.setattr(resolving.socket, "getaddrinfo", lambda *_a, **_o: over.wait(20) and [])
    began = time.monotonic()
    failure = not_reached(Outgoing(connect=0.3), f"https://{NAME}/")
    over.set()
    assert time.monotonic() - began < 2
    assert not failure.may_have_left


def test_a_dead_address_of_a_name_is_passed_over_for_the_next(names):
    with serving(answers()) as server:
        # Nobody listens there, and this machine says so at once.
        names(["::1", PRIVATE])
        outgoing = Outgoing(frozenset({NAME}))
        assert outgoing.call("GET", f"http://{NAME}:{server.port}/").text == "ok"


@pytest.mark.parametrize("play", [hangs, resets, drips(b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 99, 0.05)])
def test_del_07_a_server_that_has_the_request_and_gives_no_whole_answer_may_have_sent(play):
    with serving(play) as server:
        outgoing, url = here(server, total=0.6)
        assert not_reached(outgoing, url).may_have_left


@pytest.mark.parametrize(
    "raw", [OK, b"HTTP/1.1 200 OK\r\nX-Long: " + b"x" * 99, b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 99]
)
def test_del_06_one_byte_at_a_time_does_not_stretch_the_time(raw):
    with serving(drips(raw, 0.1)) as server:
        outgoing, url = here(server, total=0.8)
        began = time.monotonic()
        failure = not_reached(outgoing, url)
        assert 0.5 < time.monotonic() - began < 2
    assert failure.because == "time-out"


@pytest.mark.parametrize("head", [b"", b"Content-Length: 10485760\r\n", b"Transfer-Encoding: chunked\r\n"])
def test_del_06_of_ten_megabytes_only_the_beginning_is_read(head):
    sent = []

    def play(connection, _request):
        connection.sendall(b"HTTP/1.1 200 OK\r\n" + head + b"\r\n")
        for _ in range(160):
            piece = b"x" * 65_536
            connection.sendall(b"10000\r\n%b\r\n" % piece if b"chunked" in head else piece)
            sent.append(len(piece))

    with serving(play) as server:
        outgoing, url = here(server)
        answer = outgoing.call("GET", url)
    assert len(answer.body) == LARGEST_ANSWER
    assert sum(sent) < 10 * 1024 * 1024


@pytest.mark.parametrize(
    "raw", [b"", b"SSH-2.0-x\r\n", b"HTTP/1.1 abc\r\n\r\n", b"\x00" * 50, b"HTTP/1.1 200 OK\r\nbad\r\n\r\n"]
)
def test_what_is_no_http_is_no_answer(raw):
    with serving(answers(raw)) as server:
        outgoing, url = here(server)
        assert not_reached(outgoing, url).may_have_left


def test_pii_02_no_failure_and_no_log_line_names_what_was_sent(capfd):
    secret = {"authorization": "Basic hush"}
    with every_line() as lines:
        with serving(answers(b"")) as server:
            outgoing, url = here(server)
            failure = not_reached(outgoing, f"{url}&to=+819012345678", headers=secret)
        with serving(answers()) as fine:
            outgoing, url = here(fine)
            outgoing.call("GET", f"{url}&to=%2B819012345678", headers=secret)
    written = f"{failure!r} {failure} {capfd.readouterr()} {lines.getvalue()} {outgoing!r}"
    assert "5678" not in written
    assert "hush" not in written
    assert "send?a" not in written
