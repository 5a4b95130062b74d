"""Teaches mailbot its words: `python -m tests.corpus.teach` reads lessons and the voices heard, and writes each learned.json.

A linear model, one column a kind, fitted by dual coordinate descent (Hsieh et al. 2008, L2 loss): the same examples give the same
file. The voices apart are never read here.
"""

import hashlib
import json
import random
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import log, sqrt
from operator import mul
from pathlib import Path

import yaml

from mailbot import languages
from mailbot.inbox.intent import Kind
from mailbot.inbox.learned import SCALE, written
from mailbot.inbox.lexicon import Lexicon, lexicon
from mailbot.inbox.likeliest import likeliest
from mailbot.inbox.said import own_words
from mailbot.inbox.sentence import sentences, without
from mailbot.inbox.wording import clauses, shape, wording
from tests.corpus.offices import FIRST, LANGUAGES, Mail, Office, mails, message, office

LESSONS = Path(__file__).parent / "lessons"
COST, ROUNDS, LEAST_WEIGHT = 2.0, 8, 4
LEAST_VOICES, LEAST_VOICES_OF_TWO = 2, 3  # of a word, and of two that stand together
NAMES = {"help": Kind.HELP, "latest": Kind.LATEST, "about": Kind.ABOUT}
KINDS = (*sorted({str(kind) for kind in Kind} - {Kind.EMBARGO, Kind.SEVERAL}), "unclear")


@dataclass(frozen=True)
class Example:
    """The features of a mail, what it wants, and whose it is."""

    language: str
    features: frozenset[str]
    kinds: frozenset[str]
    voice: str


def examples(heard: Iterable[Mail]) -> list[Example]:
    book = lexicon(LANGUAGES)
    return [*_lessons(book), *(_example(mail, book) for mail in heard)]


def _lessons(book: Lexicon) -> Iterator[Example]:
    for path in sorted(LESSONS.glob("*.yaml")):
        for names, those in yaml.safe_load(path.read_text(encoding="utf-8")).items():
            for number, text in enumerate(those):
                kinds = frozenset(str(NAMES.get(name, name)) for name in names.split("+")) - {"none"}
                found = features("", text, path.stem, book, None)
                yield Example(path.stem, found, kinds, f"lesson {names} {path.stem} {number}")


def _example(mail: Mail, book: Lexicon) -> Example:
    said = [label.removeprefix("person:").partition(":")[0] for label in mail.right]
    read, to = message(mail), office(mail.office)
    written = without(read.visible_text, {to.address, *([read.sender.address.lower()] if read.sender else [])})
    found = features(read.subject, written, mail.language, book, to)
    return Example(mail.language, found, frozenset(str(NAMES.get(name, name)) for name in said), mail.voice)


def features(subject: str, text: str, code: str, book: Lexicon, to: Office | None) -> frozenset[str]:
    """Of a mail to an office, which has releases; a lesson is written to none."""
    tongue = next(tongue for tongue in book.tongues if tongue.code == code)
    found = sentences(subject, text, book, code, (to or office(FIRST)).now)
    about = likeliest(found, to.context.index, own_words(to.context.own_addresses, to.context.organisation_names), to.now) if to else None
    told = about.marks if about else None
    return shape(found, about).union(*(wording(clause, book, tongue, told) for sentence in found for clause in clauses(sentence)))


def fit(taught: Sequence[Example], seed: int = 0) -> dict[str, list[float]]:
    """The rows by feature, each ending with its size, and the bias under "". A feature that only one voice has tells of that voice
    alone; one that most mails have tells little, and counts by its rarity."""
    voices, often = defaultdict(set), Counter[str]()
    for example in taught:
        often.update(example.features)
        for feature in example.features:
            voices[feature].add(example.voice)
    kept = {feature: number for number, feature in enumerate(sorted(one for one in voices if _is_common(one, len(voices[one]))))}
    rarity = [log(len(taught) / often[feature]) for feature in kept] + [1.0]
    rows = [_row([kept[feature] for feature in sorted(example.features) if feature in kept], rarity) for example in taught]
    columns = [_column(rows, [1 if kind in example.kinds else -1 for example in taught], len(rarity), seed) for kind in KINDS]
    sized = [[weight * worth for weight, worth in zip(column, rarity, strict=True)] for column in columns]
    sized.append([worth**2 for worth in rarity])
    return {feature: [column[number] for column in sized] for feature, number in {**kept, "": len(kept)}.items()}


