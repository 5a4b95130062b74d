"""Builds every part from the settings and runs the flows together: the watcher, the disposer, the dispatcher."""

import asyncio
import contextlib
import os
import secrets
import signal
from collections.abc import AsyncIterator, Awaitable, Callable, Collection
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from pathlib import Path
from zoneinfo import ZoneInfo

import structlog

from mailbot import languages, rendering
from mailbot.database import lease
from mailbot.database.engine import Database, DatabaseUnusable
from mailbot.database.migrate import upgrade
from mailbot.inbox import dispose, imap, watch
from mailbot.inbox.aftermath import Aftermath
from mailbot.inbox.carry_out import Desk
from mailbot.inbox.compose import Office
from mailbot.inbox.dispose import Disposer, authentication_of, own_deliveries
from mailbot.inbox.outcome import Caps, Context
from mailbot.inbox.read_mail import Reader
from mailbot.inbox.store import content
from mailbot.inbox.summarise import Summariser
from mailbot.inbox.understanding import Understood, own_words
from mailbot.inbox.watch import Watcher
from mailbot.message.address import Address, key, parse
from mailbot.message.incoming import IncomingMessage, Unreadable
from mailbot.outbox import dispatch, smtp
from mailbot.outbox.dispatch import Dispatcher
from mailbot.releases.shelf import Shelf
from mailbot.secret import secret_key
from mailbot.settings import Settings, SettingsFault, parse_instant

log = structlog.get_logger()
PARTS = ("inbox", "outbox")
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
    lease_seconds: float
    clock: Clock

    def stop(self) -> None:
        """Ask every flow to end after what it has in hand."""
        for part in (self.watcher, self.disposer, self.summariser, self.dispatcher):
            part.stop()


def language_folders(settings: Settings) -> list[Path]:
    """The shipped language folders, then the office's own."""
    own = settings.folders.languages
    return [languages.shipped(), *([Path(own)] if own else [])]


def template_folders(settings: Settings) -> list[Path]:
    """The office's own templates, then the shipped ones."""
    own = settings.folders.templates
    return [*([Path(own)] if own else []), rendering.shipped()]


def office_zone(settings: Settings) -> tzinfo:
    """The configured time zone, else the system's."""
    if settings.organisation.timezone:
        return ZoneInfo(settings.organisation.timezone)
    name = os.path.realpath("/etc/localtime").partition("zoneinfo/")[2]
    with contextlib.suppress(Exception):  # an odd system file is no reason not to start: times are shown in UTC then
        return ZoneInfo(name)
    return UTC


def office_of(settings: Settings, loaded: dict[str, languages.Language]) -> Office:
    """Who writes, and in which words. Raises SettingsFault, rendering.TemplateFault."""
    organisation = settings.organisation
    typographies = {code: language.typography for code, language in loaded.items()}
    return Office(
        name=organisation.name, short_name=organisation.short_name,
        address=_address(organisation.address, "organisation.address", organisation.name),
        website=organisation.website, contact=organisation.contact, languages=language_order(settings, loaded),
        colleagues=tuple(_address(one, "inbox.hand_off_to") for one in settings.inbox.hand_off_to),
        public_url=settings.web.public_url,
        words=rendering.environment(template_folders(settings), typographies, office_zone(settings)),
    )  # fmt: skip


def language_order(settings: Settings, loaded: dict[str, languages.Language]) -> tuple[str, ...]:
    """The office's languages, its own first; where it names none, every installed one in the order that the folders ask for.

    Raises SettingsFault."""
    named = tuple(settings.organisation.languages)
    for code in named:
        if code not in loaded:
            raise SettingsFault(f"organisation.languages names {code!r}, for which there is no language folder.")
    return named or tuple(sorted(loaded, key=lambda code: (int(loaded[code].words.get("order", 99)), code)))


