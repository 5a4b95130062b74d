"""The table of editions on both databases: twice is once, published text does not change in silence, nothing public leaks early."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from functools import partial

import pytest
import sqlalchemy as sa

from mailbot.database.engine import Database
from mailbot.database.tables import edition as table
from mailbot.releases import store
from mailbot.releases.release import Edition, Release, State, is_public, public_editions, stale

T = datetime(2025, 1, 1, 8, tzinfo=UTC)


def edition(slug: str = "a", **more: object) -> Edition:
    values: dict[str, object] = {
        "release": "a", "language": "fr", "title": "Ça rouvre", "body": "Texte «\u00a0long\u00a0».", "notes": "Notes",
        "contact": "presse@example.org", "place": "Valmarine", "date": date(2024, 12, 1), "topics": ("phare", "île"), **more,
    }  # fmt: skip
    return Edition(slug=slug, **values)  # type: ignore[arg-type]


ENGLISH = edition("a-en", language="en", title="Open again")


def save(database: Database, *editions: Edition) -> list[str]:
    return [database.write_now(store.save, one, T) for one in editions]


def load(database: Database, slug: str = "a") -> Release:
    found = database.read_now(store.load, slug)
    assert found is not None
    return found


@pytest.mark.parametrize(
    "kept",
    [
        edition(), edition(date=T), edition(date=T, embargo=T + timedelta(microseconds=1)), edition(embargo=T),
        edition(topics=(), notes="", place=""),
    ],
    ids=["day", "instant", "instant and embargo", "embargo", "bare"],
)  # fmt: skip
def test_an_edition_comes_back_as_it_was_saved(database: Database, kept: Edition) -> None:
    save(database, kept)
    assert load(database).editions == (kept,)


def test_saving_the_same_again_changes_nothing(database: Database) -> None:
    assert save(database, edition()) == ["added"]
    before = database.read_now(store.version)
    assert save(database, edition(), edition()) == ["unchanged", "unchanged"]
    assert database.read_now(store.version) == before


def test_a_new_edition_is_a_draft_whatever_it_says(database: Database) -> None:
    save(database, edition(state=State.PUBLISHED))
    assert load(database).editions[0].state is State.DRAFT
    assert not is_public(load(database), T)


def test_a_draft_may_change(database: Database) -> None:
    save(database, edition())
    assert save(database, edition(title="Autre")) == ["updated"]
    assert load(database).editions[0].title == "Autre"


def test_a_published_edition_changes_by_correction_only(database: Database) -> None:
    save(database, edition())
    database.write_now(store.publish, "a", T, signatory="")
    with pytest.raises(store.PublishedEditionChanged, match="release correct a"):
        save(database, edition(title="Autre"))
    assert save(database, edition()) == ["unchanged"]
    assert load(database).editions[0].title == "Ça rouvre"


def test_the_embargo_of_a_published_edition_cannot_be_lifted_by_an_import(database: Database) -> None:
    save(database, edition(embargo=T))
    database.write_now(store.publish, "a", T - timedelta(days=1), signatory="")
    with pytest.raises(store.PublishedEditionChanged):
        save(database, edition())
    assert not is_public(load(database), T - timedelta(seconds=1))
    assert is_public(load(database), T)


def test_any_slug_of_a_release_finds_the_whole_of_it(database: Database) -> None:
    save(database, edition(), ENGLISH, edition("b", release="b"))
    assert [one.slug for one in load(database, "a-en").editions] == ["a", "a-en"]
    assert load(database, "a-en") == load(database, "a")
    assert database.read_now(store.load, "c") is None


def test_all_releases_come_by_id(database: Database) -> None:
    save(database, edition("b", release="b"), ENGLISH, edition())
    assert [(one.id, len(one.editions)) for one in database.read_now(store.load_all)] == [("a", 2), ("b", 1)]


@pytest.mark.parametrize("taken", [edition("a", language="en"), edition("a2")], ids=["slug", "language of the release"])
def test_what_belongs_to_another_edition_is_refused(database: Database, taken: Edition) -> None:
    save(database, edition())
    with pytest.raises(store.EditionTaken):
        save(database, taken)
    assert load(database).editions == (edition(),)


def test_publishing_and_withdrawing_take_every_edition_and_twice_is_once(database: Database) -> None:
    save(database, edition(), ENGLISH)
    assert database.write_now(store.publish, "a", T, signatory="") == ("a", "a-en")
    assert database.write_now(store.publish, "a", T, signatory="") == ()
    assert len(public_editions(load(database), T)) == 2
    assert database.write_now(store.withdraw, "a", T) == ("a", "a-en")
    assert database.write_now(store.withdraw, "a", T) == ()
    assert public_editions(load(database), T) == ()


def test_a_translation_that_is_added_later_is_published_by_itself(database: Database) -> None:
    save(database, edition())
    database.write_now(store.publish, "a", T, signatory="")
    save(database, ENGLISH)
    assert [one.slug for one in public_editions(load(database), T)] == ["a"]
    assert database.write_now(store.publish, "a", T, signatory="") == ("a-en",)


def test_a_withdrawn_edition_stays_withdrawn_when_its_file_is_imported_again(database: Database) -> None:
    save(database, edition())
    database.write_now(store.withdraw, "a", T)
    assert save(database, edition(), edition(title="Autre")) == ["unchanged", "updated"]
    assert load(database).editions[0].state is State.WITHDRAWN


@pytest.mark.parametrize("change", [partial(store.publish, signatory=""), store.withdraw], ids=["publish", "withdraw"])
def test_a_release_that_there_is_not_is_named(database: Database, change: object) -> None:
    with pytest.raises(store.NoSuchRelease, match="'b'"):
        database.write_now(change, "b", T)  # type: ignore[arg-type]


def test_the_version_is_another_one_after_every_change_even_with_the_clock_set_back(database: Database) -> None:
    seen = [database.read_now(store.version)]
    for number, change in enumerate(
        [
            lambda tx, now: store.save(tx, edition(), now),
            lambda tx, now: store.save(tx, edition(title="Autre"), now),
            lambda tx, now: store.publish(tx, "a", now, signatory=""),
            lambda tx, now: store.withdraw(tx, "a", now),
        ]
    ):
        database.write_now(change, T - timedelta(hours=number))
        seen.append(database.read_now(store.version))
    assert len(set(seen)) == len(seen)


def test_a_refused_import_leaves_nothing_behind(database: Database) -> None:
    def both(tx: sa.Connection) -> None:
        store.save(tx, edition(), T)
        store.save(tx, edition("a2"), T)

    with pytest.raises(store.EditionTaken):
        database.write_now(both)
    assert database.read_now(store.load_all) == ()


def stale_slugs(database: Database) -> list[str]:
    return [one.slug for one in stale(load(database))]


def test_a_translation_is_stale_once_its_original_says_something_else(database: Database) -> None:
    save(database, edition(), ENGLISH)
    assert stale_slugs(database) == []
    save(database, edition(embargo=T))
    assert stale_slugs(database) == []
    save(database, edition(body="Autre."))
    assert stale_slugs(database) == ["a-en"]
    assert save(database, ENGLISH) == ["unchanged"]
    assert stale_slugs(database) == ["a-en"]


def test_a_stale_translation_is_not_published_and_nothing_of_its_release_is(database: Database) -> None:
    save(database, edition(), ENGLISH, edition(body="Autre."))
    with pytest.raises(store.StaleTranslation, match="mailbot release confirm a-en"):
        database.write_now(store.publish, "a", T, signatory="")
    assert {one.state for one in load(database).editions} == {State.DRAFT}


@pytest.mark.parametrize(
    "settle",
    [lambda tx: store.save(tx, replace(ENGLISH, body="Other."), T), lambda tx: store.confirm(tx, "a-en", T)],
    ids=["a new translation", "a person's word"],
)
def test_a_new_translation_or_a_persons_word_makes_it_fit_to_be_published(database: Database, settle: object) -> None:
    save(database, edition(), ENGLISH, edition(body="Autre."))
    database.write_now(settle)  # type: ignore[arg-type]
    assert stale_slugs(database) == []
    assert database.write_now(store.publish, "a", T, signatory="") == ("a", "a-en")


def test_a_published_translation_stays_published_when_its_original_changes(database: Database) -> None:
    save(database, edition(), ENGLISH)
    database.write_now(store.publish, "a", T, signatory="")
    database.write_now(lambda tx: tx.execute(sa.update(table).where(table.c.slug == "a").values(body="Autre.")))
    assert stale_slugs(database) == ["a-en"]
    assert len(public_editions(load(database), T)) == 2
    assert database.write_now(store.publish, "a", T, signatory="") == ()


def test_confirming_twice_is_once_and_what_is_no_translation_is_told(database: Database) -> None:
    save(database, edition(), ENGLISH, edition(body="Autre."))
    assert [database.write_now(store.confirm, "a-en", T) for _ in range(2)] == [True, False]
    with pytest.raises(store.NoTranslation):
        database.write_now(store.confirm, "a", T)
    with pytest.raises(store.NoSuchRelease):
        database.write_now(store.confirm, "b", T)
