"""What the pages of the newsroom show: values for the templates, from the releases that are public at a moment."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from markupsafe import Markup

from mailbot.office import Office
from mailbot.releases.body import plain_paragraphs, to_html
from mailbot.releases.photo import caption
from mailbot.releases.release import Edition, Release, State, day_of, edition_for, public_editions, public_photos
from mailbot.releases.sentence_difference import Change
from mailbot.typography import date_in_words, no_break, no_break_html

ON_A_PAGE = 20


@dataclass(frozen=True, slots=True)
class Wanted:
    """What somebody looks for in the list."""

    language: str = ""
    topic: str = ""
    month: str = ""     # 2026-03
    page: int = 1


def listed(newest: Sequence[Release], wanted: Wanted, now: datetime, *, kept: Sequence[str] | None = None) -> list[Release]:
    """Of the public releases, newest first, those that are wanted; or in the order of a search (`kept`)."""
    found = tuple(newest)
    if kept is not None:
        places = {release: place for place, release in enumerate(kept)}
        found = tuple(sorted((one for one in found if one.id in places), key=lambda one: places[one.id]))
    if not (wanted.language or wanted.topic or wanted.month):
        return list(found)
    return [one for one in found if _is_wanted(public_editions(one, now), wanted)]


def _is_wanted(editions: Sequence[Edition], wanted: Wanted) -> bool:
    if wanted.language:
        editions = [one for one in editions if one.language == wanted.language]
    if wanted.topic:
        editions = [one for one in editions if wanted.topic.casefold() in {topic.casefold() for topic in one.topics}]
    return any(not wanted.month or f"{day_of(one):%Y-%m}" == wanted.month for one in editions)


def entry(office: Office, release: Release, language: str, now: datetime, wanted: str = "") -> dict[str, Any]:
    """A release in the list, in the language that is wanted, else the reader's where there is one."""
    edition = edition_for(release, tuple(filter(None, (wanted, language, *office.languages))), now)
    assert edition is not None
    first = next(iter(plain_paragraphs(edition.body)), "")
    return {
        "slug": edition.slug, "title": _typeset(office, edition.title, edition.language), "language": edition.language,
        "date": in_words(office, day_of(edition), language), "iso": day_of(edition).isoformat(), "place": edition.place,
        "first": _typeset(office, first[:280] + ("…" if len(first) > 280 else ""), edition.language),
        "others": [one.language for one in public_editions(release, now) if one.slug != edition.slug],
    }  # fmt: skip


def whole(office: Office, release: Release, edition: Edition, language: str, now: datetime) -> dict[str, Any]:
    """A release on its page. `language`: the page's own."""
    rules = office.words.typographies.get(edition.language)
    body, notes = to_html(edition.body), to_html(edition.notes) if edition.notes else ""
    return {
        "slug": edition.slug, "release": release.id, "title": _typeset(office, edition.title, edition.language),
        "language": edition.language, "date": in_words(office, day_of(edition), language), "iso": day_of(edition).isoformat(),
        "place": edition.place, "topics": edition.topics,
        "body": Markup(no_break_html(body, rules) if rules else body), "notes": Markup(no_break_html(notes, rules) if rules else notes),  # noqa: S704 - made from our own Markdown
        "contact": edition.contact or office.contact, "first": next(iter(plain_paragraphs(edition.body)), "")[:300],
        "editions": [(one.slug, one.language) for one in public_editions(release, now)],
        "photos": [
            {"number": photo.number, "caption": caption(photo, (edition.language, *office.languages)), "credit": photo.credit,
             "kb": -(-photo.octets // 1000)}
            for photo in public_photos(release, now)
        ],
    }  # fmt: skip


def withdrawn(release: Release, slug: str) -> Edition | None:
    """The edition with this slug, where it was public once and is not any more."""
    return next((one for one in release.editions if one.slug == slug and one.state is State.WITHDRAWN), None)


def changed(changes: Sequence[Change]) -> list[Mapping[str, Any]]:
    """Old and new, piece by piece."""
    found: list[Mapping[str, Any]] = []
    for change in changes:
        before, after = change.pieces()
        found.append({
            "before": [(one.text, one.changed) for one in before], "after": [(one.text, one.changed) for one in after],
        })  # fmt: skip
    return found


def topics(releases: Iterable[Release], now: datetime) -> list[str]:
    """Those of the public releases, the most frequent first."""
    counted: dict[str, int] = {}
    for release in releases:
        for topic in dict.fromkeys(topic for one in public_editions(release, now) for topic in one.topics):
            counted[topic] = counted.get(topic, 0) + 1
    return sorted(counted, key=lambda topic: (-counted[topic], topic))[:30]


def tongues(releases: Iterable[Release], now: datetime) -> list[str]:
    """The languages of the public editions, the most frequent first."""
    counted = Counter(one.language for release in releases for one in public_editions(release, now))
    return sorted(counted, key=lambda code: (-counted[code], code))


def months(releases: Iterable[Release], now: datetime) -> list[str]:
    """Those in which there is a public release, newest first."""
    return sorted({f"{day_of(one):%Y-%m}" for release in releases for one in public_editions(release, now)}, reverse=True)


def in_words(office: Office, day: date, language: str) -> str:
    """A day as the reader writes it."""
    rules = office.words.typographies.get(language)
    return date_in_words(day, rules) if rules else day.isoformat()


def _typeset(office: Office, text: str, language: str) -> str:
    rules = office.words.typographies.get(language)
    return no_break(text, rules) if rules else text
