"""The brakes: when no answer leaves by itself, however clear the wish. The caps of one address, one domain and everybody are in Caps.

Two of them look further than one sender. The same words from several addresses within the hour are a machine that takes a new address each
time, or a campaign (MAIL.md T-16); and where the cap of everybody is reached again and again, the breaker trips and a person decides when
mailbot answers again.
"""

import hashlib
from collections.abc import Sequence
from datetime import datetime, timedelta

from mailbot.inbox.language import tokens
from mailbot.inbox.outcome import Context
from mailbot.inbox.reason import Reason

SAME_WORDS_WITHIN = timedelta(hours=1)
FULL_WITHIN, FULL_TIMES, FLOOD_WITHIN = timedelta(minutes=1), 3, timedelta(minutes=10)


def stopped(context: Context) -> Reason | None:
    """Why nothing leaves by itself now, whatever is asked for: this person complained, or the breaker has tripped."""
    if context.silenced:
        return Reason.COMPLAINED
    return Reason.ANSWERS_STOPPED if context.answers_stopped else None


def braked(context: Context, *, is_reply: bool) -> Reason | None:
    """The same, and why these words are not answered. `is_reply`: the subject is one of an earlier mail."""
    if halt := stopped(context):
        return halt
    if is_reply and context.same_words_answered:
        return Reason.ASKED_AGAIN  # nobody replies to an answer with the very words that it answered: an answering machine does
    return Reason.CAP_SAME_WORDS if context.same_words_from >= context.caps.addresses_per_text_per_hour else None


def words_key(subject: str, visible_text: str) -> str:
    """The same for the same words, however they are set; empty where nothing is written. A subject counts where there is no text."""
    words = tokens(visible_text) or tokens(subject)
    return hashlib.sha256(" ".join(words).encode("utf-8", "replace")).hexdigest() if words else ""


def is_flood(answers: Sequence[datetime], per_minute: int, now: datetime) -> bool:
    """Was the cap of everybody reached three times within ten minutes? Each answer counts towards one time alone."""
    times = sorted(at for at in answers if now - FLOOD_WITHIN < at <= now)
    place, full = 0, 0
    while place + per_minute <= len(times):
        if times[place + per_minute - 1] - times[place] < FULL_WITHIN:
            full, place = full + 1, place + per_minute
        else:
            place += 1
    return full >= FULL_TIMES
