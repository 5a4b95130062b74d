"""The proof that we hold a certificate's key, in place of a client secret: a signed statement for one token server (RFC 7523).

Microsoft Entra asks for PS256 and for the certificate's SHA-256 thumbprint, x5t#S256 (learn.microsoft.com, certificate-credentials).
"""

import hashlib
import json
from base64 import urlsafe_b64encode
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

LIFE = timedelta(minutes=10)
CLOCKS_DIFFER = timedelta(minutes=2)
TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
INSTALL = "A certificate needs the extra `microsoft365`: pip install 'mailbot[microsoft365]'; or use oauth.client_secret."


class CertificateUnusable(Exception):
    """The certificate or its key cannot be used. The message says why and what to do."""


@dataclass(frozen=True, slots=True)
class Certificate:
    """A certificate and the key that belongs to it."""

    thumbprint: str
    ends_at: datetime
    key: "RSAPrivateKey" = field(repr=False)


def certificate(certificate_pem: bytes, key_pem: bytes) -> Certificate:
    """Read from PEM; both may stand in the same file. Raises CertificateUnusable."""
    try:
        from cryptography import x509
        from cryptography.exceptions import UnsupportedAlgorithm
        from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
        from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key
    except ImportError as missing:
        raise CertificateUnusable(INSTALL) from missing
    try:
        found = x509.load_pem_x509_certificate(certificate_pem)
        key = load_pem_private_key(key_pem, password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as problem:
        said = "The certificate or its key cannot be read: both must be PEM, and the key without a password."
        raise CertificateUnusable(said) from problem
    if not isinstance(key, RSAPrivateKey):
        raise CertificateUnusable("The key of the certificate must be an RSA key: Microsoft Entra takes no other.")
    if found.public_key() != key.public_key():
        raise CertificateUnusable("The key does not belong to the certificate: check oauth.certificate_file and oauth.key_file.")
    thumbprint = hashlib.sha256(found.public_bytes(Encoding.DER)).digest()
    return Certificate(_text(thumbprint), found.not_valid_after_utc, key)


def assertion(proof: Certificate, client_id: str, audience: str, now: datetime, unique: str) -> str:
    """The statement, signed; `unique` is used once."""
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import padding

    head = {"alg": "PS256", "typ": "JWT", "x5t#S256": proof.thumbprint}
    since, until = int((now - CLOCKS_DIFFER).timestamp()), int((now + LIFE).timestamp())
    claims = {"aud": audience, "iss": client_id, "sub": client_id, "jti": unique, "iat": since, "nbf": since, "exp": until}
    signed = f"{_text(json.dumps(head).encode())}.{_text(json.dumps(claims).encode())}"
    sha256 = hashes.SHA256()
    signature = proof.key.sign(signed.encode(), padding.PSS(padding.MGF1(sha256), sha256.digest_size), sha256)
    return f"{signed}.{_text(signature)}"


def _text(octets: bytes) -> str:
    return urlsafe_b64encode(octets).rstrip(b"=").decode()
