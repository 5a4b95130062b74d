"""How many mails of an announcement leave a second, beside smtp-source (C, one constant mail, no bookkeeping) into the same smtp-sink.

30 KB personalised multipart mails, each with its own address, link and Message-ID; every attempt and outcome durably on record. Only ratios
in one run mean anything: machines are noisy.
"""

import asyncio
import statistics
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from datetime import UTC, datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, make_msgid
from pathlib import Path
from tempfile import TemporaryDirectory

import aiosmtplib
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa

from mailbot import clock
from mailbot.database import lease
from mailbot.database.engine import Database
from mailbot.database.migrate import upgrade
from mailbot.message import dkim
from mailbot.message.address import Address
from mailbot.message.letter import Letter
from mailbot.outbox import bulk_store
from mailbot.outbox.dispatch import Dispatcher, Terms
from mailbot.outbox.smtp import Server
from tests.benchmarks.figure import Figure, progress
from tests.edges.announced import LINK, NAME, announce, values
from tests.servers import throwaway
from tests.servers.smtp_sink import HOST, SmtpSink, smtp_sink

MAILS, PLAIN_MAILS, OCTETS, ROUNDS = 6000, 400, 30_000, 3
CONNECTIONS, FEW = 48, 8  # smtp-source has ten, and is none the faster with more; mailbot has fifty at most
PEOPLE = [f"awa.{number}@journal{number % 97}.example" for number in range(MAILS)]
SECRET = b"the key of this figure"
OFFICE = Address("presse@office.example", "Ville de Velmora")
PARAGRAPH = "La grande fontaine de la place du marché coule de nouveau, après onze mois de travaux et un été sans eau.\n\n"
LETTER = Letter(
    language="fr",
    edition="",
    content_hash="",
    subject="La grande fontaine est rouverte",
    text=f"Bonjour {NAME},\n\n{PARAGRAPH * 70}{LINK}\n",
    html=f"<html><body><p>Bonjour {NAME},</p>{f'<p style=margin:0>{PARAGRAPH}</p>' * 140}<p><a href='{LINK}'>Sortir</a></p></body></html>",
    headers=(
        ("Auto-Submitted", "auto-generated"),
        ("List-Id", "Ville de Velmora <presse.office.example>"),
        ("List-Unsubscribe", f"<{LINK}>, <mailto:presse@office.example?subject=STOP>"),
        ("List-Unsubscribe-Post", "List-Unsubscribe=One-Click"),
        ("X-Mailbot-Release", "fontaine"),
    ),
)


def measure() -> Iterator[Figure]:
    """Each way several times, the reference before each; medians of the rates and of the ratios."""
    with smtp_sink(keep=False) as sink:
        ways: dict[str, tuple[Callable[[], AbstractContextManager[str]], dkim.Signer | None, int, str]] = {
            "SQLite": (sqlite, None, CONNECTIONS, "0.50"),
            "SQLite, RSA-2048": (sqlite, _rsa(), CONNECTIONS, "0.22"),
            "SQLite, Ed25519": (sqlite, _ed25519(), CONNECTIONS, "0.35"),
            "PostgreSQL": (postgresql, None, CONNECTIONS, "0.50"),
            f"SQLite, {FEW} connections": (sqlite, None, FEW, ""),
            f"PostgreSQL, {FEW} connections": (postgresql, None, FEW, ""),
        }
        for name, (database, signer, connections, aim) in ways.items():
            rates, ratios = [], []
            for number in range(ROUNDS):
                progress(f"{name}, round {number + 1} of {ROUNDS}")
                reference = _smtp_source(sink)
                rates.append(_ours(database, sink, signer, connections))
                ratios.append(rates[-1] / reference)
            yield Figure(f"mails of an announcement, {name}", statistics.median(rates), "mails/s")
            yield Figure(f"the same, of smtp-source ({reference:.0f}/s at last)", statistics.median(ratios), "", aim)
        yield from _beside_send(sink)


