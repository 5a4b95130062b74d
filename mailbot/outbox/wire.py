"""What goes over the wire to the relay and what comes back, as octets and words: no connection here."""

import re
from collections.abc import Mapping

from mailbot.outbox.delivery import Fault, Phase, Reply

REPLY_OCTETS = 32 << 10  # a relay that says more is not read to the end
TEXT_CHARACTERS = 1000
ADDRESS = re.compile(r"[!-;=?-~]{1,256}@[!-;=?-~]{1,255}")  # visible ASCII without <, > and space: nothing can break out of <...>
REPLY_LINE = re.compile(rb"([2-5]\d\d)(?:([ -])(.*))?", re.DOTALL)
LINE_END = re.compile(rb"\r\n|\n|\r")


class Nonsense(Exception):
    """The relay's words are not SMTP."""


class ReplyReader:
    """Octets in, replies out: (code, text). Holds a reply that is not complete yet."""

    def __init__(self) -> None:
        self._octets = bytearray()
        self._lines: list[bytes] = []
        self._held = 0

    @property
    def empty(self) -> bool:
        """Nothing is left over."""
        return not self._octets and not self._lines

    def feed(self, data: bytes) -> list[tuple[int, str]]:
        """The replies that are complete now. The last line's code counts, as for every other mail server. Raises Nonsense."""
        self._octets += data
        replies = []
        while (end := self._octets.find(b"\n")) >= 0:
            line = bytes(self._octets[:end]).rstrip(b"\r")
            del self._octets[: end + 1]
            found = REPLY_LINE.fullmatch(line)
            if found is None:
                raise Nonsense(printable(line.decode("utf-8", "replace")))
            self._lines.append(found[3] or b"")
            self._held += len(line) + 1
            if found[2] != b"-":
                replies.append((int(found[1]), b"\n".join(self._lines).decode("utf-8", "replace")))
                self._lines, self._held = [], 0
        if len(self._octets) + self._held > REPLY_OCTETS:
            raise Nonsense("a reply without end")
        return replies


def unfit(sender: str, recipient: str, data: bytes) -> Reply | None:
    """What must never be put on the wire. The phase says whose fault it is: a sender that cannot be written is ours."""
    for phase, what, address in ((Phase.ENVELOPE_MAIL, "sender", sender), (Phase.ENVELOPE_RCPT, "recipient", recipient)):
        if not ADDRESS.fullmatch(address):
            return Reply(phase=phase, fault=Fault.UNENCODABLE, text=f"The {what}'s address cannot be written in SMTP.")
    if not data.isascii():
        return Reply(phase=Phase.ENVELOPE_RCPT, fault=Fault.UNENCODABLE, text="The mail is not 7-bit.")
    return None


def wire_ready(data: bytes) -> bytes:
    """Lines ended by CRLF, a dot at the start of a line doubled, the final dot (RFC 5321, 2.3.8 and 4.5.2)."""
    if not data.count(b"\r\n") == data.count(b"\n") == data.count(b"\r"):
        data = LINE_END.sub(b"\r\n", data)
    if not data.endswith(b"\r\n"):
        data += b"\r\n"
    stuffed = data.replace(b"\r\n.", b"\r\n..")
    return (b"." if stuffed.startswith(b".") else b"") + stuffed + b".\r\n"


def size_limit(told: str) -> int:
    """What EHLO says after SIZE (RFC 1870); 0 where that is no limit."""
    return int(told) if re.fullmatch(r"\d{1,15}", told, re.ASCII) else 0


def offer(extensions: Mapping[str, str], tls: str, username: str) -> str:
    """What a relay offers, in one line for a person."""
    limit = size_limit(extensions.get("size", ""))
    facts = [
        tls or "no TLS",
        f"logged in as {username}" if username else "no login",
        f"mails up to {limit / 1e6:.1f} MB" if limit else "no size limit told",
        *sorted(name.upper() for name in extensions if name not in ("size", "auth")),
    ]
    return printable(", ".join(facts) + ".")


def printable(text: str) -> str:
    """The relay's words in one line, without what a database or a terminal may choke on."""
    if text.isascii() and text.isprintable() and "  " not in text and text == text.strip():
        return text[:TEXT_CHARACTERS]  # what they nearly always are
    plain = text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    return " ".join("".join(character if character.isprintable() else " " for character in plain).split())[:TEXT_CHARACTERS]
