"""What people spell differently is one thing to the search, and what the office keeps for a person goes to one."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from mailbot.inbox.decision import decide
from mailbot.inbox.outcome import HandOff
from mailbot.languages import Language
from mailbot.message.incoming import IncomingMessage, parse
from mailbot.releases.search import search
from mailbot.releases.search_index import build
from mailbot.releases.spelling import in_one_form, spellings
from tests.samples.littoral import CONTEXT, LANGUAGES, NOW, release

KNOWN = spellings([
    {"names": {"Programme Eau pour tous": ["PET", "eau pour tous"]}, "places": {"Ouagadougou": ["Ouaga"]}},
    {"topics": {"census": ["head count", "head"]}, "places": {"Sao Tomé": ["São Tomé e Príncipe"]}},
])  # fmt: skip


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("le communiqué sur le PET", "le communiqué sur le Programme Eau pour tous", id="an-abbreviation"),
        pytest.param("l'EAU pour Tous, à Ouaga !", "l'Programme Eau pour tous, à Ouagadougou !", id="capitals-and-two-in-a-text"),
        pytest.param("a head count of 12", "a census of 12", id="the-longest-first"),
        pytest.param("sao tome e principe", "Sao Tomé", id="accents"),
        pytest.param("Ouagalais, petit", "Ouagalais, petit", id="whole-words-alone"),
        pytest.param("eau pour", "eau pour", id="the-whole-spelling-alone"),
        pytest.param("", "", id="nothing"),
    ],
)
def test_each_spelling_becomes_the_form_that_stands_for_it(text: str, expected: str) -> None:
    assert in_one_form(text, KNOWN) == expected


def test_an_office_without_spellings_changes_nothing() -> None:
    assert in_one_form("Tombouctou", spellings([{}, {}])) == "Tombouctou"


def office(**section: object) -> dict[str, Language]:
    """The shipped languages with an office's own words in French."""
    return LANGUAGES | {"fr": replace(LANGUAGES["fr"], office=section)}


def test_a_release_is_found_by_any_spelling_whichever_it_uses_itself() -> None:
    shelf = [release("puits", "Des puits à Wagadugu"), release("marche", "Le marché de Ségou")]
    at = datetime(2026, 6, 1, tzinfo=UTC)
    with_spellings = build(shelf, at, office(places={"Ouagadougou": ["Ouaga", "Wagadugu"]}))
    for asked in ("Ouaga", "Wagadugu", "Ouagadougou"):
        (match,) = search(with_spellings, asked, at)
        assert (match.release, match.coverage) == ("puits", 1.0)
    assert search(build(shelf, at, office()), "Ouaga", at) == ()


def mail(text: str, subject: str = "") -> IncomingMessage:
    head = ("Return-Path: <awa@radio.example>", "From: awa@radio.example", "To: presse@littoral.example", "Message-ID: <1@radio.example>")
    found = parse("\r\n".join([*head, "Content-Type: text/plain; charset=utf-8", "", text]).encode())
    assert isinstance(found, IncomingMessage)
    return replace(found, subject=subject)


LATEST = "Bonjour, je voudrais votre dernier communiqué, svp."
SENSITIVE = ["attaque du 3 mars", "Affaire du Port"]


@pytest.mark.parametrize(
    ("text", "subject", "expected"),
    [
        pytest.param(LATEST, "", "latest-asked", id="another-topic"),
        pytest.param("Bonjour, votre dernier communiqué sur l’ATTAQUE du 3 mars, svp.", "", "sensitive-topic", id="in-the-text"),
        pytest.param(LATEST, "affaire du port", "sensitive-topic", id="in-the-subject"),
        pytest.param(LATEST + " Le port fait des affaires.", "", "latest-asked", id="the-words-in-another-order"),
        pytest.param(LATEST + " Affaire du portail.", "", "latest-asked", id="whole-words-alone"),
        pytest.param("Aidez-moi, mon fils a disparu dans l'attaque du 3 mars.", "", "call-for-help", id="a-call-for-help-stays-one"),
    ],
)
def test_what_the_office_keeps_for_a_person_goes_to_a_person(text: str, subject: str, expected: str) -> None:
    decided = decide(mail(text, subject), replace(CONTEXT, languages=office(sensitive=SENSITIVE)), NOW)
    assert decided.decision.reason == expected
    if expected == "sensitive-topic":
        assert isinstance(decided.decision, HandOff) and decided.decision.draft is None
        assert decided.evidence[0] in SENSITIVE


def test_in_a_language_whose_folder_lacks_something_nothing_is_answered() -> None:
    assert decide(mail(LATEST), replace(CONTEXT, unready_languages=frozenset({"en"})), NOW).decision.reason == "latest-asked"
    assert decide(mail(LATEST), replace(CONTEXT, unready_languages=frozenset({"fr"})), NOW).decision.reason == "language-not-ready"
