"""`Two of your texts: the one on the wells, and the one on the flood`: who says two and names two gets both."""

import re
from collections.abc import Mapping
from datetime import datetime
from functools import lru_cache

from mailbot.inbox.choice import Choice, without_own
from mailbot.inbox.intent import Reading
from mailbot.releases.figures import in_words
from mailbot.releases.release import Release, is_public
from mailbot.releases.search import rarest, search
from mailbot.releases.search_index import Index

TOLD, FOLLOWED = 2.0, 0.6  # times the worth of the rarest word: a part of the mail tells of a release, and of no other nearly so much
COVERAGE = 0.4  # of what that part tells, so much must be found in it
NEWEST_TOO = -0.6, 0.7  # leaning so: one of the two is the newest, whatever it is
_TWO = re.compile(r"(?<![\w.,/:-])2(?![\w.,/:-])")


def two_named(reading: Reading, releases: Mapping[str, Release], index: Index, known: frozenset[str], now: datetime) -> tuple[Choice, ...]:
    """Both, in the order of the mail, or the newest before the one that is named. Nothing where two are not said, or where its parts tell
    of three, or of one and of nothing new."""
    if not _says_two(reading.whole, index):
        return ()
    told: dict[str, Choice] = {}
    for part in _ends(_joins(index)).split(reading.whole):
        found = [match for match in search(index, without_own(part, known), now, limit=3, worded=1) if match.release in releases][:2]
        if not found or found[0].score < TOLD * rarest(index) or found[0].coverage < COVERAGE:
            continue
        if all(one.score <= FOLLOWED * found[0].score for one in found[1:]):
            told.setdefault(found[0].release, Choice(releases[found[0].release], found[0].why, found[0].words))
    if len(told) == 1 and reading.recent and NEWEST_TOO[0] < (reading.leaning or 0.0) < NEWEST_TOO[1]:
        newest = next((one for one in index.newest if one in releases and is_public(releases[one], now)), None)
        return (Choice(releases[newest], "latest"), *told.values()) if newest and newest not in told else ()
    return tuple(told.values()) if len(told) == 2 else ()


def _says_two(text: str, index: Index) -> bool:
    spelled = (in_words(text, speech.numerals) for speech in index.speeches.values() if speech.numerals)
    return bool(_TWO.search(text)) or any(figure == 2 for figures in spelled for figure, _ in figures)


def _joins(index: Index) -> frozenset[str]:
    return frozenset().union(*(speech.numerals.joins for speech in index.speeches.values() if speech.numerals))


@lru_cache
def _ends(joins: frozenset[str]) -> re.Pattern[str]:
    """Where a part ends: at a mark, at a new line, at an `and`."""
    words = "|".join(map(re.escape, sorted(joins)))
    return re.compile(r"[.;:!?()\n]|,\s" + (rf"|\s(?:{words})\s" if words else ""), re.IGNORECASE)
