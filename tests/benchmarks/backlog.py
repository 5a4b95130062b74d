"""A mailbox with 2,000 mails of every sort, read, decided and filed away, on both databases."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from tests.benchmarks import stand
from tests.benchmarks.figure import Figure, MemoryWatch, progress
from tests.journeys.office import Office
from tests.servers.dovecot import Dovecot
from tests.servers.smtp_sink import smtp_sink

MAILS = 2000
SECONDS = 300


def measure() -> Iterator[Figure]:
    """From the start of `mailbot run` to an empty INBOX, while it sends at the pace that offices have: 25 mails a minute."""
    for name, kind in (("SQLite", _sqlite), ("PostgreSQL", _postgresql)):
        with stand.mailbox() as dovecot, smtp_sink() as relay, kind() as url:
            progress(f"putting {MAILS} mails into Dovecot")
            stand.fill(dovecot, MAILS)
            with stand.office(dovecot, relay.port, database_url=url, smtp={"rate_per_minute": 25}) as office:
                rate, peak = _measured(office, dovecot)
        yield Figure(f"backlog of {MAILS} mails read, decided and filed, {name}", rate, "mails/s", "150")
        yield Figure(f"the same, peak memory of mailbot and its children, {name}", peak, "MB", "< 200")


def _measured(office: Office, dovecot: Dovecot) -> tuple[float, float]:
    started = time.monotonic()
    with stand.running(office) as process, MemoryWatch(process.pid) as memory:
        stand.wait_until_filed(dovecot, process, SECONDS)
        took = time.monotonic() - started
    return MAILS / took, memory.peak_mb


@contextmanager
def _sqlite() -> Iterator[str]:
    yield ""  # the office's own file


@contextmanager
def _postgresql() -> Iterator[str]:
    from tests.servers.postgres import running

    with running(durable=True) as cluster:
        yield cluster.url(cluster.create())
