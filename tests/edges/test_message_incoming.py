"""Laws of reading mail: any bytes give facts or one word why not; never an exception, never slow, never a line break in a header."""

from datetime import UTC, datetime
from random import Random
from time import perf_counter

import pytest

from mailbot.message.incoming import HEAD_OCTETS, Attachment, IncomingMessage, ReportedRecipient, Unreadable, parse
from mailbot.message.reply_text import marks_from

TOP = b"From: Awa <awa@paper.org>\r\nTo: media@x.org\r\n"


def read(octets: bytes) -> IncomingMessage:
    found = parse(octets)
    assert isinstance(found, IncomingMessage), found
    return found


def text_of(content_type: str, body: bytes, encoding: str = "8bit") -> str:
    return read(TOP + f"Content-Type: {content_type}\r\nContent-Transfer-Encoding: {encoding}\r\n\r\n".encode() + body).text


def multipart(kind: str, *parts: bytes) -> bytes:
    inside = b"".join(b"--limit\r\n" + part + b"\r\n" for part in parts)
    top = TOP + b"Content-Type: multipart/" + kind.encode() + b"; boundary=limit\r\n\r\npreamble\r\n"
    return top + inside + b"--limit--\r\nepilogue\r\n"


def test_an_ordinary_mail_is_read_whole() -> None:
    mail = read(
        b"Return-Path: <awa@paper.org>\r\nDelivered-To: media@x.org\r\nMessage-ID: <1@paper.org>\r\nIn-Reply-To: <mb.1@x.org>\r\n"
        b"References: <0@paper.org>\r\n\t<mb.1@x.org>\r\nDate: Mon, 28 Oct 2024 10:00:00 +0100\r\n"
        b"From: =?utf-8?q?Awa_Traor=C3=A9?= <awa@paper.org>\r\n"
        b"To: Media <Media@X.org>, b@x.org\r\nCc: c@x.org\r\nSubject: =?utf-8?q?Communiqu=C3=A9_du?=\r\n =?utf-8?q?_28?=\r\n\r\nBonjour\r\n"
    )
    assert mail.sender is not None
    assert (mail.sender.address, mail.sender.name, mail.from_fields, mail.from_plain) == ("awa@paper.org", "Awa Traoré", 1, True)
    assert (mail.message_id, mail.in_reply_to) == ("<1@paper.org>", ("<mb.1@x.org>",))
    assert mail.references == ("<0@paper.org>", "<mb.1@x.org>")
    assert mail.recipients == ("media@x.org", "b@x.org", "c@x.org")
    assert (mail.return_path, mail.subject, mail.date) == ("awa@paper.org", "Communiqué du 28", datetime(2024, 10, 28, 9, tzinfo=UTC))
    assert (mail.text, mail.visible_text, mail.content_type, mail.attachments) == ("Bonjour", "Bonjour", "text/plain", ())
    assert mail.header("TO") == "Media <Media@X.org>, b@x.org"
    assert mail.all("received") == ()


