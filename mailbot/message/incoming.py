"""The bytes of a mail -> what it says, as plain facts; any bytes at all, in time linear in their number, and never an exception.

Who the sender may be, and what he wants, is decided elsewhere. What is too hostile to be read (the caps of MAIL.md section 5) comes
back as Unreadable with one word for the reason; its raw bytes are kept by the caller and shown to a person.
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from mailbot import bounces
from mailbot.message import address, delivery_report, header, html_text, mime, reply_text
from mailbot.message.address import Address
from mailbot.message.delivery_report import ReportedRecipient
from mailbot.message.reply_text import NO_MARKS, ReplyMarks

__all__ = ["FAILED_TOO_OFTEN", "HEAD_OCTETS", "Attachment", "IncomingMessage", "ReportedRecipient", "Unreadable", "parse"]

HEAD_OCTETS = 4 * 1024 * 1024       # as much of a mail as is ever parsed
FAILED_TOO_OFTEN = "failed-too-often"   # why a mail is Unreadable that could be read, and not be dealt with
MAX_TEXT = 200_000                  # characters
MAX_VISIBLE = 20_000
MAX_ATTACHMENTS = 100
_MAX_ENCODED_TEXT = 1024 * 1024     # octets of one text part, still encoded
_MAX_GLANCE = 16 * 1024             # octets that tell whether a text part says anything

_RECIPIENTS = ("to", "cc", "bcc", "resent-to", "resent-cc", "resent-bcc", "delivered-to", "x-original-to")
_REPORT_PARTS = {
    "message/delivery-status", "message/global-delivery-status", "message/feedback-report", "text/rfc822-headers",
    "message/global-headers", "message/disposition-notification", "message/global-disposition-notification",
}
_RETURNED = {"message/rfc822", "message/global", "text/rfc822-headers", "message/global-headers"}
_SUBJECT = re.compile(rb"(?:\A|\n)subject[ \t]*:([^\r\n]{0,2000})", re.IGNORECASE)
_CONTROLS = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ufeff\ud800-\udfff]+")


@dataclass(frozen=True, slots=True)
class Attachment:
    name: str           # a label, never a path
    content_type: str
    size: int           # octets when decoded


@dataclass(frozen=True, slots=True, kw_only=True)
class IncomingMessage:
    message_id: str                             # "<...>" or ""
    from_: tuple[Address, ...]                  # every valid mailbox of every From field
    from_fields: int
    from_plain: bool                            # one From field, one mailbox, no two programs read it differently
    return_path: str | None                     # None: no such field; "": <>
    recipients: tuple[str, ...]                 # keys of everybody in To, Cc, Bcc, Resent-*, Delivered-To, X-Original-To
    subject: str                                # decoded, one safe line
    date: datetime | None
    in_reply_to: tuple[str, ...]
    references: tuple[str, ...]
    headers: tuple[tuple[str, str], ...]        # lower-case name, unfolded raw value; in order
    text: str                                   # what a person reads
    visible_text: str                           # what the sender wrote in this mail
    attachments: tuple[Attachment, ...]
    content_type: str
    report_type: str
    reported: tuple[ReportedRecipient, ...]
    feedback_type: str
    returned_ids: tuple[str, ...]
    bounce: bool = False                        # a mail system says that a mail did not arrive, whether or not `reported` names anybody
    size: int                                   # octets of the whole mail
    truncated: bool                             # only its head was parsed

    def header(self, name: str) -> str | None:
        """The first field of this name, raw."""
        return next((value for given, value in self.headers if given == name.lower()), None)

    def all(self, name: str) -> tuple[str, ...]:
        """Every field of this name, raw, from the top."""
        return tuple(value for given, value in self.headers if given == name.lower())

    @property
    def sender(self) -> Address | None:
        """The one mailbox of the one From field; None when there are more, or none."""
        return self.from_[0] if self.from_fields == 1 and len(self.from_) == 1 else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Unreadable:
    why: str        # "too-many-headers", "header-too-large", "header-block-too-large", "too-deep", "too-many-parts", "too-many-boundaries"
    size: int
    subject: str


def parse(head: bytes, size: int | None = None, marks: ReplyMarks = NO_MARKS) -> IncomingMessage | Unreadable:
    """A mail from its first HEAD_OCTETS bytes and the size of the whole."""
    whole = max(len(head), size or 0)
    head = bytes(head[:HEAD_OCTETS])
    try:
        root = mime.read(head)
    except header.Hostile as hostile:
        found = _SUBJECT.search(head, 0, header.MAX_BLOCK)
        return Unreadable(why=str(hostile), size=whole, subject=_decoded(found[1]) if found else "")
    return _message(root, whole, whole > len(head), marks)


def _message(root: mime.Part, size: int, truncated: bool, marks: ReplyMarks) -> IncomingMessage:
    froms = [entry for entry in root.fields if entry.name == "from"]
    listed = [address.mailboxes(entry.value) for entry in froms]
    boxes = [box for found, _ in listed for box in found]
    text, written = _texts(root)
    report = delivery_report.read(root, text, bounces.shipped())
    return IncomingMessage(
        message_id=next(iter(header.message_ids(root.first("message-id"))), ""),
        from_=tuple(box for box in boxes if box),
        # an entry that is no address is one more possible sender: it must not leave the other as the only one
        from_fields=len(froms) + (len(boxes) > 1 and not all(boxes)),
        from_plain=len(froms) == 1 and froms[0].exact and len(boxes) == 1 and boxes[0] is not None and address.is_plain(froms[0].value),
        return_path=_return_path(root),
        recipients=_recipients(root),
        subject=header.decode(root.first("subject"), 500),
        date=_date(root.first("date")),
        in_reply_to=header.message_ids(root.first("in-reply-to")),
        references=header.message_ids(root.first("references")),
        headers=tuple((entry.name, entry.value) for entry in root.fields),
        text=text,
        visible_text=reply_text.visible(written, marks)[:MAX_VISIBLE],
        attachments=_attachments(root),
        content_type=header.content_type(root.first("content-type"))[0],
        report_type=root.parameters.get("report-type", "").lower(),
        reported=report.recipients,
        feedback_type=report.feedback_type,
        returned_ids=report.returned_ids,
        bounce=report.bounce,
        size=size,
        truncated=truncated,
    )


def _decoded(octets: bytes) -> str:
    return header.decode(octets.decode("utf-8", "replace"), 500)


def _return_path(root: mime.Part) -> str | None:
    fields = [entry.value for entry in root.fields if entry.name == "return-path"]
    if not fields:
        return None
    inner = re.search(r"<([^<>]{0,500})>", fields[0])
    return header.clean(inner[1] if inner else fields[0], 320).strip()


def _recipients(root: mime.Part) -> tuple[str, ...]:
    boxes = (box for entry in root.fields if entry.name in _RECIPIENTS for box in address.mailboxes(entry.value)[0])
    return tuple(dict.fromkeys(box.key for box in boxes if box))[: address.MAX_MAILBOXES]


def _date(value: str) -> datetime | None:
    try:
        found = parsedate_to_datetime(value[:100])
        return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None


def _is_text(part: mime.Part) -> bool:
    """Something to read in the mail itself, not a file that happens to be text."""
    return part.content_type in ("text/plain", "text/html") and part.disposition != "attachment" and not (part.depth and part.file_name)


def _texts(root: mime.Part) -> tuple[str, str]:
    """All there is to read, and the same without what a mail program marked as quoted.

    Of alternatives one is read: plain text where it says anything, else HTML. Of a report only the first part is for people.
    """
    read: list[str] = []
    written: list[str] = []
    waiting = [root]
    length = 0
    while waiting and length < MAX_TEXT:
        part = waiting.pop()
        if part.parts:
            waiting += reversed(_to_read(part))
        elif _is_text(part):
            raw = part.text(_MAX_ENCODED_TEXT)
            if part.content_type == "text/html":
                seen, unquoted = html_text.read(raw)
                read.append(_cleaned(seen))
                written.append(_cleaned(unquoted))
            else:
                read.append(_cleaned(raw))
                written.append(read[-1])
            length += len(read[-1]) + 1
    text = "\n".join(filter(None, read))[:MAX_TEXT]
    return text, "\n".join(filter(None, written)) or text


def _to_read(part: mime.Part) -> list[mime.Part]:
    if part.content_type == "multipart/report":
        return part.parts[:1]
    if part.content_type != "multipart/alternative":
        return part.parts
    for kind in ("text/plain", "text/html"):
        for choice in part.parts:
            if any(leaf.content_type == kind and _is_text(leaf) and leaf.octets(_MAX_GLANCE).strip() for leaf in choice.walk()):
                return [choice]
    return part.parts[:1]


def _cleaned(text: str) -> str:
    return _CONTROLS.sub("", text[: MAX_TEXT * 2].replace("\r\n", "\n").replace("\r", "\n")).strip()[:MAX_TEXT]


def _attachments(root: mime.Part) -> tuple[Attachment, ...]:
    found = []
    for part in root.walk():
        if part.parts or part.content_type.startswith("multipart/") or part.content_type in _REPORT_PARTS or _is_text(part):
            continue
        found.append(Attachment(part.file_name, part.content_type, part.size()))
        if len(found) == MAX_ATTACHMENTS:
            break
    return tuple(found)
