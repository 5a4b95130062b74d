"""A press office for a journey: a mailbox on a real Dovecot, a loopback relay, releases in a database, and mailbot between them."""

import asyncio
import contextlib
import email
import email.policy
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from email.message import EmailMessage
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

from mailbot import clock, service
from mailbot.database.engine import Database
from mailbot.inbox import store as inbox
from mailbot.outbox import store as outbox
from mailbot.releases import store as releases
from mailbot.releases.release import Edition
from mailbot.settings import load
from mailbot.standing import standing
from mailbot.verify import broken
from tests.edges.commands import Commands, Said
from tests.servers.dovecot import Dovecot
from tests.servers.relay import Got, LoopbackRelay

Found = TypeVar("Found")
PATIENCE_SECONDS = 20.0
LOOK_SECONDS = 0.02
SECRET_KEY = "a key that only this journey knows"
COLLEAGUE, SECOND_COLLEAGUE = "colleague@office.example", "deputy@office.example"
AUTHSERV = "mx.office.example"
FOUNTAIN = "fontaine-rouverte"
MARKET = "marche-de-nuit"
MAILBOT = [sys.executable, "-c", "from mailbot.cli.main import main; main()"]

EDITIONS = (
    Edition(
        slug=MARKET, release=MARKET, language="fr", title="Le marché de nuit ouvre sur le port", date=date(2026, 3, 2), place="Velmora",
        body="Velmora – Le marché de nuit ouvre vendredi sur le port.\n\nQuarante étals y vendent du poisson, du pain et des lanternes.",
        contact="Presse : presse@office.example",
    ),
    Edition(
        slug=FOUNTAIN, release=FOUNTAIN, language="fr", title="La grande fontaine est rouverte", date=date(2026, 5, 4), place="Velmora",
        body="Velmora – La grande fontaine coule de nouveau après deux ans de travaux.\n\nLe chantier a coûté 44 697 florins.",
        contact="Presse : presse@office.example",
    ),
    Edition(
        slug=f"{FOUNTAIN}-en", release=FOUNTAIN, language="en", title="The great fountain flows again", date=date(2026, 5, 4),
        place="Velmora", body="Velmora – The great fountain flows again after two years of works.\n\nThe works cost 44,697 florins.",
        contact="Press: press@office.example",
    ),
)  # fmt: skip


