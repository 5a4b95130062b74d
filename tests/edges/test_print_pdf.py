"""PDF files from real WeasyPrint: readable, tagged, small, and made of nothing but what we wrote."""

import asyncio
import re
import socket
import subprocess
import zlib
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from mailbot import languages
from mailbot.inbox.compose import Subject, answer, sheet
from mailbot.inbox.outcome import SendRelease, Variant
from mailbot.inbox.reason import Reason
from mailbot.message.address import Address
from mailbot.message.authentication import Authentication
from mailbot.message.incoming import parse
from mailbot.office import Office
from mailbot.outbox.print_pdf import NotPrinted, available, print_pdf
from mailbot.releases.release import Edition, Release, State
from mailbot.rendering import environment, shipped
from mailbot.staffed_hours import Hours
from tests.servers.throwaway import needed

NOW = datetime(2026, 5, 4, 9, tzinfo=UTC)
LANGUAGES = languages.load([languages.shipped()])
OFFICE = Office(
    name="Office des ponts", short_name="", address=Address("presse@ponts.example"), website="", contact="", languages=("fr", "en"),
    colleagues=(), public_url="", spoken=LANGUAGES, prints=True,
    hours=Hours((), ZoneInfo("Africa/Bamako")), duty_number="", protection=None, signatory=None, referral="",
    words=environment([shipped()], {code: one.typography for code, one in LANGUAGES.items()}, ZoneInfo("Africa/Bamako")),
)  # fmt: skip
PONT = Edition(
    slug="pont", release="pont", language="fr", title="Le pont de Ségou s’ouvre : un fleuve à pied sec", place="Ségou",
    date=date(2026, 5, 4),
    body="Ségou – « Nous attendions ce pont », a dit la maire.\n\n"
    + "\n\n".join(f"Paragraphe {number}. " + "Le marché, l’école et la santé se rapprochent. " * 6 for number in range(10)),
    notes="Photos sur demande.", contact="Awa Diallo <awa@ponts.example>",
)  # fmt: skip


def printed(html: str, seconds: float = 60.0) -> bytes:
    return asyncio.run(print_pdf(html, seconds))


@pytest.fixture(scope="module")
def pont(tmp_path_factory: pytest.TempPathFactory) -> Path:
    needed("/usr/bin/pdftotext")
    file = tmp_path_factory.mktemp("pdf") / "pont.pdf"
    file.write_bytes(printed(sheet(OFFICE, PONT, "fr")))
    return file


def said(tool: str, file: Path, *more: str) -> str:
    return subprocess.run([tool, file, *more], capture_output=True, text=True, check=True).stdout


def test_this_machine_prints() -> None:
    needed("/usr/lib/*/libpangoft2-1.0.so.0")
    assert available()


def test_the_whole_release_can_be_copied_out_of_it(pont: Path) -> None:
    text = " ".join(said("pdftotext", pont, "-").replace("\u00a0", " ").split())
    head = (PONT.title, "Communiqué de presse · 4 mai 2026 · Ségou")
    for part in (*head, "« Nous attendions ce pont »", "Paragraphe 9.", "Note aux rédactions Photos sur demande.", "Contact presse Awa"):
        assert part in text


def test_it_is_tagged_names_itself_its_author_and_its_language_and_is_small(pont: Path) -> None:
    facts = dict(re.findall(r"^([^:\n]+): +(.*)$", said("pdfinfo", pont), re.MULTILINE))
    assert facts["Title"].replace("\u00a0", " ") == PONT.title
    assert (facts["Author"], facts["Tagged"], facts["Pages"]) == ("Office des ponts", "yes", "2")
    assert "A4" in facts["Page size"]
    streams = re.findall(rb"stream\n(.*?)\nendstream", pont.read_bytes(), re.DOTALL)
    assert any(b"/Lang (fr)" in zlib.decompressobj().decompress(stream) for stream in streams if stream[:1] == b"x")
    assert pont.stat().st_size < 300_000


def test_its_words_are_in_the_editions_language_where_the_office_has_it_else_in_the_readers() -> None:
    english = replace(PONT, language="en")
    assert "Press release" in sheet(OFFICE, english, "fr")
    assert 'lang="ar"' in sheet(OFFICE, replace(PONT, language="ar"), "fr")
    assert "Communiqué de presse" in sheet(OFFICE, replace(PONT, language="ar"), "fr")


def test_nothing_is_fetched_from_the_network_or_from_files(tmp_path: Path) -> None:
    secret = tmp_path / "secret.txt"
    secret.write_text("confidentiel")
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.setblocking(False)
        port = server.getsockname()[1]
        links = f'<link rel="stylesheet" href="http://127.0.0.1:{port}/a.css"><link rel="attachment" href="file://{secret}">'
        pictures = f'<img src="http://127.0.0.1:{port}/a.png" alt="a"><img src="file://{secret}" alt="b"><object data="file://{secret}">c</object>'
        made = printed(f'<html lang="fr"><head><title>t</title>{links}</head><body><p>Texte</p>{pictures}</body></html>')
        with pytest.raises(BlockingIOError):
            server.accept()
    assert b"EmbeddedFile" not in made
    assert b"secret.txt" not in made


def test_a_page_that_takes_too_long_is_given_up_and_leaves_no_process() -> None:
    with pytest.raises(NotPrinted, match="longer than"):
        printed("<p>x</p>" * 200_000, seconds=0.2)


def test_a_page_that_cannot_be_laid_out_is_a_refusal_of_that_page_alone() -> None:
    with pytest.raises(NotPrinted, match="ended with"):
        printed("<div>" * 2_000)


RELEASES = {"pont": Release("pont", (replace(PONT, state=State.PUBLISHED),))}
ASKED = Subject(1, parse(b"From: awa@radio.example\r\nMessage-ID: <1@radio.example>\r\nSubject: x\r\n\r\nPDF"), NOW, Authentication.PASS)
WANTED = SendRelease(
    release="pont", edition="pont", language="fr", why="answer-back", reason=Reason.ANSWER_BACK, full=True, variant=Variant.PDF
)


def test_a_file_goes_to_a_sender_whose_domain_vouches_for_him() -> None:
    made = answer(OFFICE, ASKED, WANTED, RELEASES, "fr")
    assert (made.sheet_name, made.variant) == ("pont-fr.pdf", "pdf")
    assert PONT.title.split(" :")[0] in made.sheet
    assert "Paragraphe 9." not in made.text
    assert "PDF" not in made.text.rpartition("Répondez d’un mot")[2]


@pytest.mark.parametrize(
    ("prints", "full"), [pytest.param(False, True, id="without the extra"), pytest.param(True, False, id="an unauthenticated sender")]
)
def test_where_no_file_may_go_the_text_goes_and_says_so(prints: bool, full: bool) -> None:
    made = answer(replace(OFFICE, prints=prints), ASKED, replace(WANTED, full=full), RELEASES, "fr")
    assert (made.sheet, made.sheet_name, made.html) == ("", "", "")
    assert "Nous ne pouvons pas vous envoyer ce communiqué en PDF" in made.text
    assert "Paragraphe 9." in made.text
    assert "PDF" not in made.text.rpartition("Répondez d’un mot")[2]
