"""A machine is never answered, a person is never dropped: every sign of MAIL.md 2.1. The table: edges/test_decision_table.py."""

from dataclasses import replace

import pytest

from mailbot import languages
from mailbot.inbox.automatic_mail import Judgement, Own, Sign, Verdict, judge, uncommented
from mailbot.inbox.lexicon import lexicon
from mailbot.message.incoming import IncomingMessage, parse

OURS = "presse@littoral.example"
BOOK = lexicon(languages.load([languages.shipped()]))
OWN = Own(frozenset({OURS}), False, BOOK.automatic_subject, BOOK.automatic_text)
PERSON, DOUBTFUL, MACHINE = Verdict.PERSON, Verdict.DOUBTFUL, Verdict.MACHINE


def mail(
    *fields: str, sender: str = "Awa <awa@radio.example>", to: str = OURS, subject: str = "Bonjour", text: str = "Bonjour."
) -> IncomingMessage:
    lines = ["Return-Path: <awa@radio.example>", *fields, f"From: {sender}", f"To: {to}", f"Subject: {subject}", "Message-ID: <1@r.x>"]
    message = parse("\r\n".join([*lines, "", text]).encode())
    assert isinstance(message, IncomingMessage)
    return message


def judged(message: IncomingMessage, own: Own = OWN) -> Judgement:
    return judge(message, own)


@pytest.mark.parametrize(
    ("value", "verdict"),
    [
        ("no", PERSON),
        ("No", PERSON),
        ("No (typed by a human)", PERSON),
        ("(really) no ; reason=typed", PERSON),
        ("no; a=b", PERSON),
        ("(a \\) bracket (and one inside)) no", PERSON),
        ("auto-replied", MACHINE),
        ('auto-replied; owner-email="x"', MACHINE),
        ("AUTO-GENERATED (cron)", MACHINE),
        ("(vacation) auto-notified", MACHINE),
        ("auto-forwarded", DOUBTFUL),
        ("auto-whatever", DOUBTFUL),
        ("", DOUBTFUL),
        ("nobody", DOUBTFUL),
    ],
)
def test_auto_submitted_is_read_by_its_keyword_alone(value: str, verdict: Verdict) -> None:
    assert judged(mail(f"Auto-Submitted: {value}")).verdict is verdict


@pytest.mark.parametrize(
    ("field", "sign"),
    [
        ("List-Id: <l.example>", Sign.MAILING_LIST),
        ("List-Help: <mailto:h@l.example>", Sign.MAILING_LIST),
        ("List-Subscribe: <mailto:h@l.example>", Sign.MAILING_LIST),
        ("List-Unsubscribe: <mailto:h@l.example>", Sign.MAILING_LIST),
        ("List-Post: NO", Sign.MAILING_LIST),
        ("List-Owner: <mailto:h@l.example>", Sign.MAILING_LIST),
        ("List-Archive: <https://l.example>", Sign.MAILING_LIST),
        ("Precedence: bulk", Sign.PRECEDENCE),
        ("Precedence:  Junk ", Sign.PRECEDENCE),
        ("Precedence: LIST", Sign.PRECEDENCE),
        ("X-Precedence: bulk", Sign.PRECEDENCE),
        ("Precedence: auto_reply", Sign.PRECEDENCE_AUTO_REPLY),
        ("Precedence: first-class", None),
        ("X-Autoreply: yes", Sign.AUTO_REPLY_HEADER),
        ("X-Autorespond: out", Sign.AUTO_REPLY_HEADER),
        ("X-Autoresponder: 1", Sign.AUTO_REPLY_HEADER),
        ("X-Autoreply: no", None),
        ("X-Mailbot-Release: a", Sign.AUTO_REPLY_HEADER),
        ("X-Failed-Recipients: a@b.example", Sign.REPORT),
        ("X-Auto-Response-Suppress: All", Sign.REPLIES_SUPPRESSED),
        ("X-Auto-Response-Suppress: DR, OOF, AutoReply", Sign.REPLIES_SUPPRESSED),
        ("X-Auto-Response-Suppress: DR, NDR, RN, NRN, OOF", None),
        ("X-Auto-Response-Suppress: None", None),
        ("X-Spam-Flag: YES", Sign.SPAM_FLAGGED),
        ("X-Spam-Flag: NO", None),
        ("X-MS-Exchange-Organization-SCL: 5", Sign.SPAM_FLAGGED),
        ("X-MS-Exchange-Organization-SCL: 9", Sign.SPAM_FLAGGED),
        ("X-MS-Exchange-Organization-SCL: 4", None),
        ("X-MS-Exchange-Organization-SCL: -1", None),
        ("X-Forefront-Antispam-Report: CIP:1.2.3.4;SCL:6;SRV:", Sign.SPAM_FLAGGED),
        ("X-Forefront-Antispam-Report: CIP:1.2.3.4;SCL:1;SRV:", None),
        ("Content-Type: multipart/report; report-type=x-anything; boundary=b", Sign.REPORT),
        ("Content-Type: multipart/report; report-type=disposition-notification; boundary=b", Sign.READ_RECEIPT),
        ("Content-Type: text/calendar; method=REPLY", Sign.CALENDAR_REPLY),
        ("Content-Type: text/calendar; method=REQUEST", Sign.CALENDAR),
        (f"X-Loop: {OURS}", Sign.OWN_MAIL),
        ("X-Loop: somebody@else.example", None),
    ],
)
def test_a_header_says_what_it_says(field: str, sign: Sign | None) -> None:
    assert judged(mail(field)).sign == sign


