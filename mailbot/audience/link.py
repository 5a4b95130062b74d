"""The link of a mail about the press list: the delivery that it stands in, and our seal for one purpose (MAIL.md LS-05)."""

from collections.abc import Mapping

from mailbot.audience.journalist import Purpose
from mailbot.message import token

# The first part of the link's path. To come back takes a reply, and has no page.
PATHS: Mapping[Purpose, str] = {Purpose.JOIN: "c", Purpose.LEAVE: "u"}
LONGEST = 120
ANNOUNCED = "list-announced"    # never ends: whoever has a mail of ours may leave by it years later (LS-05)


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


def list_token(secret: bytes, delivery: str) -> str:
    """What stands in the links of an announcement's mail, and in the subject of a STOP that it offers: this mail, and our seal."""
    return f"{delivery}.{token.seal(secret, ANNOUNCED, delivery)}"


def list_delivery_of(secret: bytes, given: str) -> str:
    """The announcement's mail that such a token names; empty where we did not make it."""
    delivery, _, seal = given[: LONGEST + 1].partition(".")
    return delivery if len(given) <= LONGEST and token.is_sealed(secret, ANNOUNCED, delivery, seal) else ""


def _bound_to(purpose: Purpose) -> str:
    return f"list-{purpose}"
