"""Does a mail in the Sent folder answer one that arrived? By its Message-ID, or by the same person and subject. Pure.

A colleague may answer from the media mailbox itself, and then nobody else has to. What is remembered of such an answer are marks: one
for each mail that it may answer, hashed, so that nothing of what was written is kept. A mail that is forwarded to somebody else names
the same Message-IDs: only what went to who wrote answers him.
"""

import hashlib
import re
from dataclasses import dataclass
from datetime import datetime

from mailbot.inbox.language import fold
from mailbot.message import address
from mailbot.message.incoming import IncomingMessage

MOST_IDS, MOST_RECIPIENTS, MOST_PREFIXES = 30, 10, 5
_PREFIX = re.compile(r"\s*(?:\[[^\]]{0,60}\]\s*)?([^\W\d_]{1,12})(?:\s*\[\d+\])?\s*:\s*")


@dataclass(frozen=True, slots=True)
class DirectAnswer:
    """What a colleague sent: when, to whom, and the marks of what it may answer."""

    at: datetime
    recipients: tuple[str, ...]
    marks: frozenset[str]


def direct_answer(message: IncomingMessage, at: datetime, prefixes: frozenset[str]) -> DirectAnswer | None:
    """From the header of a sent mail. None: a program sent it, or it goes on from nothing. `prefixes`: `re` in every language, folded."""
    if (message.header("auto-submitted") or "no").strip().lower() != "no":
        return None
    recipients = message.recipients[:MOST_RECIPIENTS]
    named = (*message.in_reply_to, *reversed(message.references))[:MOST_IDS]
    marks = {_of_id(one, key) for one in named for key in recipients}
    subject = bare_subject(message.subject, prefixes)
    if subject and subject != message.subject:
        boxes, _ = address.mailboxes(message.header("to") or "")
        marks |= {_of_subject(subject, box.key) for box in boxes[:MOST_RECIPIENTS] if box}
    return DirectAnswer(at, recipients, frozenset(marks)) if marks else None


def marks_of(message_id: str, subject: str, sender_key: str, prefixes: frozenset[str]) -> frozenset[str]:
    """What an answer to this mail would carry."""
    if not sender_key:
        return frozenset()
    bare = bare_subject(subject, prefixes)
    return frozenset(([_of_id(message_id, sender_key)] if message_id else []) + ([_of_subject(bare, sender_key)] if bare else []))


def bare_subject(subject: str, prefixes: frozenset[str]) -> str:
    """Without `Re:` and the like, however many stand before it."""
    for _ in range(MOST_PREFIXES):
        found = _PREFIX.match(subject)
        if found is None or fold(found[1]) not in prefixes:
            break
        subject = subject[found.end() :]
    return subject.strip()


def _of_id(message_id: str, key: str) -> str:
    return hashlib.sha256(f"id\0{message_id}\0{key}".encode()).hexdigest()


def _of_subject(bare: str, key: str) -> str:
    return hashlib.sha256(f"subject\0{' '.join(bare.casefold().split())}\0{key}".encode()).hexdigest()