def test_a_null_return_path_is_never_answered() -> None:
    message = replace(mail(), return_path="")
    assert judged(message) == Judgement(DOUBTFUL, Sign.NULL_SENDER, "return-path: <>")


@pytest.mark.parametrize(
    ("local", "sign"),
    [
        ("mailer-daemon", Sign.DAEMON), ("MAILER-DAEMON", Sign.DAEMON), ("listserv", Sign.DAEMON), ("majordomo", Sign.DAEMON),
        ("noreply", Sign.NO_REPLY_SENDER), ("no-reply", Sign.NO_REPLY_SENDER), ("no_reply", Sign.NO_REPLY_SENDER),
        ("donotreply", Sign.NO_REPLY_SENDER), ("do-not-reply", Sign.NO_REPLY_SENDER), ("news-noreply", Sign.NO_REPLY_SENDER),
        ("noreply+77", Sign.NO_REPLY_SENDER), ("ne-pas-repondre", Sign.NO_REPLY_SENDER),
        ("owner-presse", Sign.LIST_SENDER), ("presse-owner", Sign.LIST_SENDER), ("presse-request", Sign.LIST_SENDER),
        ("presse-bounces", Sign.LIST_SENDER), ("bounces+12", Sign.LIST_SENDER), ("postmaster", Sign.POSTMASTER),
        ("groot", None), ("root", None), ("casanoreply", None), ("requests", None), ("owner", None), ("nora.replyson", None),
        ("homeowner", None),
    ],
)  # fmt: skip
def test_names_of_machines_are_whole_names(local: str, sign: Sign | None) -> None:
    assert judged(mail(sender=f"{local}@somewhere.example")).sign == sign


@pytest.mark.parametrize("own", [OURS, "Presse@Littoral.example", "presse+12@littoral.example"])
def test_our_own_mail_is_never_answered(own: str) -> None:
    assert judged(mail(sender=own)).sign == Sign.OWN_MAIL
    assert judged(mail(), replace(OWN, message=True)).sign == Sign.OWN_MAIL


def test_a_form_on_a_web_site_brings_a_persons_mail() -> None:
    form = "Reply-To: awa@radio.example"
    assert judged(mail(form, sender="noreply@site.example")) == Judgement(DOUBTFUL, Sign.NO_REPLY_FORM, "from: noreply@site.example")
    assert judged(mail(form, sender=OURS)).verdict is DOUBTFUL
    assert judged(mail("Reply-To: no-reply@site.example", sender="noreply@site.example")).verdict is MACHINE


def test_a_newsletter_is_certain_and_a_discussion_list_is_not() -> None:
    leave = ["List-Unsubscribe: <https://n.example/u>", "List-Unsubscribe-Post: List-Unsubscribe=One-Click"]
    assert judged(mail(*leave)).sign == Sign.NEWSLETTER
    assert judged(mail(*leave, "List-Post: NO")).sign == Sign.NEWSLETTER
    assert judged(mail(*leave, "List-Post: <mailto:l@n.example>")).verdict is DOUBTFUL
    assert judged(mail("List-Unsubscribe: <https://n.example/u>", "Precedence: bulk")).verdict is MACHINE


