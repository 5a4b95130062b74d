"""Pictures made on the spot, good and bad: no photo of anybody is kept among the tests."""

import random
import struct
import zlib
from io import BytesIO

from PIL import Image, ImageDraw


def scene(seed: int = 1, width: int = 600, height: int = 400) -> Image.Image:
    """Something to see: shapes in many colours."""
    dice = random.Random(seed)
    image = Image.new("RGB", (width, height), tuple(dice.randrange(120, 256) for _ in "rgb"))
    pen = ImageDraw.Draw(image)
    for _ in range(40):
        left, top, side = dice.randrange(width), dice.randrange(height), dice.randrange(max(2, width // 20), max(3, width // 4))
        pen.ellipse((left, top, left + side, top + side), fill=tuple(dice.randrange(256) for _ in "rgb"))
    return image


def saved(image: Image.Image, form: str = "JPEG", **options: object) -> bytes:
    """The bytes of a file."""
    made = BytesIO()
    image.save(made, form, **options)
    return made.getvalue()


def photo(seed: int = 1, width: int = 600, height: int = 400, **options: object) -> bytes:
    """A JPEG file."""
    return saved(scene(seed, width, height), "JPEG", **options)


def animated(form: str) -> bytes:
    """Two frames."""
    first, second = Image.new("RGB", (40, 40), "red"), Image.new("RGB", (40, 40), "blue")
    return saved(first, form, save_all=True, append_images=[second], duration=200)


def bomb(side: int = 60_000) -> bytes:
    """A PNG of a few hundred bytes that says it has billions of pixels."""

    def chunk(name: bytes, held: bytes) -> bytes:
        return struct.pack(">I", len(held)) + name + held + struct.pack(">I", zlib.crc32(name + held))

    head = chunk(b"IHDR", struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", zlib.compress(bytes(1000))) + chunk(b"IEND", b"")
