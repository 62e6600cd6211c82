"""From where does a request come? One source, one spelling, and no word of strangers (ABU-02)."""

import ipaddress

UNKNOWN = "unknown"
# Whoever has an IPv6 address has at least so much of the network around it.
_ONE_HOME = 64


def source_of(peer: str, forwarded: str, proxies: int) -> str:
    """The source that limits count by: an IPv4 address, or the /64 that an IPv6 address is in.

    `peer` is who connected; `forwarded` is X-Forwarded-For, to which each proxy has added whom it heard.
    Only the entries of the operator's own `proxies` are believed, from the right; a request that came past
    them counts as its peer's.
    """
    hops = [hop.strip() for hop in forwarded.split(",")] if forwarded else []
    is_through = 0 < proxies <= len(hops)
    return _folded(hops[-proxies] if is_through else peer) or _folded(peer) or UNKNOWN


def _folded(hop: str) -> str:
    address = _read(hop)
    if address is None:
        return ""
    if isinstance(address, ipaddress.IPv4Address):
        return str(address)
    if address.ipv4_mapped is not None:
        return str(address.ipv4_mapped)
    return str(ipaddress.IPv6Network((int(address), _ONE_HOME), strict=False))


def _read(hop: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """The address of one hop; some proxies add the port, and brackets around IPv6."""
    text = hop[1:].partition("]")[0] if hop.startswith("[") else hop
    if text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        return ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return None
