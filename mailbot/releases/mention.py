"""What an edition mentions that must be the same in every language: a figure, a date, a name, a link, a telephone number.

Two mentions of the same thing seldom say exactly the same: "28 October" leaves out the year, "22 heures" may be a time or a
duration. So each has what it `gives` to the other edition, and what it `needs` to find there: one of these is enough. What is
too doubtful to raise an alarm needs nothing, and still answers for what stands in the other edition.
"""

import re
from dataclasses import dataclass
from enum import StrEnum

GAP = " \u00a0\u202f\u2009"
_SENTENCE = re.compile(r"(?<=[.!?…])[»”\"’)]*\s+(?=[«“\"(]?\s*[^\W\d_a-zà-ÿ])|\n")
_ABBREVIATED = re.compile(r"(?<!\w)(?![a-zà-ÿ])[^\W\d_][a-zà-ÿ]{0,2}\.$")  # "M.", "Dr."
LONGEST_SENTENCE = 240


class Kind(StrEnum):
    """What can differ."""

    FIGURE = "figure"
    DATE = "date"
    NAME = "name"
    LINK = "link"
    PHONE = "phone"


@dataclass(frozen=True, slots=True)
class Mention:
    """Where it stands in its text, what it gives, and what it needs."""

    kind: Kind
    start: int
    end: int
    gives: frozenset[str]
    needs: frozenset[str]


def mention(kind: Kind, span: tuple[int, int], keys: set[str], *, certain: bool = True) -> Mention:
    """One that needs any of what it gives; nothing where it is not certain."""
    return Mention(kind, *span, frozenset(keys), frozenset(keys) if certain else frozenset())


def free(taken: list[tuple[int, int]], span: tuple[int, int]) -> bool:
    """Whether nobody else has a part of this span."""
    return not any(span[0] < end and start < span[1] for start, end in taken)


def sentence_at(text: str, span: tuple[int, int]) -> str:
    """The sentence in which a span stands; of a very long one the words around it."""
    ends = [found.start() for found in _SENTENCE.finditer(text) if not _ABBREVIATED.search(text, max(0, found.start() - 5), found.start())]
    start = max((end for end in ends if end <= span[0]), default=0)
    stop = min((end for end in ends if end >= span[1]), default=len(text))
    if stop - start <= LONGEST_SENTENCE:
        return " ".join(text[start:stop].split()).lstrip("»”’) ")
    half = (LONGEST_SENTENCE - (span[1] - span[0])) // 2
    first, last = max(start, span[0] - half), min(stop, span[1] + half)
    shown = " ".join(text[first:last].split(" ")[first > start :][: None if last == stop else -1])
    return ("… " if first > start else "") + " ".join(shown.split()) + (" …" if last < stop else "")
