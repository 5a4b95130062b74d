"""A mail from the mailbox to itself: does it leave, does it come back, and is what mailbot relies on still in it?

The mail goes past the outbox, straight to the relay: it is a person's own look, and nothing of it is remembered. It carries our seal and
says that a machine wrote it, so that the watcher takes it for what it is: our own mail. It stays where it lies, marked.
"""

import asyncio
import contextlib
import secrets
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime

from mailbot import languages, office_terms, rendering, terms
from mailbot.check import SMTP_ADVICE, Finding
from mailbot.database import flag
from mailbot.database.engine import Database, DatabaseUnusable, exists
from mailbot.database.migrate import OlderDatabase, is_ready
from mailbot.inbox import imap
from mailbot.inbox.notice_answers import sent_folder
from mailbot.message import incoming, outgoing, token
from mailbot.message.incoming import IncomingMessage
from mailbot.oauth.access_tokens import AccessTokens
from mailbot.outbox import smtp
from mailbot.secret import existing_key
from mailbot.settings import Settings, SettingsFault, demand

ITEM = "test mail"
HEAD_OCTETS = 64 << 10
OTHER_SENDER = "The relay writes another sender: let organisation.address be the address of the login."
MENDING = "Mend what is red above."
UNKNOWN_ID = "mailbot then knows replies and bounces less surely: ask who runs the relay to leave Message-IDs that are there."


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How long to wait for the mail, and then for its copy in the folder of sent mail; how often to look."""

    seconds: float = 120
    sent_seconds: float = 20
    look_seconds: float = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """The mail that is sent."""

    mark: str
    message_id: str
    sender: str
    envelope_sender: str
    content: bytes


async def round_trip(settings: Settings, now: datetime, patience: Patience) -> list[Finding]:
    """Send it and look for it. Every finding, in order."""
    try:
        demand(settings)
        if _is_stopped(settings):
            return [Finding(ITEM, False, "sending is stopped, nothing was sent.", "`mailbot resume-sending` lets mail leave again.")]
        tokens = terms.access_tokens(settings, lambda: now)
        session = await imap.Session.open(terms.imap_server(settings, tokens))
    except (SettingsFault, rendering.TemplateFault, languages.LanguageFault, DatabaseUnusable, OlderDatabase) as problem:
        return [Finding(ITEM, False, "was not sent.", str(problem))]
    except (imap.ImapTrouble, OSError) as problem:
        return [Finding(ITEM, False, f"was not sent, the mailbox does not open: {problem}.", MENDING)]
    try:
        return await _tried(settings, tokens, session, now, patience)
    except (imap.ImapTrouble, SettingsFault, rendering.TemplateFault, languages.LanguageFault, outgoing.Unsendable) as problem:
        return [Finding(ITEM, False, f"the look for it ended: {problem}.", MENDING)]
    finally:
        await session.close()


async def _tried(
    settings: Settings, tokens: AccessTokens | None, session: imap.Session, now: datetime, patience: Patience
) -> list[Finding]:
    trial = _trial(settings, now)
    sent = settings.imap.sent or await sent_folder(session)
    places = await _places(session, settings, sent)
    relay = smtp.Relay(terms.smtp_server(settings, tokens))
    try:
        reply = await relay.send(trial.envelope_sender, settings.organisation.address, trial.content, _may_leave)
    finally:
        await relay.close()
    if not reply.accepted and not reply.in_doubt:
        said = f"{reply.code} {reply.text}" if reply.code else reply.text or str(reply.fault)
        advice = SMTP_ADVICE.get(reply.fault, "The relay's words say why: often the login may not send as organisation.address.")
        return [Finding(ITEM, False, f"is refused: {said}.", advice)]
    loop = asyncio.get_running_loop()
    began, found = loop.time(), dict[str, IncomingMessage]()
    while not _is_enough(found, sent, loop.time() - began, patience):
        for folder in places.keys() - found.keys():
            if message := await _look(session, folder, places[folder], trial):
                found[folder] = message
        if not _is_enough(found, sent, loop.time() - began, patience):
            await asyncio.sleep(patience.look_seconds)
    return list(_findings(settings, trial, sent, found, patience))


def _is_enough(found: dict[str, IncomingMessage], sent: str, passed: float, patience: Patience) -> bool:
    arrived = bool(found.keys() - {sent})
    return passed > patience.seconds or (arrived and (not sent or sent in found or passed > patience.sent_seconds))


def _trial(settings: Settings, now: datetime) -> Trial:
    """In the office's first language, for whoever finds it in the mailbox."""
    office = office_terms.office_of(settings, languages.load(office_terms.language_folders(settings)))
    mark = secrets.token_hex(6)
    values = {"organisation": office.values, "mark": mark, "when": now}
    words = rendering.render(office.words, office.own_language, "round_trip", values)
    message_id = token.message_id(existing_key(settings) or secrets.token_bytes(), f"check-{mark}", office.address.domain)
    content = outgoing.build(
        outgoing.OutgoingMessage(
            message_id=message_id, sender=office.address, to=office.address, subject=words.subject, text=words.text,
            language=office.own_language, date=now,
            headers=(("Auto-Submitted", "auto-generated"), ("X-Auto-Response-Suppress", "All"), ("X-Mailbot-Check", mark)),
        )
    )  # fmt: skip
    sender = office.address.address
    return Trial(mark=mark, message_id=message_id, sender=sender, envelope_sender=settings.smtp.return_path or sender, content=content)


