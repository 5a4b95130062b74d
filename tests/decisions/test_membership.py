"""The press list as a mail may touch it: whose word counts, in reply to what, and that a machine's never does."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from mailbot.audience.journalist import Asked, Journalist, Leaver, Purpose, State
from mailbot.inbox.decision import decide
from mailbot.inbox.explanation import actions
from mailbot.inbox.outcome import Caps, Confirm, Decided, Subscribe, Unsubscribe
from mailbot.inbox.reason import Reason
from mailbot.message.address import key
from mailbot.message.authentication import Authentication
from mailbot.message.incoming import IncomingMessage, parse
from tests.samples.littoral import CONTEXT, NOW

AWA = "awa@radio.example"
STATES = {Purpose.JOIN: State.ASKED, Purpose.LEAVE: State.SUBSCRIBED, Purpose.RETURN: State.UNSUBSCRIBED}


def mail(text: str, *fields: str, sender: str = AWA, path: str = AWA, **more: Any) -> IncomingMessage:
    head = [f"Return-Path: <{path}>", f"From: {sender}", "To: presse@littoral.example", "Message-ID: <1@radio.example>"]
    whole = "\r\n".join([*head, "MIME-Version: 1.0", *fields, "Content-Type: text/plain; charset=utf-8", "", text])
    message = parse(whole.encode())
    assert isinstance(message, IncomingMessage)
    return replace(message, **more)


def journalist(state: State, language: str = "en") -> Journalist:
    return Journalist(id=1, key=key(AWA), address=AWA, name="", language=language, outlet="", medium="", state=state, origin="")


def asked(purpose: Purpose, **more: Any) -> Asked:
    values: dict[str, Any] = {"journalist": journalist(STATES[purpose]), "delivery": "d1", "at": NOW, "is_used": False}
    return Asked(purpose=purpose, **values | more)


def decided(message: IncomingMessage, purpose: Purpose | None = None, **context: Any) -> Decided:
    given = {"own_deliveries": ("d1",), "asked": asked(purpose) if purpose else None} | context
    return decide(message, replace(CONTEXT, **given), NOW)


def said(got: Decided) -> tuple[str, str]:
    return type(got.decision).__name__, str(got.decision.reason)


@pytest.mark.parametrize(
    ("purpose", "text", "reason", "action"),
    [
        (Purpose.JOIN, "OUI", "confirmed", "subscribe"),
        (Purpose.JOIN, "yes.\n\nAwa", "confirmed", "subscribe"),
        (Purpose.LEAVE, "Oui", "left", "unsubscribe"),
        (Purpose.RETURN, "RETOUR", "returned", "subscribe"),
        (Purpose.RETURN, "return", "returned", "subscribe"),
    ],
)
def test_the_word_for_what_was_asked_confirms_it(purpose: Purpose, text: str, reason: str, action: str) -> None:
    got = decided(mail(text), purpose)
    assert isinstance(got.decision, Confirm)
    assert (said(got)[1], actions(got), got.language, got.decision.asked) == (reason, [{"type": action}], "en", asked(purpose))


@pytest.mark.parametrize(
    ("purpose", "text"),
    [
        (Purpose.JOIN, "RETOUR"), (Purpose.RETURN, "OUI"), (Purpose.LEAVE, "RETOUR"), (None, "OUI"), (None, "RETOUR"),
        (Purpose.JOIN, "Non"), (Purpose.JOIN, "Oui mais pas tout de suite"), (Purpose.JOIN, "Bonjour\nOUI"), (Purpose.JOIN, "> OUI"),
        (Purpose.JOIN, ""),
    ],
)  # fmt: skip
def test_another_word_or_more_words_confirm_nothing_and_a_person_sees_them(purpose: Purpose | None, text: str) -> None:
    assert said(decided(mail(text), purpose))[0] == "HandOff"


@pytest.mark.parametrize(
    ("message", "context", "reason"),
    [
        pytest.param(mail("OUI", sender="bob@radio.example"), {}, "confirmed-by-another", id="another address"),
        pytest.param(mail("OUI", sender="Awa@Radio.example"), {}, "confirmed", id="the same in capitals"),
        pytest.param(mail("OUI", sender="awa+x@radio.example"), {}, "confirmed-by-another", id="a tag is another address"),
        pytest.param(mail("OUI", sender=f"(x) {AWA}"), {}, "from-unclear", id="a sender that can be read in two ways"),
        pytest.param(mail("OUI", path="x@y.example"), {"authentication": Authentication.NONE}, "confirmed", id="another return path"),
        pytest.param(mail("OUI"), {"authentication": Authentication.FAIL}, "authentication-failed", id="disowned"),
        pytest.param(mail("OUI"), {"authentication": Authentication.TEMPERROR}, "authentication-unavailable", id="not checked"),
        pytest.param(mail("OUI"), {"junk": True}, "junk", id="from the junk folder"),
        pytest.param(mail("OUI"), {"rescan_doubt": True}, "rescan-doubt", id="met before"),
        pytest.param(mail("OUI"), {"asked": asked(Purpose.JOIN, at=NOW - timedelta(days=8))}, "too-late", id="after eight days"),
        pytest.param(mail("OUI"), {"asked": asked(Purpose.JOIN, is_used=True)}, "not-asked", id="used, and left since"),
        pytest.param(
            mail("OUI"), {"asked": asked(Purpose.JOIN, is_used=True, journalist=journalist(State.SUBSCRIBED))}, "already-subscribed",
            id="a second time",
        ),
        pytest.param(
            mail("OUI"), {"asked": asked(Purpose.JOIN, journalist=journalist(State.SUPPRESSED))}, "suppressed", id="suppressed"
        ),
        pytest.param(mail("OUI\n\nJ'ai besoin d'aide, mon fils est perdu en mer, aidez-moi"), {}, "call-for-help", id="a plea below"),
    ],
)  # fmt: skip
def test_whose_word_counts(message: IncomingMessage, context: dict[str, Any], reason: str) -> None:
    assert said(decided(message, Purpose.JOIN, **context))[1] == reason


MACHINES = ["Auto-Submitted: auto-replied", "Auto-Submitted: auto-generated", "X-Autoreply: yes", "Precedence: auto_reply", "List-Id: <x>"]


@pytest.mark.parametrize("field", MACHINES)
@pytest.mark.parametrize("purpose", Purpose)
def test_a_machine_never_confirms(field: str, purpose: Purpose) -> None:
    for text in ("OUI", "RETOUR", "STOP"):
        assert said(decided(mail(text, field), purpose))[0] in ("Ignore", "HandOff")


def test_what_stands_below_the_word_is_read_by_a_person_and_the_word_counts() -> None:
    got = decided(mail("OUI\n\nEt pourriez-vous m'accorder une interview de votre porte-parole ?"), Purpose.JOIN)
    assert [action["type"] for action in actions(got)] == ["subscribe", "hand_off"]


@pytest.mark.parametrize(
    ("vouched", "path", "expected"),
    [
        (Authentication.PASS, "x@y.example", Unsubscribe.__name__),
        (Authentication.NONE, AWA, Unsubscribe.__name__),
        (Authentication.NONE, "x@y.example", "HandOff"),
        (Authentication.FAIL, AWA, "HandOff"),
    ],
)
def test_stop_to_any_mail_of_ours_is_a_wish_to_leave(vouched: Authentication, path: str, expected: str) -> None:
    got = decided(mail("STOP", path=path), authentication=vouched)
    assert said(got)[0] == expected
    if isinstance(got.decision, Unsubscribe):
        assert got.decision.certain is (vouched is Authentication.PASS)


def test_stop_from_a_colleague_is_a_colleagues_business() -> None:
    assert said(decided(mail("STOP"), colleagues=frozenset({key(AWA)})))[1] == "colleague-replied"


JOIN, LEAVE = "Inscrivez-moi sur votre liste pour recevoir vos communiqués.", "Désabonnez-moi, merci."
FULL = {"list_mails_hour_domain": 2, "caps": Caps(answers_per_domain_per_hour=2)}
HOUR_AGO = NOW - timedelta(hours=1)


@pytest.mark.parametrize(
    ("text", "context", "expected"),
    [
        pytest.param(JOIN, {}, ("Subscribe", "subscribe"), id="never heard of"),
        pytest.param(JOIN, {"last_asked": {Purpose.JOIN: HOUR_AGO}}, ("Ignore", "already-asked"), id="asked today"),
        pytest.param(JOIN, {"last_asked": {Purpose.LEAVE: HOUR_AGO}}, ("Subscribe", "subscribe"), id="asked today, about something else"),
        pytest.param(JOIN, {"journalist": journalist(State.SUPPRESSED)}, ("HandOff", "suppressed"), id="suppressed"),
        pytest.param(JOIN, FULL, ("HandOff", "cap-domain"), id="the brake"),
        pytest.param(LEAVE, FULL, ("Unsubscribe", "unsubscribe"), id="the brake holds up nobody who leaves"),
        pytest.param(
            LEAVE, {"journalist": journalist(State.UNSUBSCRIBED), "last_asked": {Purpose.RETURN: HOUR_AGO}}, ("Ignore", "already-left"),
            id="has left today",
        ),
    ],
)  # fmt: skip
def test_a_wish_comes_to_what_is_known_of_the_address(text: str, context: dict[str, Any], expected: tuple[str, str]) -> None:
    assert said(decided(mail(text), own_deliveries=(), **context)) == expected


def test_a_wish_that_comes_to_nothing_does_not_hide_the_other_one() -> None:
    both = mail("Votre dernier communiqué svp, et inscrivez-moi sur la liste presse.")
    got = decided(both, own_deliveries=(), last_asked={Purpose.JOIN: HOUR_AGO})
    assert [action["type"] for action in actions(got)] == ["send_release"]
    assert isinstance(decided(both, own_deliveries=()).decision, Subscribe)


LEAVER = Leaver(journalist(State.SUBSCRIBED, "fr"), "STOP")


def left(message: IncomingMessage, state: State = State.SUBSCRIBED, words: str = "STOP", **context: Any) -> Decided:
    """A mail whose subject brings the token of an announcement that Awa got."""
    return decided(message, own_deliveries=(), leaver=replace(LEAVER, journalist=journalist(state, "fr"), words=words), **context)


@pytest.mark.parametrize(
    ("message", "context"),
    [
        pytest.param(mail(""), {}, id="an empty mail"),
        pytest.param(mail("", sender="bob@rival.example", path="x@y.example"), {"authentication": Authentication.NONE}, id="anybody's"),
        pytest.param(mail("", sender="bob@rival.example"), {"authentication": Authentication.FAIL}, id="disowned"),
        pytest.param(mail("", "Auto-Submitted: auto-generated"), {}, id="a program's"),
        pytest.param(mail("This message was generated by a mail program", "Precedence: bulk"), {}, id="a program's own words"),
        pytest.param(mail("", sender="(x) <a@b> <c@d>"), {}, id="no readable sender"),
        pytest.param(mail(""), {"junk": True}, id="from the junk folder"),
        pytest.param(mail(""), {"answered_already": True}, id="answered by a colleague"),
    ],
)
def test_a_stop_with_an_announcements_token_takes_its_reader_off_whoever_sent_it(message: IncomingMessage, context: Any) -> None:
    got = left(message, **context)
    assert (got.decisions, got.language) == ((Unsubscribe(reason=Reason.UNSUBSCRIBE, certain=True, reader=LEAVER.journalist),), "fr")


@pytest.mark.parametrize("words", ["", "STOP", "stop", "unsubscribe", "Désabonner"])
def test_the_token_alone_or_with_a_word_for_leaving_is_a_stop(words: str) -> None:
    assert isinstance(left(mail(""), words=words).decision, Unsubscribe)


@pytest.mark.parametrize("words", ["Re: STOP", "Absent : STOP", "STOP? jamais", "OUI", "TEXTE"])
def test_a_token_among_other_words_is_read_like_any_mail(words: str) -> None:
    assert not isinstance(left(mail(""), words=words).decision, Unsubscribe)


@pytest.mark.parametrize(
    ("state", "context", "expected"),
    [
        pytest.param(State.UNSUBSCRIBED, {}, ("Ignore", "already-left"), id="left before"),
        pytest.param(State.SUPPRESSED, {}, ("HandOff", "suppressed"), id="suppressed"),
        pytest.param(State.SUBSCRIBED, {"rescan_doubt": True}, ("HandOff", "rescan-doubt"), id="met before"),
        pytest.param(State.SUBSCRIBED, {"older_than_a_day_in_rescan": True}, ("HandOff", "old-in-rescan"), id="old, and seen anew"),
    ],
)
def test_a_token_that_changes_nothing(state: State, context: dict[str, Any], expected: tuple[str, str]) -> None:
    assert said(left(mail(""), state, **context)) == expected


def test_what_else_a_stop_with_a_token_says_is_read_by_a_person() -> None:
    both = left(mail("Et pourriez-vous m'accorder une interview de votre porte-parole ?"))
    assert [action["type"] for action in actions(both)] == ["unsubscribe", "hand_off"]
    plea = left(mail("J'ai besoin d'aide, mon fils est perdu en mer, aidez-moi"))
    assert said(plea) == ("HandOff", "call-for-help")


def test_a_report_about_a_mail_that_brings_a_token_is_a_report() -> None:
    report = mail("", reported=(), bounce=True)
    assert said(left(report)) == ("HandOff", "report-unreadable")
