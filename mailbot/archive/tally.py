"""What a year is counted by: each mail and each release that left becomes a few numbers, which name nobody and outlive its words.

The numbers of rows that are still there and of those that are gone are made by the same rules, so that the yearly report of a past
year does not change when its mail is let go. A word that was asked for is counted once three different people have asked for it, and never
before: what one person alone has written stays with that person's mail, and goes with it.
"""

import re
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, tzinfo
from enum import StrEnum
from typing import Any, NamedTuple

from mailbot.inbox.language import fold, tokens
from mailbot.inbox.reason import PROTECTED, Reason

ASKED_BY = 3            # so many different people make a word everybody's
SHORTEST_WORD, LONGEST_WORD = 4, 40
NO_RELEASE = frozenset({Reason.NO_MATCH, Reason.HALF_MATCH, Reason.NOTHING_PUBLIC})
ASKS = frozenset({"send_release", "hand_off"})
_WORD = re.compile(r"[^\W\d_]+")
CLOSED = "closed"       # the state of a case for which nothing was sent


class Figure(StrEnum):
    """What is counted."""

    REQUESTS = "requests"
    BY_MAILBOT = "by-mailbot"
    BY_COLLEAGUE = "by-colleague"
    CLOSED = "closed-without-answer"
    SECONDS = "answer-seconds"      # detail: rounded to two digits
    DEADLINES = "deadlines"
    MISSED = "missed-deadlines"
    NO_RELEASE = "no-release"
    TOPIC = "topic"                 # detail: a word
    SENT = "sent"                   # detail: answer or broadcast; mails that brought a release
    MEDIUM = "sent-by-medium"       # detail: of those the medium of who got it, where somebody has said; no language


class Count(NamedTuple):
    """The name of a number."""

    year: int
    figure: str
    language: str = ""
    detail: str = ""


Tally = Counter[Count]


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a request was answered by, first; `by_mailbot`: without a colleague's word."""

    at: datetime
    by_mailbot: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What is known of a mail without a word of it."""

    received_at: datetime
    kind: str
    outcome: str
    reason: str
    language: str
    answer: Answer | None = None
    deadline: datetime | None = None
    closed_at: datetime | None = None   # when its case ended without an answer; None: there is none, or it is open


def counted(asked: Asked, zone: tzinfo, now: datetime) -> Tally:
    """What a mail adds to its year. A call for help, and what was no request, adds nothing."""
    if asked.kind != "request" or asked.outcome not in ASKS or asked.reason in PROTECTED:
        return Counter()
    year, language = asked.received_at.astimezone(zone).year, asked.language
    found: Tally = Counter({Count(year, Figure.REQUESTS, language): 1})
    if asked.answer is not None:
        found[Count(year, Figure.BY_MAILBOT if asked.answer.by_mailbot else Figure.BY_COLLEAGUE, language)] += 1
        seconds = max(0.0, (asked.answer.at - asked.received_at).total_seconds())
        found[Count(year, Figure.SECONDS, language, str(rounded(seconds)))] += 1
    elif asked.closed_at is not None:
        found[Count(year, Figure.CLOSED, language)] += 1
    if asked.deadline is not None:
        found[Count(year, Figure.DEADLINES, language)] += 1
        met = asked.answer.at if asked.answer else asked.closed_at or now
        found[Count(year, Figure.MISSED, language)] += met > asked.deadline
    if asked.reason in NO_RELEASE:
        found[Count(year, Figure.NO_RELEASE, language)] += 1
    return +found


def rounded(seconds: float) -> int:
    """To two digits: enough for a median, too little to tell one mail from another."""
    whole = int(seconds)
    digits = str(whole)
    return int(digits[:2] + "0" * (len(digits) - 2))


def median(seconds: Mapping[int, int]) -> int | None:
    """Of how often each value occurs; None where none does."""
    total, below = sum(seconds.values()), 0
    for value in sorted(seconds):
        below += seconds[value]
        if 2 * below >= total > 0:
            return value
    return None


def topic_words(explanation: Mapping[str, Any], noise: Collection[str]) -> frozenset[str]:
    """The words of what was asked for and not found, as they were written; `noise`: small words, and those of every request, folded."""
    told = " ".join(str(one) for one in explanation.get("evidence", ())).lower()
    names = {word for part in str(explanation.get("sender", "")).split("@") for word in tokens(part)}
    found = (word for word in _WORD.findall(told) if SHORTEST_WORD <= len(word) <= LONGEST_WORD)
    return frozenset(word for word in found if fold(word) not in noise and fold(word) not in names)


def shared(asked_for: Iterable[tuple[str, frozenset[str]]], known: Collection[str]) -> frozenset[str]:
    """The words, folded, that enough different people have asked for (sender, words), and those that are counted already."""
    people: dict[str, set[str]] = {}
    for sender, words in asked_for:
        for word in words:
            people.setdefault(fold(word), set()).add(sender)
    before = {fold(word) for word in known}
    return frozenset(word for word, who in people.items() if len(who) >= ASKED_BY or word in before)
