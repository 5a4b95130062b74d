"""Which mail a sent one answers: by its Message-ID or its subject, and only where it went to who wrote."""

from datetime import UTC, datetime

import pytest

from mailbot.inbox.direct_answer import bare_subject, direct_answer, marks_of
from mailbot.message.address import key
from mailbot.message.incoming import IncomingMessage, parse

PREFIXES = frozenset({"re", "ref", "tr", "fwd"})
AT = datetime(2026, 3, 2, 9, tzinfo=UTC)
AWA = "awa@radio.example"


def answers(*fields: str, message_id: str = "<1@radio.example>", subject: str = "Une interview", sender: str = AWA) -> bool:
    message = parse("\r\n".join(["From: presse@office.example", *fields, "", ""]).encode())
    assert isinstance(message, IncomingMessage)
    found = direct_answer(message, AT, PREFIXES)
    return found is not None and bool(found.marks & marks_of(message_id, subject, key(sender), PREFIXES))


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        pytest.param(("To: Awa <awa@radio.example>", "In-Reply-To: <1@radio.example>", "Subject: x"), True, id="In-Reply-To"),
        pytest.param(("To: awa@radio.example", "References: <0@x> <1@radio.example> <2@x>"), True, id="References"),
        pytest.param(("To: chef@radio.example", "Cc: awa@radio.example", "References: <1@radio.example>"), True, id="in Cc, by its id"),
        pytest.param(("To: Awa@RADIO.example", "Subject: RE: une  Interview"), True, id="the subject"),
        pytest.param(("To: awa@radio.example", "Subject: Re: Re : TR: Une interview"), True, id="many prefixes"),
        pytest.param(("To: awa@radio.example", "Subject: =?utf-8?q?R=C3=A9f?=: Une interview"), True, id="an accent"),
        pytest.param(("To: dr@office.example", "In-Reply-To: <1@radio.example>", "Subject: TR: Une interview"), False, id="forwarded"),
        pytest.param(("To: chef@radio.example", "Cc: awa@radio.example", "Subject: Re: Une interview"), False, id="in Cc, by subject"),
        pytest.param(("To: awa@radio.example", "Subject: Une interview"), False, id="a mail of their own"),
        pytest.param(("To: awa@radio.example", "Subject: Re:"), False, id="no subject"),
        pytest.param(("To: awa@radio.example", "Subject: Re: Autre chose", "In-Reply-To: <9@x>"), False, id="something else"),
        pytest.param(("To: awa@radio.example", "In-Reply-To: <1@radio.example>", "Auto-Submitted: auto-replied"), False, id="a machine's"),
        pytest.param((), False, id="nothing at all"),
    ],
)
def test_what_answers_a_mail(fields: tuple[str, ...], expected: bool) -> None:
    assert answers(*fields) is expected


def test_a_mail_without_id_or_subject_is_answered_by_nothing_in_particular() -> None:
    assert not answers("To: awa@radio.example", "Subject: Re: Demande", message_id="", subject="")
    assert marks_of("<1@x>", "Demande", "", PREFIXES) == frozenset()


def test_nothing_that_was_written_stands_in_a_mark() -> None:
    (mark, other) = marks_of("<1@radio.example>", "Demande", key(AWA), PREFIXES)
    assert not any(word in mark + other for word in ("radio", "Demande", "demande", "awa"))


def test_only_so_many_prefixes_are_taken_off() -> None:
    assert bare_subject("Re: " * 40 + "x", PREFIXES).count("Re:") == 35
