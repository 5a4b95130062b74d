"""The release that a mail is likeliest about, whatever it wants: how well its words fit, and which of them tell of it.

`The training in Gao` is a wish for a training, unless there is a release on one: what was learned is told which words a release has.
"""

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from mailbot.inbox.choice import without_own
from mailbot.inbox.sentence import Sentence
from mailbot.releases.search import rarest, search, told_by
from mailbot.releases.search_index import Index

HEADLINE, BODY, DATED = "@h", "@b", "@d"  # a word of its title, topics or place; one of its text; part of a date
FITS = (0.5, 1.0, 1.5, 2.0, 2.7, 3.5, 4.5, 6.0, 8.0)  # times the worth of the rarest word
LEADS = (0.3, 0.7, 1.2, 2.0, 3.0, 5.0)  # over the next release


@dataclass(frozen=True, slots=True)
class Likeliest:
    """How many of the steps it reaches, by itself and before the next one; and the marks of the words that tell of it."""

    fit: int
    lead: int
    marks: Mapping[str, str]


def likeliest(found: Sequence[Sentence], index: Index, known: frozenset[str], now: datetime) -> Likeliest:
    """`known`: the office's own words, which tell nothing."""
    whole = "\n".join(sentence.text for sentence in found)
    matches = search(index, without_own(whole, known), now, limit=2, worded=0)
    if not matches:
        return Likeliest(0, 0, {})
    best, second = (match.score / rarest(index) for match in (*matches, *matches)[:2])
    lead = best - second if len(matches) > 1 else best
    words = dict.fromkeys(word for sentence in found for word in sentence.words)
    told = told_by(index, matches[0].release, words)
    return Likeliest(bisect_left(FITS, best), bisect_left(LEADS, lead), {word: HEADLINE if told[word] else BODY for word in told})
