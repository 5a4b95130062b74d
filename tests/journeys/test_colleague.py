"""A colleague answers a case from Outlook: draft mode's yes, a text of their own, its stop, a copy that keeps it inside, an absence."""

from collections.abc import Mapping
from datetime import timedelta
from email.message import EmailMessage

from mailbot import service
from mailbot.cases import store as cases
from mailbot.cases.case import Case
from mailbot.database.tables import case_file, delivery
from mailbot.releases import store as releases
from tests.journeys.office import COLLEAGUE, FOUNTAIN, LATEST, SECOND_COLLEAGUE, UNCLEAR, Office, read, text_of
from tests.journeys.test_modes import MORNING
from tests.servers.relay import Got, LoopbackRelay

JOURNALIST = "awa@journal.example"
OWN = "Bonjour Awa,\n\nAu printemps il fait doux, et les hirondelles reviennent en mars."
OUTLOOK = """<html><body><div class=WordSection1>{text}<p class=MsoNormal><o:p>&nbsp;</o:p></p>
<div style='border:none;border-top:solid #E1E1E1 1.0pt;padding:3.0pt 0cm 0cm 0cm'><p class=MsoNormal><b>De :</b> Ville de Velmora
&lt;{office}&gt;<br><b>Envoyé :</b> mercredi 1 juillet 2026 09:00<br><b>À :</b> colleague@office.example<br><b>Objet :</b> {subject}</p>
</div>
<p class=MsoNormal>{quoted}</p></div></body></html>"""


def answer(office: Office, note: Got, text: str, *, html: bool = False, headers: Mapping[str, str] | None = None) -> None:
    """The one who got the note replies to it."""
    asked = read(note.content)
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = f"Fatou <{note.recipient}>", office.address, f"RE : {asked['Subject']}"
    message["Message-ID"] = f"<{len(office.mails())}.{abs(hash(text))}@office.example>"
    threaded = {"In-Reply-To": asked["Message-ID"], "References": asked["Message-ID"]}
    for name, value in (threaded | dict(headers or {})).items():
        if value:
            message[name] = value
    if html:
        said = "".join(f"<p class=MsoNormal>{line}</p>" for line in text.split("\n") if line)
        quoted = text_of(note.content).replace("<", "&lt;").replace("\n", "<br>")
        message.set_content(OUTLOOK.format(text=said, office=office.address, subject=asked["Subject"], quoted=quoted), subtype="html")
    else:
        message.set_content(text)
    office.deliver(message.as_bytes(), sender=note.recipient)


async def at(office: Office, minutes: float) -> None:
    """One pass of mailbot, so long after the morning."""
    await office.once(lambda: MORNING + timedelta(minutes=minutes))


def to(relay: LoopbackRelay, recipient: str) -> list[Got]:
    """What came there, but for the acknowledgement."""
    came = [(got, read(got.content)) for got in relay.mails if got.recipient == recipient]
    return [got for got, mail in came if mail["X-Mailbot-Release"] or mail["Auto-Submitted"] != "auto-replied"]


def case_of(office: Office) -> Case:
    case = office.database.read_now(cases.of_mail, 1)
    assert case is not None
    return case


async def test_in_draft_mode_the_second_of_two_releases_stands_below_the_first_by_its_number(office: Office, relay: LoopbackRelay) -> None:
    office.configure({"inbox": {"mode": "draft"}})
    office.ask("Bonjour,\n\nIl me manque deux de vos communiqués : celui sur la grande fontaine, et celui sur le marché de nuit.\n")
    await at(office, 0)
    (note,) = office.taken(relay)
    answer(office, note, "OUI\n\nFatou\n")
    await at(office, 5)
    (got,) = to(relay, JOURNALIST)
    sent, below = text_of(got.content).partition("1.")[0], text_of(got.content).partition("1.")[2]
    assert "fontaine" in sent and "marché de nuit" in below
    assert (read(got.content)["X-Mailbot-Release"], case_of(office).state) == (FOUNTAIN, "answered")
    assert office.unsound() == []


