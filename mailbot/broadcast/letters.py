"""An announcement in words: a release or an event as a letter in one language and format, and what stands in it for each reader.

A letter is rendered once, with marks in the place of whatever differs between readers (message/letter.py); so a list of a hundred thousand
costs no more rendering than one of four. What a reader's values are made from is kept with the delivery: every try says the same.
"""

import re
import unicodedata
from bisect import bisect_left
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from mailbot.audience.link import list_link, preferences_link, stop_token
from mailbot.message.letter import Letter, filled, mark, marks_of
from mailbot.message.outgoing import File, clean_header
from mailbot.office import Office, release_values
from mailbot.outbox.bulk_store import Recipient
from mailbot.releases.release import Edition
from mailbot.rendering import render, render_line, render_page, wire_octets

STANDARD, LITE, TEXT = "standard", "lite", "text"
FORMATS = (STANDARD, LITE, TEXT)
STANDARD_HTML_OCTETS = 100_000  # beyond it Gmail cuts a mail off
MAIL_OCTETS = 15_000_000        # with its files: relays refuse what has more than 20 MB once it is encoded (OUT-07)
# Of the whole mail on the wire, files aside: what a slow line carries in a few seconds. What is longer is cut, and says so.
BUDGETS = {LITE: 30_000, TEXT: 15_000}
ROOM = 5_000                    # of a budget, for header fields and the reader's own values
LIST_NAME = "press"
LONGEST_NAME = 80               # of a reader, in a greeting
_ENDS = re.compile("[\ue000\ue001]")  # of a mark: in a value they mean nothing, and show as boxes
VALUES = frozenset({"greeting", "why", "unsubscribe", "preferences", "unsubscribe_mail"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Happening:
    """What an advisory invites to."""

    starts: datetime
    ends: datetime | None = None
    place: str = ""


class CannotWrite(Exception):
    """A letter cannot be written as it is. The argument says what is wrong, and with what."""


def compose(
    office: Office, edition: Edition, *, language: str, format_: str = STANDARD, embargo: datetime | None = None, waits_for: str = "",
    event: Happening | None = None, files: tuple[File, ...] = (), kind: str = "release", reason: str = "",
) -> Letter:  # fmt: skip
    """The letter in this language, which is its reader's; the edition may be in another where theirs is missing (`waits_for`).

    `kind`: release, advisory, correction, which says that it replaces what went before, or withdrawal, which has nothing of the text.
    `reason`: why, in the office's words.
    Raises CannotWrite, rendering.TemplateFault."""
    web = bool(office.public_url)
    values: dict[str, Any] = {
        "organisation": office.values, "release": release_values(office, edition), "greeting": mark("greeting"), "why": mark("why"),
        "unsubscribe": mark("unsubscribe") if web else "", "preferences": mark("preferences") if web else "", "embargo": embargo,
        "embargo_utc": _in_utc(embargo), "waits_for": waits_for,
        "event": {"starts": event.starts, "ends": event.ends, "place": event.place} if event else None,
        "stop_word": stop_word(office, language), "cut": False, "kind": kind, "reason": reason,
    }  # fmt: skip
    subject, text, html = _rendered(office, language, values, format_)
    letter = Letter(
        language=language, format=format_, edition=edition.slug, content_hash=edition.content_hash, subject=subject, text=text, html=html,
        headers=_headers(office, edition.slug), files=files, waits_for=waits_for,
    )  # fmt: skip
    if unknown := sorted(marks_of(letter) - VALUES):
        raise CannotWrite(f"The letter asks for {', '.join(unknown)}, which no reader has.")
    if len(html.encode()) > STANDARD_HTML_OCTETS:
        raise CannotWrite(f"{edition.slug} is too long for a mail: {len(html.encode()):,} octets of HTML; many programs cut at 102,000.")
    if (octets := sum(len(file.content) for file in files)) * 4 // 3 > MAIL_OCTETS:
        raise CannotWrite(f"The files of {edition.slug} are too large for a mail: {octets:,} octets. Send a link instead.")
    return letter


def stop_word(office: Office, language: str) -> str:
    """The word by which a reply in this language leaves the list."""
    return str(office.spoken[language].replies["stop"][0])


def _rendered(office: Office, language: str, values: dict[str, Any], format_: str) -> tuple[str, str, str]:
    """Subject, text, HTML. What has a budget is shortened until it keeps it: first the notes go, then paragraphs from the end."""
    whole = values["release"]
    kept = range(len(whole["paragraphs"]) - (0 if whole["notes"] else 1), -1, -1)
    shorter = [whole, *({**whole, "notes": (), "notes_html": "", "paragraphs": whole["paragraphs"][:number]} for number in kept)]

    def made(step: int) -> tuple[str, str, str]:
        given = values | {"release": shorter[step], "cut": step > 0}
        full = render(office.words, language, "announcement", given)
        if format_ == LITE:
            light = render_page(office.words, language, "announcement_lite", given | {"mail_subject": full.subject})
            return full.subject, full.text, light
        return full.subject, full.text, full.html if format_ == STANDARD else ""

    def fits(step: int) -> bool:
        return sum(map(wire_octets, made(step)[1:])) <= BUDGETS[format_] - ROOM

    if format_ not in BUDGETS or fits(0):
        return made(0)
    step = bisect_left(range(len(shorter)), True, lo=1, key=fits)
    if step == len(shorter):
        raise CannotWrite(f"Not even the title and the contact of {whole['slug']} fit into {BUDGETS[format_]:,} octets.")
    return made(step)


def _headers(office: Office, slug: str) -> tuple[tuple[str, str], ...]:
    """What a mail to a list owes (RFC 2369, 2919, 8058, 3834)."""
    write_to = _mailto(office)
    leaves = f"<{mark('unsubscribe_mail')}>"
    return (
        ("List-Id", f"{_phrase(office.short_name or office.name)}<{LIST_NAME}.{office.address.domain}>"),
        *((("List-Unsubscribe", f"<{mark('unsubscribe')}>, {leaves}"), ("List-Unsubscribe-Post", "List-Unsubscribe=One-Click"))
          if office.public_url else (("List-Unsubscribe", leaves),)),
        ("List-Help", f"<{write_to}?subject=help>"),
        ("List-Owner", f"<{write_to}>"),
        ("List-Post", "NO"),
        ("Auto-Submitted", "auto-generated"),
        ("X-Auto-Response-Suppress", "OOF, AutoReply"),
        ("X-Mailbot-Release", slug),
    )  # fmt: skip


def _mailto(office: Office) -> str:
    return f"mailto:{quote(office.address.address, safe='@+')}"


def _phrase(name: str) -> str:
    """The name before a List-Id: quoted, in plain letters, as an encoded word would take the id with it; "" where none are left."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    plain = clean_header(re.sub(r'["\\<>]', "", plain), 60)
    return f'"{plain}" ' if plain else ""


class Readers:
    """Makes the values of each reader, in the office's words; what many share is rendered once."""

    def __init__(self, office: Office, secret: bytes) -> None:
        self._office, self._secret = office, secret
        self._greetings: dict[tuple[str, bool], str] = {}
        self._reasons: dict[tuple[str, str], str] = {}

    def __call__(self, to: Recipient) -> Mapping[str, str]:
        """Every value that a letter may ask for."""
        url, secret = self._office.public_url, self._secret
        name = _ENDS.sub("", clean_header(to.name, LONGEST_NAME))  # without what would turn the line round
        return {
            "greeting": filled(self._greeting(to.language, bool(name)), {"name": name}),
            "why": self._why(to.language, to.facts.get("origin", "")),
            "unsubscribe": f"{url}/u/{list_link(secret, to.delivery)}",
            "preferences": f"{url}/p/{preferences_link(secret, to.delivery)}",
            "unsubscribe_mail": f"{_mailto(self._office)}?subject={quote(self._stop(to.language, to.delivery), safe='')}",
        }

    def _stop(self, language: str, delivery: str) -> str:
        return f"{stop_word(self._office, language)} {stop_token(self._secret, delivery)}"

    def _greeting(self, language: str, named: bool) -> str:
        if (language, named) not in self._greetings:
            given = {"name": mark("name") if named else ""}
            self._greetings[language, named] = render_line(self._office.words, language, "greeting", given)
        return self._greetings[language, named]

    def _why(self, language: str, origin: str) -> str:
        if (language, origin) not in self._reasons:
            given = {"organisation": self._office.values, "origin": origin}
            self._reasons[language, origin] = render_line(self._office.words, language, "why", given)
        return self._reasons[language, origin]


def test_words(office: Office, language: str, embargo: datetime | None) -> tuple[str, str]:
    """What marks a mail that goes to the office alone: before its subject, and above its text. `embargo`: when it ends; None: there is
    none, or none any more."""
    values = {"embargo": embargo, "embargo_utc": _in_utc(embargo)}
    mark, line = (render_line(office.words, language, "test_mark", values | {"short": short}) for short in (True, False))
    return mark, line


def _in_utc(embargo: datetime | None) -> str:
    return f"{embargo.astimezone(UTC):%Y-%m-%d %H:%M}\u00a0UTC" if embargo else ""