def _beside_send(sink: SmtpSink) -> Iterator[Figure]:
    """The same mails as one would send them without mailbot."""
    rates, factors = [], []
    for number in range(ROUNDS):
        progress(f"aiosmtplib.send(), round {number + 1} of {ROUNDS}")
        rates.append(asyncio.run(_one_by_one(sink)))
        factors.append(_ours(sqlite, sink, None, CONNECTIONS) / rates[-1])
    yield Figure("aiosmtplib.send() a mail, for comparison", statistics.median(rates), "mails/s")
    yield Figure("an announcement on SQLite is faster by a factor of", statistics.median(factors), "", "20")


def _smtp_source(sink: SmtpSink) -> float:
    program = throwaway.needed("/usr/sbin/smtp-source")
    command = [
        str(program),
        "-4",
        "-s",
        "10",
        "-m",
        str(MAILS),
        "-l",
        str(OCTETS),
        "-f",
        "a@office.example",
        "-t",
        "b@journal.example",
        f"{HOST}:{sink.port}",
    ]
    began = time.perf_counter()
    subprocess.run(command, check=True, stdin=subprocess.DEVNULL)
    return MAILS / (time.perf_counter() - began)


def send_all(database: Database, port: int, signer: dkim.Signer | None, holder: str, connections: int = CONNECTIONS) -> None:
    """As the service does it, until nothing is left."""
    database.write_now(lease.acquire, f"process:{holder}", holder, datetime.now(UTC), 1e6)
    terms = Terms(
        sender=OFFICE, return_path="", rate_per_minute=0, rate_per_day=0, connections=connections, mails_per_connection=MAILS,
        retry_seconds=(60.0,), uncertain_retry_seconds=900.0, signer=signer,
    )  # fmt: skip
    dispatcher = Dispatcher(
        database, Server(host=HOST, port=port, security="plain"), terms, holder, aftermath=lambda *_: None, original=lambda *_: b"",
        values=values, clock=clock.now,
    )  # fmt: skip
    asyncio.run(dispatcher.drain())


def _ours(kind: Callable[[], AbstractContextManager[str]], sink: SmtpSink, signer: dkim.Signer | None, connections: int) -> float:
    with kind() as url, closing(Database(url)) as database:
        upgrade(database)
        database.write_now(announce, PEOPLE, SECRET, letter=LETTER)
        began = time.perf_counter()
        send_all(database, sink.port, signer, "bench", connections)
        took = time.perf_counter() - began
        states = database.read_now(bulk_store.states_of, "b1")
    if states["sent"] != MAILS:
        raise RuntimeError(f"not every mail left: {states}")
    return MAILS / took


async def _one_by_one(sink: SmtpSink) -> float:
    began = time.perf_counter()
    for number in range(PLAIN_MAILS):
        await aiosmtplib.send(_plain(number), hostname=HOST, port=sink.port, start_tls=False)
    return PLAIN_MAILS / (time.perf_counter() - began)


def _plain(number: int) -> EmailMessage:
    """The same mail as one writes it without mailbot."""
    link = f"https://presse.office.example/u/{number}"
    mail = EmailMessage(policy=SMTP)
    mail["From"], mail["To"], mail["Subject"] = str(OFFICE), f"awa.{number}@journal.example", LETTER.subject
    mail["Date"], mail["Message-ID"] = format_datetime(datetime.now(UTC)), make_msgid(domain="office.example")
    for name, value in LETTER.headers:
        mail[name] = value.replace(LINK, link)
    mail.set_content(LETTER.text.replace(NAME, f"Awa {number}").replace(LINK, link))
    mail.add_alternative(LETTER.html.replace(NAME, f"Awa {number}").replace(LINK, link), subtype="html")
    return mail


def pem(key: rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey) -> bytes:
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())


def _rsa() -> dkim.Signer:
    return dkim.signer("office.example", "s1", pem(rsa.generate_private_key(65537, 2048)))


def _ed25519() -> dkim.Signer:
    return dkim.signer("office.example", "s2", pem(ed25519.Ed25519PrivateKey.generate()))


@contextmanager
def sqlite() -> Iterator[str]:
    with TemporaryDirectory(prefix="mailbot-bench-") as folder:
        yield f"sqlite:///{Path(folder) / 'mailbot.db'}"


@contextmanager
def postgresql() -> Iterator[str]:
    from tests.servers.postgres import running

    with running(durable=True) as cluster:
        yield cluster.url(cluster.create())
