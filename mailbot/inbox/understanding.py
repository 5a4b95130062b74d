"""What a mail says, and in which language: all that its words tell without the office's releases.

It is worked out where the mail is parsed, in the process that may be killed: a stranger's text is as hostile as his MIME.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, tzinfo

from mailbot.inbox import language
from mailbot.inbox.deadline import Deadline, deadline
from mailbot.inbox.intent import Reading, read_sentences
from mailbot.inbox.learned import opinion
from mailbot.inbox.lexicon import lexicon
from mailbot.inbox.sentence import Sentence, sentences, without
from mailbot.inbox.weighing import weigh
from mailbot.inbox.wording import clauses, shape, wording
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
class Understood:
    """The language of a mail, its wishes, and by when they are wanted."""

    language: str
    reading: Reading
    deadline: Deadline | None = None


def understand(message: IncomingMessage, ears: Ears, now: datetime) -> Understood:
    """Pure; `now` is what "yesterday" is counted from."""
    spoken = language.detect(message.visible_text or message.subject, ears.languages, ears.default)
    book = lexicon(ears.languages)
    written = without(message.visible_text, {*ears.own_addresses, *([message.sender.address.lower()] if message.sender else [])})
    found = sentences(message.subject, written, book, spoken, now)
    reading = read_sentences(found, message.subject, message.visible_text, book, ears.known)
    wanted_by = deadline(f"{message.subject}\n{message.visible_text}", book.clock, now, ears.zone)
    tongue = next((tongue for tongue in book.tongues if tongue.code == spoken), None)
    model = tongue.learned() if tongue else None
    if tongue is None or model is None or not found:
        return Understood(spoken, reading, wanted_by)
    heard = opinion(model, shape(found), [wording(clause, book, tongue) for sentence in found for clause in clauses(sentence)])
    unknown = tuple(word for word in reading.unexplained_beside if tongue.stem(word) not in model.rows)
    weighed = weigh(replace(reading, unexplained_beside=unknown), heard)
    # Whoever asks later what no phrase explains, as for photos, is told all of it.
    told = replace(weighed, unexplained_beside=reading.unexplained_beside, wanted_language=_other_language(found, spoken))
    return Understood(spoken, told, wanted_by)


def _other_language(found: Sequence[Sentence], spoken: str) -> str:
    """Who names another language than the one that he writes wants that edition."""
    named = (hit.concept.partition(":")[2] for sentence in found for hit in sentence.hits if hit.concept.startswith("language:"))
    return next((code for code in named if code != spoken), "")


def own_words(addresses: Iterable[str], names: Iterable[str]) -> frozenset[str]:
    """The office's names, also as its addresses spell them: whoever writes to press@ngo.example says `NGO` of every release."""
    return frozenset(token for own in (*addresses, *names) for token in language.tokens(own))
