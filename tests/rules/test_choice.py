"""Which release is meant by a mail that what was learned has heard: the newest, the one that it names, or a person decides."""

import pytest

from mailbot.inbox.choice import Doubt, choose
from mailbot.inbox.intent import Reading
from mailbot.releases.search import names_lacking
from tests.samples.littoral import INDEX, NOW, RELEASES

NEWEST = "telephone-vert"


def chosen(whole: str, leaning: float, topic: str = "", *, recent: bool = False, marked: bool = False, words: int = 30) -> str:
    """The release that is sent; or why none is."""
    reading = Reading(topic=topic, recent=recent, marked=marked, words=words, whole=whole, leaning=leaning)
    found = choose(reading, RELEASES, INDEX, frozenset(), NOW)
    if isinstance(found, Doubt):
        return found
    return found.doubt or found.release.id


@pytest.mark.parametrize("whole", ["Celui de Marovoay, merci.", "The one on Marovoay."])
def test_who_means_a_certain_one_gets_the_only_one_that_he_names_without_any_word_for_a_release(whole: str) -> None:
    assert chosen(whole, 1.0) == "riziculture-salinite"
    assert chosen(whole, 0.5) in set(Doubt), "he may as well mean the newest"


@pytest.mark.parametrize("besides", [" et de Kafountine", " et d'Ambovombe", ", n° 12 450"])
def test_a_name_or_a_number_that_it_lacks_keeps_a_release_back(besides: str) -> None:
    assert chosen(f"Celui de Marovoay{besides}.", 1.0) in set(Doubt)


def test_a_name_in_a_signature_keeps_nothing_back() -> None:
    assert chosen("Celui de Marovoay, merci.\nAwa Kafountine", 1.0) == "riziculture-salinite"


@pytest.mark.parametrize("topic", ["whichever Luke", "par exemple"])
def test_who_leans_far_towards_the_newest_gets_it_whatever_stands_beside_it(topic: str) -> None:
    assert chosen("Your latest release.", -1.2, topic.lower(), recent=True, marked=True, words=12) == NEWEST


@pytest.mark.parametrize("name", ["Kafountine", "Fort-Kafountine"])
def test_a_name_that_nobody_knows_may_be_a_topic_and_is_a_persons(name: str) -> None:
    assert chosen(f"Your latest on {name}.", -1.2, name, recent=True, marked=True, words=12) in set(Doubt)


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("The shipwreck off Casamance, and Mahajanga", {"Casamance"}),
        ("Casamance, please.", set()),
        ("the drone release please\nAwa Casamance", set()),
        ("nothing with a capital", set()),
        ("", set()),
    ],
    ids=["inside a sentence", "opening one", "a signature", "small letters", "nothing"],
)
def test_names_that_no_release_has_are_told(text: str, names: set[str]) -> None:
    assert names_lacking(INDEX, text) == names


def test_names_that_another_release_has_are_told_of_one() -> None:
    assert names_lacking(INDEX, "the one on Marovoay and Ambovombe", "riziculture-salinite") == {"Ambovombe"}