@dataclass
class Office:
    """One office. Whatever is started in it is stopped by leave()."""

    folder: Path
    address: str
    dovecot: Dovecot
    relay_port: int
    database_url: str
    environment: dict[str, str] = field(default_factory=dict)
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)

    @property
    def config(self) -> Path:
        return self.folder / "mailbot.toml"

    @cached_property
    def database(self) -> Database:
        """For our own looks at it; mailbot has its own."""
        return Database(self.database_url)

    def configure(self, changes: Mapping[str, Mapping[str, Any]] | None = None) -> None:
        """Write mailbot.toml; `changes` come over what every journey has."""
        values: dict[str, dict[str, Any]] = {
            "organisation": {
                "name": "Ville de Velmora", "address": self.address, "languages": ["fr", "en"], "timezone": "Africa/Bamako",
                "contact": "presse@office.example",
            },
            "imap": {
                "host": "127.0.0.1", "port": self.dovecot.imap_port, "security": "plain",
                "username": self.address, "password": "secret", "idle_seconds": 30,
            },
            "smtp": {"host": "127.0.0.1", "port": self.relay_port, "security": "plain", "rate_per_minute": 0},
            "database": {"url": self.database_url},
            "inbox": {
                "mode": "automatic", "authserv_id": AUTHSERV, "hand_off_to": [COLLEAGUE, SECOND_COLLEAGUE],
                "start_from": "2020-01-01T00:00:00+00:00",
            },
            "outbox": {"retry_seconds": [0.2, 0.2, 0.2], "lease_seconds": 30, "uncertain_retry_seconds": 0.2, "shutdown_seconds": 10},
            "security": {"secret_key": SECRET_KEY},
        }  # fmt: skip
        for section, keys in (changes or {}).items():
            values.setdefault(section, {}).update(keys)
        self.config.write_text("".join(_section(name, keys) for name, keys in values.items()))

    def publish(self, *editions: Edition) -> None:
        """Bring releases in, published."""
        for edition in editions or EDITIONS:
            self.database.write_now(releases.save, edition, clock.now())
            self.database.write_now(releases.publish, edition.release, clock.now(), signatory="")

    # --- what happens to it, and how it stands

    def deliver(self, raw: bytes, sender: str = "awa@journal.example") -> None:
        """A mail comes in; `sender` becomes its Return-Path."""
        self.dovecot.deliver(self.address, raw, sender)

    def ask(self, text: str, **given: Any) -> None:
        """A journalist writes."""
        sender = given.get("sender", "awa@journal.example")
        self.deliver(request(self.address, text, **given), sender.rpartition("<")[2].strip("> "))

    def lying(self, folder: str = "INBOX") -> int:
        """How many mails lie in a folder of the mailbox."""
        return len(self.dovecot.mails(self.address, folder))

    def mails(self) -> list[dict[str, Any]]:
        """What mailbot knows of the mails that came in, oldest first."""
        return list(reversed(self.database.read_now(inbox.listed)))

    def deliveries(self, kind: str = "") -> list[dict[str, Any]]:
        """What was queued, oldest first; acknowledgements, which go beside so much else, where they are asked for."""
        rows = list(reversed(self.database.read_now(outbox.listed)))
        return [row for row in rows if row["kind"] == kind or (not kind and row["kind"] != "acknowledgement")]

    def taken(self, relay: LoopbackRelay) -> list[Got]:
        """What the relay took, without acknowledgements."""
        acknowledgements = {row["message_id"] for row in self.deliveries("acknowledgement")}
        return [got for got in relay.mails if read(got.content)["Message-ID"] not in acknowledgements]

    def is_settled(self, mails: int) -> bool:
        """So many mails were stored; each has its decision and is filed away; nothing is left to send."""
        rows = self.mails()
        waiting = [row for row in self.database.read_now(outbox.listed) if row["state"] in ("queued", "sending", "retrying")]
        return len(rows) >= mails and all(row["state"] == "decided" for row in rows) and not waiting and self.lying() == 0

    async def until(self, holds: Callable[[], Found], what: str, seconds: float = PATIENCE_SECONDS) -> Found:
        """Look until it holds. Neither a maildir nor another process's database has an event for us."""
        end = time.monotonic() + seconds
        while not (found := holds()):
            if time.monotonic() > end:
                raise AssertionError(f"not within {seconds} s: {what}\n{self.account()}")
            await asyncio.sleep(LOOK_SECONDS)
        return found

    async def settled(self, mails: int, seconds: float = PATIENCE_SECONDS) -> None:
        """Until so many mails have come in and everything that follows is done; then every promise of `verify` holds."""
        await self.until(lambda: self.is_settled(mails), f"{mails} mails dealt with", seconds)
        assert self.unsound() == []

    def unsound(self) -> list[str]:
        """What `mailbot verify` would name."""
        return self.database.read_now(broken, SECRET_KEY.encode())

    def account(self) -> str:
        """Everything, for a failed test."""
        mails = [{key: row[key] for key in ("id", "state", "outcome", "reason", "attempts", "folder", "fault")} for row in self.mails()]
        sent = [{key: row[key] for key in ("id", "kind", "state", "recipient", "attempts", "last_text")} for row in self.deliveries()]
        log = self.folder / "log"
        said = log.read_text()[-3000:] if log.exists() else ""
        return "\n".join(map(str, [*mails, *sent, f"INBOX holds {self.lying()}", said]))

    # --- mailbot

    def command(self, *words: str, exits: int = 0) -> subprocess.CompletedProcess[str]:
        """Run `mailbot` as a process of its own, to its end."""
        command = [*MAILBOT, "--config", str(self.config), *words]
        done = subprocess.run(command, capture_output=True, text=True, env=self._environment(), check=False, timeout=60)
        assert done.returncode == exits, f"mailbot {' '.join(words)} exited with {done.returncode}:\n{done.stdout}\n{done.stderr}"
        return done

    def at_once(self, *words: str, exits: int = 0) -> Said:
        """The same in this process, seconds faster: where the process is not the question."""
        done = Commands(self.folder)("--config", str(self.config), *words)
        assert done.code == exits, f"mailbot {' '.join(words)} exited with {done.code}:\n{done.out}\n{done.err}"
        return done

    async def commanded(self, *words: str, exits: int = 0) -> subprocess.CompletedProcess[str]:
        """The same, while a relay in this process goes on serving."""
        return await asyncio.to_thread(lambda: self.command(*words, exits=exits))

    def status(self) -> dict[str, Any]:
        """What `mailbot status --json` prints."""
        return self.database.read_now(standing, "automatic")

    def start(self, *words: str) -> subprocess.Popen[bytes]:
        """Start `mailbot run` as a process of its own."""
        with (self.folder / "log").open("ab") as log:
            process = subprocess.Popen([*MAILBOT, "--config", self.config, "run", *words], stdout=log, stderr=log, env=self._environment())
        self.processes.append(process)
        return process

    def _environment(self) -> dict[str, str]:
        return {name: value for name, value in os.environ.items() if not name.startswith("MAILBOT_")} | self.environment

    def parts(self, now: Callable[[], datetime] = clock.now) -> service.Parts:
        """mailbot in this process, not running yet."""
        return service.build(load(self.config, {}), now)

    @contextlib.asynccontextmanager
    async def running(self, now: Callable[[], datetime] = clock.now, parts: service.Parts | None = None) -> AsyncIterator[service.Parts]:
        """mailbot in this process, stopped in an orderly way at the end."""
        parts, asked = parts or self.parts(now), asyncio.Event()
        task = asyncio.create_task(service.run(parts, asked=asked, shutdown_seconds=10))
        try:
            yield parts
        finally:
            asked.set()
            await asyncio.wait_for(task, PATIENCE_SECONDS)

    async def once(self, now: Callable[[], datetime] = clock.now) -> bool:
        """`run --once` in this process."""
        return await service.run_once(self.parts(now))

    def leave(self) -> None:
        """End what was started here, and close our own look at the database."""
        for process in self.processes:
            if process.poll() is None:
                process.send_signal(signal.SIGKILL)
            process.wait()
        self.database.close()


