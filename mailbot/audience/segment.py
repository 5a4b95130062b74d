"""A part of the press list, said in a line: `language = fr and (medium = radio or place = "Gao") and not topic = sport`.

A filter is read once into a tree of frozen values; the store asks the database with it. A word that is no field, or a place where the
sentence breaks, is told with its position, before anything is chosen.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

FIELDS = ("language", "medium", "outlet", "beat", "place", "format", "origin", "name", "email", "domain", "topic")
LONGEST = 2_000
DEEPEST = 20
_TOKEN = re.compile(r"""\s*(?:(?P<sign>!=|=|\(|\)|,)|"(?P<quoted>[^"]*)"|(?P<word>[^\s=!(),"]+))""")
_JOINING = frozenset({"and", "or", "not", "in", "et", "ou", "non", "dans"})
_AND, _OR, _NOT, _IN = frozenset({"and", "et"}), frozenset({"or", "ou"}), frozenset({"not", "non"}), frozenset({"in", "dans"})


class FilterFault(ValueError):
    """A filter that cannot be read. The argument says where, and what was expected."""


@dataclass(frozen=True, slots=True)
class Is:
    """The field has one of these values, whatever their case."""

    field: str
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Not:
    """Whom the filter does not choose."""

    of: "Filter"


@dataclass(frozen=True, slots=True)
class Both:
    """Whom both choose."""

    one: "Filter"
    other: "Filter"


@dataclass(frozen=True, slots=True)
class Either:
    """Whom one of them chooses."""

    one: "Filter"
    other: "Filter"


Filter = Is | Not | Both | Either


@dataclass(frozen=True, slots=True)
class Segment:
    """A filter with a name. `early`: its people may have what is under embargo."""

    name: str
    filter: str
    early: bool


@dataclass(frozen=True, slots=True)
class _Token:
    text: str
    at: int
    quoted: bool = False

    def is_one_of(self, words: frozenset[str]) -> bool:
        return not self.quoted and self.text.lower() in words


def parse(text: str) -> Filter:
    """Raises FilterFault."""
    if len(text) > LONGEST:
        raise FilterFault(f"The filter has more than {LONGEST} characters.")
    reader = _Reader(tuple(_tokens(text)), len(text))
    found = reader.either(0)
    reader.end()
    return found


def _tokens(text: str) -> Iterator[_Token]:
    place = 0
    while text[place:].strip():
        found = _TOKEN.match(text, place)
        if found is None:
            raise FilterFault(f"The filter breaks at character {place + 1}: {text[place : place + 20]!r}.")
        name = found.lastgroup or "word"
        yield _Token(found[name], found.start(name), name == "quoted")
        place = found.end()


class _Reader:
    """Goes through the words once, from the loosest bond to the closest."""

    def __init__(self, tokens: tuple[_Token, ...], length: int) -> None:
        self._tokens, self._place, self._length = tokens, 0, length

    def either(self, depth: int) -> Filter:
        if depth > DEEPEST:
            raise FilterFault(f"The filter has more than {DEEPEST} parentheses in each other.")
        found = self._both(depth)
        while self._takes(_OR):
            found = Either(found, self._both(depth))
        return found

    def _both(self, depth: int) -> Filter:
        found = self._single(depth)
        while self._takes(_AND):
            found = Both(found, self._single(depth))
        return found

    def _single(self, depth: int) -> Filter:
        if self._takes(_NOT):
            return Not(self._single(depth + 1)) if depth < DEEPEST else self.either(depth + 1)
        if self._takes(frozenset("(")):
            found = self.either(depth + 1)
            self._demand(frozenset(")"), "a closing parenthesis")
            return found
        return self._compared()

    def _compared(self) -> Filter:
        token = self._next(f"a field ({', '.join(FIELDS)})")
        field = token.text.lower()
        if token.quoted or field not in FIELDS:
            raise FilterFault(f"{token.text!r} at character {token.at + 1} is no field. Fields are: {', '.join(FIELDS)}.")
        if self._takes(frozenset({"!="})):
            return Not(Is(field, (self._value(),)))
        if self._takes(_IN):
            self._demand(frozenset("("), "an opening parenthesis")
            values = [self._value()]
            while self._takes(frozenset(",")):
                values.append(self._value())
            self._demand(frozenset(")"), "a closing parenthesis")
            return Is(field, tuple(values))
        self._demand(frozenset("="), "=, != or in")
        return Is(field, (self._value(),))

    def _value(self) -> str:
        """Several words without quotes are one value: `place = Nioro du Sahel`."""
        token = self._next("a value")
        if not token.quoted and (token.text in ("=", "!=", "(", ")", ",") or token.text.lower() in _JOINING):
            raise FilterFault(f"{token.text!r} at character {token.at + 1}, where a value was expected. Put it in quotes if it is one.")
        words = [token.text]
        while not token.quoted and self._place < len(self._tokens):
            following = self._tokens[self._place]
            if following.quoted or following.text in ("=", "!=", "(", ")", ",") or following.text.lower() in _JOINING:
                break
            words.append(following.text)
            self._place += 1
        return " ".join(words)

    def _takes(self, words: frozenset[str]) -> bool:
        taken = self._place < len(self._tokens) and self._tokens[self._place].is_one_of(words)
        self._place += taken
        return taken

    def _next(self, expected: str) -> _Token:
        if self._place >= len(self._tokens):
            raise FilterFault(f"The filter ends at character {self._length}, where {expected} was expected.")
        self._place += 1
        return self._tokens[self._place - 1]

    def _demand(self, words: frozenset[str], expected: str) -> None:
        token = self._next(expected)
        if not token.is_one_of(words):
            raise FilterFault(f"{token.text!r} at character {token.at + 1}, where {expected} was expected.")

    def end(self) -> None:
        if self._place < len(self._tokens):
            token = self._tokens[self._place]
            raise FilterFault(f"{token.text!r} at character {token.at + 1}, where `and`, `or` or the end was expected.")
