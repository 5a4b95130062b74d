"""What a template may do with a value: a few of Jinja's filters, and ours for dates, names, paragraphs and addresses."""

import re
from collections.abc import Mapping
from datetime import date, datetime, tzinfo
from typing import Any
from urllib.parse import quote

from jinja2 import pass_context
from jinja2.runtime import Context
from markupsafe import Markup, escape

from mailbot.typography import Typography, date_in_words, moment_in_words, no_break, no_break_html

OF_JINJA = (
    "capitalize", "d", "default", "e", "escape", "first", "join", "last", "length", "list", "lower", "reject", "rejectattr", "replace",
    "reverse", "select", "selectattr", "sort", "string", "trim", "truncate", "unique", "upper",
)  # fmt: skip
_ADDRESS = re.compile(r"(?<![\w.+%-])[\w.+%-]{1,64}@[\w-]+(?:\.[\w-]+)+")


def filters(rules: Mapping[str, Typography], zone: tzinfo, sentences: Mapping[str, Mapping[str, str]]) -> dict[str, Any]:
    """Ours, for an office of this zone; `sentences`: by language, what stands for a word that a program knows."""
    @pass_context
    def in_words(context: Context, when: date) -> str:
        local = when.astimezone(zone) if isinstance(when, datetime) else when
        return date_in_words(local, rules[context["language"]])

    @pass_context
    def moment(context: Context, when: datetime) -> str:
        return moment_in_words(when, rules[context["language"]], zone)

    @pass_context
    def reason(context: Context, word: str) -> str:
        return sentences[context["language"]].get(word, word)

    def typeset(text: str, language: str) -> str:
        if language not in rules:
            return text
        return Markup(no_break_html(text, rules[language])) if isinstance(text, Markup) else no_break(text, rules[language])  # noqa: S704

    def direction(language: str) -> str:
        return rules[language].direction if language in rules else "auto"

    return {
        "date": in_words, "moment": moment, "reason": reason, "typeset": typeset, "direction": direction,
        "one_line": one_line, "quoted": _quoted, "paragraphs": _paragraphs, "breaks": _breaks, "mailto": _mailto, "linked": _linked,
    }  # fmt: skip


def one_line(text: str) -> str:
    """Everything on one line: for subjects, names and whatever else must not start a line of its own."""
    return " ".join(re.split(r"[ \t\n]+", text)).strip(" ")


def _quoted(text: str) -> str:
    return "\n".join(f"> {line}".rstrip() for line in text.strip().split("\n"))


def _paragraphs(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in re.split(r"\n\s*\n", text) if part.strip())


def _breaks(text: str) -> Markup:
    return Markup("<br>").join(text.split("\n"))


def _mailto(address: str, subject: str = "") -> str:
    """A link that opens a reply; the subject is what is replied to."""
    if subject and not subject.lower().startswith("re:"):
        subject = f"Re: {subject}"
    return f"mailto:{quote(address, safe='@+')}" + (f"?subject={quote(subject, safe='')}" if subject else "")


def _linked(text: str) -> Markup:
    """The text escaped, its mail addresses as links."""
    link = Markup('<a href="{}">{}</a>')
    pieces, end = [], 0
    for found in _ADDRESS.finditer(text):
        pieces += [escape(text[end : found.start()]), link.format(_mailto(found[0]), found[0])]
        end = found.end()
    return Markup("").join([*pieces, escape(text[end:])])
