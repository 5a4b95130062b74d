"""Can everything that the settings name be used? One finding an item: green or red, and what to do."""

import os
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import dns.asyncresolver
import dns.exception
import dns.resolver
import sqlalchemy as sa

from mailbot import languages, service
from mailbot.database.engine import Database, DatabaseUnusable, Tx
from mailbot.database.migrate import HEAD, upgrade
from mailbot.database.tables import flag
from mailbot.inbox import imap
from mailbot.outbox import smtp
from mailbot.outbox.delivery import Fault
from mailbot.rendering import TemplateFault, faults
from mailbot.secret import secret_key
from mailbot.settings import Settings, SettingsFault

SKEW_SECONDS = 120
DNS_SECONDS = 5.0
WANTED_CAPABILITIES = ("IDLE", "MOVE", "UIDPLUS")
FREE_OCTETS = 200 << 20


@dataclass(frozen=True, slots=True)
class Finding:
    """What was looked at, whether it is well, what was found, and what to do where it is not."""

    item: str
    green: bool
    said: str
    advice: str = ""


async def checked(settings: Settings, now: datetime, *, live: bool, resolver: dns.asyncresolver.Resolver | None = None) -> list[Finding]:
    """Every finding, in the order in which one would mend them. Only `live` opens connections to the mailbox, the relay and DNS."""
    found = [*_database(settings, now), _key(settings), _folder(settings), *_words(settings)]
    if live:
        found += [one async for one in _mailbox(settings)]
        found += [await _guarded("relay", lambda: _relay(settings)), await _guarded("DNS", lambda: _dns(settings, resolver))]
    return found


def _database(settings: Settings, now: datetime) -> list[Finding]:
    try:
        database = Database(settings.database.url)
        try:
            upgrade(database)
            skew = database.read_now(_skew, now)
        finally:
            database.close()
    except DatabaseUnusable as problem:
        return [Finding("database", False, str(problem))]
    right = abs(skew) <= SKEW_SECONDS
    clock = Finding("clock", right, f"{abs(skew):.0f} s from the database's.", "" if right else "Set the clock (NTP): embargoes obey it.")
    return [Finding("database", True, f"answers, revision {HEAD}."), clock]


def _skew(tx: Tx, now: datetime) -> float:
    """Seconds between our clock and PostgreSQL's; on SQLite, how far the clock has gone back behind what is written there."""
    if tx.dialect.name == "postgresql":
        return float((now - tx.execute(sa.text("SELECT clock_timestamp()")).scalar_one()).total_seconds())
    newest = tx.execute(sa.select(sa.func.max(flag.c.changed_at))).scalar()
    return min(0.0, (now - newest).total_seconds()) if newest else 0.0


def _key(settings: Settings) -> Finding:
    try:
        secret_key(settings)
    except SettingsFault as problem:
        return Finding("secret key", False, str(problem))
    return Finding("secret key", True, "is there.")


def _folder(settings: Settings) -> Finding:
    """SQLite writes beside its file; a full disk is the end of every promise."""
    if not settings.database.url.startswith("sqlite:///"):
        return Finding("folders", True, "none is written to.")
    folder = Path(settings.database.url.removeprefix("sqlite:///")).absolute().parent
    if not os.access(folder, os.W_OK):
        return Finding("folders", False, f"{folder} cannot be written to.", "Give the user who runs mailbot the right to write there.")
    space = os.statvfs(folder)
    free = space.f_bavail * space.f_frsize
    return Finding("folders", free > FREE_OCTETS, f"{folder} has {free >> 20} MB left.", "" if free > FREE_OCTETS else "Make room.")


