"""The language of a mail is that of its small words; where they are too few, the office's own."""

import pytest

from mailbot.inbox.language import detect, fold, tokens
from tests.samples.littoral import LANGUAGES


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("Bonjour, je voudrais votre dernier communiqué, s'il vous plaît.", "fr"),
        ("BONJOUR JE VEUX LE DERNIER COMMUNIQUE MERCI", "fr"),
        ("svp le dernier cp", "fr"),
        ("Avez-vous un press release récent svp", "fr"),
        ("Hello, could you please send me your latest press release?", "en"),
        ("latest press release pls", "en"),
        ("Thanks a lot!", "en"),
        ("Do you have the communiqué about the dam?", "en"),
    ],
)
def test_small_words_tell_the_language(text: str, code: str) -> None:
    assert detect(text, LANGUAGES, "en" if code == "fr" else "fr") == code


@pytest.mark.parametrize("default", ["fr", "en"])
@pytest.mark.parametrize("text", ["", "   ", "?", "ok", "12", "Radio Ravinala", "\u0645\u0631\u062d\u0628\u0627", "a" * 50_000])
def test_what_does_not_tell_is_the_offices_own_language(text: str, default: str) -> None:
    assert detect(text, LANGUAGES, default) == default


def test_as_many_words_of_two_languages_are_the_offices_own() -> None:
    assert {detect("bonjour hi", LANGUAGES, default) for default in ("fr", "en")} == {"fr", "en"}


def test_without_any_language_folder_there_is_the_default() -> None:
    assert detect("Bonjour à tous", {}, "fr") == "fr"


def test_words_are_compared_without_accents_capitals_and_apostrophes() -> None:
    assert fold("Œuvre d'ÉTÉ") == "oeuvre d'ete"
    assert tokens("L’été, aujourd’hui : porte-parole") == ["l", "ete", "aujourd", "hui", "porte", "parole"]
