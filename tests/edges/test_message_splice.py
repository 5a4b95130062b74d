"""A spliced mail says the same as the plainly built one, for every kind of letter and whatever a journalist is called."""

import email
import email.policy
import html
import re
from datetime import UTC, datetime
from email.message import EmailMessage

import pytest

from mailbot.message import outgoing
from mailbot.message.address import Address
from mailbot.message.letter import Letter, mark, marks_of, render_plain
from mailbot.message.splice import cut, splice

OFFICE = Address("presse@office.example", "Ville de Velmora")
TO = Address("awa@journal.example", "Awa Traoré")
ID = "<mb.0011.00112233445566778899aabbccddeeff@office.example>"
DATE = datetime(2026, 3, 4, 9, 5, tzinfo=UTC)
NAME, LINK = mark("name"), mark("link")

FRENCH = "L’été à Velmora : 12 000 visiteurs. Une phrase assez longue pour devoir être coupée plus d’une fois, et même deux.\n\n" * 4
DOTS = "..\n.\n.com\nFrom the mayor\n" + "." * 90 + "\n" + "x" * 75 + ".y\n"
HEADERS = (
    ("List-Unsubscribe", f"<{LINK}>, <mailto:presse@office.example?subject=STOP>"), ("X-For", f"à {NAME}!"), ("List-Id", "<a.example>"),
)  # fmt: skip


def page(body: str) -> str:
    paragraphs = f'<p title="{NAME}">{body}</p>\n<p>Bonjour {NAME},</p>\n<a href="{LINK}">x</a>'
    return f'<!doctype html>\n<html lang="fr"><body>\n{paragraphs}</body></html>\n'


def letter(subject: str, text: str, markup: str = "", files: tuple[outgoing.File, ...] = ()) -> Letter:
    return Letter(
        language="fr", edition="fontaine", content_hash="0" * 64, subject=subject, text=text, html=markup, headers=HEADERS, files=files
    )


LETTERS = {
    "standard": letter(f"{NAME}, une fontaine", f"Bonjour {NAME},\n\n{FRENCH}{DOTS}{LINK}\n-- \n{NAME}{NAME} \n", page(FRENCH + DOTS)),
    "lite": letter("Une fontaine", f"{NAME}\n{FRENCH}\n{LINK} \n", f"<p>{NAME}{LINK}</p>"),
    "text": letter("Fontaine", f"{FRENCH}{NAME}.\n{NAME}, {LINK}"),
    "arabic": letter(f"نافورة {NAME}", f"مرحبا {NAME},\n" + "افتتحت المدينة نافورة جديدة. " * 30 + f"\n{LINK}", page("نافورة جديدة " * 40)),
    "with files": letter("Invitation", f"Bonjour {NAME}\n{LINK}\n", page("oui"), (
        outgoing.File("visite.ics", "text/calendar", b"BEGIN:VCALENDAR\r\n.\r\nEND:VCALENDAR\r\n"),
        outgoing.File("é.bin", "image/jpeg", bytes(range(256)) * 9),
    )),
    "a mark alone": letter(NAME, f"{NAME}", f"<p>{NAME}</p>"),
}  # fmt: skip
ODD = [
    "", " ", "Awa", "Awa Traoré", "{{ 7*7 }}", "{% for x in y %}", "${7*7}", "%(name)s", "Bcc: x",
    "Bcc: x@evil.example\r\nTo: y", "\r\n.\r\nMAIL FROM:<x>", "\n", "\r", "a\tb", "a\0b", "\x1b[31m", "\x7f", "\x85",
    "\u2028next", "=41=42", "=", "a=\n", "=?utf-8?q?x?=", "=?utf-8?b?PHg+?=", ".", "..", ".com", "From x", "From ",
    "<script>alert(1)</script>", '"><img src=x>', "'", '"', "&amp;", "&", "]]>", "--", "-- ", "--=_x", "עברית",
    "العربية الفصحى", "\u202egnp.exe", "\u200fa\u200e", "👩‍👩‍👧‍👦", "🏴󠁧󠁢󠁳󠁣󠁴󠁿", "é" * 60, "e\u0301" * 40, "ﷺ",
    "漢字 かな", "\ufeffx", "\ufffd", "\ufffe", "\U0010ffff", "\ue000name\ue001", mark("link"), mark("missing"), "\ue000",
    "\ue001", "\ue002", "x" * 68, "x" * 69, "x" * 70, "x" * 71, "x" * 75, "x" * 76, "x" * 77, "x" * 998, "x" * 5000,
    "é" * 5000, "a b " * 1250, " lead", "trail ", "two  spaces", "nbsp\u00a0:", "\u202fx", "Dr. Awa Traoré, PhD",
    'Awa "la" Traoré', "Awa (Radio)", "Awa <awa@x.example>", "awa@x.example", "Awa;Bo", "Awa,Bo", "a:b;", "\\", "\\r\\n",
    "%0d%0aBcc: x", "$(id)", "`id`", "'; DROP TABLE delivery;--", "../../etc/passwd", "\ud800", "\udfff x", "NULL", "None",
    "0", "Ⅷ", "K", "ſ", "ß", "ŉ", "İ", "ǰ", "\u0338x", "<!--", "-->", "{{", "}}", "{#", "#}",
]  # fmt: skip


