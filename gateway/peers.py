"""Peers: the addresses of callers and proxies, which are parsed and compared as addresses, never as texts."""

import ipaddress
import re
from collections.abc import Iterable
from functools import lru_cache

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

LOCAL = "local"
"""The source of a request without an address, that of a Unix socket."""

_SITE = 64  # bits of the prefix
_MAPPED = ipaddress.IPv6Network("::ffff:0:0/96")
_WITH_PORT = re.compile(r'^"?(?:\[([^\]]*)\](?::\d*)?|([^:"]*):\d*|([^"]*))"?$')


def parse_address(text: str) -> Address | None:
    """The address in a text, with or without a port, brackets, quotes and zone; None for any other text.

    Azure Application Gateway, IIS and AWS (client port preservation) append the port. A listener on ``::``
    reports a peer of IPv4 as ``::ffff:192.0.2.1`` (RFC 4291 §2.5.5.2), which is the address 192.0.2.1.
    """
    matched = _WITH_PORT.match(text.strip())
    plain = next(filter(None, matched.groups()), "") if matched is not None else ""
    try:
        address = ipaddress.ip_address(plain.partition("%")[0])
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address


def parse_network(text: str) -> Network:
    """A network in CIDR notation, one of mapped addresses as IPv4; raises ValueError."""
    network = ipaddress.ip_network(text)
    if isinstance(network, ipaddress.IPv6Network) and network.subnet_of(_MAPPED):
        mapped = network.network_address.ipv4_mapped
        return ipaddress.ip_network(f"{mapped}/{network.prefixlen - _MAPPED.prefixlen}")
    return network


class Proxies:
    """The proxies in the given networks, whose headers about a caller are trusted; no other peer's are."""

    def __init__(self, networks: Iterable[str]) -> None:
        self._networks = tuple(parse_network(network) for network in networks)
        # Few addresses call often: a parsed one costs more than the rest of the wire policy.
        self._read = lru_cache(maxsize=4096)(self._look_up)

    def __contains__(self, peer: str) -> bool:
        return self._read(peer)[1]

    def source(self, peer: str, forwarded_for: bytes | None) -> str:
        """The caller's address: the last hop of X-Forwarded-For that is no proxy, in canonical form.

        A hop without an address (``unknown``) hides what is before it: the source is then the hop after it.
        """
        source, trusted = self._read(peer)
        if not trusted or not forwarded_for:
            return source or peer
        for hop in reversed(forwarded_for.decode("latin-1").split(",")):
            if hop := hop.strip():
                address, trusted = self._read(hop)
                source = address or source
                if not trusted:
                    break
        return source

    def _look_up(self, text: str) -> tuple[str, bool]:
        """The address in a text in canonical form, empty without one, and whether it is a proxy's."""
        address = parse_address(text)
        if address is None:
            return "", False
        return str(address), any(address in network for network in self._networks)


@lru_cache(maxsize=4096)
def network_of(source: str) -> str:
    """What is limited as one source: an address of IPv4, the /64 of one of IPv6, else the text itself.

    A site has a /64 or more (RFC 6177 §2), and its hosts choose their addresses within it (RFC 8981).
    """
    address = parse_address(source) if ":" in source else None
    if isinstance(address, ipaddress.IPv6Address):
        return str(ipaddress.IPv6Network((address, _SITE), strict=False))
    return source


def peer_of(client: tuple[str, int] | None) -> str:
    """The address of a connection's other end, as the server reports it."""
    return client[0] if client else LOCAL