# Every row of MAIL.md 5.1, made here: what makes the standard library hang or raise.
MANY = {
    "subject of a megabyte": b"Subject: " + b"a " * 500_000 + b"\r\n\r\nx",
    "subject near the cap": b"Subject: " + b"a " * 45_000 + b"\r\n\r\nx",
    "50,000 encoded words": b"Subject: " + b"=?utf-8?q?a?= " * 50_000 + b"\r\n\r\nx",
    "6,000 encoded words": b"Subject: " + b"=?utf-8?q?a?= " * 6_000 + b"\r\n\r\nx",
    "encoded words that do not end": b"Subject: " + b"=?a?q?" * 16_000 + b"\r\n\r\nx",
    "20,000 addresses": b"To: " + b", ".join(b"u%d@example.org" % number for number in range(20_000)) + b"\r\n\r\nx",
    "5,000 addresses": b"To: " + b", ".join(b"u%d@example.org" % number for number in range(5_000)) + b"\r\n\r\nx",
    "international addresses": b"To: " + b", ".join(b"u@\xc3\xa9%d.org" % number for number in range(500)) + b"\r\n\r\nx",
    "50,000 empty parts": b"Content-Type: multipart/mixed; boundary=x\r\n\r\n" + b"--x\r\n\r\n" * 50_000,
    "500,000 near delimiters": b"Content-Type: multipart/mixed; boundary=x\r\n\r\n" + b"--xy\r\n" * 500_000,
    "100,000 headers": b"X: y\r\n" * 100_000,
    "20,000 headers in 120 KB": b"X: y\r\n" * 20_000 + b"\r\n",
    "20,000 parameters": b"Content-Type: text/plain" + b"".join(b"; a%d=b" % number for number in range(10_000)) + b"\r\n\r\nx",
    "empty parameters": b"Content-Type: text/plain" + b"; " * 49_000 + b"\r\n\r\nx",
    "open parameters": b"Content-Type: text/plain" + b'; a="' * 19_000 + b"\r\n\r\nx",
    "continued parameters": b"Content-Type: a/b" + b"".join(b"; name*%d*=%%41" % number for number in range(5_000)) + b"\r\n\r\nx",
    "message-id of 200 KB": b"Message-ID: <" + b"a" * 200_000 + b">\r\n\r\nx",
    "message-id of brackets": b"Message-ID: " + b"<" * 90_000 + b"\r\n\r\nx",
    "19,000 references": b"References: " + b"<a@b>" * 19_000 + b"\r\n\r\nx",
    "multiparts 2,000 deep": b"".join(b"Content-Type: multipart/mixed; boundary=b%dx\r\n\r\n--b%dx\r\n" % (n, n) for n in range(2_000)),
    "messages 2,000 deep": b"Content-Type: message/rfc822\r\n\r\n" * 2_000,
    "50,000 brackets": b"From: " + b"(" * 50_000 + b"\r\n\r\nx",
    "50,000 quotes": b"From: " + b'"' * 50_001 + b"\r\n\r\nx",
    "50,000 backslashes": b"From: " + b"\\" * 50_001 + b"\r\n\r\nx",
    "19,000 angles": b"From: " + b"<a@b>" * 19_000 + b"\r\n\r\nx",
    "a long date": b"Date: " + b"1 " * 40_000 + b"\r\n\r\nx",
    "html of a": b"Content-Type: text/html\r\n\r\n" + b"<a " * 500_000,
    "html of comments": b"Content-Type: text/html\r\n\r\n" + b"<!--" * 500_000,
    "html of div": b"Content-Type: text/html\r\n\r\n" + b"<div>" * 400_000,
    "line feeds": b"\r\n" + b"\n" * 2_000_000,
    "quotes": b"\r\n" + b"> \n" * 300_000,
    "combining accents": b"Subject: " + "e\u0301".encode() * 20_000 + b"\r\n\r\n" + "\u0301".encode() * 100_000,
    "zeros": b"\0" * 1_000_000,
    "wide bytes": b"\r\n" + b"\xff\xc3" * 200_000,
    "a report of 100,000": b"Content-Type: message/delivery-status\r\n\r\n" + b"Final-Recipient: rfc822; a@b\r\n\r\n" * 100_000,
    "a part of every kind of returned message": b"Content-Type: multipart/mixed; boundary=x\r\n\r\n"
    + (b"--x\r\nContent-Type: message/rfc822\r\n\r\n" + b"A: b\r\n" * 600) * 100,
}


@pytest.mark.parametrize("octets", MANY.values(), ids=MANY)
def test_nothing_takes_long(octets: bytes) -> None:
    started = perf_counter()
    parse(octets[:HEAD_OCTETS], len(octets))
    assert perf_counter() - started < 1


