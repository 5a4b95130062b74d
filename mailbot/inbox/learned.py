"""What mails with such words wanted so far: a linear model, learned from labelled mails and kept in a language's folder.

`learned.json` holds, for every telling feature (a word's stem, two words in a row, a phrase of wishes.yaml that was found), one small
number a kind: how much it speaks for it; as text, which takes little more than a third of the memory of lists. `python -m
tests.corpus.teach` writes it. It knows words that no list of phrases has, but it cannot be trusted alone: weighing.py holds it against
the phrases.
"""

from base64 import b64decode, b64encode
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import sqrt
from operator import add
from struct import pack, unpack
from typing import Any

WHOLE, BEST = 0.7, 0.3  # how much the mail as a whole counts, and the sentence that says it best
LIKELY = 4              # kinds whose words are told
LEAST = -1.5            # no sentence speaks against a kind more than so
SCALE = 20              # the numbers of the file are twentieths
KEPT_ROWS = 4096        # as numbers: most words of a mail are the same few

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


@lru_cache(KEPT_ROWS)
def numbers(row: str) -> tuple[int, ...]:
    """What written() wrote. Raises ValueError where it is nothing of the kind."""
    octets = b64decode(row, validate=True)
    if len(octets) % 2:
        raise ValueError("a row ends within a number")
    return unpack(f"<{len(octets) // 2}h", octets)


def opinion(model: Learned, shape: Collection[str], sentences: Sequence[Collection[str]]) -> Opinion:
    """Of a mail: the features of each of its sentences, and those of the whole."""
    seen: set[str] = set()
    whole = [0] * (len(model.kinds) + 1)
    best, clauses = [-2.0] * len(model.kinds), dict[str, float]()
    for features in sentences:
        known = model.rows.keys() & features
        fresh = known - seen
        new = _sum(model, fresh)
        whole = _added(whole, new)
        said = _scores(model, _added(new, _sum(model, known & seen)) if len(fresh) < len(known) else new)
        seen |= fresh
        best = list(map(max, best, said))
        most = max(said)
        kind = model.kinds[said.index(most)]
        clauses[kind] = max(most, clauses.get(kind, most))
    shaping = (model.rows.keys() & shape) - seen
    scores = _scores(model, _added(whole, _sum(model, shaping)))
    mixed = [WHOLE * score + BEST * max(said, LEAST) for score, said in zip(scores, best, strict=True)]
    likely = sorted(range(len(mixed)), key=lambda number: -mixed[number])[:LIKELY]
    telling = {model.kinds[number]: _telling(model, seen, number) for number in likely}
    return Opinion(dict(zip(model.kinds, mixed, strict=True)), dict(zip(model.kinds, best, strict=True)), clauses, telling)


def _sum(model: Learned, features: Collection[str]) -> list[int]:
    if not features:
        return [0] * (len(model.kinds) + 1)
    return list(map(sum, zip(*(numbers(model.rows[feature]) for feature in features), strict=True)))


def _added(one: Sequence[int], other: Sequence[int]) -> list[int]:
    return list(map(add, one, other))


def _scores(model: Learned, total: Sequence[int]) -> list[float]:
    """A long mail speaks no louder than a short one."""
    size = sqrt(total[-1] / SCALE + 1)
    return [(bias + found / SCALE) / size for bias, found in zip(model.bias, total, strict=False)]


def _telling(model: Learned, seen: Iterable[str], number: int) -> tuple[str, ...]:
    words = [(-speaks, feature) for feature in seen if feature.isalpha() and (speaks := numbers(model.rows[feature])[number]) > 0]
    return tuple(feature for _, feature in sorted(words)[:5])
