"""A Word file (.docx) -> the release in it.

Anybody may have made the file, so it is looked through before mammoth reads it: how large it gets unpacked, how deep it nests, that
it declares no entities. mammoth is then given the parts that are text and nothing else, so that no picture and no linked file is
opened. What somebody has changed, or asked in a comment, and nobody has settled is not a text that may go out: such a file is refused
unless the person who imports it says that the changes are to be taken as accepted.
"""

import io
import re
import zipfile
import zlib
from collections.abc import Mapping
from datetime import datetime
from importlib.util import find_spec
from typing import Any
from xml.parsers import expat

from mailbot.languages import Language
from mailbot.releases import anatomy, markup
from mailbot.releases.anatomy import Found, Given
from mailbot.releases.markdown import INSTALL, NotARelease

MAX_BYTES = 25_000_000  # a release with its photos
MAX_PARTS = 2_000
MAX_UNPACKED = 10_000_000  # of all parts that are text; a long release has some 300,000
MAX_ELEMENTS = 60_000  # of all parts together; a long release has some 10,000, for Word cuts its text into many runs
MAX_DEPTH = 100
ZIP, COMPOUND = b"PK\x03\x04", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_WORD = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
_STRICT = "http://purl.oclc.org/ooxml/wordprocessingml/main"
_CHANGES = {"ins", "del", "moveFrom", "moveTo", "cellIns", "cellDel", "cellMerge"}
_STYLES = "p[style-name='Title'] => h1:fresh\np[style-name='Subtitle'] => p:fresh"
_BACK_TO_NOTE = re.compile(r'\s*<a href="#(?:foot|end)note-ref-[^"]*">↑</a>')
_SAVE_ANEW = "Open it in Word and save it anew as .docx."


def parse(data: bytes, languages: Mapping[str, Language], now: datetime, language: str = "", accept_changes: bool = False) -> Found:
    """Read a Word file. Raises NotARelease."""
    parts = _parts(data)
    changes = comments = elements = 0
    for name, part in parts.items():
        changed, commented, elements = _look_through(name, part, elements)
        changes, comments = changes + changed, comments + commented
    if (changes or comments) and not accept_changes:
        kinds = " and ".join(what for what, number in (("tracked changes", changes), ("comments", comments)) if number)
        raise NotARelease(
            f"The file still holds {kinds}. Settle them in Word; or, to take every change as accepted and leave comments out, "
            "add --accept-changes"
        )
    return anatomy.find(markup.of_html(_html(parts)), languages, now, Given(language=language, whole=True))


def _parts(data: bytes) -> dict[str, bytes]:
    """The parts that are text, by name, unpacked within bounds: what the directory of a zip file promises, zipfile holds it to."""
    if data.startswith(COMPOUND):
        if "EncryptedPackage".encode("utf-16-le") in data:
            raise NotARelease("The Word file is protected by a password. Save it without one, and import that.")
        raise NotARelease("This is a file of an old Word (.doc). Open it in Word, save it as .docx, and import that.")
    if len(data) > MAX_BYTES:
        raise NotARelease(f"The Word file has more than {MAX_BYTES // 1_000_000} MB. Take the photos out of it: they are attached apart.")
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            entries = archive.infolist()
            texts = [entry for entry in entries if entry.filename.lower().endswith((".xml", ".rels"))]
            if len(entries) > MAX_PARTS or sum(entry.file_size for entry in texts) > MAX_UNPACKED:
                raise NotARelease(f"The Word file unpacks to more than any release holds; it was not opened. {_SAVE_ANEW}")
            if any(entry.flag_bits & 1 for entry in texts):
                raise NotARelease("The Word file is protected by a password. Save it without one, and import that.")
            if not any(entry.filename.lower().endswith("word/document.xml") for entry in texts):
                raise NotARelease(f"The file is a zip file, but no Word file: it has no text (word/document.xml). {_SAVE_ANEW}")
            return {entry.filename: archive.read(entry) for entry in texts}
    except (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, OSError, ValueError) as broken:
        raise NotARelease(f"The Word file is damaged, or was not loaded whole. {_SAVE_ANEW}") from broken


def _look_through(name: str, part: bytes, elements: int) -> tuple[int, int, int]:
    """The changes and comments of a part, and all elements so far with its own. Raises NotARelease where it is no text of Word."""
    depth = changes = comments = 0
    parser = expat.ParserCreate(namespace_separator=" ")

    def declared(*_: Any) -> None:
        raise NotARelease(f"The Word file declares entities ({name}), which no Word does; it was not opened. {_SAVE_ANEW}")

    def opened(tag: str, _: Any) -> None:
        nonlocal depth, changes, comments, elements
        depth, elements = depth + 1, elements + 1
        if depth > MAX_DEPTH or elements > MAX_ELEMENTS:
            raise NotARelease(f"The Word file nests deeper, or has more parts, than any release ({name}). {_SAVE_ANEW}")
        space, _, local = tag.rpartition(" ")
        if space in (_WORD, _STRICT):
            changes += local in _CHANGES
            comments += local in ("comment", "commentReference")

    def closed(_: str) -> None:
        nonlocal depth
        depth -= 1

    parser.StartDoctypeDeclHandler = declared
    parser.StartElementHandler, parser.EndElementHandler = opened, closed
    try:
        parser.Parse(part, True)
    except expat.ExpatError as broken:
        raise NotARelease(f"The Word file is damaged ({name}). {_SAVE_ANEW}") from broken
    return changes, comments, elements


def _html(parts: Mapping[str, bytes]) -> str:
    if find_spec("mammoth") is None:
        raise NotARelease(f"Word files cannot be read here: mammoth is missing. {INSTALL}")
    import mammoth

    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_STORED) as archive:
        for name, part in parts.items():
            archive.writestr(name, part)
    packed.seek(0)
    try:
        made = mammoth.convert_to_html(
            packed, style_map=_STYLES, include_embedded_style_map=False, convert_image=lambda image: [], ignore_empty_paragraphs=True
        )
    except (KeyError, ValueError, IndexError, AttributeError, TypeError, OSError) as broken:  # how mammoth meets a part that is not there
        raise NotARelease(f"The Word file cannot be read: a part of it is not as Word writes it. {_SAVE_ANEW}") from broken
    return _BACK_TO_NOTE.sub("", str(made.value))
