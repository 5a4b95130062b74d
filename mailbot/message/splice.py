"""A letter's mails, fast: what all recipients share is encoded once, and a mail is joined from those pieces and its own values.

The mail says the same as `outgoing.build(letter.render_plain(...))`, and its structure is written by the same code. It differs in how it is
wrapped: a line of quoted-printable ends, softly, before and behind each value, so that the pieces join. No line of a body begins with a dot
or with "From ", whatever stands in a value: nothing has to be doubled on the wire, and no program on the way changes what was signed.
The same letter, delivery and values make the same bytes each time, in every process.
"""

import binascii
import hashlib
import html
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.message import Message
from email.utils import format_datetime
from functools import lru_cache
from typing import NamedTuple

from mailbot.message import outgoing
from mailbot.message.address import Address
from mailbot.message.header import clean
from mailbot.message.letter import Letter, filled, marks_of, pieces, tidy, value

_LINE = 76
_AS_IT_IS = re.compile(r"[!-<>-~](?:[ -<>-~]{0,68}[!-<>-~])?")  # quoted-printable changes nothing here
_DOTS, _FROM = re.compile(rb"^\.+", re.MULTILINE), re.compile(rb"^From ", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class _Slot:
    """Where a value stands in quoted-printable, and how it is escaped."""

    name: str
    escape: Callable[[str], str]


@dataclass(frozen=True, slots=True)
class _Base64:
    """A text that is encoded as a whole: the pieces of base64 do not join."""

    text: str
    escape: Callable[[str], str]


@dataclass(frozen=True, slots=True)
class Pieces:
    """A letter as it is sent by this office, encoded as far as all its mails share it."""

    letter: Letter
    sender: Address
    content_fields: bytes  # the last lines of the head
    body: tuple[bytes | _Slot | _Base64, ...]
    names: frozenset[str]
    fixed: tuple[bytes, ...]  # the fields of the head that all its mails share, by their place
    seal: bytes  # of everything that all share


class Spliced(NamedTuple):
    """A mail, wire-ready but for the final dot: lines end with CRLF, and none begins with a dot. The head ends before the empty line."""

    head: bytes
    body: bytes
    parts: bytes = b""  # what is this mail's alone: head and encoded values

    @property
    def whole(self) -> bytes:
        """The bytes that leave."""
        return self.head + b"\r\n" + self.body


def cut(letter: Letter, sender: Address) -> Pieces:
    """Encode what the letter's mails share. Raises Unsendable."""
    seed = hashlib.sha256("\0".join((letter.subject, letter.text, letter.html)).encode("utf-8", "replace")).hexdigest()
    coded = [_coded("plain", letter.text, str)] + ([_coded("html", letter.html, html.escape)] if letter.html else [])
    whole = outgoing.flat([], outgoing.nested(seed, [part for part, _ in coded], letter.files))
    head, _, rest = whole.partition(b"\r\n\r\n")
    body: list[bytes | _Slot | _Base64] = []
    for part, written in coded:
        before, _, rest = rest.partition(str(part.get_payload()).encode())
        body += [before, *written]
    content_fields, joined = head + b"\r\n", _joined([*body, rest])
    shared = b"\0".join([content_fields, *map(_described, joined)])
    return Pieces(letter, sender, content_fields, joined, marks_of(letter), _fixed(letter, sender), hashlib.sha256(shared).digest())


def splice(cut_letter: Pieces, values: Mapping[str, str], *, message_id: str, to: Address, date: datetime) -> Spliced:
    """One recipient's mail. Raises Unsendable, as the plain way does."""
    letter = cut_letter.letter
    for name in cut_letter.names:
        value(values, name)
    head = b"".join([
        cut_letter.fixed[0], b"To: ", _wire(outgoing.mailbox(to)),
        cut_letter.fixed[1] or _field("Subject", filled(letter.subject, values), outgoing.MAX_SUBJECT),
        _dated(int(date.timestamp())), b"Message-ID: ", outgoing.own_id(message_id).encode("ascii"), cut_letter.fixed[2],
        *(
            fixed or _field(name, filled(written, values))
            for (name, written), fixed in zip(letter.headers, cut_letter.fixed[3:], strict=True)
        ),
        b"MIME-Version: 1.0\r\n", cut_letter.content_fields,
    ])  # fmt: skip
    written = [
        piece if isinstance(piece, bytes) else _quoted(piece.escape(tidy(values[piece.name]))) if isinstance(piece, _Slot)
        else _base64(filled(piece.text, values, piece.escape))
        for piece in cut_letter.body
    ]  # fmt: skip
    own = [octets for octets, piece in zip(written, cut_letter.body, strict=True) if not isinstance(piece, bytes)]
    return Spliced(head, b"".join(written), b"\0".join([cut_letter.seal, head, *own]))


def _described(piece: bytes | _Slot | _Base64) -> bytes:
    """The same in every process."""
    if isinstance(piece, bytes):
        return piece
    return f"{piece.name if isinstance(piece, _Slot) else piece.text}\0{piece.escape.__name__}".encode("utf-8", "replace")


def _fixed(letter: Letter, sender: Address) -> tuple[bytes, ...]:
    """From; Subject, Content-Language, and each further header, empty where it holds a mark. Raises Unsendable for what may not be set."""
    for name, _ in letter.headers:
        outgoing.owed(name, "")
    further = [b"" if "\ue000" in written else _field(name, written) for name, written in letter.headers]
    return (
        b"From: " + _wire(outgoing.mailbox(sender)),
        b"" if "\ue000" in letter.subject else _field("Subject", letter.subject, outgoing.MAX_SUBJECT),
        b"\r\nContent-Language: " + _wire(outgoing.language_tag(letter.language)), *further,
    )  # fmt: skip


def _field(name: str, value: str, limit: int = outgoing.MAX_VALUE) -> bytes:
    return f"{name}: ".encode("ascii") + _wire(outgoing.unstructured(clean(value, limit), len(name) + 2))


def _wire(folded: str) -> bytes:
    return folded.replace("\n", "\r\n").encode("ascii") + b"\r\n"


@lru_cache(maxsize=8)
def _dated(second: int) -> bytes:
    return b"Date: " + _wire(format_datetime(datetime.fromtimestamp(second, UTC)))


def _coded(subtype: str, text: str, escape: Callable[[str], str]) -> tuple[Message, list[bytes | _Slot | _Base64]]:
    """The part with something else in the place of its content, which cannot stand anywhere before it; and the content."""
    octets = outgoing.text_octets(text)
    part = outgoing.text_part(subtype, "")
    coding = outgoing.encoding_of("".join(constant for constant, _ in pieces(octets.decode())).encode())
    part.replace_header("Content-Transfer-Encoding", coding)
    part.set_payload(f"=_{hashlib.sha256(subtype.encode()).hexdigest()}")
    return part, [_Base64(text, escape)] if coding == "base64" else _quoted_pieces(octets.decode(), escape)


def _quoted_pieces(text: str, escape: Callable[[str], str]) -> list[bytes | _Slot | _Base64]:
    found: list[bytes | _Slot | _Base64] = []
    behind_a_value = False
    for constant, name in pieces(text):
        coded = _quoted(constant)
        if behind_a_value and coded and not coded.startswith(b"\r\n"):
            found.append(b"=\r\n")
        found.append(coded)
        if name:
            joint = b"" if coded.endswith(b"\r\n") or not (coded or behind_a_value) else b"=\r\n"
            found += [joint, _Slot(name, escape)]
        behind_a_value = bool(name)
    return found


def _quoted(text: str) -> bytes:
    """Quoted-printable with CRLF, no line of which begins with a dot or with "From ". A space at its end is coded."""
    if _AS_IT_IS.fullmatch(text) and not text.startswith((".", "From ")):
        return text.encode()
    octets = binascii.b2a_qp(text.encode("utf-8", "replace"), istext=True)
    if len(octets) - octets.rfind(b"\n") > _LINE:  # a soft line end may follow, for which there is no room
        at = octets.rfind(b"\n") + _LINE - 4
        coded = octets.rfind(b"=", at - 2, at)
        octets = octets[: coded if coded > 0 else at] + b"=\n" + octets[coded if coded > 0 else at :]
    octets = _DOTS.sub(lambda dots: b"=2E=\n" * len(dots[0]), octets)
    return _FROM.sub(b"=46=\nrom ", octets).replace(b"\n", b"\r\n")


def _base64(text: str) -> bytes:
    octets = binascii.b2a_base64(outgoing.text_octets(text).replace(b"\n", b"\r\n"), newline=False)
    return b"".join([octets[at : at + _LINE] + b"\r\n" for at in range(0, len(octets), _LINE)])


def _joined(parts: list[bytes | _Slot | _Base64]) -> tuple[bytes | _Slot | _Base64, ...]:
    """Neighbours that are constant become one."""
    found: list[bytes | _Slot | _Base64] = []
    for part in parts:
        if isinstance(part, bytes) and found and isinstance(found[-1], bytes):
            found[-1] += part
        else:
            found.append(part)
    return tuple(found)
