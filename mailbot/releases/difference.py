"""What is different between two texts of one edition, field by field, paragraph by paragraph and word by word, for a person to read."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Literal

from mailbot.releases.release import Edition

ALIKE = 0.5  # two paragraphs with so much in common are one that was changed
MOST_WORDS = 3_000  # of two paragraphs together: longer ones are shown whole
AROUND = 6  # words that are shown on each side of a change
Part = tuple[Literal["=", "-", "+"], str]


@dataclass(frozen=True, slots=True)
class Change:
    """One field, or one paragraph of the text or the notes. None: there was, or is, none."""

    field: str
    number: int | None  # of the paragraph, from 1: where it stands now, or stood
    before: str | None
    after: str | None

    @property
    def words(self) -> tuple[Part, ...]:
        """The change word by word."""
        return _words(self.before or "", self.after or "")


def between(before: Edition, after: Edition) -> tuple[Change, ...]:
    """Every change, in the order in which a reader meets them."""
    fields = [
        ("title", before.title, after.title),
        ("place", before.place, after.place),
        ("date", before.date.isoformat(), after.date.isoformat()),
        ("embargo", before.embargo.isoformat() if before.embargo else "", after.embargo.isoformat() if after.embargo else ""),
        ("topics", ", ".join(before.topics), ", ".join(after.topics)),
    ]
    found = [Change(name, None, old or None, new or None) for name, old, new in fields if old != new]
    for name, old, new in (("text", before.body, after.body), ("notes", before.notes, after.notes)):
        found += _paragraphs(name, _lines(old), _lines(new))
    if before.contact != after.contact:
        found.append(Change("contact", None, before.contact or None, after.contact or None))
    return tuple(found)


def as_lines(changes: Sequence[Change]) -> Iterator[str]:
    """For a terminal: what went is in [-...-], what came in {+...+}."""
    for change in changes:
        yield f"{change.field}, paragraph {change.number}:" if change.number else f"{change.field}:"
        if change.before is None or change.after is None:
            yield f"  - {change.before}" if change.after is None else f"  + {change.after}"
        else:
            yield "  " + _marked(change.words)


def _lines(text: str) -> list[str]:
    return [line.strip() for line in text.split("\n") if line.strip()]


def _paragraphs(name: str, old: Sequence[str], new: Sequence[str]) -> Iterator[Change]:
    for kind, a, b, c, d in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if kind != "equal":
            yield from _replaced(name, list(enumerate(old[a:b], a + 1)), list(enumerate(new[c:d], c + 1)))


def _replaced(name: str, old: list[tuple[int, str]], new: list[tuple[int, str]]) -> Iterator[Change]:
    """Paragraphs that stand where others stood: those alike are changed, the others went or came."""
    for number, after in new:
        like = next((at for at, (_, before) in enumerate(old) if _is_alike(before, after)), None)
        if like is None:
            yield Change(name, number, None, after)
            continue
        for gone, before in old[:like]:
            yield Change(name, gone, before, None)
        yield Change(name, number, old[like][1], after)
        old = old[like + 1 :]
    for gone, before in old:
        yield Change(name, gone, before, None)


def _is_alike(before: str, after: str) -> bool:
    if len(before) + len(after) > MOST_WORDS * 8:
        return True
    matcher = SequenceMatcher(None, before.split(), after.split(), autojunk=False)
    return matcher.real_quick_ratio() >= ALIKE and matcher.quick_ratio() >= ALIKE and matcher.ratio() >= ALIKE


def _words(before: str, after: str) -> tuple[Part, ...]:
    old, new = re.findall(r"\s*\S+", before), re.findall(r"\s*\S+", after)
    if len(old) + len(new) > MOST_WORDS:
        return ("-", before), ("+", after)
    parts: list[Part] = []
    for kind, a, b, c, d in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if kind == "equal":
            parts.append(("=", "".join(old[a:b])))
            continue
        parts += [(mark, "".join(words)) for mark, words in (("-", old[a:b]), ("+", new[c:d])) if words]  # type: ignore[misc]
    return tuple(parts)


def _marked(parts: Sequence[Part]) -> str:
    out = ""
    for place, (mark, text) in enumerate(parts):
        if mark == "=":
            out += _shortened(text, first=place == 0, last=place == len(parts) - 1)
        else:
            space = text[: len(text) - len(text.lstrip())]
            out += f"{space}[-{text.strip()}-]" if mark == "-" else f"{space}{{+{text.strip()}+}}"
    return out.strip()


def _shortened(text: str, first: bool, last: bool) -> str:
    """Words that stayed, without the middle of many."""
    words = re.findall(r"\s*\S+", text)
    before, after = ([] if first else words[:AROUND]), ([] if last else words[-AROUND:])
    return text if len(words) <= len(before) + len(after) + 2 else "".join([*before, " …", *after])
