"""Reads what a person names (a file, a folder of files that belong together, the address of a page, standard input) as editions.

This is the one way by which a text comes in from outside: what imports and what corrects both ask here, and so read alike.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import BinaryIO

from mailbot.languages import Language
from mailbot.releases import word
from mailbot.releases.fetch import Limits, fetch
from mailbot.releases.import_set import ImportSet, import_set
from mailbot.releases.release import Release
from mailbot.releases.wish import Wish

SUFFIXES = (".md", ".markdown", ".txt", ".docx")
MOST_BYTES = word.MAX_BYTES  # the largest of all kinds; each kind has its own bound


class CannotImport(Exception):
    """The files cannot be read; nothing was changed. The message says why, or has a line for each problem."""


def read_source(
    source: str,
    languages: Mapping[str, Language],
    now: datetime,
    known: Sequence[Release] = (),
    wish: Wish = Wish(),
    standard_input: BinaryIO | None = None,
    limits: Limits = Limits(),
) -> ImportSet:
    """The draft editions of `source`, or their problems. Nothing is stored. `now` is in the office's zone; `limits` bound a fetch.

    Raises CannotImport where there is nothing to read, and NotFetched."""
    files = list(_files(source, standard_input, limits))
    if wish.release and len(files) > 1:
        raise CannotImport(f"{source} holds {len(files)} files. With --release name the one that is to replace the draft.")
    return import_set(files, languages, now, known, wish)


def _files(source: str, standard_input: BinaryIO | None, limits: Limits) -> Iterator[tuple[str, bytes]]:
    """Name and bytes of each file; of a folder those that can be releases, in the order of their names."""
    if source == "-" and standard_input is not None:
        yield "standard input", standard_input.read(MOST_BYTES + 1)
        return
    if re.match(r"https?:|[a-z][a-z0-9+.-]*://", source, re.I):
        yield fetch(source, limits)
        return
    path = Path(source)
    try:
        paths = [path]
        if path.is_dir():
            visible = (one for one in path.rglob("*") if not one.name.startswith((".", "~$")) and one.is_file())
            paths = sorted(one for one in visible if one.suffix.lower() in SUFFIXES)
            if not paths:
                raise CannotImport(f"{source} holds no release: no file ends in {', '.join(SUFFIXES)}.")
        for one in paths:
            with one.open("rb") as file:
                yield str(one), file.read(MOST_BYTES + 1)
    except OSError as problem:
        raise CannotImport(f"{problem.filename or source} cannot be read: {problem.strerror}.") from problem
    except ValueError as problem:  # a name with a zero octet
        raise CannotImport(f"{source!r} is not the name of a file.") from problem
