"""A word in reply, from the mail programs that journalists use, to the variant it asks for: the loop on real servers."""

import email
import email.policy
import html
import json
from collections.abc import Callable
from email.message import EmailMessage

import pytest

from mailbot import service
from mailbot.database.tables import delivery
from mailbot.outbox import store as outbox
from tests.journeys.office import AUTHSERV, COLLEAGUE, FOUNTAIN, LATEST, MARKET, Office, read, text_of
from tests.servers.relay import LoopbackRelay

AWA = "awa@journal.example"


def quoted(answer: EmailMessage, kind: str) -> str:
    part = answer.get_body((kind,))
    return str(part.get_content()) if part else ""


def gmail(word: str, answer: EmailMessage) -> EmailMessage:
    """Gmail on the web: both parts, the quote under one wrapped line, in a block of its own in HTML."""
    wrote = f"Le lun. 4 mai 2026 à 09:12, Ville de Velmora <{answer['From'].addresses[0].addr_spec}>\na écrit :"
    below = "".join(f"> {line}\n" for line in quoted(answer, "plain").splitlines())
    page = (
        f'<div dir="ltr">{word}</div><br><div class="gmail_quote gmail_quote_container"><div dir="ltr" class="gmail_attr">'
        f'{html.escape(wrote)}<br></div><blockquote class="gmail_quote" style="margin:0 0 0 .8ex">'
        f'{quoted(answer, "html")}</blockquote></div>'
    )
    return _reply(answer, f"{word}\n\n{wrote}\n\n{below}", page)


def outlook(word: str, answer: EmailMessage) -> EmailMessage:
    """Outlook on the desktop: HTML alone, a De/Envoyé/À/Objet block under a line, nothing marked as a quote."""
    sender = answer["From"].addresses[0].addr_spec
    page = (
        '<html xmlns:o="urn:schemas-microsoft-com:office:office"><head><style>p.MsoNormal{margin:0cm}</style></head>'
        f'<body lang="FR"><div class="WordSection1"><p class="MsoNormal">{word}<o:p></o:p></p><p class="MsoNormal"><o:p>&nbsp;</o:p></p>'
        '<div><div style="border:none;border-top:solid #E1E1E1 1.0pt;padding:3.0pt 0cm 0cm 0cm"><p class="MsoNormal">'
        f"<b>De&nbsp;:</b> Ville de Velmora &lt;{sender}&gt; <br><b>Envoyé&nbsp;:</b> lundi 4 mai 2026 09:12<br>"
        f"<b>À&nbsp;:</b> Awa Traoré &lt;{AWA}&gt;<br><b>Objet&nbsp;:</b> {html.escape(answer['Subject'])}<o:p></o:p></p></div></div>"
        f"<p class=\"MsoNormal\"><o:p>&nbsp;</o:p></p>{quoted(answer, 'html')}</div></body></html>"
    )
    return _reply(answer, "", page)


def outlook_mobile(word: str, answer: EmailMessage) -> EmailMessage:
    """Outlook on a phone: its own advertisement, a rule, then the block."""
    sender = answer["From"].addresses[0].addr_spec
    page = (
        f'<html><body><div dir="auto" style="font-family:Aptos">{word}</div><div id="ms-outlook-mobile-signature">'
        '<div><br></div>Télécharger <a href="https://aka.ms/o0ukef">Outlook pour iOS</a></div><hr style="display:inline-block;width:98%">'
        f'<div id="divRplyFwdMsg" dir="ltr"><b>De :</b> Ville de Velmora &lt;{sender}&gt;<br><b>Envoyé :</b> Monday, May 4, 2026 9:12:00 AM'
        f"<br><b>À :</b> Awa Traoré &lt;{AWA}&gt;<br><b>Objet :</b> {html.escape(answer['Subject'])}</div>"
        f"{quoted(answer, 'html')}</body></html>"
    )
    return _reply(answer, "", page)


def iphone(word: str, answer: EmailMessage) -> EmailMessage:
    """Mail on an iPhone: the phone's signature between the word and the quote."""
    wrote = f"Le 4 mai 2026 à 09:12, Ville de Velmora <{answer['From'].addresses[0].addr_spec}> a écrit :"
    below = "".join(f"> {line}\n" for line in quoted(answer, "plain").splitlines())
    return _reply(answer, f"{word}\n\nEnvoyé de mon iPhone\n\n{wrote}\n\n{below}", "")


def thunderbird(word: str, answer: EmailMessage) -> EmailMessage:
    """Thunderbird: plain text, the answer under the quote."""
    wrote = "Le 04/05/2026 à 09:12, Ville de Velmora a écrit :"
    above = "".join(f"> {line}\n" for line in quoted(answer, "plain").splitlines())
    return _reply(answer, f"{wrote}\n{above}\n{word}\n\n-- \nAwa Traoré\nRadio Rurale\n", "")


