"""What a bounce says in words: whom it names, what is said of each, and where the returned mail begins.

Some seventy mail systems write no report part, or one that says less than their text. They differ in words, which stand in
config/bounces.yaml, and hardly in form: an announcement, the addresses at the start of lines or after `to`, the other server's answer, the
mail that was returned. So there is one reader for all, in one pass over the lines.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property

from mailbot.bounces import BounceWords, fold, found
from mailbot.message import header

MAX_TEXT = 40_000       # characters of a report; what follows is the returned mail
MAX_LINES = 800
MAX_RECIPIENTS = 100
MAX_CHUNK = 1_500       # characters that speak of one recipient
_SHORT_LINE = 100
_OPENING = 60           # lines in which a report says what it is

_ADDRESS = re.compile(r"[^\s<>()\[\]\"',;:=|]{1,64}@[A-Za-z0-9#\[][A-Za-z0-9._#\[\]-]{0,250}[A-Za-z0-9\]]")
_STARTS = re.compile(r"[\s<\"'*>•·|(\[-]{0,40}(?:[45]\d\d[ -])?(?:[^<>@\n:]{0,60}<)?\s?")
_FIELD = re.compile(r"[\s>*-]{0,20}(?:final|original|failed)-recipients?\s*:\s*(?:rfc822\s*;)?\s*<?", re.IGNORECASE)
_COMMAND = re.compile(r"\brcpt to\s*:\s*<?", re.IGNORECASE)
_LABEL = re.compile(r"[\s>*-]{0,20}(?:[^\W\d_][^:\n@]{0,30})?\b(?:to|recipient|address|user|destinataire|empfänger)\s?:\s*[<\"']?$", re.IGNORECASE)
_REPLY = re.compile(r"(?m)^[ \t]{0,20}(?:(?:>>>|<<<|Out:)[ \t]{0,5})?[45]\d\d[ -]")
_HEADER = re.compile(r"(?i)(received|return-path|message-id|from|to|subject|date|mime-version|content-type|delivered-to|dkim-signature|x-[a-z-]+):")
_TELLING = ("received", "return-path", "message-id", "mime-version")
_ID = re.compile(r"(?im)^[ \t>]{0,8}message-id\s?:\s{0,3}(<[^<>\s]{1,250}>)")
_TO = re.compile(r"(?im)^[ \t>]{0,8}(?:to|cc|x-envelope-to|x-rcpt-to)\s?:([^\n]{1,500})")
_STATUS = re.compile(r"(?<![\w.])([45]\.\d{1,3}\.\d{1,3})(?!\.?\d)")
_AT_RECIPIENT = re.compile(r"\brcpt\b|\brcpt_to\b|does not like recipient", re.IGNORECASE)
_AFTER_THE_MAIL = re.compile(r"end of data|after data|to data command|>>> data\b", re.IGNORECASE)
_QUOTED = re.compile(r"(?<![\w.])[45]\d\d(?![\w.])")
_OF_A_RECIPIENT = ("unknown-user", "unknown-host", "full", "moved", "disabled")
_EDGES = " \t-*=_#>.:|~+"


@dataclass(frozen=True)
class BounceText:
    """The text of a mail system's mail, and the words to read it with. `own`: keys of those it was sent to and of its sender."""

    text: str
    words: BounceWords
    own: frozenset[str] = frozenset()
    returned_to: frozenset[str] = frozenset()       # to whom the returned mail was written, where it came as a part

    @cached_property
    def lines(self) -> list[str]:
        return self.text[:MAX_TEXT].split("\n")[:MAX_LINES]

    @cached_property
    def end(self) -> int:
        """The number of the line from which on the returned mail stands."""
        run, telling = 0, False
        for number, line in enumerate(self.lines):
            if self._marks_the_returned(line) and number:
                return number
            named = _HEADER.match(line)
            if named:
                run, telling = run + 1, telling or named[1].lower() in _TELLING
                if run >= 3 and telling:
                    return number - run + 1
            elif not line[:1].isspace() or not line.strip():
                run, telling = 0, False
        return len(self.lines)

    def _marks_the_returned(self, line: str) -> bool:
        if not 8 < len(line.strip()) < _SHORT_LINE or _ADDRESS.search(line):
            return False
        edged = line.strip().startswith(("-", "*", "=", "_")) or line.rstrip().endswith(("-", "*", "=", "_", ":"))
        folded = fold(line).strip(_EDGES)
        if folded.startswith(("the original message was", "transcript")):
            return False
        return (edged or folded.endswith(("follows", "following", "below", "included", "attached"))) and found(self.words.returned, folded)

    @cached_property
    def report(self) -> list[str]:
        """The lines before the returned mail."""
        return self.lines[: self.end]

    @cached_property
    def rest(self) -> str:
        return "\n".join(self.lines[self.end:])

    def announces(self) -> bool:
        """Does it say that a mail did not arrive?"""
        return found(self.words.announcements, fold("\n".join(self.report[:_OPENING])))

    def replies(self) -> bool:
        """Does it show what another server answered?"""
        return _REPLY.search("\n".join(self.report[:_OPENING * 2])) is not None

    def delays(self) -> bool:
        """Is it only late?"""
        return found(self.words.delays, fold("\n".join(self.report)))

    def returned_ids(self) -> tuple[str, ...]:
        """The Message-IDs of what was returned in the text itself."""
        return tuple(dict.fromkeys(_ID.findall(self.rest)))[:10]

    def recipients(self, failed: tuple[str, ...] = ()) -> tuple[str, ...]:
        """Those whom it names: the surest way that names anybody is believed. `failed`: those whom a field of the mail names."""
        ways: dict[int, dict[str, str]] = {}
        expected = False
        for line in self.report:
            seen = list(_ADDRESS.finditer(line))
            for place in seen:
                way = self._way(line, place, expected)
                if way:
                    ways.setdefault(way, {}).setdefault(place[0].lower().rstrip("."), place[0].rstrip("."))
            if line.strip():
                expected = found(self.words.recipients, fold(line)) or (expected and bool(seen))
        returned = self.returned_to or frozenset(_addresses(match[1] for match in _TO.finditer(self.rest)))
        for way in (1, 2, 3, 4, 5):
            if way == 4 and failed:
                return failed
            named = {key: shown for key, shown in ways.get(way, {}).items() if key not in self.own or way == 1}
            known = {key: shown for key, shown in named.items() if key in returned}
            if known or named and way < 5:
                return tuple((known if way == 5 else named).values())[:MAX_RECIPIENTS]
        last = [one for one in returned if one not in self.own]
        return tuple(last) if len(last) == 1 else ()

    def _way(self, line: str, place: re.Match[str], expected: bool) -> int:
        """How surely an address at this place is one that failed: 1 a field, 2 announced, 3 at the start or with an answer, 5 just there."""
        before, after = line[: place.start()], line[place.end():]
        if _FIELD.fullmatch(before):
            return 1
        if _COMMAND.search(before) and "mail from" not in before.lower():
            return 3
        if found(self.words.contacts, fold(before)[-60:]):
            return 0
        starts = _STARTS.fullmatch(before) is not None
        announced = found(self.words.recipients, fold(before)[-60:]) and len(before) < 160
        if (starts and expected) or announced or _LABEL.fullmatch(before):
            return 2
        if starts and (not after.strip(" >\"'),.") or after.lstrip(" >\"')")[:1] in (":", "[", "(", "-", ".", "…", "—")):
            return 3
        return 3 if self.words.meaning(after[:200]) in _OF_A_RECIPIENT else 5

    def about(self, names: Iterable[str], others: Iterable[str]) -> str:
        """What is said of this one, whatever its names: from each line that has one of them to the next that names another."""
        mine = {name.lower() for name in names}
        theirs = {other.lower() for other in others} - mine
        chunk: list[str] = []
        taking, length = False, 0
        for line in self.report:
            low = line.lower()
            if any(one in low for one in mine):
                taking = True
            elif any(other in low for other in theirs):
                taking = False
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
    for line in text.split("\n"):
        if not _QUOTED.search(f"{before}\n{line}") and words.meaning(line) == meaning:
            return True
        before = line
    return False


def status_in(text: str) -> str:
    """The first enhanced status code of a failure that tells something; else the first."""
    codes = _STATUS.findall(text[:10_000])
    return next((code for code in codes if not code.endswith(".0.0")), codes[0] if codes else "")


def _addresses(values: Iterable[str]) -> Iterator[str]:
    for value in values:
        yield from (place[0].lower() for place in _ADDRESS.finditer(header.decode(value, 500)))


addresses_in = _addresses
