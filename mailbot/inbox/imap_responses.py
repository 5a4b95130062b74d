"""What an IMAP server says, as values: folder names, UID sets, FETCH, LIST and status texts. Pure.

Only the few items mailbot asks for are understood (UID, FLAGS, RFC822.SIZE, INTERNALDATE, BODY[] or its header): nothing in them holds
free text, so nothing a stranger wrote is ever parsed as protocol. A response is the list of its parts: text, literal, text...
"""

import re
from base64 import b64decode, b64encode
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone

Parts = Sequence[bytes | bytearray]

MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
INTERNAL_DATE = re.compile(rb'INTERNALDATE " ?(\d{1,2})-(\w{3})-(\d{4}) (\d\d):(\d\d):(\d\d) ([+-])(\d\d)(\d\d)"', re.I)
FLAGS = re.compile(rb"FLAGS \(([^)]*)\)", re.I)
UID = re.compile(rb"\bUID (\d+)", re.I)
SIZE = re.compile(rb"\bRFC822\.SIZE (\d+)", re.I)
BODY_LITERAL = re.compile(rb"BODY\[(?:HEADER)?\](?:<\d+>)? ~?\{\d+\}$", re.I)
BODY_QUOTED = re.compile(rb'BODY\[(?:HEADER)?\](?:<\d+>)? "((?:[^"\\]|\\.)*)"', re.I)
FOLDER = re.compile(rb'LIST \(([^)]*)\) (?:"(\\?.)"|NIL) (?:"((?:[^"\\]|\\.)*)"|(\{\d+\})$|(.+))', re.I)
NAMESPACE = re.compile(rb'NAMESPACE \(\("((?:[^"\\]|\\.)*)" (?:"(\\?.)"|NIL)', re.I)
COPYUID = re.compile(rb"\[COPYUID \d+ ([\d,:]+) [\d,:]+\]", re.I)
CODE = re.compile(rb"\s*\[([A-Z0-9-]+)", re.I)
BACKOFF = re.compile(rb"Suggested Backoff Time: (\d+) milliseconds", re.I)
ESCAPED = re.compile(rb"\\(.)")
ENCODED = re.compile(r"&([A-Za-z0-9+,]*)-")
UNPRINTABLE = re.compile(r"[^ -~]+|&")


@dataclass(frozen=True, slots=True)
class Fetched:
    """One FETCH response; None where the server did not say."""

    uid: int
    size: int | None
    internal_date: datetime | None
    flags: tuple[str, ...] | None
    body: bytearray | bytes | None


@dataclass(frozen=True, slots=True)
class Folder:
    """One LIST response, the name as it stands on the wire (but decoded)."""

    name: str
    flags: tuple[str, ...]
    separator: str


def quoted(text: str) -> str:
    """An IMAP quoted string. Nothing that could end the command line gets through."""
    if any(character in text for character in "\r\n\0"):
        raise ValueError("CR, LF and NUL have no place in an IMAP command")
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def folder_name(name: str) -> str:
    """A folder's name in modified UTF-7 (RFC 3501, 5.1.3), quoted."""
    if not name or any(character < " " or character == "\x7f" for character in name):
        raise ValueError(f"not a folder name: {name!r}")

    def encode(match: re.Match[str]) -> str:
        if match[0] == "&":
            return "&-"
        return "&" + b64encode(match[0].encode("utf-16-be")).decode().rstrip("=").replace("/", ",") + "-"

    return quoted(UNPRINTABLE.sub(encode, name))


def readable_name(raw: bytes) -> str:
    """The name behind modified UTF-7. What is not valid stays as it is: somebody's folder, but none of ours."""

    def decode(match: re.Match[str]) -> str:
        text = match[1].replace(",", "/")
        return b64decode(text + "=" * (-len(text) % 4)).decode("utf-16-be") if text else "&"

    name = raw.decode("utf-8", "replace")
    try:
        return ENCODED.sub(decode, name)
    except ValueError:
        return name


