"""The search among 3,000 releases: how long the index takes to build, and a question to be answered."""

import random
import statistics
import time
from datetime import timedelta

from mailbot.releases.release import Edition, Release, State
from mailbot.releases.search import search
from mailbot.releases.search_index import build
from tests.benchmarks.figure import Figure
from tests.samples.littoral import LANGUAGES, NOW, QUESTIONS, corpus

RELEASES = 3000
WORDS_OF_A_RELEASE = 400


def measure() -> list[Figure]:
    """Releases of the samples' own words, thrown together anew; the samples' questions."""
    releases = [*corpus(), *_thrown_together()]
    started = time.perf_counter()
    index = build(releases, NOW, LANGUAGES)
    built = time.perf_counter() - started
    took = []
    for text, _ in QUESTIONS:
        started = time.perf_counter()
        search(index, text, NOW)
        took.append(time.perf_counter() - started)
    return [
        Figure(f"index of {RELEASES} releases built", built, "s"),
        Figure(f"a question to {RELEASES} releases, median", statistics.median(took) * 1000, "ms"),
        Figure(f"a question to {RELEASES} releases, the slowest", max(took) * 1000, "ms"),
    ]


def _thrown_together() -> list[Release]:
    chance = random.Random(3000)
    own = corpus()
    words = [word for release in own for edition in release.editions if edition.language == "fr" for word in edition.body.split()]
    made = []
    for number in range(RELEASES - len(own)):
        day = (NOW - timedelta(days=chance.randrange(1, 3000))).date()
        title, body = " ".join(chance.choices(words, k=9)), " ".join(chance.choices(words, k=WORDS_OF_A_RELEASE))
        edition = Edition(slug=f"r{number}", release=f"r{number}", language="fr", title=title, body=body, date=day, state=State.PUBLISHED)
        made.append(Release(edition.release, (edition,)))
    return made
