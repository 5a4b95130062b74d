"""The laws of alerts: heard once when it begins, once when it is well, never by a restart, a cause before its effect."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from mailbot.alerts.alert import Begin, End, Facts, Kind, Known, Secret, changes, for_a_template, for_programs

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
WELL = Facts(
    running_since=NOW - timedelta(days=9), sending_since=NOW - timedelta(days=9),
    inbox_stale_after=10 * MINUTE, relay_stale_after=10 * MINUTE, inbox_success=NOW - MINUTE,
    relay_success=NOW - timedelta(days=8), free_octets=5 << 30,
)  # fmt: skip
WEEK_AGO = NOW - timedelta(days=7)
LONG_UNREAD = {"inbox_success": NOW - 11 * MINUTE}
LONG_WAITING = {"waiting_since": NOW - 11 * MINUTE}


def began(known: tuple[Known, ...] = (), now: datetime = NOW, **facts: Any) -> list[tuple[Kind, str]]:
    return [(one.wrong.kind, one.wrong.item) for one in changes(replace(WELL, **facts), known, now) if isinstance(one, Begin)]


def ended(known: Known, **facts: Any) -> bool:
    return any(isinstance(one, End) for one in changes(replace(WELL, **facts), (known,), NOW))


def told(kind: Kind, item: str = "", level: int = 0, at: datetime = WEEK_AGO) -> Known:
    return Known(kind=kind, item=item, open=True, level=level, began_at=at)


@pytest.mark.parametrize(
    ("facts", "kind"),
    [
        pytest.param(LONG_UNREAD, Kind.INBOX_STALE, id="unread for too long"),
        pytest.param({"inbox_success": None}, Kind.INBOX_STALE, id="never read at all"),
        pytest.param(LONG_WAITING, Kind.RELAY_STALE, id="a mail waits and the relay takes none"),
        pytest.param({"inbox_refuses": True}, Kind.INBOX_LOGIN, id="the mailbox refuses the login"),
        pytest.param({"relay_refuses": True}, Kind.RELAY_LOGIN, id="the relay refuses the login"),
        pytest.param({"token_refused": True}, Kind.TOKEN, id="the token is refused"),
        pytest.param({"answers_stopped": NOW}, Kind.BREAKER, id="the breaker has tripped"),
        pytest.param({"free_octets": (200 << 20) - 1}, Kind.DISK, id="the disk is nearly full"),
        pytest.param({"parked": (7,)}, Kind.PARKED, id="a mail is parked"),
    ],
)
def test_what_is_wrong_is_heard_once(facts: dict[str, Any], kind: Kind) -> None:
    assert began(**facts) == [(kind, "")]
    assert began((told(kind),), **facts) == []
    assert not ended(told(kind), **facts)
    assert ended(told(kind), relay_success=NOW)


@pytest.mark.parametrize(
    "facts",
    [
        pytest.param({}, id="all is well"),
        pytest.param({"relay_success": None}, id="nothing was ever sent"),
        pytest.param({"waiting_since": NOW - 9 * MINUTE}, id="a mail waits, but not for long"),
        pytest.param(LONG_WAITING | {"relay_success": NOW - MINUTE}, id="a long queue that moves"),
        pytest.param(LONG_WAITING | {"held": True}, id="sending is stopped, or the day's number reached"),
        pytest.param(LONG_UNREAD | {"running_since": NOW - MINUTE}, id="nobody read while we were not running"),
        pytest.param(LONG_WAITING | {"sending_since": NOW - MINUTE}, id="nobody sent while we were not running, or were told not to"),
        pytest.param({"free_octets": None}, id="somebody else's disk"),
        pytest.param({"secrets": (Secret("imap", date(2026, 4, 1)),)}, id="a secret that holds for 31 days"),
    ],
)
def test_what_is_not_certainly_wrong_is_not_told(facts: dict[str, Any]) -> None:
    assert began(**facts) == []


@pytest.mark.parametrize(
    ("kind", "facts"),
    [
        pytest.param(Kind.INBOX_STALE, LONG_UNREAD | {"running_since": NOW}, id="the mailbox, just after a restart"),
        pytest.param(Kind.RELAY_STALE, LONG_WAITING | {"sending_since": NOW}, id="the relay, just after a restart"),
        pytest.param(Kind.RELAY_STALE, {"held": True}, id="somebody has stopped sending"),
        pytest.param(Kind.DISK, {"free_octets": 250 << 20}, id="a little more room than too little"),
    ],
)
def test_what_is_not_certainly_well_does_not_end(kind: Kind, facts: dict[str, Any]) -> None:
    assert not ended(told(kind), **facts)


def test_a_relay_is_well_when_nothing_waits_for_it_any_more() -> None:
    assert ended(told(Kind.RELAY_STALE))


@pytest.mark.parametrize("cause", ["inbox_refuses", "relay_refuses"])
def test_a_refused_login_hides_that_nothing_is_read_or_sent(cause: str) -> None:
    effect = LONG_UNREAD if cause == "inbox_refuses" else LONG_WAITING
    assert [kind for kind, _ in began(**{cause: True}, **effect)] == [Kind(f"{cause.partition('_')[0]}-login-refused")]


def test_a_refused_token_hides_both() -> None:
    facts = {"token_refused": True, "inbox_refuses": True, "relay_refuses": True} | LONG_UNREAD | LONG_WAITING
    assert began(**facts) == [(Kind.TOKEN, "")]


@pytest.mark.parametrize(
    ("ends", "level"),
    [(date(2026, 3, 31), 30), (date(2026, 3, 16), 30), (date(2026, 3, 15), 14), (date(2026, 3, 4), 3), (date(2026, 3, 1), 3),
     (date(2026, 2, 28), 0)],
)  # fmt: skip
def test_the_end_of_a_secret_is_told_at_thirty_fourteen_and_three_days_and_when_it_is_over(ends: date, level: int) -> None:
    facts = {"secrets": (Secret("imap", ends),)}
    assert began(**facts) == [(Kind.SECRET, "imap")]
    assert began((told(Kind.SECRET, "imap", level + 1, NOW),), **facts) == [(Kind.SECRET, "imap")], "it is worse than what was told"
    assert began((told(Kind.SECRET, "imap", level),), **facts) == []
    assert ended(told(Kind.SECRET, "imap", level), secrets=(Secret("imap", date(2027, 1, 1)),))


def test_each_request_past_its_deadline_is_told_by_itself_and_not_one_by_one() -> None:
    assert began(overdue=(4, 7)) == [(Kind.CASE, "4"), (Kind.CASE, "7")]
    assert began((told(Kind.CASE, "4", at=NOW - 9 * MINUTE),), overdue=(4, 7)) == [], "the next one soon after waits for a later look"
    assert began((told(Kind.CASE, "4", at=NOW - 10 * MINUTE),), overdue=(4, 7)) == [(Kind.CASE, "7")]
    assert ended(told(Kind.CASE, "4"), overdue=(7,))


def test_what_flaps_begins_once_in_ten_minutes() -> None:
    over = replace(told(Kind.INBOX_LOGIN, at=NOW - 9 * MINUTE), open=False)
    assert began((over,), inbox_refuses=True) == []
    assert began((over,), now=NOW + MINUTE, inbox_refuses=True) == [(Kind.INBOX_LOGIN, "")]


def test_a_clock_that_was_set_back_silences_nothing() -> None:
    assert began((replace(told(Kind.INBOX_LOGIN, at=NOW + timedelta(days=1)), open=False),), inbox_refuses=True) == [(Kind.INBOX_LOGIN, "")]


def test_a_message_says_the_same_to_people_and_to_programs() -> None:
    (begin,) = changes(replace(WELL, overdue=(7,)), (), NOW)
    (end,) = changes(WELL, (told(Kind.CASE, "7"),), NOW)
    assert [for_a_template(one)["began"] for one in (begin, end)] == [True, False]
    assert for_a_template(begin).keys() == for_a_template(end).keys()
    assert [for_programs(one, NOW)["event"] for one in (begin, end)] == ["began", "ended"]
    assert {for_programs(one, NOW)["condition"] for one in (begin, end)} == {"case-overdue/7"}
