"""A photo of a release: what is known of it without its bytes, and until when it may be shown to anybody.

It belongs to the release, whatever edition is read. Its number is its own for ever: who replies PHOTO 3 to an old contact sheet never
gets another photo than the one that was number 3 there.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo

MOST_PHOTOS = 30        # of one release: a sheet with more thumbnails than that shows nothing within its 60 kB
MOST_CAPTION = 600      # characters: three or four sentences; more is a text of its own
MOST_CREDIT = 120       # a name and an agency
LAST_YEAR = 9998        # the end of a day in the last year of the calendar would lie outside of it


class NotPlain(Exception):
    """A caption or a credit that cannot be taken as it is. The message says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Photo:
    """`captions`: by language, in the order in which they came. `consent_ends`: the instant from which it is shown to nobody."""

    release: str
    number: int
    media_type: str
    width: int
    height: int
    octets: int
    content_hash: str
    captions: tuple[tuple[str, str], ...] = ()
    credit: str = ""
    consent_ends: datetime | None = None

    @property
    def mark(self) -> str:
        """Another one after any change of what its reader is told or gets; begins with its number."""
        ends = self.consent_ends.isoformat() if self.consent_ends else None
        fields = (self.release, self.number, self.content_hash, self.captions, self.credit, ends)
        return f"{self.number}-{hashlib.sha256(json.dumps(fields).encode()).hexdigest()[:32]}"


def consent_stands(photo: Photo, now: datetime) -> bool:
    """Whether it may be shown at `now`."""
    return photo.consent_ends is None or now < photo.consent_ends


def caption(photo: Photo, languages: Sequence[str]) -> str:
    """In the first of these languages that there is, else the first that was given; empty where there is none."""
    captions = dict(photo.captions)
    return next((captions[code] for code in languages if captions.get(code)), next(iter(captions.values()), ""))


def consent_end(last_day: date, zone: tzinfo) -> datetime:
    """The instant at which a consent ends that is good until that day, the day included. Raises NotPlain."""
    if not 1900 <= last_day.year <= LAST_YEAR:
        raise NotPlain(f"A consent cannot end in the year {last_day.year}.")
    return datetime.combine(last_day + timedelta(days=1), time.min, zone).astimezone(UTC)


def last_day(photo: Photo, zone: tzinfo) -> date | None:
    """The last day on which it may be shown; None: there is no end."""
    return (photo.consent_ends - timedelta(microseconds=1)).astimezone(zone).date() if photo.consent_ends else None


def plain(text: str, most: int, what: str) -> str:
    """One line of visible characters. Raises NotPlain where it is too long."""
    line = " ".join("".join(character if character.isprintable() else " " for character in text).split())
    if len(line) > most:
        raise NotPlain(f"The {what} has {len(line)} characters; at most {most} are possible.")
    return line


def number_of(mark: str) -> int:
    """The number of the photo that had this mark."""
    return int(mark.partition("-")[0])
