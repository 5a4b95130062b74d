"""What the relay's words mean for a mail: sent, again later, failed, in doubt, or nobody's fault but the relay's."""

from datetime import UTC, datetime, timedelta

import pytest

from mailbot.outbox.delivery import (
    PRIORITY,
    TRANSITIONS,
    DeliveryState,
    Failed,
    Fault,
    Kind,
    Phase,
    RelayDown,
    Reply,
    RetryAt,
    Sent,
    Uncertain,
    Verdict,
    enhanced_status,
    judge,
    login_was_refused,
)

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
SCHEDULE = (60.0, 300.0, 900.0)
FIRST_RETRY, IN_DOUBT_RETRY = RetryAt(NOW + timedelta(seconds=60)), RetryAt(NOW + timedelta(seconds=900))
SOON = NOW + timedelta(seconds=1)
BEFORE_THE_DOT = (Phase.CONNECT, Phase.LOGIN, Phase.ENVELOPE_MAIL, Phase.ENVELOPE_RCPT, Phase.BODY)


def verdict(
    reply: Reply, *, kind: Kind = Kind.ANSWER, attempts: int = 1, doubts: int = 0, relay_failures: int = 0, jitter: float = 0.0
) -> Verdict:
    return judge(
        reply, kind=kind, attempts=attempts, doubts=doubts, now=NOW, schedule=SCHEDULE, uncertain_retry_seconds=900,
        relay_failures=relay_failures, jitter=jitter,
    )  # fmt: skip


def said(phase: Phase, code: int, enhanced: str = "") -> Reply:
    return Reply(phase=phase, code=code, enhanced=enhanced)


def broke(phase: Phase, fault: Fault) -> Reply:
    return Reply(phase=phase, fault=fault)


@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        pytest.param(said(Phase.DONE, 250), Sent(), id="250 to the final dot"),
        pytest.param(said(Phase.ENVELOPE_RCPT, 550, "5.1.1"), Failed("refused"), id="550 at RCPT is the recipient's"),
        pytest.param(said(Phase.ENVELOPE_RCPT, 451), FIRST_RETRY, id="451 at RCPT"),
        pytest.param(said(Phase.ENVELOPE_RCPT, 421), FIRST_RETRY, id="421 at RCPT"),
        pytest.param(said(Phase.ENVELOPE_RCPT, 552), FIRST_RETRY, id="552 at RCPT without a status means too many recipients"),
        pytest.param(said(Phase.ENVELOPE_RCPT, 552, "5.5.3"), FIRST_RETRY, id="552 5.5.3 says so"),
        pytest.param(said(Phase.ENVELOPE_RCPT, 552, "5.2.2"), Failed("refused"), id="552 5.2.2 is a full mailbox"),
        pytest.param(broke(Phase.ENVELOPE_RCPT, Fault.LOST), FIRST_RETRY, id="a cut at RCPT counts, or one recipient blocks the queue"),
        pytest.param(said(Phase.BODY, 451), FIRST_RETRY, id="451 to DATA"),
        pytest.param(said(Phase.BODY, 554), Failed("refused"), id="554 to DATA"),
        pytest.param(broke(Phase.BODY, Fault.LOST), FIRST_RETRY, id="cut before the dot: it has not left"),
        pytest.param(broke(Phase.BODY, Fault.TIMEOUT), FIRST_RETRY, id="too slow before the dot"),
        pytest.param(said(Phase.DONE, 554), Failed("refused"), id="554 after the dot is a clear no"),
        pytest.param(said(Phase.DONE, 552, "5.3.4"), Failed("too-big"), id="too big after the dot"),
        pytest.param(said(Phase.DONE, 530), Failed("refused"), id="530 after the dot is about the mail, not about us"),
        pytest.param(said(Phase.DONE, 450), FIRST_RETRY, id="450 after the dot"),
        pytest.param(said(Phase.DONE, 421), FIRST_RETRY, id="421 after the dot"),
        pytest.param(said(Phase.ENVELOPE_MAIL, 552), Failed("too-big"), id="552 at MAIL is the size"),
        pytest.param(said(Phase.ENVELOPE_MAIL, 552, "5.3.4"), Failed("too-big"), id="552 5.3.4 at MAIL"),
        pytest.param(said(Phase.ENVELOPE_MAIL, 550, "5.2.3"), Failed("too-big"), id="5.2.3 under another number"),
        pytest.param(broke(Phase.ENVELOPE_MAIL, Fault.TOO_BIG), Failed("too-big"), id="bigger than the relay said it takes"),
        pytest.param(broke(Phase.ENVELOPE_RCPT, Fault.UNENCODABLE), Failed("unencodable"), id="a recipient that SMTP cannot write"),
    ],
)
def test_a_clear_answer_has_one_meaning(reply: Reply, expected: Verdict) -> None:
    assert verdict(reply) == expected


