"""Which release is meant? The reading of a mail and the public releases -> one of them, or the reason why a person must choose."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from itertools import islice

from mailbot.inbox.intent import Reading
from mailbot.inbox.language import fold
from mailbot.releases.release import Release, edition_for, is_public, released_at
from mailbot.releases.search import Match, is_of_another_date, names_lacking, rarest, search
from mailbot.releases.search_index import Index

LEAST_COVERAGE = 0.6  # of what the mail tells about the release, so much must be found in it
ALL = 1.0  # ... where nothing but its text has it
NUMBERED_COVERAGE = 0.8  # ... where a number is not: "report no. 12" is not no. 27
HALF = 0.28  # enough for a draft, which a colleague may send
COMPARABLE = 0.7  # of the best score: whoever has more may as well be meant
NEARLY_ALL = 0.8  # words that so many of the releases have tell them not apart
TELLING = 4.0  # times the worth of the rarest word, found of one release: the mail is about it
APART = 0.7  # of the best score: no other may have more
LITTLE = 3.33  # and so little says nothing
MEANT, ALONE, MEANT_LEANING = 2.0, 0.5, 0.8  # enough for who asks for a certain one, of a release that no other comes near
CANDIDATES = 8
CLEAR_LEANING = 0.32  # ... so far that what is told of it is perhaps no topic
SHORT = 28  # and of so few is wholly about what is told of the release
TERSE = 9  # a mail of so few words has its topic in the subject
LEANING, STRONG_LEANING = -0.25, 0.39  # towards the newest one
NEWEST_LEANING, FAR_LEANING, NEWEST_LITTLE = 0.4, 0.8, 5.0  # so far towards it that what matches no release is no topic
LEADING, LED = 4.5, 0.5  # of a release of which half is told: so much of the whole mail is of it, and of no other more than so much
WORDS, SAID = 4, 3.0  # so many words of one release, and of such worth: no other one is told of
WHOLLY = 3.0  # of a release of which nothing is told by itself: the mail is of it, and of no other more than LED
ANOTHER = 2.5  # and that much of the whole is of another one: what is told finds the wrong one
MANY = 3  # releases, before that can be said
OFFERS = 5
ALTERNATIVES = 2
_WORD = re.compile(r"[^\W_]+")


class Doubt(StrEnum):
    """Why none was chosen."""

    NOTHING_PUBLIC = "nothing-public"
    NO_MATCH = "no-match"
    HALF_MATCH = "half-match"
    SEVERAL_MATCH = "several-match"
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True, slots=True)
class Choice:
    """The release, why it, its own words that were asked for, and others that come close. `doubt`: not sure enough to send."""

    release: Release
    why: str
    words: tuple[str, ...] = ()
    others: tuple[str, ...] = ()
    doubt: Doubt | None = None
    lacks_a_number: bool = False  # that the mail gives
    is_named: bool = True  # by more than words of its text


def choose(reading: Reading, releases: Mapping[str, Release], index: Index, known: frozenset[str], now: datetime) -> Choice | Doubt:
    """For a mail that asks for the newest release or for a certain one. `known`: the office's own words, which tell nothing."""
    chosen = _chosen(reading, releases, index, known, now)
    if reading.leaning is not None and not _is_found(chosen):
        meant = _of_many_words(reading, releases, index, known, now)
        chosen = meant if meant and not _is_half_of_another(chosen, meant) else chosen
    if isinstance(chosen, Doubt) or chosen.doubt or chosen.why == "latest":
        return chosen
    # `Dated 12 April 2019`, and the only one on the subject is not; `stranded in Niger`, and it is another one that names Niger.
    another = is_of_another_date(index, reading.whole, chosen.release.id, now) or _names_another(reading, chosen.release, index, known, now)
    return replace(chosen, doubt=Doubt.HALF_MATCH) if another else chosen


def _chosen(reading: Reading, releases: Mapping[str, Release], index: Index, known: frozenset[str], now: datetime) -> Choice | Doubt:
    newest = next(_newest_first(releases, index, now), None)
    if newest is None:
        return Doubt.NOTHING_PUBLIC
    if reading.leaning is not None:
        return _weighed(reading, reading.leaning, newest, releases, index, known, now)
    topic = without_own(reading.topic, known)
    if topic:
        return _about(topic, reading.recent, releases, index, now)
    subject = without_own(reading.subject_topic, known)
    if subject:
        found = _about(subject, reading.recent, releases, index, now)
        if isinstance(found, Choice) and found.doubt is None:
            return found
        if not reading.recent:
            return found
    return Choice(newest, "latest")


