"""Files that somebody took for photos, read by real Pillow: what is kept of the good ones, what is said of the bad ones; contact sheets."""

import random
from io import BytesIO

import pytest
from PIL import Image, ImageCms, PngImagePlugin

from mailbot.releases.contact_sheet import MOST_OCTETS, contact_sheet
from mailbot.releases.picture import LONGEST_SIDE, MOST_FILE_OCTETS, MOST_SENT_OCTETS, NotAPhoto, picture_of
from tests.samples.pictures import animated, bomb, photo, saved, scene

HEIC = b"\0\0\0\x18ftypheic" + bytes(400)


def opened(content: bytes) -> Image.Image:
    return Image.open(BytesIO(content))


def noise(width: int, height: int) -> Image.Image:
    return Image.frombytes("RGB", (width, height), random.Random(1).randbytes(width * height * 3))


@pytest.mark.parametrize(
    ("file", "said"),
    [
        pytest.param(b"#!/bin/sh\nrm -rf /\n", "is a script", id="script"),
        pytest.param(b'<?xml version="1.0"?>\n<svg xmlns="http://www.w3.org/2000/svg"><script/></svg>', "is an SVG drawing", id="svg"),
        pytest.param(b"<!-- x --><svg/>", "is an SVG drawing", id="svg-behind-a-comment"),
        pytest.param(b"<!doctype html><script>1</script>", "is a page of HTML", id="html"),
        pytest.param(b"%PDF-1.7", "is a PDF", id="pdf"),
        pytest.param(HEIC, "is a HEIC or AVIF photo", id="heic"),
        pytest.param(b"II*\0" + bytes(100), "is a TIFF", id="tiff"),
        pytest.param(b"", "is no picture", id="empty"),
        pytest.param(b"MZ" + bytes(2000), "is no picture", id="program"),
        pytest.param(photo()[:6000], "damaged, or only a part", id="cut-short-jpeg"),
        pytest.param(saved(scene(), "PNG")[:6000], "damaged, or only a part", id="cut-short-png"),
        pytest.param(b"\xff\xd8\xff\xe0" + bytes(5000), "damaged, or only a part", id="a-jpeg-of-zeros"),
        pytest.param(bomb(), "more than 64 million pixels", id="bomb"),
        pytest.param(bomb(9_000), "more than 64 million pixels", id="bomb-that-pillow-would-take"),
        pytest.param(bomb(7_000), "damaged, or only a part", id="a-smaller-one-without-its-pixels"),
        pytest.param(animated("GIF"), "is a GIF", id="gif"),
        pytest.param(animated("PNG"), "is animated", id="animated-png"),
        pytest.param(animated("WEBP"), "is animated", id="animated-webp"),
        pytest.param(b"\xff\xd8\xff" + bytes(MOST_FILE_OCTETS), "larger than 40 MB", id="40-megabytes"),
    ],
)
def test_what_is_no_photo_is_refused_in_a_sentence(file: bytes, said: str) -> None:
    with pytest.raises(NotAPhoto, match=said) as told:
        picture_of(file)
    assert str(told.value).endswith(".")


def test_bytes_changed_at_random_are_a_photo_or_a_refusal_and_nothing_else() -> None:
    dice = random.Random(7)
    for good in (photo(width=60, height=40), saved(scene(1, 60, 40), "PNG"), saved(scene(1, 60, 40), "WEBP")):
        for _ in range(150):
            broken = bytearray(good)
            for _ in range(dice.randrange(1, 8)):
                broken[dice.randrange(len(broken))] = dice.randrange(256)
            try:
                opened(picture_of(bytes(broken)).content).load()
            except NotAPhoto:
                continue


def test_nothing_that_stood_beside_the_pixels_is_kept_and_up_is_up() -> None:
    exif = Image.Exif()
    exif[0x0112], exif[0x010E], exif[0x013B] = 6, "secret place", "secret author"
    exif.get_ifd(0x8825).update({1: "N", 2: (12.0, 39.0, 0.0)})
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    marks = {"exif": exif.tobytes(), "comment": b"secret comment", "icc_profile": profile, "xmp": b"<x>secret xmp</x>"}
    got = picture_of(photo(width=600, height=400, **marks))
    kept = opened(got.content)
    assert (got.width, got.height, kept.size, got.full) == (400, 600, (400, 600), (400, 600))
    assert set(kept.info) <= {"jfif", "jfif_version", "jfif_unit", "jfif_density", "progressive", "progression"}
    assert not kept.getexif()
    assert b"secret" not in got.content + got.thumbnail and profile[:200] not in got.content


