"""Makes the file that goes with a mail: a printed page, a photo, or the contact sheet of several. Outside transactions: it takes time."""

import asyncio

from mailbot.database.engine import Database, Tx
from mailbot.message.outgoing import File
from mailbot.outbox.print_pdf import NotPrinted, print_pdf
from mailbot.outbox.store import Draft
from mailbot.releases import photo_store
from mailbot.releases.contact_sheet import contact_sheet
from mailbot.releases.photo import number_of
from mailbot.releases.picture import NeedsPillow

ONE_PHOTO = "photo-"    # what the variant of a delivery begins with that brings one photo


class NotMade(Exception):
    """The file of a mail could not be made; the argument says why."""


def has_file(draft: Draft) -> bool:
    """Whether a file is to be made before this mail can leave."""
    return bool(draft.sheet_name)


async def enclosure(database: Database, draft: Draft) -> File:
    """The file itself. Raises NotMade."""
    try:
        if draft.sheet:
            return File(draft.sheet_name, "application/pdf", await print_pdf(draft.sheet))
        numbers = [number_of(mark) for mark in draft.photos]
        if draft.variant.startswith(ONE_PHOTO):
            media_type, content = await database.read(_photo, draft.release, numbers[0])
            return File(draft.sheet_name, media_type, content)
        small = await database.read(photo_store.thumbnails, draft.release, numbers)
        return File(draft.sheet_name, "image/jpeg", await asyncio.to_thread(contact_sheet, small))
    except NotPrinted as problem:
        raise NotMade(f"its PDF could not be made: {problem}") from problem
    except NeedsPillow as problem:
        raise NotMade(f"its contact sheet could not be made: {problem}") from problem


def _photo(tx: Tx, release: str, number: int) -> tuple[str, bytes]:
    """Raises NotMade where it has been removed."""
    there = {photo.number: photo for photo in photo_store.by_release(tx, release).get(release, ())}
    content = photo_store.content(tx, release, number)
    if number not in there or content is None:
        raise NotMade(f"photo {number} of {release} has been removed")
    return there[number].media_type, content
