"""A press office for a journey: a mailbox on a real Dovecot, a loopback relay, releases in a database, and mailbot between them."""

import asyncio
import contextlib
import email
import email.policy
import os
import subprocess
import sys
import tomllib
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from email.message import EmailMessage
from pathlib import Path
from typing import Any

from mailbot import clock, service
from mailbot.database.engine import Database
from mailbot.database.migrate import upgrade
from mailbot.inbox import store as inbox
from mailbot.outbox import store as outbox
from mailbot.releases import store as releases
from mailbot.releases.release import Edition
from mailbot.settings import load

COLLEAGUE = "colleague@office.example"
AUTHSERV = "mx.office.example"
FOUNTAIN = "fontaine-rouverte"
MARKET = "marche-de-nuit"
SECRET = "marche-secret"

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
    """The settings of one journey, and what it needs to be looked at."""

    folder: Path
    address: str
    dovecot: Any
    relay: Any
    environment: dict[str, str] = field(default_factory=dict)
    parts: service.Parts | None = None

    @property
    def config(self) -> Path:
        return self.folder / "mailbot.toml"

    @property
    def database_url(self) -> str:
        return str(tomllib.loads(self.config.read_text())["database"]["url"])

    def configure(self, changes: Mapping[str, Mapping[str, Any]], imap_port: int | None = None, database_url: str = "") -> None:
        """Write mailbot.toml; `changes` come over what every journey has."""
        values: dict[str, dict[str, Any]] = {
            "organisation": {
                "name": "Ville de Velmora", "address": self.address, "languages": ["fr", "en"], "timezone": "Africa/Bamako",
                "contact": "presse@office.example",
            },
            "imap": {
                "host": "127.0.0.1", "port": imap_port or self.dovecot.imap_port, "security": "plain",
                "username": self.address, "password": "secret", "idle_seconds": 30,
            },
            "smtp": {"host": "127.0.0.1", "port": self.relay.port, "security": "plain", "rate_per_minute": 0},
            "database": {"url": database_url or f"sqlite:///{self.folder / 'mailbot.db'}"},
            "inbox": {"mode": "automatic", "authserv_id": AUTHSERV, "hand_off_to": [COLLEAGUE], "start_from": "2020-01-01T00:00:00+00:00"},
            "outbox": {"retry_seconds": [0.2, 0.2, 0.2], "lease_seconds": 30, "uncertain_retry_seconds": 0.2, "shutdown_seconds": 10},
            "security": {"secret_key": "a key that only this journey knows"},
        }  # fmt: skip
        for section, keys in changes.items():
            values.setdefault(section, {}).update(keys)
        self.config.write_text("".join(_section(name, keys) for name, keys in values.items()))

    def publish(self, *editions: Edition, now: datetime | None = None) -> None:
        """Bring releases in, published."""
        with self.opened() as database:
            for edition in editions or EDITIONS:
                database.write_now(releases.save, edition, now or clock.now())
                database.write_now(releases.publish, edition.release, now or clock.now())

    @contextlib.contextmanager
    def opened(self) -> Any:
        database = Database(self.database_url)
        try:
            upgrade(database)
            yield database
        finally:
            database.close()

    def deliver(self, raw: bytes, sender: str = "awa@journal.example") -> None:
        self.dovecot.deliver(self.address, raw, sender)

    def mails(self) -> list[dict[str, Any]]:
        with self.opened() as database:
            return list(reversed(database.read_now(inbox.listed)))

    def deliveries(self) -> list[dict[str, Any]]:
        with self.opened() as database:
            return list(reversed(database.read_now(outbox.listed)))

    def command(self, *words: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run `mailbot` as a process of its own, to its end."""
        command = [*MAILBOT, "--config", str(self.config), *words]
        done = subprocess.run(command, capture_output=True, text=True, env=self._environment(), check=False)
        if check and done.returncode:
            raise AssertionError(f"mailbot {' '.join(words)} exited with {done.returncode}:\n{done.stdout}\n{done.stderr}")
        return done

    def start(self, *words: str) -> subprocess.Popen[bytes]:
        """Start `mailbot run` as a process of its own."""
        log = (self.folder / "log").open("ab")
        return subprocess.Popen([*MAILBOT, "--config", self.config, "run", *words], stdout=log, stderr=log, env=self._environment())

    def _environment(self) -> dict[str, str]:
        return {name: value for name, value in os.environ.items() if not name.startswith("MAILBOT_")} | self.environment

    @contextlib.asynccontextmanager
    async def running(self, now: Callable[[], datetime] = clock.now) -> AsyncIterator[service.Parts]:
        """mailbot in this process, stopped in an orderly way at the end."""
        parts = service.build(load(self.config, {}), now)
        asked = asyncio.Event()
        task = asyncio.create_task(service.run(parts, asked=asked, shutdown_seconds=10))
        try:
            yield parts
        finally:
            asked.set()
            await asyncio.wait_for(task, 20)

    async def once(self, now: Callable[[], datetime] = clock.now) -> bool:
        """`run --once` in this process."""
        return await service.run_once(service.build(load(self.config, {}), now))


MAILBOT = [sys.executable, "-c", "from mailbot.cli.main import main; main()"]


def _section(name: str, keys: Mapping[str, Any]) -> str:
    import json

    return f"[{name}]\n" + "".join(f"{key} = {json.dumps(value)}\n" for key, value in keys.items()) + "\n"


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
