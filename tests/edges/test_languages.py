"""Language folders: later ones win or add, YAML's little traps do not catch, and a fault names its file and key."""

from pathlib import Path

import pytest

from mailbot import languages
from mailbot.languages import LanguageFault


def folder(root: Path, **files: str) -> Path:
    for name, text in files.items():
        code, _, section = name.partition("_")
        path = root / code / f"{section}.yaml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return root


def test_the_shipped_languages_are_complete() -> None:
    loaded = languages.load([languages.shipped()])
    assert {"fr", "en"} <= set(loaded)
    assert {code: languages.missing(language) for code, language in loaded.items()} == dict.fromkeys(loaded, ())


def test_a_new_language_is_a_folder_and_says_what_it_lacks(tmp_path: Path) -> None:
    loaded = languages.load([folder(tmp_path, es_words="name: español\nfunction_words: [el, la]")])
    assert loaded["es"].name == "español"
    lacks = set(languages.missing(loaded["es"]))
    assert lacks == {"wishes.yaml", "replies.yaml", "dates.yaml", "mail.yaml", "releases.yaml", "typography.yaml"}


def test_a_section_without_a_key_that_must_be_there_is_incomplete(tmp_path: Path) -> None:
    loaded = languages.load([folder(tmp_path, es_words="name: español", es_wishes="release: [nota]\nwishes: {photos: [foto]}")])
    assert {"words.yaml: function_words", "wishes.yaml: recent", "wishes.yaml: ask"} <= set(languages.missing(loaded["es"]))


def test_small_words_are_words_and_no_truth_values(tmp_path: Path) -> None:
    words = languages.load([folder(tmp_path, xx_words="function_words: [on, no, yes, off, y, n]")])["xx"].words
    assert words["function_words"] == ["on", "no", "yes", "off", "y", "n"]


def test_true_and_false_stay_truth_values_and_dates_stay_text(tmp_path: Path) -> None:
    loaded = languages.load([folder(tmp_path, xx_typography="thousands: true\nsample: 2024-10-28")])["xx"].typography
    assert loaded == {"thousands": True, "sample": "2024-10-28"}


def test_a_later_folder_replaces_lists_and_adds_to_those_with_a_plus(tmp_path: Path) -> None:
    ours = folder(tmp_path / "ours", fr_wishes="release: [communiqué]\nask: [envoyer]\nwishes: {photos: [photo]}")
    added = "release: [annonce]\n+ask: [balancer, envoyer]\nwishes: {+photos: [cliché], audio: [son]}"
    office = folder(tmp_path / "office", fr_wishes=added)
    wishes = languages.load([ours, office])["fr"].wishes
    assert wishes == {"release": ["annonce"], "ask": ["envoyer", "balancer"], "wishes": {"photos": ["photo", "cliché"], "audio": ["son"]}}


def test_a_folder_that_is_not_there_adds_nothing(tmp_path: Path) -> None:
    assert languages.load([tmp_path / "nowhere"]) == {}


@pytest.mark.parametrize(
    ("section", "text", "named"),
    [
        pytest.param("words", "name: a\nfunction_words:\n  - a\n  - true", "line 4: function_words: entry 2", id="a-truth-value"),
        pytest.param("words", "name: a\nfunction_words: le", "line 2: function_words: must be a list", id="no-list"),
        pytest.param("words", "name: [a]", "name: must be one word", id="a-list-for-a-word"),
        pytest.param("words", "order: first", "order: must be a number", id="no-number"),
        pytest.param("wishes", "wishes:\n  photos: [photo,\n    12]", "line 3: wishes.photos: entry 2", id="a-number"),
        pytest.param("wishes", "ask: ['']", "ask: entry 1", id="an-empty-phrase"),
        pytest.param("wishes", "ask: [a\nb: c", "line 2", id="broken-yaml"),
        pytest.param("wishes", "# x\n- a\n- b", "line 2: must hold keys and values", id="no-mapping"),
        pytest.param("office", "sensitive: [a]\nplaces: [Ouaga]", "line 2: places: must hold lines", id="places-without-a-form"),
        pytest.param("office", "places:\n  Ouagadougou: Ouaga", "line 2: places.Ouagadougou: must be a list", id="a-spelling-alone"),
        pytest.param("office", "topics:\n  eau: [a]\n  2030: [b]", "line 3: topics.2030: the form is 2030", id="a-number-as-form"),
        pytest.param("office", "sensitive:\n  - 12", "line 2: sensitive: entry 1 is 12", id="a-number-as-topic"),
        pytest.param("related", "broken: [link, 404]", "line 1: broken: entry 2 is 404", id="a-number-among-related-words"),
        pytest.param("subjects", "wreck: [wreck, 404]", "line 1: wreck: entry 2 is 404", id="a-number-among-subjects"),
        pytest.param("office", "people: {a: [b]}", "line 1: people: is no key of office.yaml", id="an-unknown-key"),
        pytest.param("holidays", "a: b", "no such section", id="an-unknown-file"),
        pytest.param("mail", "\n+prefixes: Re", "line 2: +prefixes: only a list can be added to", id="adding-to-no-list"),
    ],
)
def test_a_fault_names_the_file_and_the_key(tmp_path: Path, section: str, text: str, named: str) -> None:
    with pytest.raises(LanguageFault) as fault:
        languages.load([folder(tmp_path, **{f"fr_{section}": text})])
    assert named in str(fault.value)
    assert f"{section}.yaml" in str(fault.value)


def test_a_list_cannot_become_a_word_in_a_later_folder(tmp_path: Path) -> None:
    first, second = folder(tmp_path / "a", fr_mail="closings: [Bien à vous]"), folder(tmp_path / "b", fr_mail="closings: Bien")
    with pytest.raises(LanguageFault, match="closings"):
        languages.load([first, second])


def test_a_list_where_an_earlier_folder_has_a_mapping_is_named_with_its_line(tmp_path: Path) -> None:
    first, second = folder(tmp_path / "a", fr_wishes="wishes: {photos: [photo]}"), folder(tmp_path / "b", fr_wishes="a: [b]\nwishes: [c]")
    with pytest.raises(LanguageFault, match=r"b/fr/wishes\.yaml line 2: wishes: was a mapping before"):
        languages.load([first, second])


def test_the_office_may_add_to_its_own_words_and_they_are_no_part_of_a_complete_language(tmp_path: Path) -> None:
    added = "places: {Ouagadougou: [Wagadugu]}\n+sensitive: [affaire du port]"
    first = folder(tmp_path / "a", fr_office="places: {Ouagadougou: [Ouaga]}\nsensitive: [attaque]")
    assert languages.load([first, folder(tmp_path / "b", fr_office=added)])["fr"].office == {
        "places": {"Ouagadougou": ["Wagadugu"]}, "sensitive": ["attaque", "affaire du port"],
    }  # fmt: skip
    assert {"office.yaml", "related.yaml", "subjects.yaml"}.isdisjoint(languages.missing(languages.load([first])["fr"]))


def test_every_fault_of_a_language_is_named_not_only_the_first(tmp_path: Path) -> None:
    bad = folder(tmp_path, fr_words="function_words: le\nletter_words: [1, 2]", fr_office="sensitive: x", en_words="order: first")
    told = [str(fault) for fault in languages.faults([bad], "fr")]
    assert [line.partition("fr/")[2].partition(":")[0] for line in told] == [
        "office.yaml line 1", "words.yaml line 1", "words.yaml line 2", "words.yaml line 2",
    ]  # fmt: skip