async def test_in_draft_mode_a_yes_sends_the_journalist_the_release(office: Office, relay: LoopbackRelay) -> None:
    office.configure({"inbox": {"mode": "draft"}})
    office.ask(LATEST, subject="Votre communiqué")
    await at(office, 0)
    (note,) = office.taken(relay)
    assert (note.recipient, case_of(office).state) == (COLLEAGUE, "open")
    said = text_of(note.content)
    assert "OUI seul envoie la réponse préparée" in said
    assert "44 697 florins" in said
    answer(office, note, "OUI\n\nFatou\n")
    await at(office, 5)
    (got,) = to(relay, JOURNALIST)
    assert "44 697 florins" in text_of(got.content)
    sent = read(got.content)
    assert (sent["Subject"], sent["X-Mailbot-Release"]) == ("Re: Votre communiqué", FOUNTAIN)
    assert sent["From"].addresses[0].addr_spec == office.address
    assert sent["In-Reply-To"] == office.mails()[0]["message_id"]
    assert (case_of(office).state, office.mails()[0]["waiting"], office.lying("mailbot")) == ("answered", False, 1)
    answer(office, note, "OUI")     # a second time: the token is spent
    await at(office, 6)
    assert len(to(relay, JOURNALIST)) == 1
    assert "déjà terminé" in text_of(to(relay, COLLEAGUE)[-1].content)
    assert office.unsound() == []


async def test_a_yes_without_in_reply_to_is_known_by_the_subject_and_a_guessed_token_is_not(office: Office, relay: LoopbackRelay) -> None:
    office.configure({"inbox": {"mode": "draft"}})
    office.ask(LATEST)
    await at(office, 0)
    (note,) = office.taken(relay)
    lost = {"In-Reply-To": "", "References": ""}
    forged = EmailMessage()
    forged["From"], forged["To"], forged["Subject"] = COLLEAGUE, office.address, f"RE: À traiter [#{'a' * 26}]"
    forged["Message-ID"] = "<forged@evil.example>"
    forged.set_content("OUI")
    office.deliver(forged.as_bytes(), sender=COLLEAGUE)
    await at(office, 1)
    assert to(relay, JOURNALIST) == []
    answer(office, note, "OUI", headers=lost)
    await at(office, 2)
    assert len(to(relay, JOURNALIST)) == 1


async def test_a_draft_whose_release_was_withdrawn_meanwhile_does_not_leave_and_the_colleague_is_told(
    office: Office, relay: LoopbackRelay
) -> None:
    office.configure({"inbox": {"mode": "draft"}})
    office.ask(LATEST)
    await at(office, 0)
    office.database.write_now(releases.withdraw, FOUNTAIN, MORNING)
    answer(office, office.taken(relay)[0], "OUI")
    await at(office, 5)
    assert to(relay, JOURNALIST) == []
    assert "n'est plus public" in text_of(to(relay, COLLEAGUE)[-1].content).replace("’", "'")
    assert case_of(office).state == "open"
    assert office.unsound() == []


async def test_a_text_of_their_own_from_outlook_is_echoed_and_leaves_after_its_time(office_on_either: Office, relay: LoopbackRelay) -> None:
    office = office_on_either
    office.ask(UNCLEAR, subject="Hirondelles")
    await at(office, 0)
    answer(office, office.taken(relay)[0], OWN, html=True)
    await at(office, 10)
    echo = to(relay, COLLEAGUE)[-1]
    assert (to(relay, JOURNALIST), case_of(office).state) == ([], "answering")
    said = text_of(echo.content)
    assert "part dans 3 minutes" in said
    assert f"Awa Traoré <{JOURNALIST}>" in said
    assert "> Au printemps il fait doux, et les hirondelles reviennent en mars." in said
    await at(office, 12)
    assert to(relay, JOURNALIST) == [], "it is still held back"
    await at(office, 13)
    (got,) = to(relay, JOURNALIST)
    sent = read(got.content)
    assert "les hirondelles reviennent en mars" in text_of(got.content)
    assert "Ce message attend" not in text_of(got.content), "not a word of the note"
    assert "[#" not in text_of(got.content)
    assert (sent["Subject"], sent["In-Reply-To"], sent["Auto-Submitted"]) == ("Re: Hirondelles", office.mails()[0]["message_id"], None)
    assert (case_of(office).state, office.mails()[0]["waiting"]) == ("answered", False)
    answer(office, echo, "NON")
    await at(office, 14)
    assert "la réponse est partie" in text_of(to(relay, COLLEAGUE)[-1].content)
    assert office.unsound() == []


