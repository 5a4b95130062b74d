"""The laws of announcements: who gets which letter, who is left out and why, what may become of one, what its numbers say."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from mailbot.broadcast.broadcast import (
    TRANSITIONS,
    Act,
    Announced,
    Broadcast,
    Gets,
    Kind,
    Limits,
    NotAllowed,
    Reader,
    State,
    Turn,
    Why,
    after,
    broadcast_of,
    choose,
    may_approve,
    resuming,
    turn,
)
from mailbot.broadcast.progress import in_words, seconds_for, seconds_left

NOW = datetime(2026, 6, 1, 9, tzinfo=UTC)
BOTH = Announced(editions={"fr": "pont", "en": "pont-en"}, topics=("travaux",), languages=("fr", "en"))
FRENCH = replace(BOTH, editions={"fr": "pont"})
LIMITS = Limits(max_lateness_minutes=15, pause_bounce_percent=5)
NOBODY: dict[str, int] = dict.fromkeys(("queued", "sending", "sent", "retrying", "failed", "uncertain", "suppressed", "cancelled"), 0)
ENDED = (State.FINISHED, State.CANCELLED)


def reader(**given: Any) -> Reader:
    known: dict[str, Any] = {
        "id": 1, "key": "awa@radio.example", "cap_key": "awa@radio.example", "address": "awa@radio.example", "name": "Awa",
        "language": "fr", "format": "standard", "topics": (), "paused_until": None, "state": "subscribed", "origin": "",
    }  # fmt: skip
    return Reader(**known | given)


def chosen(of: Reader, announced: Announced = BOTH, **given: Any) -> Gets | Why:
    known: dict[str, Any] = {"suppressed": (), "met": (), "has_it": (), "now": NOW}
    return choose(of, announced, **known | given)


def one(state: State = State.DRAFT, **given: Any) -> Broadcast:
    known: dict[str, Any] = {
        "id": "b1", "kind": Kind.RELEASE, "release": "pont", "state": state, "why": "", "audience": "all", "early": False,
        "recipients": 412, "skipped": {}, "octets": 0, "wave": 0, "at": None, "not_after": None, "held_until": None,
        "started_at": None, "finished_at": None, "created_at": NOW, "created_by": "",
    }  # fmt: skip
    return Broadcast(**known | given)


@pytest.mark.parametrize(
    ("of", "announced", "gets"),
    [
        pytest.param(reader(), BOTH, Gets("fr", "standard", "pont", ""), id="their own edition"),
        pytest.param(reader(language="en"), BOTH, Gets("en", "standard", "pont-en", ""), id="another language"),
        pytest.param(reader(language="en"), FRENCH, Gets("en", "standard", "pont", "en"), id="the other one where theirs is missing"),
        pytest.param(reader(language="es"), BOTH, Gets("fr", "standard", "pont", ""), id="a language that nobody writes: our own"),
        pytest.param(reader(format="lite"), BOTH, Gets("fr", "lite", "pont", ""), id="their format"),
        pytest.param(reader(topics=("Travaux", "mer")), BOTH, Gets("fr", "standard", "pont", ""), id="a topic that they chose"),
        pytest.param(reader(topics=("mer",)), replace(BOTH, topics=()), Gets("fr", "standard", "pont", ""), id="no topic: for everybody"),
        pytest.param(reader(paused_until=NOW), BOTH, Gets("fr", "standard", "pont", ""), id="a pause that is over"),
    ],
)
def test_each_gets_one_letter_in_their_language_and_format(of: Reader, announced: Announced, gets: Gets) -> None:
    assert chosen(of, announced) == gets


@pytest.mark.parametrize(
    ("of", "given", "why"),
    [
        pytest.param(reader(state="unsubscribed"), {}, Why.UNSUBSCRIBED, id="left"),
        pytest.param(reader(state="asked"), {}, Why.NOT_CONFIRMED, id="asked and never confirmed"),
        pytest.param(reader(state="none"), {}, Why.NOT_CONFIRMED, id="known only"),
        pytest.param(reader(state="suppressed"), {}, Why.SUPPRESSED, id="suppressed by state"),
        pytest.param(reader(), {"suppressed": {"awa@radio.example"}}, Why.SUPPRESSED, id="suppressed by address"),
        pytest.param(reader(), {"has_it": {1}}, Why.HAS_IT, id="has it already"),
        pytest.param(reader(), {"met": {"awa@radio.example"}}, Why.DUPLICATE, id="the same mailbox twice"),
        pytest.param(reader(paused_until=NOW + timedelta(seconds=1)), {}, Why.PAUSED, id="paused"),
        pytest.param(reader(topics=("mer",)), {}, Why.TOPIC, id="another topic"),
        pytest.param(reader(), {"announced": replace(BOTH, editions={})}, Why.NO_EDITION, id="no edition"),
        pytest.param(reader(state="unsubscribed"), {"has_it": {1}, "suppressed": {"awa@radio.example"}}, Why.UNSUBSCRIBED, id="their word"),
    ],
)
def test_who_is_left_out_is_so_for_one_reason(of: Reader, given: dict[str, Any], why: Why) -> None:
    assert chosen(of, **given) is why


@pytest.mark.parametrize("state", ENDED)
def test_what_has_ended_stays_as_it_is(state: State) -> None:
    for act in Act:
        with pytest.raises(NotAllowed, match=f"is {state}"):
            after(one(state), act)


def test_nothing_leaves_but_by_an_approval() -> None:
    into_sending = {(act, before) for act, table in TRANSITIONS.items() for before, becomes in table.items() if becomes is State.SENDING}
    assert into_sending == {
        (Act.START, State.APPROVED), (Act.START, State.SCHEDULED), (Act.RESUME, State.STOPPED), (Act.RESUME, State.HELD),
    }  # fmt: skip
    into_stopped = {before for act in (Act.STOP, Act.HOLD) for before in TRANSITIONS[act]}
    assert State.DRAFT not in into_stopped, "what was never approved cannot be resumed"


@pytest.mark.parametrize("state", [state for state in State if state not in (*ENDED, State.DRAFT, State.STOPPED)])
def test_whatever_is_under_way_can_be_stopped(state: State) -> None:
    assert after(one(state), Act.STOP) is State.STOPPED


@pytest.mark.parametrize(
    ("of", "count", "names", "name", "approvals", "told"),
    [
        pytest.param(one(), 412, [], "", 1, "", id="the number, alone"),
        pytest.param(one(), 411, [], "", 1, "goes to 412 people, not to 411", id="another number"),
        pytest.param(one(State.SENDING), 412, [], "", 1, "nothing to approve", id="too late"),
        pytest.param(one(), 412, [], " ", 2, "--by", id="of two nobody is nameless"),
        pytest.param(one(), 412, ["Awa"], "awa ", 2, "somebody else", id="the same name, spelt otherwise"),
        pytest.param(one(), 412, ["Awa"], "Bintou", 2, "", id="two names"),
    ],
)
def test_an_approval_counts_with_the_number_and_a_name_of_its_own(
    of: Broadcast, count: int, names: list[str], name: str, approvals: int, told: str
) -> None:
    said = may_approve(of, count, names, name, approvals)
    assert told in said
    assert bool(told) == bool(said)


APPROVED = one(State.APPROVED, held_until=NOW)
SCHEDULED = one(State.SCHEDULED, held_until=NOW - timedelta(hours=1), at=NOW)
SENDING = one(State.SENDING, started_at=NOW)
MINUTE = timedelta(minutes=1)


@pytest.mark.parametrize(
    ("of", "states", "judged", "hard", "after_now", "act"),
    [
        pytest.param(one(), {}, 0, 0, timedelta(days=9), None, id="a draft waits for ever"),
        pytest.param(APPROVED, {"queued": 9}, 0, 0, -MINUTE, None, id="within the hold"),
        pytest.param(APPROVED, {"queued": 9}, 0, 0, timedelta(0), Act.START, id="the hold is over"),
        pytest.param(APPROVED, {"queued": 9}, 0, 0, timedelta(days=9), Act.START, id="without a time nothing is late"),
        pytest.param(SCHEDULED, {"queued": 9}, 0, 0, -MINUTE, None, id="before its time"),
        pytest.param(SCHEDULED, {"queued": 9}, 0, 0, 15 * MINUTE, Act.START, id="a little late"),
        pytest.param(SCHEDULED, {"queued": 9}, 0, 0, 16 * MINUTE, Act.HOLD, id="too late"),
        pytest.param(replace(SCHEDULED, held_until=NOW + 20 * MINUTE), {"queued": 9}, 0, 0, 20 * MINUTE, Act.HOLD, id="held past its time"),
        pytest.param(replace(APPROVED, not_after=NOW), {"queued": 9}, 0, 0, MINUTE, Act.HOLD, id="its event has begun before it left"),
        pytest.param(replace(SENDING, not_after=NOW), {"queued": 9}, 0, 0, MINUTE, Act.HOLD, id="its event has begun while it left"),
        pytest.param(replace(SENDING, not_after=NOW), {"sent": 9}, 9, 0, MINUTE, Act.FINISH, id="all have left before its event"),
        pytest.param(SENDING, {"sent": 9, "retrying": 1}, 9, 0, MINUTE, None, id="one is tried again"),
        pytest.param(SENDING, {"sent": 9, "uncertain": 1, "failed": 1}, 11, 0, MINUTE, Act.FINISH, id="nothing is coming any more"),
        pytest.param(SENDING, {"sent": 99, "queued": 1}, 99, 50, MINUTE, None, id="judged after a hundred outcomes"),
        pytest.param(SENDING, {"sent": 100, "queued": 1}, 100, 4, MINUTE, None, id="and five dead addresses"),
        pytest.param(SENDING, {"sent": 100, "queued": 1}, 100, 5, MINUTE, None, id="five in a hundred is not more than five"),
        pytest.param(SENDING, {"sent": 100, "queued": 1}, 100, 6, MINUTE, Act.HOLD, id="more than five in a hundred"),
        pytest.param(replace(SENDING, state=State.STOPPED), {"queued": 1}, 200, 99, MINUTE, None, id="who stopped it goes on with it"),
    ],
)
def test_the_clock_and_the_outcomes_move_it_on(
    of: Broadcast, states: dict[str, int], judged: int, hard: int, after_now: timedelta, act: Act | None
) -> None:
    found = turn(of, NOBODY | states, judged, hard, LIMITS, NOW + after_now)
    assert (found.act if found else None) is act
    assert found is None or (isinstance(found, Turn) and (found.act is not Act.HOLD or bool(found.why)))


@pytest.mark.parametrize(
    ("of", "act"),
    [
        pytest.param(one(State.STOPPED), Act.RESUME, id="no time: at once"),
        pytest.param(one(State.STOPPED, at=NOW + MINUTE), Act.WAIT, id="its time is still to come"),
        pytest.param(one(State.HELD, at=NOW - MINUTE), Act.RESUME, id="missed: a person says so"),
        pytest.param(one(State.STOPPED, at=NOW + MINUTE, started_at=NOW), Act.RESUME, id="it was leaving already"),
    ],
)
def test_what_is_resumed_before_its_time_waits_for_it(of: Broadcast, act: Act) -> None:
    assert resuming(of, NOW) is act


def test_the_mail_that_told_of_one_names_it() -> None:
    keys = ("broadcast-told:b1:approved:x:y", "hand-off:1:new", "broadcast-told:b1", "")
    assert [broadcast_of(key) for key in keys] == ["b1", "", "", ""]


def test_numbers_are_said_as_people_say_them() -> None:
    assert in_words(412, seconds_for(412, per_minute=25, per_day=0), 5_100_000, 25) == "412 recipients, 17 minutes at 25 a minute, 5.1 MB"
    assert in_words(1, seconds_for(1, per_minute=0, per_day=0), 12_000, 0) == "1 recipient, 0.0 MB"
    assert seconds_for(2_500, per_minute=25, per_day=1_000) == 2 * 86_400
    assert seconds_left(NOBODY | {"sent": 100, "queued": 300}, timedelta(minutes=1)) == 180
    assert seconds_left(NOBODY | {"queued": 300}, timedelta(minutes=1)) is None
