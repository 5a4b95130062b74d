"""The one rule: the order of its questions, where an answer may go, how often, and that nothing under embargo can be had."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from mailbot.inbox.automatic_mail import Sign
from mailbot.inbox.decision import decide
from mailbot.inbox.destination import unwrapped
from mailbot.inbox.explanation import actions, explain
from mailbot.inbox.intent import Kind, Reading, Wish
from mailbot.inbox.outcome import Caps, Decided, HandOff, Ignore, RecordReport, SendRelease, Unsubscribe
from mailbot.inbox.reason import Reason
from mailbot.inbox.understanding import Understood
from mailbot.inbox.weighing import NEARLY
from mailbot.message.authentication import Authentication
from mailbot.message.incoming import IncomingMessage, ReportedRecipient, Unreadable, parse
from mailbot.releases.release import Release
from mailbot.releases.search_index import build
from tests.samples.littoral import CONTEXT, LANGUAGES, NOW, RELEASES, release

ASKED = "Bonjour, je voudrais votre dernier communiqué, svp."
LATEST = "telephone-vert"
TOKEN = "d1"


def mail(text: str = ASKED, *fields: str, subject: str = "", sender: str = "Awa <awa@radio.example>", **more: Any) -> IncomingMessage:
    plain = [] if any(field.startswith("Content-Type") for field in fields) else ["Content-Type: text/plain; charset=utf-8"]
    head = ["Return-Path: <awa@radio.example>", f"From: {sender}", "To: presse@littoral.example", "Message-ID: <1@radio.example>"]
    lines = [*head, "MIME-Version: 1.0", *fields, *plain]
    message = parse("\r\n".join([*lines, "", text]).encode())
    assert isinstance(message, IncomingMessage)
    return replace(message, subject=subject, **more)


def decided(message: IncomingMessage | Unreadable, now: datetime = NOW, **context: Any) -> Decided:
    return decide(message, replace(CONTEXT, **context), now)


def reason(message: IncomingMessage | Unreadable, **context: Any) -> str:
    return str(decided(message, **context).decision.reason)


def test_the_newest_release_goes_to_who_asks_for_it() -> None:
    got = decided(mail()).decision
    assert got == SendRelease(
        release=LATEST, edition=LATEST, language="fr", why="latest", reason=Reason.LATEST_ASKED, full=True, words=(), alternatives=()
    )


@pytest.mark.parametrize(("text", "sends"), [("du sel dans les rizières de Marovoay et du riz tolérant", True), ("de Marovoay", False)])
def test_who_is_nearly_heard_gets_the_release_that_many_of_his_words_are_of(text: str, sends: bool) -> None:
    wish = Wish(Kind.ABOUT, (), NEARLY)
    reading = Reading(wishes=(wish,), asked=True, topic=text, marked=True, words=30, whole=f"Celui {text}", leaning=1.0)
    got = decided(mail(f"Celui {text}"), understood=Understood("fr", reading)).decision
    assert isinstance(got, SendRelease) is sends
    assert got.release == "riziculture-salinite" if isinstance(got, SendRelease) else got.reason is Reason.NOT_SURE


def test_the_words_that_are_told_are_those_of_the_edition_that_is_sent() -> None:
    got = decided(mail("Bonjour, je cherche votre communiqué annonçant la nomination de Mme Andriamihaja. Merci beaucoup.")).decision
    assert isinstance(got, SendRelease) and got.edition == "nomination-directrice"
    assert got.words == ("Andriamihaja",), "and not `appointed`, by which the English edition was found"


@pytest.mark.parametrize(
    "text",
    [
        "Perdez 12 kilos en 3 semaines grâce à notre thé naturel ! Livraison gratuite, commandez maintenant.",
        "Particulier sérieux offre prêt de 2 000 à 500 000 euros à toute personne, taux de 2 %, réponse en 24 h sans garantie.",
        "We guarantee page one results in 30 days. Reply YES for a free SEO audit and our price list.",
    ],
)
def test_advertising_is_filed(text: str) -> None:
    assert decided(mail(text)).decision == Ignore(reason=Reason.SPAM)


def test_the_edition_is_in_the_language_asked_for_else_in_the_mails_else_in_another() -> None:
    def edition(text: str) -> str:
        got = decided(mail(text)).decision
        assert isinstance(got, SendRelease)
        return got.edition

    assert edition("Hello, could you send me your latest press release?") == "telephone-vert-en"
    assert edition("Bonjour, votre dernier communiqué en anglais, svp") == "telephone-vert-en"
    assert edition("Hello, could you send me your latest press release in French?") == "telephone-vert"
    assert edition("Hello, could you send me the press release about marine turtles at Nosy Hara?") == "tortues"


@pytest.mark.parametrize(
    ("vouched", "path", "expected"),
    [
        (Authentication.PASS, "other@path.example", "latest-asked"),
        (Authentication.PASS, None, "latest-asked"),
        (Authentication.NONE, "awa@radio.example", "latest-asked"),
        (Authentication.NONE, "AWA@Radio.example", "latest-asked"),
        (Authentication.NONE, "prvs=1234abcdef=awa@radio.example", "latest-asked"),
        (Authentication.NONE, "SRS0=HHH=TT=radio.example=awa@forward.example", "latest-asked"),
        (Authentication.NONE, "bounce-awa=radio.example@list.example", "sender-unconfirmed"),
        (Authentication.NONE, "SRS0=HHH=TT=radio.example=bob@forward.example", "sender-unconfirmed"),
        (Authentication.NONE, None, "sender-unconfirmed"),
        (Authentication.FAIL, "awa@radio.example", "authentication-failed"),
        (Authentication.TEMPERROR, "awa@radio.example", "authentication-unavailable"),
    ],
)
def test_an_answer_goes_only_to_a_from_address_that_somebody_vouches_for(vouched: Authentication, path: str | None, expected: str) -> None:
    got = decided(replace(mail(), return_path=path), authentication=vouched).decision
    assert str(got.reason) == expected
    if isinstance(got, SendRelease):
        assert got.full is (vouched is Authentication.PASS)


def test_a_forged_sender_gets_no_draft_and_an_unconfirmed_one_does() -> None:
    forged = decided(mail(), authentication=Authentication.FAIL)
    unconfirmed = decided(replace(mail(), return_path=None), authentication=Authentication.NONE)
    assert isinstance(forged.decision, HandOff) and forged.decision.draft is None
    assert isinstance(unconfirmed.decision, HandOff) and unconfirmed.decision.draft


@pytest.mark.parametrize("sender", ["a@radio.example, b@radio.example", "a@radio.example <b@evil.example>", "nobody", ""])
def test_a_sender_that_is_not_one_plain_address_is_never_answered(sender: str) -> None:
    assert reason(mail(sender=sender)) == "from-unclear"


def test_neither_reply_to_nor_sender_decides_where_an_answer_goes() -> None:
    with_others = mail(ASKED, "Reply-To: victim@other.example", "Sender: victim@other.example")
    assert reason(with_others) == "latest-asked"
    assert reason(replace(with_others, return_path="victim@other.example"), authentication=Authentication.NONE) == "sender-unconfirmed"


def test_a_mail_read_from_a_file_may_have_lost_its_return_path() -> None:
    lost = replace(mail(), return_path=None)
    assert reason(lost, authentication=Authentication.NONE, from_a_file=True) == "latest-asked"
    assert reason(replace(lost, return_path="x@y.example"), authentication=Authentication.NONE, from_a_file=True) == "sender-unconfirmed"


@pytest.mark.parametrize(
    ("answers", "vouched", "expected", "repeat"),
    [
        ([], Authentication.PASS, "latest-asked", False),
        ([(LATEST, 1)], Authentication.PASS, "latest-asked", True),
        ([(LATEST, 1), (LATEST, 2)], Authentication.PASS, "asked-again", None),
        ([(LATEST, 1), (LATEST, 8)], Authentication.PASS, "latest-asked", True),
        ([(LATEST, 8), (LATEST, 9)], Authentication.PASS, "latest-asked", False),
        ([("requins", 1), ("requins", 2)], Authentication.PASS, "latest-asked", False),
        ([(LATEST, 1)], Authentication.NONE, "asked-again", None),
        ([("requins", 1)], Authentication.NONE, "asked-again", None),
        ([(LATEST, 8)], Authentication.NONE, "latest-asked", False),
    ],
)
def test_the_same_release_goes_once_more_and_then_a_person_looks(answers: Any, vouched: Authentication, expected: str, repeat: Any) -> None:
    earlier = tuple((release, NOW - timedelta(days=days)) for release, days in answers)
    got = decided(mail(), authentication=vouched, earlier_answers=earlier).decision
    assert str(got.reason) == expected
    if isinstance(got, SendRelease):
        assert got.repeat is repeat
    else:
        assert isinstance(got, HandOff) and got.draft


@pytest.mark.parametrize(
    ("counts", "expected"),
    [
        ({"answers_today_address": 2, "answers_hour_domain": 4, "answers_last_minute": 5}, "latest-asked"),
        ({"answers_today_address": 3}, "cap-address"),
        ({"answers_hour_domain": 5}, "cap-domain"),
        ({"answers_last_minute": 6}, "cap-minute"),
    ],
)
def test_past_a_cap_a_person_looks_and_there_is_never_silence(counts: dict[str, int], expected: str) -> None:
    caps = Caps(answers_per_address_per_day=3, answers_per_domain_per_hour=5, answers_per_minute=6)
    got = decided(mail(), caps=caps, **counts).decision
    assert str(got.reason) == expected
    assert isinstance(got, SendRelease) or (isinstance(got, HandOff) and got.draft)


def test_a_reply_to_one_of_our_mails_is_for_a_person() -> None:
    got = decided(mail(), own_deliveries=(TOKEN,)).decision
    assert isinstance(got, HandOff) and (got.reason, got.draft and got.draft.release) == (Reason.REPLY_TO_OURS, LATEST)


def test_a_mail_with_our_own_token_in_its_message_id_is_ours() -> None:
    assert reason(replace(mail(), message_id=f"<mb.{TOKEN}.abc@littoral.example>"), own_deliveries=(TOKEN,)) == "own-mail"
    assert reason(replace(mail(), message_id=f"<mb.{TOKEN}.abc@littoral.example>")) == "latest-asked"


def test_a_colleague_is_never_answered() -> None:
    colleague = {"colleagues": frozenset({"awa@radio.example"})}
    assert decided(mail(), **colleague).decision == HandOff(reason=Reason.COLLEAGUE, why="colleague")
    assert decided(mail(), **colleague, own_deliveries=(TOKEN,)).decision == Ignore(reason=Reason.COLLEAGUE_REPLIED)
    assert reason(mail(), **colleague, own_deliveries=(TOKEN,), authentication=Authentication.FAIL) == "authentication-failed"


@pytest.mark.parametrize(
    ("context", "expected"),
    [({"rescan_doubt": True}, "rescan-doubt"), ({"older_than_a_day_in_rescan": True}, "old-in-rescan"), ({"junk": True}, "junk")],
)
def test_what_was_met_before_or_lies_in_junk_is_not_answered(context: dict[str, bool], expected: str) -> None:
    assert reason(mail(), **context) == expected


@pytest.mark.parametrize(
    ("text", "draft"),
    [
        ("Votre dernier communiqué svp. Mon fils a disparu en mer, aidez-moi.", False),
        ("Je me plains de votre dernier communiqué, envoyez-le moi.", False),
        ("Votre dernier communiqué contient une erreur, merci de m'envoyer le bon.", False),
        ("Notre avocat demande votre dernier communiqué", False),
        ("Votre dernier communiqué svp, et une interview de la directrice.", True),
        ("Votre dernier communiqué svp, avec des photos.", True),
    ],
)
def test_what_is_asked_beside_a_persons_business_is_a_draft_and_a_plea_or_a_complaint_never_sees_a_release(text: str, draft: bool) -> None:
    got = decided(mail(text)).decision
    assert isinstance(got, HandOff) and bool(got.draft) is draft


@pytest.mark.parametrize(
    ("text", "granted"),
    [
        ("Votre dernier communiqué svp, et inscrivez-moi sur la liste presse.", ["subscribe", "send_release"]),
        ("Inscrivez-moi sur votre liste pour recevoir vos communiqués.", ["subscribe"]),
        ("Désabonnez-moi, merci.", ["unsubscribe"]),
    ],
)
def test_who_wants_a_release_and_a_place_on_the_list_gets_both(text: str, granted: list[str]) -> None:
    assert [action["type"] for action in actions(decided(mail(text)))] == granted


BOTH = "Bonjour, il me manque deux de vos communiqués : celui sur le riz tolérant au sel à Marovoay, et celui sur le moratoire des requins."


def test_who_asks_for_two_releases_gets_each_in_a_mail_of_its_own() -> None:
    first, second = decided(mail(BOTH)).decisions
    assert isinstance(first, SendRelease) and isinstance(second, SendRelease)
    assert (first.release, first.second, second.release, second.second) == ("riziculture-salinite", False, "requins", True)


@pytest.mark.parametrize(
    ("text", "editions"),
    [
        ("Votre dernier communiqué, en français et en anglais, svp.", ["telephone-vert", "telephone-vert-en"]),
        ("Your latest press release in both languages, please.", ["telephone-vert-en", "telephone-vert"]),
        ("Votre dernier communiqué en anglais svp, nous paraissons dans les deux langues.", ["telephone-vert-en"]),
        ("J'ai déjà votre dernier communiqué en français, l'anglais svp, pour les deux langues.", ["telephone-vert-en"]),
    ],
    ids=["both are named", "both", "one of two", "he has one"],
)
def test_who_wants_every_language_gets_each_edition_in_a_mail_of_its_own(text: str, editions: list[str]) -> None:
    sent = [one for one in decided(mail(text)).decisions if isinstance(one, SendRelease)]
    assert [one.edition for one in sent] == editions and [one.second for one in sent] == [False, True][: len(sent)]


def test_who_is_not_vouched_for_gets_one_edition_of_two() -> None:
    sent = decided(mail("Votre dernier communiqué, en français et en anglais, svp."), authentication=Authentication.NONE).decisions
    assert [one.edition for one in sent if isinstance(one, SendRelease)] == ["telephone-vert"]


def test_two_releases_go_to_nobody_who_is_not_vouched_for() -> None:
    (got,) = decided(mail(BOTH), authentication=Authentication.NONE).decisions
    assert isinstance(got, HandOff) and got.reason is Reason.SEVERAL_MATCH
    assert got.draft and got.draft.release == "riziculture-salinite"


@pytest.mark.parametrize("cap", ["answers_today_address", "answers_hour_domain", "answers_last_minute"])
def test_the_second_of_two_releases_counts_the_first(cap: str) -> None:
    most = {
        "answers_today_address": CONTEXT.caps.answers_per_address_per_day, "answers_hour_domain": CONTEXT.caps.answers_per_domain_per_hour,
        "answers_last_minute": CONTEXT.caps.answers_per_minute,
    }[cap]  # fmt: skip
    first, rest = decided(mail(BOTH), **{cap: most - 1}).decisions
    assert isinstance(first, SendRelease) and isinstance(rest, HandOff)
    assert rest.draft and rest.draft.release == "requins"


def test_a_release_that_has_gone_to_him_twice_is_a_persons_and_the_other_one_goes() -> None:
    earlier = (("requins", NOW - timedelta(hours=2)), ("requins", NOW - timedelta(hours=1)))
    first, rest = decided(mail(BOTH), earlier_answers=earlier).decisions
    assert isinstance(first, SendRelease) and isinstance(rest, HandOff) and rest.reason is Reason.ASKED_AGAIN


def test_who_is_not_vouched_for_has_to_confirm_that_he_leaves() -> None:
    got = decided(mail("Désabonnez-moi, merci."), authentication=Authentication.NONE).decision
    assert got == Unsubscribe(reason=Reason.UNSUBSCRIBE, certain=False)
    forged = decided(mail("Désabonnez-moi, merci."), authentication=Authentication.FAIL).decision
    assert isinstance(forged, HandOff)


def test_a_call_for_help_is_one_even_where_nothing_may_be_answered() -> None:
    plea = "Mon fils a disparu, aidez-moi, je cherche votre dernier communiqué"
    for message in (mail(plea, "X-Auto-Response-Suppress: All"), replace(mail(plea), recipients=())):
        got = decided(message).decision
        assert isinstance(got, HandOff) and (got.reason, got.draft) == (Reason.CALL_FOR_HELP, None)


def test_a_machine_is_settled_before_its_words_are_read() -> None:
    got = decided(mail("Aidez-moi, mon fils a disparu", "Auto-Submitted: auto-replied"))
    assert (got.decision, got.kind) == (Ignore(reason=Reason.AUTO_SUBMITTED), "automatic")


@pytest.mark.parametrize(
    ("text", "subject", "expected"),
    [
        ("", "", "nothing-written"),
        ("Bonjour", "", "not-understood"),
        ("Ne m'envoyez pas votre dernier communiqué", "", "negated"),
        ("Votre dernier communiqué svp, à envoyer à bob@autre.example", "", "someone-else"),
        ("Merci de m'envoyer le communiqué sur la centrale nucléaire de Brickaville", "", "no-match"),
        ("Merci de m'envoyer le communiqué sur Mahajanga", "", "several-match"),
        ("Pourriez-vous crocheter votre dernier communiqué ?", "", "not-sure"),
    ],
)
def test_who_is_not_understood_gets_a_person(text: str, subject: str, expected: str) -> None:
    got = decided(mail(text, subject=subject))
    assert isinstance(got.decision, HandOff) and str(got.decision.reason) == expected
    assert got.kind == "request"


def test_where_nothing_fits_the_five_newest_public_titles_may_be_offered() -> None:
    got = decided(mail("Please send me the press release about the nuclear plant")).decision
    assert isinstance(got, HandOff)
    assert got.offers == ("telephone-vert-en", "formation-juges", "phare", "tourisme-croisiere", "riziculture-salinite")


def test_the_senders_own_address_and_ours_in_the_text_are_nobody_elses() -> None:
    assert reason(mail(f"{ASKED}\n\nAwa Traoré\nawa@radio.example\nà presse@littoral.example")) == "latest-asked"


# --- embargo: what is not public does not exist
OPENS = datetime(2026, 6, 1, 8, tzinfo=UTC)
SECRET = release("secret", "Le barrage de Sakaraha ouvre ses vannes", "Sakaraha aura un barrage.", "2026-06-01", embargo=OPENS)


def with_secret(now: datetime) -> dict[str, Any]:
    everything: dict[str, Release] = {**RELEASES, "secret": SECRET}
    return {"releases": everything, "index": build(everything.values(), now, LANGUAGES), "now": now}


QUESTIONS = [
    ASKED,
    "Merci de m'envoyer le communiqué sur le barrage de Sakaraha",
    "Merci de m'envoyer le communiqué « Le barrage de Sakaraha ouvre ses vannes »",
    "svp le communiqué du 1er juin 2026",
    "Please send me your latest press release",
]


@pytest.mark.parametrize("text", QUESTIONS)
def test_no_request_gets_a_release_before_its_instant(text: str) -> None:
    got = decided(mail(text), **with_secret(OPENS - timedelta(microseconds=1)))
    assert "secret" not in json.dumps(explain(got, mail("x"), "f"))
    assert "Sakaraha" not in json.dumps(actions(got))


@pytest.mark.parametrize("text", QUESTIONS)
def test_any_request_gets_it_from_its_instant_on(text: str) -> None:
    got = decided(mail(text), **with_secret(OPENS)).decision
    assert isinstance(got, SendRelease) and got.release == "secret"


def test_an_index_made_too_late_or_too_early_leaks_nothing() -> None:
    early = OPENS - timedelta(seconds=1)
    stale = with_secret(OPENS) | {"now": early}  # the index already knows it, the hour has not come
    got = decided(mail(QUESTIONS[1]), **stale).decision
    assert not isinstance(got, SendRelease) and "secret" not in str(actions(decided(mail(QUESTIONS[1]), **stale)))


def test_without_anything_public_a_person_answers() -> None:
    assert reason(mail(), releases={}, index=build((), NOW, LANGUAGES)) == "nothing-public"
    assert reason(mail(), releases={"secret": SECRET}, index=build((SECRET,), NOW, LANGUAGES)) == "nothing-public"


# --- reports, and mails that cannot be read
STATUS = ["Reporting-MTA: dns; mx.example", "", "Final-Recipient: rfc822; x@y.example", "Action: failed", "Status: 5.1.1", ""]
PARTS = ["--b", "Content-Type: text/plain", "", "Sorry.", "--b", "Content-Type: message/delivery-status", "", *STATUS, "--b--", ""]
BOUNCE = "\r\n".join(PARTS)
DSN = "Content-Type: multipart/report; report-type=delivery-status; boundary=b"


def test_a_bounce_is_recorded_and_is_ours_only_with_our_token() -> None:
    got = decided(mail(BOUNCE, DSN))
    assert isinstance(got.decision, RecordReport)
    assert actions(got) == [{"type": "record_bounce", "recipient": "x@y.example", "class": "hard", "status": "5.1.1", "ours": False}]
    assert actions(decided(mail(BOUNCE, DSN), own_deliveries=(TOKEN,)))[0]["ours"] is True
    assert got.kind == "report"


def test_a_report_that_names_nobody_goes_to_a_person() -> None:
    got = decided(mail("--b--\r\n", DSN))
    assert (got.decision, got.kind) == (HandOff(reason=Reason.REPORT_UNREADABLE, why="report-unreadable"), "report")


def test_exims_own_field_names_whom_it_could_not_reach() -> None:
    got = decided(mail("Sorry", "X-Failed-Recipients: a@b.example, c@d.example"))
    assert [action["recipient"] for action in actions(got)] == ["a@b.example", "c@d.example"]


def test_a_person_who_shows_us_a_bounce_is_a_person() -> None:
    shown = replace(mail(), reported=(ReportedRecipient("x@y.example", "failed", "5.1.1", ""),))
    assert decided(shown).kind == "request"
    assert decided(replace(shown, return_path="")).kind == "report"


def test_a_complaint_says_so() -> None:
    message = replace(mail("x", "Content-Type: multipart/report; report-type=feedback-report; boundary=b"), feedback_type="abuse")
    assert actions(decided(message)) == [{"type": "record_complaint", "feedback_type": "abuse", "ours": False}]


def test_a_complaint_that_is_no_report_by_its_type_is_one_all_the_same() -> None:
    message = replace(mail("x", "Auto-Submitted: auto-generated"), feedback_type="opt-out")
    assert actions(decided(message)) == [{"type": "record_complaint", "feedback_type": "opt-out", "ours": False}]


def test_what_cannot_be_read_is_for_a_person() -> None:
    got = decided(Unreadable(why="too-deep", size=9, subject="Bonjour"))
    assert explain(got, Unreadable(why="too-deep", size=9, subject="Bonjour"), "x.eml") == {
        "file": "x.eml", "kind": "unreadable", "language": "fr", "sender": "", "subject": "Bonjour", "visible_text": "",
        "actions": [{"type": "hand_off", "why": "too-deep"}], "reason": "unreadable", "confidence": 0.5, "evidence": ["too-deep"],
    }  # fmt: skip


def test_an_explanation_shows_everything_and_is_json() -> None:
    message = mail("Bonjour, svp le communiqué sur les requins", subject="Requins")
    shown = explain(decided(message), message, "x.eml")
    assert json.loads(json.dumps(shown)) == shown
    assert shown["actions"] == [{"type": "send_release", "release": "requins", "edition": "fr", "why": "topic", "full": True}]
    assert (shown["kind"], shown["sender"], shown["reason"]) == ("request", "awa@radio.example", "topic-asked")
    assert "Requins" in shown["evidence"]


def test_every_sign_of_a_machine_is_a_reason() -> None:
    assert {str(sign) for sign in Sign} <= set(Reason)


@pytest.mark.parametrize(
    ("path", "inner"),
    [
        ("a@b.example", "a@b.example"),
        ("", ""),
        ("prvs=0123456789=a@b.example", "a@b.example"),
        ("prvs=a/0123456789@b.example", "a@b.example"),
        ("btv1==123abc==a@b.example", "a@b.example"),
        ("SRS0=Ab1=TT=b.example=a@fwd.example", "a@b.example"),
        ("SRS1=Ab1=fwd.example==Cd2=TT=b.example=a@other.example", "a@b.example"),
        ("srs0-not@fwd.example", "srs0-not@fwd.example"),
    ],
)
def test_a_rewritten_return_path_is_undone_to_compare(path: str, inner: str) -> None:
    assert unwrapped(path) == inner
