"""Photos by a word or by a plain wish: of which release, to whom, which of them; and all that is left to a person."""

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from mailbot.inbox.decision import decide
from mailbot.inbox.explanation import actions
from mailbot.inbox.kept_draft import kept, taken_up
from mailbot.inbox.outcome import Decided, HandOff, SendRelease, Variant
from mailbot.message.authentication import Authentication
from mailbot.message.incoming import IncomingMessage
from mailbot.releases.photo import Photo
from mailbot.releases.release import State
from tests.decisions.test_answer_back import PONT, SENT, reply
from tests.samples.littoral import CONTEXT, NOW, RELEASES

NEWEST = PONT
ENDS = NOW + timedelta(days=1)


def photo(number: int, **more: Any) -> Photo:
    given = {"release": "r", "media_type": "image/jpeg", "width": 3, "height": 2, "octets": 9, "content_hash": "ab", **more}
    return Photo(number=number, **given)


PHOTOS = (photo(1), photo(2, consent_ends=NOW), photo(5, consent_ends=ENDS))
WITH_PHOTOS = {slug: replace(release, photos=PHOTOS) for slug, release in RELEASES.items()}
OFFICE = replace(CONTEXT, releases=WITH_PHOTOS)


def decided(message: IncomingMessage, **context: Any) -> Decided:
    return decide(message, replace(OFFICE, **context), context.pop("now", NOW))


def answering(text: str, **context: Any) -> Decided:
    return decided(reply(text), own_deliveries=(SENT.id,), our_mails=(SENT,), **context)


def asking(text: str, **context: Any) -> Decided:
    return decided(reply(text, named="", subject="Demande"), **context)


def kinds(got: Decided) -> list[str]:
    return [f"{one.edition} {one.wanted}" if isinstance(one, SendRelease) else f"person: {one.reason}" for one in got.decisions]


@pytest.mark.parametrize(
    ("text", "variant", "photos"),
    [
        ("PHOTOS", Variant.PHOTOS, (1, 5)),
        ("Les photos", Variant.PHOTOS, (1, 5)),
        ("PHOTO 5", Variant.PHOTO, (5,)),
        ("photo 1.", Variant.PHOTO, (1,)),
    ],
)
def test_a_word_gives_the_photos_whose_consent_stands(text: str, variant: Variant, photos: tuple[int, ...]) -> None:
    (got,) = answering(text).decisions
    assert isinstance(got, SendRelease)
    assert (got.edition, got.variant, got.photos, got.full, got.why) == (PONT, variant, photos, True, "photos")


@pytest.mark.parametrize("text", ["PHOTO 2", "PHOTO 3", "PHOTO 999"])
def test_a_photo_that_may_not_be_shown_or_is_not_there_is_for_a_person(text: str) -> None:
    got = answering(text).decision
    assert isinstance(got, HandOff)
    assert (str(got.reason), got.offers) == ("photos", (PONT,))


def test_without_a_photo_that_may_be_shown_the_word_is_for_a_person() -> None:
    over = {slug: replace(release, photos=(photo(2, consent_ends=NOW),)) for slug, release in RELEASES.items()}
    assert kinds(answering("PHOTOS", releases=over)) == ["person: photos"]


@pytest.mark.parametrize("authentication", [Authentication.NONE, Authentication.FAIL])
@pytest.mark.parametrize("text", ["PHOTOS", "PHOTO 1", "Merci ! Auriez-vous des photos ?"])
def test_photos_go_to_nobody_but_a_sender_whose_domain_vouches_for_him(authentication: Authentication, text: str) -> None:
    assert all(isinstance(one, HandOff) for one in answering(text, authentication=authentication).decisions)


def test_each_photo_goes_twice_at_most_and_one_is_not_counted_for_another() -> None:
    before = ((PONT, "photo-1"), (PONT, "photo-1"), (PONT, "photos"))
    assert kinds(answering("PHOTO 1", earlier_variants=before)) == ["person: asked-again"]
    assert kinds(answering("PHOTO 5", earlier_variants=before)) == [f"{PONT} photo-5"]
    assert kinds(answering("PHOTOS", earlier_variants=before)) == [f"{PONT} photos"]
    assert kinds(answering("Merci ! Et des photos ?", earlier_variants=(*before, (PONT, "photos")))) == ["person: photos"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Bonjour, auriez-vous des photos en haute définition pour illustrer votre dernier communiqué ?", [f"{NEWEST} photos"]),
        ("Could you send me the photos of your latest press release please?", [f"{NEWEST}-en photos"]),
        ("Hello, do you have photos for your release on the oil spill?", ["maree-noire-en photos"]),
        ("Pourriez-vous m'envoyer les photos du communiqué sur le phare ?", ["phare photos"]),
        ("Bonjour, je prépare un article sur votre dernier communiqué : pouvez-vous m'envoyer les photos ?", [f"{NEWEST} photos"]),
    ],
)
def test_a_plain_wish_for_photos_of_a_release_that_it_names_is_granted(text: str, expected: list[str]) -> None:
    assert kinds(asking(text)) == expected


