"""The tables of photos: attach, remove, list; and the pictures themselves where a mail takes them along."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

import sqlalchemy as sa

from mailbot.database.engine import Tx
from mailbot.database.photo_tables import photo as table
from mailbot.database.photo_tables import photo_picture
from mailbot.releases.photo import MOST_PHOTOS, Photo
from mailbot.releases.picture import Picture

NEWEST = sa.select(sa.func.max(table.c.changed_at))
_THERE = table.c.removed_at.is_(None)
Attached = Literal["added", "updated", "unchanged"]


class TooManyPhotos(Exception):
    """The release has as many photos as a contact sheet can show."""

    def __init__(self, release: str) -> None:
        super().__init__(
            f"{release} has {MOST_PHOTOS} photos, as many as a contact sheet can show. "
            f"Remove one first: `mailbot release detach {release} NUMBER`."
        )


class NoSuchPhoto(Exception):
    """The release has no photo of this number."""

    def __init__(self, release: str, number: int) -> None:
        super().__init__(f"{release} has no photo {number}. `mailbot release photos {release}` shows the numbers.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What is said of a photo; None: nothing new. `captions` come over those of the same language; `ends` is a pair, so that it can be
    said that there is no end."""

    captions: Mapping[str, str]
    credit: str | None = None
    ends: tuple[datetime | None] | None = None


def by_release(tx: Tx, release: str = "") -> dict[str, list[Photo]]:
    """The photos of one release, or of all, by number. Whether a consent stands is asked of release.py."""
    query = sa.select(table).where(_THERE).order_by(table.c.release, table.c.number)
    found: dict[str, list[Photo]] = defaultdict(list)
    for row in tx.execute(query.where(table.c.release == release) if release else query):
        found[row.release].append(_photo(row))
    return found


def attach(tx: Tx, release: str, picture: Picture, told: Told, now: datetime) -> tuple[Photo, Attached]:
    """Keep a photo under the next number; the same file again changes what is said of it alone. Raises TooManyPhotos."""
    _alone(tx)
    moment = _after_all(tx, now)
    row = tx.execute(sa.select(table).where(table.c.release == release, table.c.source_hash == picture.source_hash, _THERE)).first()
    if row is not None:
        values = _told(told, dict(row.captions))
        if all(getattr(row, name) == value for name, value in values.items()):
            return _photo(row), "unchanged"
        tx.execute(table.update().where(table.c.id == row.id).values(**values, changed_at=moment))
        return _photo(tx.execute(sa.select(table).where(table.c.id == row.id)).one()), "updated"
    there, last = tx.execute(
        sa.select(sa.func.count().filter(_THERE), sa.func.max(table.c.number)).where(table.c.release == release)
    ).one()
    if there >= MOST_PHOTOS:
        raise TooManyPhotos(release)
    values = {
        "release": release, "number": (last or 0) + 1, "source_hash": picture.source_hash, "content_hash": picture.content_hash,
        "media_type": picture.media_type, "width": picture.width, "height": picture.height, "octets": len(picture.content),
        "credit": "", "added_at": now, "changed_at": moment, **_told(told, {}),
    }  # fmt: skip
    row = tx.execute(table.insert().returning(table), values).one()
    tx.execute(photo_picture.insert(), {"photo": row.id, "content": picture.content, "thumbnail": picture.thumbnail})
    return _photo(row), "added"


def remove(tx: Tx, release: str, number: int, now: datetime) -> None:
    """The picture is deleted, and its number is never used again. Raises NoSuchPhoto."""
    _alone(tx)
    moment = _after_all(tx, now)
    gone = table.update().where(table.c.release == release, table.c.number == number, _THERE)
    row = tx.execute(gone.values(removed_at=now, changed_at=moment, captions={}, credit="").returning(table.c.id)).first()
    if row is None:
        raise NoSuchPhoto(release, number)
    tx.execute(photo_picture.delete().where(photo_picture.c.photo == row.id))


def content(tx: Tx, release: str, number: int) -> bytes | None:
    """The picture as it is sent; None where it has been removed."""
    return tx.execute(_pictures(release, (number,), photo_picture.c.content)).scalar()


def thumbnails(tx: Tx, release: str, numbers: Sequence[int]) -> list[tuple[int, bytes]]:
    """Number and small picture of each that is there."""
    return [(row.number, row.thumbnail) for row in tx.execute(_pictures(release, numbers, photo_picture.c.thumbnail))]


def _pictures(release: str, numbers: Sequence[int], *columns: sa.ColumnElement[Any]) -> sa.Select[Any]:
    of = photo_picture.join(table, table.c.id == photo_picture.c.photo)
    there = (table.c.release == release, table.c.number.in_(list(numbers)), _THERE)
    return sa.select(*columns, table.c.number).select_from(of).where(*there).order_by(table.c.number)


def _told(told: Told, captions: dict[str, str]) -> dict[str, Any]:
    values: dict[str, Any] = {"captions": captions | dict(told.captions)}
    values |= {} if told.credit is None else {"credit": told.credit}
    return values | ({} if told.ends is None else {"consent_ends": told.ends[0]})


def _alone(tx: Tx) -> None:
    """One change after the other: numbers are given once, and no commit passes releases.store.version() by. SQLite has one writer."""
    if tx.dialect.name == "postgresql":
        tx.execute(sa.text("LOCK TABLE photo IN SHARE ROW EXCLUSIVE MODE"))


def _after_all(tx: Tx, now: datetime) -> datetime:
    newest = tx.execute(NEWEST).scalar()
    return now if newest is None or now > newest else newest + timedelta(microseconds=1)


def _photo(row: sa.Row[Any]) -> Photo:
    return Photo(
        release=row.release, number=row.number, media_type=row.media_type, width=row.width, height=row.height, octets=row.octets,
        content_hash=row.content_hash, captions=tuple(row.captions.items()), credit=row.credit, consent_ends=row.consent_ends,
    )  # fmt: skip
