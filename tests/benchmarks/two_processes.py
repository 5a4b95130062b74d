"""How much faster two processes send a signed announcement than one, on PostgreSQL; their start is in it."""

import multiprocessing
import statistics
import time
from collections.abc import Iterator
from contextlib import closing

from cryptography.hazmat.primitives.asymmetric import rsa

from mailbot.database.engine import Database
from mailbot.database.migrate import upgrade
from mailbot.message import dkim
from mailbot.outbox import bulk_store
from tests.benchmarks.broadcast_rate import LETTER, MAILS, PEOPLE, SECRET, pem, postgresql, send_all
from tests.benchmarks.figure import Figure, progress
from tests.edges.announced import announce
from tests.servers.smtp_sink import smtp_sink

ROUNDS = 3


def measure() -> Iterator[Figure]:
    """One and two in turns; medians."""
    key = pem(rsa.generate_private_key(65537, 2048))
    rates: dict[int, list[float]] = {1: [], 2: []}
    with smtp_sink(keep=False) as sink:
        for number in range(ROUNDS):
            for processes, found in rates.items():
                progress(f"{processes} processes, round {number + 1} of {ROUNDS}")
                found.append(_rate(processes, sink.port, key))
    one, two = statistics.median(rates[1]), statistics.median(rates[2])
    yield Figure("mails of an announcement, PostgreSQL, RSA-2048, one process", one, "mails/s")
    yield Figure("the same, two processes", two, "mails/s")
    yield Figure("two processes instead of one: faster by a factor of", two / one, "")


def _rate(processes: int, port: int, key: bytes) -> float:
    with postgresql() as url, closing(Database(url)) as database:
        upgrade(database)
        database.write_now(announce, PEOPLE, SECRET, letter=LETTER)
        began = time.perf_counter()
        spawn = multiprocessing.get_context("spawn").Process
        working = [spawn(target=_work, args=(url, port, key, f"bench-{number}")) for number in range(processes)]
        for one in working:
            one.start()
        for one in working:
            one.join()
        took = time.perf_counter() - began
        states = database.read_now(bulk_store.states_of, "b1")
    if states["sent"] != MAILS:
        raise RuntimeError(f"not every mail left: {states}")
    return MAILS / took


def _work(url: str, port: int, key: bytes, holder: str) -> None:
    with closing(Database(url)) as database:
        send_all(database, port, dkim.signer("office.example", "s1", key), holder)