@pytest.mark.parametrize(("octets", "why"), [
    (b"A: b\r\n" * 1001 + b"\r\n", "too-many-headers"),
    (b"A: " + b"b" * (101 * 1024) + b"\r\n\r\n", "header-too-large"),
    (b"A: b\r\n" + b" bbbbbbb\r\n" * 14_000 + b"\r\n", "header-too-large"),
    ((b"A: " + b"b" * 1000 + b"\r\n") * 300 + b"\r\n", "header-block-too-large"),
    (MANY["50,000 empty parts"], "too-many-parts"),
    (MANY["500,000 near delimiters"], "too-many-parts"),
    (MANY["multiparts 2,000 deep"], "too-deep"),
    (b"Content-Type: multipart/mixed; boundary=x\r\n\r\n" + b"--x\r\nContent-Type: multipart/mixed; boundary=y\r\n\r\n" * 101,
     "too-many-boundaries"),
], ids=lambda value: value if isinstance(value, str) else "mail")
def test_past_a_cap_one_word_says_why(octets: bytes, why: str) -> None:
    found = parse(b"Subject: =?utf-8?q?Communiqu=C3=A9?=\r\n" + octets, 60_000_000)
    assert found == Unreadable(why=why, size=60_000_000, subject="Communiqué")


# The rows of MAIL.md 5.1 that raise, and what stands there instead.
@pytest.mark.parametrize(("field", "attribute", "expected"), [
    (b"Message-ID: <[anu10].x_[au5]@[anu13].X>", "message_id", "<[anu10].x_[au5]@[anu13].X>"),
    (b"Message-ID: <[b378@microsoft.com]>", "message_id", "<[b378@microsoft.com]>"),
    (b"Message-ID: none", "message_id", ""),
    (b"To: (c):", "recipients", ()),
    (b'To: "', "recipients", ()),
    (b"Content-Type: text/plain; name*", "text", "Bonjour"),
    (b"Content-Type: text/plain; charset=xxunknown", "text", "Bonjour"),
    (b"Content-Type: text/plain; charset=zip", "text", "Bonjour"),
    (b"Content-Type: text/plain; charset=idna", "text", "Bonjour"),
    (b"Content-Type: multipart/mixed", "text", "Bonjour"),
    (b"Content-Type: multipart/alternative; boundary=never", "text", "Bonjour"),
    (b"Content-Type: ;;;", "content_type", "text/plain"),
    (b"Subject: =?utf-8?q?a=0d=0aBcc:=20x@y?=", "subject", "a Bcc: x@y"),
    (b"Subject: a\0b", "subject", "a\ufffdb"),
    (b"Subject: =?utf-8?q?a=00=E2=80=AEb=C2=85?=", "subject", "ab"),
    (b"Subject: =?utf-8?b?w?= =?xx?q?=e9?= =?utf-8?x?y?=", "subject", "é =?utf-8?x?y?="),
    (b"Subject: =?utf-8?q?=C3?= =?utf-8?q?=A9?=", "subject", "é"),
    (b"Subject: \xe9t\xe9", "subject", "été"),
    (b"Subject: \xc3\xa9t\xc3\xa9", "subject", "été"),
    (b"Subject: " + b"x" * 600, "subject", "x" * 500),
    (b"Date: yesterday", "date", None),
    (b"Date: Mon, 32 Oct 2024 99:00:00", "date", None),
    (b"Date: Fri, 31 Dec 9999 23:59:59 -2359", "date", None),
    (b"Date: Mon, 28 Oct 2024 10:00:00", "date", datetime(2024, 10, 28, 10, tzinfo=UTC)),
    (b"Return-Path: <>", "return_path", ""),
    (b"Subject: x", "return_path", None),
    (b"References: rubbish <a@b> <a@b> <c d>", "references", ("<a@b>",)),
], ids=lambda value: ascii(value)[:50])
def test_a_broken_field_costs_only_itself(field: bytes, attribute: str, expected: object) -> None:
    assert getattr(read(b"From: awa@paper.org\r\n" + field + b"\r\n\r\nBonjour\r\n"), attribute) == expected


