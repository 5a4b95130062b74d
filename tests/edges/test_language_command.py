"""`mailbot language check`: what a folder lacks and what is wrong with it, so that a new language needs nobody who knows the code."""

import shutil
from pathlib import Path

import pytest

from tests.edges.commands import Commands

SPANISH = Path(__file__).parents[1] / "samples" / "espanol"


@pytest.fixture
def own(tmp_path: Path) -> Path:
    """An office whose folders hold Spanish, to be spoilt."""
    shutil.copytree(SPANISH, tmp_path / "own")
    (tmp_path / "config").mkdir()
    folders = f'[folders]\nlanguages = "{tmp_path / "own" / "languages"}"\ntemplates = "{tmp_path / "own" / "templates"}"\n'
    (tmp_path / "config" / "mailbot.toml").write_text(folders)
    return tmp_path / "own"


@pytest.mark.parametrize("code", ["fr", "en", "es"])
def test_a_complete_language_is_said_to_be_complete(own: Path, tmp_path: Path, code: str) -> None:
    assert Commands(tmp_path)("language", "check", code, "--json").json() == {"language": code, "complete": True, "lacks": [], "faults": []}
    assert Commands(tmp_path)("language", "check", code).out == f"{code} is complete.\n"


def test_what_a_folder_lacks_is_listed_and_it_is_not_complete(own: Path, tmp_path: Path) -> None:
    (own / "languages" / "es" / "dates.yaml").unlink()
    (own / "templates" / "es" / "answer.html.j2").unlink()
    for path, line in ((own / "languages" / "es" / "replies.yaml", "pdf:"), (own / "templates" / "es" / "reasons.yaml", "legal:")):
        path.write_text("".join(kept for kept in path.read_text().splitlines(True) if not kept.startswith(line)))
    said = Commands(tmp_path)("language", "check", "es", "--json")
    assert said.code == 1
    (found,) = said.lines()
    assert found == {
        "language": "es", "complete": False, "faults": [],
        "lacks": ["es/replies.yaml: pdf", "es/dates.yaml", "templates/es/reasons.yaml: legal", "templates/es/answer.html.j2"],
    }  # fmt: skip


WEB = (SPANISH / "templates" / "es" / "web.yaml").read_text()
SPOILT = {
    "a-word-for-a-list": ("languages/es/wishes.yaml", "release: comunicado\n", "wishes.yaml line 1: release: must be a list"),
    "broken-yaml": ("languages/es/words.yaml", "name: a\nfunction_words: [a\n", "words.yaml line 3: is not YAML"),
    "an-unknown-value": ("templates/es/notice.txt.j2", "a\n{{ titel }}\n", "notice.txt.j2, line 2: 'titel' is not a value"),
    "a-broken-template": ("templates/es/digest.txt.j2", "a\nb\n{% if %}\n", "digest.txt.j2, line 3"),
    "unknown-words-in-a-page": ("templates/es/web.yaml", WEB.replace("{office}", "{oficina}"), "es/web.yaml: foot: knows {name}, {office}"),
    "broken-words-of-the-pages": ("templates/es/web.yaml", "foot: [a\n", "web.yaml: cannot be read"),
    "broken-reasons": ("templates/es/reasons.yaml", "legal: [a\n", "reasons.yaml: cannot be read"),
    "a-broken-typography": ("languages/es/typography.yaml", "direction: up\n", "es/typography.yaml: months: must be a list"),
}


@pytest.mark.parametrize(("name", "text", "told"), SPOILT.values(), ids=SPOILT)
def test_what_is_wrong_is_named_with_its_file_and_line(own: Path, tmp_path: Path, name: str, text: str, told: str) -> None:
    (own / name).write_text(text)
    said = Commands(tmp_path)("language", "check", "es")
    assert said.code == 1
    assert told in said.out


@pytest.mark.parametrize(
    ("without", "lacks"), [("", "templates/es/web.yaml"), ("foot:", "templates/es/web.yaml: foot")], ids=["file", "line"]
)
def test_the_words_of_the_public_pages_are_a_part_of_a_language(own: Path, tmp_path: Path, without: str, lacks: str) -> None:
    path = own / "templates" / "es" / "web.yaml"
    path.write_text("".join(line for line in WEB.splitlines(True) if not line.startswith(without)))
    said = Commands(tmp_path)("language", "check", "es", "--json")
    (found,) = said.lines()
    assert (said.code, found["lacks"], found["faults"]) == (1, [lacks], [])


def test_a_language_without_a_folder_is_told_how_to_begin(own: Path, tmp_path: Path) -> None:
    said = Commands(tmp_path)("language", "check", "pt")
    assert (said.code, "pt lacks a folder: copy" in said.out) == (1, True)


@pytest.mark.parametrize("code", ["../es", "/es", "", "español"])
def test_what_is_no_code_is_wrong_usage(own: Path, tmp_path: Path, code: str) -> None:
    assert Commands(tmp_path)("language", "check", code).code == 2
