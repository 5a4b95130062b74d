"""An announcement in words: a release or an event as a letter in one language and format, and what stands in it for each reader.

A letter is rendered once, with marks in the place of whatever differs between readers (message/letter.py); so a list of a hundred thousand
costs no more rendering than one of four. What a reader's values are made from is kept with the delivery: every try says the same.
"""

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
LITE_OCTETS = 30_000            # of the whole mail on the wire: what a slow line carries in a few seconds
STANDARD_HTML_OCTETS = 100_000  # beyond it Gmail cuts a mail off
LIST_NAME = "press"
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
    event: Happening | None = None, test: bool = False, files: tuple[File, ...] = (),
) -> Letter:  # fmt: skip
    """The letter in this language, which is its reader's; the edition may be in another where theirs is missing (`waits_for`).

    Raises CannotWrite, rendering.TemplateFault."""
    web = bool(office.public_url)
    values: dict[str, Any] = {
        "organisation": office.values, "release": release_values(office, edition), "greeting": mark("greeting"), "why": mark("why"),
        "unsubscribe": mark("unsubscribe") if web else "", "preferences": mark("preferences") if web else "", "embargo": embargo,
        "embargo_utc": f"{embargo.astimezone(UTC):%Y-%m-%d %H:%M} UTC" if embargo else "", "waits_for": waits_for,
        "event": {"starts": event.starts, "ends": event.ends, "place": event.place} if event else None,
        "stop_word": stop_word(office, language), "test": test, "cut": False,
    }  # fmt: skip
    subject, text, html = _rendered(office, language, values, format_)
    letter = Letter(
        language=language, format=format_, edition=edition.slug, content_hash=edition.content_hash, subject=subject, text=text, html=html,
        headers=_headers(office, edition.slug), files=files, waits_for=waits_for,
    )  # fmt: skip
    if unknown := sorted(marks_of(letter) - VALUES):
        raise CannotWrite(f"The letter asks for {', '.join(unknown)}, which no reader has.")
    if len(html.encode()) > STANDARD_HTML_OCTETS:
        raise CannotWrite(f"{edition.slug} is too long for a mail: {len(html.encode()):,} octets of HTML; programs cut at 102,000.")
    return letter


def stop_word(office: Office, language: str) -> str:
    """The word by which a reply in this language leaves the list."""
    return str(office.spoken[language].replies["stop"][0])


def _rendered(office: Office, language: str, values: dict[str, Any], format_: str) -> tuple[str, str, str]:
    """Subject, text, HTML. The light one is shortened, paragraph by paragraph from the end, until it keeps its budget."""
    made = render(office.words, language, "announcement", values)
    if format_ != LITE:
        return made.subject, made.text, made.html if format_ == STANDARD else ""
    release = values["release"]
    for kept in range(len(release["paragraphs"]), -1, -1):
        shorter = values if kept == len(release["paragraphs"]) else values | {
            "cut": True, "release": {**release, "paragraphs": release["paragraphs"][:kept], "notes": (), "notes_html": ""},
        }  # fmt: skip
        made = render(office.words, language, "announcement", shorter)
        html = render_page(office.words, language, "announcement_lite", shorter | {"mail_subject": made.subject})
        if wire_octets(made.text) + wire_octets(html) <= LITE_OCTETS - 4_000:  # the rest is for header fields and the reader's own values
            break
    return made.subject, made.text, html


def _headers(office: Office, slug: str) -> tuple[tuple[str, str], ...]:
    """What a mail to a list owes (RFC 2369, 2919, 8058, 3834)."""
    write_to = f"mailto:{office.address.address}"
    leaves = f"<{mark('unsubscribe_mail')}>"
    name = clean_header((office.short_name or office.name).replace("<", "").replace(">", ""), 60)
    return (
        ("List-Id", f"{name} <{LIST_NAME}.{office.address.domain}>"),
        *((("List-Unsubscribe", f"<{mark('unsubscribe')}>, {leaves}"), ("List-Unsubscribe-Post", "List-Unsubscribe=One-Click"))
          if office.public_url else (("List-Unsubscribe", leaves),)),
        ("List-Help", f"<{write_to}?subject=help>"),
        ("List-Owner", f"<{write_to}>"),
        ("List-Post", "NO"),
        ("Auto-Submitted", "auto-generated"),
        ("X-Auto-Response-Suppress", "OOF, AutoReply"),
        ("X-Mailbot-Release", slug),
    )  # fmt: skip


class Readers:
    """Makes the values of each reader, in the office's words; what many share is rendered once."""

    def __init__(self, office: Office, secret: bytes) -> None:
        self._office, self._secret = office, secret
        self._greetings: dict[tuple[str, bool], str] = {}
        self._reasons: dict[tuple[str, str], str] = {}

    def __call__(self, to: Recipient) -> Mapping[str, str]:
        """Every value that a letter may ask for."""
        url, secret = self._office.public_url, self._secret
        return {
            "greeting": filled(self._greeting(to.language, bool(to.name)), {"name": to.name}),
            "why": self._why(to.language, to.facts.get("origin", "")),
            "unsubscribe": f"{url}/u/{list_link(secret, to.delivery)}",
            "preferences": f"{url}/p/{preferences_link(secret, to.delivery)}",
            "unsubscribe_mail": f"mailto:{self._office.address.address}?subject={quote(self._stop(to.language, to.delivery), safe='')}",
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
