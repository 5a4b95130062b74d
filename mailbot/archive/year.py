"""The figures of a year as people read them, and as one document for programs. Pure."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from mailbot.archive.tally import Figure, Tally, median
from mailbot.inbox.language import fold

MOST_WORDS = 30
COLUMNS = ("year", "figure", "language", "detail", "number")


def figures(year: int, tally: Tally, published: Mapping[str, Sequence[str]]) -> dict[str, Any]:
    """`mailbot report --json`. `published`: language -> the releases of the year. By medium: of those whom somebody knows."""
    languages = sorted({count.language for count in tally if count.language} | set(published))
    requests, by_mailbot, by_colleague = (_sum(tally, one) for one in (Figure.REQUESTS, Figure.BY_MAILBOT, Figure.BY_COLLEAGUE))
    closed = _sum(tally, Figure.CLOSED)
    return {
        "year": year,
        "releases": {
            "published": len({one for slugs in published.values() for one in slugs}),
            "by_language": {code: len(slugs) for code, slugs in sorted(published.items())},
        },
        "requests": {
            "total": requests, "by_mailbot": by_mailbot, "by_colleague": by_colleague, "closed_without_answer": closed,
            "unanswered": max(0, requests - by_mailbot - by_colleague - closed),
            "by_language": {code: number for code in languages if (number := _sum(tally, Figure.REQUESTS, code))},
        },
        "median_answer_seconds": median(_seconds(tally)),
        "deadlines": {"named": _sum(tally, Figure.DEADLINES), "missed": _sum(tally, Figure.MISSED)},
        "reach": {
            "by_language": {code: of for code in languages if (of := _details(tally, Figure.SENT, code))},
            "by_medium": _details(tally, Figure.MEDIUM, ""),
        },
        "without_release": {"total": _sum(tally, Figure.NO_RELEASE), "words": _words(tally)},
    }  # fmt: skip


def lines(year: int, tally: Tally, published: Mapping[str, Sequence[str]]) -> Iterator[dict[str, Any]]:
    """The same as rows, one a number, for a spreadsheet."""
    for code, slugs in sorted(published.items()):
        yield {"year": year, "figure": "releases-published", "language": code, "detail": "", "number": len(slugs)}
    shown = {(word, number) for word, number in _words(tally)}
    for count, number in sorted(tally.items()):
        if count.figure != Figure.TOPIC:
            yield count._asdict() | {"number": number}
    for word, number in sorted(shown):
        yield {"year": year, "figure": str(Figure.TOPIC), "language": "", "detail": word, "number": number}


def _sum(tally: Tally, figure: Figure, language: str = "") -> int:
    return sum(number for count, number in tally.items() if count.figure == figure and language in ("", count.language))


def _details(tally: Tally, figure: Figure, language: str) -> dict[str, int]:
    return {count.detail: number for count, number in sorted(tally.items()) if count.figure == figure and count.language == language}


def _seconds(tally: Tally) -> Counter[int]:
    found: Counter[int] = Counter()
    for count, number in tally.items():
        if count.figure == Figure.SECONDS:
            found[int(count.detail)] += number
    return found


def _words(tally: Tally) -> list[tuple[str, int]]:
    """What was asked for in vain, the most wanted first, each word as most people write it: many leave the accents out."""
    found: dict[str, Counter[str]] = {}
    for count, number in tally.items():
        if count.figure == Figure.TOPIC:
            found.setdefault(fold(count.detail), Counter())[count.detail] += number
    spelt = [(max(forms, key=lambda form: (forms[form], not form.isascii(), form)), forms.total()) for forms in found.values()]
    return sorted(spelt, key=lambda one: (-one[1], one[0]))[:MOST_WORDS]
