"""The laws of parity: what says the same in two languages is no difference, and a seeded slip is one, with its sentence."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

import pytest

from mailbot.languages import Language
from mailbot.releases import figures, links
from mailbot.releases.mention import sentence_at
from mailbot.releases.parity import Parity, parity
from mailbot.releases.quotation_marks import unmatched
from mailbot.releases.release import Edition, Release
from tests.samples.littoral import LANGUAGES

NUMERALS = {code: figures.numerals(LANGUAGES[code].releases["figures"], LANGUAGES[code].dates) for code in ("fr", "en")}


def release(fr: str, en: str, **more: Any) -> Release:
    found = []
    for code, body in (("fr", fr), ("en", en)):
        values: dict[str, Any] = {"date": date(2025, 10, 28), "title": "Titre", **{key: value[code] for key, value in more.items()}}
        found.append(Edition(slug=f"r-{code}", release="r-fr", language=code, body=body, **values))
    return Release("r-fr", tuple(found))


def compared(fr: str, en: str, languages: Mapping[str, Language] = LANGUAGES, **more: Any) -> Parity:
    return parity(release(fr, en, **more), languages, "press@office.example")


@pytest.mark.parametrize(
    ("code", "text", "value"),
    [
        ("fr", "14 223", "14223"), ("fr", "14\u202f223", "14223"), ("fr", "14\u00a0223,5", "14223.5"), ("fr", "14.223", "14223"),
        ("fr", "mille", "1000"), ("fr", "deux cents", "200"), ("fr", "deux cent mille", "200000"), ("fr", "1,5 million", "1500000"),
        ("fr", "quatre-vingt-dix-sept", "97"), ("fr", "soixante et onze", "71"), ("fr", "mille neuf cent quatre-vingts", "1980"),
        ("fr", "deux millions et demi", "2500000"), ("fr", "deux ans et demi", "2.5"), ("fr", "12 %", "12%"),
        ("fr", "douze pour cent", "12%"),
        ("fr", "2,3 M€", "2300000"), ("fr", "22 heures", "22:00"), ("fr", "17h30", "17:30"), ("fr", "72 heures", "72"),
        ("en", "14,223", "14223"), ("en", "a thousand", "1000"), ("en", "two hundred and one", "201"), ("en", "1.5 million", "1500000"),
        ("en", "two and a half million", "2500000"), ("en", "ninety-seven", "97"), ("en", "12%", "12%"), ("en", "twelve per cent", "12%"),
        ("en", "€2.3bn", "2300000000"), ("en", "10 p.m.", "22:00"), ("en", "12 a.m.", "0:00"), ("en", "5.30 pm", "17:30"),
        ("en", "14:00", "14:00"),
    ],
)  # fmt: skip
def test_a_figure_is_known_by_its_value(code: str, text: str, value: str) -> None:
    (found,) = figures.find(text, NUMERALS[code])
    assert value in found.needs


@pytest.mark.parametrize(
    ("code", "text"),
    [
        ("fr", "un, une, neuf"), ("fr", "des millions"), ("fr", "la 2e édition"), ("fr", "COVID-19, A320"), ("en", "both, one, twice"),
        ("en", "the 21st century"), ("en", "thousands of them"),
    ],
)  # fmt: skip
def test_what_may_be_no_figure_raises_no_alarm(code: str, text: str) -> None:
    assert not [found for found in figures.find(text, NUMERALS[code]) if found.needs]


@pytest.mark.parametrize(
    ("fr", "en"),
    [
        ("Le 28 octobre 2024.", "On October 28, 2024."), ("du 19 au 20 août", "from 19 to 20 August"), ("hier", "yesterday"),
        ("le 3 mars", "on 3 March 2025"), ("en octobre 2024", "in October 2024"), ("en 2020", "since 2020"),
        ("publié ce jour", "published"), ("du jeudi 2 au dimanche 5 octobre", "from Thursday, October 2 to Sunday, October 5"),
        ("lundi 27 octobre", "Monday"), ("il y a cinq ans", "five years ago"), ("de 61,5 à 78 %", "from 61.5% to 78%"),
        ("de 3,3 à 6 millions", "from 3.3 million to six million"), ("L’OIM et l’ONU.", "IOM and the UN."), ("2 heures", "two hours"),
        ("l’Algérie, la Libye et le Tchad", "Algeria, Libya and Chad"), ("La Chambre de commerce.", "The Chamber of Commerce."),
        ("Radio France Internationale l’a dit.", "Radio France International said so."),
        ("dit le maire de Tombouctou", "said Timbuktu’s mayor"),
        ("Avec les Nations Unies.", "With the United Nations High Commissioner."), ("Mme Awa Dembélé", "Ms Awa Dembele"),
        ("Voir https://a.example/fr/x", "See http://www.a.example/en/x/"), ("Tél. 20 22 76 97", "Phone: +223 20 22 76 97"),
    ],
)  # fmt: skip
def test_two_ways_to_say_the_same_are_no_difference(fr: str, en: str) -> None:
    assert compared(fr, en).differences == ()


@pytest.mark.parametrize(
    ("fr", "en", "kind"),
    [
        ("Le 28 octobre 2024.", "On 28 October 2025.", "date"), ("en octobre", "in November", "date"), ("mercredi", "Thursday", "date"),
        ("L’ASM est là. L’ASM aide.", "ASM is here. AMS helps.", "name"), ("Mme Awa Sy parle.", "Ms Awa Sissoko speaks.", "name"),
        ("« Oui », dit Jean Perrin.", "“Yes,” said the engineer.", "name"), ("Le vent à Motpi.", "The wind in Mopti.", "name"),
        ("Écrire à a@b.example", "Write to a@c.example", "link"), ("+223 20 22 76 97", "+224 20 22 76 97", "phone"),
    ],
)  # fmt: skip
def test_what_is_not_the_same_is_a_difference(fr: str, en: str, kind: str) -> None:
    assert kind in [one.kind for one in compared(fr, en).differences]


def test_two_figures_of_one_place_stand_beside_each_other() -> None:
    (found,) = compared("Hier. Nous avons aidé 14 223 personnes.", "Yesterday. We helped 14,232 people.").differences
    assert (found.words, found.sentences["en"]) == ({"fr": "14 223", "en": "14,232"}, "We helped 14,232 people.")


def test_a_figure_that_is_right_elsewhere_still_shows_what_it_should_be() -> None:
    fr, en = "14 223 personnes. Dix ont dit oui. Nous en avons aidé 14 223.", "14,223 people. Ten said yes. We helped 14,232."
    (found,) = compared(fr, en).differences
    assert found.words == {"fr": "14 223", "en": "14,232"}


def test_an_offices_own_spelling_of_a_place_is_no_difference() -> None:
    fr, en = "À Ouaga, M. Ali Sanou parle.", "In Ouaga, Mr Aly Sanou speaks."
    assert compared(fr, en).differences
    office = LANGUAGES["fr"].office
    spelt = {"fr": _with_office(LANGUAGES["fr"], {**office, "names": {"Ali": ["Aly"]}}), "en": LANGUAGES["en"]}
    assert compared(fr, en, spelt).differences == ()


def _with_office(language: Language, office: Mapping[str, Any]) -> Language:
    sections = {"words": language.words, "dates": language.dates, "releases": language.releases, "office": office}
    return Language(code=language.code, name=language.name, **sections)


def test_the_date_of_the_front_matter_counts() -> None:
    (found,) = compared("Texte.", "Text.", date={"fr": date(2025, 3, 1), "en": date(2025, 3, 2)}).differences
    assert found.sentences == {"fr": "date: 2025-03-01", "en": "date: 2025-03-02"}
    embargo = dict.fromkeys(("fr", "en"), datetime.fromisoformat("2025-03-01T08:00+00:00"))
    assert compared("Texte.", "Text.", embargo=embargo).differences == ()


@pytest.mark.parametrize(
    ("paragraphs", "places"),
    [
        (["« Oui ”, dit-elle."], [(0, 6)]), (["Il a dit « oui."], [(0, 9)]), (["« Oui », dit-elle. “Non”"], []), (["“Yes,” “no”"], []),
        (["« Un.", "« Deux. »"], []), (["„Ja“ und »nein«"], []), (["Elle dit \"oui” à tous."], [(0, 13)]), (["A 5\" pipe."], []),
        (["« Il dit “non” », et \"oui\"."], []), (["fin »"], [(0, 4)]),
    ],
)  # fmt: skip
def test_quotation_marks_that_do_not_belong_together_are_pointed_out(paragraphs: list[str], places: list[tuple[int, int]]) -> None:
    assert list(unmatched(paragraphs))[: len(places) or None] == places


def test_a_missing_contact_is_pointed_out_and_not_where_the_offices_own_stands_in() -> None:
    alone = release("Texte.", "Text.")
    assert [(point.what, point.language) for point in parity(alone, LANGUAGES).points] == [("contact", "fr"), ("contact", "en")]
    assert parity(alone, LANGUAGES, "press@office.example").points == ()
    one = release("Texte.", "Text.", contact={"fr": "Presse : Awa", "en": ""})
    assert [(point.what, point.language) for point in parity(one, LANGUAGES, "press@office.example").points] == [("contact", "en")]
    assert parity(release("Texte.\n\nContact presse : Awa", "Text.\n\nPress contact: Awa"), LANGUAGES).points == ()


def test_one_edition_has_nothing_to_be_held_against_and_an_unknown_language_is_read_by_its_digits() -> None:
    assert parity(Release("r-fr", release("5", "6").editions[:1]), LANGUAGES, "x").differences == ()
    (found,) = compared("5 ans", "6 years", {}).differences
    assert found.words == {"fr": "5", "en": "6"}


@pytest.mark.parametrize("text", ["14 223 000 personnes", "2024-2025", "de 2 000 à 3 000", "le 12 03 2025"])
def test_a_figure_is_no_telephone_number(text: str) -> None:
    assert list(links.find(text, ("fr",))) == []


def test_of_a_very_long_sentence_the_words_around_are_shown() -> None:
    text = "mot " * 200 + "14 223 " + "mot " * 200
    shown = sentence_at(text, (800, 806))
    assert "14 223" in shown and len(shown) < 260 and shown.startswith("… mot") and shown.endswith("mot …")
