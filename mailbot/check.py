"""Can everything that the settings name be used? One finding an item: green or red, and what to do. Nothing is changed anywhere."""

import os
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from urllib.parse import urlsplit

import dns.asyncresolver
import dns.exception
import dns.resolver
import sqlalchemy as sa

from mailbot import languages, office_terms, terms
from mailbot.alerts.alert import LITTLE_SPACE
from mailbot.database.engine import Database, DatabaseUnusable, Tx, exists, file_of
from mailbot.database.migrate import OlderDatabase, is_ready, revision
from mailbot.database.tables import delivery, flag
from mailbot.inbox import imap
from mailbot.inbox.notice_answers import sent_folder
from mailbot.message import token
from mailbot.oauth.access_token import TokenTrouble, roles
from mailbot.oauth.access_tokens import AccessTokens
from mailbot.outbox import smtp
from mailbot.outbox.delivery import Fault
from mailbot.rendering import TemplateFault
from mailbot.secret import existing_key
from mailbot.settings import Settings, SettingsFault, demand
from mailbot.template_check import faults

SKEW_SECONDS = 120
DNS_SECONDS = 5.0
WANTED_CAPABILITIES = ("IDLE", "MOVE", "UIDPLUS")
CERTIFICATE = "Write the host's name as its certificate has it; the CA of a server of your own must be among the system's (SSL_CERT_FILE)."
LOGIN = "Check username and password; many providers want a password made for programs alone."
NETWORK = "Check host, port and security, and that this machine may connect there."
IMAP_ADVICE = ((imap.ImapLoginRefused, LOGIN), (imap.ImapCertificate, CERTIFICATE))
MEND_FIRST = "Mend the token first: without it what logs in by it does not open."
NO_ACCESS = (
    "The token is good, and this mailbox does not open to it. IT has to register the application in Exchange Online by the Object ID of "
    "the Enterprise application (not that of the app registration), and to give it FullAccess to this mailbox: see the request to IT."
)
NO_SENDING = (
    "IT has to switch SMTP AUTH on for this mailbox (Set-CASMailbox -SmtpClientAuthenticationDisabled $false), and to grant the permission "
    "SMTP.SendAsApp: see the request to IT."
)
NOT_CONNECTED = "authenticated but not connected"
PERMISSIONS = frozenset({"IMAP.AccessAsApp", "SMTP.SendAsApp"})
PROOF_DAYS = 14
SMTP_ADVICE = {
    Fault.LOGIN_REFUSED: LOGIN, Fault.CERTIFICATE: CERTIFICATE, Fault.TOKEN_REFUSED: NO_SENDING, Fault.NO_TOKEN: MEND_FIRST,
    Fault.NO_STARTTLS: "The relay offers no encryption on this port: tls on port 465 is the other way; plain is for loopback.",
}  # fmt: skip
UNVOUCHED = "inbox.authserv_id is not set: nobody vouches for senders, so that whoever asks gets the short answer or a person."


@dataclass(frozen=True, slots=True)
class Finding:
    """What was looked at, whether it is well, what was found, and what to do where it is not."""

    item: str
    green: bool
    said: str
    advice: str = ""


async def checked(settings: Settings, now: datetime, *, live: bool, resolver: dns.asyncresolver.Resolver | None = None) -> list[Finding]:
    """Every finding, in the order in which one would mend them. Only `live` opens connections to the mailbox, the relay and DNS."""
    found = [_settings(settings), _folder(settings), *_database(settings, now), *_words(settings), _mode(settings), *_signing(settings)]
    found.append(_alerts(settings))
    if live:
        found += [one async for one in _servers(settings, now)]
        found.append(await _guarded("DNS", lambda: _dns(settings, resolver)))
        if settings.dkim.key_file:
            found.append(await _guarded("DKIM", lambda: _dkim(settings, resolver)))
    return found


async def _servers(settings: Settings, now: datetime) -> AsyncIterator[Finding]:
    """The token where one is needed, the mailbox, the relay. Without the token nothing is tried that would need it."""
    try:
        tokens = terms.access_tokens(settings, lambda: now)
        if tokens:
            yield await _access(settings, tokens, now)
    except (SettingsFault, TokenTrouble) as problem:
        yield Finding("token", False, f"{problem}", MEND_FIRST)
        tokens, waits = None, True
    else:
        waits = False
    if waits and settings.imap.oauth:
        yield Finding("IMAP login", False, "not tried without a token.", MEND_FIRST)
    else:
        for one in [one async for one in _mailbox(settings, tokens)]:
            yield one
    if waits and settings.smtp.oauth:
        yield Finding("SMTP login and TLS", False, "not tried without a token.", MEND_FIRST)
    else:
        yield await _guarded("SMTP login and TLS", lambda: _relay(terms.smtp_server(settings, tokens), "SMTP login and TLS"))
    if settings.alerts.to and settings.alerts.smtp_host:
        yield await _guarded("alerts' relay", lambda: _relay(terms.second_relay(settings), "alerts' relay"))


