"""The mailbox: one connection, one folder, one command at a time, every wait with a deadline.

A timeout, a cancellation, a BYE or an answer that cannot be read ends the session for good: a late answer would be taken for
the answer to something else. The caller opens another one, with a growing pause. A mail that is gone is None or missing, never
empty. IDLE is a hint: `idle` returns now and then whatever happens, and a search follows.
"""

import asyncio
import ssl
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from mailbot.inbox import imap_responses
from mailbot.inbox.imap_connection import (
    Answer,
    Connection,
    ImapCertificate,
    ImapLoginRefused,
    ImapRefused,
    ImapTokenRefused,
    Server,
    Why,
)
from mailbot.inbox.imap_protocol import AUTH, SELECTED, ImapDead, ImapTrouble
from mailbot.inbox.imap_responses import quoted

__all__ = [
    "Facts", "ImapCertificate", "ImapDead", "ImapLoginRefused", "ImapRefused", "ImapTokenRefused", "ImapTrouble", "Mailbox", "Server",
    "Session", "quoted",
]

WHOLE_OCTETS = 32 << 20       # up to here a mail is fetched in one command: all of it or nothing
PIECE_OCTETS = 4 << 20
BATCH = 200                   # UIDs per command
NOT_A_FOLDER = {"\\noselect", "\\nonexistent"}


@dataclass(frozen=True, slots=True)
class Mailbox:
    uidvalidity: int
    uidnext: int | None
    exists: int
    permanent_flags: frozenset[str]


@dataclass(frozen=True, slots=True)
class Facts:
    uid: int
    size: int
    internal_date: datetime
    flags: frozenset[str]


