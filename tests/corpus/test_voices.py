"""Mails in voices that nobody here chose: never a wrong act, and how many are exactly right. `python -m tests.corpus.figures` shows both.

The voices heard taught mailbot its words, so what it does with those tells that it learned, not that it understands; those apart
were never read. What it does with voices that it has not heard is told by the last test, which teaches it anew without some of them.
"""

from dataclasses import replace

import pytest

from tests.corpus.figures import Figures, figures
from tests.corpus.sahel import LANGUAGES, mails, office
from tests.corpus.teach import contents, examples

LEAST = {"heard": 0.0, "apart": 0.0}


@pytest.fixture(scope="module")
def found() -> dict[str, Figures]:
    return {part: figures(mails(part)) for part in LEAST}


@pytest.mark.parametrize("part", LEAST)
def test_nothing_is_ever_done_that_nobody_asked_for(found: dict[str, Figures], part: str) -> None:
    assert found[part].wrong == [], _both(found)


@pytest.mark.parametrize("part", LEAST)
def test_so_many_get_exactly_what_is_right(found: dict[str, Figures], part: str) -> None:
    assert found[part].share >= LEAST[part], _both(found)


def _both(found: dict[str, Figures]) -> str:
    return "; ".join(f"{part}: {figure}" for part, figure in found.items())