def _weighed(
    reading: Reading, leaning: float, newest: Release, releases: Mapping[str, Release], index: Index, known: frozenset[str], now: datetime
) -> Choice | Doubt:
    """All that the mail says is held against the releases: who asks for one that we have names many of its words, and no other's."""
    terse = reading.subject_topic if reading.words <= TERSE and not reading.recent else ""
    told = without_own(reading.topic or terse, known)
    precise = _about(told, reading.recent, releases, index, now) if told else None
    found = search(index, without_own(reading.whole, known), now, limit=CANDIDATES, worded=1)
    matches = [match for match in found if match.release in releases]
    unit = rarest(index)
    best, second = (matches[0].score / unit if matches else 0.0), (matches[1].score / unit if len(matches) > 1 else 0.0)
    if not _is_found(precise) and best <= NEWEST_LITTLE and _names_none(told, reading, leaning, index, known, now):
        return Choice(newest, "latest")
    if precise and (not reading.topic or reading.words <= SHORT):
        if not isinstance(precise, Choice):
            # `Our young ones won a prize, I want the release that says so`: what is told is nothing, and the mail is of one release.
            is_it = matches and leaning > 0 and best >= WHOLLY and second <= LED * best
            it = matches[0] if is_it and matches[0].is_named and not matches[0].lacks_a_number else None
            return Choice(releases[it.release], it.why, it.words) if it else precise
        if reading.recent and leaning < -CLEAR_LEANING:
            is_topic = reading.marked and precise.is_named  # or what is told is by chance in some release: `within the hour`
            return replace(precise, doubt=Doubt.HALF_MATCH) if is_topic else Choice(newest, "latest")
        leads = matches and matches[0].release == precise.release.id and best >= LEADING and second <= LED * best
        half = precise.doubt is Doubt.HALF_MATCH and not precise.lacks_a_number
        if _is_found(precise) and precise.why != "latest" and matches and matches[0].release != precise.release.id and best >= ANOTHER:
            return replace(precise, doubt=Doubt.HALF_MATCH)
        return replace(precise, doubt=None) if leads and half else precise
    if matches and best >= TELLING and second <= APART * best and leaning > -STRONG_LEANING:
        others = tuple(match.release for match in matches[1:] if match.score >= HALF * matches[0].score)
        return Choice(releases[matches[0].release], matches[0].why, matches[0].words, others[:ALTERNATIVES])
    # `On cholera in Ségou`, and nothing but Ségou is in any release.
    told_else = reading.marked and isinstance(precise, Choice) and precise.doubt is Doubt.HALF_MATCH
    alone = best >= MEANT and second <= ALONE * best and leaning > MEANT_LEANING and not told_else
    if matches and alone and _is_meant(matches[0], reading, index, known, now):
        return Choice(releases[matches[0].release], matches[0].why, matches[0].words)
    if leaning < -LEANING and best <= LITTLE:
        return Choice(newest, "latest")
    if isinstance(precise, Choice) and precise.why != "latest":
        agreed = matches and matches[0].release == precise.release.id and leaning > -LEANING
        return precise if agreed else replace(precise, doubt=precise.doubt or Doubt.HALF_MATCH)
    if matches and best > LITTLE:
        return Choice(releases[matches[0].release], matches[0].why, matches[0].words, doubt=Doubt.HALF_MATCH)
    return Choice(newest, "latest", doubt=Doubt.HALF_MATCH) if leaning < 0 else Doubt.NO_MATCH


def _is_half_of_another(chosen: Choice | Doubt, meant: Choice) -> bool:
    return isinstance(chosen, Choice) and chosen.doubt is Doubt.HALF_MATCH and chosen.release.id != meant.release.id


def _of_many_words(
    reading: Reading, releases: Mapping[str, Release], index: Index, known: frozenset[str], now: datetime
) -> Choice | None:
    """Little of what is told of it was found, or of several; but the mail as a whole has many words of one release."""
    found = [match for match in search(index, without_own(reading.whole, known), now, limit=2, worded=1) if match.release in releases]
    if not found or len(found[0].words) < WORDS or found[0].score < SAID * rarest(index) or (reading.leaning or 0.0) < 0:
        return None
    lacking = names_lacking(index, reading.topic, now, found[0].release)
    if any(other.score > APART * found[0].score for other in found[1:]) or not all(fold(name) in known for name in lacking):
        return None
    return Choice(releases[found[0].release], found[0].why, found[0].words)


