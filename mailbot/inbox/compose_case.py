"""Puts a case into words: the note to a colleague, what becomes of their reply, and their own text to the journalist.

Each mail to a colleague ends its subject with its own token and has it in its first line, so that a reply is known without In-Reply-To,
and a text in which our note still stands is known as such.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from functools import lru_cache
from typing import Any

from mailbot.cases.case import Case
from mailbot.inbox.compose import Subject, edition_of, rendered_answer, reply_subject
from mailbot.inbox.outcome import HandOff
from mailbot.inbox.reason import Reason
from mailbot.inbox.short_reply import Word, offered
from mailbot.message.address import Address
from mailbot.message.authentication import Authentication
from mailbot.message.incoming import FAILED_TOO_OFTEN, IncomingMessage, Unreadable
from mailbot.message.outgoing import answer_references
from mailbot.office import Office
from mailbot.outbox.delivery import Kind
from mailbot.outbox.store import Draft
from mailbot.releases.release import Release
from mailbot.rendering import Words, render

ORIGINAL_OCTETS = 10 << 20
# Whom nobody should be tempted to answer with a form.
_WITHOUT_SKELETON = frozenset(
    {
        Reason.CALL_FOR_HELP, Reason.AUTHENTICATION_FAILED, Reason.SPAM, Reason.SPAM_FLAGGED, Reason.JUNK, Reason.COLLEAGUE,
        Reason.FROM_UNCLEAR, Reason.UNREADABLE, Reason.REPORT_UNREADABLE,
    }
)  # fmt: skip


def note_values(
    office: Office, subject: Subject, decision: HandOff, library: Mapping[str, Release], language: str, earlier: Sequence[Mapping[str, Any]]
) -> dict[str, Any]:
    """What the note says: plain values, which are kept and written again for the next colleague. `earlier`: this sender's last mails."""
    message, sender = subject.message, subject.sender
    draft = skeleton = None
    if decision.draft is not None and sender is not None:
        rendered = rendered_answer(office, subject, decision.draft, library, language)
        draft = {"title": edition_of(library, decision.draft.edition).title, "text": rendered.text}
    elif sender is not None and subject.authentication is not Authentication.FAIL and decision.reason not in _WITHOUT_SKELETON:
        skeleton = _skeleton(office.words, language, tuple(office.values.items()))
    return {
        "sender": {"name": sender.name if sender else "", "address": sender.address if sender else ""},
        "authenticated": str(subject.authentication),
        "subject": message.subject,
        "visible_text": message.visible_text if isinstance(message, IncomingMessage) else "",
        "reason": str(decision.reason),
        "draft": draft,
        "skeleton": skeleton,
        "offers": [edition_of(library, slug).title for slug in decision.offers],
        "earlier": [dict(one) for one in earlier],
        "original": _original(message),
    }


@lru_cache
def _skeleton(words: Words, language: str, organisation: tuple[tuple[str, str], ...]) -> str:
    """The beginning of an answer: the same for every mail."""
    return render(words, language, "skeleton", {"organisation": dict(organisation)}).text


def _original(message: IncomingMessage | Unreadable) -> str:
    """Whether the mail goes along. Not one that could not be dealt with: it may be a call for help, and lies where it was filed."""
    if isinstance(message, Unreadable) and message.why == FAILED_TOO_OFTEN:
        return ""
    return "attached" if message.size <= ORIGINAL_OCTETS else "too-large"


def note(office: Office, case: Case, to: Address, reference: str, passed_on: str) -> Draft:
    """The note to a colleague: who wrote, what, until when, why it was passed on, a draft, and how to answer; the original goes with it."""
    earlier = [{**one, "when": datetime.fromisoformat(one["when"])} for one in case.note["earlier"]]
    values = {
        **case.note, "organisation": office.values, "when": case.received_at, "deadline": case.deadline,
        "deadline_words": case.deadline_words, "urgent": case.urgent, "earlier": earlier, "passed_on": passed_on,
        "passed_from": case.colleague, "reference": reference, "can_reply": case.journalist is not None,
        "yes_word": _word(office, Word.YES) if case.draft is not None else "", "no_word": _word(office, Word.NO),
        "later_word": _word(office, Word.LATER),
    }  # fmt: skip
    key = f"hand-off:{case.mail}:{to.key}"
    if passed_on != "new":  # each time that it is due it goes on once, whoever looks
        key += f":{case.due_at.isoformat() if case.due_at else passed_on}"
    draft = _to_colleague(office, "hand_off", values, key, Kind.HAND_OFF, to, case, reference)
    return replace(draft, attach_original=case.note["original"] == "attached")


