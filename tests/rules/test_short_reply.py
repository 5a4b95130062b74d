"""One word at the start of a reply says it all; the same word inside a sentence says nothing."""

import pytest

from mailbot.inbox.short_reply import Word, offered, short_reply
from tests.samples.littoral import LANGUAGES


@pytest.mark.parametrize(
    ("text", "word", "argument"),
    [
        ("PDF", Word.PDF, ""),
        ("pdf.", Word.PDF, ""),
        ("« PDF »\n\nAwa, Radio Rurale", Word.PDF, ""),
        ("EN", Word.LANGUAGE, "en"),
        ("Français", Word.LANGUAGE, "fr"),
        ("en anglais svp", None, ""),
        ("*Texte*", Word.TEXT, ""),
        ("photos", Word.PHOTOS, ""),
        ("PHOTO 3", Word.PHOTO, "3"),
        ("photo n 3", None, ""),
        ("photo 1234", None, ""),
        ("photo", None, ""),
        ("2", Word.NUMBER, "2"),
        ("n° 2", Word.NUMBER, "2"),
        ("le 2", Word.NUMBER, "2"),
        ("No. 3", Word.NUMBER, "3"),
        ("2 personnes", None, ""),
        ("20240101", None, ""),
        ("OUI", Word.YES, ""),
        ("Oui !", Word.YES, ""),
        ("d'accord", Word.YES, ""),
        ("D’ACCORD", Word.YES, ""),
        ("Yes please", Word.YES, ""),
        ("Oui mais plus tard", None, ""),
        ("non", Word.NO, ""),
        ("PLUS TARD 15h", Word.LATER, "15h"),
        ("plus tard", Word.LATER, ""),
        ("plus tard demain 9h30", Word.LATER, "demain 9h30"),
        ("Stop", Word.STOP, ""),
        ("STOP à la violence", None, ""),
        ("aide", Word.HELP, ""),
        ("Aidez-moi", None, ""),
        ("Bonjour, PDF svp", None, ""),
        ("Bonjour\nPDF", None, ""),
        ("", None, ""),
        ("\n\n  ", None, ""),
        ("PDF " * 40, None, ""),
    ],
)
def test_a_word_counts_alone_and_first(text: str, word: Word | None, argument: str) -> None:
    found = short_reply(text, LANGUAGES)
    assert (found.word, found.argument) == (word, argument) if found else word is None


def test_what_stands_below_is_kept() -> None:
    found = short_reply("OK\nMais changez le titre.", LANGUAGES)
    assert found is not None and (found.word, found.rest, found.written) == (Word.YES, "Mais changez le titre.", "OK")


def test_each_language_offers_its_own_words() -> None:
    assert [offered(LANGUAGES["fr"], word) for word in (Word.TEXT, Word.STOP, Word.HELP)] == ["TEXTE", "STOP", "AIDE"]
    assert [offered(LANGUAGES["en"], word) for word in (Word.TEXT, Word.STOP, Word.HELP)] == ["TEXT", "STOP", "HELP"]
    assert offered(LANGUAGES["fr"], Word.LANGUAGE, "en") == "EN"


def test_every_word_offered_is_understood() -> None:
    for language in LANGUAGES.values():
        for word in set(Word) - {Word.LANGUAGE, Word.NUMBER, Word.PHOTO}:
            found = short_reply(offered(language, word), LANGUAGES)
            assert found is not None and found.word is word
