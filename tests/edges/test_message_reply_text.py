"""Laws of what the sender wrote: no quote, no signature, no small print; and never nothing where there was something."""

from pathlib import Path
from time import perf_counter

import pytest
import yaml

from mailbot.message.reply_text import MAX_CHARACTERS, NO_MARKS, ReplyMarks, marks_from, visible

LANGUAGES = Path(__file__).parents[2] / "config" / "languages"
MARKS = marks_from(yaml.safe_load((LANGUAGES / code / "mail.yaml").read_text("utf-8")) for code in ("fr", "en"))
ASK = "Bonjour,\n\nPourriez-vous m’envoyer le communiqué ?"
QUOTED = {
    "gmail": "Le lun. 28 oct. 2024 à 10:15, Presse <media@x.org> a écrit :\n\n> Bonjour,\n> abonnez-vous",
    "gmail, wrapped": "Le lun. 28 oct. 2024 à 10:15, Media et Communication <\nmedia@x.org> a écrit :\n\n> Bonjour,\n> abonnez-vous",
    "gmail, wrapped twice": "Le lun. 28 oct. 2024 à 10:15, Agence du\nSahel, Communication <\nmedia@x.org> a écrit :\n> Bonjour",
    "no-break spaces": "Le 28\u00a0oct. 2024 à 10:15, Presse <media@x.org> a\u00a0écrit\u00a0:\n> Bonjour",
    "not marked": "Le 28/10/2024 à 10:15, Presse a écrit :\nBonjour, abonnez-vous",
    "english": "On Mon, Oct 28, 2024 at 10:15 AM Press <media@x.org> wrote:\n> Hello\n> there",
    "english, wrapped": "On Mon, Oct 28, 2024 at 10:15 AM Press Office of Somewhere\n<media@x.org> wrote:\n> Hello",
    "marked throughout": "> On 22 Aug 2015, at 19:21, Press <media@x.org> wrote:\n>\n> Hello",
    "no language that we know": "Op 12 december 2016 19:05 schreef Press <\nmedia@x.org>:\n\n> Beste",
    "date first": "2024-10-28 10:15 GMT+01:00 Press <media@x.org>:\n\n> Hello",
    "outlook": "De : Presse <media@x.org>\nEnvoyé : lundi 28 octobre 2024 10:15\nÀ : Awa\nObjet : Communiqué\n\nabonnez-vous",
    "outlook, bold": "*De :* Presse <media@x.org>\n*Envoyé :* lundi\n*À :* Awa\n*Objet :* Communiqué\n\nabonnez-vous",
    "outlook, ruled": "________________________________\nFrom: Press <media@x.org>\nSent: Monday\nTo: Awa\nSubject: RE: x\n\nHello",
    "outlook, wrapped": "From: Press Office\n<media-office-with-a-long-name@x.org>\nSent: Monday, October 28\nTo: Awa\nSubject: x\n\nHello",
    "dashes": "-----Message d'origine-----\nDe : Presse\nEnvoyé : lundi\n\nabonnez-vous",
    "dashes, curly": "----- Message d’origine -----\nabonnez-vous",
    "dashes, any language": "-------- Oprindelig besked --------\nFra: A B <a@b.org>\nDato: 04.07.2024\nTil: b@c.dk\nEmne: x",
    "forward by apple": "Début du message réexpédié :\n\nDe: Presse <media@x.org>\nDate: 28 octobre\nObjet: x",
    "only marks": "> abonnez-vous\n> maintenant",
}
SIGNED = {
    "delimiter": "-- \nAwa Traoré\nStudio Tamani",
    "delimiter, spoilt": "--\nAwa",
    "closing": "Cordialement,\n\nAwa Traoré\n+223 00 00 00 00",
    "closing and name": "Bien cordialement, Awa Traoré",
    "closing, english": "Kind regards,\nAwa",
    "phone": "Envoyé de mon iPhone",
    "phone, english": "Sent from my Galaxy",
    "phone, link": "Get Outlook for iOS<https://aka.ms/o0ukef>",
    "small print": "Ce message est confidentiel et destiné à la seule personne\nnommée ci-dessus.",
    "rule": "__\nlist mailing list",
}


