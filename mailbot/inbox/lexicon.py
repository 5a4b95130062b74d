"""The phrases of the language folders, ready to be found in a sentence.

A phrase is written as people say it. Its words are compared by their stems and without accents; `=word` wants that very
form, `^word` opens the sentence, `_` stands for up to three words. Nothing here knows a language: the stemmer's name stands in the folder.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache, partial
from typing import Any

import snowballstemmer

from mailbot.inbox.deadline import Clock, clock
from mailbot.inbox.language import tokens
from mailbot.inbox.learned import Learned, learned
from mailbot.languages import Language
from mailbot.releases import dates

LONGEST_WORD = 40   # a longer "word" is no word and is not stemmed
LONGEST_GAP = 3
FOREIGN_LETTERS = 5  # in a mail of another language, a single word shorter than this is most likely one of that language's own


@dataclass(frozen=True, slots=True)
class Phrase:
    """What it means, its forms in order, how it is written in the folder, and the words of that."""

    concept: str
    forms: tuple[str, ...]
    written: str
    opening: bool = False
    words: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Hit:
    """A phrase found in a sentence: tokens `start` up to `end`."""

    concept: str
    start: int
    end: int
    phrase: Phrase


@dataclass(frozen=True, slots=True)
class Tongue:
    """One language's phrases by the form of their first word, or of their first two, and its words that carry no meaning of their own."""

    code: str
    stem: Callable[[str], str]
    phrases: Mapping[str, tuple[Phrase, ...]]               # of one word, or with a gap after it
    pairs: Mapping[tuple[str, str], tuple[Phrase, ...]]
    small: frozenset[str]
    related: Mapping[str, tuple[str, ...]]  # by stem: the groups of words that say nearly the same
    learned: Callable[[], Learned | None]  # large, and for the few who ask


@dataclass(frozen=True, slots=True)
class Lexicon:
    """Every language at once: people mix them."""

    tongues: tuple[Tongue, ...]
    small: frozenset[str]
    letter: frozenset[str]
    self_words: frozenset[str]
    deadline: frozenset[str]
    possessive: frozenset[str]
    denial: frozenset[str]      # a word after one of these is denied, until one that turns the sentence
    turning: frozenset[str]
    grammar: dates.Grammar
    clock: Clock
    reply_prefixes: frozenset[str]
    automatic_subject: tuple[str, ...]
    automatic_text: tuple[str, ...]


_OTHER_KEYS = ("self", "deadline", "possessive", "denial", "turning", "automatic", "languages", "wishes")


def lexicon(languages: Mapping[str, Language]) -> Lexicon:
    """The phrases of these languages; made once, it takes some hundredths of a second."""
    return _lexicon(tuple(languages.values()))


@lru_cache(maxsize=4)
def _lexicon(all_of: tuple[Language, ...]) -> Lexicon:

    def folded(section: str, *keys: str) -> frozenset[str]:
        entries = (entry for language in all_of for key in keys for entry in getattr(language, section).get(key, ()))
        return frozenset(token for entry in entries for token in tokens(str(entry)))

    def automatic(key: str) -> tuple[str, ...]:
        entries = (entry for language in all_of for entry in language.wishes.get("automatic", {}).get(key, ()))
        return tuple(dict.fromkeys(f" {' '.join(tokens(entry))} " for entry in entries))

    return Lexicon(
        tongues=tuple(_tongue(language) for language in all_of),
        small=folded("words", "function_words", "letter_words"),
        letter=folded("words", "letter_words"),
        self_words=folded("wishes", "self"),
        deadline=folded("wishes", "deadline"),
        possessive=folded("wishes", "possessive"),
        denial=folded("wishes", "denial"),
        turning=folded("wishes", "turning"),
        grammar=dates.grammar([language.dates for language in all_of]),
        clock=clock([language.dates for language in all_of]),
        reply_prefixes=folded("mail", "reply_prefixes"),
        automatic_subject=automatic("subject"),
        automatic_text=automatic("text"),
    )


def find(words: Sequence[str], book: Lexicon, language: str) -> tuple[Hit, ...]:
    """Every phrase in these folded tokens, by place; the mail's own language is believed more than the others."""
    found: list[Hit] = []
    main = next((tongue for tongue in book.tongues if tongue.code == language), None)
    exact = [f"={word}" for word in words]
    opens = next((place for place, word in enumerate(words) if word not in book.letter), 0)
    for tongue in book.tongues:
        stems = [tongue.stem(word) for word in words]
        other = main if tongue is not main else None
        for start, begun in enumerate(_begun(tongue, exact, stems)):
            for phrase in begun:
                if (phrase.opening and start > opens) or (other and _is_chance(phrase, words[start], other)):
                    continue
                if end := start + 1 if len(phrase.forms) == 1 else _end(phrase.forms, words, stems, start):
                    found.append(Hit(phrase.concept, start, end, phrase))
    return tuple(sorted(found, key=lambda hit: (hit.start, -hit.end, hit.concept)))


