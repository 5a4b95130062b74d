"""What a mail says by its phrases, and in which language: all that its words tell without the office's releases.

It is worked out where the mail is parsed, in the process that may be killed: a stranger's text is as hostile as his MIME.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo

from mailbot.inbox import language
from mailbot.inbox.deadline import Deadline, deadline
from mailbot.inbox.intent import Reading, read_sentences
from mailbot.inbox.lexicon import lexicon
from mailbot.inbox.sentence import Sentence, sentences, without
from mailbot.languages import Language
from mailbot.message.incoming import IncomingMessage


@dataclass(frozen=True, slots=True)
class Ears:
    """Whose office listens: its languages, the one that it takes a short mail to be in, the words that are its own names, its time, and the
    keys of its addresses."""

    languages: Mapping[str, Language]
    default: str
    known: frozenset[str]
    zone: tzinfo = UTC    # the office's: a deadline without a zone is in it
    own_addresses: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Said:
    """The sentences of a mail in their language, what the phrases hear in them, and by when it is wanted."""

    language: str
    sentences: tuple[Sentence, ...]
    reading: Reading
    deadline: Deadline | None


def take_in(message: IncomingMessage, ears: Ears, now: datetime) -> Said:
    """Pure; `now` is what "yesterday" is counted from."""
    spoken = language.detect(message.visible_text or message.subject, ears.languages, ears.default)
    book = lexicon(ears.languages)
    written = without(message.visible_text, {*ears.own_addresses, *([message.sender.address.lower()] if message.sender else [])})
    found = sentences(message.subject, written, book, spoken, now)
    reading = read_sentences(found, message.subject, message.visible_text, book, ears.known)
    return Said(spoken, found, reading, deadline(f"{message.subject}\n{message.visible_text}", book.clock, now, ears.zone))


def own_words(addresses: Iterable[str], names: Iterable[str]) -> frozenset[str]:
    """The office's names, also as its addresses spell them: whoever writes to press@ngo.example says `NGO` of every release."""
    return frozenset(token for own in (*addresses, *names) for token in language.tokens(own))
