"""Two voices, the phrases and what was learned: what both make of a mail, and that doubt is a person's."""

from dataclasses import replace

import pytest

from mailbot.inbox.intent import Kind, Reading, Wish
from mailbot.inbox.learned import Opinion
from mailbot.inbox.weighing import NEARLY, UNSURE, weigh

FAINT, SURE = -0.9, 0.9
ACTS = (Kind.LATEST, Kind.ABOUT, Kind.SUBSCRIBE, Kind.UNSUBSCRIBE)
LEARNED = [str(kind) for kind in Kind if kind not in (Kind.EMBARGO, Kind.SEVERAL)]


def heard(scores: dict[Kind, float], clauses: dict[Kind, float] | None = None) -> Opinion:
    """Everything else is faint; a kind without a clause of its own is said as loudly as in the whole."""
    kinds = dict.fromkeys(LEARNED, FAINT) | {str(kind): score for kind, score in scores.items()}
    said = {str(kind): score for kind, score in (scores if clauses is None else clauses).items()}
    return Opinion(kinds, dict.fromkeys(LEARNED, FAINT) | said, said, {})


def said(*kinds: Kind, **more: object) -> Reading:
    wishes = tuple(Wish(kind, (), SURE) for kind in kinds)
    return Reading(wishes=wishes, asked=True, recent=True, words=30, **more)  # type: ignore[arg-type]


def acts(reading: Reading, opinion: Opinion) -> set[Kind]:
    """What would be done without a person."""
    return {wish.kind for wish in weigh(reading, opinion).wishes if wish.kind in ACTS and wish.confidence > NEARLY}


def test_a_wish_that_both_voices_hear_is_granted() -> None:
    assert acts(said(Kind.LATEST), heard({Kind.LATEST: 0.8})) == {Kind.LATEST}


@pytest.mark.parametrize(("kind", "score"), [(Kind.LATEST, -0.1), (Kind.LATEST, -0.3), (Kind.ABOUT, 0.1), (Kind.ABOUT, -0.3)])
def test_a_wish_for_a_release_that_is_learned_faintly_is_a_persons(kind: Kind, score: float) -> None:
    assert acts(said(), heard({kind: score})) == set()


def test_who_speaks_of_something_new_and_of_nothing_else_by_far_need_not_say_it_loudly() -> None:
    assert acts(said(), heard({Kind.LATEST: 0.1})) == {Kind.LATEST}
    assert acts(replace(said(), recent=False), heard({Kind.LATEST: 0.1})) == set(), "no phrase says new"
    assert acts(replace(said(), negated=True), heard({Kind.LATEST: 0.1})) == set(), "there is a not"
    assert acts(said(), heard({Kind.LATEST: 0.1, Kind.REACTION: -0.5})) == set(), "something else is not far"


def test_a_mail_is_named_by_what_is_grave_in_it_else_by_the_likeliest() -> None:
    def first(scores: dict[Kind, float]) -> Kind:
        return weigh(said(Kind.INTERVIEW, Kind.VIDEO), heard(scores)).wishes[0].kind

    assert first({Kind.VIDEO: 0.7, Kind.INTERVIEW: 0.2}) is Kind.VIDEO
    assert first({Kind.VIDEO: 0.2, Kind.INTERVIEW: 0.7}) is Kind.INTERVIEW
    assert first({Kind.VIDEO: 0.7, Kind.COMPLAINT: 0.8}) is Kind.COMPLAINT


def test_a_certain_release_that_is_nearly_heard_waits_for_what_the_search_says() -> None:
    nearly = weigh(said(), heard({Kind.ABOUT: 0.1})).wish(Kind.ABOUT)
    assert nearly and nearly.confidence == NEARLY
    unsure = weigh(said(), heard({Kind.ABOUT: 0.1, Kind.INTERVIEW: -0.5})).wish(Kind.ABOUT)
    assert unsure and unsure.confidence == UNSURE, "something else is not far"


@pytest.mark.parametrize("kind", [Kind.INTERVIEW, Kind.PHOTOS, Kind.VIDEO, Kind.AUDIO])
def test_a_certain_release_that_is_nearly_heard_beside_what_is_talked_or_shown_waits_for_the_search_too(kind: Kind) -> None:
    opinion = heard({kind: 0.7, Kind.ABOUT: 0.55}, {kind: 0.7, Kind.ABOUT: 0.3})

    def confidence(reading: Reading) -> float:
        wish = weigh(reading, opinion).wish(Kind.ABOUT)
        return wish.confidence if wish else 0.0

    asked = said(kind, Kind.ABOUT)
    assert confidence(asked) == NEARLY
    assert confidence(replace(asked, had=True)) < NEARLY, "he has it"
    assert confidence(replace(asked, had=True, wanted_language="fr")) == NEARLY, "and wants it in another language"


