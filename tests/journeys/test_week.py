"""A week of an office on Microsoft 365, from the boss's Word file to a person who is forgotten; on real servers, in a browser."""

import asyncio
import json
import re
from dataclasses import replace
from datetime import datetime, timedelta

from mailbot import clock, languages, office_terms, service, terms
from mailbot.archive.retain import last_round
from mailbot.inbox import correct, submit
from mailbot.inbox.hand_over import Desk
from mailbot.outbox import store as outbox
from mailbot.releases import store as releases
from mailbot.releases.sign_off import with_edition
from mailbot.settings import load
from tests.edges.test_sign_off import telephone
from tests.journeys.office import SECRET_KEY, Office, read, text_of
from tests.journeys.test_alerts import alerts, heard
from tests.journeys.test_microsoft365 import World, world
from tests.samples.word_file import paragraph, word_file
from tests.servers.relay import LoopbackRelay
from tests.servers.throwaway import free_port

__all__ = ["world"]
CHIEF, AWA, BEN = "chief@office.example", "awa@journal.example", "ben@paper.example"
SLUG = "un-nouveau-phare-eclaire-la-pointe"
LEAD = "Valmarine – Le nouveau phare de la pointe a été allumé le 12 mars 2026 devant quatre cents habitants réunis sur la jetée."
LEAD_EN = "Valmarine – The new lighthouse on the point was lit on 12 March 2026 before four hundred people who had come to the pier."
WRONG, RIGHT = "cinq cents", "six cents"
ABOUT = "Bonjour,\n\nPourriez-vous m'envoyer votre communiqué sur le nouveau phare de la pointe ?\n\nMerci"


def word(title: str, lead: str) -> bytes:
    """The release as the boss writes it."""
    return word_file(
        paragraph(title, style="Titre"), paragraph(lead), paragraph("***"), paragraph("Contact presse : Awa Diallo, presse@office.example")
    )


def friday() -> datetime:
    return clock.now() + timedelta(days=2)


def in_ninety_five_days() -> datetime:
    return clock.now() + timedelta(days=95)


def desk_of(office: Office) -> Desk:
    settings = load(office.config, {})
    loaded = languages.load(office_terms.language_folders(settings))
    return terms.desk_of(settings, office_terms.office_of(settings, loaded), SECRET_KEY.encode(), loaded, service.new_id)


async def sign(office: Office, relay: LoopbackRelay) -> None:
    """The signatory opens the link of the newest question on a telephone, and approves."""
    asked = [got for got in relay.mails if got.recipient == CHIEF][-1]
    link = re.search(r"http://127\.0\.0\.1:\d+/s/\S+", text_of(asked.content))
    assert link

    def approve() -> None:
        with telephone(link[0]) as page:
            assert page.evaluate("document.documentElement.scrollWidth") <= 360
            page.click("form:has(input[value=approve]) button")
            page.wait_for_selector("h1:has-text('C’est signé')")

    await asyncio.to_thread(approve)


def received(relay: LoopbackRelay, who: str) -> list[str]:
    """Subject and text of each mail to somebody."""
    return [f"{read(got.content)['Subject']}\n{text_of(got.content)}" for got in relay.mails if got.recipient == who]


async def test_a_week_of_an_office(world: World) -> None:
    office, relay, port = world.office, world.relay, free_port()
    async with LoopbackRelay() as second:
        office.configure(
            {
                "imap": {"oauth": True, "password": ""}, "smtp": {"oauth": True, "username": office.address},
                "oauth": world.tokens.section("good-2"), "alerts": alerts(second), "releases": {"sign_off": CHIEF},
                "web": {"public_url": f"http://127.0.0.1:{port}", "listen": f"127.0.0.1:{port}"},
            }
        )  # fmt: skip
        async with office.running() as parts:
            await _written_compared_and_signed(office, relay)
            await _published_under_embargo(office, relay)
            await _the_relay_is_away_for_a_while(office, relay, second, parts)
        assert heard(second) == ["Alerte : envoi des messages", "Retour à la normale : envoi des messages"]
        async with office.running(friday):
            await _public_and_corrected(office, relay)
    assert len(world.tokens.given) > 2, "its token ended more than once"
    async with office.running(in_ninety_five_days):
        day = in_ninety_five_days().date().isoformat()
        await office.until(lambda: office.database.read_now(last_round) >= day, "the round of the day")
    await _forgotten(office)
    assert office.unsound() == []