def _reply(answer: EmailMessage, text: str, page: str) -> EmailMessage:
    message = EmailMessage(policy=email.policy.SMTP)
    message["Authentication-Results"] = f"{AUTHSERV}; dmarc=pass header.from=journal.example"
    message["From"], message["To"] = f"Awa Traoré <{AWA}>", answer["From"].addresses[0].addr_spec
    subject = answer["Subject"]
    message["Subject"] = subject if subject.startswith("Re: ") else f"Re: {subject}"
    message["Message-ID"] = f"<reply.{abs(hash((text, page)))}@journal.example>"
    message["In-Reply-To"] = answer["Message-ID"]
    message["References"] = f"{answer.get('References', '')} {answer['Message-ID']}".strip()
    if text:
        message.set_content(text)
    if page and text:
        message.add_alternative(page, subtype="html")
    elif page:
        message.set_content(page, subtype="html")
    return message


Program = Callable[[str, EmailMessage], EmailMessage]
PROGRAMS: list[Program] = [gmail, outlook, outlook_mobile, iphone, thunderbird]


async def first_answer(office: Office, relay: LoopbackRelay, text: str = LATEST, **given: str) -> EmailMessage:
    office.ask(text, **given)
    await office.once()
    return read(relay.mails[-1].content)


async def replied(office: Office, relay: LoopbackRelay, message: EmailMessage, sender: str = AWA) -> EmailMessage:
    """What comes of it: the one mail that leaves, beside an acknowledgement."""
    before = len(office.taken(relay))
    office.deliver(message.as_bytes(), sender=sender)
    await office.once()
    came = office.taken(relay)
    assert len(came) == before + 1, office.account()
    assert office.unsound() == []
    return read(came[-1].content)


@pytest.mark.parametrize("program", PROGRAMS)
async def test_each_word_is_understood_from_each_program(office: Office, relay: LoopbackRelay, program: Program) -> None:
    office.configure({"inbox": {"answers_per_address_per_day": 9}})
    answer = await first_answer(office, relay)
    printed = await replied(office, relay, program("PDF", answer))
    (file,) = printed.iter_attachments()
    assert (file.get_filename(), file.get_content_type()) == (f"{FOUNTAIN}-fr.pdf", "application/pdf")
    assert file.get_content().startswith(b"%PDF-")
    assert (printed["To"].addresses[0].addr_spec, printed["Auto-Submitted"]) == (AWA, "auto-replied")
    assert "en pièce jointe" in text_of(relay.mails[-1].content)
    english = await replied(office, relay, program("EN", answer))
    assert english["X-Mailbot-Release"] == f"{FOUNTAIN}-en"
    assert "Here is our press release" in text_of(relay.mails[-1].content)
    text = await replied(office, relay, program("Texte", answer))
    assert (text.get_content_type(), text["X-Mailbot-Release"]) == ("text/plain", FOUNTAIN)
    assert "44 697 florins" in text_of(relay.mails[-1].content)
    await replied(office, relay, program("CONTACT", answer))
    assert "presse@office.example" in text_of(relay.mails[-1].content)
    assert "44 697" not in text_of(relay.mails[-1].content)
    await replied(office, relay, program("aide", answer))
    assert "PDF : le communiqué en PDF" in text_of(relay.mails[-1].content)


@pytest.mark.parametrize("program", PROGRAMS)
async def test_a_number_gives_the_title_of_the_list(office: Office, relay: LoopbackRelay, program: Program) -> None:
    office.ask("Bonjour,\n\nPourriez-vous m'envoyer votre communiqué sur les girafes du zoo ?\n")
    await office.once()
    offers = next(read(got.content) for got in relay.mails if got.recipient == AWA)
    assert {got.recipient for got in relay.mails} == {AWA, COLLEAGUE}
    assert offers["X-Mailbot-Release"] is None
    got = await replied(office, relay, program("2", offers))
    assert got["X-Mailbot-Release"] == MARKET


async def test_the_last_line_offers_the_words_that_work(office: Office, relay: LoopbackRelay) -> None:
    await first_answer(office, relay)
    assert "Répondez d’un mot : EN, TEXTE, PDF, CONTACT, STOP ou AIDE." in text_of(relay.mails[-1].content)
    office.ask(LATEST, sender="bob@paper.example", vouched=False)
    await office.once()
    assert "Répondez d’un mot : EN, CONTACT, STOP ou AIDE." in text_of(relay.mails[-1].content)


async def test_where_a_relay_has_rewritten_our_message_id_the_subject_is_enough(office: Office, relay: LoopbackRelay) -> None:
    answer = await first_answer(office, relay, subject="")
    assert answer["Subject"].endswith(f"[{FOUNTAIN}]")
    rewritten = iphone("PDF", answer)
    for name in ("In-Reply-To", "References"):
        del rewritten[name]
    rewritten["In-Reply-To"] = "<0100019b@relay.example>"
    assert [file.get_filename() for file in (await replied(office, relay, rewritten)).iter_attachments()] == [f"{FOUNTAIN}-fr.pdf"]


