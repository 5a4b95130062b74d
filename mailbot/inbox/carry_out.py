"""What follows from a decision, in the transaction that records it: the mails that are queued, where the mail goes, who waits."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import assert_never

from mailbot.audience.journalist import Purpose
from mailbot.broadcast.tell import stop
from mailbot.cases import store as cases
from mailbot.cases.case import Opening
from mailbot.database.engine import Tx
from mailbot.inbox import compose, compose_case, courtesy, join, kept_draft, store, submit
from mailbot.inbox.acknowledgement import Courtesy
from mailbot.inbox.choice import ALTERNATIVES
from mailbot.inbox.compose import Subject
from mailbot.inbox.hand_over import Desk, hand_over
from mailbot.inbox.note_report import note_report
from mailbot.inbox.outcome import (
    ColleagueReply,
    Confirm,
    Decided,
    Decision,
    HandOff,
    Ignore,
    RecordReport,
    SendRelease,
    StopBroadcast,
    Subscribe,
    Unsubscribe,
)
from mailbot.inbox.reason import PROTECTED, Reason
from mailbot.inbox.take_reply import take_reply
from mailbot.message.address import Address
from mailbot.message.authentication import Authentication
from mailbot.message.incoming import IncomingMessage
from mailbot.outbox import store as outbox
from mailbot.outbox.delivery import Kind
from mailbot.releases.release import Release


def waits(decided: Decided, desk: Desk) -> bool:
    """Does a person have to answer?"""
    return any(_is_a_persons(decision, desk) for decision in decided.decisions)


def folder(decided: Decided, desk: Desk) -> str:
    """Where the mail is filed: before a person's eyes, or done with."""
    return desk.attention if any(_is_to_be_read(decision, desk) for decision in decided.decisions) else desk.filed


def _is_a_persons(decision: Decision, desk: Desk) -> bool:
    match decision:
        case HandOff():
            return True
        case SendRelease() | Subscribe() | Unsubscribe() | Confirm():
            return desk.mode == "draft"
        case Ignore() | RecordReport() | ColleagueReply() | StopBroadcast():
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
        case Confirm(asked=asked):
            return "unsubscribe" if asked.purpose is Purpose.LEAVE else "subscribe"
        case HandOff():
            return "hand_off"
        case Ignore():
            return "ignore"
        case RecordReport():
            return "record_report"
        case ColleagueReply() | StopBroadcast():
            return "colleague_reply"
        case _:
            assert_never(decision)


def carry_out(
    tx: Tx, desk: Desk, decided: Decided, subject: Subject, library: Mapping[str, Release], word: Courtesy, now: datetime
) -> None:
    """Queue what follows from each decision, and the word that goes back to the sender. Not in observe mode."""
    language = decided.language if decided.language not in desk.unready_languages else desk.office.own_language
    notes = [decision for decision in decided.decisions if isinstance(decision, HandOff)]
    urgent = any(note.urgent for note in notes)
    reply = courtesy.written(desk.office, subject, word, language, urgent=urgent, now=now) if desk.mode == "automatic" else None
    if reply is not None:
        desk.enqueue(tx, reply, now)
    for decision in decided.decisions:
        match decision:
            case SendRelease() if desk.mode == "automatic":
                answer = compose.answer(desk.office, subject, decision, library, language, passed_on=bool(notes))
                desk.enqueue(tx, answer, now)
            case SendRelease(second=True):
                pass  # a case has one draft: that of the first, below which this one stands
            case SendRelease():
                drafted = HandOff(reason=Reason.DRAFT_MODE, why="draft-mode", draft=_with_second_below(decision, decided))
                _hand_off(tx, desk, drafted, language, subject, library, now)
            case Subscribe(reason=reason) | Unsubscribe(reason=reason) | Confirm(reason=reason):
                join.join(tx, desk, decision, subject, language, now)
                if desk.mode == "draft":
                    _hand_off(tx, desk, HandOff(reason=reason, why=str(reason)), language, subject, library, now)
            case HandOff(reason=reason) if reason in PROTECTED:
                _point(tx, desk, subject, referred=reply is not None, now=now)
            case HandOff():
                _hand_off(tx, desk, decision, language, subject, library, now)
                if decision.offer and desk.mode == "automatic":
                    desk.enqueue(tx, compose.offers(desk.office, subject, decision, library, language), now)
            case RecordReport():
                note_report(tx, desk, decision, subject.mail, now)
                if failed := [one for one in decision.reported if one.action == "failed"]:
                    submit.not_reached(tx, desk, decision.ours, "not-delivered", failed[0].diagnostic or failed[0].status, now)
            case ColleagueReply():
                take_reply(tx, desk, decision, subject.mail, library, now)
            case StopBroadcast(broadcast=broadcast, by=by):
                stop(tx, desk.office, desk.secret, desk.new_id, broadcast, by.address, now)
            case Ignore():
                pass
            case _:
                assert_never(decision)


def _point(tx: Tx, desk: Desk, subject: Subject, *, referred: bool, now: datetime) -> None:
    """A call for help: where it lies, to who looks after such mails. Other notes never use up its place; a flood of them does."""
    to = desk.office.protection or next(iter(_others(desk, subject)), None)
    if to is not None and store.count_decided(tx, PROTECTED, now - timedelta(hours=1)) <= desk.hand_offs_per_hour:
        desk.enqueue(tx, courtesy.pointer(desk.office, subject, to, desk.attention, referred=referred), now)


def _others(desk: Desk, subject: Subject) -> list[Address]:
    """The colleagues, without one who wrote the mail."""
    return [one for one in desk.office.colleagues if subject.sender is None or one.key != subject.sender.key]


def _with_second_below(first: SendRelease, decided: Decided) -> SendRelease:
    """Of two that one mail asked for: the journalist gets the second by its number, a word back."""
    second = [one.edition for one in decided.decisions if isinstance(one, SendRelease) and one.second]
    return replace(first, alternatives=(*second, *(slug for slug in first.alternatives if slug not in second))[:ALTERNATIVES])


def _hand_off(
    tx: Tx, desk: Desk, decision: HandOff, language: str, subject: Subject, library: Mapping[str, Release], now: datetime
) -> None:
    """A case begins, with a note to the first colleague; past the hour's number, and that of one sender, its mail waits for the digest."""
    message, sender, hour = subject.message, subject.sender, now - timedelta(hours=1)
    wrote_before = sender if not subject.is_first else None
    earlier = store.earlier(tx, wrote_before.key, subject.mail) if wrote_before else []
    opening = Opening(
        mail=subject.mail, reason=str(decision.reason), journalist=sender, language=language,
        authenticated=subject.authentication is Authentication.PASS,
        references=message.references if isinstance(message, IncomingMessage) else (),
        draft=kept_draft.kept(decision.draft) if decision.draft and sender else None,
        note=compose_case.note_values(desk.office, subject, decision, library, language, earlier),
        deadline=decision.deadline, deadline_words=decision.deadline_words, urgent=decision.urgent,
    )  # fmt: skip
    about = store.hand_offs_about(tx, wrote_before.key, hour) if wrote_before else 0
    case_id = cases.open_case(tx, opening, now)
    if case_id is None or outbox.count_since(tx, Kind.HAND_OFF, hour) >= desk.hand_offs_per_hour:
        return
    if about >= desk.hand_offs_per_address_per_hour and decision.reason is not Reason.CALL_FOR_HELP:  # who begs twice waits for no list
        return
    for colleague in _others(desk, subject)[:1]:
        hand_over(tx, desk, cases.load(tx, case_id), colleague, "new", now)
