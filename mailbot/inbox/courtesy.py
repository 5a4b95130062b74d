"""Puts into words what goes back at once where a person has to answer, and the pointer to a call for help. Values in, a mail's content out.

The pointer holds nothing that its sender wrote, not even the address: whoever may read the mail finds it by its number.
"""

from datetime import datetime
from typing import assert_never

from mailbot.inbox.acknowledgement import Acknowledge, Courtesy, Refer, Silent
from mailbot.inbox.compose import Subject, reply_subject
from mailbot.message.address import Address
from mailbot.message.authentication import Authentication
from mailbot.message.incoming import IncomingMessage
from mailbot.message.outgoing import answer_references
from mailbot.office import Office
from mailbot.outbox.delivery import Kind
from mailbot.outbox.store import Draft
from mailbot.rendering import Rendered, render, render_for_many
from mailbot.staffed_hours import is_staffed, next_staffed

_REFERRAL = "referral:"


def written(office: Office, subject: Subject, word: Courtesy, language: str, *, urgent: bool, now: datetime) -> Draft | None:
    """The mail that goes back to who wrote; None where none does."""
    match word:
        case Acknowledge():
            return _acknowledgement(office, subject, language, urgent, now)
        case Refer():
            return _referral(office, subject, language, now) if office.referral else None
        case Silent():
            return None
        case _:
            assert_never(word)


def is_referral(key: str) -> bool:
    """Is this the key of a delivery that carried the office's words for a call for help?"""
    return key.startswith(_REFERRAL)


def _acknowledgement(office: Office, subject: Subject, language: str, urgent: bool, now: datetime) -> Draft:
    """A person of the office will read it; when; and whom to call where that is too late."""
    vouched = subject.authentication is Authentication.PASS
    rendered = _rendered(office, language, reply_subject(subject.message) if vouched else "", urgent, now)
    return _back(f"acknowledgement:{subject.mail}", subject, language, rendered.subject, rendered.text, rendered.html)


def _referral(office: Office, subject: Subject, language: str, now: datetime) -> Draft:
    """Exactly the office's words, in whatever languages it wrote them; no letterhead, no small print."""
    text = office.referral.strip() + "\n"
    return _back(f"{_REFERRAL}{subject.mail}", subject, language, _rendered(office, language, "", False, now).subject, text, "")


def _rendered(office: Office, language: str, reply: str, urgent: bool, now: datetime) -> Rendered:
    staffed = is_staffed(office.hours, now)
    values = {
        "organisation": office.values, "staffed": staffed, "opens": next_staffed(office.hours, now),
        "duty_number": office.duty_number if urgent or staffed is False else "",
    }  # fmt: skip
    return render_for_many(office.words, language, "acknowledgement", values, reply)


def _back(key: str, subject: Subject, language: str, title: str, text: str, html: str) -> Draft:
    message, recipient = subject.message, subject.sender
    assert isinstance(message, IncomingMessage) and recipient is not None
    return Draft(
        key=key, kind=Kind.ACKNOWLEDGEMENT, recipient=recipient, language=language, subject=title, text=text, html=html,
        in_reply_to=message.message_id, mail=subject.mail,
        references=answer_references(message.message_id, message.references) if message.message_id else (),
    )  # fmt: skip


def pointer(office: Office, subject: Subject, to: Address, folder: str, *, referred: bool) -> Draft:
    """To who looks after calls for help: there is one, and where it lies."""
    values = {
        "organisation": office.values, "mail": subject.mail, "when": subject.received_at, "folder": folder, "referred": referred,
    }  # fmt: skip
    rendered = render(office.words, office.own_language, "protection", values)
    return Draft(
        key=f"protection:{subject.mail}:{to.key}", kind=Kind.HAND_OFF, recipient=to, language=office.own_language,
        subject=rendered.subject, text=rendered.text, mail=subject.mail,
    )  # fmt: skip