@pytest.mark.parametrize(
    ("reply", "why", "pause"),
    [
        pytest.param(broke(Phase.CONNECT, Fault.LOST), "lost", 1, id="no connection"),
        pytest.param(broke(Phase.CONNECT, Fault.TIMEOUT), "timeout", 1, id="no greeting"),
        pytest.param(broke(Phase.CONNECT, Fault.UNINTELLIGIBLE), "unintelligible", 1, id="no mail server"),
        pytest.param(said(Phase.CONNECT, 421), "relay-busy", 1, id="421 as a greeting"),
        pytest.param(said(Phase.CONNECT, 554), "relay-refuses", 1, id="554 as a greeting"),
        pytest.param(broke(Phase.CONNECT, Fault.CERTIFICATE), "certificate", 60, id="a certificate that nobody signed"),
        pytest.param(broke(Phase.CONNECT, Fault.NO_STARTTLS), "no-starttls", 60, id="STARTTLS taken away"),
        pytest.param(Reply(phase=Phase.LOGIN, code=535, fault=Fault.LOGIN_REFUSED), "login-refused", 60, id="a wrong password"),
        pytest.param(said(Phase.LOGIN, 454), "relay-busy", 1, id="the login service is away"),
        pytest.param(said(Phase.ENVELOPE_MAIL, 451), "relay-busy", 1, id="451 at MAIL"),
        pytest.param(said(Phase.ENVELOPE_MAIL, 553), "relay-refuses", 1, id="our sender is refused"),
        pytest.param(said(Phase.ENVELOPE_MAIL, 552, "5.2.2"), "relay-refuses", 1, id="our own mailbox is full"),
        pytest.param(broke(Phase.ENVELOPE_MAIL, Fault.UNENCODABLE), "unencodable", 1, id="our sender cannot be written"),
        pytest.param(said(Phase.ENVELOPE_MAIL, 530), "login-refused", 60, id="530: log in first"),
        pytest.param(said(Phase.ENVELOPE_RCPT, 530), "login-refused", 60, id="530 where it is late said"),
        pytest.param(broke(Phase.LOGIN, Fault.TOKEN_REFUSED), "token-refused", 60, id="a token that is not taken"),
        pytest.param(said(Phase.DONE, 554, "5.2.252"), "sender-refused", 60, id="this login may not send as our address"),
        pytest.param(said(Phase.ENVELOPE_MAIL, 550, "5.7.60"), "sender-refused", 60, id="the same at MAIL"),
        pytest.param(
            Reply(phase=Phase.DONE, code=554, text="5.2.0 STOREDRV.Submission.Exception:SendAsDeniedException"), "sender-refused", 60,
            id="the same in words",
        ),
        pytest.param(broke(Phase.LOGIN, Fault.NO_TOKEN), "no-token", 1, id="a token server that is down"),
        pytest.param(Reply(phase=Phase.LOGIN, fault=Fault.NO_TOKEN, retry_after=600), "no-token", 600, id="a token server that says when"),
        pytest.param(said(Phase.CONNECT, 432, "4.3.2"), "relay-busy", 60, id="too many connections at the same time"),
        pytest.param(said(Phase.ENVELOPE_MAIL, 451, "4.7.500"), "relay-busy", 60, id="the relay has enough of us"),
    ],
)
def test_what_goes_wrong_before_the_recipient_is_no_recipients_fault(reply: Reply, why: str, pause: int) -> None:
    assert verdict(reply) == RelayDown(NOW + timedelta(seconds=pause), why)
    assert verdict(reply, attempts=99, doubts=1) == RelayDown(NOW + timedelta(seconds=pause), why)


