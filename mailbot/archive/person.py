"""Somebody who is to be forgotten: how an address, or other words that name the person, may stand in texts, mails and files. Pure."""

import base64
import email
import email.header
import email.policy
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import idna

from mailbot.message.address import key

_AT = r"(?:@|%40|=40|&#64;|&commat;)"
LONGEST_MAIL = 64 << 20


@dataclass(frozen=True, slots=True)
class Person:
    """`mark` takes the place of whatever names the person in a row that is somebody else's."""

    address: str
    key: str
    words: tuple[str, ...]
    mark: str


def person(address: str, also: Sequence[str], mark: str) -> Person:
    """`also`: other words that name the person and nobody else: a full name, a telephone number, a second address."""
    domain = address.rpartition("@")[2].lower()
    try:
        shown = idna.decode(domain) if "xn--" in domain else domain
    except idna.IDNAError:
        shown = domain
    spelt = (address, key(address), f"{address.rpartition('@')[0]}@{shown}")
    words = (one.strip() for one in (*spelt, *also))
    return Person(address, key(address), tuple(dict.fromkeys(word for word in words if word)), mark)


def pattern(who: Person) -> re.Pattern[str]:
    """Finds any of the words, in any case, and not as a part of another address or word."""
    spelt = "|".join(_AT.join(re.escape(part) for part in word.split("@")) for word in who.words)
    return re.compile(rf"(?<![\w.+-])(?:{spelt})(?![\w-]|\.\w)", re.IGNORECASE)


def bytes_pattern(who: Person) -> re.Pattern[bytes]:
    """The same for the bytes of a file, base64 included: three ways, by the place where a word begins."""
    plain = [_AT.encode().join(re.escape(part.encode()) for part in word.split("@")) for word in who.words]
    coded = [re.escape(one) for word in who.words for one in _in_base64(word.encode())]
    return re.compile(rb"(?<![\w.+-])(?:(?i:" + b"|".join(plain) + rb"))(?![\w-]|\.\w)|" + b"|".join(coded))


def _in_base64(word: bytes) -> list[bytes]:
    """What is sure to stand there, whatever comes before and after."""
    found = []
    for before in range(3):
        coded = base64.b64encode(b"\0" * before + word)
        found.append(coded[-(-before * 4 // 3) : len(coded) - 4])
    return found


def sql_words(who: Person) -> list[str]:
    """What a row has somewhere that may name the person; `pattern` says whether it does."""
    local = [part for word in who.words for part in ([word.rpartition("@")[0]] if "@" in word else [word])]
    asked = {text for word in local for text in (word, word.lower())}
    return sorted(asked | {json.dumps(word)[1:-1] for word in asked})


def without(value: Any, names: re.Pattern[str], mark: str) -> Any:
    """The same text or JSON, with the mark in place of every name."""
    if isinstance(value, str):
        return names.sub(mark, value)
    if isinstance(value, list):
        return [without(one, names, mark) for one in value]
    if isinstance(value, dict):
        return {without(name, names, mark): without(one, names, mark) for name, one in value.items()}
    return value


def is_named_in(mail: bytes, names: re.Pattern[str]) -> bool:
    """Does a mail name the person: in its bytes, its headers as they read, or any text in it, however it is encoded?"""
    if names.search(mail.decode("utf-8", "replace")):
        return True
    parsed = email.message_from_bytes(mail[:LONGEST_MAIL], policy=email.policy.compat32)
    for part in parsed.walk():
        if any(names.search(_readable(str(value))) for value in part.values()):
            return True
        payload = part.get_payload(decode=True)
        if isinstance(payload, bytes) and names.search(payload.decode("utf-8", "replace")):
            return True
    return False


def _readable(value: str) -> str:
    try:
        return str(email.header.make_header(email.header.decode_header(value)))
    except (ValueError, LookupError):
        return value