# MAIL.md 5.2: who sent it, where parsers differ.
@pytest.mark.parametrize(("top", "sender", "fields", "plain"), [
    (b"From: Awa <awa@paper.org>", "awa@paper.org", 1, True),
    (b"From: comms@un.int <evil@evil.com>", "evil@evil.com", 1, False),
    (b"From: alice@example.org)bob@evil.com", None, 1, False),
    (b"From: <comms@un.int><evil@evil.com>", None, 1, False),
    (b"From: comms@un.int, evil@evil.com", None, 1, False),
    (b"From: comms@un.int\r\nFrom: evil@evil.com", None, 2, False),
    (b"From: comms@un.int\r\nfrom : evil@evil.com", None, 2, False),
    (b'From: "a\r\n Bcc: x@y"@z', None, 1, False),
    (b"From: =?utf-8?q?comms?=@un.int", "=?utf-8?q?comms?=@un.int", 1, False),
    (b"From: =?utf-8?q?=0aBcc?= <a@b.org>", "a@b.org", 1, True),
    (b" From: comms@un.int", "comms@un.int", 1, False),
    (b"rubbish\r\nFrom: comms@un.int", None, 0, False),
    (b"To: x@y.org\r\nrubbish\r\nFrom: comms@un.int", "comms@un.int", 1, False),
    (b"From: comms@un.int\0", None, 1, False),
    (b"From: Team: a@b.org, c@d.org;", None, 1, False),
    (b"From: MAILER-DAEMON (Mail Delivery System)", None, 1, False),
    (b"From:\r\n Awa\r\n <awa@paper.org>", "awa@paper.org", 1, True),
    (b"Subject: x", None, 0, False),
], ids=lambda value: ascii(value)[:40])
def test_the_sender_is_one_or_none(top: bytes, sender: str | None, fields: int, plain: bool) -> None:
    mail = read(top + b"\r\n\r\nBonjour")
    assert (mail.sender.address if mail.sender else None) == sender
    assert (mail.from_fields, mail.from_plain) == (fields, plain)


def test_an_entry_that_is_no_address_does_not_leave_the_other_as_the_only_sender() -> None:
    assert read(b"From: nobody, awa@paper.org\r\n\r\nx").sender is None


@pytest.mark.parametrize(("content_type", "body", "encoding"), [
    ("text/plain; charset=utf-8", "Été à l’œuvre".encode(), "8bit"),
    ("text/plain; charset=windows-1252", "Été à l’œuvre".encode("cp1252"), "8bit"),
    ("text/plain; charset=iso-8859-1", "Été à l’œuvre".encode("cp1252"), "8bit"),
    ("text/plain; charset=us-ascii", "Été à l’œuvre".encode(), "8bit"),
    ("text/plain; charset=iso-8859-1", "Été à l’œuvre".encode(), "8bit"),
    ("text/plain; charset=utf-8", "Été à l’œuvre".encode("cp1252"), "8bit"),
    ("text/plain; charset=x-nonsense", "Été à l’œuvre".encode(), "8bit"),
    ("text/plain", "Été à l’œuvre".encode(), "8bit"),
    ('text/plain; charset="UTF-16LE"', "Été à l’œuvre".encode("utf-16-le"), "base64-not"),
    ("text/plain; charset=macintosh", "Été à l’œuvre".encode("mac-roman"), "8bit"),
    ("text/plain; charset=utf-8", b"=C3=89t=C3=A9 =C3=A0 l=E2=80=99=C5=\r\n=93uvre", "Quoted-Printable"),
    ("text/plain; charset=utf-8", b"w4l0w6kgw6Ag\r\nbOKAmcWTdXZyZQ", "base64"),
    ("text/plain; charset=utf-8", b"w4l0w6kg!w6Ag\r\nbOKAmcWTdXZyZQ==\r\n-- \r\nlist footer", "BASE64"),
    ("text/html; charset=utf-8", "<p>Été à&nbsp;l’&oelig;uvre</p>".encode(), "8bit"),
])
def test_accents_survive_every_charset_and_encoding(content_type: str, body: bytes, encoding: str) -> None:
    assert text_of(content_type, body, encoding) == "Été à l’œuvre"


@pytest.mark.parametrize(("charset", "text"), [
    ("koi8-r", "Пресс-релиз"), ("iso-8859-15", "10 € à l'œ"), ("iso-2022-jp", "日本語"),
    ("gb2312", "新闻稿"), ("windows-1256", "بيان صحفي"), ("cp-850", "été"), ("utf-7", "été"),
])
def test_old_charsets_are_read(charset: str, text: str) -> None:
    codec = {"cp-850": "cp850"}.get(charset, charset)
    assert text_of(f"text/plain; charset={charset}", text.encode(codec)) == text