def uid_set(uids: Iterable[int]) -> str:
    """1,2,3,7 -> "1:3,7"."""
    ranges: list[list[int]] = []
    for uid in sorted(set(uids)):
        if ranges and uid == ranges[-1][1] + 1:
            ranges[-1][1] = uid
        else:
            ranges.append([uid, uid])
    return ",".join(str(first) if first == last else f"{first}:{last}" for first, last in ranges)


def copied(responses: Iterable[Parts], tagged_text: bytes, uids: Collection[int]) -> frozenset[int] | None:
    """Which of these UIDs a COPYUID says were taken; None when the server said nothing about it."""
    sets = [match[1] for text in [*(bytes(parts[0]) for parts in responses), tagged_text] if (match := COPYUID.search(text))]
    if not sets:
        return None
    ranges = []
    for item in b",".join(sets).split(b","):
        first, _, last = item.partition(b":")
        ranges.append(sorted((int(first), int(last or first))))
    # The ranges are not expanded: a server's 1:4294967295 would not fit in memory.
    return frozenset(uid for uid in uids if any(first <= uid <= last for first, last in ranges))


def fetched(parts: Parts) -> Fetched | None:
    """A FETCH response that names its UID; None for anything else."""
    if not re.match(rb"\d+ FETCH \(", parts[0], re.I):
        return None
    texts = [bytes(part) for part in parts[::2]]
    body: bytearray | bytes | None = None
    for text, literal in zip(texts, parts[1::2], strict=False):
        if BODY_LITERAL.search(text):
            body = literal
    text = b" ".join(texts)
    if match := BODY_QUOTED.search(text):
        body = ESCAPED.sub(rb"\1", match[1])
        text = text[: match.start()] + text[match.end() :]
    flags = FLAGS.search(text)
    if flags:                                               # a colleague may name a keyword "UID"
        text = text[: flags.start()] + text[flags.end() :]
    uid, size = UID.search(text), SIZE.search(text)
    return uid and Fetched(
        uid=int(uid[1]),
        size=int(size[1]) if size else None,
        internal_date=internal_date(text),
        flags=tuple(flag.decode("ascii", "replace") for flag in flags[1].split()) if flags else None,
        body=body,
    )


def internal_date(text: bytes) -> datetime | None:
    """When the mail arrived, in UTC; None when missing or impossible."""
    match = INTERNAL_DATE.search(text)
    if not match:
        return None
    day, month, year, hour, minute, second, sign, zone_hours, zone_minutes = (group.decode() for group in match.groups())
    try:
        offset = timedelta(hours=int(zone_hours), minutes=int(zone_minutes)) * (-1 if sign == "-" else 1)
        local = datetime(int(year), MONTHS.index(month.lower()) + 1, int(day), int(hour), int(minute), int(second), tzinfo=timezone(offset))
        return local.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def folder(parts: Parts) -> Folder | None:
    """A LIST response; None for anything else."""
    match = FOLDER.match(parts[0])
    if not match:
        return None
    flags, separator, quoted_name, literal, atom = match.groups()
    raw = bytes(parts[1]) if literal and len(parts) > 1 else atom if quoted_name is None else ESCAPED.sub(rb"\1", quoted_name)
    return Folder(readable_name(raw or b""), tuple(flags.decode("ascii", "replace").split()), _one_character(separator))


def namespace(parts: Parts) -> tuple[str, str] | None:
    """Prefix and separator of the personal folders from a NAMESPACE response; None for anything else."""
    match = NAMESPACE.match(parts[0])
    return (readable_name(ESCAPED.sub(rb"\1", match[1])), _one_character(match[2])) if match else None


def code(text: bytes) -> str:
    """The response code of a status text: "[TRYCREATE] no such folder" -> "TRYCREATE"; "" without one."""
    match = CODE.match(text)
    return match[1].decode().upper() if match else ""


def backoff(text: bytes) -> float | None:
    """Seconds that Exchange asks a throttled client to wait."""
    match = BACKOFF.search(text)
    return int(match[1]) / 1000 if match else None


def _one_character(separator: bytes | None) -> str:
    return separator[-1:].decode("ascii", "replace") if separator else ""
