"""What people want, in voices that were not asked beforehand: rather a colleague too often than one wrong release."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from mailbot.inbox.choice import Choice, choose
from mailbot.inbox.intent import Kind, Reading, read
from mailbot.inbox.language import detect
from mailbot.inbox.lexicon import lexicon
from mailbot.inbox.reason import Reason
from mailbot.languages import Language
from mailbot.releases.search_index import build
from tests.samples.littoral import INDEX, LANGUAGES, RELEASES, release

BOOK = lexicon(LANGUAGES)
NOW = datetime(2026, 5, 29, 8, tzinfo=UTC)


def heard(text: str, subject: str = "") -> Reading:
    return read(subject, text, BOOK, detect(text or subject, LANGUAGES, "fr"), NOW)


def kinds(text: str, subject: str = "") -> set[Kind]:
    return {wish.kind for wish in heard(text, subject).wishes}


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("Mon fils a disparu en mer, aidez-moi", Kind.HELP),
        ("We are stranded at the border without food", Kind.HELP),
        ("Notre avocat vous mettra en demeure", Kind.LEGAL),
        ("This is unacceptable and I want to complain", Kind.COMPLAINT),
        ("Il y a une erreur dans votre communiqué", Kind.CORRECTION),
        ("Your figure is wrong", Kind.CORRECTION),
        ("Je souhaite une interview de votre directeur", Kind.INTERVIEW),
        ("Could your spokesperson comment?", Kind.INTERVIEW),
        ("Auriez-vous des photos libres de droits ?", Kind.PHOTOS),
        ("Do you have B-roll footage?", Kind.VIDEO),
        ("Un extrait sonore pour la radio ?", Kind.AUDIO),
        ("Je voudrais recevoir vos communiqués", Kind.SUBSCRIBE),
        ("Please add me to your mailing list", Kind.SUBSCRIBE),
        ("Désabonnez-moi", Kind.UNSUBSCRIBE),
        ("Take me off your list", Kind.UNSUBSCRIBE),
        ("Voici ma nouvelle adresse mail", Kind.CHANGE_OF_ADDRESS),
        ("Combien de personnes ont été secourues ?", Kind.QUESTION),
        ("Je vous adresse ma candidature et mon CV", Kind.JOB),
        ("Y a-t-il une formation pour journalistes ?", Kind.TRAINING),
        ("I am a PhD student writing my thesis", Kind.RESEARCH),
        ("Comment obtenir une accréditation pour la conférence de presse ?", Kind.EVENT),
        ("Le communiqué sous embargo, svp", Kind.EMBARGO),
        ("Merci d'envoyer les trois derniers communiqués", Kind.SEVERAL),
        ("Veuillez trouver en pièce jointe mon article", Kind.OFFER),
        ("Merci beaucoup, bien reçu", Kind.THANKS),
        ("Votre dernier communiqué svp", Kind.LATEST),
        ("Please send the statement about the dam", Kind.ABOUT),
    ],
)
def test_every_kind_of_wish_is_known_by_its_words(text: str, kind: Kind) -> None:
    assert kind in kinds(text)


def test_every_wish_brings_the_words_it_was_known_by_and_how_sure_that_is() -> None:
    for text in ("Mon fils a disparu", "Votre dernier communiqué et des photos svp", "Merci beaucoup"):
        for wish in heard(text).wishes:
            assert wish.evidence and all(word in text for word in wish.evidence)
            assert 0 < wish.confidence <= 1


def test_the_most_dangerous_wish_comes_first() -> None:
    wishes = heard("Votre dernier communiqué svp, et des photos. Mon fils a disparu, aidez-moi.").wishes
    assert wishes[0].kind == Kind.HELP
    assert {Kind.PHOTOS, Kind.LATEST} <= {wish.kind for wish in wishes}


@pytest.mark.parametrize(
    "text",
    [
        "Je voudrais le communiqué sur les victimes du naufrage",
        "Please send the statement on the training of judges",
        "svp le communiqué sur la réunion",
    ],
)
def test_a_word_of_the_topic_is_no_wish(text: str) -> None:
    assert kinds(text) == {Kind.ABOUT}


@pytest.mark.parametrize(
    ("text", "topic"),
    [
        ("Merci de m'envoyer le communiqué sur la distribution de vivres à Toliara", "la distribution de vivres à Toliara"),
        ("Je cherche le communiqué relatif au don du Japon, s'il vous plaît", "au don du Japon"),
        ("Le communiqué concernant l'accès à l'eau, svp", "l'accès à l'eau"),
        ("Please send the release about the complaint of the fishermen", "the complaint of the fishermen"),
    ],
)
def test_the_first_word_of_the_topic_is_one_whatever_it_means_alone(text: str, topic: str) -> None:
    assert heard(text).topic == topic
    assert kinds(text) == {Kind.ABOUT}


def test_what_is_asked_right_after_the_topic_is_not_of_it() -> None:
    assert heard("Please send the release about that, photos too").topic == "that"


def test_a_plea_inside_a_request_is_still_a_plea() -> None:
    assert Kind.HELP in kinds("Je voudrais le communiqué sur mon fils disparu")
    assert Kind.HELP in kinds("Votre communiqué sur le naufrage, et aidez-moi")


def test_what_is_only_quoted_decides_nothing() -> None:
    assert kinds("Merci de m'envoyer le communiqué « Des photos pour aider les victimes »") == {Kind.ABOUT}


@pytest.mark.parametrize(
    "text", ["Ne m'envoyez pas votre dernier communiqué", "I do not want the latest release", "never send me your release"]
)
def test_a_wish_that_is_denied_is_none_to_act_upon(text: str) -> None:
    assert heard(text).negated


@pytest.mark.parametrize(
    "text",
    ["Je n'ai pas reçu votre dernier communiqué, merci de le renvoyer", "I did not receive your latest release, please resend"],
)
def test_not_having_got_it_is_a_wish_all_the_same(text: str) -> None:
    assert not heard(text).negated
    assert kinds(text) == {Kind.LATEST}


@pytest.mark.parametrize(
    ("text", "topic"),
    [
        ("Merci de m'envoyer le communiqué sur le phare de l'île aux Prunes", "phare"),
        ("your statement regarding the dam, please", "dam"),
        ("I missed the statement issued on 28 October, please resend", "28 October"),
        ("Do you have the September press release?", "September"),
        ("svp cp moratoire requins", "moratoire requins"),
        ("About the visit of the envoy: could you send the release?", "visit of the envoy"),
        ("Je cherche votre communiqué. C'est celui sur les requins.", "requins"),
    ],
)
def test_what_is_told_about_the_release_is_its_topic(text: str, topic: str) -> None:
    assert topic in heard(text).topic


def test_who_introduces_himself_tells_nothing_about_the_release() -> None:
    reading = heard("Je suis journaliste à Radio Ravinala Sambava et je voudrais votre dernier communiqué pour le journal de 20h.")
    assert (reading.topic, reading.unexplained) == ("", ())


def test_a_subject_that_names_the_topic_counts_and_that_of_a_reply_does_not() -> None:
    assert heard("Pouvez-vous m'envoyer le communiqué ?", "Requins").subject_topic == "Requins"
    assert heard("Pouvez-vous m'envoyer le communiqué ?", "Re: Requins").subject_topic == ""
    assert heard("", "Re: dernier communiqué").wishes == ()


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("le dernier communiqué en anglais svp", "en"),
        ("the French version of your latest release please", "fr"),
        ("votre dernier communiqué", ""),
    ],
)
def test_an_edition_may_be_asked_for(text: str, code: str) -> None:
    assert heard(text).wanted_language == code


@pytest.mark.parametrize(
    "text",
    ["Merci. Mais ce n'est pas le bon.", "Merci d'avance pour votre dernier communiqué", "Merci, et les photos ?", "Thanks, but no"],
)
def test_thanks_are_thanks_only_when_that_is_all(text: str) -> None:
    assert Kind.THANKS not in kinds(text, "Re: x")


def test_an_address_in_the_text_is_noticed() -> None:
    assert heard("envoyez votre dernier communiqué à jane@autre.example").addresses == ("jane@autre.example",)


@pytest.mark.parametrize("text", ["a " * 20_000, "communiqué " * 5_000, "(" * 20_000, "ask _ " * 3_000, "x" * 20_000, "« " * 10_000])
def test_no_text_takes_long(text: str) -> None:
    assert heard(text[:20_000]).words <= 700


def test_a_language_is_only_its_folder(tmp_path: Path) -> None:
    spanish = Language(
        code="es", name="español", words={"function_words": ["el", "la", "su", "de", "por", "favor", "que", "un"], "stemmer": "spanish"},
        wishes={
            "release": ["comunicado", "nota de prensa"], "recent": ["último"], "ask": ["enviar", "por favor"], "about": ["sobre"],
            "wishes": {},
        },
    )  # fmt: skip
    mixed = {**LANGUAGES, "es": spanish}
    text = "Me puede enviar su último comunicado por favor"
    assert detect(text, mixed, "fr") == "es"
    assert Kind.LATEST in {wish.kind for wish in read("", text, lexicon(mixed), "es", NOW).wishes}


def test_every_kind_in_the_folders_is_one_that_is_known_and_has_a_reason() -> None:
    named = {kind for language in LANGUAGES.values() for kind in language.wishes["wishes"]}
    assert named | {"spam", "thanks", "latest-release", "release-about"} == set(Kind)
    assert named | {"spam", "thanks"} <= set(Reason)


def test_a_release_that_has_some_of_what_was_asked_in_its_text_alone_is_for_a_person() -> None:
    """`The displaced of Lake Chad`, and a release on something else whose text names Chad and the displaced."""
    named = release("nomination", "Une nouvelle cheffe de mission à Bamako", "Elle fut au Tchad auprès des déplacés.")
    those = [named, release("port", "Le port rouvre")]
    index = build(those, NOW, LANGUAGES)

    def doubt(topic: str) -> Any:
        return choose(Reading(topic=topic, asked=True), {one.id: one for one in those}, index, frozenset(), NOW).doubt

    assert doubt("les déplacés du lac Tchad") == "half-match"
    assert doubt("les déplacés du Tchad") is None, "all of it"
    assert doubt("la nouvelle cheffe de mission à Bamako et le lac") is None, "its title says so"


def test_search_decides_which_and_says_when_several_fit() -> None:
    def chosen(text: str, **more: Any) -> Any:
        return choose(Reading(topic=text, asked=True, **more), RELEASES, INDEX, frozenset(), NOW)

    one = chosen("requins et ailerons")
    assert isinstance(one, Choice) and (one.release.id, one.doubt) == ("requins", None)
    assert chosen("Mahajanga").doubt == "several-match"
    assert chosen("centrale nucléaire") == "no-match"
    assert chosen("Mahajanga", recent=True).release.id == "sauvetage-boutre"
    assert choose(Reading(asked=True), {}, INDEX, frozenset(), NOW) == "nothing-public"
