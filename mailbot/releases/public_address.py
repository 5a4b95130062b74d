"""Which addresses are out in the world: only there may a page be fetched, for a page may lead to what only this machine can reach.

An IPv6 address can carry an IPv4 one inside it, and `ipaddress` calls some of these global. No newsroom is reached by such a tunnel, so
they are refused; but for NAT64, by which a network without IPv4 reaches all others: there the address inside is asked.
"""

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

_NAT64 = IPv6Network("64:ff9b::/96")
_PROTOCOLS = IPv4Network("192.0.0.0/24")


def is_public(written: str) -> bool:
    """True for a unicast address of the open internet."""
    try:
        address: IPv4Address | IPv6Address = ip_address(written)
    except ValueError:
        return False
    if address in _NAT64:
        address = IPv4Address(int(address) & 0xFFFFFFFF)
    if isinstance(address, IPv4Address):
        closed = address in _PROTOCOLS
    else:
        closed = address.is_site_local or any((address.ipv4_mapped, address.sixtofour, address.teredo))
    return address.is_global and not (closed or address.is_multicast or address.is_reserved or address.is_link_local)