async def test_a_no_stops_the_text_and_a_second_no_closes_the_case(office: Office, relay: LoopbackRelay) -> None:
    office.ask(UNCLEAR)
    await at(office, 0)
    answer(office, office.taken(relay)[0], OWN, html=True)
    await at(office, 10)
    answer(office, to(relay, COLLEAGUE)[-1], "NON")
    await at(office, 11)
    assert (case_of(office).state, office.mails()[0]["waiting"]) == ("open", True)
    stopped = to(relay, COLLEAGUE)[-1]
    assert "Votre texte ne partira pas" in text_of(stopped.content)
    await at(office, 60)
    assert to(relay, JOURNALIST) == []
    answer(office, stopped, "NON", html=True)
    await at(office, 61)
    assert (case_of(office).state, office.mails()[0]["waiting"]) == ("closed", False)
    assert to(relay, JOURNALIST) == []
    assert office.unsound() == []


async def test_a_text_that_is_refused_opens_its_case_again_and_the_colleague_can_reply(office: Office, relay: LoopbackRelay) -> None:
    office.ask(UNCLEAR, sender="Nobody <nobody@journal.example>", subject="BUY NOW", vouched=False)
    await at(office, 0)
    answer(office, office.taken(relay)[0], OWN)
    await at(office, 10)
    (letter,) = office.deliveries("letter")
    assert letter["subject"] == "Votre message au service de presse", "a subject that nobody vouches for does not go out again"
    await at(office, 13)
    assert (case_of(office).state, office.mails()[0]["waiting"]) == ("open", True)
    notice = to(relay, COLLEAGUE)[-1]
    assert "elle a été refusée" in text_of(notice.content)
    answer(office, notice, "NON", html=True)
    await at(office, 14)
    assert (case_of(office).state, office.unsound()) == ("closed", [])


async def test_no_text_leaves_whose_echo_did_not_arrive(office: Office, relay: LoopbackRelay) -> None:
    office.ask(UNCLEAR)
    await at(office, 0)
    answer(office, office.taken(relay)[0], OWN)
    parts = office.parts(lambda: MORNING + timedelta(minutes=10))
    async with service.held(parts):
        await parts.reader.start()
        await parts.watcher.once()
        await parts.disposer.drain()
        with office.database.engine.begin() as tx:      # as if the colleague's mailbox had just been closed
            tx.execute(delivery.update().where(delivery.c.kind == "told").values(recipient="nobody@office.example"))
        await parts.dispatcher.drain()
    await at(office, 60)
    assert [got.recipient for got in office.taken(relay)] == [COLLEAGUE, SECOND_COLLEAGUE]
    assert (case_of(office).state, case_of(office).colleague, office.unsound()) == ("open", SECOND_COLLEAGUE, [])


async def test_a_reply_with_somebody_else_in_copy_stays_inside(office: Office, relay: LoopbackRelay) -> None:
    office.ask(UNCLEAR)
    await at(office, 0)
    answer(office, office.taken(relay)[0], OWN, headers={"Cc": "chief@office.example"})
    await at(office, 10)
    await at(office, 20)
    assert [got.recipient for got in office.taken(relay)] == [COLLEAGUE]
    assert (case_of(office).state, office.mails()[1]["reason"]) == ("open", "colleague-remarks")


async def test_an_absence_gives_the_case_to_the_next_colleague_and_nobody_is_answered(office: Office, relay: LoopbackRelay) -> None:
    office.ask(UNCLEAR)
    await at(office, 0)
    first = office.taken(relay)[0]
    answer(office, first, "Je suis absente jusqu'au 12. OUI", headers={"Auto-Submitted": "auto-replied", "Return-Path": "<>"})
    await at(office, 1)
    assert [got.recipient for got in office.taken(relay)] == [COLLEAGUE, SECOND_COLLEAGUE]
    second = office.taken(relay)[1]
    assert "est en absence" in text_of(second.content)
    assert read(first.content)["Subject"].rpartition("[#")[2] != read(second.content)["Subject"].rpartition("[#")[2]
    assert (case_of(office).colleague, office.mails()[1]["outcome"]) == (SECOND_COLLEAGUE, "colleague_reply")
    answer(office, second, "Absent.", headers={"Auto-Submitted": "auto-replied"})
    await at(office, 2)
    assert len(office.taken(relay)) == 2, "the list is at its end"
    await at(office, 63)
    assert [row["kind"] for row in office.deliveries()][-1] == "digest", "so the next list names it"
    assert office.unsound() == []