def _settings(settings: Settings) -> Finding:
    try:
        demand(settings)
    except SettingsFault as problem:
        return Finding("settings", False, "not complete.", str(problem))
    return Finding("settings", True, "complete.")


def _folder(settings: Settings) -> Finding:
    """SQLite writes beside its file; a full disk is the end of every promise."""
    if not settings.database.url.startswith("sqlite:///"):
        return Finding("folders", True, "none is written to.")
    folder = Path(settings.database.url.removeprefix("sqlite:///")).absolute().parent
    if not folder.is_dir():
        return Finding("folders", False, f"{folder} does not exist.", "Create it, or change database.url.")
    if not os.access(folder, os.W_OK | os.X_OK):
        return Finding("folders", False, f"{folder} cannot be written to.", "Give the user who runs mailbot the right to write there.")
    space = os.statvfs(folder)
    free = space.f_bavail * space.f_frsize
    return Finding("folders", free > LITTLE_SPACE, f"{folder} has {free >> 20} MB left.", "" if free > LITTLE_SPACE else "Make room.")


def _database(settings: Settings, now: datetime) -> list[Finding]:
    """The database, the clock beside it, and the key that its mails were sealed with."""
    try:
        if not exists(settings.database.url):
            return [Finding("database", True, "is made at the first start."), _key(settings, None)]
        with closing(Database(settings.database.url)) as database:
            if not is_ready(database):
                return [Finding("database", True, "answers; its tables are made at the first start."), _key(settings, None)]
            newest = database.read_now(_newest_seal)
            return [_soundness(database), database.read_now(_clock, now), _key(settings, newest)]
    except OlderDatabase as problem:
        return [Finding("database", True, str(problem))]
    except DatabaseUnusable as problem:
        said, _, advice = str(problem).partition(". ")
        return [Finding("database", False, f"{said}.", advice)]


def _soundness(database: Database) -> Finding:
    path = file_of(database.url)
    said = database.read_now(lambda tx: tx.exec_driver_sql("PRAGMA quick_check(1)").scalar_one()) if path is not None else "ok"
    advice = "" if said == "ok" else "Stop mailbot, and bring a backup back: mailbot database restore FILE."
    return Finding("database", said == "ok", f"answers, revision {database.read_now(revision)}." if said == "ok" else said, advice)


def _clock(tx: Tx, now: datetime) -> Finding:
    """PostgreSQL's clock against ours; with SQLite, whether ours has gone back behind what is written there."""
    if tx.dialect.name == "postgresql":
        skew = (now - tx.execute(sa.text("SELECT clock_timestamp()")).scalar_one()).total_seconds()
        said = f"{abs(skew):.0f} s from the database's."
    else:
        newest = tx.execute(sa.select(sa.func.max(flag.c.changed_at))).scalar()
        skew = min(0.0, (now - newest).total_seconds()) if newest else 0.0
        said = f"{-skew:.0f} s behind what is written in the database." if skew else "goes on from what is written in the database."
    right = abs(skew) <= SKEW_SECONDS
    return Finding("clock", right, said, "" if right else "Set the clock (NTP): embargoes obey it.")


def _newest_seal(tx: Tx) -> tuple[str, str] | None:
    row = tx.execute(sa.select(delivery.c.id, delivery.c.message_id).order_by(delivery.c.created_at.desc()).limit(1)).first()
    return (row.id, row.message_id) if row else None


def _key(settings: Settings, newest: tuple[str, str] | None) -> Finding:
    """The key has to be the one that the mails in the database were sealed with: else mailbot does not know its own mail."""
    try:
        key = existing_key(settings)
    except SettingsFault as problem:
        return Finding("secret key", False, "cannot be used.", str(problem))
    restore = "Bring back the key that was in use (beside the database, or security.secret_key): mailbot does not know its own mail."
    if key is None and newest is None:
        return Finding("secret key", True, "is made at the first start.")
    if key is None:
        return Finding("secret key", False, "is gone.", restore)
    if newest is not None and token.own_delivery(key, newest[1]) != newest[0]:
        return Finding("secret key", False, "is not the one that mailbot's last mail was sealed with.", restore)
    return Finding("secret key", True, "is there.")


