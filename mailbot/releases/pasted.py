"""The text of a press-release page, copied whole with its menus -> the release in it. What is told apart how stands in anatomy.py."""

import re
from collections.abc import Mapping
from datetime import datetime

from mailbot.languages import Language
from mailbot.releases import anatomy
from mailbot.releases import body as markdown_body
from mailbot.releases.anatomy import Found, Given
from mailbot.releases.paragraph import Paragraph

WRAPPED = range(50, 101)  # the length of lines that a mail program or a terminal has broken
_INVISIBLE = dict.fromkeys(map(ord, "\u200b\u200c\u200d\u2060\ufeff\u00ad"))
_BULLET = re.compile(r"^(?:[-–*•▪◦·]|\u2022)\s+(?=\S)")


def parse(text: str, languages: Mapping[str, Language], now: datetime, language: str = "") -> Found:
    """Read a pasted text. `now` gives the year that a date leaves out; without `language` it is told by its words. Raises NotARelease."""
    return anatomy.find([_paragraph(line) for line in _lines(text)], languages, now, Given(language=language))


def _paragraph(line: str) -> Paragraph:
    """A line as a Markdown paragraph of the same words; one with a bullet becomes a list item."""
    bullet = _BULLET.match(line)
    return Paragraph(line, "- " + markdown_body.from_plain(line[bullet.end() :]) if bullet else markdown_body.from_plain(line))


def _lines(text: str) -> list[str]:
    """The paragraphs: one a line as a page is copied, or lines that were broken for width put together again."""
    blocks = [[line.strip() for line in block.split("\n") if line.strip()] for block in re.split(r"\n[ \t]*\n", text.translate(_INVISIBLE))]
    lines: list[str] = []
    for block in blocks:
        broken = len(block) > 1 and all(len(line) in WRAPPED for line in block[:-1]) and len(block[-1]) <= WRAPPED[-1]
        lines += [" ".join(block)] if broken else block
    return lines
