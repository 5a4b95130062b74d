"""The file that goes with a mail, made from what the database holds: one photo, the contact sheet; and what is said where there is none."""

import sys
from datetime import UTC, datetime
from io import BytesIO

import pytest
from PIL import Image

from mailbot.database.engine import Database
from mailbot.message.address import Address
from mailbot.outbox.delivery import Kind
from mailbot.outbox.enclose import NotMade, enclosure, has_file
from mailbot.outbox.store import Draft
from mailbot.releases import photo_store
from mailbot.releases.contact_sheet import contact_sheet
from mailbot.releases.picture import NeedsPillow, picture_of
from tests.samples.pictures import photo, saved, scene

NOW = datetime(2026, 5, 4, 9, tzinfo=UTC)

pytestmark = pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)


@pytest.fixture
def attached(database: Database) -> Database:
    """Photo 1 is a JPEG, photo 2 a PNG."""
    for file in (photo(1), saved(scene(2), "PNG")):
        database.write_now(photo_store.attach, "lac", picture_of(file), photo_store.Told(captions={}), NOW)
    return database


def draft(database: Database, variant: str, *numbers: int, name: str = "file") -> Draft:
    marks = tuple(one.mark for one in database.read_now(photo_store.by_release, "lac")["lac"] if one.number in numbers)
    return Draft(
        key="k", kind=Kind.ANSWER, recipient=Address("awa@radio.example"), language="fr", subject="s", text="t", release="lac",
        edition="lac", variant=variant, sheet_name=name, photos=marks,
    )  # fmt: skip


async def test_one_photo_goes_as_it_is_kept(attached: Database) -> None:
    made = await enclosure(attached, draft(attached, "photo-2", 2))
    assert (made.name, made.content_type) == ("file", "image/png")
    assert made.content == attached.read_now(photo_store.content, "lac", 2)


async def test_several_go_as_their_contact_sheet(attached: Database) -> None:
    made = await enclosure(attached, draft(attached, "photos", 1, 2))
    assert made.content_type == "image/jpeg"
    assert Image.open(BytesIO(made.content)).width > Image.open(BytesIO(made.content)).height


async def test_a_photo_that_has_been_removed_cannot_go(attached: Database) -> None:
    asked = draft(attached, "photo-2", 2)
    attached.write_now(photo_store.remove, "lac", 2, NOW)
    with pytest.raises(NotMade, match="photo 2 of lac has been removed"):
        await enclosure(attached, asked)


async def test_where_pillow_is_missing_that_is_said_and_a_single_photo_goes_all_the_same(
    attached: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, all_ = draft(attached, "photo-1", 1), draft(attached, "photos", 1, 2)
    monkeypatch.setitem(sys.modules, "PIL", None)
    for needs in (lambda: picture_of(b""), lambda: contact_sheet([(1, b"")])):
        with pytest.raises(NeedsPillow, match="extra `photos`"):
            needs()
    with pytest.raises(NotMade, match="its contact sheet could not be made"):
        await enclosure(attached, all_)
    assert (await enclosure(attached, one)).content_type == "image/jpeg"


def test_a_mail_without_a_name_for_it_has_no_file(database: Database) -> None:
    assert not has_file(Draft(key="k", kind=Kind.ANSWER, recipient=Address("a@b.example"), language="fr", subject="s", text="t"))
