"""One word in reply to a mail of ours: which variant of which release goes back, to whom, how often, and what is left to a person."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from mailbot.inbox.answer_back import reference
from mailbot.inbox.decision import decide
from mailbot.inbox.explanation import actions
from mailbot.inbox.outcome import Caps, Decided, HandOff, SendRelease, Variant
from mailbot.inbox.reason import Reason
from mailbot.message.authentication import Authentication
from mailbot.message.incoming import IncomingMessage, parse
from mailbot.outbox.delivery import Kind, OurMail
from mailbot.releases.release import Edition, Release, State
from tests.samples.littoral import CONTEXT, NOW

PASS, NONE = Authentication.PASS, Authentication.NONE
OURS = "d1"
PONT = "telephone-vert"
SENT = OurMail(
    id=OURS, kind=Kind.ANSWER, recipient_key="awa@radio.example", release=PONT, edition=PONT, language="fr",
    mentions=("tortues", "requins"),
)  # fmt: skip
OFFER = replace(SENT, release="", edition="", mentions=("tortues", "requins", PONT))


def reply(text: str, *, named: str = OURS, subject: str = "Re: Votre communiqué", sender: str = "awa@radio.example") -> IncomingMessage:
    head = [f"Return-Path: <{sender}>", f"From: Awa <{sender}>", "To: presse@littoral.example", "Message-ID: <2@radio.example>"]
    answered = [f"In-Reply-To: <mb.{named}.0a@littoral.example>"] if named else []
    message = parse("\r\n".join([*head, *answered, "Content-Type: text/plain; charset=utf-8", "", text]).encode())
    assert isinstance(message, IncomingMessage)
    return replace(message, subject=subject)


def decided(message: IncomingMessage, ours: OurMail = SENT, now: datetime = NOW, **context: Any) -> Decided:
    given = {"own_deliveries": (ours.id,), "our_mails": (ours,), **context}
    return decide(message, replace(CONTEXT, **given), now)


def sent(message: IncomingMessage, ours: OurMail = SENT, **context: Any) -> SendRelease:
    (got,) = decided(message, ours, **context).decisions
    assert isinstance(got, SendRelease)
    return got


def passed_on(message: IncomingMessage, ours: OurMail = SENT, **context: Any) -> str:
    (got,) = decided(message, ours, **context).decisions
    assert isinstance(got, HandOff)
    assert not got.offer
    return str(got.reason)


@pytest.mark.parametrize(
    ("text", "edition", "variant", "spoken"),
    [
        ("PDF", PONT, Variant.PDF, "fr"),
        ("Texte.\n\nAwa", PONT, Variant.TEXT, "fr"),
        ("TEXT", PONT, Variant.TEXT, "fr"),
        ("contact", PONT, Variant.CONTACT, "fr"),
        ("AIDE", PONT, Variant.HELP, "fr"),
        ("HELP\n\nMerci", PONT, Variant.HELP, "fr"),
        ("EN", f"{PONT}-en", Variant.FULL, "en"),
        ("version anglaise", f"{PONT}-en", Variant.FULL, "en"),
        ("FR", PONT, Variant.FULL, "fr"),
        ("1", "tortues", Variant.FULL, "fr"),
        ("n° 2", "requins", Variant.FULL, "fr"),
    ],
)
def test_a_word_gives_that_variant_of_that_release(text: str, edition: str, variant: Variant, spoken: str) -> None:
    whole = decided(reply(text))
    (got,) = whole.decisions
    assert isinstance(got, SendRelease)
    assert (got.edition, got.variant, got.why, got.reason, got.full) == (edition, variant, "answer-back", Reason.ANSWER_BACK, True)
    assert (whole.language, whole.evidence) == (spoken, (text.splitlines()[0],))


def test_an_edition_that_there_is_not_is_said_to_be_missing() -> None:
    got = sent(reply("EN"), replace(SENT, release="tortues", edition="tortues"))
    assert (got.edition, got.variant) == ("tortues", Variant.EDITIONS)


def test_a_language_whose_folder_has_gone_is_not_written_in() -> None:
    assert decided(reply("PDF"), replace(SENT, language="tlh")).language == "fr"


@pytest.mark.parametrize("text", ["3", "0", "999"])
def test_a_number_that_was_not_on_the_list_is_for_a_person(text: str) -> None:
    assert passed_on(reply(text)) == "reply-to-ours"


def test_titles_that_were_offered_are_to_be_had_by_their_numbers_and_nothing_else_of_that_mail() -> None:
    assert sent(reply("3"), OFFER).edition == PONT
    assert [passed_on(reply(text), OFFER) for text in ("PDF", "EN", "AIDE")] == ["reply-to-ours"] * 3


@pytest.mark.parametrize("text", ["PHOTOS", "PHOTO 3", "les photos"])
def test_photos_are_for_a_person_who_is_told_the_release(text: str) -> None:
    assert decided(reply(text)).decision == HandOff(reason=Reason.PHOTOS, why="photos", offers=(PONT,))


@pytest.mark.parametrize("text", ["STOP", "OUI", "NON", "PLUS TARD 15h", "RETOUR"])
def test_words_about_the_list_and_about_cases_are_not_answered_here(text: str) -> None:
    assert all(not isinstance(one, SendRelease) for one in decided(reply(text)).decisions)


@pytest.mark.parametrize(
    "text",
    [
        "Pouvez-vous m'envoyer le PDF de vos comptes ?",
        "J'ai besoin d'aide pour ouvrir le PDF",
        "PDF illisible chez moi, que faire ?",
        "Il y a 2 fautes dans votre texte",
        "Bonjour,\n\nPDF",
    ],
)
def test_a_word_inside_a_sentence_gives_no_variant(text: str) -> None:
    assert all(not isinstance(one, SendRelease) or one.variant is Variant.FULL for one in decided(reply(text)).decisions)
    assert all(str(one.reason) != "answer-back" for one in decided(reply(text)).decisions)


def test_a_word_in_reply_to_nothing_of_ours_is_no_answer_back_word() -> None:
    assert str(decide(reply("PDF", named=""), CONTEXT, NOW).decision.reason) != "answer-back"


@pytest.mark.parametrize("kind", [Kind.HAND_OFF, Kind.DIGEST, Kind.CONFIRMATION])
def test_a_mail_of_ours_that_brings_no_release_has_no_variants(kind: Kind) -> None:
    assert all(not isinstance(one, SendRelease) for one in decided(reply("PDF"), replace(SENT, kind=kind)).decisions)


def test_a_plea_below_the_word_is_a_plea() -> None:
    got = decided(reply("PDF\n\nAidez-moi, mon fils est en prison en Libye, je vous en supplie")).decision
    assert isinstance(got, HandOff)
    assert got.reason is Reason.CALL_FOR_HELP


def test_thanks_and_a_name_below_the_word_are_only_that() -> None:
    assert sent(reply("PDF\n\nMerci beaucoup et bonne journée,\nAwa Traoré")).variant is Variant.PDF


def test_a_long_text_below_the_word_is_read_by_a_person_and_the_word_is_done() -> None:
    below = "Merci encore à toute la rédaction pour la rapidité, et bonne fin de semaine à vous tous de la part de Radio Rurale."
    got = decided(reply(f"PDF\n\n{below}")).decisions
    assert [type(one) for one in got] == [SendRelease, HandOff]
    assert str(got[1].reason) == "reply-to-ours"


def test_the_nearest_mail_of_ours_counts() -> None:
    newer = replace(SENT, id="d2", release="tortues", edition="tortues", mentions=())
    both = {"our_mails": (SENT, newer), "own_deliveries": ("d1", "d2")}
    assert sent(reply("PDF", named="d2"), **both).edition == "tortues"
    references = "<a@b.example>", "<mb.d1.0a@littoral.example>", "<c@d.example>", "<mb.d2.0a@littoral.example>"
    assert sent(replace(reply("PDF", named=""), references=references), **both).edition == "tortues"


@pytest.mark.parametrize(
    ("subject", "slug"),
    [
        (f"Re: Communiqué de presse : Un pont [{PONT}]", PONT),
        (f"RE: [EXTERNE] Un pont [{PONT}]", PONT),
        ("Re: [EXT] Un pont", ""),
        ("Re: Un pont [../../etc]", ""),
        ("[" * 5000, ""),
    ],
)
def test_a_subject_names_the_edition_in_square_brackets(subject: str, slug: str) -> None:
    assert reference(subject) == slug


def test_where_no_message_id_is_left_the_subject_tells_the_release_to_an_authenticated_sender_alone() -> None:
    bare = reply("PDF", named="", subject=f"Re: Le numéro vert [{PONT}]")
    assert sent(bare, own_deliveries=()).variant is Variant.PDF
    assert passed_on(bare, own_deliveries=(), authentication=NONE) == "asked-again"
    assert all(not isinstance(one, SendRelease) for one in decided(replace(bare, subject="Re: [tortues]"), own_deliveries=()).decisions)


def test_a_word_from_somebody_who_never_got_the_mail_is_for_a_person() -> None:
    assert passed_on(reply("PDF", sender="bob@radio.example")) == "reply-to-ours"


@pytest.mark.parametrize(
    ("authentication", "expected"),
    [(Authentication.FAIL, "authentication-failed"), (Authentication.TEMPERROR, "authentication-unavailable")],
)
def test_a_forged_word_gives_nothing(authentication: Authentication, expected: str) -> None:
    assert passed_on(reply("PDF"), authentication=authentication) == expected


def test_an_unauthenticated_sender_who_has_our_mail_gets_the_short_form() -> None:
    assert sent(reply("EN"), authentication=NONE).full is False
    assert passed_on(replace(reply("EN"), return_path="other@path.example"), authentication=NONE) == "sender-unconfirmed"
    assert passed_on(reply("EN"), junk=True) == "junk"


@pytest.mark.parametrize(
    ("before", "authentication", "expected"),
    [
        ([(PONT, "full")], PASS, False),
        ([(PONT, "full")], NONE, False),
        ([(PONT, "full"), (PONT, "pdf")], PASS, True),
        ([(PONT, "full"), (PONT, "pdf")], NONE, None),
        ([(PONT, "pdf"), (PONT, "pdf")], PASS, None),
        ([(f"{PONT}-en", "pdf"), ("tortues", "pdf"), (PONT, "text")], PASS, False),
    ],
)
def test_each_variant_of_each_edition_goes_twice_at_most(before: Any, authentication: Authentication, expected: bool | None) -> None:
    context = {"earlier_variants": tuple(before), "authentication": authentication}
    if expected is None:
        assert passed_on(reply("PDF"), **context) == "asked-again"
    else:
        assert sent(reply("PDF"), **context).repeat is expected


@pytest.mark.parametrize(
    ("counts", "expected"),
    [
        ({"answers_today_address": 3}, "cap-address"),
        ({"answers_hour_domain": 5}, "cap-domain"),
        ({"answers_last_minute": 6}, "cap-minute"),
    ],
)
def test_these_answers_stand_under_the_same_caps(counts: dict[str, int], expected: str) -> None:
    caps = Caps(answers_per_address_per_day=3, answers_per_domain_per_hour=5, answers_per_minute=6)
    assert passed_on(reply("PDF"), caps=caps, **counts) == expected


OPENS = datetime(2026, 6, 1, 8, tzinfo=UTC)


def edition(slug: str, language: str, **more: Any) -> Edition:
    values = {"release": "lac", "title": "Le lac", "body": "Texte.", "date": date(2026, 1, 1), "state": State.PUBLISHED, **more}
    return Edition(slug=slug, language=language, **values)


LAC = replace(SENT, release="lac", edition="lac", mentions=())


def test_what_has_been_withdrawn_since_is_not_to_be_had_by_any_word() -> None:
    gone = {"lac": Release("lac", (edition("lac", "fr", state=State.WITHDRAWN), edition("lac-en", "en", state=State.WITHDRAWN)))}
    words = ("PDF", "TEXTE", "EN", "CONTACT", "AIDE", "PHOTOS")
    assert [passed_on(reply(word), LAC, releases=gone) for word in words] == ["withdrawn"] * len(words)
    assert passed_on(reply("1"), replace(OFFER, mentions=("lac",)), releases=gone) == "withdrawn"


def test_an_embargo_is_asked_again_at_the_moment_of_the_word() -> None:
    held = {"lac": Release("lac", (edition("lac", "fr"), edition("lac-en", "en", embargo=OPENS)))}
    assert passed_on(reply("EN"), LAC, releases=held, now=OPENS - timedelta(seconds=1)) == "no-match"
    assert sent(reply("EN"), LAC, releases=held, now=OPENS).edition == "lac-en"


def test_a_draft_in_the_language_asked_for_is_no_edition() -> None:
    half = {"lac": Release("lac", (edition("lac", "fr"), edition("lac-en", "en", state=State.DRAFT)))}
    assert sent(reply("EN"), LAC, releases=half).variant is Variant.EDITIONS


def test_explain_names_the_variant() -> None:
    (shown,) = actions(decided(reply("PDF")))
    assert (shown["type"], shown["release"], shown["variant"], shown["why"]) == ("send_release", PONT, "pdf", "answer-back")