@pytest.mark.parametrize("kind", LETTERS)
@pytest.mark.parametrize("name", ODD, ids=lambda name: ascii(name[:12]))
def test_a_spliced_mail_parses_to_the_same_as_the_plainly_built_one(kind: str, name: str) -> None:
    values, asked = {"name": name, "link": f"https://office.example/u/{'ab12' * 12}?x=1&y=2"}, LETTERS[kind]
    to = Address(TO.address, name)
    plain = outgoing.build(render_plain(asked, values, message_id=ID, sender=OFFICE, to=to, date=DATE))
    spliced = splice(cut(asked, OFFICE), values, message_id=ID, to=to, date=DATE)

    assert read(spliced.whole) == read(plain)
    for octets in (spliced.whole, spliced.body):
        assert octets.isascii() and octets.endswith(b"\r\n")
        assert octets.count(b"\r\n") == octets.count(b"\n") == octets.count(b"\r")
        assert not re.search(rb"(?m)^(\.|From )", octets)
    assert max(map(len, spliced.body.split(b"\r\n"))) <= 76


@pytest.mark.parametrize("kind", LETTERS)
def test_the_same_letter_and_values_make_the_same_bytes(kind: str) -> None:
    values = {"name": "Awa Traoré", "link": "https://office.example/u/1"}
    first, again = (splice(cut(LETTERS[kind], OFFICE), values, message_id=ID, to=TO, date=DATE) for _ in range(2))

    assert first.whole == again.whole


def test_a_value_stands_in_html_escaped_and_in_text_as_it_is() -> None:
    values = {"name": "<b>&", "link": "https://office.example/?a=1&b=2"}
    mail = email.message_from_bytes(
        splice(cut(LETTERS["lite"], OFFICE), values, message_id=ID, to=TO, date=DATE).whole, policy=email.policy.default
    )

    assert texts(mail)[0].startswith("<b>&\r\n")
    assert "&lt;b&gt;&amp;" in texts(mail)[1] and html.escape(values["link"]) in texts(mail)[1]


def test_a_missing_value_is_named_and_nothing_is_made() -> None:
    with pytest.raises(outgoing.Unsendable, match="'link'"):
        splice(cut(LETTERS["text"], OFFICE), {"name": "Awa"}, message_id=ID, to=TO, date=DATE)
    with pytest.raises(outgoing.Unsendable, match="'link'"):
        render_plain(LETTERS["text"], {"name": "Awa"}, message_id=ID, sender=OFFICE, to=TO, date=DATE)


def test_a_letter_knows_which_values_it_needs() -> None:
    assert marks_of(LETTERS["standard"]) == {"name", "link"}


def read(raw: bytes) -> tuple[object, ...]:
    """Everything that a mail says, without how it is encoded."""
    mail = email.message_from_bytes(raw, policy=email.policy.compat32)
    heads = [(name, " ".join(value.split())) for name, value in mail.items() if name not in ("Content-Type", "Content-Transfer-Encoding")]
    parts = [
        (part.get_content_type(), part.get_params()[1:] if not part.is_multipart() else "", part.get_filename(), content(part))
        for part in mail.walk()
    ]  # fmt: skip
    return heads, parts


def content(part: email.message.Message) -> object:
    if part.is_multipart():
        return None
    octets = part.get_payload(decode=True)
    assert isinstance(octets, bytes)
    return octets.replace(b"\r\n", b"\n").rstrip(b"\n") if part.get_content_maintype() == "text" and not part.get_filename() else octets


def texts(mail: EmailMessage) -> list[str]:
    return [str(part.get_content()) for part in mail.walk() if part.get_content_maintype() == "text"]
