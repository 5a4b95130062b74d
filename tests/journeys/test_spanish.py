"""A language that is no part of mailbot: Spanish, from folders outside the package, understood and answered on real servers."""

from datetime import date
from pathlib import Path
from typing import Any

import pytest

from mailbot.releases.release import Edition
from tests.journeys.office import COLLEAGUE, EDITIONS, FOUNTAIN, MARKET, Office, read, text_of
from tests.servers.relay import LoopbackRelay

SPANISH = Path(__file__).parents[1] / "samples" / "espanol"
FOLDERS: dict[str, Any] = {
    "organisation": {"languages": ["fr", "en", "es"]},
    "folders": {"languages": str(SPANISH / "languages"), "templates": str(SPANISH / "templates")},
}
EN_ESPANOL = Edition(
    slug=f"{FOUNTAIN}-es", release=FOUNTAIN, language="es", title="La gran fuente vuelve a manar", date=date(2026, 5, 4), place="Velmora",
    body="Velmora – La gran fuente vuelve a manar tras dos años de obras.\n\nLas obras costaron 44 697 florines.",
    contact="Prensa: presse@office.example",
)  # fmt: skip
LATEST = "Buenos días:\n\n¿Podrían enviarme su último comunicado de prensa?\n\nMuchas gracias de antemano,\nLucía Prieto"
TOPIC = "Hola, soy periodista de Radio Sierra. ¿Podrían enviarme el comunicado sobre el surtidor?\n\nGracias"


@pytest.fixture
def spanish_office(office: Office) -> Office:
    office.configure(FOLDERS)
    office.publish(*EDITIONS, EN_ESPANOL)
    return office


async def test_a_request_in_spanish_is_answered_in_spanish_with_the_spanish_edition(spanish_office: Office, relay: LoopbackRelay) -> None:
    spanish_office.ask(LATEST, sender="Lucía Prieto <lucia@diario.example>", subject="Solicitud")
    await spanish_office.once()
    (got,) = relay.mails
    answer, said = read(got.content), text_of(got.content)
    assert (got.recipient, answer["X-Mailbot-Release"], answer["Content-Language"]) == ("lucia@diario.example", f"{FOUNTAIN}-es", "es")
    assert "Este es nuestro último comunicado de prensa, completo." in said
    assert "4 de mayo de 2026" in said
    assert "44 697 florines" in said
    assert spanish_office.unsound() == []


async def test_another_word_for_a_topic_finds_the_release_where_the_office_lists_it(spanish_office: Office, relay: LoopbackRelay) -> None:
    spanish_office.ask(TOPIC, sender="Bo <bo@sierra.example>", subject="Comunicado")
    await spanish_office.once()
    assert read(relay.mails[0].content)["X-Mailbot-Release"] == f"{FOUNTAIN}-es", spanish_office.account()


async def test_a_release_without_a_spanish_edition_comes_with_a_spanish_word_that_says_so(
    spanish_office: Office, relay: LoopbackRelay
) -> None:
    spanish_office.ask("Buenos días, ¿podrían enviarme el comunicado del 2 de marzo de 2026?\n\nGracias", sender="Bo <bo@sierra.example>")
    await spanish_office.once()
    assert read(relay.mails[0].content)["X-Mailbot-Release"] == MARKET
    assert "No tenemos este comunicado en español; esta es la versión francesa." in text_of(relay.mails[0].content)


KEPT = {
    "sensitive-topic": "Hola, ¿podrían enviarme el comunicado sobre el incendio del puerto?\n\nGracias",
    "interview": "Buenas tardes: quisiéramos una entrevista con su portavoz para la radio.\n\nGracias",
    "call-for-help": "Por favor ayúdenme, mi hijo está detenido y no tenemos noticias.\n",
}


@pytest.mark.parametrize(("reason", "text"), KEPT.items(), ids=KEPT)
async def test_what_a_person_has_to_answer_goes_to_one_in_spanish_too(
    spanish_office: Office, relay: LoopbackRelay, reason: str, text: str
) -> None:
    spanish_office.ask(text, sender="Bo <bo@sierra.example>")
    await spanish_office.once()
    assert [(row["reason"], row["language"]) for row in spanish_office.mails()] == [(reason, "es")]
    assert [got.recipient for got in spanish_office.taken(relay)] == [COLLEAGUE]


async def test_without_a_complete_folder_a_mail_in_spanish_goes_to_a_person(office: Office, relay: LoopbackRelay, tmp_path: Path) -> None:
    office.configure({"folders": {"languages": FOLDERS["folders"]["languages"]}})  # the words, and no templates
    office.publish(*EDITIONS, EN_ESPANOL)
    office.ask(LATEST, sender="Bo <bo@sierra.example>")
    await office.once()
    assert [row["reason"] for row in office.mails()] == ["language-not-ready"]
    assert [got.recipient for got in office.taken(relay)] == [COLLEAGUE]
    assert [row["language"] for row in office.deliveries("acknowledgement")] == ["fr"], "there are no words in Spanish"
