"""One mail of 50 MB: how much memory it takes, and how long it is until it has its disposition."""

import base64
import os
import time

from tests.benchmarks import stand
from tests.benchmarks.figure import Figure, MemoryWatch
from tests.journeys.office import request
from tests.servers.smtp_sink import smtp_sink

OCTETS = 50_000_000
SMALL, LARGE = "Votre dernier communiqué, svp ?", "Votre dernier communiqué, svp ? Nos photos sont jointes."


def measure() -> list[Figure]:
    """From LMTP's 250 to an INBOX without it."""
    with stand.mailbox() as dovecot, smtp_sink() as relay, stand.office(dovecot, relay.port) as office, stand.running(office) as process:
        dovecot.deliver(stand.ADDRESS, request(stand.ADDRESS, SMALL))
        stand.wait_until_filed(dovecot, process, 30)  # it has started, and is back in IDLE
        with MemoryWatch(process.pid) as memory:
            dovecot.deliver(stand.ADDRESS, _large())
            arrived = time.monotonic()
            stand.wait_until_filed(dovecot, process, 60)
            took = time.monotonic() - arrived
    return [
        Figure("a mail of 50 MB, peak memory of mailbot and its children", memory.peak_mb, "MB", "< 250"),
        Figure("a mail of 50 MB, arrival to filed", took, "s", "< 5"),
    ]


def _large() -> bytes:
    head, _, text = request(stand.ADDRESS, LARGE, number=1).partition(b"\r\n\r\n")
    kept = [line for line in head.split(b"\r\n") if not line.lower().startswith((b"content-", b"mime-"))]
    kept += [b"MIME-Version: 1.0", b'Content-Type: multipart/mixed; boundary="b"']
    lines = base64.encodebytes(os.urandom(OCTETS // 78 * 57)).replace(b"\n", b"\r\n")
    photos = b"Content-Type: application/zip\r\nContent-Transfer-Encoding: base64\r\n\r\n" + lines
    words = b"Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n" + text
    return b"\r\n".join(kept) + b"\r\n\r\n--b\r\n" + words + b"\r\n--b\r\n" + photos + b"\r\n--b--\r\n"
