"""What a person wrote, as the mail programs of French newsrooms send it: the same words whatever stands around them."""

import pytest

from mailbot import languages
from mailbot.message.incoming import IncomingMessage, parse
from mailbot.message.reply_text import marks_from

MARKS = marks_from(language.mail for language in languages.load([languages.shipped()]).values())
ASK = "Bonjour, le communiqué svp"
HEADER = "De : Presse &lt;m@x.org&gt;<br>Envoyé : lundi 3 mai 2024 10:00<br>À : Awa<br>Objet : x"
HTML = {
    "outlook": f"<div class=WordSection1><p class=MsoNormal>{ASK}<o:p></o:p></p><p class=MsoNormal>Cordialement,</p><p>"
    "<b>Awa Traoré</b></p>"
    f"<div><div style='border:none;border-top:solid #E1E1E1 1.0pt'><p>{HEADER}</p></div></div><p>Vieux</p></div>",
    "outlook, another rule": f"<p>{ASK}</p><div style='border-top:solid windowtext 1.0pt'><p>{HEADER}</p></div><p>Vieux</p>",
    "outlook on a telephone": f"<div>{ASK}</div>"
    "<div id=ms-outlook-mobile-signature>Envoyé de <a href=https://aka.ms/o>Outlook pour iOS</a></div>"
    f"<hr><div id=divRplyFwdMsg>{HEADER}</div><div>Vieux</div>",
    "iphone": f"{ASK}<br><div>Envoyé de mon iPhone</div>"
    "<blockquote type=cite>Le 3 mai 2024 à 10:00, Presse &lt;m@x.org&gt; a écrit :<br></blockquote>"
    "<blockquote type=cite>Vieux</blockquote>",
    "samsung": f"<div>{ASK}</div><div id=composer_signature>Envoyé depuis mon appareil Galaxy</div>"
    "<div>-------- Message d'origine --------</div>"
    f"<div>{HEADER}</div>Vieux",
    "orange": f"<p>{ASK}</p><blockquote style='border-left:1px solid #ff6600'>"
    "<p>envoyé : 3 mai 2024 à 10:00<br>de : Presse &lt;m@x.org&gt;<br>"
    "à : a@b.org<br>objet : x</p><p>Vieux</p></blockquote>",
    "zimbra": f"<div><div>{ASK}</div><hr id=zwchr><div><b>De: </b>Presse &lt;m@x.org&gt;<br><b>À: </b>a<br>"
    "<b>Envoyé: </b>Vendredi 3 Mai<br>"
    "<b>Objet: </b>x<br></div><br><div>Vieux</div></div>",
    "roundcube": f"<p>{ASK}</p><p id=reply-intro>Le 2024-05-03 10:00, Presse a écrit :</p><blockquote type=cite><p>Vieux</p></blockquote>",
    "proton": f"<div>{ASK}</div><div class=protonmail_signature_block>Envoyé avec Proton Mail</div><div class=protonmail_quote>Vieux</div>",
    "yahoo": f"<div>{ASK}</div><div class=ydp3yahoo_quoted><div>Le vendredi 3 mai 2024, Presse a écrit :</div>Vieux</div>",
    "gmail": f"<div>{ASK}</div><br><div class=gmail_quote><div class=gmail_attr>Le ven. 3 mai 2024, 10:00, Presse a écrit :</div>"
    "<blockquote class=gmail_quote>Vieux</blockquote></div>",
    "thunderbird, forward": f"<p>{ASK}</p><div><br>-------- Message transféré --------<table><tr><th>Sujet :</th><td>x</td>"
    "</tr></table>Vieux</div>",
    "newsletter": f"<div style='display:none;max-height:0'>Vieux</div><p>{ASK}</p>",
}
TEXT = {
    "gmail": f"{ASK}\n\nLe ven. 3 mai 2024 à 10:00, Bureau de presse <\nm@x.org> a écrit :\n\n> Vieux",
    "outlook": f"{ASK}\n\n-----Message d'origine-----\nDe : Presse [mailto:m@x.org]\nEnvoyé : lundi\nÀ : Awa\nObjet : x\n\nVieux",
    "outlook, no rule": f"{ASK}\nDe : Presse <m@x.org>\nEnvoyé : lundi\nÀ : Awa\nObjet : x\n\nVieux",
}


def read(body: str, kind: str) -> IncomingMessage:
    head = f"From: a@b.org\r\nTo: m@x.org\r\nSubject: x\r\nContent-Type: text/{kind}; charset=utf-8\r\n\r\n"
    found = parse((head + body).encode(), None, MARKS)
    assert isinstance(found, IncomingMessage)
    return found


@pytest.mark.parametrize("body", HTML.values(), ids=HTML)
def test_of_html_only_what_the_sender_wrote_is_read(body: str) -> None:
    assert read(body, "html").visible_text == ASK


@pytest.mark.parametrize("body", TEXT.values(), ids=TEXT)
def test_of_plain_text_only_what_the_sender_wrote_is_read(body: str) -> None:
    assert read(body, "plain").visible_text == ASK


def test_a_forward_without_a_word_stays_whole() -> None:
    page = "<div class=gmail_quote><div class=gmail_attr>---- Forwarded ----</div>Le communiqué</div>"
    assert "Le communiqué" in read(page, "html").visible_text


def test_a_mail_of_a_subject_alone_is_a_mail() -> None:
    found = read("", "html")
    assert (found.subject, found.visible_text) == ("x", "")
