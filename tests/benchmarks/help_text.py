"""How long a person waits for `mailbot --help`."""

import statistics
import subprocess
import sys
import time
from pathlib import Path

from tests.benchmarks.figure import Figure

TIMES = 5


def measure() -> list[Figure]:
    """The command as it is installed, started anew each time."""
    took = []
    for _ in range(TIMES):
        started = time.perf_counter()
        subprocess.run([Path(sys.executable).with_name("mailbot"), "--help"], stdout=subprocess.DEVNULL, check=True)
        took.append(time.perf_counter() - started)
    return [Figure("mailbot --help, median", statistics.median(took), "s", "< 0.4")]
