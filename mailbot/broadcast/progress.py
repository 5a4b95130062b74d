"""The numbers of a broadcast, the same for commands and pages: how far it is, how long it takes, what it weighs."""

from collections.abc import Mapping
from datetime import timedelta

DONE = ("sent", "failed", "suppressed", "cancelled", "uncertain")
MINUTE, DAY = 60.0, 86_400.0


def seconds_for(mails: int, *, per_minute: int, per_day: int) -> int:
    """How long so many take at the pace of the relay; without a pace nobody can say, and it is 0."""
    by_minute = mails / per_minute * MINUTE if per_minute else 0.0
    by_day = (mails // per_day) * DAY if per_day and mails > per_day else 0.0
    return round(max(by_minute, by_day))


def done(states: Mapping[str, int]) -> int:
    """How many have come to their end."""
    return sum(states.get(name, 0) for name in DONE)


def seconds_left(states: Mapping[str, int], took: timedelta) -> int | None:
    """How long the rest will take at the rate so far; None where nothing has been done yet."""
    finished, left = done(states), sum(states.values()) - done(states)
    return round(took.total_seconds() * left / finished) if finished else None


def in_words(recipients: int, seconds: int, octets: int, per_minute: int) -> str:
    """412 recipients, 17 minutes at 25 a minute, 5.1 MB."""
    people = "1 recipient" if recipients == 1 else f"{recipients:,} recipients"
    pace = f", {_time(seconds)} at {per_minute} a minute" if per_minute else ""
    return f"{people}{pace}, {octets / 1_000_000:.1f} MB"


def _time(seconds: int) -> str:
    if seconds < 90:
        return f"{seconds} seconds"
    return f"{-(-seconds // 60)} minutes" if seconds < 5_400 else f"{seconds / 3600:.1f} hours"
