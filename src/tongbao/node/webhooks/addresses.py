"""Which addresses may be posted to: those of the public internet, unless a host was named.

Who may name an endpoint could else reach what only our own network can: a database, a cloud's
metadata. The address that was judged is the one that is connected to, so that a name which resolves
otherwise a moment later (DNS rebinding) gains nothing.
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Sequence
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Final

from tongbao.node.webhooks.endpoints import Target

Resolve = Callable[[str, int], Sequence[str]]
"""The addresses of a host; raises OSError where there are none."""

TRANSLATED: Final = tuple(
    map(ip_network, ("64:ff9b::/96", "64:ff9b:1::/48", "2002::/16", "2001::/32"))
)
"""IPv6 that gateways turn into an IPv4 address within it (RFC 6052, RFC 3056, RFC 4380)."""
GLOBAL: Final = ip_network("2000::/3")
"""What of IPv6 is given to the internet. Beyond it lie old ways inside: site-local addresses
(RFC 3879), and those that have an IPv4 address in them (RFC 4291 section 2.5.5, RFC 2765)."""


class NotAllowed(Exception):
    """A host that resolves to an address within our own network."""


def resolved(host: str, port: int) -> list[str]:
    """The addresses that the system's resolver gives. Raises OSError."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(address[0]) for *_, address in found]


def is_public(text: str) -> bool:
    """Whether an address is one of the public internet: no loopback, private or link-local one."""
    try:
        address: IPv4Address | IPv6Address = ip_address(text)
    except ValueError:
        return False
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    if isinstance(address, IPv6Address) and address not in GLOBAL:
        return False
    is_translated = any(address in network for network in TRANSLATED)
    return address.is_global and not (address.is_multicast or is_translated)


def address_for(target: Target, resolve: Resolve) -> str:
    """The address to connect to now. Raises NotAllowed, OSError."""
    found = list(resolve(target.host, target.port))
    if not found:
        raise OSError(f"{target.host} has no address")
    if not target.is_private and not all(map(is_public, found)):
        raise NotAllowed(
            "the host has an address within a private network: name it in private_hosts if that "
            "is meant"
        )
    return found[0]
