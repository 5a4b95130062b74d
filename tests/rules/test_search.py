"""The words of a mail find the release they ask for, whatever their accents, plurals and language; and nothing that is not public."""

import random
from datetime import UTC, datetime, timedelta

import pytest

from mailbot.releases.release import State
from mailbot.releases.search import search
from mailbot.releases.search_index import Index, build
from tests.samples.littoral import LANGUAGES, NOW, QUESTIONS, corpus, release


@pytest.fixture(scope="module")
def index() -> Index:
    return build(corpus(), NOW, LANGUAGES)


@pytest.fixture(scope="module")
def with_yesterday() -> Index:
    return build([*corpus(), release("visite", "Visite du président", day="2026-05-28")], NOW, LANGUAGES)


def found(index: Index, text: str, now: datetime = NOW) -> list[str]:
    return [match.release for match in search(index, text, now)]


def test_nineteen_questions_of_twenty_find_their_release_first(index: Index) -> None:
    wrong = [(text, found(index, text)[:3]) for text, right in QUESTIONS if not right.intersection(found(index, text)[:1])]
    assert len(QUESTIONS) >= 40
    assert len(wrong) <= len(QUESTIONS) * 0.05, wrong


@pytest.mark.parametrize(
    ("asked", "text"),
    [
        ("les 63 journalistes", "La charte a été signée par soixante-trois journalistes."),
        ("soixante-trois journalistes", "La charte a été signée par 63 journalistes."),
        ("five thousand two hundred children", "Cinq mille deux cents enfants ont été vaccinés."),
        ("the twenty-four repairers", "24 réparateurs ont été formés."),
    ],
)
def test_a_figure_is_found_in_digits_and_in_words_in_either_language(asked: str, text: str) -> None:
    other = release("other", "Sans titre", "La charte, des journalistes, des enfants, des réparateurs.")
    match = search(build([release("one", "Sans titre", text), other], NOW, LANGUAGES), asked, NOW)[0]
    assert match.release == "one" and not match.lacks_a_number
    assert any(word in text.lower() for word in match.words), "and is told as the release writes it"


@pytest.mark.parametrize(("asked", "title"), [("the shipwreck", "Naufrage au large de Toliara"), ("le naufrage", "Boat sinks off Toliara")])
def test_a_question_in_one_language_finds_a_release_that_there_is_in_another_alone(asked: str, title: str) -> None:
    language = "fr" if title.startswith("N") else "en"
    index = build([release("one", title, language=language), release("other", "Sans titre")], NOW, LANGUAGES)
    match = search(index, asked, NOW)[0]
    assert (match.release, match.coverage) == ("one", 1.0)
    assert set(match.words) <= set(title.split()) and match.words, "and is told as the release writes it"


def test_the_very_word_tells_more_than_one_for_nearly_the_same() -> None:
    releases = [release("same", "Naufrage à Toliara"), release("near", "Noyade à Toliara"), release("other", "Sans titre")]
    for asked, first, second in (("le naufrage", "same", "near"), ("la noyade", "near", "same")):
        assert found(build(releases, NOW, LANGUAGES), asked) == [first, second]


def test_mille_mercis_is_no_figure(index: Index) -> None:
    assert [match.lacks_a_number for match in search(index, "Marovoay, mille mercis", NOW)] == [False]


@pytest.mark.parametrize("text", ["CHOLERA", "cholera", "le choléra", "Choléras ?", "chole\u0301ra"])
def test_accents_capitals_and_plurals_make_no_difference(index: Index, text: str) -> None:
    assert found(index, text)[0] == "choléra"


@pytest.mark.parametrize("text", ["210 000", "210000", "210\u202f000", "210,000", "210.000", "210'000"])
def test_a_number_is_found_however_its_thousands_are_parted(index: Index, text: str) -> None:
    assert found(index, text) == ["alerte-tsunami"]


@pytest.mark.parametrize("text", ["porte-conteneurs", "porteconteneurs", "porte conteneurs"])
def test_a_compound_is_found_with_and_without_its_hyphen(index: Index, text: str) -> None:
    assert found(index, text)[0] == "port-toamasina"


@pytest.mark.parametrize(
    "text",
    ["", "  ", "Bonjour, pouvez-vous m'envoyer votre dernier communiqué svp ? Merci", "Please send me your latest press release."],
)
def test_courtesy_and_the_words_of_the_trade_ask_for_nothing(index: Index, text: str) -> None:
    assert search(index, text, NOW) == ()


def test_a_word_in_the_title_outweighs_the_same_word_in_a_text() -> None:
    one = release("texte", "Bilan de la saison", "Le corail se porte bien. Un second paragraphe.")
    two = release("titre", "Le corail", "Bilan de la saison des pluies. Un second paragraphe.")
    assert found(build([one, two], NOW, LANGUAGES), "corail") == ["titre", "texte"]


def test_topics_and_place_are_searched() -> None:
    index = build([release("a", "Un", topics=("dengue",)), release("b", "Deux", place="Ihosy"), release("c", "Trois")], NOW, LANGUAGES)
    assert (found(index, "dengue"), found(index, "ihosy")) == (["a"], ["b"])


def test_notes_and_contact_are_not_searched() -> None:
    index = build([release("a", "Un", notes="dengue", contact="Mme Rasoa"), release("b", "Deux")], NOW, LANGUAGES)
    assert found(index, "dengue Rasoa") == []