@pytest.mark.parametrize(("body", "encoding"), [
    (b"=ZZ=C3=A9=", "quoted-printable"), (b"=", "base64"), (b"a", "base64"), (b"x", "x-uuencode"), (b"", "base64"),
])
def test_a_broken_encoding_is_read_as_far_as_it_goes(body: bytes, encoding: str) -> None:
    assert isinstance(text_of("text/plain", body, encoding), str)


def test_of_alternatives_plain_text_is_read_unless_it_says_nothing() -> None:
    html = b"Content-Type: text/html\r\n\r\n<p>Bonjour</p>"
    assert read(multipart("alternative", b"Content-Type: text/plain\r\n\r\nSalut", html)).text == "Salut"
    assert read(multipart("alternative", b"Content-Type: text/plain\r\n\r\n \r\n", html)).text == "Bonjour"
    assert read(multipart("alternative", html)).text == "Bonjour"


def test_files_are_attachments_and_inline_texts_are_read() -> None:
    mail = read(multipart(
        "mixed", b"\r\nBonjour", b"Content-Type: text/html\r\n\r\n<b>merci</b>",
        b"Content-Type: application/pdf; name*=utf-8''%C3%A9t%C3%A9.pdf\r\nContent-Transfer-Encoding: base64\r\n\r\nYWFh\r\nYWFh",
        b"Content-Type: text/plain\r\nContent-Disposition: attachment; filename*=utf-8''%00..%2F..%2Fetc%2Fpasswd\r\n\r\nsecret",
        b"Content-Type: text/calendar\r\n\r\nBEGIN:VCALENDAR",
        b"Content-Type: message/rfc822\r\n\r\nSubject: x\r\nMessage-ID: <old@x.org>\r\n\r\nold",
    ))
    assert mail.text == "Bonjour\nmerci"
    assert mail.attachments == (
        Attachment("été.pdf", "application/pdf", 6), Attachment("passwd", "text/plain", 6), Attachment("", "text/calendar", 15),
        Attachment("", "message/rfc822", 42))
    assert mail.returned_ids == ("<old@x.org>",)


def test_a_missing_or_wrong_boundary_is_guessed() -> None:
    body = b"--abc\r\nContent-Type: text/html\r\n\r\n<p>Bonjour</p>\r\n--abc--\r\n"
    for declared in (b"", b"; boundary=other", b"; boundary="):
        assert read(TOP + b"Content-Type: multipart/mixed" + declared + b"\r\n\r\n" + body).text == "Bonjour"
    assert read(TOP + b"Content-Type: multipart/mixed; boundary=abc\r\n\r\n--abc\r\n\r\nBonjour").text == "Bonjour"


def test_a_boundary_that_starts_like_another_is_another() -> None:
    inner = b'Content-Type: multipart/alternative; boundary="limit2"\r\n\r\n--limit2\r\n\r\nBonjour\r\n--limit2--'
    assert read(multipart("mixed", inner, b"Content-Type: image/png\r\n\r\nx")).text == "Bonjour"


@pytest.mark.parametrize("octets", [
    b"From: awa@paper.org\nSubject: x\n\nBonjour\n", b"From: awa@paper.org\rSubject: x\r\rBonjour\r",
    b"From: awa@paper.org\r\nSubject: x\r\nBonjour\r\n",
    b"From x@y Mon Oct 28\nFrom: awa@paper.org\nSubject: x\n\nBonjour",
], ids=("lf", "cr", "no blank line", "mbox"))
def test_line_ends_and_separators_may_be_odd(octets: bytes) -> None:
    mail = read(octets)
    assert (mail.from_[0].address, mail.subject, mail.text) == ("awa@paper.org", "x", "Bonjour")


@pytest.mark.parametrize("octets", [
    b"", b"\n", b"\r\n\r\n", b":", b"Bonjour", b"\0", b" ", b"From", b"A:", b"--", b"\xff\xfe", b"Content-Type: multipart/mixed\n",
])
def test_almost_nothing_is_a_mail_too(octets: bytes) -> None:
    assert read(octets).size == len(octets)


