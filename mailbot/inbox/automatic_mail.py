"""Is this from a machine? A machine is never answered, and a person is never dropped (RFC 3834, RFC 5230, MS-OXCMAIL).

Three verdicts. MACHINE is said only where a header states it or where no person can be behind it: the mail is filed.
DOUBTFUL is everything that must not be answered and may still be a person: lists relay people's mail, and Microsoft 365
stamps forwarded mail of people `auto-forwarded`; a colleague looks. PERSON is the rest. The first sign in the order of
certainty decides; header fields may come from anybody, so that none of them makes a mail *more* answerable.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from functools import cache, lru_cache

from mailbot import mail_programs
from mailbot.inbox.language import fold
from mailbot.message import address
from mailbot.message.incoming import IncomingMessage

MOST_HOPS = 50
SPAM_LEVEL = 5  # Exchange's spam confidence level from which it would file the mail as junk


class Verdict(StrEnum):
    """MACHINE: file it. DOUBTFUL: a colleague looks, nothing is answered. PERSON: go on."""

    MACHINE = "machine"
    DOUBTFUL = "doubtful"
    PERSON = "person"


class Sign(StrEnum):
    """What gave it away, the surest first. Those before NULL_SENDER are certain."""

    OWN_MAIL = "own-mail"
    AUTO_SUBMITTED = "auto-submitted"
    REPORT = "report-by-a-machine"
    READ_RECEIPT = "read-receipt"
    CALENDAR_REPLY = "calendar-reply"
    AUTO_REPLY_HEADER = "auto-reply-header"
    PRECEDENCE_AUTO_REPLY = "precedence-auto-reply"
    DAEMON = "daemon-sender"
    NO_REPLY_SENDER = "no-reply-sender"
    NEWSLETTER = "newsletter"
    AUTOMATIC_SUBJECT = "automatic-subject"
    NULL_SENDER = "null-return-path"
    OWN_ADDRESS_FORM = "form-from-own-address"
    NO_REPLY_FORM = "form-from-no-reply"
    AUTO_FORWARDED = "auto-forwarded"
    AUTO_SUBMITTED_UNCLEAR = "auto-submitted-unclear"
    MAILING_LIST = "mailing-list"
    PRECEDENCE = "precedence-bulk"
    LIST_SENDER = "list-sender"
    POSTMASTER = "postmaster"
    CALENDAR = "calendar"
    REPLIES_SUPPRESSED = "replies-suppressed"
    TOO_MANY_HOPS = "too-many-hops"
    SPAM_FLAGGED = "spam-flagged"
    AUTOMATIC_TEXT = "automatic-text"
    NOT_ADDRESSED = "not-addressed-to-us"


# What is made by a program, as far as anybody can tell, and so is shown as `automatic`; the other doubtful ones may well be people.
MADE_BY_A_PROGRAM = frozenset(
    {Sign.NULL_SENDER, Sign.AUTO_SUBMITTED_UNCLEAR, Sign.MAILING_LIST, Sign.PRECEDENCE, Sign.LIST_SENDER, Sign.AUTOMATIC_TEXT}
)
_CERTAIN = frozenset(list(Sign)[: list(Sign).index(Sign.NULL_SENDER)])
_ORDER = {sign: place for place, sign in enumerate(Sign)}


@dataclass(frozen=True, slots=True)
class Own:
    """Who we are: the keys of our addresses, whether our own token stands in the Message-ID, and the phrases of automatic texts."""

    addresses: frozenset[str] = frozenset()
    message: bool = False
    subject_phrases: tuple[str, ...] = ()
    text_phrases: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Judgement:
    """The verdict, the sign that decided (None: a person) and the header or words that showed it."""

    verdict: Verdict
    sign: Sign | None
    evidence: str = ""


def judge(message: IncomingMessage, own: Own) -> Judgement:
    """The surest sign decides."""
    found = min(_signs(message, own), key=lambda seen: _ORDER[seen[0]], default=None)
    if found is None:
        return Judgement(Verdict.PERSON, None)
    return Judgement(Verdict.MACHINE if found[0] in _CERTAIN else Verdict.DOUBTFUL, found[0], found[1])


def _signs(message: IncomingMessage, own: Own) -> Iterator[tuple[Sign, str]]:
    hops = 0
    lists: set[str] = set()
    for name, value in message.headers:
        hops += name == "received"
        if name.startswith("list-") or name == "feedback-id":
            lists.add(name if value.strip().lower() != "no" else f"{name}: no")
        rule = _BY_HEADER.get(name)
        sign = rule(value) if rule else None
        if sign:
            yield sign, f"{name}: {value[:80]}"
    if hops > MOST_HOPS:
        yield Sign.TOO_MANY_HOPS, f"received: {hops}"
    yield from _by_lists(message, lists)
    yield from _by_form(message)
    yield from _by_sender(message, own)
    yield from _by_words(message, own)
    if own.addresses and not any(_own(recipient, own) for recipient in message.recipients):
        yield Sign.NOT_ADDRESSED, "to"


def uncommented(value: str) -> str:
    """A header value without its (comments), which nest and may hold quoted brackets; linear in its length."""
    depth, kept, escaped = 0, [], False
    for letter in value[:2000]:
        if escaped:
            escaped = False
        elif letter == "\\" and depth:
            escaped = True
        elif letter == "(":
            depth += 1
        elif letter == ")" and depth:
            depth -= 1
        elif not depth:
            kept.append(letter)
    return "".join(kept)


def _auto_submitted(value: str) -> Sign | None:
    """RFC 3834 section 5: the keyword alone counts, whatever comments and parameters stand around it."""
    keyword = uncommented(value).partition(";")[0].strip().lower()
    if keyword == "no":
        return None
    if keyword in ("auto-replied", "auto-generated", "auto-notified"):
        return Sign.AUTO_SUBMITTED
    return Sign.AUTO_FORWARDED if keyword == "auto-forwarded" else Sign.AUTO_SUBMITTED_UNCLEAR


def _precedence(value: str) -> Sign | None:
    word = uncommented(value).strip().lower()
    if word in ("auto_reply", "auto-reply"):
        return Sign.PRECEDENCE_AUTO_REPLY
    return Sign.PRECEDENCE if word in ("bulk", "junk", "list") else None


def _suppressed(value: str) -> Sign | None:
    """Only these two tokens speak of replies like ours; and they say `do not reply`, not `nobody wrote this`."""
    return Sign.REPLIES_SUPPRESSED if {"autoreply", "all"} & {part.strip().lower() for part in value[:200].split(",")} else None


def _said(value: str) -> Sign | None:
    return Sign.AUTO_REPLY_HEADER if value.strip().lower() not in ("", "no", "false", "0") else None


def _flagged(value: str) -> Sign | None:
    return Sign.SPAM_FLAGGED if value.strip().lower().startswith("yes") else None


def _level(value: str) -> Sign | None:
    number = re.match(r"\s*(\d{1,2})\b", value)
    return Sign.SPAM_FLAGGED if number and int(number[1]) >= SPAM_LEVEL else None


def _forefront(value: str) -> Sign | None:
    level = re.search(r"(?:^|;)\s*SCL:([^;]{1,4})", value[:2000])
    return _level(level[1]) if level else None


_BY_HEADER: dict[str, Callable[[str], Sign | None]] = {
    "auto-submitted": _auto_submitted,
    "precedence": _precedence,
    "x-precedence": _precedence,
    "x-auto-response-suppress": _suppressed,
    "x-autoreply": _said,
    "x-autorespond": _said,
    "x-autoresponder": _said,
    "x-auto-reply": _said,
    "x-mail-autoreply": _said,
    "x-autogenerated": lambda value: Sign.AUTO_REPLY_HEADER if value.strip().lower() in ("reply", "bounce") else None,
    "x-mailbot-release": lambda value: Sign.AUTO_REPLY_HEADER,
    "x-failed-recipients": lambda value: Sign.REPORT,
    "x-spam-flag": _flagged,
    "x-ms-exchange-organization-scl": _level,
    "x-forefront-antispam-report": _forefront,
}


def _by_lists(message: IncomingMessage, lists: set[str]) -> Iterator[tuple[Sign, str]]:
    """A newsletter says how to leave and takes no posts; whatever else comes over a list may be a person's."""
    names = {name for name in lists if name.startswith("list-")}
    bulk = "list-unsubscribe-post" in lists or "feedback-id" in lists or _precedence(message.header("precedence") or "") is Sign.PRECEDENCE
    if "list-unsubscribe" in names and "list-post" not in names and bulk:
        yield Sign.NEWSLETTER, "list-unsubscribe"
    elif names:
        yield Sign.MAILING_LIST, min(names)