def _words(settings: Settings) -> list[Finding]:
    """The organisation, its languages and templates."""
    try:
        loaded = languages.load(service.language_folders(settings))
        office = service.office_of(settings, loaded)
        broken = [str(fault) for code in office.languages for fault in faults(office.words, code)]
    except (SettingsFault, TemplateFault, languages.LanguageFault) as problem:
        return [Finding("organisation", False, str(problem))]
    lacking = [f"{code}: {what}" for code in office.languages for what in languages.missing(loaded[code])]
    said = "; ".join([*broken, *lacking])
    return [
        Finding("organisation", True, f"{office.name or office.address.address} <{office.address.address}>."),
        Finding("languages", not said, said or ", ".join(office.languages) + ".", "Complete the folders named here." if said else ""),
    ]


async def _mailbox(settings: Settings) -> AsyncIterator[Finding]:
    """Login, capabilities, folders: nothing is selected for writing, nothing is made."""
    try:
        session = await imap.Session.open(service.imap_server(settings))
    except (SettingsFault, imap.ImapTrouble, OSError, ValueError) as problem:
        yield Finding("IMAP login", False, str(problem), "Check imap.host, port, security, username and password.")
        return
    try:
        yield Finding("IMAP login", True, f"{settings.imap.username} at {settings.imap.host}.")
        lacks = [one for one in WANTED_CAPABILITIES if one not in session.capabilities]
        yield Finding("IMAP capabilities", True, f"without {', '.join(lacks)}: mailbot does without." if lacks else "IDLE, MOVE, UIDPLUS.")
        await session.select(settings.imap.mailbox, read_only=True)
        there = {name for name, _ in await session.folders()}
        made = [one for one in (settings.imap.filed, settings.imap.attention) if one not in there]
        yield Finding("IMAP folders", True, f"{settings.imap.mailbox} opens." + (f" Will be made: {', '.join(made)}." if made else ""))
    except imap.ImapTrouble as problem:
        yield Finding("IMAP folders", False, str(problem), "Check imap.mailbox, and the rights of this login.")
    finally:
        await session.close()


async def _relay(settings: Settings) -> Finding:
    reply = await smtp.Relay(service.smtp_server(settings)).check()
    if reply.fault is Fault.NONE and (reply.code or 0) < 400:
        return Finding("SMTP login and TLS", True, reply.text or "the relay accepts us.")
    return Finding("SMTP login and TLS", False, f"{reply.fault}: {reply.code or ''} {reply.text}", "Check the [smtp] section.")


async def _dns(settings: Settings, resolver: dns.asyncresolver.Resolver | None) -> Finding:
    """Receivers look at the From domain: it must take mail, and SPF and DMARC should be there."""
    domain = service.office_of(settings, languages.load(service.language_folders(settings))).address.domain
    ask = resolver or dns.asyncresolver.Resolver()
    takes_mail = await _records(ask, domain, "MX") or await _records(ask, domain, "A")
    spf = any("v=spf1" in one for one in await _records(ask, domain, "TXT"))
    dmarc = any("v=DMARC1" in one for one in await _records(ask, f"_dmarc.{domain}", "TXT"))
    lacks = [name for name, there in (("MX", takes_mail), ("SPF", spf), ("DMARC", dmarc)) if not there]
    said = f"{domain} lacks {', '.join(lacks)}." if lacks else f"{domain} has MX, SPF and DMARC."
    return Finding("DNS", not lacks, said, "Ask who runs the domain's DNS: receivers refuse mail without them." if lacks else "")


async def _records(resolver: dns.asyncresolver.Resolver, name: str, kind: str) -> list[str]:
    try:
        return [str(record) for record in await resolver.resolve(name, kind, lifetime=DNS_SECONDS)]
    except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer):
        return []


async def _guarded(item: str, look: Callable[[], Awaitable[Finding]]) -> Finding:
    """A look that cannot be finished is red, and says why."""
    try:
        return await look()
    except (TimeoutError, SettingsFault, TemplateFault, ValueError, OSError, dns.exception.DNSException) as problem:
        return Finding(item, False, str(problem) or type(problem).__name__, "Check the settings and the network.")
