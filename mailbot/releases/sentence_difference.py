"""What a reader finds changed between two versions of a release: old sentence and new sentence side by side.

Both are cut into sentences, part by part. Sentences that stand in both are left out; what is left between two of those is paired by the
words that they share, so that a corrected figure stands beside its old sentence also where another sentence was added.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from enum import StrEnum

from mailbot.releases.body import plain_paragraphs
from mailbot.releases.release import Edition, day_of

ALIKE = 0.3     # of the words of both: less, and the one does not stand for the other
MOST_PAIRED = 60    # sentences in a row that are held against each other; more was written anew
# A full stop, perhaps with a closing mark after it, then a space, then what can begin a sentence.
_END = re.compile(r"[.!?…](?:[\s\u00a0\u202f]?[»”’\"')\]])*(?=[ \n]+[^\Wa-z_]|[ \n]+[«“‘\"'(\[–—-])")
_NO_END = re.compile(r"(?:^|[\s\u00a0\u202f(«“])(?:(?![a-z])[^\W\d_][a-z]{0,2}|[^\W\d_](?:\.[^\W\d_])+)\.$")  # M., Dr., J., U.S.
_PIECE = re.compile(r"\+?\d+(?:[.,'’\u00a0\u202f ]\d+)*|[^\W\d_]+|\s+|[^\w\s]|_")


class Part(StrEnum):
    """Where a sentence stands."""

    TITLE = "title"
    PLACE = "place"
    DATE = "date"
    TEXT = "text"
    NOTES = "notes"
    CONTACT = "contact"


@dataclass(frozen=True, slots=True)
class Piece:
    """Some words of a sentence; `changed`: the other version has others here."""

    text: str
    changed: bool


@dataclass(frozen=True, slots=True)
class Change:
    """One place: what it said, what it says. Empty: there was nothing, there is nothing any more. A date is an ISO day."""

    part: Part
    before: str
    after: str

    def pieces(self) -> tuple[tuple[Piece, ...], tuple[Piece, ...]]:
        """Both sentences, cut where they differ."""
        old, new = _PIECE.findall(self.before), _PIECE.findall(self.after)
        steps = SequenceMatcher(None, old, new, autojunk=False).get_opcodes()
        sides = (
            tuple(Piece("".join(old[a:b]), step != "equal") for step, a, b, _, _ in steps if b > a),
            tuple(Piece("".join(new[c:d]), step != "equal") for step, _, _, c, d in steps if d > c),
        )  # fmt: skip
        return sides if self.before and self.after else tuple(tuple(Piece(one.text, False) for one in side) for side in sides)  # type: ignore[return-value]


def difference(old: Edition, new: Edition) -> tuple[Change, ...]:
    """Every change that a reader sees, in the order of reading; empty where there is none."""
    return tuple(change for part, before, after in _parts(old, new) for change in _changes(part, before, after))


def sentences(paragraph: str) -> tuple[str, ...]:
    """The sentences of a paragraph. In doubt two stay one: that reads well, half a sentence does not."""
    found, start = [], 0
    for end in _END.finditer(paragraph):
        if end[0].startswith(".") and _NO_END.search(paragraph, start, end.start() + 1):
            continue
        found.append(paragraph[start : end.end()].strip())
        start = end.end()
    return (*found, rest) if (rest := paragraph[start:].strip()) else tuple(found)


def _parts(old: Edition, new: Edition) -> Iterator[tuple[Part, Sequence[str], Sequence[str]]]:
    yield Part.TITLE, (old.title,), (new.title,)
    yield Part.PLACE, (old.place,) if old.place else (), (new.place,) if new.place else ()
    yield Part.DATE, (day_of(old).isoformat(),), (day_of(new).isoformat(),)
    yield Part.TEXT, _sentences_of(old.body), _sentences_of(new.body)
    yield Part.NOTES, _sentences_of(old.notes), _sentences_of(new.notes)
    yield Part.CONTACT, _lines_of(old.contact), _lines_of(new.contact)


def _sentences_of(body: str) -> tuple[str, ...]:
    return tuple(sentence for paragraph in plain_paragraphs(body) for sentence in sentences(paragraph))


def _lines_of(text: str) -> tuple[str, ...]:
    return tuple(line.strip() for line in text.splitlines() if line.strip())


def _changes(part: Part, old: Sequence[str], new: Sequence[str]) -> Iterator[Change]:
    for step, a, b, c, d in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if step != "equal":
            yield from (Change(part, before, after) for before, after in _paired(old[a:b], new[c:d]))


def _paired(old: Sequence[str], new: Sequence[str]) -> list[tuple[str, str]]:
    """Each old sentence beside the new one that stands for it, in order; alone where none does."""
    if len(old) == len(new) == 1:
        return [(old[0], new[0])]
    if len(old) * len(new) > MOST_PAIRED**2:
        return [(sentence, "") for sentence in old] + [("", sentence) for sentence in new]
    words_old, words_new = [_words(one) for one in old], [_words(one) for one in new]
    # best[i][j]: how much alike the pairs are that can be made of what is left from old[i] and new[j] on.
    best = [[0.0] * (len(new) + 1) for _ in range(len(old) + 1)]
    for i in range(len(old) - 1, -1, -1):
        for j in range(len(new) - 1, -1, -1):
            alike = _alike(words_old[i], words_new[j])
            best[i][j] = max(best[i + 1][j], best[i][j + 1], alike + best[i + 1][j + 1] if alike >= ALIKE else 0.0)
    pairs, i, j = [], 0, 0
    while i < len(old) and j < len(new):
        alike = _alike(words_old[i], words_new[j])
        if alike >= ALIKE and best[i][j] == alike + best[i + 1][j + 1]:
            pairs.append((old[i], new[j]))
            i, j = i + 1, j + 1
        elif best[i][j] == best[i + 1][j]:
            pairs.append((old[i], ""))
            i += 1
        else:
            pairs.append(("", new[j]))
            j += 1
    return [*pairs, *((sentence, "") for sentence in old[i:]), *(("", sentence) for sentence in new[j:])]


def _words(sentence: str) -> frozenset[str]:
    return frozenset(re.findall(r"\w+", sentence.casefold()))


def _alike(one: frozenset[str], other: frozenset[str]) -> float:
    return 2 * len(one & other) / (len(one) + len(other)) if one and other else 0.0
