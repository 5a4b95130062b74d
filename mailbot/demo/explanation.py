"""What mailbot decided about one mail and why, as the demo's page tells it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """`outcome` is what mailbot did: send_release, subscribe, unsubscribe, hand_off, ignore or record_report; the rest says why."""

    outcome: str
    kind: str
    language: str
    confidence: float
    evidence: tuple[str, ...]
    reason: str                 # the word that log, desk and counters share
    edition: str = ""           # the slug of the edition that was sent
    title: str = ""             # its title
    offers: tuple[str, ...] = ()    # titles that a colleague was offered
