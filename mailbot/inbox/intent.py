"""What does the sender want? Rules over the phrases of the language folders; every finding comes with its words.

Two wishes are ever acted upon: the newest release, and a release by topic or date. All others are recognised so that a
person gets them with their kind, and so that they keep a release from going out. The rule of thumb: a mail is acted
upon when nearly all of it is understood. What is not understood is counted, and speaks for a person.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum

from mailbot.inbox.lexicon import Hit, Lexicon
from mailbot.inbox.sentence import ADDRESS, MOST_WORDS, Sentence, is_reply, sentences


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
_FILLERS = frozenset({"recent", "courtesy", "only_thanks"})     # right after the name of a release these are no topic
SPAM_PHRASES = 2        # different ones, before a mail counts as spam
THANKS_WORDS = 40       # a longer mail says more than thanks
NOMINAL_WORDS = 12      # a mail this short may name what it wants without asking
INTRODUCTION_WORDS = 30
_BREAK = re.compile(r"[,.;:!?()]")


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
    asked: bool = False
    recent: bool = False
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


@dataclass(slots=True)
class _Zones:
    """The words of one sentence by what they are for; filled by one walk over it."""

    topic: list[int] = field(default_factory=list)
    excused: set[int] = field(default_factory=set)


def read(subject: str, text: str, book: Lexicon, language: str, now: datetime, known: frozenset[str] = frozenset()) -> Reading:
    """Pure reading; which release it means is found out by search. `known`: the office's own words, which need no explaining."""
    return read_sentences(sentences(subject, text, book, language, now), subject, text, book, known)


