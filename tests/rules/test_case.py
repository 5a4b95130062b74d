"""The laws of a case: when it goes to the next name, to whom, and which ways lead from one state to another."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from mailbot.cases.case import TRANSITIONS, UNFINISHED, WITHOUT_DEADLINE, Case, CaseState, ComeBack, PassOn, StayWithLast, due, escalation
from mailbot.message.address import Address

NOW = datetime(2026, 6, 2, 10, tzinfo=UTC)
FIRST, SECOND, THIRD = (Address(f"{name}@office.example") for name in ("first", "second", "third"))
NAMES = (FIRST, SECOND, THIRD)
CASE = Case(
    id=1, mail=7, state=CaseState.OPEN, reason="interview", colleague=FIRST.address, journalist=Address("awa@radio.example", "Awa"),
    language="fr", authenticated=True, subject="Demande", message_id="<1@radio.example>", references=(), received_at=NOW, draft=None,
    note={}, deadline=None, deadline_words="", urgent=False, opened_at=NOW, due_at=NOW + WITHOUT_DEADLINE, overdue=False, answer="",
    closed_by="",
)  # fmt: skip


@pytest.mark.parametrize(
    ("hours", "expected"),
    [
        pytest.param(None, timedelta(hours=4), id="no deadline: four hours"),
        pytest.param(3, timedelta(hours=1.5), id="half the time to the deadline"),
        pytest.param(48, timedelta(hours=24), id="a far one"),
        pytest.param(0.1, timedelta(minutes=3), id="a near one"),
        pytest.param(-1, timedelta(hours=4), id="it is past: as if there were none"),
    ],
)
def test_a_case_goes_on_at_half_the_time_to_its_deadline(hours: float | None, expected: timedelta) -> None:
    assert due(NOW, None if hours is None else NOW + timedelta(hours=hours)) - NOW == expected


@pytest.mark.parametrize(
    ("changes", "late", "expected"),
    [
        pytest.param({}, -1, None, id="not yet"),
        pytest.param({}, 0, PassOn(SECOND), id="untouched: to the next name"),
        pytest.param({"colleague": SECOND.address}, 0, PassOn(THIRD), id="and to the one after that"),
        pytest.param({"colleague": THIRD.address}, 0, StayWithLast(), id="at the end of the list it stays"),
        pytest.param({"colleague": "gone@office.example"}, 0, PassOn(FIRST), id="who has it has left the list: from its start"),
        pytest.param({"journalist": SECOND}, 0, PassOn(THIRD), id="never to who wrote the mail"),
        pytest.param({"journalist": None}, 0, PassOn(SECOND), id="nobody who could be answered"),
        pytest.param({"state": CaseState.SNOOZED}, 0, ComeBack(FIRST), id="a snooze that is over comes back to the same one"),
        pytest.param({"state": CaseState.SNOOZED, "colleague": "gone@office.example"}, 0, PassOn(FIRST), id="a snooze of one who left"),
        pytest.param({"state": CaseState.ANSWERING}, 0, None, id="a text is held back"),
        pytest.param({"state": CaseState.ANSWERED}, 0, None, id="answered"),
        pytest.param({"state": CaseState.CLOSED}, 0, None, id="closed"),
        pytest.param({"due_at": None}, 0, None, id="it has come to the end of the list already"),
    ],
)
def test_an_untouched_case_goes_to_the_next_name(changes: dict[str, object], late: int, expected: object) -> None:
    case = replace(CASE, **changes)  # type: ignore[arg-type]
    assert escalation(case, NOW + WITHOUT_DEADLINE + timedelta(seconds=late), NAMES) == expected


def test_what_is_finished_stays_so_but_for_an_answer_that_came_to_nothing() -> None:
    assert set(TRANSITIONS) == set(CaseState)
    assert TRANSITIONS[CaseState.CLOSED] == frozenset()
    assert TRANSITIONS[CaseState.ANSWERED] == {CaseState.OPEN}
    assert [state for state in CaseState if replace(CASE, state=state).is_finished] == [CaseState.ANSWERED, CaseState.CLOSED]
    assert all(CaseState.CLOSED in TRANSITIONS[state] for state in UNFINISHED), "a person can always close a case"