async def test_an_unauthenticated_reply_gets_the_short_text_and_never_a_file(office: Office, relay: LoopbackRelay) -> None:
    answer = await first_answer(office, relay, vouched=False)
    reply = thunderbird("PDF", answer)
    del reply["Authentication-Results"]
    got = await replied(office, relay, reply)
    assert got.get_content_type() == "text/plain"
    assert "44 697 florins" in text_of(relay.mails[-1].content)
    assert len(relay.mails[-1].content) < 8 << 10


async def test_a_word_from_somebody_else_and_a_word_inside_a_sentence_go_to_a_person(office: Office, relay: LoopbackRelay) -> None:
    answer = await first_answer(office, relay)
    stranger = iphone("PDF", answer)
    stranger.replace_header("From", "Bob <bob@journal.example>")
    assert (await replied(office, relay, stranger, "bob@journal.example"))["To"].addresses[0].addr_spec == COLLEAGUE
    sentence = iphone("Le PDF de votre rapport annuel est-il en ligne ?", answer)
    assert (await replied(office, relay, sentence))["To"].addresses[0].addr_spec == COLLEAGUE


async def test_photos_are_handed_over_with_the_release_named(office: Office, relay: LoopbackRelay) -> None:
    note = await replied(office, relay, gmail("PHOTOS", await first_answer(office, relay)))
    assert note["To"].addresses[0].addr_spec == COLLEAGUE
    assert "La grande fontaine est rouverte" in text_of(office.taken(relay)[-1].content)
    assert office.mails()[-1]["reason"] == "photos"


async def test_explain_says_of_a_reply_what_would_go_back(office: Office, relay: LoopbackRelay) -> None:
    file = office.folder / "reply.eml"
    file.write_bytes(iphone("PDF", await first_answer(office, relay)).as_bytes())
    (action,) = json.loads((await office.commanded("explain", str(file), "--json")).stdout)["actions"]
    assert (action["type"], action["release"], action["variant"], action["why"]) == ("send_release", FOUNTAIN, "pdf", "answer-back")


async def test_the_file_is_among_the_bytes_that_are_fixed_at_the_first_claim(office: Office, relay: LoopbackRelay) -> None:
    await replied(office, relay, iphone("PDF", await first_answer(office, relay)))
    (queued,) = [row for row in office.deliveries() if row["variant"] == "pdf"]
    shown = office.database.read_now(outbox.shown, queued["id"])
    assert shown is not None
    assert shown["raw"] == relay.mails[-1].content


async def test_a_file_that_cannot_be_made_is_told_to_a_colleague_and_holds_up_nobody(office: Office, relay: LoopbackRelay) -> None:
    office.deliver(iphone("PDF", await first_answer(office, relay)).as_bytes(), sender=AWA)
    office.ask(LATEST, sender="bob@paper.example")
    await service.run_once(office.parts(), ("inbox",))
    with office.database.engine.begin() as tx:
        tx.execute(delivery.update().where(delivery.c.variant == "pdf").values(sheet="<div>" * 2_000))
    await office.once()
    assert [got.recipient for got in relay.mails[1:]] == ["bob@paper.example", COLLEAGUE]
    assert [row["state"] for row in office.deliveries() if row["variant"] == "pdf"] == ["failed"]
    assert "PDF" in text_of(relay.mails[-1].content)
    assert office.unsound() == []


async def test_a_release_withdrawn_while_its_pdf_waits_does_not_leave_and_who_had_it_is_told(office: Office, relay: LoopbackRelay) -> None:
    answer = await first_answer(office, relay)
    office.deliver(iphone("PDF", answer).as_bytes(), sender=AWA)
    await service.run_once(office.parts(), ("inbox",))
    await office.commanded("release", "withdraw", FOUNTAIN, "--yes")
    await office.once()
    assert sorted(got.recipient for got in relay.mails[1:]) == [AWA, COLLEAGUE]
    (told,) = [got for got in relay.mails[1:] if got.recipient == AWA]
    assert "Nous retirons le communiqué" in text_of(told.content)
    assert office.unsound() == []


async def test_titles_are_offered_once_in_the_pause_to_whom_nobody_vouches_for_and_short(office: Office, relay: LoopbackRelay) -> None:
    for number in range(2):
        office.ask("Bonjour,\n\nPourriez-vous m'envoyer votre communiqué sur les girafes ?\n", number=number, vouched=False)
        await office.once()
    (offer,) = [got for got in office.taken(relay) if got.recipient == AWA]
    assert read(offer.content).get_content_type() == "text/plain"
    assert read(offer.content)["Subject"] == "Votre demande de communiqué"
    assert "girafes" not in text_of(offer.content)
    assert "1. La grande fontaine est rouverte (4 mai 2026)\r\n2. Le marché de nuit" in text_of(offer.content)


@pytest.mark.parametrize("mode", ["draft", "observe"])
async def test_titles_are_offered_in_automatic_mode_alone(office: Office, relay: LoopbackRelay, mode: str) -> None:
    office.configure({"inbox": {"mode": mode}})
    office.ask("Bonjour,\n\nPourriez-vous m'envoyer votre communiqué sur les girafes ?\n")
    await office.once()
    assert AWA not in [got.recipient for got in relay.mails]
    assert office.unsound() == []
