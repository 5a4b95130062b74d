"""Did the sender's domain stand behind this mail? What our own mail server wrote about it, and nothing else (MAIL.md 2.5).

Anyone can write an Authentication-Results field into a mail. Only the topmost one counts, and only when it carries the id of our own
server (Exchange Online writes none: then the setting says "topmost"). What it says must be about the very address that we would
answer. Anything odd, unclear or doubled is no pass.
"""

import re
from collections.abc import Iterator
from enum import StrEnum

from mailbot.message import address
from mailbot.message.incoming import IncomingMessage, Unreadable

TOPMOST = "topmost"
_MAX = 20_000       # characters of the field

# RFC 8601 2.2, after comments are gone: a token or a quoted string for every value.
_VALUE = r'(?:"(?:[^"\\]|\\.)*"|[^\s;="]+)'
_SERVER = re.compile(rf"\s*({_VALUE})(?:\s+\d+)?\s*")
_RESULT = re.compile(rf"\s*([A-Za-z][A-Za-z0-9-]*)(?:\s*/\s*\d+)?\s*=\s*([A-Za-z]+)((?:\s+[A-Za-z][A-Za-z0-9.-]*\s*=\s*{_VALUE})*)\s*")
_PROPERTY = re.compile(rf"\s+([A-Za-z][A-Za-z0-9.-]*)\s*=\s*({_VALUE})")


class Authentication(StrEnum):
    PASS = "pass"               # noqa: S105, no password: DMARC of the one From domain passed
    NONE = "none"               # nobody whom we believe said anything
    FAIL = "fail"               # the domain disowns the mail, or the mail is built to look like two senders
    TEMPERROR = "temperror"     # could not be checked just now


def authentication(message: IncomingMessage | Unreadable, authserv_id: str) -> Authentication:
    """DMARC of the From domain, as our own border server (authserv_id) found it; nobody vouches for a mail that cannot be read."""
    if isinstance(message, Unreadable):
        return Authentication.NONE
    fields = message.all("authentication-results")
    if not authserv_id or not fields or len(fields[0]) > _MAX:
        return Authentication.NONE
    results = _dmarc_results(fields[0], authserv_id)
    if len(results) != 1:
        return Authentication.NONE      # two verdicts are none: which From was each about?
    result, domains = results[0]
    if result == "temperror":
        return Authentication.TEMPERROR
    if result == "fail":
        return Authentication.FAIL
    if result != "pass":
        return Authentication.NONE
    if message.sender is None or (domains and domains != [message.sender.domain]):
        return Authentication.FAIL
    return Authentication.PASS if domains and message.from_plain else Authentication.NONE


def _dmarc_results(value: str, authserv_id: str) -> list[tuple[str, list[str]]]:
    """(result, every header.from domain) for each dmarc entry, where our server wrote this field; else none."""
    text = _without_comments(value)
    if text is None:
        return []
    entries = list(_split(text))
    if entries and _RESULT.fullmatch(entries[0]):       # no id: Exchange Online
        given = ""
    else:
        server = _SERVER.fullmatch(entries.pop(0)) if entries else None
        if server is None:
            return []
        given = _unquoted(server[1]).lower()
    if authserv_id != TOPMOST and given != authserv_id.lower():
        return []
    found = []
    for entry in entries:
        result = _RESULT.fullmatch(entry)
        if result is None:
            if entry.strip().lower() in ("", "none"):
                continue
            if re.match(r"\s*dmarc\b", entry, re.IGNORECASE):
                return []       # a verdict that we cannot read word for word is none
            continue
        if result[1].lower() == "dmarc":
            properties = [(name.lower(), _unquoted(given)) for name, given in _PROPERTY.findall(result[3])]
            domains = [address.a_label(given.rpartition("@")[2].rstrip(".")) for name, given in properties if name == "header.from"]
            found.append((result[2].lower(), domains))
    return found


def _without_comments(value: str) -> str | None:
    """The field with every comment as one space; None when a comment or a quoted string does not end."""
    out: list[str] = []
    depth, quoted = 0, False
    for piece in re.findall(r'\\.|[()"]|[^\\()"]+|\\', value, re.DOTALL):
        if piece == '"' and not depth:
            quoted = not quoted
        elif piece == "(" and not quoted:
            depth += 1
            continue
        elif piece == ")" and not quoted:
            depth -= 1
            if depth < 0:
                return None
            out.append(" ")
            continue
        if not depth:
            out.append(piece)
    return None if depth or quoted else "".join(out)


def _split(text: str) -> Iterator[str]:
    """The entries between semicolons outside quoted strings."""
    start, quoted = 0, False
    for mark in re.finditer(r'\\.|[";]', text, re.DOTALL):
        if mark[0] == '"':
            quoted = not quoted
        elif mark[0] == ";" and not quoted:
            yield text[start:mark.start()]
            start = mark.end()
    yield text[start:]


def _unquoted(value: str) -> str:
    return re.sub(r"\\(.)", r"\1", value[1:-1]) if value.startswith('"') else value
