"""What a bounce says in words: whom it names, what is said of each, and where the returned mail begins.

Some seventy mail systems write no report part, or one that says less than their text. They differ in words, which stand in
config/bounces.yaml, and hardly in form: an announcement, the addresses at the start of lines or after `to`, the other server's
answer, the mail that was returned. So there is one reader for all; its time is linear in the length of the text.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

from mailbot.bounces import BounceWords, fold, found
from mailbot.message import header

MAX_TEXT = 40_000       # characters of a report; what follows is the returned mail
MAX_LINES = 800
MAX_LINE = 1_000
MAX_RECIPIENTS = 100
MAX_CHUNK = 1_500       # characters that speak of one recipient
_MAX_PLACES = 300       # addresses that are looked at
_SHORT_LINE = 100
_OPENING = 60           # lines in which a report says what it is

_ADDRESS = re.compile(r"[^\s<>()\[\]\"',;:=|]{1,64}@[A-Za-z0-9#\[][A-Za-z0-9._#\[\]-]{0,250}[A-Za-z0-9\]]")
# What may stand before an address that starts its line: marks, a code, a name.
_STARTS = re.compile(r"[\s<\"'*>•·|(\[-]{0,40}(?:[45]\d\d[ -])?(?:[^<>@\n:]{0,60}<)?\s?")
_FIELD = re.compile(r"[\s>*-]{0,20}(?:final|original|failed)-recipients?\s*:\s*(?:rfc822\s*;)?\s*<?", re.IGNORECASE)
_COMMAND = re.compile(r"\brcpt to\s*:\s*<?", re.IGNORECASE)
_LABEL = re.compile(
    r"[\s>*-]{0,20}(?:[^\W\d_][^:\n@]{0,30})?\b(?:to|recipient|address|user)\s?:\s*[<\"']?"
    r"|.{0,100}\bsmtp[:=]",  # as X.400 writes an address of ours
    re.IGNORECASE,
)
# `Error-for: a@b`, where nothing follows.
_NAMED = re.compile(r"(?!\s{0,20}(?:from|sender|reply-to|cc)\s?:)[^:@<>\n]{1,60}:\s{0,10}[<\"']?", re.IGNORECASE)
_REPLY = re.compile(r"(?m)^[ \t]{0,20}(?:(?:>>>|<<<|Out:)[ \t]{0,5})?[45]\d\d[ -]")
_HEADER = re.compile(r"(received|return-path|message-id|from|to|subject|date|mime-version|content-type|delivered-to|x-[a-z-]+):", re.I)
_TELLING = ("received", "return-path", "message-id", "mime-version")
_ID = re.compile(r"(?im)^[ \t>]{0,8}message-id\s?:\s{0,3}(<[^<>\s]{1,250}>)")
_TO = re.compile(r"(?im)^[ \t>]{0,8}(?:to|cc|x-envelope-to|x-rcpt-to)\s?:([^\n]{1,500})")
_STATUS = re.compile(r"(?<![\w.])([45]\.\d{1,3}\.\d{1,3})(?!\.?\d)")
_AT_RECIPIENT = re.compile(r"\brcpt\b|\brcpt_to\b|does not like recipient", re.IGNORECASE)
_AFTER_THE_MAIL = re.compile(r"end of data|after data|to data command|>>> data\b", re.IGNORECASE)
_QUOTED = re.compile(r"(?<![\w.])[45]\d\d(?![\w.])")
_OF_A_RECIPIENT = ("invalid-recipient", "unknown-user", "unknown-host", "full", "moved", "disabled")
_BARE = re.compile(r"[ \t]{1,40}([A-Za-z0-9][A-Za-z0-9._-]{1,63})[ \t]*")
_EDGES = " \t-*=_#>.:|~+"
_RULED = ("--", "**", "==", "__")


@dataclass(frozen=True)
class BounceText:
    """The text of a mail system's mail, and the words to read it with."""

    text: str
    words: BounceWords
    own: frozenset[str] = frozenset()               # the sender of this mail and those it was sent to: hardly those who failed
    domain: str = ""                                # of the mail system
    returned_to: frozenset[str] = frozenset()       # to whom the returned mail was written, where it came as a part

    @cached_property
    def lines(self) -> list[str]:
        """All that is read of the text."""
        return [line[:MAX_LINE] for line in self.text[:MAX_TEXT].split("\n")[:MAX_LINES]]

    @cached_property
    def end(self) -> int:
        """The number of the line from which on the returned mail stands: after a line that says so, or where a mail's header begins."""
        run, telling = 0, False
        for number, line in enumerate(self.lines):
            if number and self._says_what_follows(line):
                return number
            named = _HEADER.match(line)
            if named:
                run, telling = run + 1, telling or named[1].lower() in _TELLING
                if run >= 3 and telling:
                    return number - run + 1
            elif not line[:1].isspace():
                run, telling = 0, False
        return len(self.lines)

    def _says_what_follows(self, line: str) -> bool:
        if not 8 < len(line.strip()) < _SHORT_LINE or _ADDRESS.search(line):
            return False
        ruled = line.strip().startswith(_RULED) or line.rstrip().endswith((*_RULED, ":"))
        folded = fold(line).strip(_EDGES)
        if folded.startswith("the original message was"):       # received at ..., as Sendmail begins
            return False
        return (ruled or folded.endswith(("follows", "following", "below", "included", "attached"))) and found(self.words.returned, folded)

    @cached_property
    def report(self) -> list[str]:
        """The lines before the returned mail."""
        return self.lines[: self.end]

    @cached_property
    def _named_in(self) -> list[frozenset[str]]:
        """The addresses in each line of the report."""
        return [frozenset(place.rstrip(".").lower() for place in _ADDRESS.findall(line)) for line in self.report]

    def announces(self) -> bool:
        """Does it say that a mail did not arrive?"""
        return found(self.words.announcements, fold("\n".join(self.report[:_OPENING])))

    def replies(self) -> bool:
        """Does it show what another server answered?"""
        return _REPLY.search("\n".join(self.report)) is not None

    def delays(self) -> bool:
        """Is it only late?"""
        return found(self.words.delays, fold("\n".join(self.report)))

    def returned_ids(self) -> tuple[str, ...]:
        """The Message-IDs of what was returned in the text itself."""
        return tuple(dict.fromkeys(_ID.findall("\n".join(self.lines[self.end:]))))[:10]

    def recipients(self, failed: tuple[str, ...] = ()) -> tuple[str, ...]:
        """Those whom it names: the surest way that names anybody is believed. `failed`: those whom a field of the mail names."""
        ways = self._places()
        for way in (1, 2, 3):
            named = {key: shown for key, shown in ways.get(way, {}).items() if way == 1 or key not in self.own}
            if named:
                return tuple(named.values())[:MAX_RECIPIENTS]
        if failed:
            return failed[:MAX_RECIPIENTS]
        returned = self.returned_to or frozenset(addresses_in(_TO.findall("\n".join(self.lines[self.end:]))))
        known = {key: shown for key, shown in ways.get(4, {}).items() if key in returned - self.own}
        last = [one for one in returned if one not in self.own]
        return tuple(known.values()) or (tuple(last) if len(last) == 1 else self._bare_names())

    def _bare_names(self) -> tuple[str, ...]:
        """A large provider names its own readers without their domain, each in a line of its own."""
        lines = [line for line in self.report[:_OPENING] if line.strip()]
        named = (_BARE.fullmatch(line) for before, line in pairwise(lines) if before.rstrip().endswith(":") and self._announced(before))
        return tuple(f"{name[1]}@{self.domain}" for name in named if name and self.domain)

    def _announced(self, text: str) -> bool:
        return found(self.words.recipients, fold(text))

    def _places(self) -> dict[int, dict[str, str]]:
        """The addresses of the report by how surely they are those that failed."""
        ways: dict[int, dict[str, str]] = {}
        expected, looked_at = False, 0
        for line in self.report:
            seen = list(_ADDRESS.finditer(line))[:20]
            for place in seen:
                shown = place[0].rstrip(".")
                ways.setdefault(self._way(line, place, expected), {}).setdefault(shown.lower(), shown)
            if line.strip():
                expected = self._announced(line) or (expected and bool(seen))
            looked_at += len(seen)
            if looked_at >= _MAX_PLACES:
                break
        return ways

    def _way(self, line: str, place: re.Match[str], expected: bool) -> int:
        """1: a field names it; 2: it was announced; 3: it starts the line, or an answer follows; 4: it is just there; 0: ask there."""
        before, after = line[max(0, place.start() - 160): place.start()], line[place.end(): place.end() + 200]
        if _FIELD.fullmatch(before):
            return 1
        if _COMMAND.search(before) and "mail from" not in before.lower():
            return 3
        leading = fold(before)[-60:]
        if found(self.words.contacts, leading):
            return 0
        starts = _STARTS.fullmatch(before) is not None
        if (starts and expected) or found(self.words.recipients, leading) or _LABEL.fullmatch(before):
            return 2
        if _NAMED.fullmatch(before) and not after.strip(" >\"'),."):
            return 3
        if starts and (not after.strip(" >\"'),.") or after.lstrip(" >\"')")[:1] in (":", "[", "(", "-", ".", "…", "—")):
            return 3
        return 3 if self.words.meaning(after) in _OF_A_RECIPIENT else 4

    def about(self, names: Iterable[str], others: Iterable[str]) -> str:
        """What is said of this one, whatever its names: from each line that has one of them to the next that names another."""
        mine = frozenset(name.lower() for name in names)
        theirs = frozenset(other.lower() for other in others) - mine
        chunk: list[str] = []
        taking, length = False, 0
        for line, named in zip(self.report, self._named_in, strict=True):
            taking = not mine.isdisjoint(named) or (taking and theirs.isdisjoint(named))
            if taking:
                chunk.append(line)
                length += len(line)
            if length > MAX_CHUNK:
                break
        return "\n".join(chunk).strip()

    def whole(self) -> str:
        """All that it says."""
        return "\n".join(self.report)[: MAX_CHUNK * 4].strip()


def answers_the_recipient(text: str) -> bool:
    """Whether another server's answer was given when the recipient was named, not when the mail was there."""
    return _AT_RECIPIENT.search(text) is not None and _AFTER_THE_MAIL.search(text) is None


def says_itself(text: str, meaning: str, words: BounceWords) -> bool:
    """Whether a line means this by itself, without another server's answer in it or above it."""
    before = ""
    for line in text.split("\n")[:50]:
        if not _QUOTED.search(f"{before}\n{line}") and words.meaning(line) == meaning:
            return True
        before = line
    return False


def status_in(text: str) -> str:
    """The first enhanced status code of a failure that tells something; else the first."""
    codes = _STATUS.findall(text[:10_000])
    return next((code for code in codes if not code.endswith(".0.0")), codes[0] if codes else "")


def addresses_in(values: Iterable[str]) -> Iterator[str]:
    """The addresses in these fields of a header, in small letters."""
    for value in values:
        yield from (place.lower() for place in _ADDRESS.findall(header.decode(value, 500)))