@pytest.mark.parametrize(
    "reply",
    [said(Phase.DONE, 432, "4.3.2"), said(Phase.ENVELOPE_RCPT, 451, "4.7.500"), said(Phase.ENVELOPE_RCPT, 451, "4.7.699")],
    ids=["432 after the dot", "4.7.500", "4.7.699"],
)
def test_when_the_relay_has_enough_of_us_all_mail_waits_and_still_it_counts_as_a_try(reply: Reply) -> None:
    assert verdict(reply) == RetryAt(NOW + timedelta(seconds=60), NOW + timedelta(minutes=1))
    assert verdict(reply, attempts=4) == Failed("gave-up")


@pytest.mark.parametrize(
    ("reply", "refused"),
    [
        (broke(Phase.LOGIN, Fault.TOKEN_REFUSED), True), (Reply(phase=Phase.LOGIN, code=535, fault=Fault.LOGIN_REFUSED), True),
        (said(Phase.DONE, 554, "5.2.252"), True), (said(Phase.ENVELOPE_MAIL, 530), True),
        (broke(Phase.LOGIN, Fault.NO_TOKEN), False), (said(Phase.LOGIN, 454), False),
        (said(Phase.DONE, 530), False), (said(Phase.ENVELOPE_RCPT, 550), False),
    ],
)  # fmt: skip
def test_a_refused_login_is_one_that_a_person_has_to_mend(reply: Reply, refused: bool) -> None:
    assert login_was_refused(reply) is refused


@pytest.mark.parametrize("kind", Kind)
@pytest.mark.parametrize("fault", [Fault.LOST, Fault.TIMEOUT, Fault.UNINTELLIGIBLE])
def test_a_first_doubt_is_repeated_only_where_a_second_copy_does_no_harm(kind: Kind, fault: Fault) -> None:
    repeated = kind in (Kind.HAND_OFF, Kind.TOLD, Kind.DIGEST, Kind.SIGN_OFF, Kind.BROADCAST)
    assert verdict(broke(Phase.DATA, fault), kind=kind) == (IN_DOUBT_RETRY if repeated else Uncertain(fault))


@pytest.mark.parametrize("kind", Kind)
def test_a_second_doubt_ends_in_doubt(kind: Kind) -> None:
    assert verdict(broke(Phase.DATA, Fault.LOST), kind=kind, attempts=2, doubts=1) == Uncertain("lost")


@pytest.mark.parametrize("code", [None, 150, 354, 600])
def test_an_answer_to_the_final_dot_that_is_none_is_a_doubt(code: int | None) -> None:
    assert verdict(Reply(phase=Phase.DONE, code=code)) == Uncertain("unintelligible")


@pytest.mark.parametrize("fault", [Fault.LOST, Fault.TIMEOUT, Fault.UNINTELLIGIBLE])
@pytest.mark.parametrize("phase", BEFORE_THE_DOT)
def test_nothing_is_in_doubt_before_the_final_dot(phase: Phase, fault: Fault) -> None:
    assert not broke(phase, fault).in_doubt
    assert isinstance(verdict(broke(phase, fault)), RetryAt | RelayDown)


@pytest.mark.parametrize("phase", BEFORE_THE_DOT)
def test_only_an_answer_to_the_final_dot_means_sent(phase: Phase) -> None:
    assert verdict(said(phase, 250)) != Sent()


@pytest.mark.parametrize(
    ("reply", "attempts", "why"),
    [
        pytest.param(said(Phase.ENVELOPE_RCPT, 550), 2, "refused-after-doubt", id="refused"),
        pytest.param(said(Phase.ENVELOPE_RCPT, 451), 4, "gave-up-after-doubt", id="given up"),
    ],
)
def test_a_mail_that_may_have_arrived_never_counts_as_failed(reply: Reply, attempts: int, why: str) -> None:
    assert verdict(reply, kind=Kind.BROADCAST, attempts=attempts, doubts=1) == Uncertain(why)


def test_a_mail_that_was_in_doubt_is_sent_when_its_repetition_is_taken() -> None:
    assert verdict(said(Phase.DONE, 250), kind=Kind.BROADCAST, attempts=2, doubts=1) == Sent()


@pytest.mark.parametrize(("attempts", "seconds"), [(1, 60), (2, 300), (3, 900)])
def test_each_refusal_for_now_waits_as_the_schedule_says(attempts: int, seconds: int) -> None:
    assert verdict(said(Phase.ENVELOPE_RCPT, 451), attempts=attempts) == RetryAt(NOW + timedelta(seconds=seconds))


