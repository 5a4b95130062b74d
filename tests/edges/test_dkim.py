"""Our signatures, verified by two implementations that we did not write: dkimpy and Perl's Mail::DKIM.

Neither brings Ed25519 here: dkimpy reads the mail, the headers and the record, and is lent the curve of the library that TLS uses.
"""

import subprocess
from base64 import b64decode
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import dkim as dkimpy
import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from mailbot import terms
from mailbot.message import dkim, outgoing
from mailbot.message.address import Address
from mailbot.message.letter import render_plain
from mailbot.message.splice import Spliced, cut, splice
from mailbot.settings import SettingsFault, load
from tests.edges.test_message_splice import DATE, ID, LETTERS, OFFICE, TO
from tests.servers import throwaway

VALUES = {"name": "Awa Traoré", "link": "https://office.example/u/1"}


class _Curve:
    """What dkimpy asks of the library that it would rather have."""

    def __init__(self, public: bytes, encoder: object) -> None:
        self._key = ed25519.Ed25519PublicKey.from_public_bytes(b64decode(public))

    def verify(self, octets: bytes, signature: bytes) -> None:
        self._key.verify(signature, octets)


NACL = SimpleNamespace(
    signing=SimpleNamespace(VerifyKey=_Curve), encoding=SimpleNamespace(Base64Encoder=None),
    exceptions=SimpleNamespace(ValueError=ValueError, BadSignatureError=InvalidSignature),
)  # fmt: skip
PERL = """
use Mail::DKIM::Verifier; use Mail::DKIM::PublicKey;
my $record = shift;
{ no warnings 'redefine'; *Mail::DKIM::Signature::get_public_key = sub { Mail::DKIM::PublicKey->parse($record) } }
my $verifier = Mail::DKIM::Verifier->new(); local $/; my $mail = <STDIN>;
$verifier->PRINT($mail); $verifier->CLOSE; print $verifier->result;
"""


def pem(key: Any) -> bytes:
    made: bytes = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return made


RSA, ED25519 = pem(rsa.generate_private_key(65537, 2048)), pem(ed25519.Ed25519PrivateKey.generate())
KEYS = {"rsa": dkim.signer("office.example", "s1", RSA), "ed25519": dkim.signer("office.example", "s2", ED25519)}


@pytest.fixture(autouse=True)
def _curve(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dkimpy, "nacl", NACL, raising=False)


def signed(kind: str, signer: dkim.Signer) -> bytes:
    return signer.signed(splice(cut(LETTERS[kind], OFFICE), VALUES, message_id=ID, to=TO, date=DATE), DATE).whole


def by_dkimpy(mail: bytes, signer: dkim.Signer) -> bool:
    return bool(dkimpy.verify(mail, dnsfunc=lambda *_, **__: signer.record.encode()))


def by_mail_dkim(mail: bytes, signer: dkim.Signer) -> str:
    done = subprocess.run(["perl", "-e", PERL, signer.record], input=mail, capture_output=True, check=True, timeout=20)
    return done.stdout.decode()


@pytest.mark.parametrize("kind", LETTERS)
@pytest.mark.parametrize("key", KEYS)
def test_dkimpy_believes_every_kind_of_letter(kind: str, key: str) -> None:
    assert by_dkimpy(signed(kind, KEYS[key]), KEYS[key])


@pytest.mark.parametrize("kind", LETTERS)
def test_mail_dkim_believes_every_kind_of_letter(kind: str) -> None:
    """RSA alone: that version of it knows no Ed25519."""
    throwaway.needed("/usr/share/perl5/Mail/DKIM.pm")
    assert by_mail_dkim(signed(kind, KEYS["rsa"]), KEYS["rsa"]) == "pass"


@pytest.mark.parametrize("key", KEYS)
@pytest.mark.parametrize(
    ("old", "new"),
    [
        pytest.param(b"Velmora : ", b"Velmora; ", id="a word of the text"),
        pytest.param(b"\r\nSubject: ", b"\r\nSubject: x ", id="the subject"),
        pytest.param(b"\r\nFrom: ", b"\r\nFrom: <x@evil.example>\r\nFrom: ", id="a second From"),
        pytest.param(b"\r\nDate: ", b"\r\nSubject: y\r\nDate: ", id="a second Subject"),
        pytest.param(b"\r\nDate: ", b"\r\nCc: <x@evil.example>\r\nDate: ", id="a field that was not there"),
        pytest.param(b"\r\nList-Unsubscribe: <", b"\r\nList-Unsubscribe: <https://evil.example>, <", id="where one leaves"),
        pytest.param(b"--\r\n", b"--\r\nmore\r\n", id="something appended"),
    ],
)
def test_whatever_is_changed_or_added_breaks_it(key: str, old: bytes, new: bytes) -> None:
    mail = signed("standard", KEYS[key])
    head, at, rest = mail.rpartition(old)
    assert at and by_dkimpy(mail, KEYS[key])
    assert not by_dkimpy(head + new + rest, KEYS[key])


@pytest.mark.parametrize("key", KEYS)
def test_the_same_mail_and_date_make_the_same_signature(key: str) -> None:
    assert signed("standard", KEYS[key]) == signed("standard", KEYS[key])


def test_an_answer_is_signed_too_also_where_it_ends_with_empty_lines() -> None:
    raw = outgoing.build(render_plain(LETTERS["lite"], VALUES, message_id=ID, sender=OFFICE, to=Address("bo@journal.example"), date=DATE))
    head, _, body = raw.partition(b"\r\n\r\n")
    mail = KEYS["rsa"].signed(Spliced(head + b"\r\n", body + b"\r\n\r\n"), datetime(2026, 1, 1, tzinfo=UTC)).whole
    assert by_dkimpy(mail, KEYS["rsa"])


@pytest.mark.parametrize(
    ("octets", "said"),
    [
        pytest.param(b"", "no private key", id="empty"),
        pytest.param(pem(rsa.generate_private_key(65537, 1024)), "1024 bits", id="too short"),
        pytest.param(pem(ec.generate_private_key(ec.SECP256R1())), "neither", id="another kind"),
    ],
)
def test_a_key_that_cannot_sign_is_refused_in_a_sentence(tmp_path: Path, octets: bytes, said: str) -> None:
    (tmp_path / "key.pem").write_bytes(octets)
    (tmp_path / "mailbot.toml").write_text(f'[dkim]\ndomain = "office.example"\nselector = "s1"\nkey_file = "{tmp_path}/key.pem"\n')
    with pytest.raises(SettingsFault, match=said):
        terms.dkim_signer(load(tmp_path / "mailbot.toml", {}))


def test_a_key_without_its_names_is_a_fault(tmp_path: Path) -> None:
    (tmp_path / "mailbot.toml").write_text('[dkim]\nkey_file = "key.pem"\n')
    with pytest.raises(SettingsFault, match=r"dkim\.domain"):
        terms.dkim_signer(load(tmp_path / "mailbot.toml", {}))
