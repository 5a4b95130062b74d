"""Laws of what we send: 7-bit, CRLF, short lines, one of each field, the same bytes each time, and nothing of a stranger breaks out."""

import email
import email.policy
import re
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from mailbot.message.address import NAME_LIMIT, Address
from mailbot.message.incoming import IncomingMessage, parse
from mailbot.message.outgoing import File, OutgoingMessage, Unsendable, answer_references, build, clean_header

PLAIN = OutgoingMessage(
    message_id="<mb.1.0123456789abcdef0123456789abcdef@press.example.org>",
    sender=Address("media@press.example.org", "Press office"), to=Address("awa@paper.org", "Awa Traoré"),
    subject="Communiqué : visite", text="Bonjour,\n\nVoici le communiqué.\n", language="fr", date=datetime(2024, 10, 28, 9, 0, tzinfo=UTC),
)
FULL = replace(
    PLAIN, html="<p lang='fr'>Voici le communiqué.</p>", in_reply_to="<q@paper.org>", references=("<p@paper.org>", "<q@paper.org>"),
    headers=(("Auto-Submitted", "auto-replied"), ("X-Auto-Response-Suppress", "OOF, AutoReply")),
    files=(File("Communiqué du 28 octobre.pdf", "application/pdf", bytes(range(256)) * 40),
           File("original.eml", "message/rfc822", b"\xe9\n" * 900)),
)


def received(message: OutgoingMessage) -> IncomingMessage:
    found = parse(build(message))
    assert isinstance(found, IncomingMessage)
    return found


@pytest.mark.parametrize("message", [
    PLAIN, FULL, replace(PLAIN, text="x" * 5000 + "\n.\nFrom here\r\rto\x00there\n"),
    replace(PLAIN, text="مرحبا " * 500, html="<p>" + "م" * 5000),
    replace(PLAIN, subject="a" * 5000), replace(PLAIN, subject="é" * 5000), replace(PLAIN, text="", subject=""),
    replace(PLAIN, headers=(("List-Unsubscribe", "<https://x.org/" + "a" * 300 + ">, <mailto:u@x.org>"),)),
    replace(PLAIN, files=(File("é" * 5000, "weird", b""), File("../..\\x\r\n", "multipart/mixed", b"--x"))),
], ids=("plain", "full", "odd text", "arabic", "long subject", "long accents", "empty", "list", "odd files"))
def test_every_line_is_seven_bit_crlf_and_short(message: OutgoingMessage) -> None:
    octets = build(message)
    assert octets.isascii()
    assert not re.search(rb"(?<!\r)\n|\r(?!\n)|\0", octets)
    assert max(map(len, octets.split(b"\r\n"))) <= 998
    assert build(message) == octets


def test_two_messages_have_different_boundaries() -> None:
    boundary = re.compile(rb'boundary="(.*?)"')
    assert boundary.findall(build(FULL)) != boundary.findall(build(replace(FULL, message_id="<other@x.org>")))


def test_there_is_exactly_one_of_each_field() -> None:
    names = [name for name, _ in received(FULL).headers]
    for name in ("from", "to", "date", "message-id", "subject", "mime-version", "in-reply-to", "references", "content-type",
                 "content-language"):
        assert names.count(name) == 1, name
    assert not {"cc", "bcc", "reply-to", "sender"} & set(names)


def test_text_comes_first_then_html_then_files() -> None:
    mail = email.message_from_bytes(build(FULL), policy=email.policy.default)
    assert [part.get_content_type() for part in mail.walk()] == [
        "multipart/mixed", "multipart/alternative", "text/plain", "text/html", "application/pdf", "application/octet-stream"]
    assert mail["Date"] == "Mon, 28 Oct 2024 09:00:00 +0000"
    assert mail["Content-Language"] == "fr"


def test_a_single_text_has_no_multipart() -> None:
    assert received(PLAIN).content_type == "text/plain"


def test_files_arrive_whole_with_their_names() -> None:
    mail = email.message_from_bytes(build(FULL))
    pdf, original = [part for part in mail.walk() if part.get_filename()]
    assert email.utils.collapse_rfc2231_value(pdf.get_param("filename", header="content-disposition")) == "Communiqué du 28 octobre.pdf"
    assert [pdf.get_payload(decode=True), original.get_payload(decode=True)] == [file.content for file in FULL.files]
    assert original["Content-Transfer-Encoding"] == "base64"
    assert [file.name for file in received(FULL).attachments] == ["Communiqué du 28 octobre.pdf", "original.eml"]


def test_a_long_file_name_is_spread_over_lines_and_found_again() -> None:
    name = "Communiqué très important " * 4 + ".pdf"
    mail = email.message_from_bytes(build(replace(PLAIN, files=(File(name, "application/pdf", b"x"),))))
    found = next(part for part in mail.walk() if part.get_content_type() == "application/pdf")
    assert email.utils.collapse_rfc2231_value(found.get_param("filename", header="content-disposition")) == name


@pytest.mark.parametrize("text", [
    "Bonjour,\n\nÉté « à 10 h » : l’œuvre…\n",
    ".\n..\nFrom here\n trailing \t\n\n=3D =\n", "x" * 5000 + "\n", "مرحبا بالعالم\n😀\n", "a\n\n\nb\n",
])
def test_the_text_that_was_previewed_is_the_text_that_arrives(text: str) -> None:
    mail = email.message_from_bytes(build(replace(PLAIN, text=text)), policy=email.policy.default)
    assert mail.get_content().replace("\r\n", "\n") == text


def test_french_stays_readable_on_the_wire_and_arabic_is_base64() -> None:
    assert b"Content-Transfer-Encoding: quoted-printable" in build(PLAIN)
    assert b"Content-Transfer-Encoding: base64" in build(replace(PLAIN, text="مرحبا " * 50))


