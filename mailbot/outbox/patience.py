"""What the relay's answers mean for every mail, not only for the one that it spoke of: until when none may leave."""

from collections.abc import Sequence
from datetime import datetime

from mailbot.outbox.delivery import Kind, RelayDown, Reply, RetryAt, Verdict, judge
from mailbot.outbox.store import Claimed


class Patience:
    """Holds when the relay may be asked again, for all connections of this process."""

    def __init__(self, retry_seconds: Sequence[float], uncertain_retry_seconds: float) -> None:
        self._schedule, self._uncertain = retry_seconds, uncertain_retry_seconds
        self._failures = 0
        self.until: datetime | None = None

    def judged(self, reply: Reply, kind: Kind, attempts: int, doubts: int, now: datetime, jitter: float) -> Verdict:
        """What becomes of this mail, and the wait of the others. Connections that fail together have failed once."""
        verdict = judge(
            reply, kind=kind, attempts=attempts, doubts=doubts, now=now, schedule=self._schedule,
            uncertain_retry_seconds=self._uncertain, relay_failures=self._failures, jitter=jitter,
        )  # fmt: skip
        if isinstance(verdict, RelayDown):
            if self.until is None or self.until <= now:
                self._failures += 1
            self.until = max(verdict.until, self.until or verdict.until)
        else:
            self._failures = 0
            self.until = verdict.others if isinstance(verdict, RetryAt) else None
        return verdict

    def orphaned(self, reply: Reply, claimed: Claimed, now: datetime) -> Verdict:
        """What becomes of a mail whose worker is gone: it says nothing of the relay."""
        return judge(
            reply, kind=claimed.kind, attempts=claimed.attempts, doubts=claimed.doubts, now=now, schedule=self._schedule,
            uncertain_retry_seconds=self._uncertain, relay_failures=0, jitter=0.0,
        )  # fmt: skip

    def waits(self, now: datetime) -> bool:
        """No mail may leave now."""
        return self.until is not None and self.until > now