@pytest.mark.parametrize(
    "text",
    [
        "Auriez-vous des photos libres de droits ?",
        "Bonjour, avez-vous des photos des tortues ?",
        "Bonjour, je cherche des photos de votre directeur. Merci",
        "Vos photos du communiqué sur les requins sont floues.",
        "N'envoyez pas de photos de votre dernier communiqué, merci.",
        "Puis-je utiliser les photos de votre dernier communiqué à des fins commerciales ?",
        "Photos de votre dernier communiqué svp. Combien coûtent-elles ?",
        "Des photos de votre dernier communiqué svp, et une interview de la directrice.",
        "We need the release on the oil spill, plus two or three pictures of the tarpaulins being handed out.",
        "Please delete the photos of my daughter from your release on the turtles",
        "Could you delete the photos of your latest press release please?",
        "Could you correct the photos of your latest press release please?",
        "Could you explain the photos of your latest press release please?",
        "Could you remove the photos of your latest press release please?",
        "Pouvez-vous supprimer les photos de votre dernier communiqué ?",
        "Pouvez-vous corriger les photos de votre dernier communiqué ?",
        "Pouvez-vous expliquer les photos de votre dernier communiqué ?",
        "Pourquoi les photos de votre dernier communiqué sont-elles si vieilles ?",
        "Envoyez les photos de votre dernier communiqué à bob@journal.example svp",
    ],
)
def test_any_other_wish_for_photos_is_a_persons(text: str) -> None:
    assert all(isinstance(one, HandOff) for one in asking(text).decisions)


@pytest.mark.parametrize(
    "text",
    [
        "Merci ! Auriez-vous aussi des photos ?",
        "Des photos svp",
        "Hi, could you send the photos too please?",
        "Avez-vous des photos pour ce communiqué ?",
    ],
)
def test_a_short_reply_that_names_nothing_means_the_release_that_it_answers(text: str) -> None:
    (got,) = answering(text).decisions
    assert isinstance(got, SendRelease)
    assert (got.edition, got.variant, got.photos) == (PONT, Variant.PHOTOS, (1, 5))


@pytest.mark.parametrize(
    "text",
    [
        "Merci. Avez-vous des photos des tortues ?",
        "Photo needed of sharks for our magazine cover",
        "Could you send me the photos of your latest press release on turtles please?",
        "Je prépare un sujet sur les baleines de Sainte-Marie. Pourriez-vous m'envoyer des photos ?",
        "Vos photos sont floues, merci d'en envoyer d'autres.",
    ],
)
def test_a_reply_that_may_mean_something_else_is_a_persons(text: str) -> None:
    assert all(isinstance(one, HandOff) for one in answering(text).decisions)


def test_a_wish_in_reply_counts_from_the_recipient_of_our_mail_alone() -> None:
    stranger = reply("Merci ! Auriez-vous des photos ?", sender="bob@radio.example")
    assert kinds(decided(stranger, own_deliveries=(SENT.id,), our_mails=(SENT,))) == ["person: photos"]


def test_of_a_release_that_is_not_public_no_photo_goes() -> None:
    hidden = {
        slug: replace(release, editions=tuple(replace(one, state=State.WITHDRAWN) for one in release.editions)) if slug == PONT else release
        for slug, release in WITH_PHOTOS.items()
    }
    for text in ("PHOTOS", "PHOTO 1", "Merci ! Et des photos ?"):
        assert all(isinstance(one, HandOff) for one in answering(text, releases=hidden).decisions)


@pytest.mark.parametrize("context", [{"junk": True}, {"answers_today_address": 3}, {"answers_stopped": True}, {"silenced": True}])
def test_a_wish_for_photos_stands_under_the_same_brakes_as_any_other(context: dict[str, Any]) -> None:
    assert all(isinstance(one, HandOff) for one in asking("Les photos de votre dernier communiqué svp", **context).decisions)


def test_explain_names_the_photos() -> None:
    (shown,) = actions(answering("PHOTO 5"))
    assert (shown["type"], shown["release"], shown["why"]) == ("send_release", PONT, "photos")
    assert (shown["variant"], shown["photos"]) == ("photo", [5])


def test_a_kept_draft_is_the_same_decision_when_a_colleague_says_yes() -> None:
    (got,) = answering("PHOTO 5").decisions
    assert isinstance(got, SendRelease)
    assert taken_up(json.loads(json.dumps(kept(got)))) == got
