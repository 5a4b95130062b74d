"""One YAML file of a language folder: what it says, whether it may say so, and the line of each key and entry, which a fault names."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

Place = tuple[str | int, ...]           # keys from the outermost in; a number is an entry of a list, from 0
Problem = tuple[Place, str]


class LanguageFault(Exception):
    """A language folder cannot be used. The message names the file, the line and the key."""


class Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]  # in C where PyYAML has it: ten times as fast
    """YAML as people write words: `on`, `no`, `oui` and dates are text; only true and false are not."""


Loader.yaml_implicit_resolvers = {
    first: [
        (tag, form)
        for tag, form in resolvers
        if tag != "tag:yaml.org,2002:timestamp" and (tag != "tag:yaml.org,2002:bool" or first in "tTfF")
    ]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


@dataclass(frozen=True, slots=True, eq=False)
class LanguageFile:
    """A file that was read: its mapping, and the nodes that know where everything stands."""

    path: Path
    content: Mapping[str, Any]
    node: yaml.Node | None

    def fault(self, place: Place, what: str) -> LanguageFault:
        """What is wrong at this place, with its line."""
        keys = ".".join(str(key) for key in place if isinstance(key, str))
        entry = "".join(f"entry {key + 1} " for key in place if isinstance(key, int))
        line = _line(self.node, place)
        return LanguageFault(f"{self.path} line {line}: " + (f"{keys}: " if keys else "") + f"{entry}{what}")


def read(path: Path) -> LanguageFile:
    """Raises LanguageFault where it is no YAML, or no mapping."""
    try:
        with path.open(encoding="utf-8") as file:
            loader = Loader(file)
            node = loader.get_single_node()
            content = loader.construct_document(node) if node is not None else {}
    except (OSError, UnicodeDecodeError) as unreadable:
        raise LanguageFault(f"{path}: cannot be read: {unreadable}") from unreadable
    except yaml.YAMLError as wrong:
        mark = getattr(wrong, "problem_mark", None)
        line = f" line {mark.line + 1}" if mark else ""
        raise LanguageFault(f"{path}{line}: is not YAML: {getattr(wrong, 'problem', wrong)}") from wrong
    if content is None:
        content = {}
    if not isinstance(content, dict):
        raise LanguageFault(f"{path} line {_line(node, ())}: must hold keys and values, not a {type(content).__name__}")
    return LanguageFile(path, content, node)


def faults(file: LanguageFile) -> list[LanguageFault]:
    """Everything that this file may not say. Sections without a check here are checked by those who use them."""
    check = _CHECKS.get(file.path.stem)
    return [file.fault(place, what) for place, what in check(file.content)] if check else []


def _line(node: yaml.Node | None, place: Place) -> int:
    """Where a place begins: its key, or its entry; the last one that is really there."""
    line = node.start_mark.line + 1 if node is not None else 1
    for key in place:
        if isinstance(node, yaml.MappingNode) and isinstance(key, str):
            found = next((pair for pair in node.value if pair[0].value == key), None)
            if found is None:
                break
            line, node = found[0].start_mark.line + 1, found[1]
        elif isinstance(node, yaml.SequenceNode) and isinstance(key, int) and key < len(node.value):
            node = node.value[key]
            line = node.start_mark.line + 1
    return line


def _words(content: Mapping[str, Any]) -> Iterator[Problem]:
    for key, value in content.items():
        if key in ("name", "stemmer"):
            if not isinstance(value, str):
                yield (key,), "must be one word"
        elif key == "order":
            if not isinstance(value, int):
                yield (key,), "must be a number"
        else:
            yield from _list((key,), value)


def _lists(content: Mapping[str, Any], under: Place = ()) -> Iterator[Problem]:
    for key, value in content.items():
        if isinstance(value, dict):
            yield from _lists(value, (*under, str(key)))
        else:
            yield from _list((*under, str(key)), value)


def _office(content: Mapping[str, Any]) -> Iterator[Problem]:
    for key, value in content.items():
        name = str(key).removeprefix("+")
        if name not in OFFICE_KEYS:
            yield (str(key),), f"is no key of office.yaml; those are {', '.join(OFFICE_KEYS)}"
        elif name == "sensitive":
            yield from _list((str(key),), value)
        elif not isinstance(value, dict):
            yield (str(key),), "must hold lines of `the form your releases use: [other spellings]`"
        else:
            for form, spellings in value.items():
                if isinstance(form, str) and form.strip(" +"):
                    yield from _list((str(key), form), spellings)
                else:
                    yield (str(key), str(form)), f"the form is {form!r}; write words, in quotation marks where YAML asks for them"


def _list(place: Place, value: Any) -> Iterator[Problem]:
    if not isinstance(value, list):
        yield place, "must be a list"
        return
    for number, item in enumerate(value):
        if not isinstance(item, str) or not item.strip():
            yield (*place, number), f"is {item!r}; write words, in quotation marks where YAML asks for them"


OFFICE_KEYS: Sequence[str] = ("names", "places", "topics", "sensitive")
_CHECKS: Mapping[str, Callable[[Mapping[str, Any]], Iterator[Problem]]] = {
    "words": _words, "wishes": _lists, "replies": _lists, "related": _lists, "subjects": _lists, "office": _office,
}  # fmt: skip
