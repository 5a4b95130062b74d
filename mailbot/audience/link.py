"""The link of a mail about the press list: the delivery that it stands in, and our seal for one purpose (MAIL.md LS-05)."""

from collections.abc import Mapping

from mailbot.audience.journalist import Purpose
from mailbot.message import token

# The first part of the link's path. To come back takes a reply, and has no page.
PATHS: Mapping[Purpose, str] = {Purpose.JOIN: "c", Purpose.LEAVE: "u"}
LONGEST = 120


def seal_of(secret: bytes, purpose: Purpose, delivery: str) -> str:
    """What nobody but us can make: for this mail, and for this purpose alone."""
    return token.seal(secret, _bound_to(purpose), delivery)


def link_to(public_url: str, secret: bytes, purpose: Purpose, delivery: str) -> str:
    """The whole link; empty where there is no public web or the purpose has no page."""
    path = PATHS.get(purpose)
    return f"{public_url}/{path}/{delivery}.{seal_of(secret, purpose, delivery)}" if public_url and path else ""


def delivery_of(secret: bytes, purpose: Purpose, link: str) -> str:
    """The delivery that the last part of a link names; empty where we did not make it for this purpose."""
    delivery, _, given = link[: LONGEST + 1].partition(".")
    return delivery if len(link) <= LONGEST and token.is_sealed(secret, _bound_to(purpose), delivery, given) else ""


def _bound_to(purpose: Purpose) -> str:
    return f"list-{purpose}"
