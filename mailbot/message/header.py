"""The header block of a mail: its fields, encoded words, parameters; linear time, capped, never by the standard library's parser.

MAIL.md 5.1 shows why: policy.default hangs or raises on a dozen shapes of header that anyone can send. What is too large to be a
mail of a person raises Hostile, and incoming.parse turns that into Unreadable.
"""

import re
import unicodedata
from dataclasses import dataclass
from urllib.parse import unquote_to_bytes

from mailbot.message import charset

MAX_BLOCK = 256 * 1024
MAX_FIELD = 100 * 1024
MAX_FIELDS = 1000

_END = re.compile(rb"\n\r?\n")
_NAME = re.compile(rb"([!-9;-~]+)([ \t]*):")
_WORD = re.compile(r"=\?([A-Za-z0-9_:.()+-]{1,40})(?:\*[A-Za-z-]{0,20})?\?([bBqQ])\?([^?]*)\?=")
_PARAMETER = re.compile(r';\s*([^\s=;"]{1,64})\s*=\s*("(?:[^"\\]|\\.)*"?|[^;]*)', re.DOTALL)
_TYPE = re.compile(r"[a-z0-9!#$&^_.+-]{1,64}/[a-z0-9!#$&^_.+-]{1,100}")
_ID = re.compile(r"<[^<>\s]{1,250}>")

# Everything that could break a line, hide text or turn it round: C0, DEL, C1, line and paragraph separator become spaces;
# embedding, override and isolate marks (U+202A-E, U+2066-9), surrogates, the byte order mark and NUL go.
_UNSAFE: dict[int, str | None] = dict.fromkeys([*range(1, 32), *range(127, 160), 0x2028, 0x2029], " ")
_UNSAFE |= dict.fromkeys([0, *range(0x202A, 0x202F), *range(0x2066, 0x206A), 0xFEFF, *range(0xD800, 0xE000)], None)


class Hostile(ValueError):
    """The mail is too large, too deep or too long in one of its parts to be read; the argument says which, in kebab-case."""


@dataclass(frozen=True, slots=True)
class Field:
    name: str       # lower case, without anything unprintable
    value: str      # unfolded, still encoded, no line ends and no NUL
    exact: bool     # written as RFC 5322 wants it: no space before the colon, not after rubbish


def split(octets: bytes) -> tuple[tuple[Field, ...], int]:
    """The fields on top of these bytes, and where the body starts. Raises Hostile."""
    if octets[:1] == b"\n" or octets[:2] == b"\r\n":
        return (), octets.index(b"\n") + 1
    end = _END.search(octets, 0, MAX_BLOCK + 4)
    if end is None and len(octets) > MAX_BLOCK:
        if _NAME.match(octets[:200]) or octets[:5] == b"From ":
            raise Hostile("header-block-too-large")
        return (), 0
    block, body = (octets[: end.start()], end.end()) if end else (octets, len(octets))
    return _fields(block, body)


def _fields(block: bytes, body: int) -> tuple[tuple[Field, ...], int]:
    found: list[tuple[bytes, list[bytes], bool]] = []
    position, clean, rubbish_is_text = 0, True, None
    for line in block.split(b"\n"):
        start, position = position, position + len(line) + 1
        if len(line) > MAX_FIELD:
            raise Hostile("header-too-large")
        line = line.rstrip(b"\r")
        if line[:1] in (b" ", b"\t"):
            if found:
                found[-1][1].append(line)
                continue
            line, clean = line.lstrip(), False      # a first line that starts with a space: some servers read it as a field
        name = _NAME.match(line)
        if name:
            found.append((name[1], [line[name.end():]], clean and not name[2]))
            if len(found) > MAX_FIELDS:
                raise Hostile("too-many-headers")
        elif start == 0 and line.startswith((b"From ", b">From ")):
            continue
        elif not found:
            return (), 0
        else:
            # Rubbish among the fields. Where more fields follow it is skipped, so that no parser sees a From that we missed;
            # where none do, the blank line is what is missing, and this is the text.
            if rubbish_is_text is None:
                rubbish_is_text = not any(map(_NAME.match, block[start:].split(b"\n")))
            if rubbish_is_text:
                body = start
                break
            clean = False
    fields = []
    for raw_name, chunks, exact in found:
        if sum(map(len, chunks)) > MAX_FIELD:
            raise Hostile("header-too-large")
        value = charset.text(b"".join(chunks)).replace("\r", " ").replace("\0", "\ufffd").strip()
        fields.append(Field(raw_name.decode("ascii").lower(), value, exact))
    return tuple(fields), body