@pytest.mark.parametrize("name", [
    "Awa", 'Awa "the pen" Traoré', "Traoré, Awa", "O'Brien; Pat", "back\\slash",
    "😀 Awa 👩🏽‍💻", "مرحبا بالعالم", "שלום, עולם", "=?utf-8?q?x?=", "a@b.org",
    "(comment)", "J. Doe", "é" * 100, "Awa  Traoré",
], ids=ascii)
def test_a_display_name_survives_the_round_trip(name: str) -> None:
    wanted = " ".join(name.split())
    found = received(replace(PLAIN, sender=Address("media@press.example.org", name))).sender
    assert found is not None
    assert (found.address, found.name) == ("media@press.example.org", wanted)
    octets = build(replace(PLAIN, sender=Address("media@press.example.org", name)))
    box = email.message_from_bytes(octets, policy=email.policy.default)["From"].addresses[0]
    assert box.addr_spec == "media@press.example.org"
    assert "".join(box.display_name.split()) == "".join(wanted.split())
    assert all(len(word) <= 75 for word in re.findall(rb"=\?[^ \r]*\?=", octets))


def test_a_name_of_five_kilobytes_is_cut_and_still_a_name() -> None:
    found = received(replace(PLAIN, to=Address("awa@paper.org", "é😀, \"" * 1000)))
    assert found.recipients == ("awa@paper.org",)
    octets = build(replace(PLAIN, to=Address("awa@paper.org", "é😀" * 2500)))
    box = email.message_from_bytes(octets, policy=email.policy.default)["To"].addresses
    assert [one.addr_spec for one in box] == ["awa@paper.org"]
    assert len(box[0].display_name.replace(" ", "")) == NAME_LIMIT


EVIL = "x\r\nBcc: victim@x.org\n\nbody\x00\x85\u2028y\u2029\u202ez\u2066\ud800"


@pytest.mark.parametrize("message", [
    replace(PLAIN, subject=EVIL), replace(PLAIN, to=Address("awa@paper.org", EVIL)), replace(PLAIN, sender=Address("m@x.org", EVIL + "é")),
    replace(PLAIN, headers=(("X-Mailbot-Release", EVIL),)),
    replace(PLAIN, in_reply_to=f"<{EVIL}@x>", references=(EVIL, "<a@b\r\nBcc:c@d>")),
    replace(PLAIN, language=EVIL), replace(PLAIN, files=(File(EVIL, EVIL, b"x"),)),
], ids=("subject", "to", "from", "extra", "references", "language", "file"))
def test_no_value_can_start_another_field(message: OutgoingMessage) -> None:
    found = received(message)
    assert not {"bcc", "body"} & {name for name, _ in found.headers}
    everything = "".join(value for _, value in found.headers) + found.subject + "".join(box.name for box in found.from_)
    assert not set("\x00\x85\u2028\u2029\u202e\u2066\r\n") & set(everything)


@pytest.mark.parametrize(("value", "expected"), [
    ("plain", "plain"), ("a\r\n b\tc", "a b c"), ("a\x00\x7f\x9bb", "a b"), ("a\u2028b\u202ec\u2069", "a bc"), ("\ud800é", "é"),
    ("x" * 50, "x" * 20),
    ("e\u0301", "é"),
], ids=ascii)
def test_a_clean_header_is_one_safe_line(value: str, expected: str) -> None:
    assert clean_header(value, 20) == expected


@pytest.mark.parametrize("broken", [
    replace(PLAIN, to=Address("jörg@paper.org")), replace(PLAIN, to=Address("not an address")),
    replace(PLAIN, sender=Address("a@b\r\nBcc: c@d")),
    replace(PLAIN, message_id="none"), replace(PLAIN, message_id="<a@b>\r\nBcc: x"), replace(PLAIN, headers=(("Bcc", "x@y.org"),)),
    replace(PLAIN, headers=(("X:\r\nBcc", "x@y.org"),)), replace(PLAIN, headers=(("Subject", "again"),)),
    replace(PLAIN, date=datetime(2024, 1, 1)),  # noqa: DTZ001, the point of the case
], ids=("eai", "no address", "injected address", "no id", "injected id", "bcc", "injected name", "second subject", "naive date"))
def test_what_cannot_be_sent_says_so(broken: OutgoingMessage) -> None:
    with pytest.raises(Unsendable, match=r"\w+"):
        build(broken)


def test_an_international_domain_leaves_as_a_label() -> None:
    assert b"<x@xn--fa-hia.de>" in build(replace(PLAIN, to=Address("x@faß.de", "Jörg")))


def test_answer_references_keep_the_first_and_the_last_within_twenty_ids_and_two_kilobytes() -> None:
    many = [f"<{number}@x.org>" for number in range(40)]
    found = answer_references("<last@x.org>", [*many, "rubbish", "<a b>", "<3@x.org>"])
    assert len(found) == 20
    assert (found[0], found[-1]) == ("<0@x.org>", "<last@x.org>")
    long = answer_references("<last@x.org>", ["<" + "a" * 200 + f"{number}@x.org>" for number in range(15)])
    assert sum(len(one) + 1 for one in long) <= 2000
    assert long[-1] == "<last@x.org>"
    assert answer_references("", ()) == ()


def test_references_to_long_ids_stay_ids() -> None:
    long = "<" + "a" * 200 + "@x.org>"
    found = received(replace(PLAIN, in_reply_to=long, references=(long, "<b@x.org>")))
    assert found.in_reply_to == (long,)
    assert found.references == (long, "<b@x.org>")
