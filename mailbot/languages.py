"""Languages as folders: everything that knows a language is read here, once, and handed on as plain mappings.

A language is a folder `config/languages/<code>/` with one YAML file a section. An office may have folders of its own:
later folders win key by key. A list is replaced by the later one; a key written `+key` adds to the list instead, so
that an office can add the names of its programmes without copying ours.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

SECTIONS = ("words", "wishes", "replies", "dates", "mail", "releases", "typography")
REQUIRED = {
    "words": ("name", "function_words"),
    "wishes": ("release", "recent", "ask", "wishes"),
    "replies": ("text", "pdf", "photos", "photo", "contact", "stop", "help", "yes", "no", "later", "back"),
}
_PACKAGE = Path(__file__).parent


class LanguageFault(Exception):
    """A language folder cannot be used. The message names the file and the key."""


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
    learned: Mapping[str, Any] = field(default_factory=dict)  # of learned.json, which no person writes (inbox/learned.py)


class _Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]  # in C where PyYAML has it: ten times as fast
    """YAML as people write words: `on`, `no`, `oui` and dates are text; only true and false are not."""


_Loader.yaml_implicit_resolvers = {
    first: [
        (tag, form)
        for tag, form in resolvers
        if tag != "tag:yaml.org,2002:timestamp" and (tag != "tag:yaml.org,2002:bool" or first in "tTfF")
    ]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def shipped() -> Path:
    """The folder that comes with mailbot: inside the wheel, or beside the package in a checkout."""
    inside = _PACKAGE / "_shipped" / "config" / "languages"
    return inside if inside.is_dir() else _PACKAGE.parent / "config" / "languages"


def load(folders: Sequence[Path]) -> dict[str, Language]:
    """Every language found under the folders, by code; a folder that does not exist adds nothing."""
    found: dict[str, dict[str, dict[str, Any]]] = {}
    for folder in folders:
        for path in sorted(folder.glob("*/*.yaml")):
            if path.stem not in SECTIONS:
                raise LanguageFault(f"{path}: no such section; the files of a language are {', '.join(f'{s}.yaml' for s in SECTIONS)}")
            sections = found.setdefault(path.parent.name, {})
            sections[path.stem] = _merged(sections.get(path.stem, {}), _read(path), path, "")
        for path in sorted(folder.glob("*/learned.json")):
            found.setdefault(path.parent.name, {})["learned"] = _learned(path)
    return {code: _language(code, sections) for code, sections in sorted(found.items())}


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


def _read(path: Path) -> dict[str, Any]:
    try:
        with path.open(encoding="utf-8") as file:
            content = yaml.load(file, Loader=_Loader)  # noqa: S506 - a SafeLoader that knows fewer words
    except (OSError, UnicodeDecodeError) as unreadable:
        raise LanguageFault(f"{path}: cannot be read: {unreadable}") from unreadable
    except yaml.YAMLError as wrong:
        mark = getattr(wrong, "problem_mark", None)
        line = f" line {mark.line + 1}" if mark else ""
        raise LanguageFault(f"{path}{line}: is not YAML: {getattr(wrong, 'problem', wrong)}") from wrong
    if content is None:
        return {}
    if not isinstance(content, dict):
        raise LanguageFault(f"{path}: must hold keys and values, not a {type(content).__name__}")
    _CHECKS.get(path.stem, _nothing)(path, content)
    return content


def _learned(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_bytes())
        if {len(row) for row in (content["bias"], *content["features"].values())} != {len(content["kinds"])}:
            raise ValueError("a row has not one number a kind")
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as unreadable:
        raise LanguageFault(f"{path}: cannot be used: {unreadable}") from unreadable
    return dict(content)


def _merged(old: Mapping[str, Any], new: Mapping[str, Any], path: Path, under: str) -> dict[str, Any]:
    merged = dict(old)
    for written, value in new.items():
        key = str(written).removeprefix("+")
        before = merged.get(key)
        where = f"{path}: {under}{written}"
        if str(written).startswith("+"):
            if not isinstance(value, list) or not isinstance(before, list | None):
                raise LanguageFault(f"{where}: only a list can be added to")
            merged[key] = [*(before or ()), *(item for item in value if item not in (before or ()))]
        elif isinstance(value, dict) and isinstance(before, dict | None):
            merged[key] = _merged(before or {}, value, path, f"{under}{key}.")
        elif before is not None and isinstance(value, dict | list) != isinstance(before, dict | list):
            raise LanguageFault(f"{where}: was {'a list or mapping' if isinstance(before, dict | list) else 'one value'} before")
        else:
            merged[key] = value
    return merged


def _check_words(path: Path, content: Mapping[str, Any]) -> None:
    for key, value in content.items():
        if key in ("name", "stemmer"):
            if not isinstance(value, str):
                raise LanguageFault(f"{path}: {key}: must be one word")
        elif key == "order":
            if not isinstance(value, int):
                raise LanguageFault(f"{path}: {key}: must be a number")
        else:
            _check_list(path, key, value)


def _check_wishes(path: Path, content: Mapping[str, Any]) -> None:
    for where, value in _leaves(content, ""):
        _check_list(path, where, value)


def _check_list(path: Path, key: str, value: Any) -> None:
    if not isinstance(value, list):
        raise LanguageFault(f"{path}: {key}: must be a list")
    for number, item in enumerate(value, 1):
        if not isinstance(item, str) or not item.strip():
            raise LanguageFault(f"{path}: {key}: entry {number} is {item!r}; write words, in quotation marks where YAML asks for them")


def _leaves(content: Mapping[str, Any], under: str) -> Iterator[tuple[str, Any]]:
    for key, value in content.items():
        if isinstance(value, dict):
            yield from _leaves(value, f"{under}{key}.")
        else:
            yield f"{under}{key}", value


def _nothing(path: Path, content: Mapping[str, Any]) -> None:
    """The other sections are checked by those who use them."""


_CHECKS: Mapping[str, Callable[[Path, Mapping[str, Any]], None]] = {
    "words": _check_words, "wishes": _check_wishes, "replies": _check_wishes,
}  # fmt: skip
