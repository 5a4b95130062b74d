"""Which report lets us write to an address no more: the one table, case by case."""

from datetime import UTC, datetime, timedelta

import pytest

from mailbot.audience.suppression import Bounce, Grade, Keep, Suppress, Why, concerned, grade, grade_of_feedback, is_lasting, judge
from mailbot.message.address import key
from mailbot.message.delivery_report import ReportedRecipient

NOW = datetime(2026, 3, 31, 12, tzinfo=UTC)


def soft(days_ago: float, delivery: str, of: Grade = Grade.SOFT) -> Bounce:
    return Bounce(NOW - timedelta(days=days_ago), of, delivery)


@pytest.mark.parametrize(
    ("action", "status", "meaning", "expected"),
    [
        pytest.param("failed", "5.1.1", "", Grade.HARD, id="no-such-user"),
        pytest.param("failed", "5.1.10", "", Grade.HARD, id="no-such-recipient"),
        pytest.param("failed", "5.1.2", "", Grade.HARD, id="no-such-host"),
        pytest.param("failed", "5.1.3", "", Grade.HARD, id="no-address"),
        pytest.param("failed", "5.1.6", "", Grade.HARD, id="moved"),
        pytest.param("failed", "", "unknown-user", Grade.HARD, id="no-such-user-in-words-alone"),
        pytest.param("failed", "5.2.1", "unknown-user", Grade.HARD, id="disabled-and-unknown"),
        pytest.param("failed", "5.2.1", "disabled", Grade.SOFT, id="disabled-for-now"),
        pytest.param("failed", "5.2.1", "", Grade.SOFT, id="disabled-and-no-word"),
        pytest.param("failed", "5.2.2", "full", Grade.SOFT, id="full"),
        pytest.param("failed", "4.4.7", "expired", Grade.SOFT, id="given-up"),
        pytest.param("failed", "5.0.0", "", Grade.SOFT, id="nothing-said"),
        pytest.param("failed", "", "", Grade.SOFT, id="nothing-at-all"),
        pytest.param("failed", "5.7.1", "", Grade.OURS, id="policy"),
        pytest.param("failed", "5.7.1", "unknown-user", Grade.OURS, id="policy-whatever-it-says-beside"),
        pytest.param("failed", "5.7.26", "", Grade.OURS, id="not-authenticated"),
        pytest.param("failed", "4.7.0", "", Grade.OURS, id="reputation-for-now"),
        pytest.param("failed", "5.1.1", "policy", Grade.OURS, id="called-spam-in-words"),
        pytest.param("failed", "5.0.0", "content", Grade.OURS, id="our-words"),
        pytest.param("failed", "5.1.8", "", Grade.OURS, id="our-address"),
        pytest.param("failed", "5.2.3", "", Grade.OURS, id="our-size"),
        pytest.param("delayed", "4.4.1", "", Grade.NOTED, id="late"),
        pytest.param("delayed", "5.1.1", "unknown-user", Grade.NOTED, id="late-whatever-it-says-beside"),
        pytest.param("delivered", "2.0.0", "", Grade.NOTED, id="arrived"),
    ],
)
def test_a_refusal_counts_against_the_address_only_where_it_is_about_the_address(
    action: str, status: str, meaning: str, expected: Grade
) -> None:
    assert grade(action, status, meaning) is expected


@pytest.mark.parametrize("kind", ["abuse", "Abuse", "opt-out", "opt-out-list"])
def test_who_complains_or_wants_out_is_written_to_no_more(kind: str) -> None:
    assert judge([], soft(0, "d", grade_of_feedback(kind))) == Suppress(Why.COMPLAINT)


@pytest.mark.parametrize("kind", ["not-spam", "virus", "fraud", "other", "auth-failure", "dmarc", "", "whatever"])
def test_other_feedback_changes_nothing(kind: str) -> None:
    assert judge([], soft(0, "d", grade_of_feedback(kind))) == Keep(Grade.NOTED)


