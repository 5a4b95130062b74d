"""Laws of bounces in words: each mail system says it its own way, and the reader finds whom it names and what that means."""

from pathlib import Path

import pytest
import yaml

from mailbot import bounces
from mailbot.message.bounce_text import BounceText, status_in
from mailbot.message.incoming import IncomingMessage, parse
from mailbot.message.severity import severity

RETURNED = """Received: from relay.office.example by mx.example with ESMTP; Mon, 4 Nov 2024 09:00:00 +0000
Message-ID: <mb.7.seal@office.example>
From: Office <media@office.example>
To: awa@paper.example
Subject: A new lighthouse
MIME-Version: 1.0

The lighthouse opens on Monday; write to desk@office.example.
"""


def read(sender: str, subject: str, text: str, *fields: str) -> IncomingMessage:
    top = [f"From: {sender}", "To: media@office.example", f"Subject: {subject}", *fields, "Content-Type: text/plain; charset=utf-8"]
    found = parse("\n".join([*top, "", text]).encode())
    assert isinstance(found, IncomingMessage), found
    return found


def seen(message: IncomingMessage) -> list[tuple[str, str, str]]:
    return [(one.recipient, one.status, severity(one.action, one.status, one.meaning)) for one in message.reported]


DAEMON = "Mail Delivery System <MAILER-DAEMON@relay.example>"
AWA = "awa@paper.example"

SAMPLES = Path(__file__).parents[1] / "samples" / "bounces.yaml"
SYSTEMS = yaml.load(SAMPLES.read_bytes(), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))


@pytest.mark.parametrize("system", SYSTEMS)
def test_every_mail_system_is_understood(system: str) -> None:
    sample = SYSTEMS[system]
    message = read(sample["from"], sample["subject"], sample["text"].replace("{returned}", RETURNED))
    assert message.bounce
    assert [" ".join(part or "-" for part in one) for one in seen(message)] == sample["expected"]
    assert all(one.diagnostic for one in message.reported)


@pytest.mark.parametrize("system", [name for name, sample in SYSTEMS.items() if "{returned}" in sample["text"]])
def test_the_returned_mail_gives_its_message_id_and_nobody_s_address(system: str) -> None:
    sample = SYSTEMS[system]
    message = read(sample["from"], sample["subject"], sample["text"].replace("{returned}", RETURNED))
    assert message.returned_ids == ("<mb.7.seal@office.example>",)
    assert "desk@office.example" not in [one.recipient for one in message.reported]


BOUNCE = "Your message could not be delivered to the following address:\n\n<awa@paper.example>: 550 5.1.1 User unknown\n"


PEOPLE_AND_MACHINES = {
    "shown by a person": ("Awa <awa@paper.example>", "TR: Undelivered Mail Returned to Sender", f"Why this?\n\n{BOUNCE}"),
    "even in a bounce's own words": ("Awa <awa@paper.example>", "Undeliverable: interview", BOUNCE),
    "out of office": (
        "Awa <awa@paper.example>", "Away", "I am away; write to ben@paper.example.", "Return-Path: <>", "Auto-Submitted: auto-replied",
    ),
    "out of office for good": (
        "Awa <awa@paper.example>", "Automatic reply: A lighthouse", "I no longer work here; my mailbox is full.", "Return-Path: <>",
    ),
    "a person at the post office": ("Postmaster <postmaster@paper.example>", "Lighthouse", "Please send it to awa@paper.example"),
    "people who talk about one": ("List <owner@list.example>", "Digest", f"Somebody asked: what is this?\n\n{BOUNCE}", "Precedence: bulk"),
}  # fmt: skip


@pytest.mark.parametrize("case", PEOPLE_AND_MACHINES)
def test_a_person_and_an_answering_machine_are_no_bounce(case: str) -> None:
    message = read(*PEOPLE_AND_MACHINES[case])
    assert (message.bounce, message.reported) == (False, ())


def test_a_bounce_that_names_nobody_is_still_one() -> None:
    message = read(DAEMON, "Undelivered Mail Returned to Sender", "Your message could not be delivered. For help ask postmaster.")
    assert (message.bounce, message.reported) == (True, ())


def test_where_the_report_names_nobody_the_one_reader_of_the_returned_mail_is_meant() -> None:
    text = f"Your message could not be delivered.\n\n--- Original message follows.\n\n{RETURNED}"
    assert seen(read(DAEMON, "Mail delivery failed", text)) == [(AWA, "", "soft")]


def test_a_provider_may_leave_its_own_domain_out() -> None:
    text = "Your mail to the following recipients could not be delivered because they are not accepting mail:\n\tawa.k\n"
    message = read("Mail Delivery Subsystem <MAILER-DAEMON@portal.example>", "Mail Delivery Problem", text)
    assert [one.recipient for one in message.reported] == ["awa.k@portal.example"]


def test_exim_s_own_field_counts_where_the_text_says_less() -> None:
    field = "X-Failed-Recipients: awa@paper.example, ben@radio.example"
    message = read(DAEMON, "Mail delivery failed", "A message could not be delivered.", field)
    assert [one.recipient for one in message.reported] == [AWA, "ben@radio.example"]


def test_whoever_is_to_be_asked_did_not_fail() -> None:
    ask = "Questions? Contact help@relay.example or <mailto:x@relay.example>."
    text = f"Delivery failed to the following address:\n\nawa@paper.example: mailbox is full\n\n{ask}"
    assert [one.recipient for one in read(DAEMON, "Delivery failure", text).reported] == [AWA]


@pytest.mark.parametrize(
    ("text", "status"),
    [
        ("550 5.1.1 unknown", "5.1.1"), ("(#5.2.2)", "5.2.2"), ("550-5.7.26 a\n550 5.7.26 b", "5.7.26"), ("5.0.0, or 5.1.10", "5.1.10"),
        ("Status: 5.0.0", "5.0.0"), ("relay 5.1.1.7 said no", ""), ("version v5.1.2", ""), ("2.1.5 ok", ""), ("4.4.7.", "4.4.7"), ("", ""),
    ],
)  # fmt: skip
def test_a_status_is_told_from_an_address_and_a_version(text: str, status: str) -> None:
    assert status_in(text) == status


def test_phrases_bridge_lines_codes_accents_and_gaps_but_not_words() -> None:
    words = bounces.words_from(
        {"senders": [], "subjects": [], "announcements": [], "recipients": [], "contacts": [], "returned": [], "delays": [],
         "meanings": {"full": ["boîte * pleine", "spf"], "unknown-user": ["no such user"]}}
    )  # fmt: skip
    assert words.meaning("La boite aux lettres\nde ce lecteur est PLEINE") == "full"
    assert words.meaning("550-5.1.1 No such\r\n550-5.1.1 user here") == "unknown-user"
    assert words.meaning("boite " + "x" * 100 + " pleine") == ""
    assert words.meaning("gspfx spfs") == ""
    assert words.meaning("SPF: fail") == "full"


@pytest.mark.parametrize("text", ["a@b.example " * 10_000, "To: a@b.example\n" * 5_000, "<" * 40_000, "550 no user" * 5_000, "x" * 99_999])
def test_reading_takes_time_in_proportion(text: str) -> None:
    told = BounceText(text, bounces.shipped())
    assert len(told.recipients()) <= 100
    assert len(told.whole()) <= 6_000
