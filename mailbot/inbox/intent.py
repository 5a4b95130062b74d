"""What does the sender want? Rules over the phrases of the language folders; every finding comes with its words.

Two wishes are ever acted upon: the newest release, and a release by topic or date. All others are recognised so that a
person gets them with their kind, and so that they keep a release from going out. The rule of thumb: a mail is acted
upon when nearly all of it is understood. What is not understood is counted, and speaks for a person.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from mailbot.inbox.lexicon import Hit, Lexicon
from mailbot.inbox.sentence import ADDRESS, MOST_WORDS, Sentence, is_reply, sentences
from mailbot.inbox.topic import BREAK, Zones, continue_topic, is_small, raw, releases_in, subject_topic, zones_of


class Kind(StrEnum):
    """Every wish there is, the most dangerous to get wrong first."""

    HELP = "call-for-help"
    LEGAL = "legal"
    COMPLAINT = "complaint"
    CORRECTION = "correction"
    UNSUBSCRIBE = "unsubscribe"
    INTERVIEW = "interview"
    REACTION = "reaction"
    EMBARGO = "embargo"
    PHOTOS = "photos"
    VIDEO = "video"
    AUDIO = "audio"
    SUBSCRIBE = "subscribe"
    CHANGE_OF_ADDRESS = "change-of-address"
    SOMEONE_ELSE = "someone-else"
    SEVERAL = "several"
    EVENT = "event"
    JOB = "job"
    TRAINING = "training"
    RESEARCH = "research"
    QUESTION = "question"
    OFFER = "offer"
    SPAM = "spam"
    THANKS = "thanks"
    LATEST = "latest-release"
    ABOUT = "release-about"


# One word of these in the topic of a release is the topic: "the release on the victims of the shipwreck" is no call for help.
_TOPICAL = frozenset({Kind.HELP, Kind.EVENT, Kind.QUESTION, Kind.JOB, Kind.TRAINING, Kind.RESEARCH, Kind.SPAM, Kind.INTERVIEW})
_LISTED = frozenset({Kind.SUBSCRIBE, Kind.UNSUBSCRIBE})
_KINDS = frozenset(str(kind) for kind in Kind).difference({Kind.THANKS})
_ENDS = _KINDS.difference(_TOPICAL)
SPAM_PHRASES = 2        # different ones, before a mail counts as spam
THANKS_WORDS = 40       # a longer mail says more than thanks
NOMINAL_WORDS = 12      # a mail this short may name what it wants without asking
INTRODUCTION_WORDS = 30


@dataclass(frozen=True, slots=True)
class Wish:
    """One thing that is wanted, the words that say so, and how sure that is (0 to 1)."""

    kind: Kind
    evidence: tuple[str, ...]
    confidence: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What a mail says. `topic` is what it tells about the release, `subject_topic` what only its subject does."""

    wishes: tuple[Wish, ...] = ()
    said: frozenset[Kind] = frozenset()     # the kinds that the phrases named, where what was learned made other wishes of them
    wanted_language: str = ""
    every_language: bool = False  # each edition that there is
    asked: bool = False
    recent: bool = False
    had: bool = False  # something that we sent is in hand already
    negated: bool = False
    denied: frozenset[str] = frozenset()    # the wishes whose very words a `not` stands beside: "do not unsubscribe me"
    topic: str = ""
    marked: bool = False    # the topic follows a word such as "about", and is not only what stands beside the release
    subject_topic: str = ""
    unexplained: tuple[str, ...] = ()
    unexplained_beside: tuple[str, ...] = ()    # those in a sentence that names the release: one unknown verb there changes everything
    addresses: tuple[str, ...] = ()     # named in the text
    words: int = 0
    whole: str = ""     # all that the sender wrote, for a search that asks which release it may be about
    leaning: float | None = None    # how much more it asks for a certain release than for the newest; None: nothing was learned

    def wish(self, *kinds: Kind) -> Wish | None:
        """The first wish of these kinds."""
        return next((wish for wish in self.wishes if wish.kind in kinds), None)


def read(subject: str, text: str, book: Lexicon, language: str, now: datetime, known: frozenset[str] = frozenset()) -> Reading:
    """Pure reading; which release it means is found out by search. `known`: the office's own words, which need no explaining."""
    return read_sentences(sentences(subject, text, book, language, now), subject, text, book, known)


