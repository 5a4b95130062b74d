"""How a mail is worded, as features for what was learned: stems, words in a row, phrases found, and a little of its shape.

The same function serves the teacher and the mailbot, so that both see the same mail.
"""

import re
from collections.abc import Iterator, Sequence

from mailbot.inbox.lexicon import Lexicon, Tongue
from mailbot.inbox.sentence import Sentence

APART = frozenset({"subscribe", "unsubscribe", "interview", "photos", "video", "audio"})  # wished for beside a release or each other
LEAST_CLAUSE = 3
REACH = 4  # so many words after a `not` are denied
PREFIX = 4
LENGTHS = 6
_ADDRESS = re.compile(r"[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,5}")
_ADDRESSED, _NUMBER = "xaddr", "0"


def clauses(sentence: Sentence) -> Iterator[Sentence]:
    """`Send me the latest and add me to your list`: a sentence that wants two things is two; each begins with its verb of asking."""
    start, group = 0, ""
    verb = -1
    for hit in sorted(sentence.hits, key=lambda hit: hit.start):
        if hit.concept == "ask":
            verb = hit.start
        elif hit.concept == "release" or hit.concept in APART:
            name = "release" if hit.concept == "release" else hit.concept
            if group and name != group and hit.start not in sentence.quoted:
                cut = verb if verb > start else hit.start
                if cut - start >= LEAST_CLAUSE and len(sentence.words) - cut >= LEAST_CLAUSE - 1:
                    yield sentence.between(start, cut)
                    start = cut
            group = name
    yield sentence.between(start, len(sentence.words)) if start else sentence


def wording(sentence: Sentence, book: Lexicon, tongue: Tongue) -> frozenset[str]:
    """The features of one sentence; what stands in a subject counts twice, once as such."""
    words = _words(sentence, book, tongue)
    found = set(words)
    if sentence.subject:
        found.update(f"s:{word}" for word in words)
    found.update(f"p:{word[:PREFIX]}" for word in words if len(word) > PREFIX)
    found.update(f"{one} {other}" for one, other in zip(["^", *words], [*words, "$"], strict=True))
    found.update(f"{one}_{other}" for one, other in zip(words, words[2:], strict=False))
    found.update(f"c:{hit.concept}" for hit in sentence.hits)
    if "?" in sentence.text:
        found.add("x:?")
    return frozenset(found)


def shape(sentences: Sequence[Sentence]) -> frozenset[str]:
    """The features of the whole mail: how long it is, and whether it has a subject."""
    words = sum(len(sentence.words) for sentence in sentences if not sentence.subject)
    subject = any(sentence.subject for sentence in sentences)
    return frozenset({f"x:len{min(LENGTHS, (words + 1).bit_length() - 1)}", *(() if subject else ("x:nosubj",))})


def _words(sentence: Sentence, book: Lexicon, tongue: Tongue) -> list[str]:
    """The stems in order: numbers and addresses are all one, and a word that is denied is another word."""
    addresses = [match.span() for match in _ADDRESS.finditer(sentence.text)] if "@" in sentence.text else []
    return list(_denied(_plain(sentence, addresses), book, tongue))


def _plain(sentence: Sentence, addresses: Sequence[tuple[int, int]]) -> Iterator[str]:
    inside = -1
    for word, (start, _) in zip(sentence.words, sentence.places, strict=True):
        number = next((n for n, (left, right) in enumerate(addresses) if left <= start < right), -1)
        if number < 0:
            yield _NUMBER if word.isdigit() else word
        elif number != inside:
            yield _ADDRESSED
        inside = number


def _denied(words: Iterator[str], book: Lexicon, tongue: Tongue) -> Iterator[str]:
    left = 0
    for word in words:
        if word in book.denial:
            left = REACH
            yield tongue.stem(word)
            continue
        left = 0 if word in book.turning else left
        yield f"n:{tongue.stem(word)}" if left and word not in book.small else tongue.stem(word)
        left = max(0, left - 1)