def caps_of(settings: Settings) -> Caps:
    """How often may be answered."""
    inbox = settings.inbox
    return Caps(
        answer_pause_days=inbox.answer_pause_days,
        answers_per_address_per_day=inbox.answers_per_address_per_day,
        answers_per_domain_per_hour=inbox.answers_per_domain_per_hour,
        answers_per_minute=inbox.answers_per_minute,
    )


def own_addresses(settings: Settings) -> frozenset[str]:
    """Keys of every address that is ours."""
    written = (settings.organisation.address, *settings.organisation.aliases)
    return frozenset(_address(one, "organisation.address and aliases").key for one in written if one)


def reader_of(settings: Settings, loaded: dict[str, languages.Language]) -> Reader:
    """The process that reads mail with this office's ears."""
    organisation = settings.organisation
    known = own_words(own_addresses(settings), (organisation.name, organisation.short_name))
    return Reader(language_folders(settings), language_order(settings, loaded)[0], known, office_zone(settings))


def stranger_context(
    settings: Settings, loaded: dict[str, languages.Language], shelf: Shelf, secret: bytes,
    message: IncomingMessage | Unreadable, understood: Understood | None = None,
) -> Context:  # fmt: skip
    """What `explain` knows of a mail: nothing but itself, as from somebody who has never written."""
    return Context(
        own_addresses=own_addresses(settings),
        colleagues=frozenset(key(one) for one in settings.inbox.hand_off_to),
        authentication=authentication_of(message, settings.inbox.authserv_id),
        own_deliveries=own_deliveries(message, secret),
        releases=shelf.releases,
        index=shelf.index,
        languages=loaded,
        organisation_languages=language_order(settings, loaded),
        organisation_names=(settings.organisation.name, settings.organisation.short_name),
        understood=understood,
        from_a_file=True,
    )


def imap_server(settings: Settings) -> imap.Server:
    """Raises SettingsFault where the mailbox is not configured."""
    section = settings.imap
    if not section.host:
        raise SettingsFault("imap.host is missing: name the mailbox's server. `mailbot init` writes a settings file to fill in.")
    return imap.Server(
        host=section.host, port=section.port, security=section.security,
        username=section.username, password=section.password.get_secret_value(),
    )  # fmt: skip


def smtp_server(settings: Settings) -> smtp.Server:
    """Raises SettingsFault where the relay is not configured."""
    section = settings.smtp
    if not section.host:
        raise SettingsFault("smtp.host is missing: name the relay that sends. `mailbot init` writes a settings file to fill in.")
    return smtp.Server(
        host=section.host, port=section.port, security=section.security, username=section.username,
        password=section.password.get_secret_value(), local_hostname=_address(settings.organisation.address, "organisation.address").domain,
    )  # fmt: skip


def build(settings: Settings, clock: Clock) -> Parts:
    """Every part, joined; nothing runs yet. The database is brought up to this version. Raises a sentence for a person."""
    loaded = languages.load(language_folders(settings))
    office = office_of(settings, loaded)
    for fault in (fault for code in office.languages for fault in rendering.faults(office.words, code)):
        raise fault  # now, and not when the first journalist writes
    inward, outward = imap_server(settings), smtp_server(settings)
    database = Database(settings.database.url)
    upgrade(database)
    secret = secret_key(settings)
    holder = lease.this_process(secrets.token_hex(4))
    reader = reader_of(settings, loaded)
    dispatcher = Dispatcher(
        database, outward, _sending_terms(settings, office), holder,
        aftermath=Aftermath(office, secret, new_id), original=content, clock=clock,
    )  # fmt: skip
    def disposed() -> None:
        dispatcher.wake.set()
        watcher.wake.set()

    desk = _desk(settings, office, secret)
    disposer = Disposer(
        database, reader, desk, loaded, Shelf(loaded), _disposing_terms(settings), disposed=disposed, clock=clock,
    )  # fmt: skip
    watcher = Watcher(database, inward, _watching_terms(settings), holder, arrived=disposer.wake.set, clock=clock)
    summariser = Summariser(
        database, office, settings.inbox.mode, secret, office_zone(settings), queued=dispatcher.wake.set, clock=clock, new_id=new_id,
    )  # fmt: skip
    return Parts(
        database=database, holder=holder, reader=reader, watcher=watcher, disposer=disposer, dispatcher=dispatcher,
        summariser=summariser, lease_seconds=settings.outbox.lease_seconds, clock=clock,
    )  # fmt: skip


