"""The pages of the desk in an office with 2,000 releases and 100,000 journalists: how long each takes, and how much it is."""

import statistics
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory

from mailbot.database.engine import Database
from mailbot.database.migrate import upgrade
from tests.benchmarks.figure import Figure, progress
from tests.benchmarks.release_page import JOURNALISTS, RELEASES, fill
from tests.edges.desk_stand import APPROVER, desk_stand
from tests.edges.newsroom import newsroom

ASKED = 30
PAGES = (
    "/desk", "/desk/mail", "/desk/releases", "/desk/releases/release-7", "/desk/audience", "/desk/audience?q=j77",
    "/desk/audience/j7@paper.example", "/desk/broadcasts", "/desk/settings", "/desk/journal",
)  # fmt: skip


def measure() -> Iterator[Figure]:
    """One after another, by one who is logged in."""
    with TemporaryDirectory(prefix="mailbot-bench-") as folder:
        url = f"sqlite:///{folder}/mailbot.db"
        with closing(Database(url)) as database:
            upgrade(database)
            office = newsroom(database, url, Path(folder))
            progress(f"making {RELEASES} releases and {JOURNALISTS} journalists")
            database.write_now(fill)
            with desk_stand(office) as stand:
                browser = stand.browser(APPROVER)
                for path in PAGES:
                    took, octets = [], 0
                    for _ in range(ASKED):
                        began = time.perf_counter()
                        answer = browser.get(path)
                        took.append(time.perf_counter() - began)
                        octets = len(answer.content)
                        if answer.status != 200:
                            raise RuntimeError(f"{path}: {answer.status}")
                    yield Figure(f"{path}, {octets / 1000:.0f} KB: median", 1000 * statistics.median(took), "ms", "< 50")
