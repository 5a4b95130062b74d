"""What a bounce or a complaint says: the machine-readable parts of a report (RFC 3464, RFC 6533, RFC 5965).

Facts only, and all of them forgeable: whether a report may change anything is decided by the signed Message-ID among the returned ones.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from mailbot.message import header

MAX_RECIPIENTS = 100
_READ = 128 * 1024
_STATUS = re.compile(r"\b([245]\.\d{1,3}\.\d{1,3})\b")
_XTEXT = re.compile(r"\+([0-9A-F]{2})")
_UTF8 = re.compile(r"\\x\{([0-9A-Fa-f]{1,6})\}")


@dataclass(frozen=True, slots=True)
class ReportedRecipient:
    recipient: str      # as reported, without its address type; not validated
    action: str         # failed, delayed, delivered, relayed, expanded; lower case
    status: str         # "5.1.1", or ""
    diagnostic: str


def reported(octets: bytes) -> tuple[ReportedRecipient, ...]:
    """The recipients of a message/delivery-status part."""
    found = []
    for fields in _blocks(octets):
        recipient = _address(fields.get("final-recipient", "")) or _address(fields.get("original-recipient", ""))
        if not recipient:
            continue
        status = _STATUS.search(fields.get("status", ""))
        found.append(ReportedRecipient(
            recipient=recipient,
            action=header.clean(fields.get("action", "").split("(", 1)[0].split(";", 1)[0], 20).lower(),
            status=status[1] if status else "",
            diagnostic=header.decode(fields.get("diagnostic-code", ""), 500),
        ))
        if len(found) == MAX_RECIPIENTS:
            break
    return tuple(found)


def feedback_type(octets: bytes) -> str:
    """The Feedback-Type of a message/feedback-report part, lower case."""
    given = next((fields["feedback-type"] for fields in _blocks(octets) if "feedback-type" in fields), "")
    return header.clean(given.split(";", 1)[0], 40).lower()


def returned_ids(octets: bytes) -> tuple[str, ...]:
    """The Message-ID of a returned message, or of its returned header."""
    octets = octets[:_READ].lstrip(b"\r\n")
    try:
        fields, _ = header.split(octets)
    except header.Hostile:
        return ()
    return tuple(found for entry in fields if entry.name == "message-id" for found in header.message_ids(entry.value))[:10]


def _blocks(octets: bytes) -> Iterator[dict[str, str]]:
    """The groups of fields, which blank lines part; the first of a name counts."""
    for block in re.split(rb"\r?\n[ \t]*\r?\n", octets[:_READ], maxsplit=MAX_RECIPIENTS * 2):
        try:
            fields, _ = header.split(block.strip(b"\r\n"))
        except header.Hostile:
            continue
        if fields:
            yield {entry.name: entry.value for entry in reversed(fields)}


def _address(value: str) -> str:
    kind, separator, address = value.partition(";")
    if not separator:
        kind, address = "rfc822", value
    address = header.clean(address, 320).strip("<> ")
    if kind.strip().lower() == "utf-8":
        address = _UTF8.sub(_character, address)
    elif "@" not in address:
        address = _XTEXT.sub(_character, address)
    return header.clean(address, 320)


def _character(code: re.Match[str]) -> str:
    number = int(code[1], 16)
    return chr(number) if number < 0x110000 else ""
