"""A journalist's mail to its answer, or to a person: the loop on real servers."""

from datetime import UTC, datetime, timedelta

from mailbot.releases.release import Edition
from tests.journeys.office import COLLEAGUE, FOUNTAIN, LATEST, MARKET, UNCLEAR, Office, read, request, text_of
from tests.servers.relay import LoopbackRelay


async def test_a_request_in_french_is_answered_with_the_french_edition_and_filed(office: Office, relay: LoopbackRelay) -> None:
    async with office.running():
        office.ask(LATEST, subject="Communiqué", headers={"References": "<thread.1@journal.example>"})
        await office.settled(1)
    (got,) = relay.mails
    answer, asked = read(got.content), read(office.dovecot.mails(office.address, "mailbot")[0])
    assert (got.sender, got.recipient, relay.tried) == (office.address, "awa@journal.example", {"awa@journal.example": 1})
    assert answer["In-Reply-To"] == asked["Message-ID"]
    assert answer["References"].split() == ["<thread.1@journal.example>", asked["Message-ID"]]
    assert answer["Auto-Submitted"] == "auto-replied"
    assert answer["X-Auto-Response-Suppress"] == "OOF, AutoReply"
    assert answer["X-Mailbot-Release"] == FOUNTAIN
    assert (answer["From"].addresses[0].addr_spec, answer["To"].addresses[0].addr_spec) == (office.address, "awa@journal.example")
    assert answer["Cc"] is answer["Bcc"] is None
    assert "La grande fontaine est rouverte" in text_of(got.content)
    assert "44 697 florins" in text_of(got.content)


ASKED = {
    "topic-in-english@journal.example": ("Hello,\n\nCould you send me your press release about the fountain?\n\nThanks", f"{FOUNTAIN}-en"),
    "topic-in-french@paper.example": ("Bonjour,\n\nPourriez-vous m'envoyer le communiqué sur le marché de nuit ?\n", MARKET),
    "date@radio.example": ("Bonjour,\n\nPourriez-vous m'envoyer le communiqué du 2 mars 2026 ?\n", MARKET),
    "latest-in-english@wire.example": ("Hello,\n\nCould you please send me your latest press release?\n\nThanks", f"{FOUNTAIN}-en"),
}


async def test_what_is_asked_for_comes_in_the_language_it_is_asked_in(office: Office, relay: LoopbackRelay) -> None:
    for sender, (text, _) in ASKED.items():
        office.ask(text, sender=sender)
    await office.once()
    assert editions_sent(relay) == {sender: edition for sender, (_, edition) in ASKED.items()}


async def test_two_releases_that_one_mail_names_come_in_two_mails_once_each(office: Office, relay: LoopbackRelay) -> None:
    office.ask("Bonjour,\n\nIl me manque deux de vos communiqués : celui sur la grande fontaine, et celui sur le marché de nuit.\n")
    await office.once()
    await office.once()
    assert sorted(str(read(got.content)["X-Mailbot-Release"]) for got in relay.mails) == sorted([FOUNTAIN, MARKET])
    assert {got.recipient for got in relay.mails} == {"awa@journal.example"}
    assert office.unsound() == []


def editions_sent(relay: LoopbackRelay) -> dict[str, str | None]:
    """Who got which edition."""
    return {got.recipient: read(got.content)["X-Mailbot-Release"] for got in relay.mails}


async def test_an_authenticated_sender_gets_text_and_html_and_the_own_subject_back(office: Office, relay: LoopbackRelay) -> None:
    office.ask(LATEST, subject="Ma question no 7")
    await office.once()
    answer = read(relay.mails[0].content)
    assert answer["Subject"] == "Re: Ma question no 7"
    assert [part.get_content_type() for part in answer.walk() if not part.is_multipart()] == ["text/plain", "text/html"]


async def test_an_unauthenticated_sender_gets_the_short_text_and_none_of_his_own_words(office: Office, relay: LoopbackRelay) -> None:
    office.ask(LATEST, subject="Bonnes affaires", vouched=False)
    await office.once()
    (got,) = relay.mails
    answer = read(got.content)
    assert answer.get_content_type() == "text/plain"
    assert answer["Subject"] == f"Communiqué de presse : La grande fontaine est rouverte [{FOUNTAIN}]"
    assert b"affaires" not in got.content
    assert len(got.content) < 8 << 10


async def test_an_unauthenticated_sender_whose_return_path_is_another_gets_no_answer(office: Office, relay: LoopbackRelay) -> None:
    office.deliver(request(office.address, LATEST, vouched=False), sender="somebody@else.example")
    await office.once()
    assert [got.recipient for got in relay.mails] == [COLLEAGUE]


async def test_what_is_not_understood_goes_to_a_person_with_the_original(office: Office, relay: LoopbackRelay) -> None:
    asked = request(office.address, UNCLEAR, subject="Hirondelles")
    office.deliver(asked)
    await office.once()
    (got,) = office.taken(relay)
    note = read(got.content)
    assert got.recipient == COLLEAGUE
    assert (note["Auto-Submitted"], note["Reply-To"]) == (None, office.address), "an absent colleague's machine may say so"
    (original,) = note.iter_attachments()
    assert original.get_filename() == "original.eml"
    assert original["Content-Transfer-Encoding"] == "base64"
    assert original.get_content().endswith(asked)
    assert (office.lying(), office.lying("mailbot"), office.lying("mailbot/attention")) == (0, 0, 1)