def _by_form(message: IncomingMessage) -> Iterator[tuple[Sign, str]]:
    if message.report_type == "disposition-notification" or message.content_type == "message/disposition-notification":
        yield Sign.READ_RECEIPT, message.content_type
    elif message.content_type in ("multipart/report", "message/delivery-status", "message/feedback-report"):
        yield Sign.REPORT, message.content_type
    elif message.content_type == "text/calendar":
        method = re.search(r"method\s*=\s*\"?([a-z-]+)", (message.header("content-type") or "")[:500], re.IGNORECASE)
        answered = method is not None and method[1].lower() in ("reply", "counter", "refresh")
        yield (Sign.CALENDAR_REPLY if answered else Sign.CALENDAR), message.content_type
    elif any(attached.content_type == "text/calendar" for attached in message.attachments):
        yield Sign.CALENDAR, "text/calendar"


_DAEMON = re.compile(r"(?:mailer[-_.]?daemon|listserv|majordomo|mdaemon)(?:[-_.+].*)?")
_NO_REPLY = re.compile(r"(?:.*[-_.+])?(?:no|not|donot|do-not|do_not|do\.not|ne-pas|nepas)[-_.]?(?:reply|respond|repondre)(?:[-_.+].*)?")
_OF_A_LIST = re.compile(r"owner-.+|.+-(?:owner|request|bounces)(?:[+].*)?|bounces?(?:[-_.+].*)?")