def _words(settings: Settings) -> list[Finding]:
    """The organisation, its languages and templates."""
    try:
        loaded = languages.load(office_terms.language_folders(settings))
        office = office_terms.office_of(settings, loaded)
        broken = [str(fault) for code in office.languages for fault in faults(office.words, code)]
    except (SettingsFault, TemplateFault, languages.LanguageFault) as problem:
        return [Finding("organisation", False, str(problem), "Mend what is named here.")]
    lacking = [f"{code}: {what}" for code in office.languages for what in languages.missing(loaded[code])]
    said = "; ".join([*broken, *lacking])
    hours = settings.organisation.hours
    return [
        Finding("organisation", True, f"{office.name or office.address.address} <{office.address.address}>."),
        Finding("hours", True, f"{hours} ({office.hours.zone})." if hours else "not said: no hour is named to who has to wait."),
        Finding("languages", not said, said or ", ".join(office.languages) + ".", "Complete the folders named here." if said else ""),
    ]


def _mode(settings: Settings) -> Finding:
    """For information: what would happen with mail, and to whose word on senders it would listen."""
    said = {
        "observe": "observe: nothing is answered or moved.", "draft": "draft: every answer goes to a colleague first.",
        "automatic": "automatic: journalists are answered.",
    }[settings.inbox.mode]  # fmt: skip
    return Finding("mode", True, said, "" if settings.inbox.authserv_id or settings.inbox.mode == "observe" else UNVOUCHED)


def _alerts(settings: Settings) -> Finding:
    """Who hears when something is wrong. That nobody does is a choice; that an alert would lie in the mailbox it is about is a fault."""
    try:
        targets = terms.alert_targets(settings)
    except SettingsFault as problem:
        return Finding("alerts", False, "cannot be sent.", str(problem))
    if settings.alerts.webhook:
        return Finding("alerts", True, f"go to the webhook at {urlsplit(settings.alerts.webhook).hostname}.")
    if not targets:
        return Finding("alerts", True, "alerts.to is not set: nobody hears when mailbot cannot read or send.", "Name who looks after it.")
    said = f"go to {', '.join(one.address for one in targets)}"
    if settings.alerts.smtp_host:
        return Finding("alerts", True, f"{said} by {settings.alerts.smtp_host}.")
    return Finding("alerts", True, f"{said} by the ordinary relay.", "Set alerts.smtp_host: else nobody hears that the relay is down.")


def _signing(settings: Settings) -> list[Finding]:
    """Where releases are signed, there must be a page to do it on: else none could be published any more."""
    who = settings.releases.sign_off
    if not who:
        return []
    advice = "" if settings.web.public_url else "Set web.public_url, or leave releases.sign_off empty."
    return [Finding("sign-off", not advice, f"{who} signs releases" + (", and there is no page to do it on." if advice else "."), advice)]


async def _access(settings: Settings, tokens: AccessTokens, now: datetime) -> Finding:
    """Is a token given, does it say that it may do what we need, and how long does our proof hold? Raises TokenTrouble."""
    access = await tokens.token()
    said = f"given for {(access.ends_at - now).total_seconds() / 60:.0f} minutes."
    given = roles(access)
    lacks = sorted(PERMISSIONS - given) if given is not None else []
    if lacks:
        advice = "IT has to add these permissions and to grant admin consent: see the request to IT."
        return Finding("token", False, f"{said} It carries no {', '.join(lacks)}.", advice)
    ends = terms.proof_ends(settings)
    if ends is None:
        return Finding("token", True, said, "Write the day on which the secret ends in oauth.client_secret_ends.")
    left = (ends - now.date()).days
    said += f" The {'certificate' if settings.oauth.certificate_file else 'client secret'} ends on {ends}, in {left} days."
    return Finding("token", left > PROOF_DAYS, said, "" if left > PROOF_DAYS else "Ask IT for a new one now.")


async def _mailbox(settings: Settings, tokens: AccessTokens | None) -> AsyncIterator[Finding]:
    """Login, capabilities, folders: nothing is selected for writing, nothing is made."""
    try:
        session = await imap.Session.open(terms.imap_server(settings, tokens))
    except (SettingsFault, imap.ImapTrouble, OSError, ValueError) as problem:
        yield Finding("IMAP login", False, str(problem), _imap_advice(problem))
        return
    try:
        yield Finding("IMAP login", True, f"{settings.imap.username} at {settings.imap.host}.")
        lacks = [one for one in WANTED_CAPABILITIES if one not in session.capabilities]
        yield Finding("IMAP capabilities", True, f"without {', '.join(lacks)}: mailbot does without." if lacks else "IDLE, MOVE, UIDPLUS.")
        await session.select(settings.imap.mailbox, read_only=True)
        there = {name for name, _ in await session.folders()}
        made = [one for one in (settings.imap.filed, settings.imap.attention) if one not in there]
        yield Finding("IMAP folders", True, f"{settings.imap.mailbox} opens." + (f" Will be made: {', '.join(made)}." if made else ""))
        yield _sent(settings.imap.sent, there, await sent_folder(session))
    except imap.ImapTrouble as problem:
        yield Finding("IMAP folders", False, str(problem), "Check imap.mailbox, and the rights of this login.")
    finally:
        await session.close()


