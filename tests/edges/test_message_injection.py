"""CR and LF in any field of a mail, plain or encoded: what we send in answer has our header fields and no other (MAIL.md T-21)."""

import base64
import email
import email.policy
import re
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from mailbot.message.address import Address
from mailbot.message.incoming import IncomingMessage, parse
from mailbot.message.outgoing import File, OutgoingMessage, answer_references, build

NAMES = [
    "from", "to", "subject", "date", "message-id", "in-reply-to", "references", "content-language", "auto-submitted", "x-mailbot-release",
    "mime-version", "content-type",
]  # fmt: skip
BREAKS = {
    "crlf": b"\r\n", "lf": b"\n", "cr": b"\r", "crlf crlf": b"\r\n\r\n", "folded": b"\r\n ", "cr cr lf": b"\r\r\n", "nul lf": b"\0\n",
    "tab lf": b"\t\n\t", "vertical tab": b"\x0b", "form feed": b"\x0c", "next line": "\x85".encode(), "line separator": "\u2028".encode(),
    "paragraph separator": "\u2029".encode(), "percent": b"%0d%0a", "escaped": rb"\r\n", "html": b"&#13;&#10;", "overlong": b"\xc0\x8a",
    "latin next line": b"\x85",
}  # fmt: skip
FIELDS = {
    "subject": b"Subject: %s", "name": b"From: %s <awa@paper.org>", "quoted name": b'From: "%s" <awa@paper.org>',
    "id": b"Message-ID: <a%sb@paper.org>", "references": b"References: <a%sb@paper.org> <c@paper.org>",
    "in reply to": b"In-Reply-To: <a%sb@paper.org>", "file name": b'Content-Disposition: inline; filename="%s"',
    "file name, extended": b"Content-Disposition: inline; filename*=utf-8''%s", "list": b"List-Id: <%s>",
    "reply to": b"Reply-To: %s <x@y.example>", "language": b"Content-Language: %s",
}  # fmt: skip


def written(field: bytes, value: bytes) -> dict[str, bytes]:
    """The field with this value as it is, and in every encoding a header has."""
    coded = "".join(f"={octet:02X}" for octet in value).encode()
    percent = "".join(f"%{octet:02X}" for octet in value).encode()
    return {
        "plain": field % value, "q": field % (b"=?utf-8?q?" + coded + b"?="),
        "b": field % (b"=?utf-8?b?" + base64.b64encode(value) + b"?="), "latin q": field % (b"=?iso-8859-1?q?" + coded + b"?="),
        "utf-7": field % (b"=?utf-7?q?+AA0ACg-Bcc:=20victim@x.org?="), "percent": field % percent,
        "two words": field % (b"=?utf-8?q?" + coded[:6] + b"?= =?utf-8?q?" + coded[6:] + b"?="),
    }  # fmt: skip


def answer_to(mail: IncomingMessage) -> bytes:
    """With all of the stranger's text that an answer may hold, and more."""
    name = mail.from_[0].name if mail.from_ else ""
    return build(OutgoingMessage(
        message_id="<mb.1.0123456789abcdef0123456789abcdef@press.example.org>", sender=Address("media@press.example.org", "Press office"),
        to=Address("awa@paper.org", name), subject=f"Re: {mail.subject}", text=mail.visible_text,
        language=mail.header("content-language") or "fr", date=datetime(2024, 10, 28, 9, 0, tzinfo=UTC),
        in_reply_to=mail.message_id or "<a@b.c>",
        references=answer_references(mail.message_id or "<a@b.c>", (*mail.references, *mail.in_reply_to)),
        headers=(("Auto-Submitted", "auto-replied"), ("X-Mailbot-Release", mail.header("list-id") or "x")),
        files=tuple(File(one.name, one.content_type, b"x") for one in mail.attachments),
    ))  # fmt: skip


@pytest.mark.parametrize("field", FIELDS.values(), ids=FIELDS)
@pytest.mark.parametrize("broken", BREAKS.values(), ids=BREAKS)
def test_our_headers_stay_ours(field: bytes, broken: bytes) -> None:
    value = b"x" + broken + b"Bcc: victim@x.org" + broken + broken + b"body"
    for how, line in written(field, value).items():
        mail = parse(b"To: media@press.example.org\r\n" + line + b"\r\n\r\nBonjour\r\n")
        assert isinstance(mail, IncomingMessage), how
        octets = answer_to(mail)
        head = octets.partition(b"\r\n\r\n")[0]
        names = [name.decode().lower() for name in re.findall(rb"(?m)^([^ \t\r\n:]+)[ \t]*:", head)]
        assert sorted({*names} - {"content-transfer-encoding"}) == sorted(NAMES), how
        assert len(names) == len(set(names)), how
        second = email.message_from_bytes(octets, policy=email.policy.default)
        assert sorted({name.lower() for name in second.keys()} - {"content-transfer-encoding"}) == sorted(NAMES), how  # noqa: SIM118
        assert not set("\r\n\0\x0b\x0c\x85\u2028\u2029") & set(mail.subject + "".join(box.name for box in mail.from_)), how
        assert not re.search(rb"(?<!\r)\n|\r(?!\n)", octets), how


@pytest.mark.parametrize("where", ["text", "html"])
@pytest.mark.parametrize("text", [
    "a\r\n.\r\nMAIL FROM:<x@y>", "a\n.\nb", "a\r.\rb", "a\n.\r\nb", "a\r\n.\nb", "\r\n\r\nBcc: x@y\r\n", "--=_x\r\nBcc: x",
])
def test_no_text_ends_the_mail_or_starts_a_part(where: str, text: str) -> None:
    message = OutgoingMessage(
        message_id="<m@x.org>", sender=Address("m@x.org"), to=Address("awa@paper.org"), subject="x", text="x", html="<p>x</p>",
        language="fr", date=datetime(2024, 10, 28, 9, 0, tzinfo=UTC),
    )  # fmt: skip
    octets = build(replace(message, text=text) if where == "text" else replace(message, html=text))
    assert not re.search(rb"(?<!\r)\n|\r(?!\n)", octets)
    parts = [part.get_content_type() for part in email.message_from_bytes(octets).walk()]
    assert parts == ["multipart/alternative", "text/plain", "text/html"]