def read_sentences(
    found: Sequence[Sentence], subject: str, text: str, book: Lexicon, known: frozenset[str] = frozenset()
) -> Reading:
    """What the phrases say."""
    zones = [_zones(sentence, book) for sentence in found]
    if any(_releases(sentence) for sentence in found):
        for sentence, zone in zip(found, zones, strict=True):
            _continue_topic(sentence, zone, book)
    hits = [(hit, sentence) for sentence, zone in zip(found, zones, strict=True) for hit in _meant(sentence, zone)]
    topics = [(sentence, _raw(sentence, zone.topic)) for sentence, zone in zip(found, zones, strict=True) if zone.topic]
    concepts = {hit.concept for hit, _ in hits}
    body = [sentence for sentence in found if not sentence.subject]
    theirs = any(_is_theirs(sentence, hit, book) for hit, sentence in hits)
    asked = not theirs and ("ask" in concepts or any("?" in sentence.text for sentence in found) or _is_nominal(found, book))
    reading = Reading(
        wanted_language=next((hit.concept.partition(":")[2] for hit, _ in hits if hit.concept.startswith("language:")), ""),
        asked=asked,
        recent="recent" in concepts or "news" in concepts,
        negated=any(_is_negated(sentence, zone) for sentence, zone in zip(found, zones, strict=True)),
        denied=frozenset(hit.concept for hit, sentence in hits if hit.concept in _LISTED and _is_denied(sentence, hit, book)),
        topic=" ".join(raw for _, raw in topics),
        marked=any(sentence.has("about") for sentence, _ in topics),
        subject_topic=_subject_topic(found, book) if not topics else "",
        unexplained=tuple(word for number, sentence in enumerate(found) for word in _unexplained(sentence, zones[number], book, known)),
        unexplained_beside=tuple(
            word for n, sentence in enumerate(found) if _releases(sentence) for word in _unexplained(sentence, zones[n], book, known)
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


def _releases(sentence: Sentence) -> list[Hit]:
    return [hit for hit in sentence.hits if hit.concept == "release" and not sentence.quoted.intersection(range(hit.start, hit.end))]


def _is_theirs(sentence: Sentence, hit: Hit, book: Lexicon) -> bool:
    """`notre dernier communiqué`, `our release`: the sender offers one of his own."""
    return hit.concept == "release" and not book.possessive.isdisjoint(sentence.words[max(0, hit.start - 2) : hit.start])


def _is_small(sentence: Sentence, place: int, book: Lexicon) -> bool:
    return sentence.words[place] in book.small or (len(sentence.words[place]) == 1 and not sentence.words[place].isdigit())


def _starts(sentence: Sentence, *concepts: str) -> dict[int, Hit]:
    """Where phrases of these concepts begin, the longest of each place."""
    found: dict[int, Hit] = {}
    for hit in sentence.hits:
        if hit.concept in concepts:
            found.setdefault(hit.start, hit)
    return found


def _zones(sentence: Sentence, book: Lexicon) -> _Zones:
    """In a sentence that names a release: what stands about it before and after."""
    zone = _Zones()
    releases = _releases(sentence)
    if sentence.aside or not releases:
        return zone
    first, last = releases[0], max(releases, key=lambda hit: hit.end)
    _topic_before(sentence, first.start, zone, book)
    _topic_after(sentence, last.end, zone, book)
    days = set() if sentence.has("recent") else {place for place in sentence.dated if not _is_deadline(sentence, place, book)}
    zone.topic = sorted({*zone.topic, *sentence.quoted, *days})
    introduced = next((hit.start for hit in sentence.hits if hit.concept == "trade" and hit.start < first.start), None)
    if introduced is not None:
        zone.excused.update(range(first.start))
    return zone


def _is_deadline(sentence: Sentence, place: int, book: Lexicon) -> bool:
    """`avant demain`, `by 5 pm`: when it is needed, not when it was published."""
    while place in sentence.dated and place - 1 in sentence.dated:
        place -= 1
    return place > 0 and sentence.words[place - 1] in book.deadline


def _topic_before(sentence: Sentence, release: int, zone: _Zones, book: Lexicon) -> None:
    """`your September release`: the words right before it; `About the visit, do you have a statement?`: those after an opening."""
    covered = {place for hit in sentence.hits for place in range(hit.start, hit.end)}
    place = release - 1
    while place >= 0 and (place in sentence.dated or not (place in covered or _is_small(sentence, place, book))):
        zone.topic.append(place)
        place -= 1
    while place >= 0 and any(hit.start <= place < hit.end for hit in sentence.hits if hit.concept == "recent"):
        place -= 1
    while place >= 0 and (place in sentence.dated or not (place in covered or _is_small(sentence, place, book))):
        zone.topic.append(place)
        place -= 1
    opening = next((hit for hit in sentence.hits if hit.concept == "about" and hit.start <= 1 and hit.end < release), None)
    if opening:
        ends = {*_starts(sentence, "ask", "release"), *(n for n, word in enumerate(sentence.words) if word in book.self_words)}
        stop = min((end for end in ends if end >= opening.end), default=release)
        zone.topic += [place for place in range(opening.end, stop) if place not in zone.topic]


def _topic_after(sentence: Sentence, start: int, zone: _Zones, book: Lexicon) -> None:
    """What follows the name of a release, until the sender speaks of himself, asks, or says what it is for."""
    about, trade = _starts(sentence, "about"), _starts(sentence, "trade")
    breaks = _starts(sentence, "ask", "thanks", *(kind for kind in _KINDS if kind not in _TOPICAL))
    fillers = (hit for hit in sentence.hits if hit.concept in _FILLERS or hit.concept.startswith("language:"))
    filler = {place for hit in fillers for place in range(hit.start, hit.end)}
    told, place = False, start
    while place < len(sentence.words):
        word = sentence.words[place]
        deadline = sentence.words[place - 1] in book.deadline and (place in sentence.dated or word[0].isdigit())
        if place in about and not told and not deadline:
            told, place = True, about[place].end
            continue
        if (place in breaks and place not in sentence.dated) or (word in book.self_words and place not in sentence.dated):
            return
        if deadline or (place in trade and not told and place not in sentence.dated):
            zone.excused.update(range(place, len(sentence.words)))
            return
        if (place in sentence.dated and word not in book.deadline) or told or not (place in filler or _is_small(sentence, place, book)):
            zone.topic.append(place)
        place += 1


def _continue_topic(sentence: Sentence, zone: _Zones, book: Lexicon) -> None:
    """`It is the one on the visit.`: a sentence beside the one that names the release."""
    if sentence.aside or sentence.subject or _releases(sentence):
        return
    opening = next((hit for hit in sentence.hits if hit.concept == "about" and hit.start <= 3), None)
    if opening and not any(sentence.words[n] in book.self_words for n in range(len(sentence.words))) and not sentence.has("trade"):
        zone.topic += range(opening.end, len(sentence.words))


def _raw(sentence: Sentence, places: Iterable[int]) -> str:
    """The words as written, what stands together kept together: search reads capitals and dates."""
    text, last = "", -2
    for place in sorted(set(places)):
        start, end = sentence.places[place]
        text += sentence.text[sentence.places[last][1] : end] if place == last + 1 else f"{' ' if text else ''}{sentence.text[start:end]}"
        last = place
    return text


def _meant(sentence: Sentence, zone: _Zones) -> Iterator[Hit]:
    """The phrases that are the sender's own: not those that he quotes, and not the words of a topic."""
    topic = set(zone.topic)
    for hit in sentence.hits:
        places = range(hit.start, hit.end)
        if sentence.quoted.intersection(places) and hit.concept in _KINDS:
            continue
        if hit.concept in _TOPICAL and len(places) == 1 and topic.intersection(places):
            continue
        if hit.concept.startswith("language:") and len(places) == 1 and topic.intersection(places):
            continue
        if hit.concept in ("recent", "ask") and topic.intersection(places) and not topic.isdisjoint(sentence.dated.intersection(places)):
            continue
        yield hit


def _unexplained(sentence: Sentence, zone: _Zones, book: Lexicon, known: frozenset[str]) -> Iterator[str]:
    """Words that nothing accounts for. Who introduces himself is excused, for names of papers and people are in no lexicon."""
    if sentence.aside or sentence.subject:
        return
    if sentence.has("trade") and not _releases(sentence) and len(sentence.words) <= INTRODUCTION_WORDS:
        return
    covered = {place for hit in sentence.hits for place in range(hit.start, hit.end)}.union(zone.topic, zone.excused, sentence.dated)
    for place, word in enumerate(sentence.words):
        if place not in covered and word not in known and not _is_small(sentence, place, book) and not word.isdigit():
            yield word


def _is_negated(sentence: Sentence, zone: _Zones) -> bool:
    """A `not` that no known phrase takes up, in a sentence that asks or names a release."""
    if not any(hit.concept in ("ask", "release", "recent") for hit in sentence.hits):
        return False
    taken = {place for hit in sentence.hits if hit.concept in ("ask", "courtesy", "thanks") for place in range(hit.start, hit.end)}
    return any(hit.concept == "negation" and hit.start not in taken and hit.start not in zone.topic for hit in sentence.hits)


def _is_denied(sentence: Sentence, hit: Hit, book: Lexicon) -> bool:
    """`Do not remove me`, `ne me désabonnez pas`: a `not` right before it or right after, with no comma between."""
    places = (*range(max(0, hit.start - 2), hit.start), *range(hit.end, min(hit.end + 1, len(sentence.words))))
    denials = (place for place in places if sentence.words[place] in book.denial)
    return any(not _BREAK.search(sentence.raw(min(place, hit.start), max(place + 1, hit.end))) for place in denials)


def _is_nominal(found: Sequence[Sentence], book: Lexicon) -> bool:
    """`dernier communiqué`, and nothing more: on a phone that is a whole sentence."""
    spoken = [word for sentence in found if not sentence.aside for word in sentence.words]
    if not book.self_words.isdisjoint(spoken):
        return False
    telling = sum(not _is_small(sentence, place, book) for sentence in found if not sentence.aside for place in range(len(sentence.words)))
    return 0 < telling <= NOMINAL_WORDS


def _subject_topic(found: Sequence[Sentence], book: Lexicon) -> str:
    """A subject that names no release may still say which one the mail is about."""
    for sentence in found:
        if sentence.subject and not _releases(sentence):
            covered = {place for hit in sentence.hits for place in range(hit.start, hit.end)}.difference(sentence.dated)
            return _raw(sentence, (n for n in range(len(sentence.words)) if n not in covered and not _is_small(sentence, n, book)))
    return ""


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
