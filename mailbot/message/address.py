"""A mail address: read it, show it, and the key that says "the same person" (MAIL.md 2.8).

Two addresses are one person only when their keys are equal: local part NFC and ASCII-lower-cased, domain as an IDNA2008 A-label.
Nothing cleverer, because every cleverness (NFKC, case folding of Unicode, dots) is a way to be somebody else.
"""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from email.utils import parseaddr
from functools import lru_cache

import idna

from mailbot.message import header

NAME_LIMIT = 100
MAX_MAILBOXES = 2000

_ATEXT = r"-A-Za-z0-9!#$%&'*+/=?^_`{|}~"
_LOCAL = re.compile(rf"[{_ATEXT}\u00a1-\U0010ffff]+(?:\.[{_ATEXT}\u00a1-\U0010ffff]+)*")
_LABELS = re.compile(r"(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)*(?!\d+$)[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
_PIECE = re.compile(r'"(?:[^"\\]|\\.)*"?|<[^<>]*>?|[(),:;]|\\.|[^"<(),:;\\]+|\\', re.DOTALL)
_IGNORES_DOTS = ("gmail.com", "googlemail.com")

# What may stand before <address> in a From that we act on: words, quoted strings, encoded words; no @, no comment, no second <.
# One character or one quoted string at a time, so that nothing here can backtrack far.
_PLAIN = re.compile(r"""(?:"(?:[^"\\\x00-\x1f]|\\[\x20-\x7e])*"|[^\x00-\x08\x0a-\x1f\x7f"\\<>(),:;@])*<([^<>]*)>|([^\s<>"(),:;]+)""")
_PLAIN_ADDRESS = re.compile(r"[A-Za-z0-9._+'-]+@[A-Za-z0-9.-]+")


@dataclass(frozen=True, slots=True)
class Address:
    address: str        # local part as written, domain as A-label in lower case
    name: str = ""      # one safe line of at most NAME_LIMIT characters

    def __str__(self) -> str:
        return f"{self.name} <{self.address}>" if self.name else self.address

    @property
    def key(self) -> str:
        """Equal keys mean the same person, and nothing else does."""
        return key(self.address)

    @property
    def domain(self) -> str:
        return self.address.rpartition("@")[2]


def parse(text: str) -> Address | None:
    """One "Name <a@b>" or "a@b"; None when it is more than one, not plain, or not an address."""
    found, group = mailboxes(text[:2000])
    if len(found) != 1 or found[0] is None or group or "@" in found[0].name or any(char in text for char in "\r\n\0"):
        return None
    return found[0]


@lru_cache(1024)  # of one mail it is asked a dozen times
def key(address: str) -> str:
    """The canonical key of an address; "" when it is none."""
    found = valid(address)
    local, _, domain = found.rpartition("@")
    return f"{unicodedata.normalize('NFC', local).translate(_ASCII_LOWER)}@{domain}" if found else ""


def cap_key(address: str) -> str:
    """The key for rate caps, where many spellings of one mailbox count together: no +tag, no dots where the host ignores them."""
    local, _, domain = key(address).rpartition("@")
    bare = local.split("+", 1)[0] or local
    if domain in _IGNORES_DOTS:
        bare = bare.replace(".", "")
    return f"{bare}@{domain}" if bare else ""


def a_label(domain: str) -> str:
    """A domain in lower-case ASCII by IDNA2008; "" when it is none. An address literal or a number is none."""
    return _a_label(domain) if len(domain) <= 253 else ""


@lru_cache(maxsize=4096)
def _a_label(domain: str) -> str:
    lower = domain.translate(_ASCII_LOWER)
    if not lower.isascii() or "xn--" in lower:
        if any(char in "\u3002\uff0e\uff61" or _deceptive(char) for char in lower):
            return ""       # U+212A KELVIN SIGN is not the letter K, and an ideographic full stop is no dot
        try:
            lower = idna.encode(unicodedata.normalize("NFC", lower)).decode("ascii")
        except (idna.IDNAError, UnicodeError):
            return ""
    return lower if len(lower) <= 253 and _LABELS.fullmatch(lower) else ""


@lru_cache(maxsize=8)   # a mail's sender is asked for several times
def mailboxes(value: str) -> tuple[tuple[Address | None, ...], bool]:
    """Every mailbox of a raw address header, None for one that is no valid address; and whether it used group syntax.

    One pass over tokens, so no input makes it slow; comments may nest as deep as they like.
    """
    found: list[Address | None] = []
    group = False
    for words, angle, is_group in _entries(value):
        group = group or is_group
        if len(found) >= MAX_MAILBOXES:
            break
        address = valid((angle[1:].removesuffix(">") if angle is not None else "".join(words)).strip())
        found.append(Address(address, header.decode(_unquoted(words), NAME_LIMIT) if angle is not None else "") if address else None)
    return tuple(found), group


def _entries(value: str) -> Iterator[tuple[list[str], str | None, bool]]:
    """(words before the angle, the last <...>, is it a group's name) for each entry of the list."""
    words: list[str] = []
    angle: str | None = None
    depth, group = 0, False
    for piece in _PIECE.findall(value):
        if piece == "(":
            depth += 1
        elif depth:
            depth -= piece == ")"
        elif piece == ":":
            words, group = [], True
        elif piece in ",;":
            if angle is not None or "".join(words).strip():
                yield words, angle, group
            words, angle = [], None
        elif piece.startswith("<"):
            if angle is not None:       # "<a@b><c@d>": neither can be trusted, so it is no address at all
                piece = "<>"
            angle = piece
        else:
            words.append(piece)
    if angle is not None or "".join(words).strip():
        yield words, angle, group


def _unquoted(words: list[str]) -> str:
    return "".join(re.sub(r"\\(.)", r"\1", word[1:].removesuffix('"')) if word.startswith('"') else word for word in words)


def is_plain(value: str) -> bool:
    """Does this From hold one address that no two mail programs read differently? (MAIL.md AU-03 and 5.2; fails closed.)"""
    if len(value) > 998 or "\ufffd" in value:
        return False
    found = _PLAIN.fullmatch(value)
    if not found:
        return False
    address = found[1] if found[1] is not None else found[2]
    return bool(_PLAIN_ADDRESS.fullmatch(address)) and valid(address) != "" and parseaddr(value)[1] == address


def valid(address: str) -> str:
    """The address with its domain as A-label, or "" when it is not one that we accept."""
    if len(address) > 320:
        return ""
    local, at, domain = address.rpartition("@")
    if not at or len(local.encode("utf-8", "replace")) > 64 or not _LOCAL.fullmatch(local):
        return ""
    if not local.isascii() and any(_deceptive(char) for char in local):
        return ""
    ascii_domain = a_label(domain)
    return f"{local}@{ascii_domain}" if ascii_domain and len(local) + len(ascii_domain) < 254 else ""


def _deceptive(char: str) -> bool:
    """Not ASCII, but becomes it by NFC; or nothing that can be seen (spaces, controls, bidi, surrogates)."""
    return not char.isascii() and (unicodedata.normalize("NFC", char).isascii() or unicodedata.category(char)[0] in "CZ")


_ASCII_LOWER = {upper: upper + 32 for upper in range(ord("A"), ord("Z") + 1)}