def test_after_the_whole_schedule_it_is_given_up() -> None:
    assert verdict(said(Phase.ENVELOPE_RCPT, 451), attempts=4) == Failed("gave-up")


@pytest.mark.parametrize(("failures", "seconds"), [(0, 1), (1, 2), (2, 4), (8, 256), (9, 300), (10_000, 300)])
def test_a_relay_that_is_down_is_asked_ever_less_often_but_always_again(failures: int, seconds: int) -> None:
    down = verdict(broke(Phase.CONNECT, Fault.LOST), relay_failures=failures)
    assert down == RelayDown(NOW + timedelta(seconds=seconds), "lost")


def test_a_wrong_password_is_also_asked_ever_less_often() -> None:
    down = verdict(Reply(phase=Phase.LOGIN, code=535, fault=Fault.LOGIN_REFUSED), relay_failures=9)
    assert down == RelayDown(NOW + timedelta(seconds=300), "login-refused")


@pytest.mark.parametrize(
    ("reply", "kind", "seconds"),
    [
        pytest.param(said(Phase.ENVELOPE_RCPT, 451), Kind.ANSWER, 60, id="retry"),
        pytest.param(broke(Phase.DATA, Fault.LOST), Kind.BROADCAST, 900, id="doubt"),
        pytest.param(broke(Phase.CONNECT, Fault.LOST), Kind.ANSWER, 1, id="relay down"),
    ],
)
def test_jitter_only_lengthens_a_wait_and_by_a_tenth_at_most(reply: Reply, kind: Kind, seconds: int) -> None:
    outcome = verdict(reply, kind=kind, jitter=1.0)
    assert isinstance(outcome, RetryAt | RelayDown)
    at = outcome.at if isinstance(outcome, RetryAt) else outcome.until
    assert at == NOW + timedelta(seconds=seconds * 1.1)


def test_a_dialogue_that_we_stopped_ourselves_costs_nothing() -> None:
    assert verdict(broke(Phase.ENVELOPE_RCPT, Fault.STOPPED), relay_failures=5) == RelayDown(NOW, "stopped")


@pytest.mark.parametrize(
    ("code", "text", "status"),
    [
        (550, "5.1.1 no such user", "5.1.1"),
        (250, "2.0.0", "2.0.0"),
        (550, "5.7.515 Access denied", "5.7.515"),
        (550, "4.1.1 says another class", ""),
        (550, "5.1.1no space", ""),
        (550, "no such user 5.1.1", ""),
        (550, "٥.1.1 not ASCII", ""),
        (451, "", ""),
    ],
)
def test_an_enhanced_status_is_read_where_it_fits_the_code(code: int, text: str, status: str) -> None:
    assert enhanced_status(code, text) == status


def test_every_state_says_what_may_follow() -> None:
    assert set(TRANSITIONS) == set(DeliveryState)


@pytest.mark.parametrize("state", [DeliveryState.SENT, DeliveryState.SUPPRESSED, DeliveryState.CANCELLED])
def test_what_is_over_stays_over(state: DeliveryState) -> None:
    assert not TRANSITIONS[state]


@pytest.mark.parametrize("state", [state for state in DeliveryState if state is not DeliveryState.SENDING])
def test_nothing_becomes_sent_but_by_sending(state: DeliveryState) -> None:
    assert not TRANSITIONS[state] & {DeliveryState.SENT, DeliveryState.UNCERTAIN, DeliveryState.FAILED}


@pytest.mark.parametrize("state", [DeliveryState.FAILED, DeliveryState.UNCERTAIN])
def test_only_over_a_retry_does_a_finished_mail_leave_again(state: DeliveryState) -> None:
    assert TRANSITIONS[state] == {DeliveryState.RETRYING}


def test_a_broadcast_never_goes_before_an_answer() -> None:
    first = {Kind.ANSWER, Kind.ACKNOWLEDGEMENT, Kind.LETTER, Kind.CONFIRMATION, Kind.TOLD}
    in_order = [first, {Kind.HAND_OFF, Kind.DIGEST, Kind.CORRECTION, Kind.SIGN_OFF}, {Kind.BROADCAST}]
    assert [{kind for kind in Kind if PRIORITY[kind] == rank} for rank in sorted(set(PRIORITY.values()))] == in_order
