"""What a mail says, and in which language; then, held against the office's releases, what it wants.

What its words tell is worked out where the mail is parsed, in the process that may be killed: a stranger's text is as hostile as his MIME.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, tzinfo

from mailbot.inbox import language
from mailbot.inbox.deadline import Deadline, deadline
from mailbot.inbox.intent import Reading, read_sentences
from mailbot.inbox.learned import opinion
from mailbot.inbox.lexicon import lexicon
from mailbot.inbox.likeliest import likeliest
from mailbot.inbox.sentence import Sentence, sentences, without
from mailbot.inbox.weighing import weigh
from mailbot.inbox.wording import clauses, shape, wording
from mailbot.languages import Language
from mailbot.message.incoming import IncomingMessage
from mailbot.releases.search_index import Index


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


@dataclass(frozen=True, slots=True)
class Understood:
    """The language of a mail, its wishes, and by when they are wanted."""

    language: str
    reading: Reading
    deadline: Deadline | None = None


def take_in(message: IncomingMessage, ears: Ears, now: datetime) -> Said:
    """Pure; `now` is what "yesterday" is counted from."""
    spoken = language.detect(message.visible_text or message.subject, ears.languages, ears.default)
    book = lexicon(ears.languages)
    written = without(message.visible_text, {*ears.own_addresses, *([message.sender.address.lower()] if message.sender else [])})
    found = sentences(message.subject, written, book, spoken, now)
    reading = read_sentences(found, message.subject, message.visible_text, book, ears.known)
    return Said(spoken, found, reading, deadline(f"{message.subject}\n{message.visible_text}", book.clock, now, ears.zone))


def understand(said: Said, languages: Mapping[str, Language], index: Index, known: frozenset[str], now: datetime) -> Understood:
    """What both voices hear in it, of which one knows the releases that there are. `known`: the office's own words."""
    book, reading = lexicon(languages), said.reading
    tongue = next((tongue for tongue in book.tongues if tongue.code == said.language), None)
    model = tongue.learned() if tongue else None
    if tongue is None or model is None or not said.sentences:
        return Understood(said.language, reading, said.deadline)
    about = likeliest(said.sentences, index, known, now)
    parts = [wording(clause, book, tongue, about.marks) for sentence in said.sentences for clause in clauses(sentence)]
    heard = opinion(model, shape(said.sentences, about), parts)
    unknown = tuple(word for word in reading.unexplained_beside if tongue.stem(word) not in model.rows)
    weighed = weigh(replace(reading, unexplained_beside=unknown), heard)
    # Whoever asks later what no phrase explains, as for photos, is told all of it.
    named = _named_languages(said.sentences)
    told = replace(
        weighed, unexplained_beside=reading.unexplained_beside, wanted_language=next((code for code in named if code != said.language), ""),
        every_language=not named and not reading.had and any(sentence.has("every_language") for sentence in said.sentences),
    )  # fmt: skip
    return Understood(said.language, told, said.deadline)


def _named_languages(found: Sequence[Sentence]) -> list[str]:
    """Who names another language than the one that he writes wants that edition; `in French and in English` names none of them."""
    named = list[str]()
    for sentence in found:
        taken = {place for hit in sentence.hits if hit.concept == "every_language" for place in range(hit.start, hit.end)}
        codes = (hit for hit in sentence.hits if hit.concept.startswith("language:"))
        named += [hit.concept.partition(":")[2] for hit in codes if taken.isdisjoint(range(hit.start, hit.end))]
    return named


def own_words(addresses: Iterable[str], names: Iterable[str]) -> frozenset[str]:
    """The office's names, also as its addresses spell them: whoever writes to press@ngo.example says `NGO` of every release."""
    return frozenset(token for own in (*addresses, *names) for token in language.tokens(own))