@pytest.mark.parametrize("quoted", QUOTED.values(), ids=QUOTED)
def test_what_is_quoted_goes(quoted: str) -> None:
    assert visible(f"{ASK}\n\n{quoted}\n", MARKS) == ASK


@pytest.mark.parametrize("signature", SIGNED.values(), ids=SIGNED)
def test_a_signature_goes(signature: str) -> None:
    assert visible(f"{ASK}\n\n{signature}\n", MARKS) == ASK


def test_a_signature_goes_with_the_quote_below_it() -> None:
    assert visible(f"{ASK}\r\n\r\nCordialement,\r\nAwa\r\n\r\n{QUOTED['gmail']}", MARKS) == ASK


@pytest.mark.parametrize("text", [
    "Le communiqué du 28 octobre, svp. Cordialement à toute l’équipe qui l’a écrit : bravo !",
    "De : 10 h à 12 h\nDate : 5 mai\nObjet : interview",
    "Nom : Awa\nE-mail : awa@b.org\nTéléphone : 12 34\nMessage : le communiqué, svp",
    "On Monday I wrote to you. Could you send the release of 28 October?",
    "Best practices for reporting: what does your release of 3 May say?",
    "Voici mes questions :\n- combien de retours en 2024 ?\n- d’où viennent-ils ?",
    "Le 28 octobre votre porte-parole a écrit dans un communiqué que 30 personnes sont rentrées. Pouvez-vous le confirmer ?",
    "Merci de nous donner les chiffres :\n\n---\n\nRetours par mois",
], ids=lambda text: text[:30])
def test_what_only_looks_like_a_quote_stays(text: str) -> None:
    assert visible(text, MARKS) == text


@pytest.mark.parametrize("text", [
    QUOTED["outlook"], QUOTED["dashes"], "> rien que cela", SIGNED["delimiter"], SIGNED["closing"], QUOTED["gmail"], "Envoyé de mon iPhone",
], ids=("outlook forward", "dashes", "quote", "signature", "closing", "gmail", "phone"))
def test_where_nothing_would_remain_the_text_stays(text: str) -> None:
    assert visible(text, MARKS) != ""


@pytest.mark.parametrize("quoted", [
    "---- John Smith wrote ----\n\nHi",
    "On Tue, Apr 11, 2017 at 10:07 PM John Smith\n\n<\nmailto:John Smith <john@example.org>\n> wrote:\nHi",
    "Date: Wed, 16 May 2012 00:15:02 -0600\nTo: press@example.org",
    "====\n\nMessage du : 12/12/2016 13:20\nDe : presse@example.org\nA : awa@example.org\nSujet : x\n\nBonjour",
    "-----Ursprüngliche Nachricht-----\nVon: a@b.org\nGesendet: Montag\nAn: c@d.org\nBetreff: x\n\nGuten Tag",
    "Am 3. Mai 2024 um 10:00 schrieb Awa <awa@b.org>:\n> Hallo",
    "W dniu 3.05.2024 o 10:00, Awa pisze:\n> Dzień dobry",
    "李明 <awa@b.org> 于 2024年5月3日 写道：\n> 你好",
    "Le ven. 3 mai 2024 à 10:00, Bureau de presse de la ville\net port, relations avec les médias\n<p@l.example>\na écrit :\n\nOui",
    "John Doe <john@x.org> kirjoitti 28/10/2021 12.46:\n\nHei",
    "   ----- Weitergeleitete Nachricht ----- Von: John Doe <john@x.org>An: \"b@x.org\" <b@x.org>\n\nGuten Tag",
], ids=("android", "polymail", "date, to", "orange", "german outlook", "german", "polish", "chinese", "wrapped", "finnish", "yahoo"))
def test_what_programs_write_above_a_quote_is_known_in_languages_without_a_folder(quoted: str) -> None:
    assert visible(f"{ASK}\n\n{quoted}", MARKS) == ASK


