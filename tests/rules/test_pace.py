"""How fast mail may leave: never more than so many in any minute or any day."""

from datetime import UTC, datetime, timedelta

import pytest

from mailbot.outbox.pace import next_free

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


def before(*seconds: float) -> list[datetime]:
    return [NOW - timedelta(seconds=one) for one in seconds]


@pytest.mark.parametrize(
    ("started", "per_minute", "per_day", "wait"),
    [
        pytest.param([], 1, 1, 0, id="nothing has left yet"),
        pytest.param(before(1, 1, 1), 0, 0, 0, id="0 is no limit"),
        pytest.param(before(30, 20), 3, 0, 0, id="one more fits"),
        pytest.param(before(30, 20, 10), 3, 0, 30, id="full: when the oldest is a minute old"),
        pytest.param(before(50, 30, 20, 10), 3, 0, 30, id="over the limit that was lowered: only the last three count"),
        pytest.param(before(61, 20, 10), 3, 0, 0, id="older than a minute does not count"),
        pytest.param(before(60, 20, 10), 3, 0, 0, id="a minute old to the instant does not count"),
        pytest.param(before(3600, 1800), 25, 2, 82800, id="the day's limit"),
        pytest.param(before(86399, 30, 20, 10), 3, 4, 30, id="both limits: the later instant"),
        pytest.param(before(86401, 90), 25, 2, 0, id="older than a day does not count"),
        pytest.param(before(-3600, -3600), 2, 0, 60, id="the clock was set back an hour: one minute's wait, not an hour's"),
    ],
)
def test_the_next_mail_may_leave_when_it_keeps_every_limit(started: list[datetime], per_minute: int, per_day: int, wait: int) -> None:
    assert next_free(started, NOW, per_minute=per_minute, per_day=per_day) == NOW + timedelta(seconds=wait)


def test_no_window_ever_holds_more_than_the_limit() -> None:
    started: list[datetime] = []
    now = NOW
    for _ in range(200):
        now = max(now, next_free(started, now, per_minute=25, per_day=0))
        started.append(now)
        now += timedelta(milliseconds=37)
    assert all(later - earlier >= timedelta(minutes=1) for earlier, later in zip(started, started[25:], strict=False))
    assert started[-1] - started[0] < timedelta(minutes=8)
