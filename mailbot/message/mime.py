"""The parts of a mail: bytes -> a tree of parts, whatever the bytes are, in time linear in their number.

Not the standard library's parser: that one takes seconds for 50,000 empty parts, recurses without a limit, and passes every line
through every open boundary. Here each level of a multipart looks for its own delimiter with bytes.find, and everything that grows
has a cap; past a cap the mail is Hostile (MAIL.md section 5.1). A returned or forwarded message inside is not descended into.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from mailbot.message import charset, header

MAX_PARTS = 1000
MAX_DEPTH = 50
MAX_BOUNDARIES = 100
MAX_NEAR_MISSES = 2000      # lines that start like a delimiter and are none

_LIKELY_BOUNDARY = re.compile(rb"(?:\A|\n)--([0-9A-Za-z'()+_,./:=?-][0-9A-Za-z'()+_,./:=? -]{2,69})[ \t]*\r?\n")


@dataclass(slots=True)
class Part:
    fields: tuple[header.Field, ...]
    content_type: str
    parameters: dict[str, str]
    body: bytes
    depth: int
    parts: list["Part"] = field(default_factory=list)

    def first(self, name: str) -> str:
        return next((entry.value for entry in self.fields if entry.name == name), "")

    @property
    def encoding(self) -> str:
        return self.first("content-transfer-encoding").split(";", 1)[0].split("(", 1)[0].strip().lower()

    @property
    def disposition(self) -> str:
        return self.first("content-disposition").split(";", 1)[0].strip().lower()

    @property
    def file_name(self) -> str:
        """The name of the file as its sender wrote it, without any path; never to be used as a path."""
        name = header.parameters(self.first("content-disposition")).get("filename") or self.parameters.get("name", "")
        return re.split(r"[/\\]", name)[-1].strip(". ")[:100]

    def octets(self, most: int) -> bytes:
        """The decoded content, of at most that many encoded octets."""
        return charset.from_transfer(self.body[:most], self.encoding)

    def text(self, most: int) -> str:
        """The content as text, of at most that many encoded octets."""
        return charset.text(self.octets(most), self.parameters.get("charset", ""))

    def size(self) -> int:
        """Octets of the content when decoded, without decoding it."""
        if self.encoding != "base64":
            return len(self.body)
        packed = self.body.translate(None, b"\r\n\t =")
        return len(packed) * 3 // 4

    def walk(self) -> Iterator["Part"]:
        """This part and all below it, in reading order."""
        waiting = [self]
        while waiting:
            part = waiting.pop()
            yield part
            waiting += reversed(part.parts)


def read(octets: bytes) -> Part:
    """The tree of parts. Raises header.Hostile, and nothing else."""
    if b"\n" not in octets:
        octets = octets.replace(b"\r", b"\n")       # from a system whose lines end in a bare CR
    root = _part(octets, 0)
    waiting, count, boundaries, misses = [root], 1, 0, 0
    while waiting:
        part = waiting.pop()
        if not part.content_type.startswith("multipart/"):
            continue
        if part.depth >= MAX_DEPTH:
            raise header.Hostile("too-deep")
        boundaries += 1
        if boundaries > MAX_BOUNDARIES:
            raise header.Hostile("too-many-boundaries")
        pieces, missed = _pieces(part, MAX_PARTS - count, MAX_NEAR_MISSES - misses)
        count, misses = count + len(pieces), misses + missed
        part.parts = [_part(piece, part.depth + 1) for piece in pieces]
        if pieces:
            part.body = b""     # so that deep nesting does not keep the mail in memory once a level
        else:
            part.content_type = "text/plain"        # a multipart without any part: its body is all there is to read
        waiting += part.parts
    return root


def _part(octets: bytes, depth: int) -> Part:
    fields, start = header.split(octets)
    kind, parameters = header.content_type(next((entry.value for entry in fields if entry.name == "content-type"), ""))
    return Part(fields, kind, parameters, octets[start:], depth)


def _pieces(part: Part, most: int, most_misses: int) -> tuple[list[bytes], int]:
    """The bodies between the delimiters of this multipart, and how many lines only looked like one."""
    found, misses = _between(part.body, part.parameters.get("boundary", "").encode("utf-8", "replace"), most, most_misses)
    if not found:       # no boundary given, or another one used: take the first line that looks like a delimiter
        likely = _LIKELY_BOUNDARY.search(part.body, 0, 100_000)
        if likely:
            found, more = _between(part.body, likely[1].rstrip(), most, most_misses - misses)
            misses += more
    return found, misses


def _between(body: bytes, boundary: bytes, most: int, most_misses: int) -> tuple[list[bytes], int]:
    if not boundary or len(boundary) > 250:
        return [], 0
    delimiter = b"--" + boundary
    pieces: list[bytes] = []
    misses, start = 0, -1
    position = 0 if body.startswith(delimiter) else _next(body, delimiter, 0)
    while position >= 0:
        after = position + len(delimiter)
        line_end = body.find(b"\n", after, after + 1000)
        rest = body[after: line_end if line_end >= 0 else after + 1000].strip()
        if rest in (b"", b"--"):
            if start >= 0:
                pieces.append(body[start:max(start, position - (2 if body[position - 2:position] == b"\r\n" else 1))])
                if len(pieces) > most:
                    raise header.Hostile("too-many-parts")
            start = line_end + 1 if rest == b"" and line_end >= 0 else -1
            if rest == b"--":
                break
        else:
            misses += 1
            if misses > most_misses:
                raise header.Hostile("too-many-parts")
        position = _next(body, delimiter, after)
    if start >= 0:      # the end is missing: what is there counts
        pieces.append(body[start:])
    return pieces, misses


def _next(body: bytes, delimiter: bytes, start: int) -> int:
    found = body.find(b"\n" + delimiter, start)
    return found + 1 if found >= 0 else -1
