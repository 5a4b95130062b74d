"""Parity on whole releases as offices write them: silent where a translation is free and faithful, and never where a slip was seeded."""

from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import yaml

from mailbot.releases.parity import Parity
from tests.rules.test_parity import compared

SAMPLES = yaml.load(
    (Path(__file__).parents[1] / "samples" / "parity.yaml").read_bytes(), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)
)
SEEDED = [pytest.param(entry, *seed, id=f"{seed[1]} > {seed[2]}") for entry in SAMPLES for seed in entry["seeded"]]


def sampled(entry: Mapping[str, Any]) -> Parity:
    fields = {key: {code: entry[code].get(key, "") for code in ("fr", "en")} for key in ("title", "contact")}
    days = dict.fromkeys(("fr", "en"), date.fromisoformat(entry["date"]) if isinstance(entry["date"], str) else entry["date"])
    return compared(entry["fr"]["body"], entry["en"]["body"], **fields, date=days)


@pytest.mark.parametrize("entry", SAMPLES, ids=[entry["slug"] for entry in SAMPLES])
def test_a_faithful_translation_has_no_difference(entry: Mapping[str, Any]) -> None:
    assert (sampled(entry).differences, sampled(entry).points) == ((), ())


@pytest.mark.parametrize(("entry", "code", "old", "new", "kind"), SEEDED)
def test_a_slip_is_found_in_its_sentence(entry: Mapping[str, Any], code: str, old: str, new: str, kind: str) -> None:
    assert any(old in text for text in entry[code].values())
    spoilt = {**entry, code: {key: text.replace(old, new) for key, text in entry[code].items()}}
    found = [one for one in sampled(spoilt).differences if one.kind == kind]
    assert found
    assert all(one.words[language] in one.sentences[language] for one in found for language in ("fr", "en"))
