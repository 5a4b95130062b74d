"""How a mail is worded, for what was learned: a rare word works like its neighbours, and what is denied is something else."""

from dataclasses import replace

import pytest

from mailbot.inbox.lexicon import lexicon
from mailbot.inbox.likeliest import BODY, HEADLINE, Likeliest
from mailbot.inbox.sentence import sentences
from mailbot.inbox.wording import shape, wording
from tests.samples.littoral import LANGUAGES, NOW


def features(text: str, code: str = "en", told: dict[str, str] | None = None) -> frozenset[str]:
    book = lexicon(LANGUAGES)
    (sentence,) = sentences("", text, book, code, NOW)
    return wording(sentence, book, next(tongue for tongue in book.tongues if tongue.code == code), told)


def test_related_words_have_the_features_of_their_group_and_of_two_groups_in_a_row() -> None:
    plain, rare = features("Please delete this address."), features("Please wipe this address.")
    assert {"t:delete", "t:delete>address"} <= plain & rare
    assert "t:delete" in features("Effacez mon adresse.", "fr"), "a group is the same in every language"


@pytest.mark.parametrize(("text", "code"), [("Do not send it.", "en"), ("Ne l'envoyez pas, envoyez.", "fr")])
def test_a_phrase_and_a_group_that_are_denied_are_others(text: str, code: str) -> None:
    found = features(text, code)
    assert {"c:n:ask", "t:n:send"} <= found if code == "en" else "c:ask" in found


def test_a_word_that_turns_the_sentence_ends_what_is_denied() -> None:
    found = features("No photos but send the text.")
    assert "c:n:photos" in found and "c:ask" in found and "c:n:ask" not in found


def test_which_phrase_follows_which_is_told() -> None:
    assert "b:recent>release" in features("Your latest press release.")
    assert "b:release>recent" not in features("Your latest press release.")


def test_a_language_without_related_words_has_the_rest() -> None:
    bare = {code: replace(language, related={}) for code, language in LANGUAGES.items()}
    book = lexicon(bare)
    (sentence,) = sentences("", "Please delete this address.", book, "en", NOW)
    found = wording(sentence, book, next(tongue for tongue in book.tongues if tongue.code == "en"))
    assert found and not any(feature.startswith("t:") for feature in found)


def test_words_that_tell_of_a_release_are_one_whatever_they_are_and_what_stands_beside_them_is_told() -> None:
    told = {"training": HEADLINE, "gao": HEADLINE, "teachers": BODY, "mills": HEADLINE}
    gao, mills = (features(f"The text on {topic}, please.", told=told) for topic in ("training teachers", "the mills"))
    assert {"on @h", "@h pleas", "@h"} <= gao and "on the" in mills and "the @h" in mills
    assert "@b" in gao and "@>1" in gao and "@>1" not in mills


def test_a_phrase_in_a_word_that_tells_of_a_release_is_told_apart() -> None:
    assert "c@:training" in features("The release on the training.", told={"training": HEADLINE})
    assert "c@:training" not in features("The release on the training.", told={})


def test_a_day_counts_like_a_word_of_the_release() -> None:
    assert "of @d" in features("The release of 12 May.", told={})


def test_where_no_releases_are_known_nothing_of_them_is_told() -> None:
    assert not any("@" in feature for feature in features("The release of 12 May on the training."))


def test_how_well_a_release_fits_is_of_the_shape_of_the_mail() -> None:
    (sentence,) = sentences("", "Send it.", lexicon(LANGUAGES), "en", NOW)
    steps = shape((sentence,), Likeliest(2, 1, {})) - shape((sentence,))
    assert steps == {"m:2", "m:>0", "m:>1", "d:1", "d:>0"}
