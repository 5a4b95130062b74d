"""How long what is kept: from an instant back, the ends of each term."""

from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What the office has set (retention.*), and in which zone its days and years end; `noise`: words that are no topic; `common`: those
    that enough different people asked for in vain, as a round finds them when it begins (tally_store.common_words)."""

    mail: timedelta
    protection: timedelta
    outcome: timedelta
    zone: tzinfo
    noise: frozenset[str]
    common: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Ends:
    """What is older than these goes."""

    mail: datetime
    protection: datetime
    outcome: datetime


def ends(terms: Terms, now: datetime) -> Ends:
    """For this instant."""
    return Ends(now - terms.mail, now - terms.protection, now - terms.outcome)