def clean(value: str, limit: int) -> str:
    """One safe line of text, at most limit characters: what may stand in a header, a log or a template."""
    value = value[: limit * 4 + 1000]
    if value.isascii() and value.isprintable():     # most are, and need no more
        return " ".join(value.split())[:limit].strip()
    line = " ".join(value.translate(_UNSAFE).split())
    return unicodedata.normalize("NFC", line[:limit])[:limit].strip()


def decode(value: str, limit: int) -> str:
    """The text behind encoded words (RFC 2047), as one safe line."""
    value = value[: limit * 40]
    if "=?" not in value:
        return clean(value, limit)
    out: list[str] = []
    pending, pending_charset, position, after_word = b"", "", 0, False
    for word in _WORD.finditer(value):
        between = value[position:word.start()]
        if not after_word or (between and not between.isspace()):
            out += [charset.text(pending, pending_charset), between]
            pending = b""
        elif word[1].lower() != pending_charset:
            out.append(charset.text(pending, pending_charset))
            pending = b""
        packed = word[3].encode("utf-8", "replace")
        octets = charset.from_base64(packed) if word[2] in "bB" else charset.from_quoted_printable(packed.replace(b"_", b" "))
        # A character may be cut between two words of one charset, so their bytes are joined before they are read.
        pending, pending_charset, position, after_word = pending + octets, word[1].lower(), word.end(), True
    out += [charset.text(pending, pending_charset), value[position:]]
    return clean("".join(out), limit)


def content_type(value: str) -> tuple[str, dict[str, str]]:
    """Type and parameters of a Content-Type; text/plain when it cannot be read, as RFC 2045 5.2 asks."""
    kind = value.split(";", 1)[0].split("(", 1)[0].strip().lower()
    return (kind if _TYPE.fullmatch(kind) else "text/plain"), parameters(value)


def parameters(value: str) -> dict[str, str]:
    """The parameters after the first semicolon, RFC 2231 and encoded words undone; the first of a name counts."""
    plain: dict[str, str] = {}
    pieces: dict[str, dict[int, tuple[str, bool]]] = {}
    for number, found in enumerate(_PARAMETER.finditer(value)):
        if number >= 100:
            break
        name, text = found[1].lower(), found[2].strip()
        if text.startswith('"'):
            text = re.sub(r"\\(.)", r"\1", text[1:].removesuffix('"'), flags=re.DOTALL)
        extended = name.endswith("*")
        base, _, index = name.removesuffix("*").partition("*")
        if extended or index:
            pieces.setdefault(base, {}).setdefault(int(index) if index.isdecimal() and len(index) < 4 else 0, (text, extended))
        else:
            plain.setdefault(base, decode(text, 1000) if "=?" in text else clean(text, 1000))
    return plain | {name: _joined(parts) for name, parts in pieces.items()}


def _joined(parts: dict[int, tuple[str, bool]]) -> str:
    """RFC 2231: charset'language'percent-encoded, perhaps over several numbered pieces."""
    label, octets = "", b""
    for number in sorted(parts):
        text, extended = parts[number]
        if extended and number == min(parts) and text.count("'") >= 2:
            label, _, text = text.split("'", 2)
        octets += unquote_to_bytes(text) if extended else text.encode("utf-8", "replace")
    return clean(charset.text(octets[:4000], label), 1000)


def message_ids(value: str, limit: int = 50) -> tuple[str, ...]:
    """Every <id> in this value, in order, each once; with too many of them the first and the last ones."""
    found = tuple(dict.fromkeys(_ID.findall(value)))
    return found if len(found) <= limit else (found[0], *found[-(limit - 1):])
