"""What a person says beside the file: whose draft it takes the place of, its language, its embargo. A Word file cannot say these itself.

An embargo and topics that were given before stay where the new file has no place for them: a text that is written anew must not leave
early because nobody repeated the hour.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from mailbot.releases.anatomy import Found
from mailbot.releases.markdown import MAX_SLUG, NotARelease, Page
from mailbot.releases.release import Edition, Release


@dataclass(frozen=True, slots=True)
class Wish:
    """Empty: nothing was said."""

    language: str = ""  # of files that do not name theirs
    release: str = ""  # any slug of the release of which the file becomes an edition
    embargo: datetime | None = None
    lifts_embargo: bool = False
    accept_changes: bool = False


def placed(page: Page, found: Found | None, wish: Wish, known: Sequence[Release]) -> Page:
    """The page as the edition that it is meant to be. Without `found` it has front matter, and says itself all that can be said.

    Raises NotARelease where it cannot be that edition."""
    complete = found is None
    stored = {edition.slug: edition for release in known for edition in release.editions}
    before = None if complete else stored.get(page.slug)
    if wish.release:
        page, before = _as_edition_of(page, wish, stored)
    if before is not None and not complete:
        original = "" if before.slug == before.release else before.release
        page = replace(page, translation_of=original, topics=before.topics, embargo=before.embargo)
    if wish.embargo is not None or wish.lifts_embargo:
        page = replace(page, embargo=wish.embargo)
    elif found and found.embargo_line and page.embargo is None:
        raise NotARelease(
            f"The text says that it is under embargo (“{found.embargo_line[:80]}”), which is not read from words. Give the instant: "
            "--embargo 2025-01-01T08:00:00+00:00; or --embargo none"
        )
    return page


def _as_edition_of(page: Page, wish: Wish, stored: Mapping[str, Edition]) -> tuple[Page, Edition | None]:
    """Under the slug of the edition in its language; where there is none yet, as a new one of that release."""
    if wish.release not in stored:
        raise NotARelease(f"There is no release {wish.release!r} whose draft it could replace. `mailbot release list` shows the slugs.")
    if wish.language and page.language != wish.language:
        raise NotARelease(f"The file says that its language is {page.language}, and --language says {wish.language}. Correct one of them.")
    release = stored[wish.release].release
    before = next((one for one in stored.values() if one.release == release and one.language == page.language), None)
    if before is not None:
        return replace(page, slug=before.slug, translation_of="" if before.slug == release else release), before
    slug = page.slug if page.slug not in stored else f"{release[: MAX_SLUG - 1 - len(page.language)]}-{page.language}"
    return replace(page, slug=slug, translation_of=release), None
