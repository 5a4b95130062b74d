"""The decision table of MAIL.md 2.1: all its combinations through `decide`, against an oracle that knows only the table.

Here and not among the rules because of its 28,224 mails.
"""

import itertools
from dataclasses import replace
from typing import Any

import pytest

from mailbot.inbox.decision import decide
from mailbot.inbox.outcome import Context, Decided, HandOff, Ignore, SendRelease
from mailbot.inbox.said import Ears, own_words, take_in
from mailbot.inbox.understanding import understand
from mailbot.message.authentication import Authentication
from mailbot.message.incoming import IncomingMessage, parse
from mailbot.releases.search_index import build
from tests.samples.littoral import LANGUAGES, NOW, corpus

OURS, THEIRS = "presse@littoral.example", "awa@radio.example"
AUTO = [None, "no", "No (typed by a human)", "auto-replied", "auto-generated", "auto-notified", "xyzzy"]
PATH = [None, "", THEIRS, "bulk-7@other.example"]
LIST = [None, "<l.example>"]
PRECEDENCE = [None, "bulk", "junk", "list", "auto_reply", "normal"]
SUPPRESS = [None, "AutoReply", "All", "DR", "OOF", "RN, NRN", "None"]
TO_US = [True, False]
VOUCHED = [Authentication.PASS, Authentication.NONE, Authentication.FAIL]
SEEN = [False, True]
LATEST = "telephone-vert"


def oracle(auto: Any, path: Any, listed: Any, precedence: Any, suppress: Any, to_us: bool, vouched: Authentication, seen: bool) -> str:
    """What the table says, told once more and otherwise: reply, ignore or person."""
    if auto in ("auto-replied", "auto-generated", "auto-notified") or precedence == "auto_reply":
        return "ignore"
    by_a_list = listed or precedence in ("bulk", "junk", "list")
    silent = auto == "xyzzy" or path == "" or suppress in ("AutoReply", "All") or not to_us
    if by_a_list or silent or vouched is Authentication.FAIL:
        return "person"
    if vouched is Authentication.PASS:
        return "again" if seen else "reply"
    return "reply-short" if path == THEIRS and not seen else "person"


def outcome(decided: Decided) -> str:
    """The one place that looks into a decision."""
    match decided.decision:
        case SendRelease(repeat=True, full=True):
            return "again"
        case SendRelease(full=full):
            return "reply" if full else "reply-short"
        case HandOff():
            return "person"
        case Ignore():
            return "ignore"
        case report:
            return type(report).__name__


def plain_mail() -> IncomingMessage:
    head = f"From: Awa <{THEIRS}>\r\nTo: {OURS}\r\nSubject: Dernier communique\r\nMessage-ID: <1@r.x>"
    message = parse(f"{head}\r\n\r\nBonjour, votre dernier communique svp.".encode())
    assert isinstance(message, IncomingMessage)
    return message


PLAIN = plain_mail()


@pytest.fixture(scope="module")
def contexts() -> dict[tuple[Authentication, bool], Context]:
    """One for each sender's standing. The words are the same in every cell, so they are understood once."""
    releases = {release.id: release for release in corpus()}
    index = build(releases.values(), NOW, LANGUAGES)
    known = own_words(frozenset({OURS}), ())
    understood = understand(take_in(PLAIN, Ears(LANGUAGES, "fr", known), NOW), LANGUAGES, index, known, NOW)
    return {
        (vouched, seen): Context(
            own_addresses=frozenset({OURS}), colleagues=frozenset(), authentication=vouched, releases=releases, index=index,
            earlier_answers=((LATEST, NOW),) if seen else (), languages=LANGUAGES, organisation_languages=("fr", "en"),
            understood=understood,
        )
        for vouched, seen in itertools.product(VOUCHED, SEEN)
    }  # fmt: skip


@pytest.mark.parametrize("auto", AUTO, ids=str)
def test_the_decision_table_holds_in_every_one_of_its_cells(auto: str | None, contexts: dict[tuple[Authentication, bool], Context]) -> None:
    wrong, cells = [], 0
    for path, listed, precedence, suppress, to_us in itertools.product(PATH, LIST, PRECEDENCE, SUPPRESS, TO_US):
        fields = {"auto-submitted": auto, "list-id": listed, "precedence": precedence, "x-auto-response-suppress": suppress}
        headers = (*PLAIN.headers, *((name, value) for name, value in fields.items() if value is not None))
        message = replace(PLAIN, headers=headers, return_path=path, recipients=(OURS,) if to_us else ("x@y.example",))
        for (vouched, seen), context in contexts.items():
            got = outcome(decide(message, context, NOW))
            want = oracle(auto, path, listed, precedence, suppress, to_us, vouched, seen)
            cells += 1
            if got != want:
                wrong.append((path, listed, precedence, suppress, to_us, vouched, seen, got, want))
    assert cells == 4 * 2 * 6 * 7 * 2 * 3 * 2
    assert wrong[:5] == []
