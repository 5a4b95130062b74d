"""How long it takes to queue an announcement to 1,000,000, and what memory that needs, on both databases."""

import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import closing
from datetime import UTC, datetime
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import psutil

from mailbot.database.broadcast_tables import broadcast
from mailbot.database.engine import Database, Tx
from mailbot.database.migrate import upgrade
from mailbot.database.tables import journalist
from mailbot.outbox import bulk_store
from mailbot.outbox.bulk_store import Addressee
from tests.benchmarks.broadcast_rate import LETTER, SECRET, postgresql, sqlite
from tests.benchmarks.figure import Figure, high_water, progress

MAILS, AT_ONCE = 1_000_000, 20_000
NOW = datetime(2026, 6, 1, 9, tzinfo=UTC)


def measure() -> Iterator[Figure]:
    """In one transaction, as `broadcast new` does it; the press list is there already."""
    for name, kind in (("SQLite", sqlite), ("PostgreSQL", postgresql)):
        with kind() as url, closing(Database(url)) as database:
            progress(f"{name}: a press list of {MAILS}")
            with ProcessPoolExecutor(1, get_context("spawn")) as elsewhere:  # what making the list takes is not to be counted here
                number = elsewhere.submit(_with_a_list, url).result()
            Path("/proc/self/clear_refs").write_text("5")  # only the mark from here on
            began = time.perf_counter()
            queued = database.write_now(bulk_store.enqueue_all, "b", "fontaine", _addressees(number), SECRET, "office.example", NOW)
            took = time.perf_counter() - began
            peak = high_water(psutil.Process())  # its children are the database's server
            if queued != MAILS:
                raise RuntimeError(f"{queued} of {MAILS} were queued")
        yield Figure(f"queueing {MAILS} mails, {name}", took, "s", "< 20")
        yield Figure(f"the same, peak memory of this process, {name}", peak / 1e6, "MB", "< 150")


def _with_a_list(url: str) -> int:
    with closing(Database(url)) as database:
        upgrade(database)
        return database.write_now(_press_list)


def _press_list(tx: Tx) -> int:
    plan = {"id": "b", "kind": "release", "release": "fontaine", "state": "draft", "audience": "all", "recipients": MAILS, "skipped": {}}
    tx.execute(broadcast.insert(), plan | {"created_at": NOW})
    for start in range(1, MAILS + 1, AT_ONCE):
        tx.execute(journalist.insert(), [_journalist(number) for number in range(start, min(start + AT_ONCE, MAILS + 1))])
    return bulk_store.put_letters(tx, "b", [LETTER])[0]


def _address(number: int) -> str:
    return f"{number * 7919 % 1_000_003:x}.awa@journal{number % 997}.example"  # in no order, as people's names are


def _journalist(number: int) -> dict[str, Any]:
    address = _address(number)
    return {
        "id": number, "key": address, "address": address, "cap_key": address, "name": "Awa Traoré", "language": "fr", "outlet": "",
        "state": "subscribed", "origin": "list", "created_at": NOW, "changed_at": NOW,
    }  # fmt: skip


def _addressees(letter: int) -> Iterator[Addressee]:
    for number in range(1, MAILS + 1):
        yield Addressee(journalist=number, address=_address(number), name=f"Awa Traoré {number}", letter=letter, facts={"origin": "list"})
