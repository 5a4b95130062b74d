"""What goes over the wire to the relay, and what a relay may say, lies and all."""

import pytest

from mailbot.outbox.delivery import Fault, Phase
from mailbot.outbox.wire import REPLY_OCTETS, Nonsense, ReplyReader, offer, printable, size_limit, unfit, wire_ready


@pytest.mark.parametrize(
    ("mail", "wire"),
    [
        pytest.param(b"a\r\n\r\nb\r\n", b"a\r\n\r\nb\r\n.\r\n", id="as it is"),
        pytest.param(b"a\r\n\r\nb", b"a\r\n\r\nb\r\n.\r\n", id="the last line is ended"),
        pytest.param(b"a\r\n.\r\nb\r\n", b"a\r\n..\r\nb\r\n.\r\n", id="a line that is a dot"),
        pytest.param(b".a\r\n..b\r\n.\r\n", b"..a\r\n...b\r\n..\r\n.\r\n", id="every dot at a line's start"),
        pytest.param(b"a\n.\nRCPT TO:<x@y>\n", b"a\r\n..\r\nRCPT TO:<x@y>\r\n.\r\n", id="bare LF ends no mail early"),
        pytest.param(b"a\r.\rb", b"a\r\n..\r\nb\r\n.\r\n", id="nor does bare CR"),
        pytest.param(b"a\r\n.\rb\n.\r\n", b"a\r\n..\r\nb\r\n..\r\n.\r\n", id="mixed"),
        pytest.param(b"a\r\n.b\r.\n", b"a\r\n..b\r\n..\r\n.\r\n", id="as many CR as LF, and yet not in pairs"),
        pytest.param(b"", b"\r\n.\r\n", id="empty"),
    ],
)
def test_a_mail_ends_where_it_ends(mail: bytes, wire: bytes) -> None:
    assert wire_ready(mail) == wire


@pytest.mark.parametrize(
    ("octets", "replies"),
    [
        (b"250 ok\r\n", [(250, "ok")]),
        (b"250\r\n", [(250, "")]),
        (b"250 \r\n", [(250, "")]),
        (b"250 ok\n", [(250, "ok")]),
        (b"250-a\r\n250 b\r\n", [(250, "a\nb")]),
        (b"250-5.1.1 a lie\r\n550 the end\r\n", [(550, "5.1.1 a lie\nthe end")]),
        (b"354 go\r\n550 no\r\n", [(354, "go"), (550, "no")]),
        (b"250 caf\xe9\r\n", [(250, "caf\ufffd")]),
        (b"250 a\x00b\r\n", [(250, "a\x00b")]),
        (b"250 o", []),
        (b"250-a\r\n", []),
    ],
)
def test_a_reply_is_read_however_it_comes(octets: bytes, replies: list[tuple[int, str]]) -> None:
    whole, slow = ReplyReader(), ReplyReader()
    assert whole.feed(octets) == replies
    assert [reply for octet in octets for reply in slow.feed(bytes([octet]))] == replies
    assert whole.empty is slow.empty is bool(replies)


@pytest.mark.parametrize("octets", [b"2500 ok\n", b"25 ok\n", b"\r\n", b"ok\n", b"HTTP/1.1 400\n", b"150 x\n", b"650 x\n", b"\x00\n"])
def test_what_is_no_reply_is_never_taken_for_one(octets: bytes) -> None:
    with pytest.raises(Nonsense):
        ReplyReader().feed(octets)


@pytest.mark.parametrize("endless", [b"x", b"250-\r\n"], ids=["line", "lines"])
def test_an_endless_reply_is_not_kept(endless: bytes) -> None:
    reader = ReplyReader()
    with pytest.raises(Nonsense):
        for _ in range(REPLY_OCTETS + 1):
            reader.feed(endless)


@pytest.mark.parametrize(
    "recipient",
    [
        "x@y>\r\nRCPT TO:<evil@z", "x@y\n", "a b@c", "<a@b>", "jörg@example.org", "a@exämple.org", "a", "", "@", "a@", "@b",
        "a\x00@b", "a\x7f@b",
    ],
)  # fmt: skip
def test_a_recipient_that_could_say_more_than_an_address_is_never_written(recipient: str) -> None:
    refusal = unfit("me@office.example", recipient, b"x")
    assert refusal is not None
    assert (refusal.phase, refusal.fault) == (Phase.ENVELOPE_RCPT, Fault.UNENCODABLE)


def test_a_sender_that_cannot_be_written_is_no_recipients_fault() -> None:
    refusal = unfit("", "a@b.example", b"x")
    assert refusal is not None
    assert refusal.phase is Phase.ENVELOPE_MAIL


def test_a_mail_that_is_not_7_bit_does_not_leave() -> None:
    assert unfit("me@office.example", "a@b.example", b"caf\xc3\xa9") is not None


@pytest.mark.parametrize("recipient", ["a@b.example", "o'neil+x=y@xn--exmple-cua.org", '"a"@b.example', "a@[192.0.2.1]"])
def test_an_odd_address_is_still_an_address(recipient: str) -> None:
    assert unfit("me@office.example", recipient, b"x") is None


@pytest.mark.parametrize(("told", "limit"), [("35882577", 35882577), ("0", 0), ("", 0), ("-1", 0), ("9" * 99, 0), ("١٢", 0), ("10 20", 0)])
def test_a_size_is_believed_where_it_is_a_number(told: str, limit: int) -> None:
    assert size_limit(told) == limit


@pytest.mark.parametrize(
    ("text", "line"),
    [("a\nb", "a b"), ("a\x00\x1b[31mb", "a [31mb"), ("a\u202eb\u2028c", "a b c"), ("caf\udce9", "caf\ufffd"), ("x" * 5000, "x" * 1000)],
)
def test_the_relays_words_are_kept_in_one_harmless_line(text: str, line: str) -> None:
    assert printable(text) == line


def test_what_a_relay_offers_is_said_in_one_line() -> None:
    offered = {"size": "35882577", "pipelining": "", "auth": "PLAIN", "8bitmime": ""}
    assert offer(offered, "TLSv1.3", "press") == "TLSv1.3, logged in as press, mails up to 35.9 MB, 8BITMIME, PIPELINING."
    assert offer({}, "", "") == "no TLS, no login, no size limit told."
