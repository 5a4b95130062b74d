"""The words of an announcement in one language and format, with marks in the place of what differs between recipients.

A letter is rendered once, with marks as values: `mark("greeting")` is the name between two private-use characters, which escaping,
typography and wrapping leave alone. Each recipient's values are put in their place afterwards, escaped for where they stand, and are never
read again: a name that looks like a mark, a template or a header stays a name. `render_plain` is the slow, obvious way; message/splice.py
makes a mail that says the same, without encoding thirty thousand characters anew for each.
"""

import html
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from mailbot.message.address import Address
from mailbot.message.outgoing import File, OutgoingMessage, Unsendable

_OPEN, _CLOSE = "\ue000", "\ue001"
_MARK = re.compile(rf"{_OPEN}([a-z][a-z0-9_]{{0,60}}){_CLOSE}")
# A value is one line: line ends and controls in it become spaces, what is no character at all is left out.
_ONE_LINE = dict.fromkeys((*range(32), *range(127, 160), 0x2028, 0x2029), " ") | dict.fromkeys(range(0xD800, 0xE000), "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """Subject, text, html and the values of headers may hold marks. `headers` are what a mail owes beside those that outgoing writes."""

    language: str
    format: str = "standard"  # standard, lite, text
    edition: str
    content_hash: str  # of the edition when this was written
    subject: str
    text: str
    html: str = ""
    headers: tuple[tuple[str, str], ...] = ()
    files: tuple[File, ...] = ()
    waits_for: str = ""  # the language that its readers had asked for and there was not


def mark(name: str) -> str:
    """What a template is given in the place of this value of a recipient's."""
    made = f"{_OPEN}{name}{_CLOSE}"
    if not _MARK.fullmatch(made):
        raise ValueError(f"{name!r} cannot be the name of a mark")
    return made


def marks_of(letter: Letter) -> frozenset[str]:
    """The names of the values that it needs of each recipient."""
    written = (letter.subject, letter.text, letter.html, *(value for _, value in letter.headers))
    return frozenset(name for text in written for name in _MARK.findall(text))


def pieces(text: str) -> Iterator[tuple[str, str]]:
    """(constant text, name of the mark behind it) in order; the last has no mark: ""."""
    parts = _MARK.split(text)
    yield from zip(parts[::2], (*parts[1::2], ""), strict=True)


def tidy(value: str) -> str:
    """A value as it may stand in a mail: one line. Spaces that may not break stay what they are."""
    return value if value.isprintable() else value.translate(_ONE_LINE)


def filled(text: str, values: Mapping[str, str], escape: Callable[[str], str] = str) -> str:
    """The text with values in the place of its marks; what they hold is not looked at again. Raises Unsendable, naming what is missing."""

    def value_of(found: re.Match[str]) -> str:
        return escape(tidy(value(values, found[1])))

    return _MARK.sub(value_of, text)


def value(values: Mapping[str, str], name: str) -> str:
    """Raises Unsendable where there is none."""
    if name not in values:
        raise Unsendable(f"the recipient has no value for {name!r}")
    return values[name]


def render_plain(
    letter: Letter, values: Mapping[str, str], *, message_id: str, sender: Address, to: Address, date: datetime
) -> OutgoingMessage:
    """One recipient's mail, the slow and obvious way: for previews, for tests, and to check every recipient before the first leaves.

    Raises Unsendable where a value is missing; what else cannot be sent is found by outgoing.build."""
    return OutgoingMessage(
        message_id=message_id, sender=sender, to=to, subject=filled(letter.subject, values), text=filled(letter.text, values),
        html=filled(letter.html, values, html.escape), language=letter.language, date=date, files=letter.files,
        headers=tuple((name, filled(written, values)) for name, written in letter.headers),
    )  # fmt: skip