def test_a_mail_that_was_not_sent_to_us_is_for_a_person() -> None:
    assert judged(mail(to="somebody@else.example")).sign == Sign.NOT_ADDRESSED
    assert judged(mail(to="presse+salon@littoral.example")).sign is None
    assert judged(mail("Resent-To: presse@littoral.example", to="somebody@else.example")).sign is None
    assert judged(mail(to="somebody@else.example"), replace(OWN, addresses=frozenset())).sign is None


@pytest.mark.parametrize(("hops", "verdict"), [(50, PERSON), (51, DOUBTFUL)])
def test_a_mail_that_went_through_too_many_servers_is_not_answered(hops: int, verdict: Verdict) -> None:
    assert judged(mail(*["Received: from a by b"] * hops)).verdict is verdict


@pytest.mark.parametrize(
    ("subject", "text", "sign"),
    [
        ("Réponse automatique : Communiqué", "Je suis absent.", Sign.AUTOMATIC_SUBJECT),
        ("Automatic reply: Press release", "Away.", Sign.AUTOMATIC_SUBJECT),
        ("Out of Office - back on Monday", "Away.", Sign.AUTOMATIC_SUBJECT),
        ("Out of office", "Away.", Sign.AUTOMATIC_SUBJECT),
        ("Réponse automatique aux demandes de données", "Bonjour.", Sign.AUTOMATIC_TEXT),
        ("Re: Réponse automatique aux demandes", "Bonjour.", None),
        ("Re: Communiqué", "Bonjour, je suis actuellement en congé jusqu'au 3.", Sign.AUTOMATIC_TEXT),
        ("Re: release", "I am out of the office with limited access to email.", Sign.AUTOMATIC_TEXT),
        ("Communiqué", "Merci de me l'envoyer dans les plus brefs délais, je suis en reportage.", None),
        ("Automatische Antwort: Communiqué", "…", Sign.AUTOMATIC_SUBJECT),
        ("Abwesenheitsnotiz", "…", Sign.AUTOMATIC_SUBJECT),
        ("Risposta automatica: comunicato", "…", Sign.AUTOMATIC_SUBJECT),
        ("自動返信：プレスリリース", "…", Sign.AUTOMATIC_SUBJECT),
        ("الرد التلقائي: بيان", "…", Sign.AUTOMATIC_SUBJECT),
        ("Automatische Antwort auf Anfragen", "Guten Tag.", Sign.AUTOMATIC_TEXT),
        ("Eingangsbestätigung: Communiqué", "…", Sign.AUTOMATIC_TEXT),
        ("Fuori sede: quanti studenti?", "Buongiorno.", Sign.AUTOMATIC_TEXT),
        ("Re: Communiqué", "Vielen Dank für Ihre Nachricht. Ich bin nicht im Büro.", Sign.AUTOMATIC_TEXT),
        ("Re: nota", "Gracias por su correo. Me encuentro fuera de la oficina.", Sign.AUTOMATIC_TEXT),
        ("Re: релиз", "Здравствуйте! Я нахожусь в отпуске.", Sign.AUTOMATIC_TEXT),
        ("Anfrage", "Ich bin Journalistin und ich bin derzeit nicht im Verteiler. Bitte um die Mitteilung.", None),
        ("Solicitud", "Estoy fuera del país y necesito el comunicado.", None),
    ],
)
def test_a_machine_without_headers_is_known_by_its_first_words(subject: str, text: str, sign: Sign | None) -> None:
    encoded = mail(text=text, subject="x")
    assert judged(replace(encoded, subject=subject, visible_text=text, text=text)).sign == sign


def test_microsofts_marks_on_forwarded_mail_of_people_drop_nobody() -> None:
    message = mail("Auto-Submitted: auto-forwarded", "X-Auto-Response-Suppress: DR, OOF, AutoReply")
    assert judged(message) == Judgement(DOUBTFUL, Sign.AUTO_FORWARDED, "auto-submitted: auto-forwarded")


def test_the_surest_of_several_signs_is_named() -> None:
    assert judged(mail("X-Auto-Response-Suppress: All", "Precedence: bulk", "Auto-Submitted: auto-replied")).sign == Sign.AUTO_SUBMITTED


@pytest.mark.parametrize("value", ["(" * 100_000, "(a" * 50_000 + ")" * 50_000, "\\" * 100_000])
def test_hostile_comments_cost_nothing(value: str) -> None:
    assert len(uncommented(value)) <= 2000
