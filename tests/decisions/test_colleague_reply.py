"""The laws of a colleague's reply: what it means, and that in doubt nothing is sent."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from mailbot.cases import later
from mailbot.cases.case import Case, CaseState, Note
from mailbot.cases.colleague_reply import MOST_NOTES, Away, Close, Meaning, Refusal, Refused, Remark, SendDraft, SendOwn, Snooze, Stop
from mailbot.inbox.decision import decide
from mailbot.inbox.explanation import actions
from mailbot.inbox.kept_draft import kept, taken_up
from mailbot.inbox.outcome import ColleagueReply, Decided, HandOff, Ignore, SendRelease
from mailbot.inbox.reason import Reason
from mailbot.message import reply_text
from mailbot.message.address import Address
from mailbot.message.authentication import Authentication
from mailbot.message.incoming import IncomingMessage, parse
from tests.rules.test_case import CASE as OPEN
from tests.samples.littoral import CONTEXT, LANGUAGES

NOW = datetime(2026, 6, 2, 8, 30, tzinfo=UTC)   # a Tuesday
ZONE = ZoneInfo("Africa/Nairobi")               # 11:30 there
FATOU, SECOND = Address("fatou.diallo@littoral.example", "DIALLO Fatou"), Address("second@littoral.example")
TOKEN = "k7f3" + "a" * 22
DRAFT = SendRelease(release="tortues", edition="tortues", language="fr", why="topic", reason=Reason.TOPIC_ASKED, full=True, words=("nid",))
CASE = replace(OPEN, colleague=FATOU.address, draft=kept(DRAFT))
OWN = "Bonjour Awa,\n\nNous pouvons vous recevoir mardi à 10 h."
MARKS = reply_text.marks_from(language.mail for language in LANGUAGES.values())

OUTLOOK = f"""