async def test_an_automatic_reply_is_met_with_silence_and_filed(office: Office, relay: LoopbackRelay) -> None:
    office.ask(LATEST, headers={"Auto-Submitted": "auto-replied"})
    await office.once()
    assert relay.mails == []
    assert office.deliveries() == []
    assert (office.lying(), office.lying("mailbot")) == (0, 1)
    assert office.unsound() == []


async def test_our_own_answer_that_comes_back_is_not_answered(office: Office, relay: LoopbackRelay) -> None:
    office.ask(LATEST)
    await office.once()
    office.deliver(relay.mails[0].content, sender=office.address)
    await office.once()
    assert len(relay.mails) == 1
    assert [row["outcome"] for row in office.mails()] == ["send_release", "ignore"]


OPENS = datetime(2026, 6, 1, 8, 0, tzinfo=UTC)
UNDER_EMBARGO = Edition(
    slug="pont-cousu", release="pont-cousu", language="fr", title="Un pont de corde relie les deux rives",
    date=datetime(2026, 6, 1, tzinfo=UTC), place="Velmora", embargo=OPENS,
    body="Velmora – Le pont de corde sera ouvert aux piétons.\n\nIl porte quatre-vingts personnes à la fois.",
)  # fmt: skip
WAYS_TO_ASK = {
    "latest@journal.example": LATEST,
    "topic@paper.example": "Bonjour,\n\nPourriez-vous m'envoyer votre communiqué sur le pont de corde ?\n",
    "title@radio.example": "Bonjour,\n\nPourriez-vous m'envoyer le communiqué « Un pont de corde relie les deux rives » ?\n",
    "date@wire.example": "Bonjour,\n\nPourriez-vous m'envoyer le communiqué du 1er juin 2026 ?\n",
}
BY_SLUG = "Bonjour,\n\nPourriez-vous m'envoyer le communiqué pont-cousu ?\n"


async def test_a_release_under_embargo_is_not_to_be_had_before_its_instant_by_any_way_of_asking(
    office: Office, relay: LoopbackRelay
) -> None:
    office.publish(UNDER_EMBARGO)
    ways = {**WAYS_TO_ASK, "slug@zine.example": BY_SLUG}
    for sender, text in ways.items():
        office.ask(text, sender=sender)
    await office.once(lambda: OPENS - timedelta(seconds=1))
    assert len(office.taken(relay)) == len(ways) + 4  # four ways find nothing: a colleague has the mail, and the sender is offered titles
    for got in office.taken(relay):
        said = everything_in(got.content)
        assert "quatre-vingts" not in said
        assert UNDER_EMBARGO.title not in said or "Un pont de corde relie les deux rives » ?" in said
        assert read(got.content)["X-Mailbot-Release"] != "pont-cousu"


def everything_in(raw: bytes) -> str:
    """Every text of a mail, and every attachment, decoded."""
    parts = (part.get_payload(decode=True) for part in read(raw).walk() if not part.is_multipart())
    return "\n".join(bytes(part).decode() for part in parts)


async def test_a_release_is_to_be_had_from_the_very_instant_its_embargo_ends(office: Office, relay: LoopbackRelay) -> None:
    office.publish(UNDER_EMBARGO)
    for sender, text in WAYS_TO_ASK.items():
        office.ask(text, sender=sender)
    await office.once(lambda: OPENS)
    assert editions_sent(relay) == dict.fromkeys(WAYS_TO_ASK, "pont-cousu")
    assert all("quatre-vingts personnes" in text_of(got.content) for got in relay.mails)


async def test_a_running_mailbot_opens_an_embargo_by_the_clock_alone(office: Office, relay: LoopbackRelay) -> None:
    office.publish(UNDER_EMBARGO)
    shown = [OPENS - timedelta(seconds=1)]
    async with office.running(lambda: shown[0]):
        office.ask(LATEST, number=1)
        await office.settled(1)
        shown[0] = OPENS
        office.ask(LATEST, number=2)
        await office.settled(2)
    assert [read(got.content)["X-Mailbot-Release"] for got in relay.mails] == [FOUNTAIN, "pont-cousu"]


async def test_the_same_release_is_sent_once_more_within_the_pause_then_a_person_is_asked(office: Office, relay: LoopbackRelay) -> None:
    async with office.running():
        for number in range(3):
            office.ask(LATEST, number=number)
            await office.settled(number + 1)
    assert [got.recipient for got in office.taken(relay)] == ["awa@journal.example", "awa@journal.example", COLLEAGUE]
    assert "déjà envoyé" not in text_of(office.taken(relay)[0].content)
    assert "déjà envoyé" in text_of(office.taken(relay)[1].content)
    assert office.mails()[2]["reason"] == "asked-again"


async def test_after_the_pause_the_same_release_is_sent_as_if_for_the_first_time(office: Office, relay: LoopbackRelay) -> None:
    shown = [datetime(2026, 7, 1, 8, 0, tzinfo=UTC)]
    async with office.running(lambda: shown[0]):
        for number in range(3):
            office.ask(LATEST, number=number)
            await office.settled(number + 1)
            shown[0] += timedelta(days=7, seconds=1)
    assert [got.recipient for got in relay.mails] == ["awa@journal.example"] * 3
    assert "déjà envoyé" not in text_of(relay.mails[2].content)