async def _written_compared_and_signed(office: Office, relay: LoopbackRelay) -> None:
    """Word in, changed, translated, compared, signed; nothing of it before."""
    for name, content in (
        ("v1", word("Un nouveau phare éclaire la pointe", LEAD)),
        ("v2", word("Un phare neuf éclaire la pointe", LEAD.replace("quatre cents", WRONG))),
        ("en1", word("A new lighthouse for the point", LEAD_EN)),
        ("en2", word("A new lighthouse for the point", LEAD_EN.replace("four", "five"))),
    ):
        (office.folder / f"{name}.docx").write_bytes(content)

    async def told(*words: str) -> str:
        return (await office.commanded("release", *words)).stdout

    def file(name: str) -> str:
        return str(office.folder / f"{name}.docx")

    await told("import", file("v1"), "--language", "fr")
    embargo = (clock.now() + timedelta(days=1)).isoformat(timespec="seconds")
    assert "[-quatre-] {+cinq+} cents" in await told("import", file("v2"), "--release", SLUG, "--language", "fr", "--embargo", embargo)
    await told("import", file("en1"), "--release", SLUG, "--language", "en")
    assert [one["kind"] for one in json.loads(await told("parity", SLUG, "--json"))["differences"]] == ["figure"]
    await told("import", file("en2"), "--release", SLUG, "--language", "en")
    assert json.loads(await told("parity", SLUG, "--json"))["differences"] == []
    assert "sign" in (await office.commanded("release", "publish", SLUG, "--yes", exits=1)).stderr
    await told("submit", SLUG, "--yes")
    await office.until(lambda: received(relay, CHIEF), "the question to the signatory")
    await sign(office, relay)
    await told("publish", SLUG, "--yes")


async def _published_under_embargo(office: Office, relay: LoopbackRelay) -> None:
    """A day too early it goes to a colleague, and not to her."""
    office.ask(ABOUT, sender=f"Awa <{AWA}>")
    await office.until(lambda: office.is_settled(1), "her mail dealt with")
    assert [row["outcome"] for row in office.mails()] == ["hand_off"]
    assert not [one for one in received(relay, AWA) if "phare" in one]


async def _the_relay_is_away_for_a_while(office: Office, relay: LoopbackRelay, second: LoopbackRelay, parts: service.Parts) -> None:
    """Somebody hears of it once, and once when the mail has left."""
    assert parts.alerter is not None
    await relay.stop()
    office.ask("Bonjour, votre dernier communiqué, svp ?", sender=f"Ben <{BEN}>", number=1)
    await office.until(lambda: office.status()["outbox"]["trouble"], "the relay's trouble in status")
    while not second.mails:
        await parts.alerter.once()
    await relay.start()
    await office.until(lambda: office.is_settled(2), "his answer sent")
    while len(second.mails) < 2:
        await parts.alerter.once()


async def _public_and_corrected(office: Office, relay: LoopbackRelay) -> None:
    """After its hour it is answered; then its figure is corrected, signed again, and who has it is told, and nobody else."""
    office.ask(ABOUT, sender=f"Awa <{AWA}>", number=2)
    await office.until(lambda: [one for one in received(relay, AWA) if WRONG in one], "the release for her")
    (before,) = [one for one in office.database.read_now(releases.load, SLUG).editions if one.slug == SLUG]
    read_anew = replace(before, body=before.body.replace(WRONG, RIGHT))
    desk, stored = desk_of(office), office.database.read_now(releases.load, SLUG)
    office.database.write_now(submit.submit, desk, with_edition(stored, read_anew), friday())
    await office.until(lambda: len(received(relay, CHIEF)) == 2, "the question about the correction")
    await sign(office, relay)
    office.database.write_now(correct.correct, desk, SLUG, read_anew, "", friday())
    await office.until(lambda: [one for one in received(relay, AWA) if "RECTIFICATIF" in one and RIGHT in one], "the correction for her")
    await office.until(lambda: office.is_settled(3), "all of it sent")
    assert "RECTIFICATIF" not in "".join(received(relay, BEN)), "he had another release"


async def _forgotten(office: Office) -> None:
    """Ninety days on the words of what was answered are gone; and then she is, in every byte."""
    sent = [office.database.read_now(outbox.shown, row["id"]) for row in office.deliveries("answer")]
    assert [bool(one["text"]) for one in sent if one and one["key"].startswith("answer:")] == [False, False]
    done = json.loads((await office.commanded("audience", "forget", AWA, "--yes", "--json")).stdout)
    assert done["files_that_still_hold"] == []
    for path in office.folder.glob("mailbot.db*"):
        assert AWA.encode() not in path.read_bytes(), path.name
