"""A release and its editions, one a language; and the only place that says what is public at an instant.

Whatever shows, sends, lists or counts releases to the outside asks `public_editions`: a draft, a withdrawn edition and
anything under embargo do not exist for the world. The latest embargo of any edition covers the whole release, so that
no translation can be the leak.
"""

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time
from enum import StrEnum

from mailbot.releases.photo import Photo, consent_stands

Dated = date | datetime  # a release is dated by a day, or by an instant


class State(StrEnum):
    """How far an edition is. Published is not yet public: an embargo may stand."""

    DRAFT = "draft"
    PUBLISHED = "published"
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True, slots=True, kw_only=True)
class Edition:
    """One release in one language. The body is Markdown, without title, end mark, notes and contact."""

    slug: str
    release: str
    language: str
    title: str
    body: str
    notes: str = ""
    contact: str = ""
    place: str = ""
    date: Dated
    topics: tuple[str, ...] = ()
    embargo: datetime | None = None
    state: State = State.DRAFT
    translated_from: str = ""  # of a translation: the text_hash of the original that it says; empty in the original

    def __post_init__(self) -> None:
        """Times are aware and UTC; an edition dated by an instant is under embargo until it, unless it names another."""
        if isinstance(self.date, datetime):
            object.__setattr__(self, "date", _aware(self.date, "the date of a release"))
            if self.embargo is None:
                object.__setattr__(self, "embargo", self.date)
        if self.embargo is not None:
            object.__setattr__(self, "embargo", _aware(self.embargo, "an embargo"))

    @property
    def content_hash(self) -> str:
        """Changes with anything that a reader or the embargo depends on; not with the state."""
        fields = (
            self.slug,
            self.release,
            self.language,
            self.title,
            self.body,
            self.notes,
            self.contact,
            self.place,
            self.date.isoformat(),
            self.topics,
            self.embargo.isoformat() if self.embargo else None,
        )
        return hashlib.sha256(json.dumps(fields).encode()).hexdigest()

    @property
    def text_hash(self) -> str:
        """Changes with what a translation has to say too: not with embargo and topics, which are no words."""
        fields = (self.title, self.body, self.notes, self.contact, self.place, self.date.isoformat())
        return hashlib.sha256(json.dumps(fields).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Release:
    """The editions that belong together, and its photos. Its id is the slug of the edition that is no translation."""

    id: str
    editions: tuple[Edition, ...]
    photos: tuple[Photo, ...] = ()


def stale(release: Release) -> tuple[Edition, ...]:
    """The translations whose original has changed since they were made, or since somebody confirmed that they still say the same."""
    original = next((edition for edition in release.editions if edition.slug == release.id), None)
    if original is None:
        return ()
    says = original.text_hash
    return tuple(edition for edition in release.editions if edition is not original and edition.translated_from != says)


def public_from(release: Release) -> datetime | None:
    """The latest embargo of any of its editions; None: nothing holds it back."""
    return max((edition.embargo for edition in release.editions if edition.embargo is not None), default=None)


def is_public(release: Release, now: datetime) -> bool:
    """Whether the world may have anything of it at `now`."""
    return bool(public_editions(release, now))


def public_editions(release: Release, now: datetime) -> tuple[Edition, ...]:
    """What the world may have of it at `now`: published editions, from the instant of the embargo on."""
    now = _aware(now, "now")
    opens = public_from(release)
    if opens is not None and now < opens:
        return ()
    return tuple(edition for edition in release.editions if edition.state is State.PUBLISHED)


def public_photos(release: Release, now: datetime) -> tuple[Photo, ...]:
    """Its photos that the world may have at `now`: while it is public, and as long as the consent of each stands."""
    return tuple(photo for photo in release.photos if consent_stands(photo, now)) if is_public(release, now) else ()


def edition_for(release: Release, languages: Sequence[str], now: datetime) -> Edition | None:
    """The public edition in the first of these languages that there is, else the original, else any; None when none is public."""
    public = public_editions(release, now)
    for language in languages:
        for edition in public:
            if edition.language == language:
                return edition
    return min(public, key=lambda edition: (edition.slug != release.id, edition.slug), default=None)


def before_withdrawal(release: Release) -> Release | None:
    """The release as it was served; None where none of it is withdrawn. For recognising what somebody asks for, never for serving it."""
    if not any(edition.state is State.WITHDRAWN for edition in release.editions):
        return None
    served = (replace(one, state=State.PUBLISHED) if one.state is State.WITHDRAWN else one for one in release.editions)
    return replace(release, editions=tuple(served))


def released_at(release: Release, now: datetime) -> datetime:
    """The moment that orders public releases: the newest date of its public editions, or the end of the embargo where that is later."""
    moments = [_moment(edition.date) for edition in public_editions(release, now)]
    opens = public_from(release)
    return max([*moments, *([opens] if opens else [])])


def newest_first(releases: Iterable[Release], now: datetime) -> tuple[Release, ...]:
    """The releases that are public at `now`, newest first; of the same moment in the order of their ids."""
    public = sorted((release for release in releases if is_public(release, now)), key=lambda release: release.id)
    return tuple(sorted(public, key=lambda release: released_at(release, now), reverse=True))


def latest(releases: Iterable[Release], now: datetime) -> Release | None:
    """The newest release that is public at `now`."""
    return next(iter(newest_first(releases, now)), None)


def next_opening(releases: Iterable[Release], now: datetime) -> datetime | None:
    """The next instant at which an embargo ends: what was worked out at `now` is good until then."""
    openings = (public_from(release) for release in releases)
    return min((opening for opening in openings if opening is not None and opening > now), default=None)


def day_of(edition: Edition) -> date:
    """The day of its date (in UTC where the date is an instant)."""
    return edition.date.date() if isinstance(edition.date, datetime) else edition.date


def _moment(day: Dated) -> datetime:
    return day if isinstance(day, datetime) else datetime.combine(day, time.min, UTC)


def _aware(moment: datetime, what: str) -> datetime:
    if moment.tzinfo is None:
        raise ValueError(f"{what} needs its offset from UTC: {moment.isoformat()} could be any of 26 hours")
    return moment.astimezone(UTC)