De : Presse <presse@littoral.example>
Envoyé : mardi 2 juin 2026 10:02
À : DIALLO Fatou <fatou.diallo@littoral.example>
Objet : À traiter : Awa – Demande [#{TOKEN}]

Référence : [#{TOKEN}]

Ce message attend la réponse d’une personne.
"""
GMAIL = "\n\nLe mar. 2 juin 2026 à 10:02, Presse <presse@littoral.example> a écrit :\n\n> Référence : [#x]\n>\n> Ce message attend.\n"
PHONE = "\n\nEnvoyé de mon iPhone\n\n> Le 2 juin 2026 à 10:02, Presse <presse@littoral.example> a écrit :\n>\n> Référence : [#x]\n"


def note(state: CaseState = CaseState.OPEN, **changes: Any) -> Note:
    return Note("d1", replace(CASE, state=state, **changes), FATOU.key, 1)


def mail(
    text: str, *fields: str, sender: Address = FATOU, to: str = "presse@littoral.example", kind: str = "text/plain"
) -> IncomingMessage:
    head = [f"From: {sender.name} <{sender.address}>", f"To: {to}", "Message-ID: <9@littoral.example>", "MIME-Version: 1.0"]
    typed = [] if any(field.startswith("Content-Type") for field in fields) else [f"Content-Type: {kind}; charset=utf-8"]
    read = parse("\r\n".join([*head, *fields, *typed, "", text]).encode(), marks=MARKS)
    assert isinstance(read, IncomingMessage)
    return read


def decided(message: IncomingMessage, to: Note | None, vouched: Authentication = Authentication.NONE, **context: Any) -> Decided:
    named = {"own_deliveries": ("d1",) if to else (), "colleagues": frozenset({FATOU.key, SECOND.key}), "zone": ZONE}
    return decide(message, replace(CONTEXT, note=to, authentication=vouched, **named | context), NOW)


def meaning(message: IncomingMessage, to: Note, **context: Any) -> Meaning:
    decision = decided(message, to, **context).decision
    assert isinstance(decision, ColleagueReply)
    return decision.meaning


def html(text: str) -> str:
    """As Outlook writes: the quoted mail below a rule, its header in a block of its own."""
    paragraphs = "".join(f'<p class="MsoNormal">{line}<o:p></o:p></p>' for line in text.split("\n"))
    quoted = "".join(f"<p>{line}</p>" for line in OUTLOOK.strip().replace("<", "&lt;").split("\n"))
    return f'<html><body>{paragraphs}<div style="border-top:solid #E1E1E1 1.0pt">{quoted}</div></body></html>'


ALONE = [
    pytest.param("OUI", id="alone"),
    pytest.param("ok.", id="small, with a full stop"),
    pytest.param("OUI" + OUTLOOK, id="Outlook"),
    pytest.param("Oui\n\nCordialement,\nFatou" + OUTLOOK, id="Outlook, with a closing"),
    pytest.param("OUI\n\nFatou Diallo\nChargée de communication\n+261 20 00 00 00" + OUTLOOK, id="Outlook's own signature"),
    pytest.param("OUI" + GMAIL, id="Gmail"),
    pytest.param("Oui" + PHONE, id="a phone"),
    pytest.param("YES", id="in the other language"),
]


@pytest.mark.parametrize("text", ALONE)
def test_a_yes_alone_sends_the_draft(text: str) -> None:
    assert meaning(mail(text), note()) == SendDraft()


def test_a_yes_in_html_alone_sends_it_too() -> None:
    assert meaning(mail(html("OUI"), kind="text/html"), note()) == SendDraft()


SIGNED = "\n\n-- \nFatou Diallo" + OUTLOOK


@pytest.mark.parametrize("tail", ["", OUTLOOK, GMAIL, PHONE, SIGNED], ids=["bare", "Outlook", "Gmail", "phone", "signed"])
def test_a_colleagues_own_text_goes_without_what_it_quotes_and_its_signature(tail: str) -> None:
    assert meaning(mail(OWN + tail), note()) == SendOwn(OWN)


def test_a_colleagues_own_text_in_outlooks_html_goes_without_the_note() -> None:
    got = meaning(mail(html(OWN), kind="text/html"), note())
    assert isinstance(got, SendOwn)
    assert got.text.split() == OWN.split()


@pytest.mark.parametrize("text", ["Oui, nous pouvons vous recevoir mardi.", "C'est non pour cette semaine, mais OUI pour la suivante."])
def test_a_word_inside_a_sentence_is_no_order(text: str) -> None:
    assert meaning(mail(text), note()) == SendOwn(text)


@pytest.mark.parametrize(
    ("message", "to", "why"),
    [
        pytest.param(mail("OUI"), note(draft=None), Refusal.NO_DRAFT, id="a yes to nothing"),
        pytest.param(mail("OUI\nmais sans le deuxième paragraphe"), note(), Refusal.MORE_THAN_YES, id="yes, but"),
        pytest.param(mail(OUTLOOK), note(), Refusal.QUOTED, id="nothing above the quoted note"),
        pytest.param(mail(OWN + f"\n\nAv: Presse\nAihe: [#{TOKEN}]\nCe message"), note(), Refusal.QUOTED, id="an unknown way to quote"),
        pytest.param(mail(" \n "), note(), Refusal.EMPTY, id="empty"),
        pytest.param(mail(f"{OWN} [à compléter]"), note(note={"skeleton": "Merci. [à compléter]"}), Refusal.INCOMPLETE, id="a gap is left"),
        pytest.param(mail("Je m'en occupe"), note(), Refusal.TOO_SHORT, id="said to us"),
        pytest.param(mail(OWN), note(journalist=None), Refusal.NOBODY, id="nobody to answer"),
        pytest.param(mail("OUI", sender=SECOND), note(), Refusal.NOT_YOURS, id="another colleague with this note's token"),
        pytest.param(mail("OUI"), note(CaseState.ANSWERED), Refusal.FINISHED, id="a spent token: answered"),
        pytest.param(mail(OWN), note(CaseState.CLOSED), Refusal.FINISHED, id="a spent token: closed"),
        pytest.param(mail("OUI"), note(CaseState.ANSWERING), Refusal.HELD, id="a draft beside a text that is held"),
        pytest.param(mail("PLUS TARD"), note(CaseState.ANSWERING), Refusal.HELD, id="later, with a text that is held"),
        pytest.param(mail("OUI"), replace(note(), written=MOST_NOTES), Refusal.TOO_MANY, id="two machines talking"),
    ],
)
def test_in_doubt_nothing_is_sent_and_the_reason_is_known(message: IncomingMessage, to: Note, why: Refusal) -> None:
    got = decided(message, to)
    assert isinstance(got.decision, ColleagueReply)
    assert (got.decision.meaning, got.decision.reason, got.kind) == (Refused(why), Reason.COLLEAGUE_NOT_DONE, "command")


@pytest.mark.parametrize(
    ("state", "text", "expected"),
    [
        pytest.param(CaseState.OPEN, "NON", Close(), id="no closes"),
        pytest.param(CaseState.SNOOZED, "non\n\nFatou" + OUTLOOK, Close(), id="a snoozed one, too"),
        pytest.param(CaseState.ANSWERING, "NON" + OUTLOOK, Stop(), id="no stops what is held"),
        pytest.param(CaseState.ANSWERED, "NON", Stop(), id="and a draft that has not left yet"),
        pytest.param(CaseState.ANSWERING, OWN, SendOwn(OWN), id="another text takes its place"),
    ],
)
def test_no_closes_a_case_or_stops_its_text(state: CaseState, text: str, expected: Meaning) -> None:
    assert meaning(mail(text), note(state)) == expected


@pytest.mark.parametrize("text", ["OUI", OWN, "NON", "PLUS TARD 15h"])
@pytest.mark.parametrize(
    "fields",
    [
        pytest.param({"to": "presse@littoral.example, chef@littoral.example"}, id="To"),
        pytest.param({"cc": "Cc: Awa <awa@radio.example>"}, id="Cc"),
        pytest.param({"cc": "Cc: not an address at all <"}, id="Cc that cannot be read"),
    ],
)
def test_with_anybody_else_in_copy_it_is_a_remark(text: str, fields: dict[str, str]) -> None:
    message = mail(text, *filter(None, [fields.get("cc")]), to=fields.get("to", "presse@littoral.example"))
    assert meaning(message, note()) == Remark()


def test_a_copy_to_ourselves_or_to_the_colleague_is_none_and_a_stop_is_heard_whoever_reads_along() -> None:
    assert meaning(mail("OUI", f"Cc: presse+suivi@littoral.example, {FATOU.address}"), note()) == SendDraft()
    assert meaning(mail("NON", "Cc: chef@littoral.example"), note(CaseState.ANSWERING)) == Stop()


@pytest.mark.parametrize(
    ("name", "kind", "octets", "sent"),
    [
        pytest.param("note.pdf", "application/pdf", 900, False, id="a file"),
        pytest.param("IMG_2041.jpeg", "image/jpeg", 90_000, False, id="a photo"),
        pytest.param("image001.png", "image/png", 90_000, True, id="Outlook's logo"),
        pytest.param("logo.png", "image/png", 900, True, id="a small picture"),
        pytest.param("smime.p7s", "application/pkcs7-signature", 3_000, True, id="a seal"),
    ],
)
def test_files_are_not_sent_for_now_and_a_signatures_pictures_are_none(name: str, kind: str, octets: int, sent: bool) -> None:
    parts = [
        "--b", "Content-Type: text/plain; charset=utf-8", "", "{text}", "--b", f'Content-Type: {kind}; name="{name}"',
        f'Content-Disposition: attachment; filename="{name}"', "", "x" * octets, "--b--",
    ]  # fmt: skip
    for text, expected in (("OUI", SendDraft()), (OWN, SendOwn(OWN))):
        message = mail("\r\n".join(parts).format(text=text), "Content-Type: multipart/mixed; boundary=b")
        assert meaning(message, note()) == (expected if sent else Refused(Refusal.ATTACHMENTS))


@pytest.mark.parametrize(
    ("vouched", "expected"),
    [
        (Authentication.PASS, SendDraft()),
        (Authentication.NONE, SendDraft()),     # the office's own server writes no result for its own mail: the token alone
        (Authentication.TEMPERROR, Refused(Refusal.UNVERIFIED)),
    ],
)
def test_the_token_and_a_listed_sender_are_heard(vouched: Authentication, expected: Meaning) -> None:
    assert meaning(mail("OUI"), note(), vouched=vouched) == expected


@pytest.mark.parametrize(
    ("message", "to", "context"),
    [
        pytest.param(mail("OUI"), note(), {"vouched": Authentication.FAIL}, id="the domain disowns it"),
        pytest.param(mail("OUI", sender=Address("evil@radio.example")), note(), {}, id="a sender who is not listed"),
        pytest.param(mail("OUI", f"Subject: Re: note [#{TOKEN}]"), None, {}, id="a token that is none of ours"),
        pytest.param(mail("OUI", "Reply-To: fatou.diallo@littoral.example", sender=Address("a@b.example")), note(), {}, id="a Reply-To"),
    ],
)
def test_nobody_else_is_heard(message: IncomingMessage, to: Note | None, context: dict[str, Any]) -> None:
    got = decided(message, to, **context)
    assert all(isinstance(decision, HandOff | Ignore) for decision in got.decisions)


ABSENT = "Bonjour, je suis absente jusqu'au 12 juin. OUI"


@pytest.mark.parametrize(
    ("fields", "kind"),
    [
        pytest.param(("Auto-Submitted: auto-replied",), "automatic", id="Exchange"),
        pytest.param(("X-Autoreply: yes",), "automatic", id="another server"),
        pytest.param(("Return-Path: <>",), "automatic", id="the null sender alone"),
    ],
)
def test_an_answering_machine_passes_the_case_on_and_is_never_taken_at_its_word(fields: tuple[str, ...], kind: str) -> None:
    got = decided(mail(ABSENT, *fields), note())
    assert isinstance(got.decision, ColleagueReply)
    assert (got.decision.meaning, got.kind, actions(got)) == (Away(), kind, [{"type": "ignore", "why": "colleague-away"}])


@pytest.mark.parametrize(
    ("message", "to", "context"),
    [
        pytest.param(mail(ABSENT, "Auto-Submitted: auto-replied", sender=Address("a@b.example")), note(), {}, id="not the colleague's"),
        pytest.param(mail(ABSENT, "Auto-Submitted: auto-replied", sender=SECOND), note(), {}, id="another colleague's"),
        pytest.param(mail(ABSENT, "Auto-Submitted: auto-replied"), note(), {"own_deliveries": ()}, id="it only quotes the subject"),
        pytest.param(mail(ABSENT, "Auto-Submitted: auto-replied"), note(colleague=SECOND.address), {}, id="somebody else has it by now"),
        pytest.param(mail(ABSENT, "Auto-Submitted: auto-replied"), note(CaseState.SNOOZED), {}, id="snoozed"),
        pytest.param(mail(ABSENT, "Auto-Submitted: auto-replied"), note(CaseState.CLOSED), {}, id="closed"),
        pytest.param(mail("Lu", "Content-Type: message/disposition-notification"), note(), {}, id="a receipt"),
    ],
)
def test_no_other_machine_moves_a_case(message: IncomingMessage, to: Note, context: dict[str, Any]) -> None:
    assert not isinstance(decided(message, to, **context).decision, ColleagueReply)


def local(day: int, hour: int, minute: int = 0) -> datetime:
    return datetime(2026, 6, day, hour, minute, tzinfo=ZONE)


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("PLUS TARD", NOW + timedelta(hours=2)),
        ("PLUS TARD 15h", local(2, 15)),
        ("plus tard 15 h 30", local(2, 15, 30)),
        ("PLUS TARD 15:45", local(2, 15, 45)),
        ("PLUS TARD à 15h", local(2, 15)),
        ("LATER 3pm", local(2, 15)),
        ("LATER 3 pm", local(2, 15)),
        ("LATER 15", local(2, 15)),
        ("PLUS TARD 9h", local(3, 9)),                      # past: tomorrow
        ("PLUS TARD demain 10h", local(3, 10)),
        ("PLUS TARD demain", local(3, 9)),
        ("LATER Friday 10:00", local(5, 10)),
        ("PLUS TARD vendredi", local(5, 9)),
        ("PLUS TARD mardi", local(9, 9)),                   # today's nine is past
        ("PLUS TARD 5 juin 8h", local(5, 8)),
        ("PLUS TARD 99h", NOW + timedelta(hours=2)),
        ("PLUS TARD 2 semaines", NOW + timedelta(hours=2)),
        ("PLUS TARD 1er mai 2031", NOW + timedelta(hours=2)),
        ("PLUS TARD bientôt", NOW + timedelta(hours=2)),
    ],
)
def test_later_is_an_hour_on_the_offices_clock_and_two_hours_where_none_is_said(written: str, expected: datetime) -> None:
    assert later.until(written, LANGUAGES, NOW, ZONE) == expected
    if len(written) < 30:
        assert meaning(mail(written), note()) == Snooze(expected)


def test_what_is_kept_of_a_draft_is_the_draft() -> None:
    import json

    assert taken_up(json.loads(json.dumps(kept(DRAFT)))) == DRAFT
    assert taken_up({**kept(DRAFT), "from_another_version": 1}) == DRAFT


def test_a_case_without_a_reply_is_none() -> None:
    assert isinstance(CASE, Case)
    assert decided(mail("Bonjour"), None).decision.reason in (Reason.COLLEAGUE, Reason.COLLEAGUE_REPLIED)
