"""What a mail tells about the release that it asks for: the words around its name, by which it is searched."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from mailbot.inbox.lexicon import Hit, Lexicon
from mailbot.inbox.sentence import Sentence

_FILLERS = frozenset({"recent", "courtesy", "only_thanks"})     # right after the name of a release these are no topic
BREAK = re.compile(r"[,.;:!?()]")


@dataclass(slots=True)
class Zones:
    """The words of one sentence by what they are for; filled by one walk over it."""

    topic: list[int] = field(default_factory=list)
    subjects: set[int] = field(default_factory=set)     # of the topic, and nothing else
    excused: set[int] = field(default_factory=set)


def zones_of(sentence: Sentence, book: Lexicon, ends: frozenset[str]) -> Zones:
    """In a sentence that names a release: what stands about it before and after. `ends`: the phrases that no topic goes over."""
    zone = Zones()
    releases = releases_in(sentence)
    if sentence.aside or not releases:
        return zone
    first, last = releases[0], max(releases, key=lambda hit: hit.end)
    _topic_before(sentence, first.start, zone, book)
    _topic_after(sentence, last.end, zone, book, ends)
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


def _topic_before(sentence: Sentence, release: int, zone: Zones, book: Lexicon) -> None:
    """`your September release`: the words right before it; `About the visit, do you have a statement?`: those after an opening."""
    covered = {place for hit in sentence.hits for place in range(hit.start, hit.end)}
    place = release - 1
    while place >= 0 and (place in sentence.dated or not (place in covered or is_small(sentence, place, book))):
        zone.topic.append(place)
        place -= 1
    while place >= 0 and any(hit.start <= place < hit.end for hit in sentence.hits if hit.concept == "recent"):
        place -= 1
    while place >= 0 and (place in sentence.dated or not (place in covered or is_small(sentence, place, book))):
        zone.topic.append(place)
        place -= 1
    opening = next((hit for hit in sentence.hits if hit.concept == "about" and hit.start <= 1 and hit.end < release), None)
    if opening:
        ends = {*_starts(sentence, "ask", "release"), *(n for n, word in enumerate(sentence.words) if word in book.self_words)}
        stop = min((end for end in ends if end >= opening.end), default=release)
        zone.topic += [place for place in range(opening.end, stop) if place not in zone.topic]


def _topic_after(sentence: Sentence, start: int, zone: Zones, book: Lexicon, ends: frozenset[str]) -> None:
    """What follows the name of a release, until the sender speaks of himself, asks, or says what it is for."""
    about, trade = _starts(sentence, "about"), _starts(sentence, "trade")
    breaks = _starts(sentence, "ask", "thanks", *ends)
    fillers = (hit for hit in sentence.hits if hit.concept in _FILLERS or hit.concept.startswith("language:"))
    filler = {place for hit in fillers for place in range(hit.start, hit.end)}
    told, place = False, start
    while place < len(sentence.words):
        word = sentence.words[place]
        deadline = sentence.words[place - 1] in book.deadline and (place in sentence.dated or word[0].isdigit())
        if place in about and not told and not deadline:
            told, place = True, about[place].end
            zone.subjects.update(_first_word(sentence, place, breaks, book))
            continue
        if place in zone.subjects:
            zone.topic.append(place)
            place += 1
            continue
        if (place in breaks and place not in sentence.dated) or (word in book.self_words and place not in sentence.dated):
            return
        if deadline or (place in trade and not told and place not in sentence.dated):
            zone.excused.update(range(place, len(sentence.words)))
            return
        if (place in sentence.dated and word not in book.deadline) or told or not (place in filler or is_small(sentence, place, book)):
            zone.topic.append(place)
        place += 1


def _first_word(sentence: Sentence, place: int, breaks: Mapping[int, Hit], book: Lexicon) -> Iterator[int]:
    """`The release on the distribution of rice`, `on access to water`: the word right after `on`, whatever else it may mean alone."""
    words = range(len(sentence.words))
    telling = [n for n in words[place:] if n in breaks or not is_small(sentence, n, book)][:2]
    hit = breaks.get(telling[0]) if telling else None
    if hit and hit.end == hit.start + 1 and not BREAK.search(sentence.raw(place, hit.end)):
        goes_on = len(telling) > 1 and telling[1] not in breaks and not BREAK.search(sentence.raw(hit.start, telling[1] + 1))
        if goes_on or hit.concept not in ("ask", "thanks"):
            yield hit.start


def continue_topic(sentence: Sentence, zone: Zones, book: Lexicon) -> None:
    """`It is the one on the visit.`: a sentence beside the one that names the release."""
    if sentence.aside or sentence.subject or releases_in(sentence):
        return
    opening = next((hit for hit in sentence.hits if hit.concept == "about" and hit.start <= 3), None)
    if opening and not any(sentence.words[n] in book.self_words for n in range(len(sentence.words))) and not sentence.has("trade"):
        zone.topic += range(opening.end, len(sentence.words))


def raw(sentence: Sentence, places: Iterable[int]) -> str:
    """The words as written, what stands together kept together: search reads capitals and dates."""
    text, last = "", -2
    for place in sorted(set(places)):
        start, end = sentence.places[place]
        text += sentence.text[sentence.places[last][1] : end] if place == last + 1 else f"{' ' if text else ''}{sentence.text[start:end]}"
        last = place
    return text


def subject_topic(found: Sequence[Sentence], book: Lexicon) -> str:
    """A subject that names no release may still say which one the mail is about."""
    for sentence in found:
        if sentence.subject and not releases_in(sentence):
            covered = {place for hit in sentence.hits for place in range(hit.start, hit.end)}.difference(sentence.dated)
            return raw(sentence, (n for n in range(len(sentence.words)) if n not in covered and not is_small(sentence, n, book)))
    return ""


def releases_in(sentence: Sentence) -> list[Hit]:
    return [hit for hit in sentence.hits if hit.concept == "release" and not sentence.quoted.intersection(range(hit.start, hit.end))]


def is_small(sentence: Sentence, place: int, book: Lexicon) -> bool:
    return sentence.words[place] in book.small or (len(sentence.words[place]) == 1 and not sentence.words[place].isdigit())


def _starts(sentence: Sentence, *concepts: str) -> dict[int, Hit]:
    """Where phrases of these concepts begin, the longest of each place."""
    found: dict[int, Hit] = {}
    for hit in sentence.hits:
        if hit.concept in concepts:
            found.setdefault(hit.start, hit)
    return found
