"""A Word file becomes the release in it, word for word; what is unsettled, hostile or no Word file is refused in one sentence."""

import io
import sys
import zipfile
from datetime import UTC, date, datetime

import pytest

from mailbot import languages
from mailbot.releases import word
from mailbot.releases.body import plain_paragraphs, to_html
from mailbot.releases.markdown import NotARelease
from tests.samples.word_file import PARTS, W, paragraph, run, word_file

LOADED = languages.load([languages.shipped()])
LANGUAGES = {code: LOADED[code] for code in ("fr", "en")}
NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
TITLE = "Un nouveau phare éclaire la pointe de Valmarine"
LEAD = "Le nouveau phare de la pointe a été allumé le 12 mars 2025 devant quatre cents habitants réunis sur la jetée"
LINK = f'<w:hyperlink r:id="rId3">{run("la page du phare")}</w:hyperlink>'
CONTACT = "Pour plus d’informations : Awa Diallo, presse@littoral.example, +33 1 23 45 67 89"
NOTE = "Le phare a été construit en dix-huit mois par les entreprises de la région et a coûté deux millions d’euros."
BODY = (
    paragraph(run("Valmarine", "<w:b/>"), " – ", LEAD, "."),
    paragraph("Ce qui change", style="Titre2"),
    paragraph("une tour de ", run("trente", "<w:i/>"), " mètres", style="Paragraphedeliste", numbering=1),
    paragraph("en pierre", style="Paragraphedeliste", numbering=1, depth=1),
    paragraph("deux lampes", style="Paragraphedeliste", numbering=1),
    paragraph("premier temps", numbering=2),
    paragraph("Tout est sur ", LINK, "."),
)
END = (paragraph("***"), paragraph(CONTACT), paragraph(NOTE))


def read(*paragraphs: str, accept_changes: bool = False, **more: object) -> word.Found:
    return word.parse(word_file(*paragraphs, **more), LANGUAGES, NOW, accept_changes=accept_changes)  # type: ignore[arg-type]


def test_a_release_written_in_word_is_read_with_all_its_parts() -> None:
    found = read(paragraph("COMMUNIQUÉ DE PRESSE"), paragraph(TITLE, style="Titre"), *BODY, *END)
    page = found.page
    assert (page.title, page.place, page.date, page.language) == (TITLE, "Valmarine", date(2025, 3, 12), "fr")
    assert plain_paragraphs(page.body) == (
        f"Valmarine – {LEAD}.", "Ce qui change", "- une tour de trente mètres", "  - en pierre", "- deux lampes", "1. premier temps",
        "Tout est sur la page du phare (https://littoral.example/phare).",
    )  # fmt: skip
    html = to_html(page.body)
    assert "<strong>Valmarine</strong>" in html
    assert "<em>trente</em>" in html
    assert '<h2>Ce qui change</h2>' in html
    assert '<a href="https://littoral.example/phare">la page du phare</a>' in html
    assert (found.end_mark, page.contact, page.notes, found.dropped) == (True, CONTACT, NOTE, ("COMMUNIQUÉ DE PRESSE",))


@pytest.mark.parametrize(
    "above",
    [
        [paragraph(TITLE, style="Titre1")],
        [paragraph(TITLE)],
        [paragraph("Office du littoral et des phares"), paragraph(run(TITLE, "<w:b/>")), paragraph("Trente milles de portée, dit-on")],
        [paragraph("Valmarine, le 12 mars 2025"), paragraph(TITLE, style="Titre")],
    ],
    ids=["heading 1", "a plain line", "the bold one between others", "a line of place and day above"],
)
def test_the_title_is_found_however_it_was_set(above: list[str]) -> None:
    assert read(*above, *BODY, *END).page.title == TITLE


def test_a_line_below_the_title_is_kept_and_one_of_place_and_day_is_read() -> None:
    day, below = paragraph("Valmarine, le 14 mars 2025"), paragraph("Trente milles de portée")
    found = read(paragraph(TITLE, style="Titre"), day, below, paragraph(LEAD + "."))
    page = found.page
    assert found.dropped == ("Valmarine, le 14 mars 2025",)
    assert plain_paragraphs(page.body) == ("Trente milles de portée", LEAD + ".")
    assert (page.place, page.date) == ("Valmarine", date(2025, 3, 14))


def test_a_word_file_without_any_sign_of_a_release_is_refused() -> None:
    with pytest.raises(NotARelease, match="does not look like a press release"):
        read(paragraph("Compte rendu"), paragraph(LEAD))


INSERTED = f'<w:p><w:ins w:id="1" w:author="x">{run(" Et plus encore.")}</w:ins></w:p>'
DELETED = '<w:p><w:r><w:t>Reste. </w:t></w:r><w:del w:id="2" w:author="x"><w:r><w:delText>Effacé.</w:delText></w:r></w:del></w:p>'
MOVED = f'<w:p><w:moveFrom w:id="3">{run("Ancien lieu.")}</w:moveFrom></w:p><w:p><w:moveTo w:id="4">{run("Nouveau lieu.")}</w:moveTo></w:p>'
MERGED = (
    '<w:p><w:pPr><w:rPr><w:del w:id="5" w:author="x"/></w:rPr></w:pPr>' + run("Une phrase ") + "</w:p>" + paragraph("en deux paragraphes.")
)
COMMENTED = paragraph("Commenté.", '<w:r><w:commentReference w:id="0"/></w:r>')
COMMENT = f'<w:comments xmlns:w="{W}"><w:comment w:id="0">{paragraph("Vraiment ?")}</w:comment></w:comments>'
COMMENTS = {"word/comments.xml": COMMENT}