def _imap_advice(problem: Exception) -> str:
    if isinstance(problem, imap.ImapTokenRefused):
        return NO_ACCESS if problem.token else MEND_FIRST
    if NOT_CONNECTED in str(problem).lower():
        return NO_ACCESS
    return next((said for kind, said in IMAP_ADVICE if isinstance(problem, kind)), NETWORK)


def _sent(named: str, there: set[str], told: str) -> Finding:
    """Where mailbot sees that a colleague answers from the mailbox itself. Not opened: some servers make what is asked for."""
    name = named or told
    if name in there:
        return Finding("IMAP sent mail", True, f"{name}.")
    said = f"there is no folder {named}." if named else "the server does not say which folder it is."
    return Finding("IMAP sent mail", False, said, "Write it in imap.sent: there one sees that a colleague has answered.")


async def _relay(server: smtp.Server, item: str) -> Finding:
    reply = await smtp.Relay(server).check()
    if reply.fault is Fault.NONE and (reply.code or 0) < 400:
        return Finding(item, True, reply.text or "the relay accepts us.")
    said = f"{reply.code} {reply.text}" if reply.code else reply.text or str(reply.fault)
    return Finding(item, False, said, SMTP_ADVICE.get(reply.fault, NETWORK))


async def _dns(settings: Settings, resolver: dns.asyncresolver.Resolver | None) -> Finding:
    """Receivers look at the From domain: it must take mail, and one SPF record and DMARC should be there."""
    domain = office_terms.office_of(settings, languages.load(office_terms.language_folders(settings))).address.domain
    ask = resolver or dns.asyncresolver.Resolver()
    exchangers = await _records(ask, domain, "MX")
    takes_mail = not any(one.endswith(" .") for one in exchangers) if exchangers else await _records(ask, domain, "A")  # RFC 7505
    spf = [one for one in await _records(ask, domain, "TXT") if one.lower().startswith("v=spf1")]
    dmarc = [one for one in await _records(ask, f"_dmarc.{domain}", "TXT") if one.lower().startswith("v=dmarc1")]
    lacks = [name for name, there in (("MX", takes_mail), ("SPF", spf), ("DMARC", dmarc)) if not there]
    if lacks:
        advice = "Ask who runs the domain's DNS: receivers doubt or refuse mail without them."
        return Finding("DNS", False, f"{domain} lacks {', '.join(lacks)}.", advice)
    if len(spf) > 1:
        return Finding("DNS", False, f"{domain} has {len(spf)} SPF records.", "Join them in one: receivers take two for none.")
    return Finding("DNS", True, f"{domain} has MX, SPF and DMARC.")


async def _dkim(settings: Settings, resolver: dns.asyncresolver.Resolver | None) -> Finding:
    """The key that signs must be the one that DNS shows. Raises SettingsFault."""
    signer = terms.dkim_signer(settings)
    assert signer is not None
    name = f"{signer.selector}._domainkey.{signer.domain}"
    shown = ["".join(one.split()) for one in await _records(resolver or dns.asyncresolver.Resolver(), name, "TXT")]
    if any(f"p={signer.public}" in one.split(";") for one in shown):
        return Finding("DKIM", True, f"{name} shows the key that signs ({signer.algorithm}).")
    said = f"{name} shows another key than the one that signs." if shown else f"there is no {name}."
    return Finding("DKIM", False, said, f"Ask for this TXT record: {signer.record}")


async def _records(resolver: dns.asyncresolver.Resolver, name: str, kind: str) -> list[str]:
    """A TXT record comes in pieces that belong together."""
    try:
        found = await resolver.resolve(name, kind, lifetime=DNS_SECONDS)
    except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer):
        return []
    return [b"".join(one.strings).decode("utf-8", "replace") if kind == "TXT" else one.to_text() for one in found]


async def _guarded(item: str, look: Callable[[], Awaitable[Finding]]) -> Finding:
    """A look that cannot be finished is red, and says why."""
    try:
        return await look()
    except (SettingsFault, TemplateFault, languages.LanguageFault, ValueError, OSError, dns.exception.DNSException) as problem:
        return Finding(item, False, str(problem) or type(problem).__name__, "Check the settings and the network.")
