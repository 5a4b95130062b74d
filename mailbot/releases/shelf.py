"""The releases in memory, ready to be asked: read and indexed again when one has changed or an embargo has ended."""

from collections.abc import Mapping
from datetime import UTC, datetime

from mailbot.database.engine import Tx
from mailbot.languages import Language
from mailbot.releases import store
from mailbot.releases.release import Release, before_withdrawal, next_opening
from mailbot.releases.search_index import Index, build

EVER = datetime.min.replace(tzinfo=UTC)


class Shelf:
    """What refresh() last found. What is public is asked of release.py with the time at hand, not of the shelf."""

    def __init__(self, languages: Mapping[str, Language]) -> None:
        self._languages = languages
        self._version: str | None = None
        self._opens: datetime | None = None
        self.releases: dict[str, Release] = {}
        self.index: Index = build((), EVER, languages)
        self.withdrawn: dict[str, Release] = {}     # as they were before: to tell that they are asked for
        self.index_before: Index = self.index       # with those among the others; the same where there are none

    def refresh(self, tx: Tx, now: datetime) -> None:
        """Cheap while nothing has changed."""
        version = store.version(tx)
        if version == self._version and (self._opens is None or now < self._opens):
            return
        found = store.load_all(tx)
        self.releases = {release.id: release for release in found}
        self.index = build(found, now, self._languages, before=self.index)
        self.withdrawn = {release.id: before for release in found if (before := before_withdrawal(release))}
        everything = self.releases | self.withdrawn
        self.index_before = build(everything.values(), now, self._languages, before=self.index) if self.withdrawn else self.index
        self._version, self._opens = version, next_opening(found, now)
