"""The rows of a file that somebody keeps a press list in: CSV of whatever kind, or an Excel workbook. Within bounds, or not at all.

Excel writes CSV with semicolons where the comma is for decimals, in the code page of the machine, or in UTF-16; a workbook is a zip
file of XML, in which a few kilobytes may promise gigabytes (MAIL.md T-39). Nothing of a file is trusted but its bytes.
"""

import csv
import io
import re
import zipfile
import zlib
from collections.abc import Iterator
from itertools import islice
from xml.etree.ElementTree import ParseError

from mailbot.audience.roster import HEADER_WITHIN, NotARoster, Row
from mailbot.columns import Columns, fold

MOST_OCTETS = 64 << 20
MOST_UNPACKED = 512 << 20
MOST_ROWS = 500_000
MOST_CELLS = 1_000          # of one line; a press list has a few
MOST_FIELD = 100_000        # characters between two delimiters
DELIMITERS = ";,\t|"
ZIP, COMPOUND = b"PK\x03\x04", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
MARKS = ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))
_ENTITY = re.compile(rb"<!(?:DOCTYPE|ENTITY)", re.I)
_PART = re.compile(r"xl/.*\.xml|\[Content_Types\]\.xml", re.I)
# What openpyxl raises for a workbook that is none.
BROKEN = (ValueError, LookupError, TypeError, AttributeError, ParseError, zipfile.BadZipFile, zlib.error, EOFError, OSError)
_UNTOUCHED = "Nothing was changed."


def rows(data: bytes, columns: Columns) -> Iterator[Row]:
    """Line numbers and cells. Raises NotARoster, at once or on the way: have them all before anything is changed."""
    if len(data) > MOST_OCTETS:
        raise NotARoster(f"The file is over {MOST_OCTETS >> 20} MB: that is no press list. {_UNTOUCHED}", "large")
    if data.startswith(COMPOUND):
        said = f"This is an old Excel file (.xls), or one with a password. Save it as .xlsx or as CSV, without one. {_UNTOUCHED}"
        raise NotARoster(said, "old")
    return _counted(_workbook(data, columns) if data.startswith(ZIP) else _csv(_text(data), columns))


def _counted(found: Iterator[Row]) -> Iterator[Row]:
    for number, row in enumerate(found):
        if number >= MOST_ROWS:
            raise NotARoster(f"The list has more than {MOST_ROWS:,} lines. Divide it. {_UNTOUCHED}", "large")
        yield row


def _text(data: bytes) -> str:
    """Whatever wrote it. Raises NotARoster for what is no text."""
    code = next((code for mark, code in MARKS if data.startswith(mark)), "utf-8")
    try:
        text = data.decode(code)
    except UnicodeDecodeError:
        text = data.decode("cp1252", "replace")
    if "\0" in text:
        raise NotARoster(f"The file is no text: it has NUL characters. Save the list as CSV or as .xlsx. {_UNTOUCHED}", "text")
    return text


def _csv(text: str, columns: Columns) -> Iterator[Row]:
    """With the delimiter that finds most named columns in the first lines; where none does, most cells."""
    best = max(DELIMITERS, key=lambda delimiter: _promise(text, delimiter, columns))
    return _parsed(text, best)


def _promise(text: str, delimiter: str, columns: Columns) -> tuple[int, int]:
    first = list(islice(_parsed(text[:200_000], delimiter), HEADER_WITHIN))
    named = max((len({columns.headers.get(fold(cell)) for cell in cells} - {None}) for _, cells in first), default=0)
    return named, sum(len(cells) > 1 for _, cells in first)


def _parsed(text: str, delimiter: str) -> Iterator[Row]:
    csv.field_size_limit(MOST_FIELD)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    try:
        for cells in reader:
            if len(cells) > MOST_CELLS:
                raise NotARoster(f"Line {reader.line_num} has {len(cells):,} columns: that is no press list. {_UNTOUCHED}", "damaged")
            yield reader.line_num, cells
    except csv.Error as broken:
        raise NotARoster(f"Line {reader.line_num} cannot be read: {broken}. {_UNTOUCHED}", "damaged") from broken


def _workbook(data: bytes, columns: Columns) -> Iterator[Row]:
    """The first sheet with a header that we know; else the first sheet with anything in it."""
    _look_inside(data)
    from openpyxl import load_workbook  # half a second, and few commands need it

    try:
        book = load_workbook(io.BytesIO(data), read_only=True, data_only=True, keep_links=False)
        sheets = [sheet for sheet in book.worksheets if sheet.sheet_state == "visible"]
        chosen = next((sheet for sheet in sheets if _is_named(_cells(sheet), columns)), None)
        chosen = chosen or next((sheet for sheet in sheets if any(any(cells) for _, cells in islice(_cells(sheet), HEADER_WITHIN))), None)
        if chosen is None:
            raise NotARoster(f"No sheet of the workbook has anything in it. {_UNTOUCHED}", "empty")
        yield from _cells(chosen)
    except BROKEN as broken:
        said = f"The workbook cannot be read ({broken}). Open it and save it anew, or as CSV. {_UNTOUCHED}"
        raise NotARoster(said, "damaged") from broken


def _look_inside(data: bytes) -> None:
    """What the directory of a zip file promises, zipfile holds it to."""
    again = "Open the file and save it anew, or as CSV."
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            parts = [part for part in archive.infolist() if _PART.fullmatch(part.filename)]
            if not any(part.filename == "xl/workbook.xml" for part in parts):
                raise NotARoster(f"The file is a zip file, but no Excel workbook. {_UNTOUCHED}", "damaged")
            if sum(part.file_size for part in archive.infolist()) > MOST_UNPACKED or len(archive.infolist()) > 10_000:
                raise NotARoster(f"Unpacked, the workbook is over {MOST_UNPACKED >> 20} MB: that is no press list. {_UNTOUCHED}", "large")
            for part in parts:
                with archive.open(part) as opened:
                    if _ENTITY.search(opened.read(4096)):
                        raise NotARoster(f"The workbook defines entities, which Excel never does. {again} {_UNTOUCHED}", "damaged")
    except (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, OSError, ValueError) as broken:
        raise NotARoster(f"The workbook is damaged ({broken}). {again} {_UNTOUCHED}", "damaged") from broken


def _cells(sheet: object) -> Iterator[Row]:
    """Each cell as its text; a number without the point that Excel gives it."""
    for number, values in enumerate(sheet.iter_rows(values_only=True, max_col=MOST_CELLS), 1):  # type: ignore[attr-defined]
        cells = [_shown(value) for value in values]
        while cells and not cells[-1]:
            cells.pop()
        yield number, cells


def _shown(value: object) -> str:
    if value is None:
        return ""
    return str(int(value) if isinstance(value, float) and value.is_integer() else value)[:MOST_FIELD]


def _is_named(found: Iterator[Row], columns: Columns) -> bool:
    return any("email" in {columns.headers.get(fold(cell)) for cell in cells} for _, cells in islice(found, HEADER_WITHIN))
