"""The laws of strangers' spreadsheets: every kind of CSV that Excel writes, workbooks, and what only looks like one."""

import io
import zipfile
from collections.abc import Callable

import pytest
from openpyxl import Workbook

from mailbot.audience import read_table
from mailbot.audience.read_table import rows
from mailbot.audience.roster import NotARoster
from mailbot.columns import shipped

LIST = [["Courriel", "Nom", "Média"], ["awa@journal.example", "Traoré, Awa", "L'Essor"], ["bob@paper.example", "Bob", ""]]


def cells(data: bytes) -> list[list[str]]:
    return [list(found) for _, found in rows(data, shipped())]


def text(delimiter: str) -> str:
    quoted = [[f'"{cell}"' if delimiter in cell or "," in cell else cell for cell in line] for line in LIST]
    return "\r\n".join(delimiter.join(line) for line in quoted)


@pytest.mark.parametrize("code", ["utf-8", "utf-8-sig", "cp1252", "utf-16"])
@pytest.mark.parametrize("delimiter", [";", ",", "\t", "|"], ids=["semicolon", "comma", "tab", "bar"])
def test_a_csv_is_read_whoever_wrote_it(delimiter: str, code: str) -> None:
    assert cells(text(delimiter).encode(code)) == LIST


def test_the_number_of_a_line_is_the_editors() -> None:
    assert [number for number, _ in rows(b'email;notes\na@b.example;"one\ntwo"\nc@d.example;', shipped())] == [1, 3, 4]


def workbook(fill: Callable[[Workbook], None]) -> bytes:
    book = Workbook()
    fill(book)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def test_a_workbook_is_read_from_the_sheet_that_has_the_addresses() -> None:
    def fill(book: Workbook) -> None:
        assert book.active is not None
        book.active.append(["Budget", 12.0, None])
        hidden = book.create_sheet("old")
        hidden.append(["email"])
        hidden.append(["old@paper.example"])
        hidden.sheet_state = "hidden"
        sheet = book.create_sheet("Presse")
        sheet.append(["Liste"])
        sheet.append(["email", "téléphone"])
        sheet.append(["a@b.example", 76543210.0])

    assert cells(workbook(fill)) == [["Liste"], ["email", "téléphone"], ["a@b.example", "76543210"]]


def test_a_formula_is_the_value_that_it_last_had_and_never_runs() -> None:
    def fill(book: Workbook) -> None:
        assert book.active is not None
        book.active.append(["email", "name"])
        book.active.append(["a@b.example", "=1+1"])

    assert cells(workbook(fill))[1] == ["a@b.example"]


def zipped(**parts: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name.replace("__", "/").replace("_xml", ".xml"), content)
    return out.getvalue()


HOSTILE = {
    "an old Excel file": (read_table.COMPOUND + b"x" * 100, "Save it as .xlsx"),
    "another zip file": (zipped(a_xml=b"<a/>"), "no Excel workbook"),
    "a bomb": (zipped(xl__workbook_xml=b"<a/>", xl__x_xml=b"\0" * (read_table.MOST_UNPACKED + 1)), "Unpacked"),
    "entities": (zipped(xl__workbook_xml=b'<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>'), "entities"),
    "an empty workbook": (zipped(xl__workbook_xml=b"<a/>"), "cannot be read"),
    "a cut workbook": (workbook(lambda book: None)[:-200], "damaged"),
    "NUL bytes": (b"email;\0\0\n", "NUL"),
    "many columns": (b";".join([b"x"] * 50_000), "50,000 columns"),
    "a field without an end": (b'email\n"' + b"x" * 200_000, "cannot be read"),
}


@pytest.mark.parametrize(("data", "why"), HOSTILE.values(), ids=HOSTILE)
def test_what_is_no_list_is_refused_with_a_sentence(data: bytes, why: str) -> None:
    with pytest.raises(NotARoster, match=why):
        cells(data)


def test_bytes_of_another_planet_are_rows_of_nothing() -> None:
    assert all("@" not in cell for line in cells(bytes(range(1, 256)) * 20) for cell in line if cell == "email")


def test_a_list_has_its_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(read_table, "MOST_ROWS", 3)
    with pytest.raises(NotARoster, match="more than 3 lines"):
        cells(b"email\n" * 5)
    monkeypatch.setattr(read_table, "MOST_OCTETS", 3)
    with pytest.raises(NotARoster, match="over 0 MB"):
        rows(b"email\n", shipped())
