"""How many mails a second `mailbot explain --json` judges, on one core."""

import os
import time

from tests.benchmarks import stand
from tests.benchmarks.figure import Figure

FILES = 1500


def measure() -> list[Figure]:
    """The whole command, its start included, with every process of it on the same core."""
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    with stand.office(stand.NOWHERE, 9) as office:
        names = []
        for number in range(FILES):
            file = office.folder / f"{number}.eml"
            file.write_bytes(stand.mixed(number))
            names.append(str(file))
        started = time.perf_counter()
        done = office.command("explain", "--json", *names)
        took = time.perf_counter() - started
    if len(done.stdout.splitlines()) != FILES:
        raise RuntimeError(f"{len(done.stdout.splitlines())} of {FILES} files were explained")
    return [Figure("mailbot explain --json, on one core", FILES / took, "files/s", "300")]
