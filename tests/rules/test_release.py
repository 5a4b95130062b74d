"""What is public, and since when: decided in one place, to the second, for every state and every edition."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta, timezone
from itertools import product

import pytest

from mailbot.releases.release import (
    Edition,
    Release,
    State,
    edition_for,
    is_public,
    latest,
    newest_first,
    next_opening,
    public_editions,
    public_from,
    released_at,
    stale,
)  # fmt: skip

T = datetime(2025, 1, 1, 8, tzinfo=UTC)
SECOND = timedelta(seconds=1)


def edition(slug: str = "a", **more: object) -> Edition:
    values: dict[str, object] = {
        "release": slug, "language": "fr", "title": "Titre", "body": "Texte.", "date": date(2024, 12, 1), "state": State.PUBLISHED, **more,
    }  # fmt: skip
    return Edition(slug=slug, **values)  # type: ignore[arg-type]


def pair(**english: object) -> Release:
    return Release("a", (edition("a"), edition("a-en", release="a", language="en", **english)))


@pytest.mark.parametrize(("moment", "public"), [(T - SECOND, False), (T, True), (T + SECOND, True)], ids=["before", "at", "after"])
def test_an_embargo_ends_at_its_instant(moment: datetime, public: bool) -> None:
    assert is_public(Release("a", (edition(embargo=T),)), moment) is public


@pytest.mark.parametrize("hours", [-11, -3.5, 0, 5.75, 14])
def test_the_offset_of_an_embargo_does_not_move_its_instant(hours: float) -> None:
    written = T.astimezone(timezone(timedelta(hours=hours)))
    release = Release("a", (edition(embargo=written),))
    assert not is_public(release, T - SECOND)
    assert is_public(release, T)
    assert is_public(release, T.astimezone(timezone(timedelta(hours=-hours / 2))))


@pytest.mark.parametrize("state", [State.DRAFT, State.WITHDRAWN])
@pytest.mark.parametrize("embargo", [None, T])
def test_drafts_and_withdrawn_editions_are_never_public(state: State, embargo: datetime | None) -> None:
    release = Release("a", (edition(state=state, embargo=embargo),))
    assert public_editions(release, T + timedelta(days=9000)) == ()
    assert edition_for(release, ["fr"], T) is None
    assert latest([release], T) is None


def test_the_latest_embargo_of_any_edition_covers_the_release_whatever_their_states() -> None:
    for states in product(State, repeat=2):
        release = Release("a", (edition(state=states[0]), edition("a-en", release="a", language="en", state=states[1], embargo=T)))
        assert public_from(release) == T
        assert public_editions(release, T - SECOND) == ()
        assert len(public_editions(release, T)) == states.count(State.PUBLISHED)


def test_an_edition_dated_by_an_instant_is_under_embargo_until_it() -> None:
    release = Release("a", (edition(date=T),))
    assert (is_public(release, T - SECOND), is_public(release, T)) == (False, True)


def test_an_embargo_of_its_own_comes_before_the_instant_of_the_date() -> None:
    assert public_from(Release("a", (edition(date=T, embargo=T + SECOND),))) == T + SECOND


def test_a_day_ahead_is_no_embargo() -> None:
    assert is_public(Release("a", (edition(date=date(2030, 1, 1)),)), T)


@pytest.mark.parametrize("field", ["embargo", "date"])
def test_a_time_without_an_offset_is_refused_at_construction(field: str) -> None:
    with pytest.raises(ValueError, match="offset"):
        edition(**{field: datetime(2025, 1, 1, 8)})  # noqa: DTZ001


@pytest.mark.parametrize("embargo", [None, T])
def test_a_now_without_an_offset_is_refused(embargo: datetime | None) -> None:
    with pytest.raises(ValueError, match="offset"):
        is_public(Release("a", (edition(embargo=embargo),)), datetime(2025, 1, 1, 8))  # noqa: DTZ001


@pytest.mark.parametrize(
    ("wanted", "slug"),
    [(["en"], "a-en"), (["fr"], "a"), (["de", "en"], "a-en"), (["de"], "a"), ([], "a"), (["en", "fr"], "a-en")],
)
def test_the_wanted_language_comes_first_then_the_fallbacks_then_the_original(wanted: list[str], slug: str) -> None:
    found = edition_for(pair(), wanted, T)
    assert found is not None
    assert found.slug == slug


def test_a_draft_translation_gives_way_to_the_public_original() -> None:
    found = edition_for(pair(state=State.DRAFT), ["en"], T)
    assert found is not None
    assert found.slug == "a"


def test_the_latest_is_the_newest_public_one_not_the_newest() -> None:
    old = Release("old", (edition("old", date=date(2024, 11, 1)),))
    new = Release("new", (edition("new", date=date(2024, 12, 24), embargo=T),))
    assert latest([old, new], T - SECOND) == old
    assert latest([old, new], T) == new


def test_a_release_is_as_new_as_the_end_of_its_embargo() -> None:
    dated_later = Release("b", (edition("b", date=date(2024, 12, 20)),))
    opened_later = Release("a", (edition("a", date=date(2024, 12, 10), embargo=T),))
    assert released_at(opened_later, T) == T
    assert latest([dated_later, opened_later], T) == opened_later


def test_releases_of_the_same_moment_come_in_the_order_of_their_ids() -> None:
    releases = [Release(slug, (edition(slug),)) for slug in ("c", "a", "b")]
    assert [release.id for release in newest_first(releases, T)] == ["a", "b", "c"]


def test_the_next_opening_is_the_first_embargo_still_to_end() -> None:
    releases = [Release(str(days), (edition(str(days), embargo=T + timedelta(days=days)),)) for days in (3, 1, 2)]
    assert next_opening(releases, T + timedelta(days=1)) == T + timedelta(days=2)
    assert next_opening(releases, T + timedelta(days=3)) is None


@pytest.mark.parametrize(
    "change",
    [{"title": "X"}, {"body": "X"}, {"notes": "X"}, {"contact": "X"}, {"place": "X"}, {"topics": ("x",)}, {"embargo": T},
     {"language": "en"}, {"date": date(2024, 12, 2)}, {"release": "b"}],
    ids=lambda change: next(iter(change)),
)  # fmt: skip
def test_the_content_hash_changes_with_whatever_a_reader_sees(change: dict[str, object]) -> None:
    assert edition(**change).content_hash != edition().content_hash


def test_the_content_hash_does_not_change_with_the_state() -> None:
    assert edition(state=State.DRAFT).content_hash == edition().content_hash


def test_a_translation_is_stale_when_its_original_says_something_else() -> None:
    original = edition("a")
    fresh = replace(edition("a-en", language="en"), translated_from=original.text_hash)
    assert stale(Release("a", (original, fresh))) == ()
    changed = replace(original, body="Autre chose.")
    assert stale(Release("a", (changed, fresh))) == (fresh,)
    assert stale(Release("a", (replace(original, embargo=T, topics=("x",)), fresh))) == ()
    assert stale(Release("a", (fresh,))) == ()