def test_a_png_stays_one_without_its_texts_and_keeps_what_is_transparent() -> None:
    texts = PngImagePlugin.PngInfo()
    texts.add_text("Comment", "secret")
    clear = scene().convert("RGBA")
    clear.putalpha(120)
    got = picture_of(saved(clear, "PNG", pnginfo=texts))
    assert (got.media_type, opened(got.content).mode, opened(got.content).info) == ("image/png", "RGBA", {})
    assert opened(got.thumbnail).mode == "RGB"


def test_a_photo_that_fits_goes_as_it_is_with_its_own_quality() -> None:
    file = photo(quality=93)
    got = picture_of(file)
    assert (got.width, got.height, got.media_type) == (600, 400, "image/jpeg")
    assert opened(got.content).quantization == opened(file).quantization
    assert abs(len(got.content) - len(file)) < len(file) / 10


def test_of_a_telephones_photo_with_a_second_view_in_it_the_first_alone_is_kept() -> None:
    file = saved(scene(1), "MPO", save_all=True, append_images=[scene(2)])
    got = picture_of(file)
    assert (opened(file).format, opened(got.content).format) == ("MPO", "JPEG")
    assert len(got.content) < len(file) * 0.7


def test_a_photo_too_wide_or_too_heavy_for_a_mail_is_made_smaller() -> None:
    wide = picture_of(photo(width=5000, height=1000))
    assert (wide.width, wide.height, wide.full) == (LONGEST_SIDE, 600, (5000, 1000))
    heavy = picture_of(saved(noise(1500, 1200), "PNG"))
    assert heavy.media_type == "image/jpeg"
    assert len(heavy.content) <= MOST_SENT_OCTETS
    assert (heavy.width, heavy.height) == opened(heavy.content).size


@pytest.mark.parametrize("mode", ["L", "1", "P", "CMYK", "I;16", "LA"])
def test_every_way_to_hold_colours_becomes_one_that_every_program_shows(mode: str) -> None:
    form = "JPEG" if mode == "CMYK" else "PNG"
    image = Image.linear_gradient("L").resize((90, 60)).convert("I;16").point(lambda level: level * 256) if mode == "I;16" else None
    got = opened(picture_of(saved(image or scene(1, 90, 60).convert(mode), form)).content)
    assert got.mode in ("L", "RGB", "RGBA")
    if mode == "I;16":
        low, high = got.getextrema()
        assert low < 20 and high > 230


def test_a_wide_gamut_is_worked_into_the_pixels() -> None:
    swapped = ImageCms.ImageCmsProfile(ImageCms.createProfile("XYZ")).tobytes()
    plain, told = picture_of(photo()), picture_of(photo(icc_profile=swapped))
    assert opened(plain.content).getpixel((300, 200)) != opened(told.content).getpixel((300, 200))
    assert picture_of(photo(icc_profile=b"no profile at all" * 20)).width == 600


@pytest.mark.parametrize("number", [1, 2, 3, 5, 10, 17, 30])
def test_a_contact_sheet_of_any_number_of_photos_is_under_sixty_kilobytes(number: int) -> None:
    small = [(one + 1, picture_of(photo(one, 500, 330) if one % 3 else photo(one, 330, 500)).thumbnail) for one in range(min(number, 6))]
    sheet = contact_sheet([(one + 1, small[one % len(small)][1]) for one in range(number)])
    assert len(sheet) <= MOST_OCTETS < 61_440
    assert (opened(sheet).format, opened(sheet).mode) == ("JPEG", "RGB")
    assert opened(sheet).width >= 480


def test_a_contact_sheet_of_the_busiest_pictures_fits_too() -> None:
    busy = picture_of(saved(noise(400, 400), quality=95)).thumbnail
    assert all(len(contact_sheet([(one, busy) for one in range(number)])) <= MOST_OCTETS for number in (1, 30))


def test_a_strip_and_a_dot_have_their_place_on_it() -> None:
    odd = [(1, picture_of(photo(width=3000, height=4)).thumbnail), (2, picture_of(photo(width=2, height=2)).thumbnail)]
    assert len(contact_sheet(odd)) <= MOST_OCTETS
