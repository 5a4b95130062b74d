"""What a mail wants: its phrases and what was learned, held against the office's releases."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from mailbot.inbox.deadline import Deadline
from mailbot.inbox.intent import Reading
from mailbot.inbox.learned import opinion
from mailbot.inbox.lexicon import lexicon
from mailbot.inbox.likeliest import likeliest
from mailbot.inbox.said import Said
from mailbot.inbox.sentence import Sentence
from mailbot.inbox.weighing import weigh
from mailbot.inbox.wording import clauses, shape, wording
from mailbot.languages import Language
from mailbot.releases.search_index import Index


@dataclass(frozen=True, slots=True)
class Understood:
    """The language of a mail, its wishes, and by when they are wanted."""

    language: str
    reading: Reading
    deadline: Deadline | None = None


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
