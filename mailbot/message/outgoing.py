"""The bytes of a mail that we send: 7-bit, CRLF, no line over 998 octets, the same bytes for the same message each time.

The parts and bodies are the standard library's; header values are encoded here, because its folding differs between Python versions,
encodes long Message-IDs and, before its latest fixes, let a value break out of its field (CVE-2024-6923, CVE-2025-1795).
"""

import base64
import binascii
import hashlib
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from email.generator import BytesGenerator
from email.message import Message
from email.policy import compat32
from email.utils import format_datetime
from io import BytesIO
from urllib.parse import quote

from mailbot.message import address
from mailbot.message.address import Address
from mailbot.message.header import clean as clean_header

__all__ = ["File", "OutgoingMessage", "Unsendable", "answer_references", "build", "clean_header"]

MAX_SUBJECT = 500
MAX_VALUE = 2_000           # characters of any other header value
MAX_REFERENCES = 20
MAX_REFERENCES_OCTETS = 2_000
_LINE = 76
_POLICY = compat32.clone(linesep="\r\n", max_line_length=None, mangle_from_=False)
_OWN_FIELDS = frozenset({
    "from", "to", "cc", "bcc", "sender", "date", "message-id", "subject", "mime-version", "in-reply-to", "references", "content-type",
    "content-transfer-encoding", "content-disposition", "content-language", "return-path", "received",
})
_FIELD_NAME = re.compile(r"[A-Za-z][A-Za-z0-9-]{0,60}")
_ID = re.compile(r"<[\x21-\x3b\x3d\x3f-\x7e]{1,250}>")
_ATOMS = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?: [A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*")
_TYPE = re.compile(r"[a-z]+/[a-z0-9.+-]{1,100}")
# What a text may not hold beside line ends and tabs: controls, and what is no character at all.
_CONTROLS = dict.fromkeys([*range(9), 11, 12, *range(14, 32), *range(127, 160), *range(0xD800, 0xE000)])


class Unsendable(ValueError):
    """This message cannot be sent as it is; the argument says why."""


@dataclass(frozen=True, slots=True)
class File:
    name: str
    content_type: str
    content: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class OutgoingMessage:
    message_id: str
    sender: Address
    to: Address
    subject: str
    text: str
    html: str = ""
    language: str
    date: datetime
    in_reply_to: str = ""
    references: tuple[str, ...] = ()
    headers: tuple[tuple[str, str], ...] = ()       # what else the message owes: Auto-Submitted, List-Id, ...
    files: tuple[File, ...] = ()


def build(message: OutgoingMessage) -> bytes:
    """The whole mail. Raises Unsendable."""
    texts = [text_part("plain", message.text)] + ([text_part("html", message.html)] if message.html else [])
    return flat(fields(message), nested(message.message_id, texts, message.files))


def nested(seed: str, texts: list[Message], files: tuple[File, ...]) -> Message:
    """One text, or alternatives, with the files beside them; its boundaries come from the seed."""
    root = texts[0] if len(texts) == 1 else _multipart("alternative", seed, texts)
    return _multipart("mixed", seed, [root, *map(_file_part, files)]) if files else root


def flat(head: Iterable[tuple[str, str]], root: Message) -> bytes:
    """The bytes of these fields and this content."""
    mail = Message(policy=_POLICY)
    for name, value in (*head, *root.items()):
        mail[name] = value
    mail.set_payload(root.get_payload())
    out = BytesIO()
    BytesGenerator(out, mangle_from_=False, policy=_POLICY).flatten(mail)
    return out.getvalue()


def answer_references(in_reply_to_id: str, references: Iterable[str]) -> tuple[str, ...]:
    """The References of an answer: those of the mail answered, then its own id; at most 20 ids and 2 KB, the first and the last kept."""
    ids = [found for found in dict.fromkeys([*references, in_reply_to_id]) if _ID.fullmatch(found)]
    kept = ids if len(ids) <= MAX_REFERENCES else [ids[0], *ids[-(MAX_REFERENCES - 1):]]
    while len(kept) > 1 and sum(len(found) + 1 for found in kept) > MAX_REFERENCES_OCTETS:
        del kept[1 if len(kept) > 2 else 0]
    return tuple(kept)


def fields(message: OutgoingMessage) -> Iterator[tuple[str, str]]:
    """Everything above the content, folded, in the order in which it is written. Raises Unsendable."""
    if message.date.tzinfo is None:
        raise Unsendable("the date has no time zone")
    yield "From", mailbox(message.sender)
    yield "To", mailbox(message.to)
    yield "Subject", unstructured(clean_header(message.subject, MAX_SUBJECT), len("Subject: "))
    yield "Date", format_datetime(message.date)
    yield "Message-ID", own_id(message.message_id)
    if _ID.fullmatch(message.in_reply_to):
        yield "In-Reply-To", message.in_reply_to
    references = [found for found in message.references if _ID.fullmatch(found)]
    if references:
        yield "References", "\n ".join(references)
    yield "Content-Language", language_tag(message.language)
    for name, value in message.headers:
        yield owed(name, value)
    yield "MIME-Version", "1.0"


def own_id(message_id: str) -> str:
    """The Message-ID. Raises Unsendable where it is none."""
    if not _ID.fullmatch(message_id):
        raise Unsendable(f"the Message-ID {clean_header(message_id, 60)!r} is none")
    return message_id


def language_tag(language: str) -> str:
    """The value of Content-Language."""
    return re.sub(r"[^A-Za-z0-9-]", "", language)[:35]


def owed(name: str, value: str) -> tuple[str, str]:
    """A header that a message owes beside ours. Raises Unsendable where it is one of ours, or no header."""
    if not _FIELD_NAME.fullmatch(name) or name.lower() in _OWN_FIELDS:
        raise Unsendable(f"{clean_header(name, 60)!r} cannot be set as an extra header")
    return name, unstructured(clean_header(value, MAX_VALUE), len(name) + 2)


def mailbox(box: Address) -> str:
    """The value of From and To. Raises Unsendable."""
    local, _, domain = box.address.rpartition("@")
    if not local.isascii():
        raise Unsendable(f"{clean_header(box.address, 320)} has letters before the @ that plain mail cannot carry")
    written = address.valid(f"{local}@{domain}")
    if not written:
        raise Unsendable(f"{clean_header(box.address, 320)!r} is not an address")
    name = clean_header(box.name, address.NAME_LIMIT)
    if not name:
        return written
    if not name.isascii() or "=?" in name:
        phrase = "\n ".join(_encoded_words(name))
    elif _ATOMS.fullmatch(name):
        phrase = name
    else:
        phrase = '"' + re.sub(r'(["\\])', r"\\\1", name) + '"'
    return f"{phrase}\n <{written}>" if len(phrase) + len(written) > _LINE - 8 else f"{phrase} <{written}>"


def unstructured(value: str, used: int) -> str:
    """A value folded at its spaces, or as encoded words where it is not plain ASCII or has a word too long for a line."""
    if not value.isascii() or "=?" in value or any(len(word) > 900 for word in value.split(" ")):
        return "\n ".join(_encoded_words(value))
    lines, line = [], ""
    for word in value.split(" "):
        if line and used + len(line) + 1 + len(word) > _LINE:
            lines.append(line)
            line, used = word, 1
        else:
            line = f"{line} {word}" if line else word
    return "\n ".join([*lines, line])


def _encoded_words(text: str) -> Iterator[str]:
    """RFC 2047 words of at most 75 characters, all in the shorter of the two encodings.

    They break after a space where they can: some programs put a space of their own between two words.
    """
    octets = text.encode()
    coded = _in_q(octets)
    as_q = len(coded) <= len(octets) * 4 // 3
    if as_q and len(coded) <= 45:   # a name, as a rule
        yield f"=?utf-8?q?{coded}?="
        return
    room = 45 if as_q else 33       # a little less than there is, because the first word stands behind the field's name
    chunk, used = "", 0
    for piece in re.findall(r"[^ ]{1,12} ?| ", text):
        width = len(_in_q(piece.encode())) if as_q else len(piece.encode())
        if chunk and used + width > room:
            yield _encoded_word(chunk, as_q)
            chunk, used = "", 0
        if width > room:            # twelve characters of four octets each
            yield from (_encoded_word(part, as_q) for part in re.findall(r".{1,3}", piece))
        else:
            chunk, used = chunk + piece, used + width
    if chunk:
        yield _encoded_word(chunk, as_q)


_Q = ["_" if octet == 32 else chr(octet) if octet < 128 and chr(octet).isalnum() else f"={octet:02X}" for octet in range(256)]


def _in_q(octets: bytes) -> str:
    return "".join(map(_Q.__getitem__, octets))


def _encoded_word(text: str, as_q: bool) -> str:
    if not as_q:
        return f"=?utf-8?b?{base64.b64encode(text.encode()).decode()}?="
    return f"=?utf-8?q?{_in_q(text.encode())}?="


def text_part(subtype: str, text: str) -> Message:
    """Quoted-printable for what is mostly Latin letters, because it stays readable; base64 where that would be three times as long."""
    octets = text_octets(text)
    part = Message(policy=_POLICY)
    part["Content-Type"] = f'text/{subtype}; charset="utf-8"'
    part["Content-Transfer-Encoding"] = coding = encoding_of(octets)
    if coding == "base64":
        part.set_payload(base64.encodebytes(octets.replace(b"\n", b"\r\n")).decode("ascii"))
    else:
        part.set_payload(binascii.b2a_qp(octets, istext=True).decode("ascii"))
    return part


def text_octets(text: str) -> bytes:
    """What is said of a text: without controls, its lines ended by LF."""
    return text.replace("\r\n", "\n").replace("\r", "\n").translate(_CONTROLS).rstrip("\n").encode() + b"\n"


def encoding_of(octets: bytes) -> str:
    """Whichever is shorter, or nearly so."""
    foreign = sum(map(len, re.findall(rb"[\x80-\xff]+", octets)))
    return "base64" if foreign * 6 > len(octets) else "quoted-printable"


def _file_part(file: File) -> Message:
    """Always base64. A whole message goes as plain bytes too: base64 is not allowed on message/*, and 8-bit is not allowed on the wire."""
    kind = file.content_type.lower()
    if not _TYPE.fullmatch(kind) or kind.startswith(("message/", "multipart/")):
        kind = "application/octet-stream"
    part = Message(policy=_POLICY)
    name = re.sub(r"[/\\]", "-", clean_header(file.name, 150)) or "file"
    part["Content-Type"] = kind + _parameter("name", name)
    part["Content-Transfer-Encoding"] = "base64"
    part["Content-Disposition"] = "attachment" + _parameter("filename", name)
    part.set_payload(base64.encodebytes(file.content).decode("ascii"))
    return part


def _parameter(name: str, value: str) -> str:
    """A parameter as RFC 2231 wants it: quoted where it is short ASCII, else percent-encoded, over numbered lines where it is long."""
    if value.isascii() and len(value) < 60:
        return f';\n {name}="' + re.sub(r'(["\\])', r"\\\1", value) + '"'
    coded = "utf-8''" + quote(value, safe="")
    pieces = re.findall(r"(?:%..|[^%]){1,18}", coded)
    if len(pieces) == 1:
        return f";\n {name}*={coded}"
    return "".join(f";\n {name}*{number}*={piece}" for number, piece in enumerate(pieces))


def _multipart(subtype: str, seed: str, parts: list[Message]) -> Message:
    """The boundary comes from the Message-ID, so that a retry has the same bytes; "=_" occurs in neither of our encodings."""
    boundary = "=_" + hashlib.sha256(f"{subtype}\0{seed}".encode()).hexdigest()[:40]
    whole = Message(policy=_POLICY)
    whole["Content-Type"] = f'multipart/{subtype};\n boundary="{boundary}"'
    for part in parts:
        whole.attach(part)
    return whole
