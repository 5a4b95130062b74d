"""The tables of photos: numbers that are nobody else's ever, the same file twice, and what is left of a removed one."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
import sqlalchemy as sa

from mailbot.database.engine import Database
from mailbot.database.photo_tables import photo as table
from mailbot.database.photo_tables import photo_picture
from mailbot.releases import photo_store, store
from mailbot.releases.photo import MOST_PHOTOS
from mailbot.releases.photo_store import NoSuchPhoto, Told, TooManyPhotos
from mailbot.releases.picture import Picture
from mailbot.releases.release import Edition
from mailbot.verify import broken

NOW = datetime(2026, 5, 4, 9, tzinfo=UTC)
LAKE = Edition(slug="lac", release="lac", language="fr", title="Le lac", body="Texte.", date=date(2026, 1, 1))
PICTURE = Picture(
    media_type="image/jpeg", width=6, height=4, content=b"whole", thumbnail=b"small", source_hash="a" * 64, full=(6, 4)
)
NOTHING = Told(captions={})


def other(name: str) -> Picture:
    return replace(PICTURE, source_hash=name * 64, content=name.encode())


def attached(database: Database, picture: Picture = PICTURE, told: Told = NOTHING, release: str = "lac") -> tuple[int, str]:
    photo, done = database.write_now(photo_store.attach, release, picture, told, NOW)
    return photo.number, done


def test_the_same_file_is_one_photo_and_only_what_is_said_of_it_changes(database: Database) -> None:
    ends = NOW + timedelta(days=30)
    assert attached(database, told=Told(captions={"fr": "Le lac"}, credit="Awa", ends=(ends,))) == (1, "added")
    assert attached(database) == (1, "unchanged")
    assert attached(database, told=Told(captions={"en": "The lake"}, credit="Bob")) == (1, "updated")
    (kept,) = database.read_now(photo_store.by_release, "lac")["lac"]
    assert (dict(kept.captions), kept.credit, kept.consent_ends, kept.octets) == ({"fr": "Le lac", "en": "The lake"}, "Bob", ends, 5)
    assert attached(database, told=Told(captions={}, ends=(None,))) == (1, "updated")
    assert database.read_now(photo_store.by_release)["lac"][0].consent_ends is None


def test_a_number_is_given_once_also_after_its_photo_has_gone(database: Database) -> None:
    assert [attached(database, other(name))[0] for name in "abc"] == [1, 2, 3]
    database.write_now(photo_store.remove, "lac", 3, NOW)
    assert attached(database, other("c")) == (4, "added")
    assert attached(database, other("c"), release="mer") == (1, "added")
    with pytest.raises(NoSuchPhoto, match="has no photo 3"):
        database.write_now(photo_store.remove, "lac", 3, NOW)


def test_of_a_removed_photo_neither_picture_nor_words_are_left(database: Database) -> None:
    attached(database, told=Told(captions={"fr": "Le lac"}, credit="Awa"))
    assert database.read_now(photo_store.content, "lac", 1) == b"whole"
    assert database.read_now(photo_store.thumbnails, "lac", (1, 2)) == [(1, b"small")]
    database.write_now(photo_store.remove, "lac", 1, NOW)
    assert database.read_now(photo_store.by_release) == {}
    assert database.read_now(photo_store.content, "lac", 1) is None
    assert database.read_now(photo_store.thumbnails, "lac", (1,)) == []
    assert database.read_now(lambda tx: tx.execute(sa.select(photo_picture)).all()) == []
    (row,) = database.read_now(lambda tx: tx.execute(sa.select(table)).all())
    assert (row.captions, row.credit) == ({}, "")


def test_a_release_has_as_many_photos_as_a_sheet_can_show(database: Database) -> None:
    for number in range(MOST_PHOTOS):
        attached(database, replace(PICTURE, source_hash=str(number)))
    with pytest.raises(TooManyPhotos, match="has 30 photos"):
        attached(database, other("z"))
    database.write_now(photo_store.remove, "lac", 7, NOW)
    assert attached(database, other("z")) == (31, "added")


def test_photos_come_with_their_release_and_each_change_is_noticed_though_the_clock_stands(database: Database) -> None:
    database.write_now(store.save, LAKE, NOW)
    seen = [database.read_now(store.version)]
    for picture, told in ((PICTURE, NOTHING), (PICTURE, Told(captions={}, credit="Awa")), (other("b"), NOTHING)):
        attached(database, picture, told)
        seen.append(database.read_now(store.version))
    database.write_now(photo_store.remove, "lac", 2, NOW)
    seen.append(database.read_now(store.version))
    assert len(set(seen)) == len(seen)
    whole, of_all = database.read_now(store.load, "lac"), database.read_now(store.load_all)
    assert whole is not None
    assert [photo.number for photo in whole.photos] == [1]
    assert of_all == (whole,)


def test_two_who_attach_at_once_get_two_numbers(database: Database) -> None:
    with ThreadPoolExecutor(2) as both:
        assert sorted(number for number, _ in both.map(lambda name: attached(database, other(name)), "abcdefgh")) == list(range(1, 9))


def test_verify_names_a_photo_without_a_picture_and_a_removed_one_that_is_still_there(database: Database) -> None:
    for name in "ab":
        attached(database, other(name))
    database.write_now(photo_store.remove, "lac", 2, NOW)
    assert database.read_now(broken, None) == []
    database.write_now(lambda tx: tx.execute(photo_picture.delete()))
    assert database.read_now(broken, None) == ["photo 1 of lac: its picture is missing"]
    both = [{"photo": one, "content": b"x", "thumbnail": b"x"} for one in (1, 2)]
    database.write_now(lambda tx: tx.execute(photo_picture.insert(), both))
    assert database.read_now(broken, None) == ["photo 2 of lac: removed, and still there"]
