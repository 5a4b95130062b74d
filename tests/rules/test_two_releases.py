"""Who says two and names two gets both; every other mail is read as one that wants a single release."""

import pytest

from mailbot.inbox.intent import Reading
from mailbot.inbox.two_releases import two_named
from tests.samples.littoral import INDEX, NOW, RELEASES

RICE, SHARKS = "le riz tolérant au sel à Marovoay", "le moratoire sur les ailerons de requin"


def named(whole: str, known: frozenset[str] = frozenset()) -> list[str]:
    return [choice.release.id for choice in two_named(Reading(whole=whole), RELEASES, INDEX, known, NOW)]


@pytest.mark.parametrize(
    "whole",
    [
        f"Il me manque deux de vos textes : {RICE}, {SHARKS}.",
        f"Les deux communiqués sur {RICE} et sur {SHARKS}, merci.",
        f"2 choses svp\n- {RICE}\n- {SHARKS}",
    ],
)
def test_two_that_are_named_apart_are_both_meant(whole: str) -> None:
    assert named(whole) == ["riziculture-salinite", "requins"]


@pytest.mark.parametrize("two", ["Two of your releases, please:", "Could I have both:", "A couple of texts are missing here:"])
def test_two_is_said_in_either_language(two: str) -> None:
    assert named(f"{two} the families sheltered in Toliara and the pipeline to Ambovombe.") == ["cyclone-toliara", "eau-potable-ambovombe"]


@pytest.mark.parametrize(
    "whole",
    [
        f"Il me manque vos textes : {RICE}, {SHARKS}.",
        f"Le communiqué sur {RICE}, que demandent mes deux collègues.",
        f"Il me manque deux de vos textes : {RICE}, {SHARKS}, et celui du phare de l'île aux Prunes.",
        f"Le 12/2/2026, pour {RICE} et {SHARKS}",
        "Deux de vos textes : le premier, et le deuxième.",
        "",
    ],
    ids=["two are not said", "one is named", "three are named", "a date is no number", "none is named", "nothing"],
)
def test_without_the_word_or_with_any_other_number_of_releases_nothing_is_taken_for_two(whole: str) -> None:
    assert named(whole) == []


NEWEST = "telephone-vert"


@pytest.mark.parametrize(("leaning", "both"), [(0.0, [NEWEST, "riziculture-salinite"]), (-0.9, []), (1.5, [])])
def test_the_newest_and_a_certain_one_are_two_for_who_says_so_and_leans_to_neither(leaning: float, both: list[str]) -> None:
    def those(whole: str, recent: bool) -> list[str]:
        found = two_named(Reading(whole=whole, recent=recent, leaning=leaning), RELEASES, INDEX, frozenset(), NOW)
        return [choice.release.id for choice in found]

    assert those(f"Deux choses : votre dernier communiqué, et {RICE}.", recent=True) == both
    assert those(f"Deux choses : votre communiqué, et {RICE}.", recent=False) == [], "no newest one is spoken of"
    assert those(f"Votre dernier communiqué, et {RICE}.", recent=True) == [], "two are not said"


def test_the_newest_by_its_name_is_not_sent_twice() -> None:
    twice = Reading(whole="Deux choses : votre dernier communiqué, et le téléphone vert.", recent=True, leaning=0.0)
    assert two_named(twice, RELEASES, INDEX, frozenset(), NOW) == ()


def test_the_offices_own_words_name_no_release() -> None:
    whole = f"Deux textes : {RICE}, et la coopérative d'huîtres"
    assert named(whole) == ["riziculture-salinite", "femmes-huitres"]
    assert named(whole, frozenset({"cooperative", "huitres"})) == []