def echo(office: Office, case: Case, to: Address, answer: Draft, leaves_at: datetime, minutes: int, reference: str, key: str) -> Draft:
    """To the colleague who wrote it: what leaves, to whom, when, and the word that stops it."""
    values = {
        "organisation": office.values, "recipient": _person(answer.recipient), "subject": answer.subject, "text": answer.text,
        "when": leaves_at, "minutes": minutes, "no_word": _word(office, Word.NO), "reference": reference,
    }  # fmt: skip
    return _to_colleague(office, "echo", values, key, Kind.TOLD, to, case, reference)


def told(office: Office, case: Case, to: Address, event: str, until: datetime | None, reference: str, key: str) -> Draft:
    """To a colleague: what came of a reply. `event`: left, stopped, closed, snoozed, or a colleague_reply.Refusal."""
    values = {
        "organisation": office.values, "recipient": _person(case.journalist), "subject": case.subject, "event": event, "until": until,
        "yes_word": _word(office, Word.YES), "no_word": _word(office, Word.NO), "reference": reference,
    }  # fmt: skip
    return _to_colleague(office, "told", values, key, Kind.TOLD, to, case, reference)


def marked(draft: Draft, reference: str) -> Draft:
    """Something else that a colleague may reply to, with the token where a note has it."""
    return replace(draft, subject=f"{draft.subject} [#{reference}]", text=f"[#{reference}]\n\n{draft.text}")


def own_text(office: Office, case: Case, text: str, key: str) -> Draft:
    """A colleague's own words, in the journalist's thread. The subject goes out again only where somebody vouches for the mail."""
    assert case.journalist is not None
    subject = reply_subject(remembered(case).message) if case.authenticated else ""
    values = {"organisation": office.values, "text": text, "reply_subject": subject}
    rendered = render(office.words, case.language, "own_text", values)
    return Draft(
        key=key, kind=Kind.LETTER, recipient=case.journalist, language=case.language, subject=rendered.subject, text=rendered.text,
        html=rendered.html, in_reply_to=case.message_id,
        references=answer_references(case.message_id, case.references) if case.message_id else (), mail=case.mail,
    )  # fmt: skip


def again(answer: Draft, reply: int | str) -> Draft:
    """The answer that a colleague's reply of this number sends: another one than any that went, or came to nothing, before."""
    return replace(answer, key=f"{answer.key}:{reply}")


def remembered(case: Case) -> Subject:
    """The mail of a case as far as an answer to it needs it; the mail itself need not be read a second time."""
    vouched = Authentication.PASS if case.authenticated else Authentication.NONE
    return remembered_mail(
        case.mail, case.journalist, case.subject, case.received_at, vouched, message_id=case.message_id, references=case.references
    )


def remembered_mail(
    number: int, sender: Address | None, subject: str, received_at: datetime, vouched: Authentication, *, message_id: str = "",
    references: tuple[str, ...] = (),
) -> Subject:  # fmt: skip
    """The same of any mail."""
    message = IncomingMessage(
        message_id=message_id, from_=(sender,) if sender else (), from_fields=1, from_plain=True, return_path=None,
        recipients=(), subject=subject, date=None, in_reply_to=(), references=references, headers=(), text="", visible_text="",
        attachments=(), content_type="", report_type="", reported=(), feedback_type="", returned_ids=(), size=0, truncated=False,
    )  # fmt: skip
    return Subject(number, message, received_at, vouched)


def _to_colleague(
    office: Office, template: str, values: Mapping[str, Any], key: str, kind: Kind, to: Address, case: Case, reference: str
) -> Draft:
    rendered = render(office.words, office.own_language, template, values)
    return Draft(
        key=key, kind=kind, recipient=to, language=office.own_language, subject=f"{rendered.subject} [#{reference}]", text=rendered.text,
        html=rendered.html, mail=case.mail,
    )  # fmt: skip


def _person(somebody: Address | None) -> dict[str, str]:
    return {"name": somebody.name, "address": somebody.address} if somebody else {"name": "", "address": ""}


def _word(office: Office, word: Word) -> str:
    """As the office's own language offers it."""
    return offered(office.spoken[office.own_language], word)
