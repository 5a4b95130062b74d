"""What never leaves this machine: only there may a password travel unprotected."""

from ipaddress import ip_address


def is_loopback(host: str) -> bool:
    """True for localhost and for the addresses of the loopback."""
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host.rstrip(".").lower() in ("localhost", "ip6-localhost")
