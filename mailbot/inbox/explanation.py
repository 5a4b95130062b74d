"""A decision as `mailbot explain` and `inbox show` print it: the JSON of INTERFACE.md."""

from typing import Any, assert_never

from mailbot.audience.journalist import Purpose
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
    Variant,
)
from mailbot.message.incoming import IncomingMessage, ReportedRecipient, Unreadable
from mailbot.message.severity import severity

MOST_EVIDENCE = 10


def explain(decided: Decided, message: IncomingMessage | Unreadable, file: str) -> dict[str, Any]:
    """One mail: what was seen, what is done, and why."""
    read = message if isinstance(message, IncomingMessage) else None
    sender = read.sender if read else None
    return {
        "file": file,
        "kind": decided.kind,
        "language": decided.language,
        "sender": sender.address if sender else "",
        "subject": message.subject,
        "visible_text": read.visible_text if read else "",
        "actions": actions(decided),
        "reason": str(decided.decision.reason),
        "confidence": round(decided.confidence, 2),
        "evidence": list(decided.evidence[:MOST_EVIDENCE]),
    }


def withheld(explained: dict[str, Any]) -> dict[str, Any]:
    """The same without a word of the mail's: for a call for help."""
    return explained | {"subject": "", "visible_text": "", "evidence": []}


def actions(decided: Decided) -> list[dict[str, Any]]:
    """One action or more for each decision; a report has one for each recipient."""
    return [action for decision in decided.decisions for action in _actions(decision)]


def _actions(decision: Decision) -> list[dict[str, Any]]:
    match decision:
        case SendRelease():
            return [_send(decision)]
        case Subscribe():
            return [{"type": "subscribe"}]
        case Unsubscribe():
            return [{"type": "unsubscribe"}]
        case Confirm(asked=asked):
            return [{"type": "unsubscribe" if asked.purpose is Purpose.LEAVE else "subscribe"}]
        case HandOff():
            return [_hand_off(decision)]
        case Ignore(reason=reason) | ColleagueReply(reason=reason) | StopBroadcast(reason=reason):
            return [{"type": "ignore", "why": str(reason)}]
        case RecordReport(feedback_type=feedback) if feedback:
            return [{"type": "record_complaint", "feedback_type": feedback, "ours": bool(decision.ours)}]
        case RecordReport():
            return [_bounce(reported, bool(decision.ours)) for reported in decision.reported]
        case _:
            assert_never(decision)


def _hand_off(decision: HandOff) -> dict[str, Any]:
    more = {
        "offers": list(decision.offers),
        "draft": _send(decision.draft) if decision.draft else None,
        "deadline": decision.deadline.isoformat() if decision.deadline else None,
        "deadline_words": decision.deadline_words,
        "urgent": decision.urgent,
    }
    return {"type": "hand_off", "why": decision.why} | {key: value for key, value in more.items() if value}


def _send(decision: SendRelease) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "type": "send_release", "release": decision.edition, "edition": decision.language, "why": decision.why, "full": decision.full,
    }  # fmt: skip
    shown |= {"variant": str(decision.variant)} if decision.variant is not Variant.FULL else {}
    shown |= {"photos": list(decision.photos)} if decision.photos else {}
    return shown | ({"alternatives": list(decision.alternatives)} if decision.alternatives else {})


def _bounce(reported: ReportedRecipient, ours: bool) -> dict[str, Any]:
    grade = severity(reported.action, reported.status, reported.meaning)
    return {"type": "record_bounce", "recipient": reported.recipient, "class": grade, "status": reported.status, "ours": ours}
