"""A release as a text for WhatsApp, which a colleague copies into a group: bold title, its beginning, a link, and how to verify it.

WhatsApp knows *bold*, _italics_, ~struck~ and ```code```. The title alone is bold; a mark in the release's own words would set half of it
in bold or italics, so those that WhatsApp would take for one have a character of no width before them.
"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from mailbot.office import Office, release_values
from mailbot.releases.release import Edition
from mailbot.rendering import render_unwrapped

MOST_CHARACTERS = 1_600  # what is read in a chat; WhatsApp itself cuts at 4,096
_MARK = re.compile(r"(?<![^\W_])[*_~`]|[*_~`](?![^\W_])")  # inside a word, as in an address, it is a letter
_WORD_JOINER = "\u2060"


def whatsapp(office: Office, edition: Edition, embargo: datetime | None) -> str:
    """The text, shortened by whole paragraphs. `embargo`: when it ends; None where it is over. Raises rendering.TemplateFault."""
    values = release_values(office, edition)
    whole = tuple(_tamed(paragraph) for paragraph in values["paragraphs"])
    for kept in range(len(whole), 0, -1):
        if len(text := _text(office, edition, values, whole[:kept], kept < len(whole), embargo)) <= MOST_CHARACTERS:
            return text
    room = max(0, MOST_CHARACTERS - len(_text(office, edition, values, (), True, embargo)) - len("\n\n…"))
    start = whole[0][:room].rpartition(" ")[0] if whole else ""
    return _text(office, edition, values, (f"{start}…",) if start else (), bool(whole), embargo)


def link_of(text: str) -> str:
    """What opens WhatsApp with the text in it."""
    return f"https://wa.me/?text={quote(text, safe='')}"


def _text(
    office: Office, edition: Edition, values: Mapping[str, Any], paragraphs: tuple[str, ...], cut: bool, embargo: datetime | None
) -> str:
    code = edition.language if edition.language in office.languages else office.own_language
    return render_unwrapped(office.words, code, "whatsapp", {
        "organisation": office.values, "release": values, "title": edition.title.replace("*", "").strip(), "paragraphs": paragraphs,
        "cut": cut, "embargo": embargo, "embargo_utc": f"{embargo.astimezone(UTC):%Y-%m-%d %H:%M}\u00a0UTC" if embargo else "",
    })  # fmt: skip


def _tamed(text: str) -> str:
    return _MARK.sub(lambda mark: f"{_WORD_JOINER}{mark[0]}", text)
