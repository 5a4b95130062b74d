"""How long after a kill -9 and a new start the next mail of an announcement leaves: `mailbot run`, from nothing, on both databases."""

import signal
import statistics
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

from tests.benchmarks.broadcast_rate import LETTER, SECRET, postgresql
from tests.benchmarks.figure import Figure, progress
from tests.benchmarks.stand import NOWHERE, office
from tests.edges.announced import announce
from tests.journeys.office import Office
from tests.servers.smtp_sink import SmtpSink, smtp_sink

MAILS, KILLS, OCTETS = 3000, 5, 100_000
PLAIN = replace(LETTER, subject="La fontaine", text="La fontaine coule.\n" * 40, html="", headers=())
FAST: dict[str, dict[str, Any]] = {"smtp": {"connections": 4, "rate_per_minute": 0}}


def measure() -> Iterator[Figure]:
    """Killed in the middle, again and again; the median."""
    with smtp_sink() as sink, office(NOWHERE, sink.port, **FAST) as stand:
        yield Figure("from a new start after kill -9 to the next mail, SQLite", statistics.median(_resumed(stand, sink)), "s", "< 10")
    with smtp_sink() as sink, postgresql() as url, office(NOWHERE, sink.port, database_url=url, **FAST) as stand:
        yield Figure("the same, PostgreSQL", statistics.median(_resumed(stand, sink)), "s", "< 10")


def _resumed(stand: Office, sink: SmtpSink) -> Iterator[float]:
    people = [f"awa.{number}@journal{number % 97}.example" for number in range(MAILS)]
    stand.database.write_now(announce, people, SECRET, letter=PLAIN)
    process = stand.start("--only", "outbox")
    for number in range(KILLS):
        progress(f"kill {number + 1} of {KILLS}")
        before = sink.octets()
        _until(lambda before=before: sink.octets() > before + OCTETS)  # type: ignore[misc]
        process.send_signal(signal.SIGKILL)
        process.wait()
        time.sleep(0.3)  # what the sink has in hand is on its disk by then
        before = sink.octets()
        began = time.perf_counter()
        process = stand.start("--only", "outbox")
        _until(lambda before=before: sink.octets() > before)  # type: ignore[misc]
        yield time.perf_counter() - began
    process.send_signal(signal.SIGKILL)
    process.wait()


def _until(holds: Callable[[], bool]) -> None:
    end = time.monotonic() + 60
    while not holds():
        if time.monotonic() > end:
            raise RuntimeError("no mail came any more")
        time.sleep(0.005)
