"""A mail that hangs, kills, swells or trips us gets before a person, and the next one is answered as if nothing had been."""

import asyncio
import base64
import contextlib
import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from tests.journeys.office import COLLEAGUE, LATEST, Office, read, request, text_of
from tests.servers.relay import LoopbackRelay

NEXT = "Next <next@paper.example>"


def parsers() -> list[psutil.Process]:
    """The processes of ours that read strangers' mail."""
    found = []
    for child in psutil.Process().children():
        with contextlib.suppress(psutil.NoSuchProcess):
            if "mailbot.inbox.read_apart" in child.cmdline():
                found.append(child)
    return found


FIRST = "first@wire.example"


async def test_a_mail_that_hangs_the_parser_gets_before_a_person_and_the_next_is_answered(office: Office, relay: LoopbackRelay) -> None:
    async with office.running():
        office.ask(LATEST, sender=FIRST)
        await office.settled(1)
        (parser,) = parsers()
        parser.send_signal(signal.SIGSTOP)  # to mailbot it looks like a mail that takes for ever
        office.ask(LATEST)
        await office.until(lambda: len(office.mails()) == 2, "the mail stored")
        office.ask(LATEST, sender=NEXT)
        await office.settled(3)
    assert [row["reason"] for row in office.mails()] == ["latest-asked", "unreadable", "latest-asked"]
    assert sorted(got.recipient for got in relay.mails) == sorted([FIRST, COLLEAGUE, "next@paper.example"])


async def test_a_mail_that_kills_the_parser_gets_before_a_person_and_the_next_is_answered(office: Office, relay: LoopbackRelay) -> None:
    async with office.running():
        office.ask(LATEST, sender=FIRST)
        await office.settled(1)

        def killed() -> bool:
            for parser in parsers():
                with contextlib.suppress(psutil.NoSuchProcess):
                    parser.kill()
            return bool(office.status()["inbox"]["handled"] == 2)

        office.ask(LATEST)
        await office.until(killed, "the mail decided")
        office.ask(LATEST, sender=NEXT)
        await office.settled(3)
    assert [row["reason"] for row in office.mails()] == ["latest-asked", "unreadable", "latest-asked"]
    assert sorted(got.recipient for got in relay.mails) == sorted([FIRST, COLLEAGUE, "next@paper.example"])


async def test_a_parser_that_dies_before_the_first_mail_costs_no_mail_its_answer(office: Office, relay: LoopbackRelay) -> None:
    """A machine too busy to start it in time is no fault of whoever wrote first."""
    async with office.running():
        (parser,) = await office.until(parsers, "a parser")
        parser.send_signal(signal.SIGSTOP)
        office.ask(LATEST)
        await office.settled(1)
    assert [got.recipient for got in relay.mails] == ["awa@journal.example"]


@pytest.fixture
def own_templates(office: Office) -> Iterator[Path]:
    """The office's own words, about to be written so wrongly that only a certain mail shows it: every other hole is named at start."""
    folder = office.folder / "templates" / "fr"
    folder.mkdir(parents=True)
    office.configure({"folders": {"templates": str(folder.parent)}})
    yield folder


async def test_a_hole_in_the_answers_template_lets_nothing_leave_and_gets_the_mail_before_a_person(
    office: Office, relay: LoopbackRelay, own_templates: Path
) -> None:
    (own_templates / "answer.txt.j2").write_text("Bonjour{% if 'fontaine' in release.title %}{{ release.place.hole }}{% endif %},\n")
    office.ask(LATEST)
    office.ask("Hello,\n\nCould you please send me your latest press release?\n\nThanks", sender=NEXT)
    await office.once()
    assert [row["outcome"] for row in office.mails()] == ["hand_off", "send_release"]
    assert sorted(got.recipient for got in relay.mails) == [COLLEAGUE, "next@paper.example"]
    assert "hole" in office.mails()[0]["fault"]
    assert office.unsound() == []


