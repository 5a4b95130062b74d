"""Who gets a word back at once: people alone, once, and never who calls for help but for the office's own referral."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from mailbot.inbox.acknowledgement import Acknowledge, Courtesy, Earlier, Hush, Refer, Sent, Silent, courtesy
from mailbot.inbox.decision import decide
from mailbot.inbox.outcome import Caps, Decided, HandOff, SendRelease
from mailbot.inbox.reason import Reason
from mailbot.message.address import key
from mailbot.message.authentication import Authentication
from mailbot.message.incoming import IncomingMessage, Unreadable, parse
from tests.samples.littoral import CONTEXT, NOW

INTERVIEW = "Bonjour, je voudrais une interview de votre directrice demain, svp."
PLEA = "Aidez-nous, nous sommes bloqués dans le désert avec des enfants, sans eau. Aidez-nous svp."
BOTH = "Bonjour, je voudrais votre dernier communiqué, svp. Merci"
ONE = Caps(answers_per_domain_per_hour=1, answers_per_minute=1)
PASSED_ON = HandOff(reason=Reason.INTERVIEW, why="interview")


def mail(text: str = INTERVIEW, *fields: str, return_path: str = "awa@radio.example") -> IncomingMessage:
    head = [f"Return-Path: <{return_path}>", "From: Awa <awa@radio.example>", "To: presse@littoral.example"]
    lines = [*head, "Message-ID: <1@radio.example>", "MIME-Version: 1.0", *fields, "Content-Type: text/plain; charset=utf-8", "", text]
    message = parse("\r\n".join(lines).encode())
    assert isinstance(message, IncomingMessage)
    return message


def word(message: IncomingMessage | Unreadable, earlier: Earlier = Earlier(), **context: Any) -> Courtesy:
    known = replace(CONTEXT, **context)
    return courtesy(decide(message, known, NOW), message, known, earlier, NOW)


def sent(hours: float, **given: Any) -> Earlier:
    return Earlier(sent=(Sent(delivery="a1", at=NOW - timedelta(hours=hours), **{"in_reply_to": "<0@radio.example>", **given}),))


def test_who_has_to_wait_for_a_person_is_told_so() -> None:
    assert word(mail()) == Acknowledge()
    assert word(mail(), authentication=Authentication.NONE) == Acknowledge(), "nobody vouches, and yet it went from that very address"


@pytest.mark.parametrize(
    ("message", "context", "why"),
    [
        pytest.param(mail(BOTH), {}, Hush.NO_HAND_OFF, id="the release that is asked for goes out"),
        pytest.param(mail("Merci beaucoup !"), {}, Hush.NO_HAND_OFF, id="thanks"),
        pytest.param(mail(INTERVIEW, "Auto-Submitted: auto-replied"), {}, Hush.NO_HAND_OFF, id="a certain machine"),
        pytest.param(mail(INTERVIEW, "List-Id: <l.radio.example>"), {}, Hush.NOT_A_PERSON, id="a mailing list"),
        pytest.param(mail(INTERVIEW, "Precedence: bulk"), {}, Hush.NOT_A_PERSON, id="bulk mail"),
        pytest.param(mail(INTERVIEW, "X-Auto-Response-Suppress: All"), {}, Hush.NOT_A_PERSON, id="who asks for no replies"),
        pytest.param(mail(return_path=""), {}, Hush.NOT_A_PERSON, id="no Return-Path"),
        pytest.param(mail(PLEA, "X-Auto-Response-Suppress: All"), {}, Hush.NOT_A_PERSON, id="a call for help by a doubtful machine"),
        pytest.param(Unreadable(why="too-deep", size=9, subject=""), {}, Hush.NOT_A_PERSON, id="what cannot be read"),
        pytest.param(mail(), {"junk": True}, Hush.UNWELCOME, id="junk"),
        pytest.param(mail(PLEA), {"junk": True}, Hush.UNWELCOME, id="a call for help among the junk"),
        pytest.param(mail(), {"colleagues": frozenset({key("awa@radio.example")})}, Hush.UNWELCOME, id="a colleague"),
        pytest.param(mail(), {"rescan_doubt": True}, Hush.UNWELCOME, id="met before"),
        pytest.param(mail(BOTH), {"answers_today_address": 3}, Hush.UNWELCOME, id="over the cap of answers"),
        pytest.param(mail(), {"authentication": Authentication.FAIL}, Hush.SENDER_IN_DOUBT, id="forged, perhaps"),
        pytest.param(mail(PLEA), {"authentication": Authentication.FAIL}, Hush.SENDER_IN_DOUBT, id="a call for help, forged perhaps"),
        pytest.param(
            mail(return_path="b@c.example"), {"authentication": Authentication.NONE}, Hush.SENDER_IN_DOUBT, id="another Return-Path"
        ),
        pytest.param(mail(), {"answers_hour_domain": 20}, Hush.TOO_MANY, id="over the domain's cap"),
        pytest.param(mail(), {"answers_last_minute": 30}, Hush.TOO_MANY, id="over the minute's cap"),
    ],
)
def test_nothing_goes_back(message: IncomingMessage | Unreadable, context: dict[str, Any], why: Hush) -> None:
    assert word(message, **context) == Silent(why)


@pytest.mark.parametrize(
    ("message", "earlier", "context", "expected"),
    [
        pytest.param(mail(), sent(23), {}, Silent(Hush.ALREADY_TODAY), id="one a day"),
        pytest.param(mail(), sent(25), {}, Acknowledge(), id="the next day, of something else"),
        pytest.param(
            mail(INTERVIEW, "References: <x@y> <0@radio.example>"), sent(72), {}, Silent(Hush.SAME_THREAD), id="the same thread, days later"
        ),
        pytest.param(mail(), sent(72), {"own_deliveries": ("a1",)}, Silent(Hush.SAME_THREAD), id="an answer to the acknowledgement"),
        pytest.param(mail(), sent(72, in_reply_to=""), {}, Acknowledge(), id="no Message-ID is no thread"),
        pytest.param(mail(PLEA), sent(1), {}, Refer(), id="acknowledged today, and now a call for help"),
        pytest.param(mail(PLEA), sent(100, referral=True), {}, Silent(Hush.REFERRED), id="one referral"),
        pytest.param(mail("Bonjour, des nouvelles ?"), sent(100, referral=True), {"help_is_open": True}, Silent(Hush.REFERRED), id="again"),
        pytest.param(mail(), Earlier(domain_in_an_hour=1), {"caps": ONE}, Silent(Hush.TOO_MANY), id="the domain's second in an hour"),
        pytest.param(mail(), Earlier(in_a_minute=1), {"caps": ONE}, Silent(Hush.TOO_MANY), id="the second in a minute"),
    ],
)
def test_it_happens_once(message: IncomingMessage, earlier: Earlier, context: dict[str, Any], expected: Courtesy) -> None:
    assert word(message, earlier, **context) == expected


def test_a_call_for_help_gets_the_offices_own_words_alone() -> None:
    assert word(mail(PLEA)) == Refer()


def test_beside_an_answer_and_before_an_offer_there_is_no_second_mail() -> None:
    release = decide(mail(BOTH), CONTEXT, NOW).decision
    assert isinstance(release, SendRelease)

    def of(*decisions: Any) -> Courtesy:
        made = Decided(decisions=decisions, kind="request", language="fr")
        return courtesy(made, mail(), CONTEXT, Earlier(), NOW)

    assert of(release, PASSED_ON) == Silent(Hush.ANSWERED)
    assert of(replace(PASSED_ON, offer=True)) == Silent(Hush.OFFERED)
    assert of(PASSED_ON) == Acknowledge()