def _is_common(feature: str, voices: int) -> bool:
    return voices >= (LEAST_VOICES_OF_TWO if any(mark in feature for mark in " _>") else LEAST_VOICES)


def _row(features: Sequence[int], rarity: Sequence[float]) -> tuple[tuple[int, ...], tuple[float, ...]]:
    """The features and the bias, and how much of each: together they are one long, as short a mail as it may be."""
    numbers = (*features, len(rarity) - 1)
    size = sqrt(sum(rarity[number] ** 2 for number in numbers))
    return numbers, tuple(rarity[number] / size for number in numbers)


def _column(rows: Sequence[tuple[tuple[int, ...], tuple[float, ...]]], wanted: Sequence[int], features: int, seed: int) -> list[float]:
    weights, alphas = [0.0] * features, [0.0] * len(rows)
    order, chance = list(range(len(rows))), random.Random(seed)
    for turn in range(ROUNDS):
        chance.shuffle(order)
        # Most are far on their side after one turn: those that no turn has moved are asked again in every third one only.
        for number in order if turn % 3 == 0 else [number for number in order if alphas[number]]:
            (numbers, values), sign = rows[number], wanted[number]
            said = sum(map(mul, map(weights.__getitem__, numbers), values))
            step = (sign * said - 1 + alphas[number] / (2 * COST)) / (1 + 1 / (2 * COST))
            alpha = max(0.0, alphas[number] - step)
            if change := (alpha - alphas[number]) * sign:
                alphas[number] = alpha
                for feature, value in zip(numbers, values, strict=True):
                    weights[feature] += change * value
    return weights


def content(rows: Mapping[str, Sequence[float]], spoken: frozenset[str]) -> dict[str, object]:
    """What learned.json holds: the features of one language in whole numbers and with their size, without those that tell nothing."""
    whole = {feature: [round(weight * SCALE) for weight in row] for feature, row in rows.items()}
    telling = {one: written(row) for one, row in whole.items() if one in spoken and max(map(abs, row[:-1])) >= LEAST_WEIGHT}
    return {"kinds": KINDS, "bias": whole[""], "features": telling}


def contents(taught: Sequence[Example]) -> dict[str, dict[str, object]]:
    """Of every language; taught together, for what a phrase of wishes.yaml means is the same in all of them."""
    rows = fit(taught)
    return {
        code: content(rows, frozenset().union(*(example.features for example in taught if example.language == code)))
        for code in sorted({example.language for example in taught})
    }


def taught_from() -> str:
    """One hash of all that a learned.json follows from: the mails, lessons and words, and the code that makes features of them."""
    package = Path(languages.__file__).parent
    voices = Path(__file__).parent / "voices"
    files = [
        *(path for name in ("heard*", "offices", "releases*") for path in sorted(voices.glob(f"{name}.yaml"))),
        *sorted(LESSONS.glob("*.yaml")),
        *sorted(languages.shipped().glob("*/*.yaml")), Path(__file__),
        *(package / "inbox" / f"{name}.py" for name in ("sentence", "wording", "lexicon", "language", "learned", "likeliest")),
        *sorted((package / "releases").glob("search*.py")),
    ]  # fmt: skip
    return hashlib.sha256(b"".join(hashlib.sha256(path.read_bytes()).digest() for path in files)).hexdigest()


if __name__ == "__main__":
    for code, learned in contents(examples(mails("heard"))).items():
        learned["from"] = taught_from()
        path = languages.shipped() / code / "learned.json"
        path.write_text(json.dumps(learned, separators=(",", ":")) + "\n", encoding="ascii")
        print(f"{path.name} of {code}: {path.stat().st_size // 1000} kB")
