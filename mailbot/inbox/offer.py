"""Which words a mail offers to be answered with: those alone that would work for this release and this reader."""

from dataclasses import dataclass

from mailbot.inbox.outcome import Variant
from mailbot.inbox.short_reply import Word, offered
from mailbot.languages import Language

# A word for what the mail already is, is no news.
_SAYS_IT = {
    Variant.TEXT: Word.TEXT, Variant.PDF: Word.PDF, Variant.PHOTOS: Word.PHOTOS, Variant.CONTACT: Word.CONTACT, Variant.HELP: Word.HELP,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Offered:
    """The word in the reader's language, and what it gives; `code`: of the edition that it asks for."""

    word: str
    gives: Word
    code: str = ""


def words_for(
    reader: Language, given: Variant, others: tuple[str, ...], *, full: bool, pdf: bool, photos: bool, contact: bool
) -> tuple[Offered, ...]:
    """`others`: the languages of the other public editions. `full`: the reader's domain vouches for him. `pdf`: this machine can print.
    `photos`: the release has some."""
    works = {
        Word.TEXT: full,     # anybody else has the text alone already
        Word.PDF: full and pdf,
        Word.PHOTOS: full and photos,
        Word.CONTACT: contact,
        Word.STOP: True,
        Word.HELP: True,
    }  # fmt: skip
    editions = [Offered(offered(reader, Word.LANGUAGE, code), Word.LANGUAGE, code) for code in others]
    plain = [Offered(offered(reader, word), word) for word, does in works.items() if does and word is not _SAYS_IT.get(given)]
    return tuple(one for one in (*editions, *plain) if one.word)