def test_coverage_is_one_when_the_release_has_all_that_was_asked(index: Index) -> None:
    assert search(index, "tortues de Nosy Hara", NOW)[0].coverage == 1.0


@pytest.mark.parametrize("text", ["le festival de jazz de Tombouctou", "port de Marseille", "the earthquake in Toliara"])
def test_coverage_is_low_when_the_telling_word_is_in_no_release(index: Index, text: str) -> None:
    assert search(index, text, NOW)[0].coverage < 0.6


def test_an_unknown_subject_has_no_match(index: Index) -> None:
    assert search(index, "le communiqué sur la vaccination contre la rougeole", NOW) == ()


def test_the_words_of_a_match_are_the_releases_own(index: Index) -> None:
    assert search(index, "les tortue a nosy hara", NOW)[0].words == ("Tortues", "Nosy", "Hara")


def test_a_name_tells_more_than_a_common_word() -> None:
    texts = [release("nom", "Parole", "Oui, Rabe parle."), release("mot", "Parole", "Oui, forêt parle.", day="2026-01-02")]
    index = build(texts, NOW, LANGUAGES)
    assert found(index, "pour la forêt, Rabe")[0] == "nom"
    assert found(index, "pour la forêt, rabe") == ["mot", "nom"]


@pytest.mark.parametrize(
    ("text", "right"),
    [
        ("communiqué du 21 octobre", "choléra"),
        ("votre communiqué du 21 octobre 2025", "choléra"),
        ("the December 9 statement", "alerte-tsunami"),
        ("votre communiqué d'août 2025 sur les plages", "plastique"),
        ("la visite d'hier", "visite"),
    ],
)
def test_a_date_in_words_finds_by_the_releases_date(with_yesterday: Index, text: str, right: str) -> None:
    best = search(with_yesterday, text, NOW)[0]
    assert (best.release, best.why) == (right, "date")


def test_without_a_date_the_topic_is_why(index: Index) -> None:
    assert search(index, "requins", NOW)[0].why == "topic"


def test_a_month_gives_its_releases_newest_first_with_the_same_score(index: Index) -> None:
    matches = search(index, "the September 2025 release", NOW)
    assert [match.release for match in matches] == ["ecole-plongee", "accord-japon"]
    assert len({match.score for match in matches}) == 1


def test_a_day_that_the_first_lines_name_is_found_too_after_the_release_of_that_day() -> None:
    event = release("echo", "Suites", "Manakara – Le 3 avril 2026, la digue a tenu.", day="2026-04-06")
    same_day = release("jour", "Digue", day="2026-04-03")
    index = build([event, same_day, *corpus()], NOW, LANGUAGES)
    assert found(index, "le communiqué du 3 avril") == ["jour", "echo"]


def test_a_release_under_embargo_is_found_from_its_instant_on() -> None:
    opens = datetime(2026, 6, 1, 8, tzinfo=UTC)
    releases = [release("secret", "Le volcan", embargo=opens), release("autre", "Une autre")]
    assert found(build(releases, opens - timedelta(seconds=1), LANGUAGES), "volcan") == []
    assert found(build(releases, opens, LANGUAGES), "volcan") == ["secret"]


@pytest.mark.parametrize("state", [State.DRAFT, State.WITHDRAWN])
def test_drafts_and_withdrawn_releases_are_never_found_and_count_for_nothing(state: State) -> None:
    public = [release("a", "Le volcan"), release("b", "La digue")]
    hidden = [release("x", "Le volcan secret", state=state), release("y", "Encore un volcan", state=state)]
    without, with_them = build(public, NOW, LANGUAGES), build(public + hidden, NOW, LANGUAGES)
    assert search(with_them, "volcan secret", NOW) == search(without, "volcan secret", NOW) != ()


def test_the_order_does_not_depend_on_the_order_of_the_releases() -> None:
    releases = corpus()
    answers = []
    for seed in range(2):
        random.Random(seed).shuffle(releases)
        index = build(releases, NOW, LANGUAGES)
        answers.append([search(index, text, NOW) for text, _ in QUESTIONS])
    assert answers[0] == answers[1]


def test_equal_matches_come_newest_first_then_by_slug() -> None:
    index = build([release("b", "Volcan"), release("a", "Volcan"), release("c", "Volcan", day="2026-01-02")], NOW, LANGUAGES)
    assert found(index, "volcan") == ["c", "a", "b"]


def test_no_releases_no_match() -> None:
    assert search(build([], NOW, LANGUAGES), "volcan du 28 octobre", NOW) == ()


def test_a_language_without_a_folder_is_compared_word_by_word() -> None:
    assert found(build([release("es", "El volcán", language="es"), release("b", "Autre")], NOW, LANGUAGES), "volcan") == ["es"]


def test_a_date_without_a_year_finds_an_older_release_where_the_nearest_year_has_none() -> None:
    index = build([release("a", "Volcan", day="2024-10-28"), release("b", "Port", day="2025-03-02")], NOW, LANGUAGES)
    assert found(index, "le communiqué du 28 octobre") == ["a"]
    assert found(index, "the March release") == ["b"]
    assert found(index, "le communiqué du 28 octobre 2023") == []
