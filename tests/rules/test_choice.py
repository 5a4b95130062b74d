"""Which release is meant by a mail that what was learned has heard: the newest, the one that it names, or a person decides."""

import pytest

from mailbot.inbox.choice import Doubt, bears_out, choose
from mailbot.inbox.intent import Reading
from mailbot.releases.search import names_lacking
from tests.samples.littoral import INDEX, NOW, RELEASES

NEWEST = "telephone-vert"
SALT = "sel dans les rizières, riz tolérant à Marovoay"


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


@pytest.mark.parametrize(
    "day", ["of 12 April 2019", "du 14/03/2023", "de juin 2020", "from June 2020", "de la semaine passée"],
    ids=["a day", "in figures", "un mois", "a month", "the last week"],
)
def test_a_release_is_kept_back_from_who_names_another_day_and_its_year_or_the_last_week(day: str) -> None:
    assert chosen(f"{SALT} {day}", 1.0, SALT) is Doubt.HALF_MATCH


@pytest.mark.parametrize("day", ["du 2 avril 2026", "for our issue of 12 April 2027", "de 2019", "pour lundi", "demandé hier"])
def test_about_its_day_a_day_to_come_and_a_year_alone_keep_nothing_back(day: str) -> None:
    assert chosen(f"{SALT} {day}", 1.0, SALT) == "riziculture-salinite"


@pytest.mark.parametrize(("beside", "found"), [("Ambovombe", Doubt.HALF_MATCH), ("Kafountine", "riziculture-salinite")])
def test_a_name_in_the_topic_that_another_release_has_keeps_this_one_back(beside: str, found: str) -> None:
    assert chosen(f"{SALT} comme vers {beside}", 1.0, f"{SALT} comme vers {beside}") == found, "what no release has may be the sender's own"


def test_what_is_told_of_one_release_in_a_mail_that_is_of_another_is_a_persons() -> None:
    whole = "Les rizières de Marovoay, quatre variétés de riz contre la salinité : le communiqué entier, avec le phare."
    assert chosen(whole, 0.9, "le phare", words=20) is Doubt.HALF_MATCH
    assert chosen("Le communiqué entier, avec le phare.", 0.9, "le phare", words=20) == "phare"


@pytest.mark.parametrize(
    ("whole", "found"),
    [
        ("Nos quatre variétés de riz contre la salinité à Marovoay : le communiqué qui le dit, pour mon parrain.", "riziculture-salinite"),
        ("Nos variétés de riz à Marovoay et le phare de l'île aux Prunes : le communiqué qui le dit.", Doubt.NO_MATCH),
        ("Nos variétés : le communiqué qui le dit, pour mon parrain.", Doubt.NO_MATCH),
    ],
    ids=["of one release", "of two", "of none"],
)
def test_where_what_is_told_is_nothing_a_mail_that_is_wholly_of_one_release_means_it(whole: str, found: str) -> None:
    assert chosen(whole, 0.9, "parrain", words=20) == found
    assert chosen(whole, -0.1, "parrain", words=20) in set(Doubt), "it may want the newest"


def test_a_word_that_stands_in_some_release_is_no_topic_of_who_asks_for_the_newest() -> None:
    assert chosen("Votre dernier communiqué, vers midi, en première page.", -0.6, "première page", recent=True) == NEWEST
    assert chosen(f"Votre dernier communiqué sur {SALT}", -0.6, SALT, recent=True, marked=True) is Doubt.HALF_MATCH


def test_many_words_of_one_release_bear_out_that_it_is_meant_and_a_few_do_not() -> None:
    def borne_out(whole: str, release: str = "riziculture-salinite") -> bool:
        return bears_out(Reading(whole=whole), RELEASES[release], INDEX, frozenset(), NOW)

    many = "Celui des paysans qui comparent quatre variétés de riz contre la salinité à Marovoay"
    assert borne_out(many)
    assert not borne_out(many, "phare"), "they are another's"
    assert not borne_out("Celui de Marovoay")
    assert not borne_out(f"{many}, et celui du pipeline de 97 kilomètres dans l'Androy vers Ambovombe et quarante villages"), "or of two"
    assert not borne_out("")


@pytest.mark.parametrize(
    ("words", "beside", "sent"),
    [
        ("Les paysans, quatre variétés, la salinité", "notre archive, dit-on à Ambovombe", True),
        ("Les paysans, la salinité", "notre archive, dit-on à Ambovombe", False),
        ("Les paysans, quatre variétés, la salinité", "notre archive d'Ambovombe", False),
        ("Les paysans, quatre variétés, la salinité", "notre archive du phare", False),
    ],
    ids=["many words", "a few", "a name of another", "a topic of another"],
)
def test_a_mail_with_many_words_of_one_release_means_it_though_what_is_told_beside_it_is_in_none(
    words: str, beside: str, sent: bool
) -> None:
    whole, topic = f"{words} : le communiqué pour {beside}.", beside.partition(",")[0]
    assert (chosen(whole, 0.9, topic, words=20) == "riziculture-salinite") is sent
    assert chosen(whole, -0.1, topic, words=20) in set(Doubt), "it may want the newest"


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
        ("your release of Monday, 3 March and in January", set()),
        ("", set()),
    ],
    ids=["inside a sentence", "opening one", "a signature", "small letters", "days and months", "nothing"],
)
def test_names_that_no_release_has_are_told(text: str, names: set[str]) -> None:
    assert names_lacking(INDEX, text, NOW) == names


def test_names_that_another_release_has_are_told_of_one() -> None:
    assert names_lacking(INDEX, "the one on Marovoay and Ambovombe", NOW, "riziculture-salinite") == {"Ambovombe"}


