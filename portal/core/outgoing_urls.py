"""Which addresses may Ringback call? HTTPS, in public networks, spelled as people spell them (WEB-11)."""

import ipaddress
import re
from dataclasses import dataclass, field
from urllib.parse import urlsplit

LONGEST = 2_000
_PORTS = {"https": 443, "http": 80}
_LABEL = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)")
# WHATWG calls this "ends in a number": a host that some resolvers take for an address, however odd.
_NUMBER = re.compile(r"[0-9]+|0[xX][0-9a-fA-F]*")
# Public to Python, yet not to be called: Azure's own services, parts for special use, and ways into IPv4.
_CLOSED = [
    ipaddress.ip_network(each)
    for each in (
        "168.63.129.16/32",
        "192.0.0.0/24",
        "192.88.99.0/24",
        "64:ff9b::/96",
        "64:ff9b:1::/48",
        "2001::/23",
        "2002::/16",
        "3fff::/20",
        "fec0::/10",
        "::/64",
    )
]


class AddressRefused(Exception):
    """An address that Ringback does not call; `fix` says why in one sentence, without the address.

    `may_be_allowed` where it would be called if the server's operator named its host.
    """

    def __init__(self, fix: str, *, may_be_allowed: bool = False) -> None:
        super().__init__(fix)
        self.fix = fix
        self.may_be_allowed = may_be_allowed


@dataclass(frozen=True, slots=True)
class Target:
    """An address that may be called once its name is looked up; `is_private` where the operator allows it."""

    scheme: str
    host: str = field(repr=False)
    port: int
    is_private: bool

    @property
    def netloc(self) -> str:
        """Host and port as a Host header says them."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _PORTS[self.scheme] else f"{host}:{self.port}"


def target(url: str, private_hosts: frozenset[str] = frozenset(), own_host: str = "") -> Target:
    """Where a URL goes. Raises AddressRefused.

    `private_hosts` (host or host:port, in lower case) are those that the server's operator allows, also over
    plain HTTP; `own_host` is Ringback's own, and called only at a port that the operator names.
    """
    if len(url) > LONGEST or not url.isascii() or re.search(r"[\x00-\x20\x7f\\]", url):
        raise AddressRefused("Write the address in plain letters, without spaces.")
    scheme, host, port = _parts(url)
    is_port_named = bool({f"{host}:{port}", f"[{host}]:{port}"} & private_hosts)
    is_private = is_port_named or bool({host, f"[{host}]"} & private_hosts)
    if scheme != "https" and not is_private:
        raise AddressRefused("The address must begin with https://.", may_be_allowed=True)
    if host == own_host and not is_port_named:
        raise AddressRefused("The address is Ringback's own.")
    if not is_private:
        _refuse_odd(host)
    return Target(scheme, host, port, is_private)


def is_public(address: str) -> bool:
    """Whether an IP address belongs to the public internet, and to one machine there."""
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return False
    if isinstance(ip, ipaddress.IPv6Address) and (ip.ipv4_mapped or ip.scope_id):
        return False
    is_closed = any(ip in network for network in _CLOSED if network.version == ip.version)
    return ip.is_global and not ip.is_multicast and not ip.is_reserved and not is_closed


def _parts(url: str) -> tuple[str, str, int]:
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        raise AddressRefused("This is not an address.") from None
    if parts.scheme not in _PORTS or not host or port == 0:
        raise AddressRefused("The address must begin with https:// and a host.")
    if "@" in parts.netloc:
        raise AddressRefused("No user name or password may stand in the address.")
    return parts.scheme, host, port or _PORTS[parts.scheme]


def _refuse_odd(host: str) -> None:
    if ":" in host or _NUMBER.fullmatch(host.rsplit(".", 1)[-1]):
        if not is_public(host):
            raise AddressRefused("The address is not on the public internet.", may_be_allowed=True)
        return
    labels = host.split(".")
    if len(labels) < 2 or not all(_LABEL.fullmatch(label) for label in labels):
        raise AddressRefused(
            "The host must be a name with its domain, such as sms.example.com.", may_be_allowed=True
        )
    if labels[-1] in ("localhost", "local", "internal", "arpa"):
        raise AddressRefused("The host is a name of a private network.", may_be_allowed=True)