def read_sentences(
    found: Sequence[Sentence], subject: str, text: str, book: Lexicon, known: frozenset[str] = frozenset()
) -> Reading:
    """What the phrases say."""
    zones = [zones_of(sentence, book, _ENDS) for sentence in found]
    if any(releases_in(sentence) for sentence in found):
        for sentence, zone in zip(found, zones, strict=True):
            continue_topic(sentence, zone, book)
    hits = [(hit, sentence) for sentence, zone in zip(found, zones, strict=True) for hit in _meant(sentence, zone)]
    topics = [(sentence, raw(sentence, zone.topic)) for sentence, zone in zip(found, zones, strict=True) if zone.topic]
    concepts = {hit.concept for hit, _ in hits}
    body = [sentence for sentence in found if not sentence.subject]
    theirs = any(_is_theirs(sentence, hit, book) for hit, sentence in hits)
    asked = not theirs and ("ask" in concepts or any("?" in sentence.text for sentence in found) or _is_nominal(found, book))
    reading = Reading(
        wanted_language=next((hit.concept.partition(":")[2] for hit, _ in hits if hit.concept.startswith("language:")), ""),
        asked=asked,
        recent="recent" in concepts or "news" in concepts,
        had="had" in concepts,
        negated=any(_is_negated(sentence, zone) for sentence, zone in zip(found, zones, strict=True)),
        denied=frozenset(hit.concept for hit, sentence in hits if hit.concept in _LISTED and _is_denied(sentence, hit, book)),
        topic=" ".join(raw for _, raw in topics),
        marked=any(sentence.has("about") for sentence, _ in topics),
        subject_topic=subject_topic(found, book) if not topics else "",
        unexplained=tuple(word for number, sentence in enumerate(found) for word in _unexplained(sentence, zones[number], book, known)),
        unexplained_beside=tuple(
            word for n, sentence in enumerate(found) if releases_in(sentence) for word in _unexplained(sentence, zones[n], book, known)
        ),
        addresses=tuple(dict.fromkeys(ADDRESS.findall(text[:20_000]))),
        words=sum(len(sentence.words) for sentence in body),
        whole="\n".join(sentence.text for sentence in found),
    )
    others = tuple(_dangers_and_others(hits))
    listed = any(wish.kind in (Kind.SUBSCRIBE, Kind.UNSUBSCRIBE) for wish in others)
    wishes = (*others, *_thanks(found, hits, reading, subject, book), *_for_a_release(hits, reading, listed))
    order = list(Kind)
    return replace(reading, wishes=tuple(sorted(wishes, key=lambda wish: order.index(wish.kind))))


def _is_theirs(sentence: Sentence, hit: Hit, book: Lexicon) -> bool:
    """`notre dernier communiqué`, `our release`: the sender offers one of his own."""
    return hit.concept == "release" and not book.possessive.isdisjoint(sentence.words[max(0, hit.start - 2) : hit.start])


def _meant(sentence: Sentence, zone: Zones) -> Iterator[Hit]:
    """The phrases that are the sender's own: not those that he quotes, and not the words of a topic."""
    topic = set(zone.topic)
    for hit in sentence.hits:
        places = range(hit.start, hit.end)
        if sentence.quoted.intersection(places) and hit.concept in _KINDS:
            continue
        if hit.concept in _TOPICAL and len(places) == 1 and topic.intersection(places):
            continue
        if len(places) == 1 and hit.start in zone.subjects:
            continue
        if hit.concept.startswith("language:") and len(places) == 1 and topic.intersection(places):
            continue
        if hit.concept in ("recent", "ask") and topic.intersection(places) and not topic.isdisjoint(sentence.dated.intersection(places)):
            continue
        yield hit


def _unexplained(sentence: Sentence, zone: Zones, book: Lexicon, known: frozenset[str]) -> Iterator[str]:
    """Words that nothing accounts for. Who introduces himself is excused, for names of papers and people are in no lexicon."""
    if sentence.aside or sentence.subject:
        return
    if sentence.has("trade") and not releases_in(sentence) and len(sentence.words) <= INTRODUCTION_WORDS:
        return
    covered = {place for hit in sentence.hits for place in range(hit.start, hit.end)}.union(zone.topic, zone.excused, sentence.dated)
    for place, word in enumerate(sentence.words):
        if place not in covered and word not in known and not is_small(sentence, place, book) and not word.isdigit():
            yield word