async def test_an_untouched_case_goes_on_at_half_its_deadline_and_comes_back_after_a_snooze(office: Office, relay: LoopbackRelay) -> None:
    office.ask(UNCLEAR)
    await at(office, 0)
    with office.database.engine.begin() as tx:      # as if a deadline in six hours had been read from the mail
        tx.execute(case_file.update().values(deadline=MORNING + timedelta(hours=6), due_at=MORNING + timedelta(hours=3)))
    await at(office, 179)
    assert len(office.taken(relay)) == 1
    await at(office, 180)
    await at(office, 181)
    assert [got.recipient for got in office.taken(relay)] == [COLLEAGUE, SECOND_COLLEAGUE]
    assert f"attendait {COLLEAGUE}" in text_of(office.taken(relay)[1].content)
    assert case_of(office).due_at == MORNING + timedelta(hours=4.5)
    answer(office, office.taken(relay)[1], "PLUS TARD 14h")     # MORNING is nine o'clock there
    await at(office, 182)
    assert "14 h" in text_of(to(relay, SECOND_COLLEAGUE)[-1].content)
    assert (case_of(office).state, case_of(office).due_at) == ("snoozed", MORNING + timedelta(hours=5))
    await at(office, 299)
    assert case_of(office).state == "snoozed"
    await at(office, 300)
    assert "Vous vouliez revoir ce message" in text_of(to(relay, SECOND_COLLEAGUE)[-1].content)
    assert case_of(office).state == "open"
    assert office.unsound() == []


async def test_past_the_hours_number_of_notes_and_in_observe_mode_no_case_goes_on(office: Office, relay: LoopbackRelay) -> None:
    office.configure({"inbox": {"hand_offs_per_hour": 1}})
    office.ask(UNCLEAR)
    await at(office, 0)
    office.ask(UNCLEAR, sender="Ben <ben@paper.example>")
    await at(office, 200)
    await at(office, 241)
    assert len(office.deliveries("hand_off")) == 2, "the first one is due, and the hour's note is gone"
    office.configure({"inbox": {"mode": "observe"}})
    await at(office, 262)
    assert len(office.deliveries("hand_off")) == 2
    office.configure()
    await at(office, 263)
    assert [got.recipient for got in relay.mails if "attendait" in text_of(got.content)] == [SECOND_COLLEAGUE]


async def test_a_no_stops_even_a_draft_while_the_relay_has_not_taken_it(office: Office, relay: LoopbackRelay) -> None:
    office.configure({"inbox": {"mode": "draft"}})
    office.ask(LATEST)
    await at(office, 0)
    (note,) = office.taken(relay)
    await office.commanded("stop-sending")
    answer(office, note, "OUI")
    await at(office, 5)
    assert case_of(office).state == "answered"
    answer(office, note, "NON")
    await at(office, 6)
    await office.commanded("resume-sending")
    await at(office, 7)
    assert to(relay, JOURNALIST) == []
    assert (case_of(office).state, office.mails()[0]["waiting"], office.unsound()) == ("open", True, [])


async def test_closing_the_mail_by_command_closes_its_case_and_dropping_a_held_text_opens_it_again(
    office: Office, relay: LoopbackRelay
) -> None:
    office.ask(UNCLEAR)
    await at(office, 0)
    answer(office, office.taken(relay)[0], OWN)
    await at(office, 10)
    await office.commanded("outbox", "drop", case_of(office).answer, "--yes")
    assert (case_of(office).state, office.unsound()) == ("open", [])
    assert "[case open]" in (await office.commanded("inbox", "list")).stdout
    await office.commanded("inbox", "close", "1")
    assert (case_of(office).state, office.mails()[0]["waiting"], office.unsound()) == ("closed", False, [])
    assert "case state: closed" in (await office.commanded("inbox", "show", "1")).stdout
