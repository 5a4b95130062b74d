"""A mail as the pages show it: headers, text, HTML and source. Nothing in it is trusted, and nothing raises."""

import contextlib
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.header import decode_header, make_header
from email.message import Message

SHOWN_OCTETS = 200_000


@dataclass(frozen=True, slots=True)
class ShownMail:
    """Every part is plain text, to be escaped; `html` is only ever shown in a frame that may do nothing."""

    sender: str
    recipient: str
    subject: str
    date: str
    headers: tuple[tuple[str, str], ...]
    text: str
    html: str
    attachments: tuple[str, ...]
    source: str


def read(raw: bytes) -> ShownMail:
    """Read the beginning of a mail."""
    mail = message_from_bytes(raw[:SHOWN_OCTETS], policy=policy.compat32)
    texts: dict[str, str] = {}
    attachments: list[str] = []
    for part in mail.walk():
        kind = part.get_content_type()
        if part.get_filename() or part.get_content_disposition() == "attachment":
            attachments.append(decoded(part.get_filename() or kind))
        elif kind in ("text/plain", "text/html") and kind not in texts:
            texts[kind] = _content(part)
    source = raw[:SHOWN_OCTETS].decode("utf-8", "replace").replace("\r\n", "\n")
    headers = tuple((name, decoded(str(value))) for name, value in mail.items())
    wanted = {name.lower(): value for name, value in reversed(headers)}
    return ShownMail(
        sender=wanted.get("from", ""), recipient=wanted.get("to", ""), subject=wanted.get("subject", ""), date=wanted.get("date", ""),
        headers=headers, text=texts.get("text/plain", ""), html=texts.get("text/html", ""), attachments=tuple(attachments),
        source=source,
    )  # fmt: skip


def holds(raw: bytes, words: str) -> bool:
    """Whether any part of a mail, decoded, holds these ASCII words."""
    wanted = words.encode("ascii")
    parts = (part.get_payload(decode=True) for part in message_from_bytes(raw, policy=policy.compat32).walk())
    return any(isinstance(content, bytes) and wanted in content for content in parts)


def decoded(value: str) -> str:
    """A header for people: encoded words decoded, on one line."""
    with contextlib.suppress(ValueError, LookupError):  # a charset that nobody knows, or broken base64: shown as it came
        value = str(make_header(decode_header(value)))
    return " ".join(value.split())


def _content(part: Message) -> str:
    content = part.get_payload(decode=True)
    if not isinstance(content, bytes):
        return ""
    try:
        return content.decode(part.get_content_charset() or "utf-8", "replace").replace("\r\n", "\n")
    except LookupError:
        return content.decode("utf-8", "replace")