def test_a_release_is_not_nearly_heard_beside_anything_else_or_without_a_sentence_of_its_own() -> None:
    reaction = heard({Kind.REACTION: 0.7, Kind.ABOUT: 0.55}, {Kind.REACTION: 0.7, Kind.ABOUT: 0.3})
    unsaid = heard({Kind.PHOTOS: 0.7, Kind.ABOUT: 0.55}, {Kind.PHOTOS: 0.7})
    for reading, opinion in ((said(Kind.REACTION, Kind.ABOUT), reaction), (said(Kind.PHOTOS, Kind.ABOUT), unsaid)):
        assert all(wish.confidence < NEARLY for wish in weigh(reading, opinion).wishes if wish.kind is Kind.ABOUT)


def test_who_has_the_release_and_wants_to_talk_about_it_gets_it_not_again() -> None:
    opinion = heard({Kind.INTERVIEW: 0.7, Kind.ABOUT: 0.8}, {Kind.INTERVIEW: 0.7, Kind.ABOUT: 0.8})
    assert acts(said(Kind.INTERVIEW, Kind.ABOUT), opinion) == {Kind.ABOUT}
    assert acts(said(Kind.INTERVIEW, Kind.ABOUT, had=True), opinion) == set()


def test_a_release_named_by_who_wants_all_that_come_is_what_the_list_is_of() -> None:
    both = said(Kind.SUBSCRIBE, Kind.ABOUT)
    assert acts(replace(both, recent=False), heard({Kind.SUBSCRIBE: 1.3, Kind.ABOUT: -0.3})) == {Kind.SUBSCRIBE}
    assert acts(replace(both, recent=False), heard({Kind.SUBSCRIBE: 1.3, Kind.ABOUT: 0.3})) == {Kind.SUBSCRIBE, Kind.ABOUT}


def test_a_grave_kind_far_below_another_holds_nothing_back() -> None:
    opinion = heard({Kind.UNSUBSCRIBE: 1.9, Kind.SOMEONE_ELSE: -0.3}, {Kind.UNSUBSCRIBE: 1.9})
    assert acts(said(Kind.UNSUBSCRIBE), opinion) == {Kind.UNSUBSCRIBE}


@pytest.mark.parametrize("grave", [Kind.HELP, Kind.LEGAL, Kind.COMPLAINT, Kind.CORRECTION, Kind.SOMEONE_ELSE, Kind.CHANGE_OF_ADDRESS])
def test_beside_anything_grave_nothing_is_granted(grave: Kind) -> None:
    assert acts(said(Kind.LATEST), heard({Kind.LATEST: 0.8, grave: -0.2}, {Kind.LATEST: 0.8})) == set()
    assert acts(said(Kind.LATEST), heard({Kind.LATEST: 0.8}, {Kind.LATEST: 0.8, grave: 0.9})) == set(), "one sentence is enough"


def test_where_the_phrases_hear_a_call_for_help_much_less_doubt_holds_a_release_back() -> None:
    opinion = heard({Kind.LATEST: 0.8, Kind.HELP: -0.45}, {Kind.LATEST: 0.8})
    assert acts(said(Kind.HELP), opinion) == set()
    assert acts(said(), opinion) == {Kind.LATEST}


def test_who_speaks_of_leaving_and_of_nothing_else_by_far_need_not_say_it_loudly() -> None:
    assert acts(said(), heard({Kind.UNSUBSCRIBE: 0.0})) == {Kind.UNSUBSCRIBE}
    assert acts(said(), heard({Kind.UNSUBSCRIBE: 0.0, Kind.SUBSCRIBE: -0.4})) == set(), "on and off are near"
    assert acts(said(Kind.SUBSCRIBE), heard({Kind.UNSUBSCRIBE: 0.0})) == set(), "the phrases object"
    assert acts(said(), heard({Kind.SUBSCRIBE: 0.0})) == set(), "a place on the list is not given so lightly"


