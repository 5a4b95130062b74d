"""Languages as folders: everything that knows a language is read here, once, and handed on as plain mappings.

A language is a folder `config/languages/<code>/` with one YAML file a section. An office may have folders of its own:
later folders win key by key. A list is replaced by the later one; a key written `+key` adds to the list instead, so
that an office can add the names of its programmes without copying ours.
"""

import json
from base64 import b64decode
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

from mailbot import language_file
from mailbot.language_file import LanguageFault, LanguageFile, Place

__all__ = ["FILES", "SECTIONS", "Language", "LanguageFault", "faults", "load", "missing", "shipped"]

SECTIONS = ("words", "wishes", "replies", "dates", "mail", "releases", "typography")
FILES = (*SECTIONS, "related", "subjects", "office")     # these three may be missing; the last is the office's own: its names, its topics
REQUIRED = {
    "words": ("name", "function_words"),
    "wishes": ("release", "recent", "ask", "wishes"),
    "replies": ("text", "pdf", "photos", "photo", "contact", "stop", "help", "yes", "no", "later", "back"),
}
_PACKAGE = Path(__file__).parent


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Language:
    """One language: the mapping of each of its files, empty where the folder has no such file. Read once: compared by identity."""

    code: str
    name: str
    words: Mapping[str, Any] = field(default_factory=dict)
    wishes: Mapping[str, Any] = field(default_factory=dict)
    replies: Mapping[str, Any] = field(default_factory=dict)
    dates: Mapping[str, Any] = field(default_factory=dict)
    mail: Mapping[str, Any] = field(default_factory=dict)
    releases: Mapping[str, Any] = field(default_factory=dict)
    typography: Mapping[str, Any] = field(default_factory=dict)
    related: Mapping[str, Any] = field(default_factory=dict)  # words that say nearly the same, for what was learned
    subjects: Mapping[str, Any] = field(default_factory=dict)  # words that name nearly the same subject, for the search
    office: Mapping[str, Any] = field(default_factory=dict)
    learned: Mapping[str, Any] = field(default_factory=dict)  # of learned.json, which no person writes (inbox/learned.py)


class LearnedFile(Mapping[str, Any]):
    """What a learned.json holds, read when it is first asked for: it takes some megabytes, and most processes never ask.

    Making one of the office's own reads it too, and keeps nothing of it: raises LanguageFault where it cannot be used."""

    def __init__(self, path: Path) -> None:
        self._path, self._content = path, dict[str, Any]()
        if not path.is_relative_to(shipped()):
            _learned(path)

    def _read(self) -> dict[str, Any]:
        if not self._content:
            self._content = _learned(self._path)
        return self._content

    def __getitem__(self, key: str) -> Any:
        return self._read()[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._read())

    def __len__(self) -> int:
        return len(self._read())


def shipped() -> Path:
    """The folder that comes with mailbot: inside the wheel, or beside the package in a checkout."""
    inside = _PACKAGE / "_shipped" / "config" / "languages"
    return inside if inside.is_dir() else _PACKAGE.parent / "config" / "languages"


def load(folders: Sequence[Path]) -> dict[str, Language]:
    """Every language found under the folders, by code; a folder that does not exist adds nothing. The same files are read once."""
    files = [path for folder in folders for path in sorted(folder.glob("*/*")) if path.suffix in (".yaml", ".json")]
    return dict(_load(tuple(folders), tuple((path, state.st_mtime_ns, state.st_size) for path in files for state in (path.stat(),))))


@lru_cache(maxsize=4)
def _load(folders: tuple[Path, ...], _files: tuple[tuple[Path, int, int], ...]) -> dict[str, Language]:
    found: dict[str, dict[str, Mapping[str, Any]]] = {}
    for folder in folders:
        for path in sorted(folder.glob("*/*.yaml")):
            if path.stem not in FILES:
                raise LanguageFault(f"{path}: no such section; the files of a language are {', '.join(f'{name}.yaml' for name in FILES)}")
            file = language_file.read(path)
            for fault in language_file.faults(file):
                raise fault
            sections = found.setdefault(path.parent.name, {})
            sections[path.stem] = _merged(sections.get(path.stem, {}), file.content, file, ())
        for path in sorted(folder.glob("*/learned.json")):
            found.setdefault(path.parent.name, {})["learned"] = LearnedFile(path)
    return {code: _language(code, sections) for code, sections in sorted(found.items())}


def faults(folders: Sequence[Path], code: str) -> list[LanguageFault]:
    """Everything that is wrong with the files of one language; load() stops at the first of them."""
    found: list[LanguageFault] = []
    for path in (path for folder in folders for path in sorted(folder.glob(f"{code}/*.yaml")) if path.stem in FILES):
        try:
            found += language_file.faults(language_file.read(path))
        except LanguageFault as fault:
            found.append(fault)
    return found


def missing(language: Language) -> tuple[str, ...]:
    """What the folder lacks: `dates.yaml` for a file, `wishes.yaml: ask` for a key. Empty: complete."""
    lacks: list[str] = []
    for section in SECTIONS:
        mapping = getattr(language, section)
        if not mapping:
            lacks.append(f"{section}.yaml")
        else:
            lacks += [f"{section}.yaml: {key}" for key in REQUIRED.get(section, ()) if not mapping.get(key)]
    return tuple(lacks)


def _language(code: str, sections: Mapping[str, Mapping[str, Any]]) -> Language:
    return Language(code=code, name=str(sections.get("words", {}).get("name", code)), **sections)


def _learned(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_bytes())
        columns = len(content["kinds"]) + 1
        if len(content["bias"]) != columns or {len(b64decode(row, validate=True)) for row in content["features"].values()} - {2 * columns}:
            raise ValueError("a row has not one number a kind, and its size")
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as unreadable:
        raise LanguageFault(f"{path}: cannot be used: {unreadable}") from unreadable
    return dict(content)


def _merged(old: Mapping[str, Any], new: Mapping[str, Any], file: LanguageFile, under: Place) -> dict[str, Any]:
    merged = dict(old)
    for written, value in new.items():
        key = str(written).removeprefix("+")
        before, place = merged.get(key), (*under, str(written))
        if str(written).startswith("+"):
            if not isinstance(value, list) or not isinstance(before, list | None):
                raise file.fault(place, "only a list can be added to")
            merged[key] = [*(before or ()), *(item for item in value if item not in (before or ()))]
        elif isinstance(value, dict) and isinstance(before, dict | None):
            merged[key] = _merged(before or {}, value, file, place)
        elif before is not None and _shape(value) != _shape(before):
            raise file.fault(place, f"was {_shape(before)} before")
        else:
            merged[key] = value
    return merged


def _shape(value: Any) -> str:
    return "a list" if isinstance(value, list) else "a mapping" if isinstance(value, dict) else "one value"