def _section(name: str, keys: Mapping[str, Any]) -> str:
    return f"[{name}]\n" + "".join(f"{key} = {json.dumps(value)}\n" for key, value in keys.items()) + "\n"


LATEST = "Bonjour,\n\nPourriez-vous m'envoyer votre dernier communiqué de presse ?\n\nMerci"
UNCLEAR = "Bonjour,\n\nQuel temps fait-il chez vous au printemps, et les hirondelles ?\n"


def request(
    to: str, text: str, *, sender: str = "Awa Traoré <awa@journal.example>", subject: str = "Demande", number: int = 0,
    vouched: bool = True, headers: Mapping[str, str] | None = None,
) -> bytes:  # fmt: skip
    """A mail as a journalist's system sends it. `vouched`: our own server says that its domain passed DMARC."""
    message = EmailMessage(policy=email.policy.SMTP)
    if vouched:
        domain = sender.rpartition("@")[2].strip("> ")
        message["Authentication-Results"] = f"{AUTHSERV}; dmarc=pass header.from={domain}"
    message["From"], message["To"], message["Subject"] = sender, to, subject
    message["Message-ID"] = f"<{number}.{abs(hash((text, subject, sender)))}@journal.example>"
    message["Date"] = datetime.now(UTC)
    for name, value in (headers or {}).items():
        message[name] = value
    message.set_content(text)
    return message.as_bytes()


def read(raw: bytes) -> EmailMessage:
    """A mail as its recipient sees it."""
    found = email.message_from_bytes(raw, policy=email.policy.default)
    assert isinstance(found, EmailMessage)
    return found


def text_of(raw: bytes) -> str:
    """The words of its text part, no-break spaces as spaces."""
    part = read(raw).get_body(("plain",))
    assert part is not None
    return str(part.get_content()).replace("\u00a0", " ").replace("\u202f", " ")
