"""Builds every part from the settings and runs the flows together: the watcher, the disposer, the dispatcher."""

import asyncio
import contextlib
import secrets
import signal
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import structlog

from mailbot import languages, office_terms, rendering, systemd, template_check, terms
from mailbot.alerts import store as alerts
from mailbot.alerts.raise_alerts import Alerter
from mailbot.archive.retain import Retainer
from mailbot.broadcast.conduct import Conductor
from mailbot.broadcast.letters import Readers
from mailbot.database import lease
from mailbot.database.engine import Database, DatabaseUnusable
from mailbot.database.migrate import upgrade
from mailbot.inbox import imap
from mailbot.inbox.aftermath import Aftermath
from mailbot.inbox.arrival_store import content
from mailbot.inbox.dispose import Disposer
from mailbot.inbox.escalate import Escalator
from mailbot.inbox.hand_over import Desk
from mailbot.inbox.lexicon import lexicon
from mailbot.inbox.notice_answers import SentFolder
from mailbot.inbox.read_mail import Reader
from mailbot.inbox.summarise import Summariser
from mailbot.inbox.watch import Watcher
from mailbot.oauth.access_tokens import AccessTokens
from mailbot.office import Office
from mailbot.outbox.dispatch import Dispatcher
from mailbot.releases.shelf import Shelf
from mailbot.secret import secret_key
from mailbot.settings import Settings
from mailbot.standing import in_a_line, standing
from mailbot.web import site
from mailbot.web.desk import ways
from mailbot.web.desk.asked import Bureau
from mailbot.web.desk.printing import words as desk_words
from mailbot.web.serve import Pages

log = structlog.get_logger()
PARTS = ("inbox", "outbox", "web")
Clock = Callable[[], datetime]


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """What runs: every part of one office, joined."""

    database: Database
    holder: str
    reader: Reader
    watcher: Watcher
    disposer: Disposer
    dispatcher: Dispatcher
    summariser: Summariser
    pages: Pages | None     # where the office has a public address
    escalator: Escalator
    conductor: Conductor
    alerter: Alerter | None  # where somebody is to hear
    mode: str
    retainer: Retainer
    lease_seconds: float
    clock: Clock

    def stop(self) -> None:
        """Ask every flow to end after what it has in hand."""
        flows = (
            self.watcher, self.disposer, self.summariser, self.escalator, self.conductor, self.retainer, self.dispatcher, self.pages,
            self.alerter,
        )  # fmt: skip
        for part in flows:
            if part:
                part.stop()

    def is_alive(self) -> bool:
        """Do the flows that must never rest make progress? One that does not run here has promised nothing."""
        now = asyncio.get_running_loop().time()
        return all(pulse.beats(now) for pulse in (self.watcher.pulse, *self.dispatcher.pulses))