def _begun(tongue: Tongue, exact: Sequence[str], stems: Sequence[str]) -> Iterator[Iterable[Phrase]]:
    """For each word the phrases that may begin there, by its form and that of the next word."""
    singles, pairs, last = tongue.phrases, tongue.pairs, len(stems) - 1
    for at, (form, stem) in enumerate(zip(exact, stems, strict=True)):
        begun = [*singles.get(form, ()), *singles.get(stem, ())]
        if at < last:
            for one in (form, stem):
                for two in (exact[at + 1], stems[at + 1]):
                    begun += pairs.get((one, two), ())
        yield begun


def _is_chance(phrase: Phrase, word: str, main: Tongue) -> bool:
    """One word of another language counts as it is written there only, and not where it is short or small in the mail's own."""
    return len(phrase.forms) == 1 and (len(word) < FOREIGN_LETTERS or word in main.small or word not in phrase.words)


def _end(forms: Sequence[str], words: Sequence[str], stems: Sequence[str], at: int) -> int:
    """Where the phrase that starts at `at` ends; 0 where it is not there."""
    place = at
    for number, form in enumerate(forms):
        if form == "_":
            rest = forms[number + 1 :]
            return next((end for skip in range(LONGEST_GAP + 1) if (end := _end(rest, words, stems, place + skip))), 0)
        if place >= len(words) or (words[place] != form[1:] if form.startswith("=") else stems[place] != form):
            return 0
        place += 1
    return place


def _tongue(language: Language) -> Tongue:
    stem = _stemmer(str(language.words.get("stemmer", "")))
    phrases: dict[str, list[Phrase]] = {}
    pairs: dict[tuple[str, str], list[Phrase]] = {}
    for concept, written in _entries(language.wishes):
        forms = tuple(_forms(written.removeprefix("^"), stem))
        plain = written.replace("=", "")
        phrase = Phrase(concept, forms, plain, written.startswith("^"), frozenset(tokens(plain)))
        if len(forms) > 1 and "_" not in forms[:2]:
            pairs.setdefault((forms[0], forms[1]), []).append(phrase)
        elif forms and forms[0] != "_":
            phrases.setdefault(forms[0], []).append(phrase)
    small = frozenset(token for key in ("function_words", "letter_words") for word in language.words.get(key, ()) for token in tokens(word))
    by_one = {form: tuple(those) for form, those in phrases.items()}
    by_two = {forms: tuple(those) for forms, those in pairs.items()}
    return Tongue(language.code, stem, by_one, by_two, small, _related(language, stem), cache(partial(learned, language.learned)))


def _related(language: Language, stem: Callable[[str], str]) -> dict[str, tuple[str, ...]]:
    found: dict[str, dict[str, None]] = {}
    for group, words in language.related.items():
        for word in words:
            for token in tokens(word):
                found.setdefault(stem(token), {})[str(group)] = None
    return {form: tuple(groups) for form, groups in found.items()}


def _entries(wishes: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for concept, entries in wishes.items():
        if concept not in _OTHER_KEYS:
            yield from ((concept, entry) for entry in entries)
    for kind, entries in wishes.get("wishes", {}).items():
        yield from ((kind, entry) for entry in entries)
    for code, entries in wishes.get("languages", {}).items():
        yield from ((f"language:{code}", entry) for entry in entries)


def _forms(written: str, stem: Callable[[str], str]) -> Iterator[str]:
    for word in written.split():
        if word == "_":
            yield word
        elif word.startswith("="):
            yield from (f"={token}" for token in tokens(word))
        else:
            yield from (stem(token) for token in tokens(word))


@lru_cache(maxsize=16)
def _stemmer(algorithm: str) -> Callable[[str], str]:
    """Stems of words, remembered: letters repeat their words. The stemmer holds state, and one thread decides at a time."""
    if algorithm not in snowballstemmer.algorithms():
        return _unstemmed
    stemmer = snowballstemmer.stemmer(algorithm)

    @lru_cache(maxsize=50_000)
    def stem(word: str) -> str:
        return str(stemmer.stemWord(word)) if len(word) <= LONGEST_WORD else word

    return stem


def _unstemmed(word: str) -> str:
    return word
