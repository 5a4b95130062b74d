"""A Markdown file with YAML front matter <-> an Edition.

The front matter is read as a flat list of `key: text` or `key: [text, text]`, from YAML's events and no further: there is
nothing to nest, to refer to or to run, and each complaint can name its line. YAML's own types are not used, so that
`language: no` stays Norwegian and a date stays what was written.
"""

import hashlib
import json
import re
import unicodedata
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime

import yaml

from mailbot.releases import photo_lines
from mailbot.releases.photo_lines import NotAPhotoLine, PhotoLine
from mailbot.releases.release import Dated, Edition

MAX_BYTES = 1_000_000
END_MARK = "***"
INSTALL = "Install mailbot with its extra `import`: pip install 'mailbot[import]'"
MAX_FRONT_MATTER = 16_000
MAX_SLUG = 80
MAX_TITLE = 500
_TEXT_KEYS = ("slug", "language", "title", "date", "place", "translation_of", "embargo", "contact")
_KEYS = (*_TEXT_KEYS, "topics", "photos")
_SLUG = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
_LANGUAGE = re.compile(r"[a-z]{2,3}(?:-[a-z0-9]{2,8})*")


class NotARelease(Exception):
    """The file cannot be read as a release. The message names the line where it can, and says what to do."""

    def __init__(self, message: str, line: int | None = None) -> None:
        super().__init__(message)
        self.line = line


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """One file as it was read: an edition whose release is not yet known, because that stands in another file."""

    slug: str
    translation_of: str  # empty: this is the original
    language: str
    title: str
    body: str
    date: Dated
    notes: str = ""
    contact: str = ""
    place: str = ""
    topics: tuple[str, ...] = ()
    embargo: datetime | None = None
    photos: tuple[PhotoLine, ...] = ()

    def edition(self, release: str) -> Edition:
        """The draft edition of that release."""
        return Edition(
            slug=self.slug,
            release=release,
            language=self.language,
            title=self.title,
            body=self.body,
            notes=self.notes,
            contact=self.contact,
            place=self.place,
            date=self.date,
            topics=self.topics,
            embargo=self.embargo,
        )


def decode(data: bytes) -> str:
    """The text of a file from any office machine: UTF-8, UTF-16 with its mark, else Windows-1252. Newlines and accents made one way."""
    if len(data) > MAX_BYTES:
        raise NotARelease(f"The file has more than {MAX_BYTES:,} bytes, and no release has. Is it the right file?")
    try:
        text = data.decode("utf-16" if data.startswith((b"\xff\xfe", b"\xfe\xff")) else "utf-8-sig")
    except UnicodeDecodeError:
        try:
            text = data.decode("cp1252")
        except UnicodeDecodeError:
            raise NotARelease("The file is not text. Save it as plain text or Markdown, in UTF-8.") from None
    text = re.sub(r"\r\n?|[\u0085\u2028\u2029]", "\n", text)
    if re.search(r"[\x00-\x08\x0e-\x1f\x7f-\x9f\ufffe\uffff]", text):
        raise NotARelease("The file is not text (it holds control characters). Save it as plain text or Markdown, in UTF-8.")
    return unicodedata.normalize("NFC", text)


def has_front_matter(text: str) -> bool:
    """Whether the text starts as a release file does, and not as a pasted page."""
    return text.lstrip("\n").partition("\n")[0].rstrip() == "---"


def parse(text: str, detect: Callable[[str], str]) -> Page:
    """Read one release file; `detect` names the language of a body that does not say it. Raises NotARelease."""
    blank = len(text) - len(text.lstrip("\n"))
    lines = text.lstrip("\n").split("\n")
    close = next((number for number, line in enumerate(lines[1:], 1) if line.rstrip() in ("---", "...")), None)
    if close is None:
        raise NotARelease("The front matter is not closed: put a line --- between it and the text.", blank + 1)
    fields, at, photos = _front_matter("\n".join(lines[1:close]), blank + 2)
    body, notes = _split_body(lines[close + 1 :])
    heading = re.match(r"#\s+(.+?)\s*#*\n", body + "\n")
    title = _one_line(fields.get("title", ""))
    if heading and (not title or heading[1] == title):
        title, body = title or heading[1], body[heading.end() :].strip("\n")
    if not title:
        raise NotARelease('The title is missing: add a line title: "..." to the front matter.', at.get("title", blank + 1))
    if len(title) > MAX_TITLE:
        raise NotARelease(f"The title has {len(title)} characters; at most {MAX_TITLE} are possible.", at.get("title"))
    if not body.strip():
        raise NotARelease("The text of the release is missing: it stands below the second line ---.", blank + close + 1)
    if not fields.get("date"):
        raise NotARelease("The date is missing: add a line such as date: 2024-10-28 to the front matter.", at.get("date", blank + 1))
    topics = fields.get("topics", ())
    return Page(
        slug=_slug_field(fields, at, "slug") or slug_of(title),
        translation_of=_slug_field(fields, at, "translation_of"),
        language=_language(_one_line(fields.get("language", "")), at) or detect(body),
        title=title,
        body=body,
        notes=notes,
        contact=_one_line(fields.get("contact", "")),
        place=_one_line(fields.get("place", "")),
        date=_day_or_instant(_one_line(fields["date"]), at["date"]),
        topics=tuple(topics) if not isinstance(topics, str) else tuple(part.strip() for part in topics.split(",") if part.strip()),
        embargo=instant("embargo", _one_line(fields.get("embargo", "")), at.get("embargo")),
        photos=photos,
    )


