"""Wraps Pillow (the extra `photos`): a file that somebody took for a photo -> the picture that is sent, and nothing else of the file.

Nothing that stood beside the pixels is kept: where it was taken, by whom, with which camera, comments, previews. What a profile says about
colours is worked into the pixels first, and so is which way is up. Only JPEG, PNG and WebP are tried: Pillow knows dozens of formats, and
every decoder is a door.
"""

import hashlib
import re
import struct
import warnings
from dataclasses import dataclass
from importlib.util import find_spec
from io import BytesIO
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PIL.Image import Image

FORMATS = ("JPEG", "PNG", "WEBP")
MOST_FILE_OCTETS = 40_000_000   # the largest cameras write JPEG files of some 30 MB
MOST_PIXELS = 64_000_000        # the largest full-frame camera has 61 million; decoded that is 190 MB of memory
LONGEST_SIDE = 3000             # a newspaper's page is as wide in print
MOST_SENT_OCTETS = 5_000_000    # in a mail 6.9 MB: mail systems refuse more than 10, and a phone in the field long before
THUMBNAIL_SIDE = 640
ORIENTATION, SIDEWAYS = 0x0112, 5   # the EXIF tag, and from which value on width and height change places
_SMALLER = ((3000, 90), (3000, 80), (2400, 85), (2400, 75), (1600, 85), (1600, 70), (1200, 60))  # side and quality, until it fits
_NO_PHOTO = (
    (rb"\s*(?:<\?xml[^>]*>\s*)?(?:<!--.*?-->\s*)*(?:<!doctype svg[^>]*>\s*)?<svg", "an SVG drawing"),
    (rb"\s*<", "a page of HTML or XML"),
    (rb"#!", "a script"),
    (rb"%PDF", "a PDF"),
    (rb"GIF8", "a GIF"),
    (rb"....ftyp(?:hei|mif|msf|avi|hev)", "a HEIC or AVIF photo, as telephones make them"),
    (rb"MM\0\*|II\*\0", "a TIFF or a raw file"),
)
_CUT_SHORT = rb"\x89PNG|\xff\xd8|RIFF....WEBP"
# What Pillow's decoders raise for bytes that are no sound picture.
_UNSOUND = (OSError, SyntaxError, ValueError, TypeError, EOFError, KeyError, IndexError, OverflowError, RuntimeError, struct.error)


class NotAPhoto(Exception):
    """The file is no photo that can be sent. The message says why, and what to do."""