def build(settings: Settings, clock: Clock) -> Parts:
    """Every part, joined; nothing runs yet. The database is brought up to this version. Raises a sentence for a person."""
    loaded = languages.load(office_terms.language_folders(settings))
    office = office_terms.office_of(settings, loaded)
    for fault in (fault for code in office.languages for fault in template_check.faults(office.words, code, of_the_office=True)):
        raise fault  # now, and not when the first journalist writes
    tokens = terms.access_tokens(settings, clock)
    inward, outward = terms.imap_server(settings, tokens), terms.smtp_server(settings, tokens)
    database = Database(settings.database.url)
    upgrade(database)
    secret = secret_key(settings)
    holder = lease.this_process(secrets.token_hex(4))
    reader = office_terms.reader_of(settings, loaded)
    desk = terms.desk_of(settings, office, secret, loaded, new_id)
    dispatcher = Dispatcher(
        database, outward, terms.sending_terms(settings, office), holder,
        aftermath=Aftermath(desk), original=content, values=Readers(office, secret), clock=clock,
    )  # fmt: skip
    def disposed() -> None:
        dispatcher.wake.set()
        watcher.wake.set()

    disposer = Disposer(
        database, reader, desk, loaded, Shelf(loaded), terms.disposing_terms(settings, loaded), disposed=disposed, clock=clock,
    )  # fmt: skip
    sent = SentFolder(
        database=database, read=reader.read, name=settings.imap.sent, prefixes=lexicon(loaded).reply_prefixes, secret=secret,
        every_seconds=settings.imap.poll_seconds, clock=clock,
    )  # fmt: skip
    watcher = Watcher(database, inward, terms.watching_terms(settings), holder, sent, arrived=disposer.wake.set, clock=clock)
    summariser = Summariser(
        database, office, settings.inbox.mode, secret, office_terms.office_zone(settings),
        queued=dispatcher.wake.set, clock=clock, new_id=new_id,
    )  # fmt: skip
    escalator = Escalator(database, desk, queued=dispatcher.wake.set, clock=clock)
    conductor = Conductor(
        database, terms.conducting_terms(settings, office, secret, new_id), holder, started=dispatcher.wake.set, clock=clock
    )
    retainer = Retainer(database, terms.retention_terms(settings, loaded), holder, clock)
    return Parts(
        database=database, holder=holder, retainer=retainer, reader=reader, watcher=watcher, disposer=disposer, dispatcher=dispatcher,
        summariser=summariser, escalator=escalator, conductor=conductor,
        pages=_pages(settings, desk, database, reader, dispatcher.wake.set, clock),
        alerter=_alerter(settings, office, database, secret, holder, tokens, clock), mode=settings.inbox.mode,
        lease_seconds=settings.outbox.lease_seconds, clock=clock,
    )  # fmt: skip


def _alerter(
    settings: Settings, office: Office, database: Database, secret: bytes, holder: str, tokens: AccessTokens | None, clock: Clock
) -> Alerter | None:
    """None where nobody is to hear; then what was told is forgotten. Raises SettingsFault."""
    alerting = terms.alerting_terms(settings, office, secret, tokens)
    database.write_now(alerts.keep_for, alerting.told)
    return Alerter(database, alerting, holder, clock=clock, new_id=new_id) if alerting.told else None


def _pages(
    settings: Settings, desk: Desk, database: Database, reader: Reader, queued: Callable[[], None], clock: Clock
) -> Pages | None:
    """The public pages and the desk; None where the office has no public address. Raises rendering.TemplateFault."""
    if not settings.web.public_url:
        return None
    async def check(live: bool) -> Sequence[Any]:
        from mailbot.check import checked  # what asks the DNS takes long to load

        return await checked(settings, clock(), live=live)

    office, folders = desk.office, office_terms.template_folders(settings)
    words = {code: site.words(folders, code, office.words.typographies[code]) for code in office.languages}
    newsroom = site.Newsroom(name=office.name, address=office.address.address, languages=office.languages, words=words, secret=desk.secret)
    bureau = Bureau(
        database=database, desk=desk, reader=reader, origin=terms.origin_of(settings), proxies=frozenset(settings.web.trusted_proxies),
        words={code: desk_words(folders, code, office.words.typographies[code]) for code in office.languages}, pages=words,
        reasons={code: rendering.lines(folders, code, "reasons.yaml") for code in office.languages},
        settings=terms.settings_without_secrets(settings), standing=partial(standing, mode=settings.inbox.mode), queued=queued,
        clock=clock, zone=office_terms.office_zone(settings), approvals=settings.broadcast.approvals,
        hold=timedelta(minutes=settings.broadcast.hold_minutes), pace=(settings.smtp.rate_per_minute, settings.smtp.rate_per_day),
        accent=settings.web.accent, refused=Counter(), check=check,
    )  # fmt: skip
    host, _, port = settings.web.listen.rpartition(":")
    return Pages(site.site(database, newsroom, clock, desk, ways.routes(bureau), bureau.refused), host.strip("[]"), int(port))