def bears_out(reading: Reading, release: Release, index: Index, known: frozenset[str], now: datetime) -> bool:
    """So many words of the whole mail are of this release, and of no other nearly so many: who is not heard clearly means it."""
    found = search(index, without_own(reading.whole, known), now, limit=2, worded=0)
    best, second = (found[0].score if found else 0.0), (found[1].score if len(found) > 1 else 0.0)
    return bool(found) and found[0].release == release.id and best >= LEADING * rarest(index) and second <= APART * best


def _names_another(reading: Reading, release: Release, index: Index, known: frozenset[str], now: datetime) -> bool:
    """A name in what is told of the release that this one has not, and another has."""
    lacking = names_lacking(index, reading.topic, now, release.id) - names_lacking(index, reading.topic, now)
    return any(fold(name) not in known for name in lacking)


def _is_found(precise: Choice | Doubt | None) -> bool:
    return isinstance(precise, Choice) and precise.doubt is None


def _names_none(told: str, reading: Reading, leaning: float, index: Index, known: frozenset[str], now: datetime) -> bool:
    """`Your latest release for our noon news, text only`: what stands beside it is no topic. Of a mail that leans far towards the newest
    only a name that nobody knows is one."""
    if reading.recent and not reading.marked and leaning < -NEWEST_LEANING:
        return True
    if not told or leaning >= -FAR_LEANING:
        return False
    beside = frozenset(_WORD.findall(told))
    return all(fold(name) in known or beside.isdisjoint(name.split("-")) for name in names_lacking(index, reading.whole, now))


def _is_meant(match: Match, reading: Reading, index: Index, known: frozenset[str], now: datetime) -> bool:
    """`The one on the border post`, with no other name in the mail: `the centre in Sévaré` is not that in Faladié."""
    lacking = names_lacking(index, reading.whole, now, match.release)
    return match.is_named and not match.lacks_a_number and all(fold(name) in known for name in lacking)


def _about(topic: str, recent: bool, releases: Mapping[str, Release], index: Index, now: datetime) -> Choice | Doubt:
    matches = [match for match in search(index, topic, now, limit=max(1, len(releases))) if match.release in releases]
    newest = next(_newest_first(releases, index, now), None)
    if not matches or newest is None:
        return Doubt.NO_MATCH
    best = matches[0]
    if best.coverage < (NUMBERED_COVERAGE if best.lacks_a_number else LEAST_COVERAGE):
        if best.coverage < HALF:
            return Doubt.NO_MATCH
        half = Choice(releases[best.release], best.why, best.words, doubt=Doubt.HALF_MATCH)
        return replace(half, lacks_a_number=best.lacks_a_number, is_named=best.is_named)
    if best.coverage < ALL and not best.is_named:  # `the Lake Chad camps`, and a release whose text says Chad and camps
        return Choice(releases[best.release], best.why, best.words, doubt=Doubt.HALF_MATCH, is_named=False)
    near = [match for match in matches if match.score >= COMPARABLE * best.score and match.coverage >= LEAST_COVERAGE]
    if index.releases >= MANY and len(near) >= NEARLY_ALL * index.releases:
        return Choice(newest, "latest")
    if recent and len(near) > 1:
        near.sort(key=lambda match: released_at(releases[match.release], now), reverse=True)
        best = near[0]
    others = tuple(match.release for match in matches if match.release != best.release and match.coverage >= LEAST_COVERAGE)
    doubt = Doubt.SEVERAL_MATCH if len(near) > 1 and not recent else None
    return Choice(releases[best.release], best.why, best.words, others[:ALTERNATIVES], doubt, is_named=best.is_named)


def without_own(text: str, known: frozenset[str]) -> str:
    """The text without the office's own words; empty where nothing but those was in it."""
    kept = _WORD.sub(lambda match: " " if fold(match[0]) in known else match[0], text)
    return kept.strip() if _WORD.search(kept) else ""


def offers(releases: Mapping[str, Release], index: Index, languages: Sequence[str], now: datetime) -> tuple[str, ...]:
    """The editions of the newest releases, for somebody whose wish fits none."""
    editions = (edition_for(release, languages, now) for release in islice(_newest_first(releases, index, now), OFFERS))
    return tuple(edition.slug for edition in editions if edition)


def _newest_first(releases: Mapping[str, Release], index: Index, now: datetime) -> Iterator[Release]:
    """In the index's order, and each asked again whether it is public: the first few are enough, however many there are."""
    return (releases[one] for one in index.newest if one in releases and is_public(releases[one], now))
