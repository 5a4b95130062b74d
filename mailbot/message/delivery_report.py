"""What a bounce or a complaint says: its parts for machines (RFC 3464, RFC 6533, RFC 5965), and its words where those fall short.

Facts only, and all of them forgeable: whether a report may change anything is decided by the signed Message-ID among the returned ones.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import islice

from mailbot.bounces import BounceWords, fold
from mailbot.message import address, header, mime
from mailbot.message.bounce_text import MAX_RECIPIENTS, BounceText, addresses_in, answers_the_recipient, says_itself, status_in
from mailbot.message.severity import HARD_STATUS

_READ = 128 * 1024
_MAX_ENCODED = 1024 * 1024
_MAX_PARTS = 20
_XTEXT = re.compile(r"\+([0-9A-F]{2})")
_UTF8 = re.compile(r"\\x\{([0-9A-Fa-f]{1,6})\}")
_TYPE = re.compile(r"^[a-z][a-z0-9-]{1,30}\s*;\s*", re.IGNORECASE)

_STATUS_PARTS = ("message/delivery-status", "message/global-delivery-status")
_FEEDBACK_PARTS = ("message/feedback-report",)
_RETURNED_PARTS = ("message/rfc822", "message/global", "text/rfc822-headers", "message/global-headers")
PARTS = frozenset((*_STATUS_PARTS, *_FEEDBACK_PARTS, "text/rfc822-headers", "message/global-headers"))
_OWN = ("to", "cc", "delivered-to", "from", "sender", "return-path", "envelope-to", "errors-to")


@dataclass(frozen=True, slots=True)
class ReportedRecipient:
    recipient: str      # as reported, without its address type; not validated
    action: str         # failed, delayed, delivered, relayed, expanded; lower case
    status: str         # "5.1.1", or ""
    diagnostic: str
    meaning: str = ""   # a group of config/bounces.yaml: "unknown-user", "full", ...


@dataclass(frozen=True, slots=True)
class Report:
    """What a mail reports, if it does. `bounce`: a mail system says here that a mail did not arrive, whoever it names."""

    recipients: tuple[ReportedRecipient, ...] = ()
    feedback_type: str = ""
    returned_ids: tuple[str, ...] = ()
    bounce: bool = False


def read(root: mime.Part, text: str, words: BounceWords) -> Report:
    """Everything that this mail reports; its words are read only where a mail system wrote them."""
    parts = list(islice((part for part in root.walk() if part.content_type in PARTS or part.content_type in _RETURNED_PARTS), _MAX_PARTS))
    returned = [part.octets(_MAX_ENCODED)[:_READ] for part in parts if part.content_type in _RETURNED_PARTS]
    ids = [one for octets in returned for one in returned_ids(octets)]
    complaint = _complaint(root, parts, returned)
    if complaint:
        return replace(complaint, returned_ids=tuple(dict.fromkeys(ids)))
    blocks = _all_blocks(parts)
    weight = _from_a_system(root, words)
    if not blocks and not weight:
        return Report(returned_ids=tuple(dict.fromkeys(ids)))
    domain = next(addresses_in([root.first("from")]), "").rpartition("@")[2] if weight > 1 else ""
    told = BounceText(text, words, frozenset(_own(root)), domain, frozenset(key for octets in returned for key in _returned_to(octets)))
    bounce = _is_bounce(root, weight, told)
    named = _from_fields(blocks, told)
    if bounce and not named:        # a gateway wraps the report that it passes on into another mail
        named = _from_fields([block for octets in returned[:1] for block in _all_blocks(_inside(octets))], told)
    if bounce:
        named = named or tuple(_from_words(root, told))
        ids += told.returned_ids()
    return Report(named[:MAX_RECIPIENTS], "", tuple(dict.fromkeys(ids)), bounce)


def _all_blocks(parts: Iterable[mime.Part]) -> list[dict[str, str]]:
    return [block for part in parts if part.content_type in _STATUS_PARTS for block in _blocks(part.octets(_MAX_ENCODED))]


def _inside(octets: bytes) -> list[mime.Part]:
    try:
        return list(islice(mime.read(octets).walk(), _MAX_PARTS))
    except header.Hostile:
        return []


def _complaint(root: mime.Part, parts: list[mime.Part], returned: list[bytes]) -> Report | None:
    """That somebody called our mail spam, or pressed `Unsubscribe`."""
    if root.first("x-apple-unsubscribe").strip().lower() == "true":
        return Report(feedback_type="opt-out")      # Apple Mail's button writes in its reader's name
    for part in parts:
        if part.content_type in _FEEDBACK_PARTS and root.content_type in ("multipart/report", *_FEEDBACK_PARTS):
            octets = part.octets(_MAX_ENCODED)
            kind = feedback_type(octets)
            if kind:
                return Report(tuple(map(_complained, _complainants(_blocks(octets)))), kind)
    hotmail = [entry.value for octets in returned for entry in _fields(octets) if entry.name == "x-hmxmroriginalrecipient"]
    return Report(tuple(map(_complained, addresses_in(hotmail))), "abuse") if hotmail else None


def _complainants(blocks: Iterator[dict[str, str]]) -> Iterator[str]:
    named = ("original-rcpt-to", "removal-recipient", "original-recipient")
    yield from dict.fromkeys(addresses_in(block[name] for block in islice(blocks, MAX_RECIPIENTS) for name in named if name in block))


def _complained(recipient: str) -> ReportedRecipient:
    return ReportedRecipient(recipient, "complained", "", "")


def feedback_type(octets: bytes) -> str:
    """The Feedback-Type of a message/feedback-report part, lower case."""
    given = next((fields["feedback-type"] for fields in _blocks(octets) if "feedback-type" in fields), "")
    return header.clean(given.split(";", 1)[0], 40).lower()


def returned_ids(octets: bytes) -> tuple[str, ...]:
    """The Message-ID of a returned message, or of its returned header."""
    return tuple(found for entry in _fields(octets) if entry.name == "message-id" for found in header.message_ids(entry.value))[:10]


def _returned_to(octets: bytes) -> Iterator[str]:
    named = ("to", "cc", "bcc", "x-envelope-to", "x-rcpt-to")
    yield from addresses_in(entry.value for entry in _fields(octets) if entry.name in named)


def _own(root: mime.Part) -> Iterator[str]:
    yield from addresses_in(entry.value[:2000] for entry in root.fields if entry.name in _OWN)


def _is_bounce(root: mime.Part, weight: int, told: BounceText) -> bool:
    """Does a mail system say that a mail did not arrive? The sender alone is not enough, nor are the words alone: people quote bounces."""
    kind = root.parameters.get("report-type", "").lower()
    if root.content_type == "multipart/report" and kind in ("", "delivery-status"):
        return True
    if root.content_type in _STATUS_PARTS or root.first("x-failed-recipients"):
        return True
    if not weight:
        return False
    subject = fold(header.decode(root.first("subject"), 300)).lstrip(" [](){}*-!:\"'<>")
    says_so = subject.startswith(told.words.subjects) + told.announces() + (weight > 1 and told.replies())
    return weight + says_so > 2


def _from_a_system(root: mime.Part, words: BounceWords) -> int:
    """2: the sender is a mail system; 1: at least no person wrote this mail; 0: a person may have."""
    senders = [entry.value for entry in root.fields if entry.name in ("from", "sender", "x-original-from")]
    letters: list[str] = []
    for value in senders:
        boxes, _ = address.mailboxes(value[:1000])
        names = [*(box.address.rpartition("@")[0] for box in boxes if box), header.decode(value, 100).partition("@")[0]]
        letters += ["".join(letter for letter in name.lower() if letter.isalnum()) for name in names]
        if any(name.startswith(words.senders) for name in letters) or value.strip() in ("<>", "", "<@>"):
            return 2
    path = root.first("return-path").strip("<> ").partition("@")[0].lower()
    back = any(entry.name == "return-path" for entry in root.fields) and (path == "" or path.replace("-", "").startswith("mailerdaemon"))
    nobody = any(one.startswith(("noreply", "donotreply")) for one in letters)
    if back and nobody:
        return 2
    said, precedence = root.first("auto-submitted").strip().lower(), root.first("precedence").strip().lower()
    standard = root.content_type == "multipart/report" or root.first("x-failed-recipients") != ""
    return int(back or nobody or standard or said not in ("", "no") or precedence in ("bulk", "junk"))


def _from_fields(blocks: list[dict[str, str]], told: BounceText) -> tuple[ReportedRecipient, ...]:
    """The recipients of the message/delivery-status parts: the address that failed, and the one we wrote to where that is another."""
    named = []
    for fields in blocks:
        final, original = _address(fields.get("final-recipient", "")), _address(fields.get("original-recipient", ""))
        both = dict.fromkeys(one for one in (final, original) if one and ("@" in one or not (final and original)))
        if both and not ("@" in final and final.lower() == original.lower()):
            named.append((tuple(both), fields))
        elif both:
            named.append(((final,), fields))
    everybody = [one for both, _ in named for one in both]
    return tuple(one for both, fields in named[:MAX_RECIPIENTS] for one in _by_field(both, fields, told, everybody))


def _by_field(both: tuple[str, ...], fields: dict[str, str], told: BounceText, everybody: list[str]) -> Iterator[ReportedRecipient]:
    diagnostic = header.decode(fields.get("diagnostic-code", ""), 500)
    given = fields.get("status", "")
    said = _TYPE.sub("", diagnostic)
    about = told.about(both, everybody) or (told.whole() if len(everybody) == len(both) else "")
    status = status_in(said)
    if not status or status.endswith(".0.0"):
        status = next(filter(None, (status_in(given), status)), "")
    if not status or status.endswith((".0.0", "5.5.0")):
        status = status_in(about) or status
    meaning = _meaning((f"{said} {given}", about), status, told.words)
    action = header.clean(fields.get("action", "").split("(", 1)[0].split(";", 1)[0], 20).lower()
    for recipient in both:
        yield ReportedRecipient(recipient, action, status, diagnostic, meaning)


def _from_words(root: mime.Part, told: BounceText) -> Iterator[ReportedRecipient]:
    failed = [box for entry in root.fields if entry.name == "x-failed-recipients" for box in address.mailboxes(entry.value)[0]]
    named = told.recipients(tuple(box.address for box in failed if box))
    action = "delayed" if told.delays() else "failed"
    for recipient in named:
        about = told.about((recipient,), named)
        whole = told.whole() if len(named) == 1 else about
        status = status_in(about) or status_in(whole)
        meaning = _meaning((about, whole), status, told.words)
        yield ReportedRecipient(recipient, action, status, header.clean(about or whole, 500), meaning)


def _meaning(texts: tuple[str, ...], status: str, words: BounceWords) -> str:
    """What the first of these texts means that means anything. That a user is unknown has to be proven: as its answer to the mail itself a
    filter says so too. A status proves it, an answer given when the recipient was named, or what the reporting system says of itself."""
    said, meaning = next(((text, found) for text in texts if (found := words.meaning(text))), ("", ""))
    if meaning != "unknown-user" or status in HARD_STATUS or answers_the_recipient("\n".join(texts)):
        return meaning
    return meaning if says_itself(said, meaning, words) else "refused"


def _fields(octets: bytes) -> tuple[header.Field, ...]:
    try:
        return header.split(octets[:_READ].lstrip(b"\r\n"))[0]
    except header.Hostile:
        return ()


def _blocks(octets: bytes) -> Iterator[dict[str, str]]:
    """The groups of fields, which blank lines part, or the next recipient where they lack; the first of a name counts."""
    for block in re.split(rb"\r?\n[ \t]*\r?\n", octets[:_READ], maxsplit=MAX_RECIPIENTS * 2):
        group: dict[str, str] = {}
        for entry in _fields(block.strip(b"\r\n")):
            if entry.name == "final-recipient" and entry.name in group:
                yield group
                group = {}
            group.setdefault(entry.name, entry.value)
        if group:
            yield group


def _address(value: str) -> str:
    kind, separator, address = value.partition(";")
    if not separator:
        kind, address = "rfc822", value
    address = header.clean(address, 320).strip("<> ")
    if kind.strip().lower() == "utf-8":
        address = _UTF8.sub(_character, address)
    elif "@" not in address:
        address = _XTEXT.sub(_character, address)
    # what Exim piped it to is nobody's address
    return "" if address.startswith(("|", "/")) or " " in address else header.clean(address, 320)


def _character(code: re.Match[str]) -> str:
    number = int(code[1], 16)
    return chr(number) if number < 0x110000 else ""
