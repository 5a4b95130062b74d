"""Signs what we send (DKIM, RFC 6376 and RFC 8463), where the office has a key; else the relay does it.

Relaxed headers, so that a relay may fold them anew; a simple body, because ours is quoted-printable or base64, which nobody changes on the
way and which need not be walked through once more. Every header that says who speaks to whom about what is covered, those of a list too,
and each is signed once more than it occurs: whoever adds a second From or Subject breaks the signature. No `l=`: nothing can be appended.
The same mail and date make the same signature, with both kinds of key.
"""

import base64
import hashlib
import re
from dataclasses import dataclass
from datetime import datetime

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ed25519, padding, rsa

from mailbot.message.splice import Spliced

LEAST_BITS = 2048
SIGNED = (
    "from", "to", "cc", "subject", "date", "message-id", "in-reply-to", "references", "reply-to", "mime-version", "content-type",
    "content-transfer-encoding", "content-language", "auto-submitted", "list-id", "list-help", "list-unsubscribe",
    "list-unsubscribe-post", "x-mailbot-release",
)  # fmt: skip
_FIELD = re.compile(rb"([!-9;-~]+):((?:[^\r\n]*\r\n[ \t])*[^\r\n]*)\r\n")
_SPACE = re.compile(rb"[ \t]+")


class KeyUnusable(ValueError):
    """The key cannot sign; the argument says why and what to do."""


@dataclass(frozen=True, slots=True)
class Signer:
    """Our name in a signature, and the key; `algorithm` is what DNS calls it: rsa or ed25519."""

    domain: str
    selector: str
    key: rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey

    @property
    def algorithm(self) -> str:
        return "rsa" if isinstance(self.key, rsa.RSAPrivateKey) else "ed25519"

    @property
    def public(self) -> str:
        """The public key as DNS shows it."""
        public = self.key.public_key()
        if isinstance(public, rsa.RSAPublicKey):
            octets = public.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
        else:
            octets = public.public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
        return base64.b64encode(octets).decode()

    @property
    def record(self) -> str:
        """What has to stand in DNS at <selector>._domainkey.<domain>."""
        return f"v=DKIM1; k={self.algorithm}; p={self.public}"

    def signed(self, mail: Spliced, at: datetime) -> Spliced:
        """The mail with its signature before everything else."""
        field = self.field(mail.head, mail.body, at)
        return Spliced(field + mail.head, mail.body, field + mail.parts)

    def field(self, head: bytes, body: bytes, at: datetime) -> bytes:
        """The DKIM-Signature field of a mail whose lines end with CRLF, its empty line left out."""
        found: dict[bytes, list[bytes]] = {}
        for name, value in _FIELD.findall(head):
            found.setdefault(name.lower(), []).append(_relaxed(name, value))
        names = [name for name in SIGNED for _ in range(len(found.get(name.encode(), ())) + 1)]
        covered = [line for name in SIGNED for line in reversed(found.get(name.encode(), []))]
        body_hash = base64.b64encode(hashlib.sha256(_simple(body)).digest()).decode()
        own = (
            f"v=1; a={self.algorithm}-sha256; c=relaxed/simple; d={self.domain}; s={self.selector};\r\n t={int(at.timestamp())}; "
            f"bh={body_hash};\r\n h={_folded(names)};\r\n b="
        ).encode("ascii")
        signature = self._sign(b"".join(covered) + _relaxed(b"DKIM-Signature", b" " + own)[:-2])
        coded = base64.b64encode(signature).decode()
        lines = "\r\n ".join(coded[at : at + 72] for at in range(0, len(coded), 72))
        return b"DKIM-Signature: " + own + lines.encode() + b"\r\n"

    def _sign(self, octets: bytes) -> bytes:
        if isinstance(self.key, rsa.RSAPrivateKey):
            return self.key.sign(octets, padding.PKCS1v15(), hashes.SHA256())
        return self.key.sign(hashlib.sha256(octets).digest())  # RFC 8463: Ed25519 signs the hash


def signer(domain: str, selector: str, pem: bytes) -> Signer:
    """Raises KeyUnusable."""
    try:
        key = serialization.load_pem_private_key(pem, password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as problem:
        raise KeyUnusable("it holds no private key in PEM without a password") from problem
    if isinstance(key, rsa.RSAPrivateKey):
        if key.key_size < LEAST_BITS:
            raise KeyUnusable(f"it is an RSA key of {key.key_size} bits; at least {LEAST_BITS} are believed")
    elif not isinstance(key, ed25519.Ed25519PrivateKey):
        raise KeyUnusable("it is neither an RSA nor an Ed25519 key")
    return Signer(domain, selector, key)


def _relaxed(name: bytes, value: bytes) -> bytes:
    """RFC 6376, 3.4.2."""
    return name.lower() + b":" + _SPACE.sub(b" ", value.replace(b"\r\n", b"")).strip(b" ") + b"\r\n"


def _simple(body: bytes) -> bytes:
    """RFC 6376, 3.4.3: empty lines at the end count as one line end."""
    if body.endswith(b"\r\n") and not body.endswith(b"\r\n\r\n"):
        return body
    return body.rstrip(b"\r\n") + b"\r\n"


def _folded(names: list[str]) -> str:
    """At colons, several a line."""
    return ":\r\n  ".join(":".join(names[at : at + 5]) for at in range(0, len(names), 5))
