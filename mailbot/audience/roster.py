"""A press list as people keep it, row by row: the header found, each line read into a person, or refused with the reason.

Whatever a cell holds is text: nothing in it runs, and nothing in it breaks a line (MAIL.md T-39). A line may name several addresses;
each is a person of its own then. What a list does not say stays unsaid: an empty cell never wipes out what is known.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import chain, islice

from email_validator import EmailNotValidError, validate_email

from mailbot.columns import Columns, fold
from mailbot.message import header
from mailbot.message.address import Address, cap_key, key, mailboxes

HEADER_WITHIN = 20          # lines: above it stand titles, logos, dates
MOST_COLUMNS = 500
MOST_CHARACTERS = 2_000     # of one cell
MOST_IN_A_CELL = 20
LENGTHS: Mapping[str, int] = {"name": 100, "outlet": 200, "beat": 200, "place": 200, "notes": 1_000}
_BETWEEN = re.compile(r"[\n\r\t;,|/]+")
# Domains that a slip of the finger makes of those that everybody uses: told, never mended.
_USED = ("gmail.com", "yahoo.fr", "yahoo.com", "hotmail.com", "hotmail.fr", "outlook.com", "orange.fr", "icloud.com")

Row = tuple[int, Sequence[str]]  # the number of its line, and its cells


WHY: Mapping[str, str] = {
    "again": "stands in line {value} already",
    "no-address": "has no address",
    "not-address": "is no mail address",
    "not-ascii": "has letters before the @ that plain mail cannot carry",
    "unusable": "is no address that mail can be sent to: {value}",
    "slip": "was taken; is it {value}?",
    "language": "is no language that mailbot knows; it was left out",
    "medium": "is no medium that mailbot knows; it was left out",
    "format": "is no format that mailbot knows; it was left out",
    "barred": "is not written to ({value}), and stays so",
    "left": "is {value}: only the journalist can come back",
}


NOT_A_ROSTER = ("large", "old", "text", "damaged", "header", "empty")


class NotARoster(Exception):
    """No press list can be read in this file. The argument says why, and what to do; `kind` is the word of NOT_A_ROSTER for it."""

    def __init__(self, said: str, kind: str) -> None:
        super().__init__(said)
        self.kind = kind


@dataclass(frozen=True, slots=True)
class Person:
    """A line's person. Empty: the list does not say."""

    line: int
    address: str
    key: str
    cap_key: str
    name: str = ""
    language: str = ""
    outlet: str = ""
    medium: str = ""
    beat: str = ""
    place: str = ""
    format: str = ""
    notes: str = ""


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with a line: a key of WHY, and what it is filled with. `refused`: there is nobody in it; else the person was taken,
    without what could not be read."""

    line: int
    what: str
    why: str
    value: str = ""
    refused: bool = True

    @property
    def said(self) -> str:
        """In English, for the command line."""
        return WHY[self.why].format(value=self.value)


@dataclass(slots=True)
class Roster:
    """Everybody who can be read, and what is wrong."""

    people: list[Person] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)


def read(rows: Iterable[Row], columns: Columns, languages: Sequence[str]) -> Roster:
    """The whole list. `languages`: those that the office writes in. Raises NotARoster where there is no column of addresses, or
    nothing below it."""
    places, rest = _header(iter(rows), columns)
    roster, seen = Roster(), dict[str, int]()
    for line, cells in rest:
        said = {name: [cells[place] for place in found if place < len(cells)] for name, found in places.items()}
        if not any(value.strip() for values in said.values() for value in values):
            continue
        for one in _people(line, said, columns, languages):
            if isinstance(one, Problem):
                roster.problems.append(one)
            elif one.key in seen:
                roster.problems.append(Problem(line, one.address, "again", str(seen[one.key])))
            else:
                seen[one.key] = line
                roster.people.append(one)
    if not roster.people and not roster.problems:
        raise NotARoster("There is no line below the header. Nothing was changed.", "empty")
    return roster


def _header(rows: Iterator[Row], columns: Columns) -> tuple[Mapping[str, list[int]], Iterator[Row]]:
    """Which column holds what, and the rows below. A list of addresses alone needs no header."""
    first: list[Row] = []
    for row in islice(rows, HEADER_WITHIN):
        if len(row[1]) > MOST_COLUMNS:
            raise NotARoster(f"Line {row[0]} has {len(row[1])} columns. A press list has a few. Nothing was changed.", "damaged")
        named = [columns.headers.get(fold(cell), "") for cell in row[1]]
        if "email" in named:
            places = {name: [place for place, one in enumerate(named) if one == name] for name in set(named) if name}
            return places, rows
        first.append(row)
    for cells in (row[1] for row in first):
        if found := [place for place, cell in enumerate(cells) if "@" in cell and _addresses(cell)]:
            return {"email": found[:1]}, chain(first, rows)
    raise NotARoster(
        "No line of the first twenty names a column of addresses. Give one the header \"email\" (or courriel, adresse, e-mail). "
        "Nothing was changed.", "header",
    )  # fmt: skip


def _people(
    line: int, said: Mapping[str, list[str]], columns: Columns, languages: Sequence[str]
) -> Iterator[Person | Problem]:
    where = "\n".join(said["email"])
    found = _addresses(where)
    if not found:
        what = header.clean(where, 100)
        yield Problem(line, what, "not-address" if what else "no-address")
        return
    told, odd = _facts(said, columns, languages)
    for what, why in odd:
        yield Problem(line, what, why, refused=False)
    for address in found:
        why, value = _unusable(address.address)
        if why:
            yield Problem(line, address.address, why, value)
            continue
        if slip := _slip(address.domain):
            yield Problem(line, address.address, "slip", slip, refused=False)
        name = address.name or told["name"]
        yield Person(line=line, address=address.address, key=address.key, cap_key=cap_key(address.address), **{**told, "name": name})


def _facts(
    said: Mapping[str, list[str]], columns: Columns, languages: Sequence[str]
) -> tuple[Mapping[str, str], list[tuple[str, str]]]:
    """What the line says beside the address, and what of it could not be used."""
    odd: list[tuple[str, str]] = []

    def text(name: str) -> str:
        values = (header.clean(value, LENGTHS.get(name, MOST_CHARACTERS)) for value in said.get(name, ()))
        return ", ".join(dict.fromkeys(value for value in values if value))

    def chosen(name: str, words: Mapping[str, str], known: Iterable[str]) -> str:
        written = text(name)
        found = words.get(fold(written), "")
        if written and found not in known:
            odd.append((written[:100], name))
            return ""
        return found

    whole = text("name") or " ".join(filter(None, (text("first_name"), text("last_name"))))
    told = {
        "name": whole[: LENGTHS["name"]],
        "language": chosen("language", columns.languages, languages),
        "medium": chosen("medium", columns.media, columns.media.values()),
        "format": chosen("format", columns.formats, columns.formats.values()),
    }
    return told | {name: text(name)[: LENGTHS[name]] for name in ("outlet", "beat", "place", "notes")}, odd


def _addresses(cell: str) -> list[Address]:
    """Those that a cell names, each once; none where anything in it is no address."""
    if len(cell) > MOST_CHARACTERS or "\0" in cell:
        return []
    pieces = [piece for piece in map(str.strip, _BETWEEN.split(cell)) if piece]
    if len(pieces) == 1 and pieces[0].count("@") > 1 and "<" not in pieces[0]:
        pieces = pieces[0].split()
    found: dict[str, Address] = {}
    for piece in pieces[:MOST_IN_A_CELL]:
        boxes, group = mailboxes(piece.removeprefix("mailto:"))
        if group or len(boxes) != 1 or boxes[0] is None or "@" in boxes[0].name:
            return []
        found.setdefault(boxes[0].key, boxes[0])
    return list(found.values())


def _unusable(address: str) -> tuple[str, str]:
    """Why nothing can be sent there, a key of WHY, and the details; empty: it can."""
    local, _, domain = address.rpartition("@")
    if not local.isascii():
        return "not-ascii", ""
    if why := _bad_domain(domain):
        return "unusable", why
    try:
        validate_email(f"{local}@example.com", check_deliverability=False, allow_smtputf8=False, test_environment=True)
    except EmailNotValidError as problem:
        return "unusable", str(problem)
    return ("", "") if key(address) else ("not-address", "")


@lru_cache(maxsize=4096)
def _bad_domain(domain: str) -> str:
    """Many share one: it is looked at once."""
    try:
        validate_email(f"a@{domain}", check_deliverability=False, test_environment=True)
    except EmailNotValidError as problem:
        return str(problem)
    return ""


@lru_cache(maxsize=4096)
def _slip(domain: str) -> str:
    """The domain that everybody uses, where this one is a letter away from it."""
    if domain in _USED:
        return ""
    return next((used for used in _USED if _is_a_letter_away(domain, used)), "")


def _is_a_letter_away(one: str, other: str) -> bool:
    """One letter more, less or another; or two beside each other in the wrong order."""
    if abs(len(one) - len(other)) > 1:
        return False
    start = next((place for place, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))
    rest, there = one[start:], other[start:]
    swapped = rest[:2] == there[1::-1] and rest[2:] == there[2:] and len(there) > 1
    return rest[1:] == there[1:] or rest[1:] == there or rest == there[1:] or swapped
