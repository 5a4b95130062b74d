"""`mailbot release attach`, `photos`, `detach`, and `photos:` in a release file, as a person and a program use them."""

import json
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from tests.edges.commands import Commands
from tests.samples.pictures import photo

LAKE = '---\nslug: lac\nlanguage: fr\ntitle: "Le lac"\ndate: 2026-01-01\n{more}---\nLe lac est plein.\n'
ENGLISH = '---\nslug: lake\nlanguage: en\ntitle: "The lake"\ndate: 2026-01-01\ntranslation_of: lac\n{more}---\nThe lake is full.\n'

pytestmark = pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)


@pytest.fixture
def run(database_url: str, tmp_path: Path) -> Commands:
    commands = Commands(tmp_path)
    commands.configure(database_url)
    (tmp_path / "in" / "photos").mkdir(parents=True)
    (tmp_path / "in" / "photos" / "a.jpg").write_bytes(photo(1))
    (tmp_path / "b.jpg").write_bytes(photo(2, 4000, 1000))
    (tmp_path / "in" / "lac.md").write_text(LAKE.format(more=""))
    assert commands("release", "import", "in", "--publish").code == 0
    return commands


def known(run: Commands, slug: str = "lac") -> list[dict[str, Any]]:
    return run("release", "photos", slug, "--json").lines()


def test_a_photo_is_attached_shown_changed_and_removed(run: Commands) -> None:
    first = run("release", "attach", "lac", "b.jpg", "--caption", "Le lac\nvert", "--credit", "Awa", "--consent-until", "2099-06-30")
    assert first.out == "lac: photo 1 added (3000 × 750, 0.1 MB, made from 4000 × 1000)\n"
    again = run("release", "attach", "lac", "b.jpg", "--caption", "The lake", "--language", "EN", "--json").json()
    assert (again["result"], again["captions"], again["credit"]) == ("updated", {"fr": "Le lac vert", "en": "The lake"}, "Awa")
    (facts,) = known(run)
    assert (facts["number"], facts["width"], facts["height"], facts["consent_until"], facts["shown"]) == (1, 3000, 750, "2099-06-30", True)
    line = "photo 1: 3000 × 750, 0.1 MB, until 2099-06-30, Awa: Le lac vert"
    assert run("release", "photos", "lac").out == f"{line}\n"
    assert f"\n# {line}\n---\n" in run("release", "show", "lac").out
    assert run("release", "show", "lac", "--json").json()["photos"] == [facts]
    assert run("release", "detach", "lac", "1").code == 2  # what is deleted is gone: nobody was asked, and nobody said --yes
    assert run("release", "detach", "lac", "1", "--dry-run").out == "lac: photo 1 would be removed\n"
    assert run("release", "detach", "lac", "2", "--dry-run").code == 1
    assert known(run) == [facts]
    assert run("release", "detach", "lac", "1", "--yes").out == "lac: photo 1 removed\n"
    assert known(run) == []


def test_a_consent_that_has_ended_is_said_to_be_so_and_can_be_given_anew(run: Commands) -> None:
    over = run("release", "attach", "lac", "b.jpg", "--consent-until", "2020-01-01")
    assert "its consent has ended: it is shown to nobody" in over.out
    assert "WITHDRAWN, consent ended 2020-01-01" in run("release", "photos", "lac").out
    assert run("release", "photos", "lac", "--sheet", "sheet.jpg").err == "mailbot: lac has no photo that may be shown.\n"
    run("release", "attach", "lac", "b.jpg", "--consent-until", "never")
    assert known(run)[0]["consent_until"] is None
    assert run("release", "photos", "lac", "--sheet", "sheet.jpg").code == 0
    with Image.open(run.folder / "sheet.jpg") as sheet:
        assert sheet.format == "JPEG"
    assert run("release", "photos", "lac", "--sheet", "sheet.jpg").code == 1  # what is there is not written over


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("lac", "in/lac.md"), "The file is no picture."),
        (("lac", "none.jpg"), "none.jpg cannot be read: No such file or directory."),
        (("mer", "b.jpg"), "There is no release 'mer'."),
        (("lac", "b.jpg", "--consent-until", "juin"), "--consent-until takes a day such as 2027-06-30"),
        (("lac", "b.jpg", "--credit", "x" * 200), "The credit has 200 characters"),
    ],
)
def test_what_cannot_be_attached_is_refused_in_a_sentence_and_changes_nothing(run: Commands, words: tuple[str, ...], said: str) -> None:
    refused = run("release", "attach", *words)
    assert (refused.code, refused.out) == (1, "")
    assert refused.err.startswith(f"mailbot: {said}")
    assert known(run) == []


def test_a_photo_comes_by_standard_input_too(run: Commands) -> None:
    assert run("release", "attach", "lac", "-", given=photo(3)).code == 0
    assert run("release", "detach", "lac", "2", "--yes").err.startswith("mailbot: lac has no photo 2. `mailbot release photos lac` shows")


def test_a_release_file_brings_its_photos_with_a_caption_in_each_language_and_twice_is_once(run: Commands) -> None:
    french = 'photos:\n  - file: photos/a.jpg\n    caption: "Le lac"\n    credit: "Awa"\n    consent_until: 2099-06-30\n'
    (run.folder / "in" / "lac.md").write_text(LAKE.format(more=french))
    (run.folder / "in" / "lake.md").write_text(ENGLISH.format(more="photos: [{file: photos/a.jpg, caption: The lake}]\n"))
    tried = run("release", "import", "in", "--dry-run").out
    assert "lac: photo 1 (photos/a.jpg) would be added" in tried
    assert known(run) == []
    done = run("release", "import", "in", "--json").json()
    assert [(one["number"], one["result"]) for one in done["photos"]] == [(1, "added"), (1, "updated")]
    (facts,) = known(run, "lake")
    assert (facts["captions"], facts["credit"], facts["consent_until"]) == ({"fr": "Le lac", "en": "The lake"}, "Awa", "2099-06-30")
    assert {one["result"] for one in run("release", "import", "in", "--json").json()["photos"]} == {"unchanged"}


@pytest.mark.parametrize(
    ("file", "said"),
    [
        ("../b.jpg", "a photo lies beside its release file or in a folder below it"),
        ("photos/none.jpg", "cannot be read: No such file or directory"),
        ("lac.md", "The file is no picture."),
    ],
)
def test_a_photo_that_cannot_be_taken_keeps_the_whole_set_out(run: Commands, file: str, said: str) -> None:
    (run.folder / "in" / "lac.md").write_text(LAKE.format(more=f"place: Nouveau\nphotos:\n  - photos/a.jpg\n  - {file}\n"))
    refused = run("release", "import", "in", "--json")
    assert refused.code == 1
    (problem,) = json.loads(refused.out)["problems"]
    assert (problem["line"], said in problem["message"]) == (9, True)
    assert known(run) == []
    assert run("release", "show", "lac", "--json").json()["editions"][0]["place"] == ""