async def test_a_hole_in_the_hand_offs_template_parks_the_mail_visibly_and_never_spins(
    office: Office, relay: LoopbackRelay, own_templates: Path
) -> None:
    (own_templates / "hand_off.txt.j2").write_text("{% if 'temps' in visible_text or not sender.address %}{{ subject.hole }}{% endif %}\n")
    office.ask("Quel temps fait-il chez vous ?\n")
    office.ask(LATEST, sender=NEXT)
    async with asyncio.timeout(15):
        await office.once()
    found = [(row["outcome"], row["waiting"], row["attempts"]) for row in office.mails()]
    assert found == [("hand_off", True, 4), ("send_release", False, 1)]
    assert office.lying("mailbot/attention") == 1
    assert [got.recipient for got in relay.mails] == ["next@paper.example"]
    assert office.unsound() == []


@pytest.mark.parametrize(("megabytes", "attached"), [(60, False), (9, True)])
async def test_a_very_large_mail_is_dealt_with_and_goes_to_a_person_whole_or_named_as_too_large(
    office: Office, relay: LoopbackRelay, megabytes: int, attached: bool
) -> None:
    filling = b"\r\n".join([b"A" * 76] * (megabytes * (1 << 20) // 78))
    head, _, body = request(office.address, "Quel temps fait-il chez vous ?\n").partition(b"\r\n\r\n")
    head = b"\r\n".join(line for line in head.split(b"\r\n") if not line.lower().startswith((b"content-", b"mime-")))
    whole = (
        head + b'\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary="b"\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\n' + body
        + b"\r\n--b\r\nContent-Type: video/mp4\r\nContent-Transfer-Encoding: base64\r\n\r\n" + filling + b"\r\n--b--\r\n"
    )  # fmt: skip
    await asyncio.to_thread(office.deliver, whole)
    office.ask(LATEST, sender=NEXT)
    async with office.running():
        await office.settled(2, seconds=30)
    assert sorted(got.recipient for got in office.taken(relay)) == [COLLEAGUE, "next@paper.example"]
    (note,) = (got for got in relay.mails if got.recipient == COLLEAGUE)
    files = [part.get_payload(decode=True) for part in read(note.content).iter_attachments()]
    assert [bytes(file).endswith(whole) for file in files] == ([True] if attached else [])
    assert "Quel temps fait-il" in text_of(note.content)
    assert office.lying("mailbot/attention") == 1
    assert psutil.Process(os.getpid()).memory_info().rss < 1 << 30


async def test_octets_that_no_database_keeps_as_text_cost_no_mail_its_disposition(
    office_on_either: Office, relay: LoopbackRelay
) -> None:
    office = office_on_either
    odd = b"\x00\xff\xed\xa0\x80\xf0\x9f"
    encoded = b"=?utf-8?b?" + base64.b64encode(odd) + b"?="
    lines = (
        b"From: " + encoded + b" <awa@journal.example>", b"To: " + office.address.encode(), b"Subject: Demande " + encoded + odd[1:],
        b"Message-ID: <a" + odd[1:] + b"@journal.example>", b"In-Reply-To: <" + odd[1:] + b">",
        b"References: <" + odd[1:] + b"> <" + encoded + b">", b"X-Odd" + odd[1:] + b": " + odd[1:], b"MIME-Version: 1.0",
        b'Content-Type: text/plain; charset=utf-8; name="' + encoded + b'"', b"Content-Transfer-Encoding: base64", b"", b"",
    )  # fmt: skip
    office.deliver(b"\r\n".join(lines) + base64.encodebytes(LATEST.encode() + odd))
    office.deliver(b"\xff" * 2000 + b"\r\n\r\n" + odd[1:])
    office.deliver(b"\r\n")
    office.ask(LATEST, sender=NEXT)
    async with office.running():
        await office.settled(4)
    assert [row["attempts"] for row in office.mails()] == [1, 1, 1, 1]
    assert [row["fault"] for row in office.mails()] == [""] * 4
    assert "next@paper.example" in {got.recipient for got in relay.mails}
    for row in office.mails():
        shown = json.loads((await office.commanded("inbox", "show", str(row["id"]), "--json")).stdout)
        assert shown["id"] == row["id"]
