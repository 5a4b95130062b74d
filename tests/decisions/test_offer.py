"""What is offered: words that work for this reader and this release, and titles to somebody whose wish none fits."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from mailbot.inbox.decision import decide
from mailbot.inbox.offer import words_for
from mailbot.inbox.outcome import HandOff, Variant
from mailbot.message.authentication import Authentication
from mailbot.message.incoming import IncomingMessage, parse
from tests.samples.littoral import CONTEXT, LANGUAGES, NOW

NOTHING_FITS = "Bonjour, pourriez-vous m'envoyer votre communiqué sur les girafes du zoo de Vincennes ?"


def words(given: Variant = Variant.FULL, others: tuple[str, ...] = ("en",), code: str = "fr", **can: bool) -> str:
    able = {"full": True, "pdf": True, "photos": False, "contact": True} | can
    return " ".join(one.word for one in words_for(LANGUAGES[code], given, others, **able))


@pytest.mark.parametrize(
    ("offered", "expected"),
    [
        (words(), "EN TEXTE PDF CONTACT STOP AIDE"),
        (words(code="en", others=("fr",)), "FR TEXT PDF CONTACT STOP HELP"),
        (words(others=()), "TEXTE PDF CONTACT STOP AIDE"),
        (words(others=("tlh",)), "TEXTE PDF CONTACT STOP AIDE"),
        (words(pdf=False), "EN TEXTE CONTACT STOP AIDE"),
        (words(full=False), "EN CONTACT STOP AIDE"),
        (words(photos=True), "EN TEXTE PDF PHOTOS CONTACT STOP AIDE"),
        (words(photos=True, full=False), "EN CONTACT STOP AIDE"),
        (words(Variant.PHOTOS, photos=True), "EN TEXTE PDF CONTACT STOP AIDE"),
        (words(Variant.PHOTO, photos=True), "EN TEXTE PDF PHOTOS CONTACT STOP AIDE"),
        (words(contact=False), "EN TEXTE PDF STOP AIDE"),
        (words(Variant.PDF), "EN TEXTE CONTACT STOP AIDE"),
        (words(Variant.HELP), "EN TEXTE PDF CONTACT STOP"),
    ],
)
def test_only_words_that_work_are_offered(offered: str, expected: str) -> None:
    assert offered == expected


def mail(text: str, *fields: str) -> IncomingMessage:
    head = ["Return-Path: <awa@radio.example>", "From: Awa <awa@radio.example>", "To: presse@littoral.example", "Message-ID: <1@r.example>"]
    message = parse("\r\n".join([*head, *fields, "Content-Type: text/plain; charset=utf-8", "", text]).encode())
    assert isinstance(message, IncomingMessage)
    return message


def handed(text: str = NOTHING_FITS, *fields: str, **context: Any) -> HandOff:
    got = decide(mail(text, *fields), replace(CONTEXT, **context), NOW).decision
    assert isinstance(got, HandOff)
    return got


@pytest.mark.parametrize("authentication", [Authentication.PASS, Authentication.NONE])
def test_whose_wish_no_release_fits_is_offered_the_newest_five(authentication: Authentication) -> None:
    got = handed(authentication=authentication)
    assert (str(got.reason), got.offer, len(got.offers)) == ("no-match", True, 5)


@pytest.mark.parametrize(
    "context",
    [
        pytest.param({"authentication": Authentication.FAIL}, id="a forged sender"),
        pytest.param({"authentication": Authentication.TEMPERROR}, id="an unproven one"),
        pytest.param({"junk": True}, id="junk"),
        pytest.param({"own_deliveries": ("d1",)}, id="who already writes with us"),
        pytest.param({"answers_today_address": 3}, id="past the cap of the address"),
        pytest.param({"answers_hour_domain": 20}, id="past the cap of the domain"),
        pytest.param({"answers_last_minute": 30}, id="past the cap of all"),
        pytest.param({"authentication": Authentication.NONE, "earlier_answers": (("", NOW - timedelta(days=6)),)}, id="offered before"),
    ],
)
def test_titles_are_offered_to_nobody_else(context: dict[str, Any]) -> None:
    assert not handed(**context).offer


@pytest.mark.parametrize(
    "text", ["Bonjour, quel temps fait-il ?", "Je ne veux pas du communiqué sur les girafes", "Aidez-moi, mon fils est en prison, pitié"]
)
def test_titles_are_offered_for_a_release_asked_for_and_nothing_else(text: str) -> None:
    assert not handed(text).offer


def test_a_machine_that_may_be_one_is_offered_nothing() -> None:
    assert not handed(NOTHING_FITS, "Precedence: bulk").offer
