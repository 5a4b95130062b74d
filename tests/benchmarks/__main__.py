"""`python -m tests.benchmarks [FIGURE...]`: measures every figure, or those named, each in a process of its own.

A figure that cannot be measured says why and the next one follows; none is compared with its aim: machines differ.
"""

import importlib
import logging
import subprocess
import sys

import structlog

from tests.benchmarks.figure import progress

FIGURES = (
    "help_text", "explain_files", "release_search", "arrival_demo", "arrival_dovecot", "outbox_rate", "large_mail", "backlog",
    "release_page", "desk_pages", "broadcast_rate", "two_processes", "resume", "queue_million",
)  # fmt: skip


def main(asked: list[str]) -> int:
    """1 where a figure could not be measured."""
    unknown = [name for name in asked if name not in FIGURES]
    if unknown:
        print(f"There is no figure {unknown[0]!r}; there are: {', '.join(FIGURES)}.", file=sys.stderr)
        return 2
    if len(asked) == 1:
        structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))  # figures alone are printed
        for figure in importlib.import_module(f"tests.benchmarks.{asked[0]}").measure():
            print(figure, flush=True)
        return 0
    failed = 0
    for name in asked or FIGURES:
        progress(name)
        failed += bool(subprocess.run([sys.executable, "-m", "tests.benchmarks", name], check=False).returncode)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
