"""Mails in many voices, each with the one thing that must become of it. Every mistake that mailbot makes becomes a mail here."""

from dataclasses import replace
from email.utils import parseaddr
from pathlib import Path
from typing import Any

import pytest
import yaml

from mailbot.inbox.carry_out import outcome_of
from mailbot.inbox.decision import decide
from mailbot.inbox.outcome import Decided, HandOff, Ignore, SendRelease
from mailbot.message.authentication import authentication
from mailbot.message.incoming import IncomingMessage, parse
from mailbot.message.reply_text import marks_from
from tests.samples.littoral import CONTEXT, LANGUAGES, NOW

FOLDER = Path(__file__).parent
EXPECTED: dict[str, dict[str, Any]] = yaml.safe_load((FOLDER / "expected.yaml").read_text(encoding="utf-8"))
SAYINGS = yaml.safe_load((FOLDER / "sayings.yaml").read_text(encoding="utf-8"))
MARKS = marks_from([language.mail for language in LANGUAGES.values()])


def decided(name: str) -> Decided:
    message = parse((FOLDER / f"{name}.eml").read_bytes(), None, MARKS)
    assert isinstance(message, IncomingMessage)
    return decide(message, replace(CONTEXT, authentication=authentication(message, "mx.littoral.example")), NOW)


def decide_text(subject: str, text: str) -> str:
    """What becomes of a mail with these words: latest, topic:<edition>, person or ignore."""
    head = ("Return-Path: <a@radio.example>", "From: a@radio.example", "To: presse@littoral.example")
    message = parse("\n".join([*head, "Content-Type: text/plain; charset=utf-8", "", text]).encode(), None, MARKS)
    assert isinstance(message, IncomingMessage)
    match decide(replace(message, subject=subject), CONTEXT, NOW).decision:
        case SendRelease() as sent:
            return "latest" if sent.why == "latest" else f"topic:{sent.edition}"
        case Ignore():
            return "ignore"
        case _:
            return "person"


def shown(decided: Decided) -> dict[str, Any]:
    """The decision in the words of expected.yaml; `besides`: why a person gets the mail as well."""
    besides = [other.why for other in decided.decisions[1:] if isinstance(other, HandOff)]
    return _shown(decided) | ({"besides": besides} if besides else {})


def _shown(decided: Decided) -> dict[str, Any]:
    match decided.decision:
        case SendRelease() as sent:
            return {"action": "send_release", "release": sent.edition, "why": sent.why, "full": sent.full}
        case HandOff() as passed_on:
            draft = passed_on.draft.edition if passed_on.draft else False
            return {"action": "hand_off", "why": passed_on.why, "draft": draft, "offers": bool(passed_on.offers)}
        case Ignore(reason=reason):
            return {"action": "ignore", "why": str(reason)}
        case other:
            return {"action": outcome_of(other)}


@pytest.mark.parametrize("name", EXPECTED)
def test_a_mail_gets_the_decision_that_is_right_for_it(name: str) -> None:
    got = decided(name)
    assert {key: value for key, value in shown(got).items() if key in EXPECTED[name]} == EXPECTED[name], got


def test_every_mail_of_the_corpus_has_its_decision_written_down() -> None:
    assert {path.stem for path in FOLDER.glob("*.eml")} == set(EXPECTED)


def test_every_mail_of_the_corpus_shows_how_sure_and_why() -> None:
    for name in EXPECTED:
        got = decided(name)
        assert 0 <= got.confidence <= 1
        assert got.evidence or isinstance(got.decision, HandOff), name


def test_the_senders_of_the_corpus_are_nobody() -> None:
    for path in FOLDER.glob("*.eml"):
        sender = next(line for line in path.read_text(encoding="utf-8").splitlines() if line.startswith("From:"))
        assert parseaddr(sender[5:])[1].endswith(".example"), path.name


@pytest.mark.parametrize(("part", "least"), [("heard", 0.93), ("apart", 0.90)])
def test_nothing_wrong_is_ever_done_and_most_is_right(part: str, least: float) -> None:
    done = [(right, decide_text(subject, text), text) for right, subject, text in SAYINGS[part]]
    assert [case for case in done if case[1] not in (case[0], "person")] == []
    assert sum(right == got for right, got, _ in done) >= least * len(done)
