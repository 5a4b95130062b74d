"""One paragraph of a text that was read from a page, a Word file or a pasted text: its words, and the same as Markdown."""

from collections.abc import Iterable
from dataclasses import dataclass

APART, CLOSE, BROKEN = "\n\n", "\n", "\\\n"  # from the paragraph before: a new one, the next item, the next line of the same one


@dataclass(frozen=True, slots=True)
class Paragraph:
    """A paragraph, heading, list item, table row, or one line of a paragraph with breaks."""

    plain: str
    markdown: str
    level: int = 0  # of a heading, from 1
    strong: bool = False  # bold throughout
    joint: str = APART


def joined(paragraphs: Iterable[Paragraph]) -> str:
    """The paragraphs as one Markdown text."""
    out = ""
    for paragraph in paragraphs:
        out += (paragraph.joint if out else "") + paragraph.markdown
    return out