def asked_by_signal() -> asyncio.Event:
    """Set by SIGTERM or SIGINT."""
    asked = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, asked.set)
    return asked


async def run(
    parts: Parts, only: Collection[str] = PARTS, *, asked: asyncio.Event, shutdown_seconds: float, manager: tuple[str, float] = ("", 0.0)
) -> None:
    """Run until `asked`: then finish the mail in hand, claim no more, give the leases back. A flow that fails ends all of them.

    `manager`: where systemd listens, and how often it wants to hear of us."""
    async with held(parts):
        flows: list[Callable[[], Awaitable[None]]] = []
        if "inbox" in only:
            await parts.reader.start()
            flows += [parts.watcher.run, parts.disposer.run, parts.summariser.run, parts.escalator.run, parts.retainer.run]
        if "outbox" in only:
            flows += [parts.conductor.run, parts.dispatcher.run]
        if "web" in only and parts.pages:
            flows.append(parts.pages.run)
        if parts.alerter:
            flows.append(parts.alerter.run)
        async with asyncio.TaskGroup() as group:
            running = [group.create_task(_flow(flow)) for flow in flows]
            systemd.notify(manager[0], "READY=1")
            telling = group.create_task(systemd.keep_telling(*manager, parts.is_alive, lambda: _standing(parts)))
            await _until(asked, running)
            parts.stop()
            telling.cancel()
            systemd.notify(manager[0], "STOPPING=1", "STATUS=Finishing the mail in hand.")
            log.info("stopping")
            _, late = await asyncio.wait(running, timeout=shutdown_seconds)
            for task in late:
                task.cancel()


async def _standing(parts: Parts) -> str:
    try:
        return await parts.database.read(in_a_line, parts.mode)
    except DatabaseUnusable as problem:  # the flows say so too, and end
        return str(problem)


async def run_once(parts: Parts, only: Collection[str] = PARTS) -> bool:
    """One pass: fetch and decide what is new, file it, send what is due. False where another process watches the mailbox."""
    async with held(parts):
        mine = True
        if "inbox" in only:
            try:
                mine = await parts.watcher.once()
            except imap.ImapTrouble:
                if parts.alerter:
                    await parts.alerter.once()
                raise
            if mine:
                await parts.disposer.drain()
                await parts.escalator.once()
                await parts.summariser.once()
                await parts.watcher.file_once()
        if "outbox" in only:
            await parts.conductor.once()
            await parts.dispatcher.drain()
            await parts.conductor.once()
        if "inbox" in only and mine:
            await parts.retainer.once()
        if parts.alerter:
            await parts.alerter.once()
        return mine


@asynccontextmanager
async def held(parts: Parts) -> AsyncIterator[None]:
    """Hold this process's lease while the body runs; close everything at its end."""
    name = f"process:{parts.holder}"

    async def keep() -> None:
        while True:
            await asyncio.sleep(parts.lease_seconds / 3)
            with contextlib.suppress(DatabaseUnusable):  # the lease lasts three rounds; whoever needs the database now says so
                await parts.database.write(lease.acquire, name, parts.holder, parts.clock(), parts.lease_seconds)

    await parts.database.write(lease.acquire, name, parts.holder, parts.clock(), parts.lease_seconds)
    keeper = asyncio.create_task(keep())
    try:
        yield
    finally:
        keeper.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await keeper
        await parts.reader.close()
        await parts.database.write(lease.release_all, parts.holder)
        parts.database.close()


def new_id() -> str:
    """An id that nobody can guess."""
    return secrets.token_hex(8)


async def _flow(flow: Callable[[], Awaitable[None]]) -> None:
    await flow()


async def _until(asked: asyncio.Event, running: Collection[asyncio.Task[None]]) -> None:
    """Until somebody asks, or a flow ends, which it only does by failing."""
    waiting = asyncio.create_task(asked.wait())
    await asyncio.wait([waiting, *running], return_when=asyncio.FIRST_COMPLETED)
    waiting.cancel()