def test_any_bytes_at_all_give_an_answer() -> None:
    random = Random(1)
    seed = multipart("report; report-type=delivery-status", b"\r\nBonjour <b>",
                     b"Content-Type: message/delivery-status\r\n\r\nFinal-Recipient: rfc822; a@b")
    for _ in range(100):
        spoilt = bytearray(seed)
        for _ in range(random.randrange(1, 30)):
            spoilt[random.randrange(len(spoilt))] = random.choice(b"\0\n\r \":;<>()=?@-\xff\xc3limit")
        parse(bytes(spoilt))
        parse(random.randbytes(random.randrange(300)))


def test_only_the_head_of_a_large_mail_is_read() -> None:
    mail = parse(TOP + b"\r\nBonjour", 60_000_000)
    assert isinstance(mail, IncomingMessage)
    assert (mail.size, mail.truncated, mail.text) == (60_000_000, True, "Bonjour")
    whole = parse(TOP + b"\r\n" + b"x" * (HEAD_OCTETS + 1))
    assert isinstance(whole, IncomingMessage)
    assert whole.truncated
    assert len(whole.text) <= 200_000
    assert len(whole.visible_text) <= 20_000


def test_a_bounce_gives_its_recipients_and_the_returned_ids() -> None:
    mail = read(multipart(
        "report; report-type=Delivery-Status", b"\r\nSorry",
        b"Content-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx.x.org\r\n\r\n"
        b"Original-Recipient: rfc822;awa@paper.org\r\nFinal-Recipient: RFC822; <awa@paper.org>\r\nAction: Failed\r\n"
        b"Status: 5.1.1 (unknown)\r\n"
        b"Diagnostic-Code: smtp; 550 5.1.1\r\n unknown\r\n\r\n"
        b"Final-Recipient: utf-8; j\\x{F6}rg@paper.org\r\nAction: delayed\r\nStatus: 4.2.2",
        b"Content-Type: text/rfc822-headers\r\n\r\nMessage-ID: <mb.1@x.org>\r\nSubject: x",
    ))
    assert mail.report_type == "delivery-status"
    assert mail.reported == (
        ReportedRecipient("awa@paper.org", "failed", "5.1.1", "smtp; 550 5.1.1 unknown"),
        ReportedRecipient("jörg@paper.org", "delayed", "4.2.2", ""))
    assert (mail.returned_ids, mail.text, mail.attachments) == (("<mb.1@x.org>",), "Sorry", ())


def test_a_complaint_gives_its_type_and_the_returned_ids() -> None:
    mail = read(multipart(
        "report; report-type=feedback-report", b"\r\nA complaint",
        b"Content-Type: message/feedback-report\r\n\r\nFeedback-Type: Abuse\r\nVersion: 1",
        b"Content-Type: message/rfc822\r\n\r\nMessage-ID: <mb.1@x.org>\r\n\r\nx",
    ))
    assert (mail.report_type, mail.feedback_type, mail.returned_ids) == ("feedback-report", "abuse", ("<mb.1@x.org>",))


def test_the_visible_text_follows_the_words_it_is_given() -> None:
    octets = TOP + "\r\nLe communiqué, svp\r\n\r\nCordialement,\r\nAwa\r\n".encode()
    found = parse(octets, None, marks_from([{"closings": ["Cordialement"]}]))
    assert isinstance(found, IncomingMessage)
    assert (found.visible_text, read(octets).visible_text) == ("Le communiqué, svp", "Le communiqué, svp\n\nCordialement,\nAwa")


def test_html_is_read_without_what_it_quotes_unless_that_is_all() -> None:
    quoted = b"<div class=gmail_quote>Q</div>"
    mail = read(TOP + b"Content-Type: text/html\r\n\r\n<p>A</p>" + quoted)
    assert (mail.text.split(), mail.visible_text) == (["A", "Q"], "A")
    assert read(TOP + b"Content-Type: text/html\r\n\r\n" + quoted).visible_text == "Q"
