"""Makes the contact sheet of a release with Pillow: numbered thumbnails in one JPEG, so small that it passes the thinnest line."""

from collections.abc import Sequence
from io import BytesIO
from math import ceil
from typing import TYPE_CHECKING

from mailbot.releases.picture import NeedsPillow, available

if TYPE_CHECKING:
    from PIL.Image import Image
    from PIL.ImageDraw import ImageDraw

MOST_OCTETS = 60_000
GAP = 8
_COLUMNS = ((1, 1), (4, 2), (9, 3), (16, 4), (30, 5), (1000, 6))  # for so many thumbnails, so many beside each other
# Width of the sheet and quality, the best first: what is busy everywhere comes to its end at some 1 kB a thumbnail.
_STEPS = (
    (1000, 80), (1000, 70), (900, 66), (800, 62), (800, 50), (700, 50), (640, 45), (560, 42), (480, 40), (480, 30), (400, 28), (320, 25),
    (320, 12), (240, 10),
)  # fmt: skip


def contact_sheet(thumbnails: Sequence[tuple[int, bytes]], most_octets: int = MOST_OCTETS) -> bytes:
    """A JPEG of at most so many octets: the small pictures with their numbers, in the order given. Raises NeedsPillow."""
    if not available():
        raise NeedsPillow
    from PIL import Image

    pictures = []
    for number, small in thumbnails:
        with Image.open(BytesIO(small), formats=("JPEG",)) as opened:
            pictures.append((number, opened.convert("RGB")))
    sheet, drawn = b"", 0
    for width, quality in _STEPS:
        if width != drawn:
            whole, drawn = _laid_out(pictures, width), width
        made = BytesIO()
        whole.save(made, "JPEG", quality=quality, optimize=True, progressive=True)
        sheet = made.getvalue()
        if len(sheet) <= most_octets:
            break
    return sheet


def _laid_out(pictures: Sequence[tuple[int, "Image"]], width: int) -> "Image":
    """Rows of cells; a row is as high as the highest picture in it."""
    from PIL import Image, ImageDraw

    columns = next(beside for most, beside in _COLUMNS if len(pictures) <= most)
    cell = (width - GAP * (columns + 1)) // columns
    small = [(number, _fitted(picture, cell)) for number, picture in pictures]
    rows = [small[start : start + columns] for start in range(0, len(small), columns)]
    heights = [max(picture.height for _, picture in row) for row in rows]
    sheet = Image.new("RGB", (width, sum(heights) + GAP * (len(rows) + 1)), "white")
    pen = ImageDraw.Draw(sheet)
    top = GAP
    for row, height in zip(rows, heights, strict=True):
        for place, (number, picture) in enumerate(row):
            left = GAP + place * (cell + GAP) + (cell - picture.width) // 2
            upper = top + (height - picture.height) // 2
            sheet.paste(picture, (left, upper))
            _numbered(pen, str(number), left, upper, cell)
        top += height + GAP
    return sheet


def _fitted(picture: "Image", cell: int) -> "Image":
    """Within a square of this side, never larger than it is."""
    scale = min(1.0, cell / max(picture.size))
    return picture.resize((max(1, round(picture.width * scale)), max(1, round(picture.height * scale))))


def _numbered(pen: "ImageDraw", number: str, left: int, upper: int, cell: int) -> None:
    """Black on a white corner: readable on any picture, also at a third of its size on a telephone."""
    from PIL import ImageFont

    size = max(15, min(30, ceil(cell / 8)))
    font = ImageFont.load_default(size)
    across = ceil(pen.textlength(number, font)) + size // 2
    pen.rectangle((left, upper, left + across, upper + ceil(size * 1.25)), fill="white")
    pen.text((left + across / 2, upper + size * 0.62), number, fill="black", font=font, anchor="mm")