class NeedsPillow(Exception):
    """This installation cannot read pictures."""

    def __init__(self) -> None:
        super().__init__("This installation cannot read photos: it lacks Pillow. Install mailbot with its extra `photos`.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """What is sent, and a small JPEG of it. `source_hash` tells the file that it was made from, `full` that file's size in pixels."""

    media_type: str
    width: int
    height: int
    content: bytes
    thumbnail: bytes
    source_hash: str
    full: tuple[int, int]

    @property
    def content_hash(self) -> str:
        """Tells what is sent from every other picture."""
        return hashlib.sha256(self.content).hexdigest()


def available() -> bool:
    """Can this machine read and make pictures?"""
    return find_spec("PIL") is not None


def picture_of(file: bytes) -> Picture:
    """The picture in a file. Raises NotAPhoto, NeedsPillow."""
    if not available():
        raise NeedsPillow
    from PIL import Image

    if len(file) > MOST_FILE_OCTETS:
        raise NotAPhoto(f"The file is larger than {MOST_FILE_OCTETS // 1_000_000} MB. Save the photo as a JPEG, and give that.")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Pillow warns where we refuse, or where metadata that we drop is odd
        try:
            return _read(file)
        except (Image.DecompressionBombError, MemoryError):
            raise NotAPhoto(_too_many()) from None
        except _UNSOUND as problem:
            raise NotAPhoto(_what_it_is(file)) from problem


def _read(file: bytes) -> Picture:
    from PIL import Image, ImageOps, JpegImagePlugin

    image: Image.Image = Image.open(BytesIO(file), formats=FORMATS)
    full = image.size
    if full[0] * full[1] > MOST_PIXELS:
        raise NotAPhoto(_too_many())
    if getattr(image, "is_animated", False) and image.format != "MPO":  # a telephone's JPEG may hold a preview or a second view
        raise NotAPhoto("The picture is animated: in print it stands still, and it may hide what nobody saw. Save one frame as JPEG.")
    scale = min(1.0, LONGEST_SIDE / max(full))
    image.draft(None, (round(full[0] * scale), round(full[1] * scale)))  # a JPEG is decoded at half its size where that is enough
    was, tables = image.mode, getattr(image, "quantization", None)
    kept = {"qtables": tables, "subsampling": JpegImagePlugin.get_sampling(image)} if tables and was in ("RGB", "L") else {}
    lossless, profile = image.format == "PNG", image.info.get("icc_profile")
    upright = ImageOps.exif_transpose(image)
    pixels = _in_srgb(upright, profile)
    if "A" in pixels.getbands() and not lossless:
        pixels = _on_white(pixels)
    if max(pixels.size) > LONGEST_SIDE or pixels.mode != was or profile:
        kept = {}
    media_type, content, size = _fitting(pixels, lossless, kept)
    return Picture(
        media_type=media_type, width=size[0], height=size[1], content=content, thumbnail=_thumbnail(pixels),
        source_hash=hashlib.sha256(file).hexdigest(), full=full[::-1] if image.getexif().get(ORIENTATION, 1) >= SIDEWAYS else full,
    )  # fmt: skip


def _in_srgb(image: "Image", profile: bytes | None) -> "Image":
    """The pixels alone, in the colours that every screen takes a picture without a profile to be in."""
    from PIL import ImageCms

    if image.mode.startswith(("I", "F")):  # 16 bits a pixel
        image = image.point(lambda level: level / 256).convert("L") if image.mode.startswith("I") else image.convert("L")
        profile = None
    transparent = "A" in image.getbands() or "transparency" in image.info
    wanted = "RGBA" if transparent else "L" if image.mode in ("1", "L") else "RGB"
    if profile and image.mode in ("RGB", "RGBA", "CMYK"):
        try:
            source = ImageCms.ImageCmsProfile(BytesIO(profile))
            changed = ImageCms.profileToProfile(image, source, ImageCms.createProfile("sRGB"), outputMode=wanted)
            image = changed or image
        except (ImageCms.PyCMSError, *_UNSOUND):
            pass  # a profile that cannot be read says nothing about the colours
    pixels = image.convert(wanted) if image.mode != wanted else image.copy()
    pixels.info = {}
    return pixels


def _on_white(pixels: "Image") -> "Image":
    from PIL import Image

    ground = Image.new("RGB", pixels.size, "white")
    ground.paste(pixels, mask=pixels.getchannel("A"))
    return ground


def _fitting(pixels: "Image", lossless: bool, kept: dict[str, object]) -> tuple[str, bytes, tuple[int, int]]:
    """The best of it that passes mail: a PNG or a JPEG's own quality where that is small enough, else smaller step by step."""
    scaled = _within(pixels, LONGEST_SIDE)
    if lossless:
        made = _saved(scaled, "PNG", optimize=True)
        if len(made) <= MOST_SENT_OCTETS:
            return "image/png", made, scaled.size
    flat = _on_white(pixels) if "A" in pixels.getbands() else pixels
    if kept:
        made = _saved(flat, "JPEG", **kept)
        if len(made) <= MOST_SENT_OCTETS:
            return "image/jpeg", made, flat.size
    for side, quality in _SMALLER:
        scaled = _within(flat, side)
        made = _saved(scaled, "JPEG", quality=quality, optimize=True, progressive=True)
        if len(made) <= MOST_SENT_OCTETS:
            break
    return "image/jpeg", made, scaled.size


def _within(pixels: "Image", side: int) -> "Image":
    if max(pixels.size) <= side:
        return pixels
    smaller = pixels.copy()
    smaller.thumbnail((side, side))
    return smaller


def _thumbnail(pixels: "Image") -> bytes:
    small = _within(pixels, THUMBNAIL_SIDE)
    return _saved(_on_white(small) if "A" in small.getbands() else small, "JPEG", quality=85)


def _saved(pixels: "Image", form: str, **options: object) -> bytes:
    made = BytesIO()
    pixels.save(made, form, **options)
    return made.getvalue()


def _too_many() -> str:
    return f"The picture has more than {MOST_PIXELS // 1_000_000} million pixels. Save it smaller, and give that."


def _what_it_is(file: bytes) -> str:
    if re.match(_CUT_SHORT, file, re.DOTALL):
        return "The photo is damaged, or only a part of it is there. Copy it again from where it came from."
    found = next((name for pattern, name in _NO_PHOTO if re.match(pattern, file[:2000], re.DOTALL | re.IGNORECASE)), "no picture")
    return f"The file is {found}. A photo is a JPEG, PNG or WebP file: open it in a picture program, and save it as JPEG."
