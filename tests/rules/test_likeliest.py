"""The release that a mail is likeliest about: how well it fits, by how much no other does, and which words of the mail tell of it."""

import pytest

from mailbot.inbox.lexicon import lexicon
from mailbot.inbox.likeliest import BODY, FITS, HEADLINE, LEADS, Likeliest, likeliest
from mailbot.inbox.sentence import sentences
from mailbot.releases.search import told_by
from mailbot.releases.search_index import build
from tests.samples.littoral import INDEX, LANGUAGES, NOW, release


def found(text: str, known: frozenset[str] = frozenset()) -> Likeliest:
    return likeliest(sentences("", text, lexicon(LANGUAGES), "fr", NOW), INDEX, known, NOW)


def test_the_words_of_its_title_place_and_text_are_marked_and_no_others() -> None:
    marks = found("Bonjour, le texte sur le riz tolérant vers Marovoay, celui des paysans et du phare, merci bien.").marks
    assert marks == {"riz": HEADLINE, "tolerant": HEADLINE, "marovoay": HEADLINE, "paysans": BODY}


def test_many_words_of_one_release_fit_better_than_one_and_lead_further() -> None:
    one, many = found("Celui de Marovoay."), found("Le riz tolérant au sel à Marovoay, quatre variétés contre la salinité.")
    assert 0 < one.fit < many.fit <= len(FITS) and one.lead < many.lead <= len(LEADS)


def test_words_of_two_releases_lead_by_less_than_those_of_one() -> None:
    assert found("Marovoay, le phare de l'île aux Prunes").lead < found("le phare de l'île aux Prunes").lead


@pytest.mark.parametrize("text", ["Bonjour, merci beaucoup !", "", "zzz"])
def test_a_mail_that_names_nothing_fits_none(text: str) -> None:
    assert found(text) == Likeliest(0, 0, {})


def test_the_offices_own_words_tell_of_no_release() -> None:
    assert found("Marovoay", frozenset({"marovoay"})) == Likeliest(0, 0, {})


def test_where_there_is_no_release_nothing_is_told() -> None:
    nothing = build((), NOW, LANGUAGES)
    assert likeliest(sentences("", "Marovoay", lexicon(LANGUAGES), "fr", NOW), nothing, frozenset(), NOW) == Likeliest(0, 0, {})


def test_a_word_that_most_of_the_releases_have_tells_of_none() -> None:
    those = build([release(f"marovoay-{number}", "Marovoay", f"mot{number}") for number in range(6)], NOW, LANGUAGES)
    assert told_by(those, "marovoay-3", ["marovoay", "mot3", "mot4"]) == {"mot3": False}
