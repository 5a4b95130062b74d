"""How a mail is worded, as features for what was learned: stems, words in a row, phrases found, and a little of its shape.

The same function serves the teacher and the mailbot, so that both see the same mail.
"""

from collections.abc import Iterator, Mapping, Sequence

from mailbot.inbox.lexicon import Lexicon, Tongue
from mailbot.inbox.likeliest import DATED, HEADLINE, Likeliest
from mailbot.inbox.sentence import ADDRESS, Sentence

APART = frozenset({"subscribe", "unsubscribe", "interview", "photos", "video", "audio"})  # wished for beside a release or each other
LEAST_CLAUSE = 3
REACH = 4  # so many words after a `not` are denied
PREFIX = 4
LENGTHS = 6
MOST_TOLD = 6
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


def wording(sentence: Sentence, book: Lexicon, tongue: Tongue, told: Mapping[str, str] | None = None) -> frozenset[str]:
    """The features of one sentence; what stands in a subject counts twice, once as such, and what is denied is something else. `told`: the
    marks of the words that tell of a release (likeliest.py); None where no office's releases are known."""
    denied = _denied(sentence.words, book)
    words = list(_words(sentence, book, tongue, denied))
    found = set(words)
    if sentence.subject:
        found.update(f"s:{word}" for word in words)
    found.update(f"p:{word[:PREFIX]}" for word in words if len(word) > PREFIX)
    found.update(f"{one} {other}" for one, other in zip(["^", *words], [*words, "$"], strict=True))
    found.update(f"{one}_{other}" for one, other in zip(words, words[2:], strict=False))
    found.update(_phrases(sentence, denied))
    found.update(_groups(sentence, tongue, denied))
    if told is not None:
        found.update(_telling(sentence, tongue, told))
    if "?" in sentence.text:
        found.add("x:?")
    return frozenset(found)


def _telling(sentence: Sentence, tongue: Tongue, told: Mapping[str, str]) -> Iterator[str]:
    """How much of it tells of a release, what stands beside that, and which phrases are part of it. Words in a row that tell are one."""
    row, marks = ["^"], list[str]()
    for place, word in enumerate(sentence.words):
        mark = DATED if place in sentence.dated else told.get(word, "")
        marks += [mark] if mark else []
        if not mark:
            row.append(_NUMBER if word.isdigit() else tongue.stem(word))
        elif not row[-1].startswith("@"):
            row.append(mark)
        elif mark == HEADLINE:
            row[-1] = mark
    yield from marks
    yield from (f"@>{count}" for count in range(min(len(marks), MOST_TOLD)))
    yield from (f"{one} {other}" for one, other in zip(row, [*row[1:], "$"], strict=True) if "@" in one[0] + other[0])
    yield from (f"{one}_{other}" for one, other in zip(row[1:], row[3:], strict=False) if "@" in one[0] + other[0])
    yield from (f"s:{mark}" for mark in marks if sentence.subject)
    yield from (f"c@:{hit.concept}" for hit in sentence.hits if any(word in told for word in sentence.words[hit.start : hit.end]))


def _phrases(sentence: Sentence, denied: frozenset[int]) -> Iterator[str]:
    """What the phrases mean, and which follows which."""
    last = ""
    for hit in sentence.hits:
        meaning = f"n:{hit.concept}" if hit.start in denied else hit.concept
        yield f"c:{meaning}"
        if last and meaning != last:
            yield f"b:{last}>{meaning}"
        last = meaning


def _groups(sentence: Sentence, tongue: Tongue, denied: frozenset[int]) -> Iterator[str]:
    """The groups of related words, and which follows which: a rare word works like its neighbours."""
    last: tuple[str, ...] = ()
    for place, word in enumerate(sentence.words):
        groups = tongue.related.get(tongue.stem(word), ())
        yield from (f"t:n:{group}" if place in denied else f"t:{group}" for group in groups)
        yield from (f"t:{one}>{other}" for one in last for other in groups)
        last = groups or last


def shape(sentences: Sequence[Sentence], about: Likeliest | None = None) -> frozenset[str]:
    """The features of the whole mail: how long it is, whether it has a subject, and how well a release fits it."""
    words = sum(len(sentence.words) for sentence in sentences if not sentence.subject)
    subject = any(sentence.subject for sentence in sentences)
    steps = (("m", about.fit), ("d", about.lead)) if about else ()
    fits = (feature for name, reached in steps for feature in (f"{name}:{reached}", *(f"{name}:>{step}" for step in range(reached))))
    return frozenset({f"x:len{min(LENGTHS, (words + 1).bit_length() - 1)}", *(() if subject else ("x:nosubj",)), *fits})


def _words(sentence: Sentence, book: Lexicon, tongue: Tongue, denied: frozenset[int]) -> Iterator[str]:
    """The stems in order: numbers and addresses are all one, and a word that is denied is another word."""
    addresses = [match.span() for match in ADDRESS.finditer(sentence.text)] if "@" in sentence.text else []
    inside = -1
    for place, (word, (start, _)) in enumerate(zip(sentence.words, sentence.places, strict=True)):
        number = next((n for n, (left, right) in enumerate(addresses) if left <= start < right), -1)
        if number < 0:
            stem = _NUMBER if word.isdigit() else tongue.stem(word)
            yield f"n:{stem}" if place in denied and word not in book.small else stem
        elif number != inside:
            yield _ADDRESSED
        inside = number


def _denied(words: Sequence[str], book: Lexicon) -> frozenset[int]:
    """The places of the words that follow a `not`, up to one that turns the sentence."""
    found, left = set(), 0
    for place, word in enumerate(words):
        if word in book.denial:
            left = REACH
            continue
        left = 0 if word in book.turning else left
        if left:
            found.add(place)
        left = max(0, left - 1)
    return frozenset(found)
