"""Several files of any kind as one set, in any order: which release each edition belongs to, and every clash by name.

A set with a problem is not imported at all, so that a missing file cannot leave a release in one language only.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from mailbot.languages import Language
from mailbot.releases import anatomy, markdown, page, pasted, word
from mailbot.releases.anatomy import Found
from mailbot.releases.markdown import NotARelease, Page
from mailbot.releases.photo_lines import PhotoLine
from mailbot.releases.release import Edition, Release
from mailbot.releases.wish import Wish, placed


@dataclass(frozen=True, slots=True)
class Problem:
    """What keeps a file from being imported; `line` where one is to blame."""

    file: str
    line: int | None
    message: str

    def __str__(self) -> str:
        return f"{self.file}{f', line {self.line}' if self.line else ''}: {self.message}"


@dataclass(frozen=True, slots=True)
class Attachment:
    """A photo that a release file names, and the release and language that it is for."""

    file: str
    release: str
    language: str
    line: PhotoLine


@dataclass(frozen=True, slots=True)
class ImportSet:
    """The draft editions of a set, originals first, and the photos they name; or its problems."""

    editions: tuple[Edition, ...]
    problems: tuple[Problem, ...]
    dropped: Mapping[str, tuple[str, ...]]  # by file: the lines that are no part of the release
    photos: tuple[Attachment, ...] = ()


def read_page(file: str, data: bytes, languages: Mapping[str, Language], now: datetime, wish: Wish) -> Page | Found:
    """One file of any kind: with front matter a page, else what was found in it. `file` is its name or address. Raises NotARelease."""
    if data.startswith((b"%PDF-", b"{\\rtf")):
        raise NotARelease("A PDF or RTF file cannot be read. Import the Word file (.docx) or the page, or paste its text into a .txt file.")
    if data.startswith((word.ZIP, word.COMPOUND)) or file.lower().endswith((".docx", ".doc")):
        return word.parse(data, languages, now, wish.language, wish.accept_changes)
    address = file if file.lower().startswith(("http:", "https:")) else ""
    if address or page.is_page(file, data):
        return page.parse(data, languages, now, wish.language, address)
    text = markdown.decode(data)
    if markdown.has_front_matter(text):
        return markdown.parse(text, lambda body: wish.language or anatomy.detect_language(body, languages))
    return pasted.parse(text, languages, now, wish.language)


def import_set(
    files: Iterable[tuple[str, bytes]], languages: Mapping[str, Language], now: datetime, known: Sequence[Release] = (), wish: Wish = Wish()
) -> ImportSet:
    """Read the files (name, bytes) as one set. `known` are the releases there are; `wish` is what was said beside the files.

    The first of `languages` is the one of a text that has no word of any."""
    pages: dict[str, tuple[str, Page]] = {}
    problems: list[Problem] = []
    dropped: dict[str, tuple[str, ...]] = {}
    for file, data in files:
        try:
            read = read_page(file, data, languages, now, wish)
            found = placed(read, None, wish, known) if isinstance(read, Page) else placed(read.page, read, wish, known)
        except NotARelease as problem:
            problems.append(Problem(file, problem.line, str(problem)))
            continue
        if isinstance(read, Found) and read.dropped:
            dropped[file] = read.dropped
        if found.slug in pages:
            other = pages[found.slug][0]
            problems.append(Problem(file, None, f"has the slug {found.slug} of {other}. Give one of them another: slug: ..."))
        else:
            pages[found.slug] = (file, found)
    stored = {edition.slug: edition for release in known for edition in release.editions}
    editions: list[tuple[str, Edition]] = []
    for file, found in pages.values():
        try:
            editions.append((file, found.edition(_release_of(found, {slug: one for slug, (_, one) in pages.items()}, stored))))
        except NotARelease as problem:
            problems.append(Problem(file, None, str(problem)))
    problems += _clashes(editions, stored)
    in_order = sorted((edition for _, edition in editions), key=lambda edition: (edition.slug != edition.release, edition.slug))
    photos = tuple(Attachment(file, one.release, one.language, line) for file, one in editions for line in pages[one.slug][1].photos)
    sorted_out = tuple(sorted(problems, key=lambda one: (one.file, one.line or 0)))
    return ImportSet(() if problems else tuple(in_order), sorted_out, dropped, () if problems else photos)


def _release_of(found: Page, pages: Mapping[str, Page], stored: Mapping[str, Edition]) -> str:
    """Follow translation_of to the edition that is no translation."""
    seen = [found.slug]
    slug = found.translation_of
    while slug:
        if slug in seen:
            circle = " → ".join([*seen, slug])
            raise NotARelease(f"translation_of goes in a circle: {circle}. One of them is the original: leave the line out there.")
        seen.append(slug)
        if slug in pages:
            slug = pages[slug].translation_of
        elif slug in stored:
            return stored[slug].release
        else:
            raise NotARelease(f"translation_of names {slug}, which is neither here nor imported before. Import the original with it.")
    return seen[-1]


def _clashes(editions: Sequence[tuple[str, Edition]], stored: Mapping[str, Edition]) -> list[Problem]:
    problems = []
    places = {(edition.release, edition.language): (edition.slug, "an edition imported before") for edition in stored.values()}
    of_set = {edition.slug for _, edition in editions}
    places = {place: (slug, where) for place, (slug, where) in places.items() if slug not in of_set}
    for file, edition in editions:
        before = stored.get(edition.slug)
        place = (edition.release, edition.language)
        message = ""
        if before and before.language != edition.language:
            message = f"the slug {edition.slug} is taken by an edition in {before.language!r}. Give this one its own slug."
        elif before and before.release != edition.release:
            message = f"{edition.slug} belongs to the release {before.release}, not {edition.release}. Correct translation_of, or the slug."
        elif place in places:
            slug, where = places[place]
            message = f"the release {edition.release} has its edition in {edition.language!r} already: {slug} ({where})."
        if message:
            problems.append(Problem(file, None, message))
        else:
            places[place] = (edition.slug, file)
    return problems