def to_markdown(edition: Edition, remarks: Iterable[str] = ()) -> str:
    """The file that reads back as this edition (as a draft). Text is quoted as JSON, which YAML reads the same; remarks are comments."""

    def quoted(text: str) -> str:
        return json.dumps(text, ensure_ascii=False)

    lines = ["---", f"slug: {edition.slug}", f"language: {edition.language}", f"title: {quoted(edition.title)}"]
    lines.append(f"date: {edition.date.isoformat()}")
    if edition.place:
        lines.append(f"place: {quoted(edition.place)}")
    if edition.release != edition.slug:
        lines.append(f"translation_of: {edition.release}")
    if edition.embargo:
        lines.append(f"embargo: {edition.embargo.isoformat()}")
    if edition.topics:
        lines.append(f"topics: [{', '.join(quoted(topic) for topic in edition.topics)}]")
    if edition.contact:
        lines.append(f"contact: {quoted(edition.contact)}")
    lines += [*(f"# {one}" for one in remarks), "---", edition.body]
    if edition.notes:
        lines += ["", END_MARK, "", edition.notes]
    return "\n".join(lines) + "\n"


def slug_of(title: str) -> str:
    """A stable ascii slug of at most 80 characters; a title without a letter that has an ascii form gets a fingerprint."""
    spelled = title.lower().replace("œ", "oe").replace("æ", "ae").replace("ß", "ss").replace("ø", "o")
    folded = unicodedata.normalize("NFKD", re.sub(r"['’‘]", " ", spelled)).encode("ascii", "ignore").decode()
    slug = "-".join(re.findall(r"[a-z0-9]+", folded))
    if len(slug) > MAX_SLUG:
        slug = slug[: MAX_SLUG + 1].rpartition("-")[0] or slug[:MAX_SLUG]
    return slug or f"r-{hashlib.sha256(title.encode()).hexdigest()[:12]}"


def _front_matter(text: str, first_line: int) -> tuple[dict[str, str | tuple[str, ...]], dict[str, int], tuple[PhotoLine, ...]]:
    """The fields, the line of each, and the photos."""
    photos: tuple[PhotoLine, ...] = ()
    fields: dict[str, str | tuple[str, ...]] = {}
    at: dict[str, int] = {}
    items: list[str] | None = None
    key = ""
    depth = 0
    if len(text) > MAX_FRONT_MATTER:
        raise NotARelease(f"The front matter has {len(text):,} characters; at most {MAX_FRONT_MATTER:,} are possible.", first_line)
    try:
        for event in (events := iter(yaml.parse(text, Loader=yaml.BaseLoader))):
            line = first_line + (event.start_mark.line if event.start_mark else 0)
            if isinstance(event, yaml.MappingStartEvent) and depth == 0:
                depth = 1
            elif isinstance(event, yaml.ScalarEvent) and depth == 1 and items is not None:
                items.append(_one_line(event.value))
            elif isinstance(event, yaml.ScalarEvent) and depth == 1 and not key:
                key = _key(event.value, at, line)
            elif isinstance(event, yaml.ScalarEvent) and depth == 1:
                fields[key] = _whole(event, text, key, line)
                key = ""
            elif isinstance(event, yaml.SequenceStartEvent) and key == "photos" and items is None:
                photos, key = photo_lines.read(events, first_line, lambda one, name, at: _whole(one, text, name, at)), ""
            elif isinstance(event, yaml.SequenceStartEvent) and key == "topics" and items is None:
                items = []
            elif isinstance(event, yaml.SequenceEndEvent) and items is not None:
                fields[key], items, key = tuple(items), None, ""
            elif isinstance(event, yaml.MappingEndEvent):
                depth = 2
            elif not isinstance(event, (yaml.StreamStartEvent, yaml.StreamEndEvent, yaml.DocumentStartEvent, yaml.DocumentEndEvent)):
                what = f"The field {key!r} takes" if key else "The front matter takes lines of"
                raise NotARelease(f"{what} plain text{', or [a, list]' if key == 'topics' else ''}; nothing nested, no references.", line)
    except yaml.YAMLError as problem:
        mark = getattr(problem, "problem_mark", None)
        line = first_line + (mark.line if mark else 0)
        raise NotARelease('The front matter cannot be read here. Put the text after the colon in quotes: title: "..."', line) from None
    except NotAPhotoLine as problem:
        raise NotARelease(str(problem), problem.line) from None
    if "photos" in fields:
        raise NotARelease("photos takes a list: a line for each, beginning with a hyphen.", at["photos"])
    return fields, at, photos


