"""What most figures stand on: the office of the journeys without its caps, servers of their own, mails of every sort."""

import re
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from types import SimpleNamespace
from typing import Any

from mailbot.database.migrate import upgrade
from tests.journeys.office import Office
from tests.samples.littoral import corpus
from tests.servers import throwaway
from tests.servers.dovecot import Dovecot, dovecot_server

MAILS = sorted((Path(__file__).parents[1] / "corpus").glob("*.eml"))
ADDRESS = "presse@littoral.example"  # to whom the mails of the corpus are written
AUTHSERV = "mx.littoral.example"  # and who vouches for their senders
CAPS = ("answers_per_address_per_day", "answers_per_domain_per_hour", "answers_per_minute", "addresses_per_text_per_hour")
NO_CAPS = dict.fromkeys(CAPS, 1_000_000)
LONG_QUOTE = "\n".join(f"> Ligne {number} de ce que l'on s'était écrit auparavant, citée une fois de plus." for number in range(200))
ATTACHED_LINES = "QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVphYmNkZWZnaGlqa2xtbm9wcXJzdHV2d3h5ejAxMjM0NTY3ODkr\r\n" * 2500  # some 200 KB


@contextmanager
def office(dovecot: Any, relay_port: int, *, database_url: str = "", **changes: dict[str, Any]) -> Iterator[Office]:
    """An office that answers the corpus, in a folder that is gone afterwards; `changes` are settings, by section."""
    with TemporaryDirectory(prefix="mailbot-bench-") as folder:
        made = Office(Path(folder), ADDRESS, dovecot, relay_port, database_url or f"sqlite:///{folder}/mailbot.db")
        settings: dict[str, dict[str, Any]] = {"inbox": {"authserv_id": AUTHSERV, **NO_CAPS}}
        for section, values in changes.items():
            settings[section] = settings.get(section, {}) | values
        made.configure(settings)
        upgrade(made.database)
        try:
            made.publish(*(edition for release in corpus() for edition in release.editions))
            yield made
        finally:
            made.leave()


@contextmanager
def mailbox() -> Iterator[Dovecot]:
    """A Dovecot of this figure's own, with the office's mailbox."""
    throwaway.needed("/usr/lib/dovecot/lmtp")
    for server in dovecot_server():
        server.add_user(ADDRESS)
        yield server


@contextmanager
def running(office: Office) -> Iterator[subprocess.Popen[bytes]]:
    """`mailbot run` as a process of its own, stopped in an orderly way."""
    process = office.start()
    try:
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


NOWHERE = SimpleNamespace(imap_port=9)  # a mailbox that nobody asks for


def mixed(number: int) -> bytes:
    """A mail of the corpus from another person each time; one in ten quotes at length, one in twenty brings a file of 200 KB."""
    raw = MAILS[number % len(MAILS)].read_bytes().replace(b"\r\n", b"\n")
    head, _, body = raw.partition(b"\n\n")
    head = re.sub(rb"(?mi)^(From:[^\n]*?)([^\s<]+)@", rb"\1\g<2>.%d@" % number, head, count=1)
    head = re.sub(rb"(?mi)^(Message-ID:\s*<)", rb"\g<1>%d." % number, head, count=1)
    if number % 20 == 0:
        head, body = _with_a_file(head, body)
    elif number % 10 == 0 and b"multipart/" not in head and b"base64" not in head:
        body += b"\n\n" + LONG_QUOTE.encode()
    return (head + b"\n\n" + body).replace(b"\n", b"\r\n")


def _with_a_file(head: bytes, body: bytes) -> tuple[bytes, bytes]:
    """The same mail as the first part of a multipart/mixed."""
    lines = re.sub(rb"\n[ \t]+", b" ", head).split(b"\n")
    outer = [line for line in lines if not line.lower().startswith((b"content-", b"mime-version"))]
    inner = [line for line in lines if line.lower().startswith(b"content-")]
    outer += [b"MIME-Version: 1.0", b'Content-Type: multipart/mixed; boundary="part-of-a-mail"']
    attached = b'Content-Type: image/jpeg; name="port.jpg"\nContent-Disposition: attachment; filename="port.jpg"\n'
    attached += b"Content-Transfer-Encoding: base64\n\n" + ATTACHED_LINES.replace("\r\n", "\n").encode()
    parts = [b"\n".join(inner) + b"\n\n" + body, attached]
    mark = b"\n--part-of-a-mail"
    return b"\n".join(outer), b"".join(mark + b"\n" + part for part in parts) + mark + b"--\n"


def fill(dovecot: Dovecot, mails: int) -> None:
    """Put so many mixed mails into the office's INBOX, by LMTP."""
    dovecot.deliver_many(ADDRESS, [mixed(number) for number in range(mails)])


def left(dovecot: Dovecot) -> int:
    """How many mails lie in INBOX."""
    maildir = dovecot.root / "mail" / ADDRESS
    return sum(1 for name in ("new", "cur") if (maildir / name).is_dir() for _ in (maildir / name).iterdir())


def wait_until_filed(dovecot: Dovecot, process: subprocess.Popen[bytes], seconds: float) -> None:
    """Until INBOX is empty: Dovecot tells nobody else, and a look at its folder costs nothing."""
    end = time.monotonic() + seconds
    while left(dovecot):
        if process.poll() is not None or time.monotonic() > end:
            raise RuntimeError(f"{left(dovecot)} mails were not filed; mailbot's exit code is {process.poll()}")
        time.sleep(0.02)
