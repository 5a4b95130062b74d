"""A measured figure and the line that shows it; how progress is told, and how the memory of a process family is watched."""

import sys
import threading
from contextlib import suppress
from dataclasses import dataclass
from types import TracebackType

import psutil

SAMPLE_SECONDS = 0.02


@dataclass(frozen=True, slots=True)
class Figure:
    """One number with its unit, and what was aimed at."""

    name: str
    value: float
    unit: str
    aim: str = ""

    def __str__(self) -> str:
        digits = 0 if self.value >= 100 else 1 if self.value >= 10 else 3
        return f"{self.name:<66} {self.value:>8.{digits}f} {self.unit:<8}" + (f" aim {self.aim}" if self.aim else "")


def progress(what: str) -> None:
    """For whoever waits: on standard error, so that standard output holds figures alone."""
    print(f"  .. {what}", file=sys.stderr, flush=True)


class MemoryWatch:
    """The most memory that a process and its children had: the high-water marks of all who live at one moment, added up.

    The kernel keeps the marks, so nothing is missed between two looks; and pages that they share count twice. It errs upwards. A child in
    the instant before it becomes another program is its parent still, page for page, and is not counted.
    """

    def __init__(self, pid: int) -> None:
        self.peak_mb = 0.0
        self._root = psutil.Process(pid)
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> "MemoryWatch":
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None) -> None:
        self._ended.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._ended.wait(SAMPLE_SECONDS):
            with suppress(psutil.NoSuchProcess):
                here = self._root.cmdline()
                family = [self._root, *(child for child in self._root.children(recursive=True) if child.cmdline() != here)]
                self.peak_mb = max(self.peak_mb, sum(map(high_water, family)) / 1e6)


def high_water(process: psutil.Process) -> int:
    """Octets: the most memory that it had at once."""
    with suppress(OSError), open(f"/proc/{process.pid}/status") as status:
        return next((int(line.split()[1]) * 1024 for line in status if line.startswith("VmHWM:")), 0)
    return 0