@pytest.mark.parametrize("footer", [
    "Envoyé de mon iPhone", "Envoyé depuis mon Samsung Galaxy.", "Envoyé à partir d’Outlook pour Android",
    "Envoyé avec ProtonMail", "Envoyé de l’appli Yahoo Mail", "Message envoyé depuis mon mobile Orange",
    "Merci d’excuser les fautes de frappe", "Obtenez Outlook pour iOS<https://aka.ms/o0ukef>", "Sent from my Huawei phone",
    "Sent from Mail for Windows", "Sent from Yahoo Mail on Android", "Get Outlook for Android<https://aka.ms/ghei36>",
    "Sent from Proton Mail for iOS", "Please excuse brevity and typos", "Typed on a tiny keyboard",
    "Gesendet von Outlook für Android<https://aka.ms/AAb9ysg>", "Von meinem iPhone gesendet", "Enviado desde mi iPhone",
    "Enviado do meu iPhone", "Inviato da iPhone", "Verstuurd vanaf mijn iPhone", "Wysłane z iPhone’a", "Skickat från min iPhone",
    "Sendt fra min iPhone", "Lähetetty iPhonesta", "Отправлено с iPhone", "iPhone’umdan gönderildi", "iPhoneから送信", "发自我的iPhone",
    "나의 iPhone에서 보냄",
])
def test_what_a_telephone_adds_is_not_what_the_sender_wrote(footer: str) -> None:
    assert visible(f"{ASK}\n\n{footer}", MARKS) == ASK


@pytest.mark.parametrize("line", [
    "Sent from my office, did it arrive?", "Envoyé depuis votre site, mon message est-il arrivé ?",
    "Written on my phone in a rush, but I need the release by noon.", "Apologies for any typos, I need the release by noon.",
    "Message envoyé hier à votre collègue, le voici : je souhaite recevoir le communiqué.",
    "Envoyé spécial à Bamako, je cherche le communiqué.",
])
def test_a_sentence_of_the_senders_is_no_footer(line: str) -> None:
    assert visible(f"{ASK}\n{line}", MARKS) == f"{ASK}\n{line}"


def test_a_forward_keeps_the_word_above_it() -> None:
    for quoted in QUOTED.values():
        assert visible(f"Est-ce exact ?\n\n{quoted}", MARKS) == "Est-ce exact ?"


def test_an_answer_below_or_between_the_quotes_is_kept() -> None:
    assert visible(f"{QUOTED['gmail']}\n\nOui, merci.", MARKS) == "Oui, merci."
    between = "Oui.\n\nOn 3 May 2024 at 10:00, a@b.org wrote:\n> one?\n\nYes, one.\n\n> two?\n\nNo."
    assert visible(between, MARKS) == "Oui.\n\nYes, one.\n\nNo."


def test_an_answer_in_the_line_of_the_quote_header_is_kept() -> None:
    assert visible("Fine with me. On Wed, Apr 4, 2012 at 3:59 PM, bob@example.com wrote:\n> Hi", MARKS) == "Fine with me."


def test_a_quoted_line_that_lost_its_mark_goes() -> None:
    assert visible(f"{ASK}\n\n{QUOTED['gmail']}\nvous aussi\n> maintenant\n", MARKS) == ASK


def test_a_postscript_below_the_signature_is_kept() -> None:
    assert visible(f"{ASK}\n\nCordialement,\nAwa\n\nPS : pour midi, svp", MARKS) == f"{ASK}\n\nPS : pour midi, svp"


def test_without_a_language_only_what_is_the_same_everywhere_goes() -> None:
    assert ReplyMarks() == NO_MARKS
    assert visible(f"{ASK}\n-- \nAwa\n> x") == ASK
    assert "Cordialement" in visible(f"{ASK}\n\nCordialement,\nAwa")


@pytest.mark.parametrize("line", [
    "> ", "Le 1 2024 10:30 x", "On 1/1/2024 10:30 wrote:", "De: a@b", "From: x", "--- a a a", "Cordialement",
    "x", " " * 50, "<" * 50, "1:1:1:1",
])
def test_no_text_takes_long(line: str) -> None:
    started = perf_counter()
    visible(f"x\n{line}\n" * (MAX_CHARACTERS // (len(line) + 3)), MARKS)
    visible(line * (MAX_CHARACTERS // len(line)), MARKS)
    assert perf_counter() - started < 1
