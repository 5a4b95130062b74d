"""What follows from a decision, in the transaction that records it: the mails that are queued, where the mail goes, who waits."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import assert_never

from mailbot.database.engine import Tx
from mailbot.inbox import compose, store
from mailbot.inbox.compose import Office, Subject
from mailbot.inbox.outcome import Decided, Decision, HandOff, Ignore, RecordReport, SendRelease, Subscribe, Unsubscribe
from mailbot.inbox.reason import Reason
from mailbot.inbox.summarise import name_again
from mailbot.message import token
from mailbot.outbox import store as outbox
from mailbot.outbox.delivery import Kind
from mailbot.releases.release import Release


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """Who writes, in which mode, how many notes an hour, where mail is filed, and what makes a Message-ID ours."""

    office: Office
    mode: str  # observe, draft, automatic
    hand_offs_per_hour: int
    filed: str
    attention: str
    secret: bytes
    new_id: Callable[[], str]

    def enqueue(self, tx: Tx, draft: outbox.Draft, now: datetime) -> bool:
        """Queue a mail under an id of its own. False where the same mail is queued already."""
        delivery_id = self.new_id()
        return outbox.enqueue(tx, draft, delivery_id, token.message_id(self.secret, delivery_id, self.office.address.domain), now)


def waits(decided: Decided, desk: Desk) -> bool:
    """Does a person have to answer?"""
    return any(_is_a_persons(decision, desk) for decision in decided.decisions)


def folder(decided: Decided, desk: Desk) -> str:
    """Where the mail is filed: before a person's eyes, or done with."""
    return desk.attention if any(_is_to_be_read(decision, desk) for decision in decided.decisions) else desk.filed


def _is_a_persons(decision: Decision, desk: Desk) -> bool:
    match decision:
        case HandOff() | Subscribe() | Unsubscribe():
            return True
        case SendRelease():
            return desk.mode == "draft"
        case Ignore() | RecordReport():
            return False
        case _:
            assert_never(decision)


def _is_to_be_read(decision: Decision, desk: Desk) -> bool:
    """A report about a mail of ours waits for no answer, and is for a person's eyes all the same: what we sent has not arrived."""
    return _is_a_persons(decision, desk) or (isinstance(decision, RecordReport) and bool(decision.ours))


def outcome_of(decision: Decision) -> str:
    """The word for it in lists and in the database."""
    match decision:
        case SendRelease():
            return "send_release"
        case Subscribe():
            return "subscribe"
        case Unsubscribe():
            return "unsubscribe"
        case HandOff():
            return "hand_off"
        case Ignore():
            return "ignore"
        case RecordReport():
            return "record_report"
        case _:
            assert_never(decision)


def carry_out(tx: Tx, desk: Desk, decided: Decided, subject: Subject, library: Mapping[str, Release], now: datetime) -> None:
    """Queue what follows from each decision. Not in observe mode."""
    for decision in decided.decisions:
        match decision:
            case SendRelease() if desk.mode == "automatic":
                desk.enqueue(tx, compose.answer(desk.office, subject, decision, library, decided.language), now)
            case SendRelease():
                drafted = HandOff(reason=Reason.DRAFT_MODE, why="draft-mode", draft=decision)
                _hand_off(tx, desk, drafted, decided.language, subject, library, now)
            case Subscribe(reason=reason) | Unsubscribe(reason=reason):
                _hand_off(tx, desk, HandOff(reason=reason, why=str(reason)), decided.language, subject, library, now)
            case HandOff():
                _hand_off(tx, desk, decision, decided.language, subject, library, now)
                if decision.offer and desk.mode == "automatic":
                    desk.enqueue(tx, compose.offers(desk.office, subject, decision, library, decided.language), now)
            case RecordReport():
                _note_report(tx, decision, now)
            case Ignore():
                pass
            case _:
                assert_never(decision)


def _note_report(tx: Tx, report: RecordReport, now: datetime) -> None:
    if any(one.action in ("failed", "") for one in report.reported):
        for mail in outbox.mails_of(tx, report.ours):  # what we wrote about it has not arrived after all
            store.put_before_a_person(tx, mail)
            name_again(tx, mail, now)


def _hand_off(
    tx: Tx, desk: Desk, decision: HandOff, language: str, subject: Subject, library: Mapping[str, Release], now: datetime
) -> None:
    """A note to the first colleague; past the hour's number the mail waits for the digest."""
    sent = outbox.count_since(tx, Kind.HAND_OFF, now - timedelta(hours=1))
    sender = subject.sender
    if sent >= desk.hand_offs_per_hour:
        return
    colleagues = [one for one in desk.office.colleagues if sender is None or one.key != sender.key]
    for colleague in colleagues[:1]:
        desk.enqueue(tx, compose.hand_off(desk.office, subject, decision, library, language, colleague), now)
