"""How many queued answers a second leave: claimed, frozen, spoken to a relay that takes everything, recorded."""

import asyncio
import time
from dataclasses import replace

from mailbot import clock, languages, office_terms, service
from mailbot.inbox.compose import Subject, answer
from mailbot.inbox.outcome import SendRelease
from mailbot.inbox.reason import Reason
from mailbot.message import token
from mailbot.message.address import Address
from mailbot.message.authentication import Authentication
from mailbot.message.incoming import parse
from mailbot.outbox import store
from mailbot.settings import load
from tests.benchmarks import stand
from tests.benchmarks.figure import Figure
from tests.journeys.office import Office, request
from tests.samples.littoral import corpus
from tests.servers.smtp_sink import SmtpSink, smtp_sink

ANSWERS = 500


def measure() -> list[Figure]:
    """One connection, as it is set by default; no pace. SQLite with synchronous=FULL."""
    with smtp_sink() as relay, stand.office(stand.NOWHERE, relay.port) as office:
        _queue(office)
        took = asyncio.run(_drained(office, relay))
    return [Figure(f"{ANSWERS} queued answers to smtp-sink, one connection", ANSWERS / took, "mails/s")]


async def _drained(office: Office, relay: SmtpSink) -> float:
    parts = office.parts()
    async with service.held(parts):
        started = time.perf_counter()
        await parts.dispatcher.drain()
        took = time.perf_counter() - started
    if len(relay.taken()) != ANSWERS:
        raise RuntimeError(f"the relay has {len(relay.taken())} of {ANSWERS} answers")
    return took


def _queue(office: Office) -> None:
    settings = load(office.config, {})
    writer = office_terms.office_of(settings, languages.load([languages.shipped()]))
    library = {release.id: release for release in corpus()}
    message = parse(request(stand.ADDRESS, "Votre dernier communiqué ?"))
    edition = next(iter(library.values())).editions[0]
    chosen = SendRelease(
        release=edition.release, edition=edition.slug, language="fr", why="latest", reason=Reason.LATEST_ASKED, full=True,
        alternatives=(), repeat=False,
    )  # fmt: skip
    draft = answer(writer, Subject(0, message, clock.now(), Authentication.PASS), chosen, library, "fr")
    with office.database.engine.begin() as tx:
        for number in range(ANSWERS):
            one = replace(draft, key=f"bench:{number}", recipient=Address(f"awa.{number}@journal.example"), mail=None)
            store.enqueue(tx, one, f"{number:016x}", token.message_id(b"bench", f"{number:016x}", "littoral.example"), clock.now())
