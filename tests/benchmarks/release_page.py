"""The page of a release, asked for over HTTP, in an office with 2,000 releases and 100,000 journalists."""

import asyncio
import http.client
import os
import statistics
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory

from mailbot import clock, languages, office_terms, service, terms
from mailbot.database.engine import Database, Tx
from mailbot.database.migrate import upgrade
from mailbot.database.tables import journalist
from mailbot.releases import store
from mailbot.releases.release import Edition
from mailbot.settings import load
from mailbot.web import site
from mailbot.web.serve import WebServer, listening_on
from tests.benchmarks.figure import Figure, progress

RELEASES, JOURNALISTS, ASKED, CLIENTS = 2_000, 100_000, 500, 4
NOW = datetime(2026, 6, 1, tzinfo=UTC)
BODY = "\n\n".join(f"Velmora – Au jour {number}, le chantier de la fontaine a coûté {number * 37} florins de plus." for number in range(12))
SETTINGS = """[organisation]
name = "Ville de Velmora"
address = "presse@velmora.example"
languages = ["fr", "en"]
[web]
public_url = "https://velmora.example"
[security]
secret_key = "0123456789abcdef0123456789abcdef"
"""


def measure() -> Iterator[Figure]:
    """The server is held to one core, and who asks, a process of its own, to the others."""
    cores = os.sched_getaffinity(0)
    asking = ProcessPoolExecutor(1, get_context("spawn"), os.sched_setaffinity, (0, cores - {min(cores)} or cores))
    with TemporaryDirectory(prefix="mailbot-bench-") as folder, _on_one_core(cores), _serving(Path(folder)) as port, asking:
        for what, path in (("a release's page", "/r/release-7"), ("the front page of the newsroom", "/")):
            yield Figure(f"{what}: median", 1000 * statistics.median(asking.submit(_asked, port, path).result()), "ms", "< 50")
            rate = asking.submit(_asked_by_several, port, path).result()
            yield Figure(f"{what}: by {CLIENTS} at a time, on one core", rate, "pages/s", "200" if "/r/" in path else "")


@contextmanager
def _on_one_core(cores: set[int]) -> Iterator[None]:
    os.sched_setaffinity(0, {min(cores)})
    try:
        yield
    finally:
        os.sched_setaffinity(0, cores)


def _asked_by_several(port: int, path: str) -> float:
    """Pages a second."""
    began = time.perf_counter()
    with ThreadPoolExecutor(CLIENTS) as clients:
        pages = sum(len(took) for took in clients.map(_asked, [port] * CLIENTS, [path] * CLIENTS))
    return pages / (time.perf_counter() - began)


def _asked(port: int, path: str) -> list[float]:
    connection, took = http.client.HTTPConnection("127.0.0.1", port), []
    for _ in range(ASKED):
        began = time.perf_counter()
        connection.request("GET", path)
        connection.getresponse().read()
        took.append(time.perf_counter() - began)
    connection.close()
    return took


@contextmanager
def _serving(folder: Path) -> Iterator[int]:
    (folder / "mailbot.toml").write_text(SETTINGS)
    settings, loaded = load(folder / "mailbot.toml", {}), languages.load([languages.shipped()])
    office = office_terms.office_of(settings, loaded)
    desk = terms.desk_of(settings, office, b"s" * 32, loaded, service.new_id)
    database = Database(f"sqlite:///{folder}/mailbot.db")
    upgrade(database)
    progress(f"making {RELEASES} releases and {JOURNALISTS} journalists")
    database.write_now(fill)
    words = {code: site.words(office_terms.template_folders(settings), code, office.words.typographies[code]) for code in office.languages}
    public = site.Newsroom(name=office.name, address=office.address.address, languages=office.languages, words=words, secret=b"s" * 32)
    server = WebServer(site.site(database, public, clock.now, desk))
    with listening_on("127.0.0.1", 0) as listening:
        serving = threading.Thread(target=lambda: asyncio.run(server.serve(listening)))
        serving.start()
        try:
            yield listening.getsockname()[1]
        finally:
            server.stop()
            serving.join()
            database.close()


def fill(tx: Tx) -> None:
    first = Edition(slug="0", release="0", language="fr", title="La fontaine", body=BODY, date=date(2020, 1, 1), place="Velmora")
    for number in range(RELEASES):
        slug, day = f"release-{number}", date(2020, 1, 1) + timedelta(days=number)
        store.save(tx, replace(first, slug=slug, release=slug, title=f"La fontaine, jour {number}", date=day), NOW)
        store.publish(tx, slug, NOW, signatory="")
    same = {"name": "", "language": "fr", "outlet": "", "state": "subscribed", "origin": "x", "created_at": NOW, "changed_at": NOW}
    for start in range(0, JOURNALISTS, 10_000):
        addresses = [f"j{number}@paper.example" for number in range(start, start + 10_000)]
        tx.execute(journalist.insert(), [same | {"key": one, "address": one, "cap_key": one} for one in addresses])