def _is_negated(sentence: Sentence, zone: Zones) -> bool:
    """A `not` that no known phrase takes up, in a sentence that asks or names a release."""
    if not any(hit.concept in ("ask", "release", "recent") for hit in sentence.hits):
        return False
    taken = {place for hit in sentence.hits if hit.concept in ("ask", "courtesy", "thanks") for place in range(hit.start, hit.end)}
    return any(hit.concept == "negation" and hit.start not in taken and hit.start not in zone.topic for hit in sentence.hits)


def _is_denied(sentence: Sentence, hit: Hit, book: Lexicon) -> bool:
    """`Do not remove me`, `ne me désabonnez pas`: a `not` right before it or right after, with no comma between."""
    places = (*range(max(0, hit.start - 2), hit.start), *range(hit.end, min(hit.end + 1, len(sentence.words))))
    denials = (place for place in places if sentence.words[place] in book.denial)
    return any(not BREAK.search(sentence.raw(min(place, hit.start), max(place + 1, hit.end))) for place in denials)


def _is_nominal(found: Sequence[Sentence], book: Lexicon) -> bool:
    """`dernier communiqué`, and nothing more: on a phone that is a whole sentence."""
    spoken = [word for sentence in found if not sentence.aside for word in sentence.words]
    if not book.self_words.isdisjoint(spoken):
        return False
    telling = sum(not is_small(sentence, place, book) for sentence in found if not sentence.aside for place in range(len(sentence.words)))
    return 0 < telling <= NOMINAL_WORDS


def _dangers_and_others(hits: Sequence[tuple[Hit, Sentence]]) -> Iterator[Wish]:
    for kind in Kind:
        if kind not in _KINDS:
            continue
        words = tuple(dict.fromkeys(sentence.raw(hit.start, hit.end) for hit, sentence in hits if hit.concept == kind))
        if words and (kind is not Kind.SPAM or len({hit.phrase for hit, _ in hits if hit.concept == kind}) >= SPAM_PHRASES):
            yield Wish(kind, words, 0.9 if len(words) > 1 or list(Kind).index(kind) < list(Kind).index(Kind.EVENT) else 0.7)


def _thanks(
    found: Sequence[Sentence], hits: Sequence[tuple[Hit, Sentence]], reading: Reading, subject: str, book: Lexicon
) -> Iterator[Wish]:
    """Thanks are only thanks when the whole mail is: nothing asked, nothing that is not understood."""
    body = [sentence for sentence in found if not sentence.subject]
    if not body or any("?" in sentence.text for sentence in found) or reading.words > THANKS_WORDS or len(reading.unexplained) > 2:
        return
    said = [(hit, sentence) for hit, sentence in hits if hit.concept in ("thanks", "only_thanks") and not sentence.subject]
    long_thanks = any(hit.concept == "thanks" for hit, _ in said)
    counts = [hit for hit, sentence in hits if not sentence.subject or not long_thanks]
    if not said or any(hit.concept in ("ask", "recent", "negation", "contrast", *_KINDS) for hit in counts):
        return
    if long_thanks or is_reply(subject, book) or not subject:
        yield Wish(Kind.THANKS, tuple(dict.fromkeys(sentence.raw(hit.start, hit.end) for hit, sentence in said)), 0.9)


def _for_a_release(hits: Sequence[tuple[Hit, Sentence]], reading: Reading, listed: bool) -> Iterator[Wish]:
    """Who wants on or off the list (`listed`) names releases too: there the newest is asked for only where it is called so."""
    named = [sentence.raw(hit.start, hit.end) for hit, sentence in hits if hit.concept == "release"]
    fresh = [sentence.raw(hit.start, hit.end) for hit, sentence in hits if hit.concept in ("recent", "news")]
    news = any(hit.concept == "news" for hit, _ in hits)
    if not reading.asked or not (named or news) or reading.words >= MOST_WORDS:
        return
    doubt = 0.06 * len(reading.unexplained) + 0.4 * len(reading.unexplained_beside)
    if reading.topic:
        yield Wish(Kind.ABOUT, tuple(dict.fromkeys([*named, reading.topic])), max(0.0, 0.97 - doubt))
    elif fresh or (named and not listed):
        yield Wish(Kind.LATEST, tuple(dict.fromkeys([*fresh, *named])), max(0.0, 0.97 - doubt if fresh else 0.8 - 2 * doubt))
