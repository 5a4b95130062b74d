"""Gathers what the rule of acknowledgements asks: what went back to this person, and to others like him, before."""

from datetime import datetime, timedelta

from mailbot.database.engine import Tx
from mailbot.inbox.acknowledgement import Courtesy, Earlier, Sent, courtesy
from mailbot.inbox.compose import Subject
from mailbot.inbox.courtesy import is_referral
from mailbot.inbox.known_store import Known
from mailbot.inbox.outcome import Context, Decided, HandOff
from mailbot.message.address import cap_key
from mailbot.outbox import store as outbox


def weigh(tx: Tx, decided: Decided, subject: Subject, context: Context, known: Known, now: datetime) -> Courtesy:
    """Gather and decide. Nothing is looked up for a mail that no person gets."""
    sender = subject.sender
    if sender is None or not any(isinstance(decision, HandOff) for decision in decided.decisions):
        return courtesy(decided, subject.message, context, Earlier(), now)
    since = now - timedelta(days=context.caps.answer_pause_days)
    rows = outbox.acknowledgements_to(tx, cap_key(sender.address), since) if known.sender else ()
    earlier = Earlier(
        sent=tuple(
            Sent(delivery=row.id, in_reply_to=row.in_reply_to, at=row.created_at, referral=is_referral(row.key)) for row in rows
        ),
        domain_in_an_hour=known.acknowledgements_hour_domain,
        in_a_minute=known.acknowledgements_last_minute,
    )
    return courtesy(decided, subject.message, context, earlier, now)