def _key(name: str, at: dict[str, int], line: int) -> str:
    if name not in _KEYS:
        raise NotARelease(f"Unknown field {name[:60]!r}. The fields are: {', '.join(_KEYS)}.", line)
    if name in at:
        raise NotARelease(f"The field {name!r} stands twice (first on line {at[name]}). Keep one.", line)
    at[name] = line
    return name


def _whole(event: yaml.ScalarEvent, text: str, key: str, line: int) -> str:
    """The scalar, unless YAML took part of an unquoted sentence for a comment: half a title must not go out."""
    value = str(event.value)
    if event.style is None and event.end_mark and key in ("title", "contact", "place", "caption", "credit"):
        rest = text[event.end_mark.index :].partition("\n")[0]
        if rest.lstrip().startswith("#"):
            raise NotARelease(f'The {key} holds " #", where a comment begins. Put it in quotes: {key}: "..."', line)
    return value


def _split_body(lines: list[str]) -> tuple[str, str]:
    end = next((number for number, line in enumerate(lines) if line.strip() == END_MARK), len(lines))
    return "\n".join(lines[:end]).strip("\n"), "\n".join(lines[end + 1 :]).strip("\n")


def _one_line(value: str | tuple[str, ...]) -> str:
    return " ".join((value if isinstance(value, str) else ", ".join(value)).split())


def _slug_field(fields: dict[str, str | tuple[str, ...]], at: dict[str, int], key: str) -> str:
    slug = _one_line(fields.get(key, ""))
    if slug and (not _SLUG.fullmatch(slug) or len(slug) > MAX_SLUG):
        good = slug_of(slug)
        raise NotARelease(f"{key} takes small letters a-z, digits and single hyphens, at most {MAX_SLUG}; write {key}: {good}", at[key])
    return slug


def _language(written: str, at: dict[str, int]) -> str:
    code = written.lower().replace("_", "-")
    if code and not _LANGUAGE.fullmatch(code):
        raise NotARelease(f"language takes a code such as fr or en, not {written[:40]!r}.", at["language"])
    return code


def _day_or_instant(written: str, line: int) -> Dated:
    try:
        if re.fullmatch(r"\d{4}-\d\d-\d\d", written):
            return date.fromisoformat(written)
        moment = datetime.fromisoformat(written)
    except ValueError:
        raise NotARelease(f"date takes a day (2024-10-28) or an instant (2024-10-28T08:00:00+00:00), not {written[:40]!r}.", line) from None
    return _with_offset("date", moment, line)


def instant(key: str, written: str, line: int | None) -> datetime | None:
    """An instant with its offset from UTC, as `key` gives it; None where it gives none. Raises NotARelease."""
    if not written:
        return None
    try:
        moment = datetime.fromisoformat(written)
    except ValueError:
        raise NotARelease(f"{key} takes an instant such as 2025-01-01T08:00:00+00:00, not {written[:40]!r}.", line) from None
    return _with_offset(key, moment, line)


def _with_offset(key: str, moment: datetime, line: int | None) -> datetime:
    if moment.tzinfo is None:
        example = moment.replace(tzinfo=UTC).isoformat()
        raise NotARelease(f"{key} needs its hour and offset from UTC, or the release could leave hours early: write {key}: {example}", line)
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        raise NotARelease(f"{key} lies outside the calendar: {moment.isoformat()}.", line) from None
