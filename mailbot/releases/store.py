"""The table of editions. Each function runs in one transaction and gives the nouns of release.py, with the photos of photo_store.py."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any, Literal

import sqlalchemy as sa

from mailbot.database.engine import Tx
from mailbot.database.tables import edition as table
from mailbot.releases import photo_store
from mailbot.releases.photo import Photo
from mailbot.releases.release import Edition, Release, State, stale
from mailbot.releases.sign_off_store import require_signed

_NEWEST = sa.select(sa.func.max(table.c.changed_at))
_NEWEST_OF_ALL = sa.select(_NEWEST.scalar_subquery(), photo_store.NEWEST.scalar_subquery())
Saved = Literal["added", "updated", "unchanged"]


class PublishedEditionChanged(Exception):
    """The edition is published: people may have it. Use `mailbot release correct` for a correction."""

    def __init__(self, slug: str) -> None:
        super().__init__(
            f"{slug} is published, and the file differs from it. A published text changes by `mailbot release correct {slug}` only, "
            f"so that everybody who got it gets the correction; or take it back: `mailbot release withdraw {slug}`."
        )


class EditionTaken(Exception):
    """The slug, or the language of that release, belongs to another edition."""


class StaleTranslation(Exception):
    """The original has changed since this translation was made; nobody has said yet that it still says the same."""

    def __init__(self, release: str, slugs: Iterable[str]) -> None:
        named = ", ".join(slugs)
        super().__init__(
            f"{release} has changed since its translation was made: {named}. Import the new translation; or, if the old one still says the "
            f"same: mailbot release confirm {named.partition(',')[0]}"
        )


class NoTranslation(Exception):
    """The edition is an original."""

    def __init__(self, slug: str) -> None:
        super().__init__(f"{slug} is no translation, so there is nothing to confirm. `mailbot release list` marks what is stale.")


class NoSuchRelease(Exception):
    """No edition has this slug."""

    def __init__(self, slug: str) -> None:
        super().__init__(f"There is no release {slug!r}. `mailbot release list` shows the slugs.")


def save(tx: Tx, edition: Edition, now: datetime) -> Saved:
    """Keep the content of an edition. A new one is a draft, whatever it says; the state of a known one stays. Twice is once.

    Raises PublishedEditionChanged, EditionTaken."""
    alone(tx)
    before = tx.execute(sa.select(table).where(table.c.slug == edition.slug)).one_or_none()
    if before is None:
        taken = tx.execute(sa.select(table.c.slug).where(table.c.release == edition.release, table.c.language == edition.language)).scalar()
        if taken is not None:
            raise EditionTaken(f"The release {edition.release} has an edition in {edition.language!r} already: {taken}. Use its slug.")
        values = {**_columns(edition), "slug": edition.slug, "state": State.DRAFT, "created_at": now, "changed_at": _after_all(tx, now)}
        values["translated_from"] = _original_says(tx, edition)
        tx.execute(table.insert().values(values))
        return "added"
    if before.content_hash == edition.content_hash:
        return "unchanged"
    if before.language != edition.language:
        raise EditionTaken(f"The slug {edition.slug} belongs to an edition in {before.language!r}. Give this one its own slug.")
    if before.state == State.PUBLISHED:
        raise PublishedEditionChanged(edition.slug)
    replace_content(tx, edition, now)
    return "updated"


def replace_content(tx: Tx, edition: Edition, now: datetime) -> None:
    """The content of a known edition becomes this, its state stays. For a published one correction_store keeps what it said."""
    values = {**_columns(edition), "changed_at": _after_all(tx, now), "translated_from": _original_says(tx, edition)}
    tx.execute(table.update().where(table.c.slug == edition.slug).values(values))


def confirm(tx: Tx, slug: str, now: datetime) -> bool:
    """A person says that this translation still says what its original says now. False where nobody doubted it.

    Raises NoSuchRelease, NoTranslation."""
    found = load(tx, slug)
    if found is None:
        raise NoSuchRelease(slug)
    if slug == found.id:
        raise NoTranslation(slug)
    edition = next((one for one in stale(found) if one.slug == slug), None)
    if edition is None:
        return False
    says = {"translated_from": _original_says(tx, edition), "changed_at": _after_all(tx, now)}
    tx.execute(table.update().where(table.c.slug == slug).values(says))
    return True


def load_all(tx: Tx) -> tuple[Release, ...]:
    """Every release there is, drafts and withdrawn ones too, by id."""
    return _releases(tx.execute(sa.select(table).order_by(table.c.slug)), photo_store.by_release(tx))


def load(tx: Tx, any_slug: str) -> Release | None:
    """The whole release of which this is an edition."""
    of = sa.select(table.c.release).where(table.c.slug == any_slug).scalar_subquery()
    rows = tx.execute(sa.select(table).where(table.c.release == of).order_by(table.c.slug)).all()
    return next(iter(_releases(rows, photo_store.by_release(tx, rows[0].release))), None) if rows else None


def publish(tx: Tx, release_id: str, now: datetime, *, signatory: str) -> tuple[str, ...]:
    """Publish every edition of the release that is not; public they are from the end of the embargo on. Gives the slugs that changed.

    `signatory`: who must have signed it (releases.sign_off); "": nobody. Raises NotSigned, and StaleTranslation for the editions that
    would be published now."""
    return _become(tx, release_id, State.PUBLISHED, now, signatory)


def withdraw(tx: Tx, release_id: str, now: datetime) -> tuple[str, ...]:
    """Take the whole release back: no edition of it is public any more. Gives the slugs that changed."""
    return _become(tx, release_id, State.WITHDRAWN, now)


def version(tx: Tx) -> str:
    """A cheap mark that is another one after any change: what was worked out from the releases is good while it stays."""
    newest = tx.execute(_NEWEST_OF_ALL).one()
    return " ".join(moment.isoformat() if moment else "-" for moment in newest)


def _original_says(tx: Tx, edition: Edition) -> str:
    """The text_hash of the original of a translation; of an original, nothing."""
    if edition.slug == edition.release:
        return ""
    row = tx.execute(sa.select(table).where(table.c.slug == edition.release)).one_or_none()
    return "" if row is None else edition_of(row, State(row.state)).text_hash


def alone(tx: Tx) -> None:
    """One change after the other: a commit that came later with an earlier instant would pass version() by. SQLite has one writer."""
    if tx.dialect.name == "postgresql":
        tx.execute(sa.text("LOCK TABLE edition IN SHARE ROW EXCLUSIVE MODE"))


def _after_all(tx: Tx, now: datetime) -> datetime:
    """`now`, or just after the newest change where the clock stands or went back: version() lives by it."""
    newest = tx.execute(_NEWEST).scalar()
    return now if newest is None or now > newest else newest + timedelta(microseconds=1)


def _become(tx: Tx, release_id: str, state: State, now: datetime, signatory: str = "") -> tuple[str, ...]:
    alone(tx)
    changed = tuple(
        tx.execute(sa.select(table.c.slug).where(table.c.release == release_id, table.c.state != state).order_by(table.c.slug)).scalars()
    )
    release = load(tx, release_id)
    if release is None:
        raise NoSuchRelease(release_id)
    if not changed:
        return ()
    if state is State.PUBLISHED and (doubted := [one.slug for one in stale(release) if one.slug in changed]):
        raise StaleTranslation(release_id, doubted)
    require_signed(tx, release, signatory)
    values: dict[str, Any] = {"state": state, "changed_at": _after_all(tx, now)}
    if state is State.PUBLISHED:
        values["published_at"] = now
    tx.execute(table.update().where(table.c.slug.in_(changed)).values(**values))
    return changed


def _columns(edition: Edition) -> dict[str, Any]:
    return {
        "release": edition.release,
        "language": edition.language,
        "title": edition.title,
        "body": edition.body,
        "notes": edition.notes,
        "contact": edition.contact,
        "place": edition.place,
        "date": edition.date.isoformat(),
        "topics": list(edition.topics),
        "embargo": edition.embargo,
        "content_hash": edition.content_hash,
    }


def _releases(rows: Iterable[sa.Row[Any]], photos: Mapping[str, Sequence[Photo]]) -> tuple[Release, ...]:
    found: dict[str, list[Edition]] = defaultdict(list)
    for row in rows:
        found[row.release].append(edition_of(row, State(row.state)))
    return tuple(Release(release, tuple(found[release]), tuple(photos.get(release, ()))) for release in sorted(found))


def edition_of(row: sa.Row[Any], state: State) -> Edition:
    """The edition that a row of this table, or of one with the same columns, holds."""
    return Edition(
        slug=row.slug,
        release=row.release,
        language=row.language,
        title=row.title,
        body=row.body,
        notes=row.notes,
        contact=row.contact,
        place=row.place,
        date=date.fromisoformat(row.date) if len(row.date) == 10 else datetime.fromisoformat(row.date),
        topics=tuple(row.topics),
        embargo=row.embargo,
        state=state,
        translated_from=getattr(row, "translated_from", None) or "",
    )