async def _places(session: imap.Session, settings: Settings, sent: str) -> dict[str, int]:
    """The folders in which it may turn up, each with the first UID that is new: what is moved within a second must be found, too."""
    there = await session.folders()
    junk = [name for name, flags in there if "\\junk" in {one.lower() for one in flags}]
    names = {settings.imap.mailbox, settings.imap.filed, settings.imap.attention, sent, *junk} & {settings.imap.mailbox, *dict(there)}
    return {name: (await session.select(name, read_only=True)).uidnext or 1 for name in sorted(names)}


async def _look(session: imap.Session, folder: str, first: int, trial: Trial) -> IncomingMessage | None:
    await session.select(folder, read_only=True)
    for uid in reversed(await session.search("UID", f"{first}:*")):
        head = await session.head(uid, HEAD_OCTETS) if uid >= first else None
        if head and trial.mark.encode() in head:
            message = incoming.parse(head)
            return message if isinstance(message, IncomingMessage) else None
    return None


def _findings(
    settings: Settings, trial: Trial, sent: str, found: dict[str, IncomingMessage], patience: Patience
) -> Iterator[Finding]:
    arrived = sorted(found.keys() - {sent}, key=lambda name: name != settings.imap.mailbox)
    if not arrived:
        advice = "Look for it in quarantine and junk mail, and whether organisation.address leads to this mailbox."
        yield Finding(ITEM, False, f"left, and is not here after {patience.seconds:.0f} seconds; its mark is {trial.mark}.", advice)
    else:
        message, folder = found[arrived[0]], arrived[0]
        ours = folder in (settings.imap.mailbox, settings.imap.filed, settings.imap.attention)
        advice = f"You may delete it; its mark is {trial.mark}." if ours else "The server takes our own mail for junk: ask who runs it."
        yield Finding(ITEM, ours, f"came back to {folder}.", advice)
        yield from _survivors(settings, trial, message)
    if not sent:
        yield Finding("Sent Items", True, "the server does not say which folder it is.")
    elif sent in found:
        yield Finding("Sent Items", True, f"the relay keeps a copy in {sent}.")
    else:
        yield Finding("Sent Items", True, f"no copy in {sent}: this relay keeps none, or later.")


def _survivors(settings: Settings, trial: Trial, message: IncomingMessage) -> Iterator[Finding]:
    sender = message.sender.address if message.sender else "nobody"
    same = sender.lower() == trial.sender.lower()
    yield Finding("From", same, f"{sender}.", "" if same else OTHER_SENDER)
    kept = message.message_id == trial.message_id
    yield Finding("Message-ID", kept, "survives." if kept else f"becomes {message.message_id or 'none'}.", "" if kept else UNKNOWN_ID)
    path = message.return_path
    if path is None:
        yield Finding("return path", True, "the server does not show it.")
    elif path.lower() == trial.envelope_sender.lower():
        yield Finding("return path", True, f"{path} survives.")
    else:
        advice = "Leave smtp.return_path empty: this relay rewrites it." if settings.smtp.return_path else ""
        yield Finding("return path", not settings.smtp.return_path, f"becomes {path or '<>'}: bounces go there.", advice)


def _is_stopped(settings: Settings) -> bool:
    """A stop holds for this mail, too."""
    with contextlib.ExitStack() as ends:
        if not exists(settings.database.url):
            return False
        database = ends.enter_context(closing(Database(settings.database.url)))
        return is_ready(database) and database.read_now(flag.get, flag.SENDING_STOPPED) is not None


async def _may_leave() -> bool:
    return True