def test_the_newest_and_off_the_list_are_two_wishes_though_the_phrases_hear_one() -> None:
    both = heard({Kind.LATEST: 0.8, Kind.UNSUBSCRIBE: 0.75}, {Kind.LATEST: 1.4, Kind.UNSUBSCRIBE: 0.8})
    assert acts(said(Kind.UNSUBSCRIBE), both) == {Kind.LATEST, Kind.UNSUBSCRIBE}


def test_who_wants_to_talk_about_a_release_need_not_ask_for_it_so_loudly() -> None:
    release = heard({Kind.INTERVIEW: 0.8, Kind.ABOUT: 0.5}, {Kind.INTERVIEW: 0.8, Kind.ABOUT: 0.7})
    assert acts(said(Kind.ABOUT), release) == {Kind.ABOUT}
    assert acts(said(Kind.ABOUT), heard({Kind.INTERVIEW: 0.8, Kind.ABOUT: 0.3}, {Kind.INTERVIEW: 0.8, Kind.ABOUT: 0.7})) == set()
    assert acts(said(Kind.ABOUT), heard({Kind.EVENT: 0.8, Kind.ABOUT: 0.5}, {Kind.EVENT: 0.8, Kind.ABOUT: 0.7})) == set()


def test_a_place_on_the_list_that_the_phrases_hear_beside_a_release_is_asked_for_too() -> None:
    faint = {Kind.LATEST: 0.8, Kind.EVENT: -0.46}  # so that the phrases are not sure alone
    both = heard(faint | {Kind.SUBSCRIBE: 0.4}, {Kind.LATEST: 0.8})
    assert acts(said(Kind.LATEST, Kind.SUBSCRIBE), both) == {Kind.LATEST, Kind.SUBSCRIBE}
    assert acts(said(Kind.LATEST), both) == {Kind.LATEST}, "no phrase says so"
    assert acts(replace(said(Kind.LATEST, Kind.SUBSCRIBE), negated=True), both) == {Kind.LATEST}, "there is a not"
    assert acts(said(Kind.LATEST, Kind.SUBSCRIBE), heard(faint | {Kind.SUBSCRIBE: 0.3}, {Kind.LATEST: 0.8})) == {Kind.LATEST}
    near = heard(faint | {Kind.SUBSCRIBE: 0.4, Kind.UNSUBSCRIBE: -0.4}, {Kind.LATEST: 0.8})
    assert Kind.SUBSCRIBE not in acts(said(Kind.LATEST, Kind.SUBSCRIBE), near), "or off it"


def test_what_a_not_stands_beside_is_not_done() -> None:
    assert acts(said(denied=frozenset({Kind.UNSUBSCRIBE})), heard({Kind.UNSUBSCRIBE: 0.6})) == set()


def test_in_a_few_words_a_not_is_meant_however_sure_what_was_learned_is() -> None:
    """`Ne m'envoyez pas votre dernier communiqué.`"""
    assert acts(replace(said(negated=True), words=7), heard({Kind.LATEST: 1.5})) == set()
    assert acts(said(negated=True), heard({Kind.LATEST: 1.5})) == {Kind.LATEST}, "in thirty words it may belong to something else"


def test_the_release_that_photos_are_of_is_sent_only_where_it_is_asked_for_loudly() -> None:
    photos = {Kind.PHOTOS: 1.3}
    assert acts(said(Kind.PHOTOS), heard({Kind.PHOTOS: 0.5, Kind.LATEST: 0.55}, {**photos, Kind.LATEST: 0.9})) == set()
    assert acts(said(Kind.PHOTOS), heard({Kind.PHOTOS: 0.5, Kind.LATEST: 0.75}, {**photos, Kind.LATEST: 0.5})) == set()
    assert acts(said(Kind.PHOTOS), heard({Kind.PHOTOS: 0.5, Kind.LATEST: 0.75}, {**photos, Kind.LATEST: 0.9})) == {Kind.LATEST}


def test_a_persons_wish_that_one_sentence_says_most_counts_though_the_mail_says_it_faintly() -> None:
    own = heard({Kind.LATEST: 0.8, Kind.EVENT: -0.4}, {Kind.LATEST: 0.8, Kind.EVENT: 0.35})
    assert weigh(said(Kind.LATEST), own).wish(Kind.EVENT)
    assert not weigh(said(Kind.LATEST), heard({Kind.LATEST: 0.8, Kind.EVENT: -0.4}, {Kind.LATEST: 0.8})).wish(Kind.EVENT)
