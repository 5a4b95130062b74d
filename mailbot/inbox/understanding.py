"""What a mail says, and in which language: all that its words tell without the office's releases.

It is worked out where the mail is parsed, in the process that may be killed: a stranger's text is as hostile as his MIME.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from mailbot.inbox import language
from mailbot.inbox.intent import Reading, read
from mailbot.inbox.lexicon import lexicon
from mailbot.languages import Language
from mailbot.message.incoming import IncomingMessage


@dataclass(frozen=True, slots=True)
class Ears:
    """Whose office listens: its languages, the one that it takes a short mail to be in, and the words that are its own names."""

    languages: Mapping[str, Language]
    default: str
    known: frozenset[str]


@dataclass(frozen=True, slots=True)
class Understood:
    """The language of a mail, and its wishes."""

    language: str
    reading: Reading


def understand(message: IncomingMessage, ears: Ears, now: datetime) -> Understood:
    """Pure; `now` is what "yesterday" is counted from."""
    spoken = language.detect(message.visible_text or message.subject, ears.languages, ears.default)
    return Understood(spoken, read(message.subject, message.visible_text, lexicon(ears.languages), spoken, now, ears.known))


def own_words(addresses: Iterable[str], names: Iterable[str]) -> frozenset[str]:
    """The office's names, also as its addresses spell them: whoever writes to press@ngo.example says `NGO` of every release."""
    return frozenset(token for own in (*addresses, *names) for token in language.tokens(own))
