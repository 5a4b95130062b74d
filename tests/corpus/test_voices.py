"""Mails in voices that nobody here chose: how few wrong acts there are, and how many are exactly right (`python -m tests.corpus.figures`).

The voices heard taught mailbot its words, so what it does with those tells that it learned, not that it understands; those apart
were never read. What it does with voices that it has not heard is told by the last test, which teaches it anew without some of them.
"""

import json
from collections.abc import Iterable
from dataclasses import replace

import pytest

from tests.corpus.figures import figures, pairs
from tests.corpus.offices import LANGUAGES, Mail, mails
from tests.corpus.teach import contents, examples, taught_from

LEAST = {"heard": 0.92, "apart": 0.835}
LEAST_UNHEARD = 0.78
MOST_WRONG = {"heard": 9, "apart": 6}  # of 3,990 and 2,234; what is aimed at is none
MOST_WRONG_UNHEARD = 24                # of 3,232, taught without them
MOST_LOST = {"heard": 6, "apart": 7}  # ... nor here: wishes that a person should have got and none did
LOOKED_AT, LEFT_OUT = 4, 5  # one voice heard in so many


def every(number: int, heard: Iterable[Mail]) -> set[str]:
    """One voice in so many."""
    return set(sorted({mail.voice for mail in heard})[::number])


@pytest.mark.parametrize("part", LEAST)
def test_so_many_get_exactly_what_is_right_and_next_to_nothing_is_done_that_nobody_asked_for(part: str) -> None:
    """Of those heard a part, for they are many; never shown whole by a failing test, for the mails apart are in it."""
    those = list(mails(part))
    some = every(LOOKED_AT, those) if part == "heard" else {mail.voice for mail in those}
    found = figures(mail for mail in those if mail.voice in some)
    wrong = len(found.wrong)
    assert wrong <= MOST_WRONG[part] and found.lost <= MOST_LOST[part], f"{found}\n{pairs(found.wrong)}"
    assert found.share >= LEAST[part], str(found)


def test_what_is_shipped_follows_from_what_is_here() -> None:
    assert {language.learned["from"] for language in LANGUAGES.values()} == {taught_from()}, "teach anew: python -m tests.corpus.teach"


@pytest.mark.torture
def test_what_is_shipped_is_what_was_taught() -> None:
    taught = contents(examples(mails("heard")))
    shipped = {code: {key: value for key, value in language.learned.items() if key != "from"} for code, language in LANGUAGES.items()}
    assert shipped == json.loads(json.dumps(taught)), "teach anew"


@pytest.mark.torture
def test_voices_that_it_was_not_taught_do_no_harm_and_many_are_understood() -> None:
    heard = list(mails("heard"))
    left_out = every(LEFT_OUT, heard)
    taught = contents(examples(mail for mail in heard if mail.voice not in left_out))
    anew = {code: replace(language, learned=taught[code]) for code, language in LANGUAGES.items()}
    unheard = figures((mail for mail in heard if mail.voice in left_out), anew)
    wrong = len(unheard.wrong)
    assert wrong <= MOST_WRONG_UNHEARD, f"{unheard}\n{pairs(unheard.wrong)}"
    assert unheard.share >= LEAST_UNHEARD, str(unheard)