def test_one_hard_bounce_is_enough() -> None:
    assert judge([], soft(0, "d", Grade.HARD)) == Suppress(Why.HARD_BOUNCE)


def test_what_is_our_own_fault_is_never_enough() -> None:
    assert judge([soft(n, f"d{n}", Grade.OURS) for n in range(1, 20)], soft(0, "d", Grade.OURS)) == Keep(Grade.OURS)


@pytest.mark.parametrize(
    ("days_ago", "stops"),
    [
        pytest.param([29.9, 20, 10, 5], True, id="five-on-five-days"),
        pytest.param([20, 20, 20, 10], True, id="five-on-three-days"),
        pytest.param([20, 10, 5], False, id="four"),
        pytest.param([10, 10, 10, 10], False, id="five-on-two-days"),
        pytest.param([0, 0, 0, 0, 0, 0, 0], False, id="many-on-one-day"),
        pytest.param([30, 20, 10, 5], False, id="the-first-is-past"),
    ],
)
def test_soft_ones_stop_an_address_after_five_on_three_days_within_thirty(days_ago: list[float], stops: bool) -> None:
    history = [soft(ago, f"d{number}") for number, ago in enumerate(days_ago)]
    assert judge(history, soft(0, "new")) == (Suppress(Why.SOFT_BOUNCES) if stops else Keep(Grade.SOFT))


def test_one_mail_counts_once_however_many_reports_it_begets() -> None:
    assert judge([soft(ago, "same") for ago in (9, 7, 5, 3, 1)], soft(0, "same")) == Keep(Grade.SOFT)


def test_only_soft_ones_make_up_the_five() -> None:
    others = [soft(20, "a", Grade.OURS), soft(15, "b", Grade.NOTED), soft(10, "c", Grade.OURS), soft(5, "d", Grade.OURS)]
    assert judge(others, soft(0, "new")) == Keep(Grade.SOFT)


def test_only_who_complained_gets_not_even_an_answer() -> None:
    assert [why for why in Why if is_lasting(why)] == [Why.COMPLAINT]


def said(recipient: str, status: str = "5.1.1") -> ReportedRecipient:
    return ReportedRecipient(recipient, "failed", status, "")


ELSEWHERE, HERE, OTHER = said("awa@home.example", "5.2.2"), said("Awa@JOURNAL.example"), said("bo@paper.example")
AWA, BO = key(HERE.recipient), "bo@paper.example"


@pytest.mark.parametrize(
    ("went_to", "reported", "expected"),
    [
        pytest.param({}, [OTHER], (), id="no-delivery-of-ours"),
        pytest.param({"d": AWA}, [ELSEWHERE], (("d", ELSEWHERE),), id="the-delivery-is-believed-not-the-report"),
        pytest.param({"d": AWA}, [ELSEWHERE, HERE], (("d", HERE),), id="of-several-the-one-that-names-it"),
        pytest.param({"d": AWA}, [], (("d", None),), id="a-complaint-names-nobody"),
        pytest.param({"d": AWA, "e": AWA}, [ELSEWHERE], (("e", ELSEWHERE),), id="two-mails-to-one-the-newest-came-back"),
        pytest.param({"d": AWA, "e": BO}, [OTHER], (("e", OTHER),), id="a-quoted-thread-and-one-named"),
        pytest.param({"d": AWA, "e": BO}, [ELSEWHERE], (), id="a-quoted-thread-and-nobody-named"),
        pytest.param({"d": AWA, "e": BO}, [], (), id="a-complaint-with-a-quoted-thread"),
    ],
)
def test_a_report_is_about_whom_our_mail_went_to(
    went_to: dict[str, str], reported: list[ReportedRecipient], expected: tuple[tuple[str, ReportedRecipient | None], ...]
) -> None:
    assert concerned(went_to, reported) == expected
