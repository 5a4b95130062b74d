"""The links of our mails about the press list: the delivery that each stands in, and our seal for one purpose (MAIL.md LS-05).

What an announcement carries needs no row of its own: the delivery says whose it is, and the seal that we wrote it there. It does not
expire, and it is worth nothing for another delivery or another purpose.
"""

import re
from collections.abc import Mapping

from mailbot.audience.journalist import Purpose
from mailbot.message import token

# The first part of the link's path. To come back takes a reply, and has no page.
PATHS: Mapping[Purpose, str] = {Purpose.JOIN: "c", Purpose.LEAVE: "u"}
LONGEST = 120
_LEAVES, _CHOOSES, _STOPS = "announcement-leave", "announcement-choose", "announcement-stop"  # what an announcement's seals are for
_IN_A_SUBJECT = re.compile(r"\[#([0-9a-f]{1,64}\.[0-9a-f]{32})\]", re.ASCII | re.IGNORECASE)


def seal_of(secret: bytes, purpose: Purpose, delivery: str) -> str:
    """What nobody but us can make: for this mail, and for this purpose alone."""
    return token.seal(secret, _bound_to(purpose), delivery)


def link_to(public_url: str, secret: bytes, purpose: Purpose, delivery: str) -> str:
    """The whole link; empty where there is no public web or the purpose has no page."""
    path = PATHS.get(purpose)
    return f"{public_url}/{path}/{delivery}.{seal_of(secret, purpose, delivery)}" if public_url and path else ""


def delivery_of(secret: bytes, purpose: Purpose, link: str) -> str:
    """The delivery that the last part of a link names; empty where we did not make it for this purpose."""
    return _opened(secret, _bound_to(purpose), link)


def list_link(secret: bytes, delivery: str) -> str:
    """The last part of an announcement's /u/ link: whoever has it takes the journalist of this delivery off the list, and nobody else."""
    return _sealed(secret, _LEAVES, delivery)


def list_delivery_of(secret: bytes, link: str) -> str:
    """The delivery of such a link; empty where we did not make it."""
    return _opened(secret, _LEAVES, link)


def preferences_link(secret: bytes, delivery: str) -> str:
    """The last part of an announcement's /p/ link."""
    return _sealed(secret, _CHOOSES, delivery)


def preferences_delivery_of(secret: bytes, link: str) -> str:
    """The delivery of such a link; empty where we did not make it."""
    return _opened(secret, _CHOOSES, link)


def stop_token(secret: bytes, delivery: str) -> str:
    """What stands behind STOP in the subject of the mail by which a mail program leaves the list (LS-07)."""
    return f"[#{_sealed(secret, _STOPS, delivery)}]"


def stopped_by(secret: bytes, subject: str) -> tuple[str, str]:
    """The delivery that such a subject names, and what else stands in it; two empty texts where it holds no token of ours, or several."""
    found = _IN_A_SUBJECT.findall(subject)
    delivery = _opened(secret, _STOPS, found[0].lower()) if len(found) == 1 else ""
    return (delivery, _IN_A_SUBJECT.sub(" ", subject).strip()) if delivery else ("", "")


def _sealed(secret: bytes, purpose: str, delivery: str) -> str:
    return f"{delivery}.{token.seal(secret, purpose, delivery)}"


def _opened(secret: bytes, purpose: str, link: str) -> str:
    delivery, _, given = link[: LONGEST + 1].partition(".")
    return delivery if len(link) <= LONGEST and token.is_sealed(secret, purpose, delivery, given) else ""


def _bound_to(purpose: Purpose) -> str:
    return f"list-{purpose}"
