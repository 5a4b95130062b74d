"""Who may put an address on the press list or take it off: every state with every event, and the clock."""

from datetime import UTC, datetime, timedelta

import pytest

from mailbot.audience.journalist import (
    ANSWER_TO,
    PURPOSE_OF,
    TRANSITIONS,
    Ask,
    Asked,
    Change,
    Event,
    Journalist,
    Keep,
    Purpose,
    Refuse,
    State,
    Step,
    Tell,
    Why,
    answer,
    wish,
)

NOW = datetime(2026, 3, 1, 9, tzinfo=UTC)
LONG_AGO = NOW - timedelta(days=6)
JOINED, LEFT = Change(State.SUBSCRIBED, Why.CONFIRMED), Change(State.UNSUBSCRIBED, Why.LEFT)
ON_IT, OFF_IT, NO = Keep(Why.ALREADY_SUBSCRIBED), Keep(Why.ALREADY_LEFT), Refuse(Why.SUPPRESSED)


def journalist(state: State) -> Journalist:
    return Journalist(id=1, key="a@b.example", address="a@b.example", name="A", language="fr", outlet="", medium="", state=state, origin="")


def asked(purpose: Purpose, state: State, at: datetime = LONG_AGO, *, is_used: bool = False) -> Asked:
    return Asked(journalist=journalist(state), purpose=purpose, delivery="d1", at=at, is_used=is_used)


STATES = (State.NONE, State.ASKED, State.SUBSCRIBED, State.UNSUBSCRIBED)
ASKS_TO_JOIN = Ask(State.ASKED, Why.ASKED)
WHOLE: dict[Event, tuple[Step, Step, Step, Step]] = {
    Event.WISH_TO_JOIN: (ASKS_TO_JOIN, ASKS_TO_JOIN, Tell(Why.ALREADY_SUBSCRIBED), Ask(State.UNSUBSCRIBED, Why.ASKED)),
    Event.WISH_TO_LEAVE: (Ask(STATES[0], Why.ASKED), Ask(STATES[1], Why.ASKED), Ask(STATES[2], Why.ASKED), Ask(STATES[3], Why.ASKED)),
    Event.LEAVES: (LEFT, LEFT, LEFT, Tell(Why.ALREADY_LEFT)),
    Event.CONFIRMS_JOINING: (JOINED, JOINED, ON_IT, JOINED),
    Event.CONFIRMS_LEAVING: (LEFT, LEFT, LEFT, OFF_IT),
    Event.RETURNS: (Refuse(Why.NOT_ASKED), Refuse(Why.NOT_ASKED), ON_IT, Change(State.SUBSCRIBED, Why.RETURNED)),
    Event.REMOVED: (*(Change(State.UNSUBSCRIBED, Why.REMOVED),) * 3, OFF_IT),
    Event.ADDED: (*(Change(State.SUBSCRIBED, Why.ADDED),) * 2, ON_IT, Refuse(Why.NOT_ASKED)),
}  # fmt: skip
CASES = [
    pytest.param(state, event, step, id=f"{event} while {state}")
    for event, steps in WHOLE.items()
    for state, step in zip(STATES, steps, strict=True)
]


@pytest.mark.parametrize(("state", "event", "expected"), CASES)
def test_each_event_has_one_answer_in_each_state(state: State, event: Event, expected: Step) -> None:
    assert wish(journalist(state), event, LONG_AGO, NOW) == expected


@pytest.mark.parametrize("event", Event)
def test_suppression_outranks_every_event(event: Event) -> None:
    assert wish(journalist(State.SUPPRESSED), event, LONG_AGO, NOW) == NO


@pytest.mark.parametrize("event", Event)
def test_an_address_that_nobody_knows_is_treated_like_one_that_never_confirmed(event: Event) -> None:
    for last in (None, LONG_AGO, NOW):
        assert wish(None, event, last, NOW) == wish(journalist(State.NONE), event, last, NOW)


@pytest.mark.parametrize("state", State)
def test_what_anyone_may_write_never_subscribes_and_never_unsubscribes(state: State) -> None:
    """Nor does it undo that somebody has left: the state after a forged wish is the state before, or "asked"."""
    for event in (Event.WISH_TO_JOIN, Event.WISH_TO_LEAVE):
        step = wish(journalist(state), event, None, NOW)
        assert not isinstance(step, Change)
        if isinstance(step, Ask):
            assert step.becomes is state or (state is State.NONE and step.becomes is State.ASKED)


@pytest.mark.parametrize("event", [Event.WISH_TO_JOIN, Event.WISH_TO_LEAVE])
@pytest.mark.parametrize(
    ("ago", "asks"),
    [(timedelta(), False), (timedelta(hours=23, minutes=59), False), (timedelta(days=1), True), (timedelta(days=400), True)],
)
def test_an_address_is_asked_once_a_day_at_most(event: Event, ago: timedelta, asks: bool) -> None:
    for state in (State.NONE, State.ASKED, State.UNSUBSCRIBED):
        step = wish(journalist(state), event, NOW - ago, NOW)
        assert isinstance(step, Ask) if asks else step == Keep(Why.ALREADY_ASKED)


def test_how_it_stands_is_told_once_a_day_at_most() -> None:
    yesterday = NOW - timedelta(hours=23)
    assert wish(journalist(State.SUBSCRIBED), Event.WISH_TO_JOIN, yesterday, NOW) == ON_IT
    assert wish(journalist(State.UNSUBSCRIBED), Event.LEAVES, yesterday, NOW) == OFF_IT
    assert wish(journalist(State.UNSUBSCRIBED), Event.LEAVES, None, NOW) == Tell(Why.ALREADY_LEFT)


def test_who_may_leave_leaves_at_once_however_often_we_wrote() -> None:
    assert wish(journalist(State.SUBSCRIBED), Event.LEAVES, NOW, NOW) == LEFT


ANSWERS = [
    pytest.param(Purpose.JOIN, State.ASKED, JOINED, id="join"),
    pytest.param(Purpose.LEAVE, State.SUBSCRIBED, LEFT, id="leave"),
    pytest.param(Purpose.RETURN, State.UNSUBSCRIBED, Change(State.SUBSCRIBED, Why.RETURNED), id="return"),
]


@pytest.mark.parametrize(("purpose", "state", "change"), ANSWERS)
def test_an_answer_counts_for_seven_days_and_once(purpose: Purpose, state: State, change: Change) -> None:
    assert answer(asked(purpose, state, NOW), NOW) == change
    assert answer(asked(purpose, state, NOW - timedelta(days=7)), NOW) == change
    assert answer(asked(purpose, state, NOW - timedelta(days=7, seconds=1)), NOW) == Refuse(Why.TOO_LATE)
    assert answer(asked(purpose, state, NOW, is_used=True), NOW) == Refuse(Why.NOT_ASKED)


@pytest.mark.parametrize(("purpose", "state", "change"), ANSWERS)
def test_a_second_answer_however_late_is_met_with_silence(purpose: Purpose, state: State, change: Change) -> None:
    for at in (NOW, NOW - timedelta(days=400)):
        assert isinstance(answer(asked(purpose, change.becomes, at, is_used=True), NOW), Keep)


def test_every_event_and_every_purpose_is_in_the_tables() -> None:
    assert set(TRANSITIONS) == set(Event) == set(WHOLE)
    assert set(PURPOSE_OF) == set(Event) - {Event.REMOVED, Event.ADDED}
    assert set(ANSWER_TO) == set(Purpose)
    assert all(PURPOSE_OF[event] is purpose for purpose, event in ANSWER_TO.items())
