"""Signed ids: how we know on the way in that a Message-ID, or an address, was made by us (MAIL.md BN-01, BN-02, LS-05).

HMAC-SHA256 cut to 128 bits, in lower-case hexadecimal because some systems change the case of what they quote. Every seal is bound to
one purpose, so that what unsubscribes cannot confirm.
"""

import base64
import hmac
import re

_SEAL_DIGITS = 32       # 128 bits
_OWN = re.compile(rf"<?mb\.([A-Za-z0-9_-]{{1,64}})\.([0-9a-f]{{{_SEAL_DIGITS}}})@[^<>\s]{{1,253}}>?")
_IN_A_SUBJECT = re.compile(r"\[#([A-Za-z2-7]{26})\]")     # 128 bits in base 32


def seal(secret: bytes, purpose: str, value: str) -> str:
    """What only the holder of the secret can compute for this value and this purpose."""
    return hmac.digest(secret, f"{purpose}\0{value}".encode(), "sha256").hex()[:_SEAL_DIGITS]


def is_sealed(secret: bytes, purpose: str, value: str, given: str) -> bool:
    """Is this our seal? In constant time; anything that is no seal at all is not."""
    return hmac.compare_digest(seal(secret, purpose, value).encode(), given.encode("utf-8", "replace"))


def message_id(secret: bytes, delivery_id: str, domain: str) -> str:
    """The Message-ID of a delivery, the same each time it is asked for."""
    return f"<mb.{delivery_id}.{seal(secret, 'message-id', delivery_id)}@{domain}>"


def own_delivery(secret: bytes, message_id: str) -> str | None:
    """The delivery whose Message-ID this is; None when we did not make it."""
    found = _OWN.fullmatch(message_id.strip()[:400])
    return found[1] if found and is_sealed(secret, "message-id", found[1], found[2]) else None


def return_path(base: str, message_id: str) -> str:
    """Where the bounces of this mail come back to: the sealed id of its Message-ID, behind a + in the address that the office has for them
    (VERP). The bare address where there is no room for it in the 64 letters before the @ (RFC 5321)."""
    local, _, domain = base.rpartition("@")
    made = f"{local}+{message_id.strip('<>').rpartition('@')[0]}"
    return f"{made}@{domain}" if len(made) <= 64 else base


def behind_plus(address: str) -> str:
    """What may be a sealed id in such an address, in the form of a Message-ID."""
    return address.lower().partition("+")[2]


def subject_token(secret: bytes, delivery_id: str) -> str:
    """What stands in the subject of a note to a colleague, because some programs lose In-Reply-To; short, and as unguessable as a seal."""
    return base64.b32encode(bytes.fromhex(seal(secret, "subject", delivery_id))).decode().rstrip("=").lower()


def in_brackets(subject: str) -> str:
    """The first such token that stands in a text; empty where none does. Whether it is ours, only the store can say."""
    found = _IN_A_SUBJECT.search(subject)
    return found[1].lower() if found else ""