def _by_sender(message: IncomingMessage, own: Own) -> Iterator[tuple[Sign, str]]:
    if message.return_path == "":
        yield Sign.NULL_SENDER, "return-path: <>"
    if own.message:
        yield Sign.OWN_MAIL, f"message-id: {message.message_id}"
    for sender in message.from_:
        local = sender.address.rpartition("@")[0].lower()
        form = _answers_elsewhere(message, sender.key, own)
        if _own(sender.key, own):
            yield (Sign.OWN_ADDRESS_FORM if form else Sign.OWN_MAIL), f"from: {sender.address}"
        if _DAEMON.fullmatch(local):
            yield Sign.DAEMON, f"from: {sender.address}"
        elif _NO_REPLY.fullmatch(local):
            yield (Sign.NO_REPLY_FORM if form else Sign.NO_REPLY_SENDER), f"from: {sender.address}"
        elif local == "postmaster":
            yield Sign.POSTMASTER, f"from: {sender.address}"
        elif _OF_A_LIST.fullmatch(local):
            yield Sign.LIST_SENDER, f"from: {sender.address}"
    if any(_own(value.strip().strip("<>"), own) for value in message.all("x-loop")):
        yield Sign.OWN_MAIL, "x-loop"


def _answers_elsewhere(message: IncomingMessage, sender: str, own: Own) -> bool:
    """A form on a web site writes as nobody and names the person in Reply-To: that person wrote."""
    named = address.parse(message.header("reply-to") or "")
    if named is None or named.key == sender or _own(named.key, own):
        return False
    return not _NO_REPLY.fullmatch(named.address.rpartition("@")[0].lower())


def _own(key: str, own: Own) -> bool:
    """Ours, with or without a +tag."""
    if not own.addresses:
        return False
    local, _, domain = key.rpartition("@")
    return key in own.addresses or f"{local.partition('+')[0]}@{domain}" in own.addresses


_APART = re.compile(r"[\W_]+")


def words_of(text: str) -> str:
    """Folded words with single spaces around each, so that a phrase is found by `in`."""
    return f" {_APART.sub(' ', fold(text)).strip()} "


_SUBJECT_HEAD = re.compile(r"[:：\[(–—]| - ")


@dataclass(frozen=True, slots=True)
class _Machines:
    """The phrases of answering machines in languages without a folder, between spaces."""

    subject: tuple[str, ...]
    perhaps: tuple[str, ...]
    text: tuple[str, ...]


@cache
def _machines() -> _Machines:
    def phrases(given: Iterable[str]) -> tuple[str, ...]:
        return tuple(dict.fromkeys(words_of(phrase) for phrase in given))

    given = mail_programs.shipped()
    return _Machines(phrases(given.automatic_subject), phrases(given.perhaps_subject), phrases(given.automatic_text))


def _by_words(message: IncomingMessage, own: Own) -> Iterator[tuple[Sign, str]]:
    """Answering machines without a header say in their first lines what they are. Only a subject that says nothing else is certain:
    `Out of office: ...` is a machine's, `Automatic replies to data requests` a person's."""
    head, subject = words_of(_SUBJECT_HEAD.split(message.subject[:200], maxsplit=1)[0]), words_of(message.subject[:200])
    opening = words_of(message.visible_text[:600])
    known = _machines()
    subjects = own.subject_phrases + known.subject
    if head in subjects:
        yield Sign.AUTOMATIC_SUBJECT, head.strip()
    elif subject.startswith(subjects):
        yield Sign.AUTOMATIC_TEXT, next(phrase for phrase in subjects if subject.startswith(phrase)).strip()
    if head in known.perhaps:
        yield Sign.AUTOMATIC_TEXT, head.strip()
    for phrases in (_by_first_word(own.text_phrases), _by_first_word(known.text)):
        for word in dict.fromkeys(opening.split()):
            yield from ((Sign.AUTOMATIC_TEXT, phrase.strip()) for phrase in phrases.get(word, ()) if phrase in opening)


@lru_cache(maxsize=8)
def _by_first_word(phrases: tuple[str, ...]) -> dict[str, tuple[str, ...]]:
    """Hundreds of phrases, of which a text can hold those alone whose first word it has."""
    found: dict[str, tuple[str, ...]] = {}
    for phrase in phrases:
        first = next(iter(phrase.split()), "")
        found[first] = (*found.get(first, ()), phrase)
    return found
