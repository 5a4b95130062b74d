"""What mails with such words wanted so far: a linear model, learned from labelled mails and kept in a language's folder.

`learned.json` holds, for every telling feature (a word's stem, two words in a row, a phrase of wishes.yaml that was found), one small
number a kind: how much it speaks for it; as text, which takes little more than a third of the memory of lists. `python -m
tests.corpus.teach` writes it. It knows words that no list of phrases has, but it cannot be trusted alone: weighing.py holds it against
the phrases.
"""

from base64 import b64decode, b64encode
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from math import sqrt
from struct import pack, unpack
from typing import Any

WHOLE, BEST = 0.7, 0.3  # how much the mail as a whole counts, and the sentence that says it best
LIKELY = 4              # kinds whose words are told
LEAST = -1.5            # no sentence speaks against a kind more than so
SCALE = 20              # the numbers of the file are twentieths
KEPT_ROWS = 8192        # as lanes: most words of a mail are the same few
LANE_OCTETS, HALF = 4, 1 << 31

Row = tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Learned:
    """The kinds, what speaks for each without any word, and the rows of the features."""

    kinds: tuple[str, ...]
    bias: Row
    rows: Mapping[str, str]  # as they are in the file, and last the size: few of them are ever looked at


@dataclass(frozen=True, slots=True)
class Opinion:
    """How much speaks for each kind: above 0 yes, below no. `best`: in the sentence that says it best."""

    kinds: Mapping[str, float]
    best: Mapping[str, float]
    clauses: Mapping[str, float]  # of each kind that some sentence says more than any other, how much
    telling: Mapping[str, tuple[str, ...]]  # of each kind the features that say most for it


def learned(content: Mapping[str, Any]) -> Learned | None:
    """Of a language's learned.json; None where the language has none."""
    if not content:
        return None
    return Learned(tuple(content["kinds"]), tuple(number / SCALE for number in content["bias"][:-1]), content["features"])


def written(row: Sequence[int]) -> str:
    """As it stands in the file: whole numbers of two octets, the lower first, in base64."""
    return b64encode(pack(f"<{len(row)}h", *row)).decode("ascii")


def numbers(row: str) -> tuple[int, ...]:
    """What written() wrote. Raises ValueError where it is nothing of the kind."""
    octets = b64decode(row, validate=True)
    if len(octets) % 2:
        raise ValueError("a row ends within a number")
    return unpack(f"<{len(octets) // 2}h", octets)


@lru_cache(KEPT_ROWS)
def _lanes(row: str) -> int:
    """The numbers of a row side by side in a single one: rows are added as fast as numbers are, and that is most of the work."""
    found = numbers(row)
    return int.from_bytes(pack(f"<{len(found)}I", *[number + HALF for number in found]), "little") - _halves(len(found))


@cache
def _halves(lanes: int) -> int:
    """Half of what a lane holds, in each: with it no lane is below 0, and none takes from its neighbour."""
    return int.from_bytes(pack("<I", HALF) * lanes, "little")


def opinion(model: Learned, shape: Collection[str], sentences: Sequence[Collection[str]]) -> Opinion:
    """Of a mail: the features of each of its sentences, and those of the whole."""
    seen: set[str] = set()
    whole = 0
    best, clauses = [-2.0] * len(model.kinds), dict[str, float]()
    for features in sentences:
        known = model.rows.keys() & features
        fresh = known - seen
        new = _sum(model, fresh)
        whole += new
        said = _scores(model, new + _sum(model, known - fresh))
        seen |= fresh
        best = list(map(max, best, said))
        most = max(said)
        kind = model.kinds[said.index(most)]
        clauses[kind] = max(most, clauses.get(kind, most))
    scores = _scores(model, whole + _sum(model, (model.rows.keys() & shape) - seen))
    mixed = [WHOLE * score + BEST * max(said, LEAST) for score, said in zip(scores, best, strict=True)]
    likely = sorted(range(len(mixed)), key=lambda number: -mixed[number])[:LIKELY]
    words = [(feature, numbers(model.rows[feature])) for feature in seen if feature.isalpha()]
    telling = {model.kinds[number]: _telling(words, number) for number in likely}
    return Opinion(dict(zip(model.kinds, mixed, strict=True)), dict(zip(model.kinds, best, strict=True)), clauses, telling)


def _sum(model: Learned, features: Collection[str]) -> int:
    return sum(_lanes(model.rows[feature]) for feature in features)


def _scores(model: Learned, total: int) -> list[float]:
    """A long mail speaks no louder than a short one."""
    lanes = len(model.kinds) + 1
    found = unpack(f"<{lanes}I", (total + _halves(lanes)).to_bytes(LANE_OCTETS * lanes, "little"))
    size = sqrt((found[-1] - HALF) / SCALE + 1)
    return [(bias + (said - HALF) / SCALE) / size for bias, said in zip(model.bias, found, strict=False)]


def _telling(words: Iterable[tuple[str, Sequence[int]]], number: int) -> tuple[str, ...]:
    said = sorted((-row[number], word) for word, row in words if row[number] > 0)
    return tuple(word for _, word in said[:5])