def asked_by_signal() -> asyncio.Event:
    """Set by SIGTERM or SIGINT."""
    asked = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, asked.set)
    return asked


async def run(parts: Parts, only: Collection[str] = PARTS, *, asked: asyncio.Event, shutdown_seconds: float) -> None:
    """Run until `asked`: then finish the mail in hand, claim no more, give the leases back. A flow that fails ends all of them."""
    async with held(parts):
        flows: list[Callable[[], Awaitable[None]]] = []
        if "inbox" in only:
            await parts.reader.start()
            flows += [parts.watcher.run, parts.disposer.run, parts.summariser.run]
        if "outbox" in only:
            flows.append(parts.dispatcher.run)
        async with asyncio.TaskGroup() as group:
            running = [group.create_task(_flow(flow)) for flow in flows]
            await _until(asked, running)
            parts.stop()
            log.info("stopping")
            _, late = await asyncio.wait(running, timeout=shutdown_seconds)
            for task in late:
                task.cancel()


async def run_once(parts: Parts, only: Collection[str] = PARTS) -> bool:
    """One pass: fetch and decide what is new, file it, send what is due. False where another process watches the mailbox."""
    async with held(parts):
        mine = True
        if "inbox" in only:
            mine = await parts.watcher.once()
            if mine:
                await parts.disposer.drain()
                await parts.summariser.once()
                await parts.watcher.file_once()
        if "outbox" in only:
            await parts.dispatcher.drain()
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


def _address(written: str, name: str, display: str = "") -> Address:
    found = parse(written)
    if found is None:
        raise SettingsFault(f"{name} must be an e-mail address; it is {written!r}." if written else f"{name} is missing.")
    if not found.address.isascii():
        raise SettingsFault(f"{name} is {written!r}: mail cannot be sent to or from it, the part before the @ must be plain letters.")
    return Address(found.address, display or found.name)


def _sending_terms(settings: Settings, office: Office) -> dispatch.Terms:
    relay, outbox = settings.smtp, settings.outbox
    return dispatch.Terms(
        sender=office.address, return_path=relay.return_path, rate_per_minute=relay.rate_per_minute, rate_per_day=relay.rate_per_day,
        connections=relay.connections, mails_per_connection=relay.mails_per_connection,
        retry_seconds=tuple(outbox.retry_seconds), uncertain_retry_seconds=outbox.uncertain_retry_seconds,
    )  # fmt: skip


def _watching_terms(settings: Settings) -> watch.Terms:
    section, start = settings.imap, settings.inbox.start_from
    return watch.Terms(
        mailbox=section.mailbox, filed=section.filed, attention=section.attention, observe=settings.inbox.mode == "observe",
        start_from=None if start == "now" else parse_instant(start), poll_seconds=section.poll_seconds,
        idle_seconds=section.idle_seconds, lease_seconds=settings.outbox.lease_seconds,
    )  # fmt: skip


def _desk(settings: Settings, office: Office, secret: bytes) -> Desk:
    return Desk(
        office=office, mode=settings.inbox.mode, hand_offs_per_hour=settings.inbox.hand_offs_per_hour, filed=settings.imap.filed,
        attention=settings.imap.attention, secret=secret, new_id=new_id,
    )  # fmt: skip


def _disposing_terms(settings: Settings) -> dispose.Terms:
    return dispose.Terms(
        mode=settings.inbox.mode, own_addresses=own_addresses(settings), authserv_id=settings.inbox.authserv_id, caps=caps_of(settings),
    )  # fmt: skip