class Session:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._read_only = False
        self._root: tuple[str, str] | None = None       # prefix of our folders, and what separates their names

    @classmethod
    async def open(cls, server: Server, ssl_context: ssl.SSLContext | None = None) -> "Session":
        """Connect and log in. Raises ImapDead (try again later), ImapLoginRefused, ImapCertificate or ImapRefused."""
        return cls(await Connection.open(server, ssl_context))

    @property
    def capabilities(self) -> frozenset[str]:
        return self._connection.capabilities

    @property
    def seconds_left(self) -> float:
        """How long what opened it holds: after that it should be closed and another one opened."""
        return self._connection.seconds_left

    @property
    def pending(self) -> bool:
        """Mail was announced since the last search began."""
        return self._connection.protocol.news

    # --- folders

    async def select(self, mailbox: str, read_only: bool = False) -> Mailbox:
        """Open a folder; read-only, nothing in it can change. Its mails count as news until they are searched."""
        name = await self._name(mailbox)
        protocol = self._connection.protocol
        protocol.exists, protocol.news = 0, False
        got = await self._connection.ask("EXAMINE" if read_only else "SELECT", name)
        protocol.state = SELECTED if got.word == "OK" else AUTH
        got.must_be_ok()
        self._read_only = read_only
        codes: dict[str, bytes] = {}
        for text in (bytes(parts[0]) for parts in got.untagged):
            if text[:4].upper() == b"OK [":
                word, _, value = text[4:].partition(b"]")[0].partition(b" ")
                codes[word.decode("ascii", "replace").upper()] = value
            elif text[:6].upper() == b"FLAGS ":
                codes.setdefault("PERMANENTFLAGS", text[6:])        # RFC 3501: where it is not said, every flag is permanent
        if not codes.get("UIDVALIDITY", b"").isdigit():
            raise ImapRefused(f"the server gives no UIDVALIDITY for {mailbox}")
        uidnext = codes.get("UIDNEXT", b"")
        flags = codes.get("PERMANENTFLAGS", b"").strip(b"()").decode("ascii", "replace").split()
        return Mailbox(int(codes["UIDVALIDITY"]), int(uidnext) if uidnext.isdigit() else None, protocol.exists, frozenset(flags))

    async def ensure_folder(self, name: str) -> None:
        """Make the folder, and show it in people's mail programs, unless it is there."""
        wire_name = await self._name(name)
        for found in await self._list(wire_name):
            usable = not NOT_A_FOLDER & {flag.lower() for flag in found.flags}
            if usable and imap_responses.folder_name(found.name) == wire_name:      # "%" and "*" in a name match others too
                return
        created = await self._connection.ask("CREATE", wire_name)
        if created.code != "ALREADYEXISTS":
            created.must_be_ok()
        await self._connection.ask("SUBSCRIBE", wire_name)        # a courtesy: not every server has subscriptions

    async def folders(self) -> list[tuple[str, frozenset[str]]]:
        """Every folder with its flags, among them \\Sent and \\Junk where the server says so. "/" separates the names."""
        prefix, separator = await self._find_root()
        extended = {"SPECIAL-USE", "LIST-EXTENDED"} <= self.capabilities
        found = await self._list('"*"', *(["RETURN (SPECIAL-USE)"] if extended else []))
        return [(_our_name(folder.name, prefix, folder.separator or separator), frozenset(folder.flags)) for folder in found]

    # --- mails

    async def search(self, *criteria: str) -> list[int]:
        """UIDs, ascending. Plain ASCII criteria; anything a stranger wrote goes through `quoted`."""
        if not all(criterion.isascii() for criterion in criteria):
            raise ValueError("search criteria are plain ASCII: not every server knows another charset")
        self._connection.protocol.news = False     # before it is sent: what is announced from now on may not be in the answer
        return await self._search(*criteria)

    async def facts(self, uids: Iterable[int]) -> dict[int, Facts]:
        """Size, arrival and flags; a mail that is gone is missing."""
        found: dict[int, Facts] = {}
        for batch in _batches(uids):
            numbers = imap_responses.uid_set(batch)
            got = await self._connection.ask("FETCH", numbers, "(UID FLAGS RFC822.SIZE INTERNALDATE)", uid=True, patient=True)
            if got.code != "EXPUNGEISSUED":
                got.must_be_ok()
            for item in map(imap_responses.fetched, got.untagged):
                if item and item.uid in batch and item.size is not None:
                    # A mail without a readable date of arrival arrives now: better answered late than taken for an old one.
                    arrived = item.internal_date or datetime.now(UTC)
                    found[item.uid] = Facts(item.uid, item.size, arrived, frozenset(item.flags or ()))
        return found

    async def fetch(self, uid: int, size: int = 0) -> bytearray | bytes | None:
        """The whole mail, unread still; None when it is gone. A mail known to be very large comes in pieces."""
        if size <= WHOLE_OCTETS:
            return await self._body(uid, "")
        whole = bytearray()
        while True:
            piece = await self._body(uid, f"<{len(whole)}.{PIECE_OCTETS}>")
            if piece is None:
                return None
            if len(piece) > PIECE_OCTETS and whole:
                raise ImapRefused(f"the server sends other pieces of mail {uid} than asked for")
            whole += piece
            if len(piece) != PIECE_OCTETS:      # longer: a server that ignores "pieces, please" and sent all of it
                break
        # Expunged between two pieces, some servers send nothing instead of NIL: half a mail that looks complete.
        return whole if await self._search("UID", str(uid)) else None

    async def head(self, uid: int, octets: int) -> bytes | None:
        """At most so much of a mail's header, unread still; None when it is gone."""
        got = await self._body(uid, f"<0.{octets}>", "HEADER")
        return None if got is None else bytes(got[:octets])         # not every server cuts what it was asked to cut

    async def move(self, uids: Collection[int], folder: str) -> frozenset[int]:
        """File mails away; the answer holds those that someone else had already taken.

        Where the server has neither MOVE nor UIDPLUS they stay behind flagged \\Deleted: search with UNDELETED there.
        """
        if self._read_only:     # Dovecot 2.3 says OK and makes a copy
            raise ImapRefused("nothing is moved out of a folder that was opened read-only")
        name = await self._name(folder)
        gone: set[int] = set()
        for batch in _batches(uids):
            gone |= await self._move(set(batch), name)
        return frozenset(gone)

    # --- waiting

    async def idle(self, seconds: float, wake: asyncio.Event | None = None) -> Why:
        """Wait for mail, at most so long, or until `wake` is set (it stays set). Without IDLE the server is asked once, at the end.

        Returns at once while there is mail that was announced and not searched.
        """
        return await self._connection.idle(seconds, wake)

    async def noop(self) -> None:
        await self._connection.demand("NOOP")

    async def close(self) -> None:
        """Say goodbye, briefly."""
        await self._connection.close()

    def abort(self) -> None:
        """Drop the connection at once. Does no harm twice."""
        self._connection.abort()

    # --- how it is done

    async def _search(self, *criteria: str) -> list[int]:
        got = await self._connection.demand("SEARCH", *criteria, uid=True)
        lines = [parts[0] for parts in got.untagged if parts[0][:6].upper() == b"SEARCH"]
        return sorted({int(number) for line in lines for number in line.split()[1:] if number.isdigit()})

    async def _list(self, pattern: str, *options: str) -> list[imap_responses.Folder]:
        got = await self._connection.demand("LIST", '""', pattern, *options)
        return [folder for parts in got.untagged if (folder := imap_responses.folder(parts))]

    async def _body(self, uid: int, piece: str, section: str = "") -> bytearray | bytes | None:
        got = await self._connection.ask("FETCH", str(uid), f"(UID BODY.PEEK[{section}]{piece})", uid=True, patient=True)
        for item in map(imap_responses.fetched, got.untagged):
            if item and item.uid == uid and item.body is not None:
                return item.body
        if got.word != "OK" and await self._search("UID", str(uid)):
            got.must_be_ok()            # it is there, and the server does not give it
        return None

    async def _move(self, uids: set[int], name: str) -> set[int]:
        """One batch -> those already gone. A refusal because some are gone is tried again without them."""
        gone: set[int] = set()
        while uids:
            got, taken = await self._take(uids, name)
            if got.word == "OK" and taken is not None and taken >= uids:
                return gone
            left = set(await self._search("UID", imap_responses.uid_set(uids), "UNDELETED"))
            if got.word == "OK":
                if left - (taken or set()):
                    raise ImapRefused(f"the server says it moved {len(uids)} mails and kept {len(left)}")
                # Without UIDPLUS nobody can say who took what is no longer there.
                return gone | (uids - taken if taken is not None else uids if "UIDPLUS" in self.capabilities else set())
            if left == uids:
                got.must_be_ok()
            gone |= uids - left
            uids = left
        return gone

    async def _take(self, uids: set[int], name: str) -> tuple[Answer, frozenset[int] | None]:
        numbers = imap_responses.uid_set(uids)
        got = await self._connection.ask("MOVE" if "MOVE" in self.capabilities else "COPY", numbers, name, uid=True)
        taken = imap_responses.copied(got.untagged, got.text, uids)
        if got.word == "OK" and "MOVE" not in self.capabilities:
            await self._connection.demand("STORE", numbers, "+FLAGS.SILENT", r"(\Deleted)", uid=True)
            if "UIDPLUS" in self.capabilities:      # a plain EXPUNGE would remove what a colleague has marked
                await self._connection.demand("EXPUNGE", numbers, uid=True)
        return got, taken

    async def _find_root(self) -> tuple[str, str]:
        """Some servers keep every folder below INBOX, and separate names by a dot."""
        if self._root is None and "NAMESPACE" in self.capabilities:
            got = await self._connection.demand("NAMESPACE")
            self._root = next((root for parts in got.untagged if (root := imap_responses.namespace(parts))), None)
        if self._root is None:
            self._root = next((("", found.separator) for found in await self._list('""')), ("", ""))
        return self._root

    async def _name(self, name: str) -> str:
        """The folder's name as this server spells it, ready for the wire."""
        if name.upper() == "INBOX":
            return quoted("INBOX")
        prefix, separator = await self._find_root()
        name = name.replace("/", separator) if separator else name
        return imap_responses.folder_name(name if name.startswith(prefix) else prefix + name)


def _batches(uids: Iterable[int]) -> list[list[int]]:
    ordered = sorted(set(uids))
    return [ordered[start : start + BATCH] for start in range(0, len(ordered), BATCH)]


def _our_name(name: str, prefix: str, separator: str) -> str:
    name = name.removeprefix(prefix)
    return name.replace(separator, "/") if separator else name
