"""The `photos:` of a release file, read from YAML's events as the rest of its front matter is: files, each with what is said of it.

    photos:
      - file: photos/fountain.jpg
        caption: "The fountain on the market square"
        credit: "City of Velmora / A. Traoré"
        consent_until: 2027-06-30
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date

import yaml

from mailbot.releases.photo import MOST_CAPTION, MOST_CREDIT, NotPlain, plain

KEYS = ("file", "caption", "credit", "consent_until")
_HOW = "photos takes a list; each entry is a file's name, or lines of file, caption, credit and consent_until."
Whole = Callable[[yaml.ScalarEvent, str, int], str]


class NotAPhotoLine(Exception):
    """The list cannot be read. The message says what to do."""

    def __init__(self, message: str, line: int) -> None:
        super().__init__(message)
        self.line = line


@dataclass(frozen=True, slots=True, kw_only=True)
class PhotoLine:
    """One photo of a release file; the caption is in the file's language. What is not said stays as it is known: None."""

    file: str
    line: int
    caption: str = ""
    credit: str | None = None
    consent_until: date | None = None


def read(events: Iterator[yaml.Event], first_line: int, whole: Whole) -> tuple[PhotoLine, ...]:
    """The entries up to the end of the list, which is taken from `events` too; `whole` gives a scalar's text. Raises NotAPhotoLine."""
    found: list[PhotoLine] = []
    for event in events:
        line = first_line + (event.start_mark.line if event.start_mark else 0)
        if isinstance(event, yaml.SequenceEndEvent):
            break
        if isinstance(event, yaml.ScalarEvent):
            found.append(_photo({"file": whole(event, "file", line)}, line))
        elif isinstance(event, yaml.MappingStartEvent):
            found.append(_photo(_fields(events, first_line, whole), line))
        else:
            raise NotAPhotoLine(_HOW, line)
    return tuple(found)


def _fields(events: Iterator[yaml.Event], first_line: int, whole: Whole) -> dict[str, str]:
    fields: dict[str, str] = {}
    key = ""
    for event in events:
        line = first_line + (event.start_mark.line if event.start_mark else 0)
        if isinstance(event, yaml.MappingEndEvent):
            break
        if not isinstance(event, yaml.ScalarEvent):
            raise NotAPhotoLine(_HOW, line)
        if key:
            fields[key], key = whole(event, key, line), ""
        elif event.value not in KEYS or event.value in fields:
            raise NotAPhotoLine(f"A photo has each of these lines once: {', '.join(KEYS)}; not {str(event.value)[:60]!r}.", line)
        else:
            key = str(event.value)
    return fields


def _photo(fields: dict[str, str], line: int) -> PhotoLine:
    file, until = fields.get("file", "").strip(), fields.get("consent_until", "").strip()
    if not file:
        raise NotAPhotoLine("A photo needs the name of its file: file: photos/fountain.jpg", line)
    try:
        return PhotoLine(
            file=file, line=line, caption=plain(fields.get("caption", ""), MOST_CAPTION, "caption"),
            credit=plain(fields["credit"], MOST_CREDIT, "credit") if "credit" in fields else None,
            consent_until=date.fromisoformat(until) if until else None,
        )  # fmt: skip
    except NotPlain as problem:
        raise NotAPhotoLine(str(problem), line) from None
    except ValueError:
        raise NotAPhotoLine(f"consent_until takes a day such as 2027-06-30, not {until[:40]!r}.", line) from None