@pytest.mark.parametrize(
    ("changed", "parts", "kinds", "accepted"),
    [
        (INSERTED, {}, "tracked changes", ["Et plus encore."]),
        (DELETED, {}, "tracked changes", ["Reste."]),
        (MOVED, {}, "tracked changes", ["Nouveau lieu."]),
        (MERGED, {}, "tracked changes", ["Une phrase en deux paragraphes."]),
        (COMMENTED, COMMENTS, "comments", ["Commenté."]),
        (INSERTED + COMMENTED, COMMENTS, "tracked changes and comments", ["Et plus encore.", "Commenté."]),
    ],
    ids=["inserted", "deleted", "moved", "paragraph mark deleted", "comment", "both"],
)  # fmt: skip
def test_unsettled_changes_are_refused_unless_they_are_taken_as_accepted(
    changed: str, parts: dict[str, str], kinds: str, accepted: list[str]
) -> None:
    whole = (paragraph(TITLE, style="Titre"), BODY[0], changed, *END)
    with pytest.raises(NotARelease, match=rf"still holds {kinds}\. .*--accept-changes"):
        read(*whole, parts=parts)
    assert list(plain_paragraphs(read(*whole, parts=parts, accept_changes=True).page.body)[1:]) == accepted


def bomb() -> bytes:
    return word_file(paragraph(TITLE), parts={"word/footnotes.xml": b" " * (word.MAX_UNPACKED + 1)})


def zipped(**files: str) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return packed.getvalue()


def locked() -> bytes:
    """A zip whose entries say that they are encrypted."""
    data = bytearray(word_file(paragraph(TITLE)))
    at = 0
    while (at := data.find(b"PK\x01\x02", at)) >= 0:
        data[at + 8] |= 1
        at += 4
    return bytes(data)


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (bomb(), "unpacks to more than any release holds"),
        (zipped(**{f"word/{number}.xml": "" for number in range(word.MAX_PARTS + 1)}), "unpacks to more"),
        (zipped(**{"mimetype": "application/vnd.oasis.opendocument.text", "content.xml": "<a/>"}), "no Word file"),
        (word_file(*BODY)[:-200], "damaged"),
        (b"PK\x03\x04" + b"\x00" * 200, "damaged"),
        (word_file(*BODY).replace(b"word/document.xml", b"word/document.xmL"), "damaged|part of it"),
        (locked(), "protected by a password"),
        (word.COMPOUND + "EncryptedPackage".encode("utf-16-le"), "protected by a password"),
        (word.COMPOUND + b"\x00" * 100, r"old Word \(\.doc\)"),
        (word_file(*BODY, before='<!DOCTYPE w [<!ENTITY x SYSTEM "file:///etc/passwd">]>'), "declares entities"),
        (word_file(*BODY, before='<!DOCTYPE w SYSTEM "http://127.0.0.1/x.dtd">'), "declares entities"),
        (word_file("<w:p>" * (word.MAX_DEPTH + 1) + "</w:p>" * (word.MAX_DEPTH + 1)), "nests deeper"),
        (word_file("<w:p>" + "<w:r/>" * word.MAX_ELEMENTS + "</w:p>"), "more parts"),
        (word_file("<w:p>"), "damaged"),
        (word_file(parts={"word/document.xml": "<a/>"}), "cannot be read"),
        (word.ZIP + b"\x00" * word.MAX_BYTES, "more than 25 MB"),
    ],
    ids=["bomb", "endless parts", "OpenDocument", "cut", "zeros", "renamed part", "locked zip", "locked file", "old word", "entities",
         "outside dtd", "deep", "endless runs", "broken xml", "other xml", "large"],
)  # fmt: skip
def test_what_is_no_word_file_that_can_be_trusted_is_refused_with_what_to_do(data: bytes, said: str) -> None:
    with pytest.raises(NotARelease, match=said):
        word.parse(data, LANGUAGES, NOW)


def test_a_linked_picture_is_not_opened() -> None:
    drawing = "http://schemas.openxmlformats.org/drawingml/2006"
    picture = (
        f'<w:p><w:r><w:drawing><wp:inline xmlns:wp="{drawing}/wordprocessingDrawing"><a:graphic xmlns:a="{drawing}/main"><a:graphicData>'
        f'<pic:pic xmlns:pic="{drawing}/picture"><pic:blipFill><a:blip r:link="rId5"/></pic:blipFill></pic:pic>'
        "</a:graphicData></a:graphic></wp:inline></w:drawing></w:r></w:p>"
    )
    assert plain_paragraphs(read(paragraph(TITLE, style="Titre"), BODY[0], picture, *END).page.body) == (f"Valmarine – {LEAD}.",)


def test_without_the_extra_a_word_file_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "mammoth", None)
    with pytest.raises(NotARelease, match=r"mailbot\[import\]"):
        read(paragraph(TITLE, style="Titre"), *BODY, *END)


def test_a_footnote_comes_at_the_end_and_without_its_arrow() -> None:
    note = f'<w:footnotes xmlns:w="{W}"><w:footnote w:id="2">{paragraph("Mesuré en mars.")}</w:footnote></w:footnotes>'
    parts = {
        "word/footnotes.xml": note,
        "word/_rels/document.xml.rels": PARTS["word/_rels/document.xml.rels"].replace("comments", "footnotes"),
    }
    marked = paragraph("Une tour de trente mètres", '<w:r><w:footnoteReference w:id="2"/></w:r>', ".")
    found = read(paragraph(TITLE, style="Titre"), BODY[0], marked, *END, parts=parts)
    assert plain_paragraphs(found.page.body)[1:] == ("Une tour de trente mètres[1].",)
    assert found.page.notes.endswith("1. Mesuré en mars.")
