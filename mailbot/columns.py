"""How people head the columns of a press list and what they write in them: config/columns.yaml, read once."""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import yaml

from mailbot import languages

_SIGNS = re.compile(r"[^a-z0-9\u0080-\U0010ffff]+")


@dataclass(frozen=True, slots=True)
class Columns:
    """Folded words, each with what it stands for."""

    headers: Mapping[str, str]
    media: Mapping[str, str]
    formats: Mapping[str, str]
    languages: Mapping[str, str]


@cache
def shipped() -> Columns:
    """The file that comes with mailbot."""
    given = yaml.safe_load((languages.shipped().parent / "columns.yaml").read_bytes())
    return Columns(*(_words(given[part]) for part in ("headers", "media", "formats", "languages")))


def fold(text: str) -> str:
    """Without case, accents, and whatever is neither letter nor digit."""
    plain = "".join(char for char in unicodedata.normalize("NFKD", text[:200].casefold()) if not unicodedata.combining(char))
    return _SIGNS.sub(" ", plain).strip()


def _words(given: Mapping[str, list[Any]]) -> Mapping[str, str]:
    return {fold(str(word)): name for name, words in given.items() for word in (name, *words)}
