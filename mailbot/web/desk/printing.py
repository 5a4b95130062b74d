"""Sets the desk's pages in the reader's language, and says to the browser what each may do: nothing from elsewhere, in nobody's frame.

Whatever a stranger wrote is text and is escaped. The HTML of our own mails alone is shown, in a frame that may run, load and send nothing.
"""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

import jinja2
from starlette.responses import HTMLResponse, Response

from mailbot import rendering
from mailbot.typography import Typography, date_in_words, moment_in_words, no_break
from mailbot.web.desk.asked import Asked, Bureau, Given, Shown, User
from mailbot.web.desk.role import Role
from mailbot.web.desk.words import LINES

FOLDER = Path(__file__).parent / "pages"
HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; img-src 'self'; frame-src 'self'; form-action 'self'; base-uri 'none'; "
        "frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Robots-Tag": "noindex",
    "Referrer-Policy": "same-origin",   # with "no-referrer" a browser would not say where a form comes from
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}
FRAMED = (
    "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:; form-action 'none'; base-uri 'none'; frame-ancestors 'self'"
)
LIVE = f"{HEADERS['Content-Security-Policy']}; script-src 'self'; connect-src 'self'"   # of the one page that has a script


class Pages:
    """The templates of pages/, filled."""

    def __init__(self, bureau: Bureau) -> None:
        self._bureau = bureau
        self._templates = jinja2.Environment(
            loader=jinja2.FileSystemLoader(FOLDER), autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
        )
        self._of_language: dict[str, jinja2.Environment] = {}   # each compiles a page once

    def page(self, asked: Asked, shown: Shown, path: str, token: str, refused: Counter[str]) -> Response:
        """A page for somebody who is logged in."""
        told = asked.query.get("told", "")
        values = {"told": told if told.startswith("done-") and told in LINES else "", "refused": refused, **shown.values}
        return self._set(asked.language, shown.template, asked.user, path, token, values, shown.status)

    def plain(
        self, language: str, why: str, status: int, *, detail: str = "", user: User | None = None, form: str = ""
    ) -> Response:
        """What was refused and why, for anybody."""
        return self._set(language, "refused", user, "", form, {"why": why, "detail": detail, "told": ""}, status)

    def outside(self, language: str, template: str, token: str, values: Mapping[str, Any], status: int = 200) -> Response:
        """A page for somebody who is not logged in yet."""
        return self._set(language, template, None, "", token, {"told": "", **values}, status)

    def piece(self, language: str, template: str, values: Mapping[str, Any]) -> str:
        """A part of a page alone."""
        return bytes(self._set(language, template, None, "", "", values, 200).body).decode()

    def given(self, given: Given) -> Response:
        """Bytes: only our own pictures, and our own mail in its frame, are looked at; everything else is kept in a file."""
        headers = {}
        if given.framed:
            headers["Content-Security-Policy"] = FRAMED
        if given.file:
            name = re.sub(r"[^A-Za-z0-9._-]+", "-", given.file).strip(".-") or "file"
            headers["Content-Disposition"] = f"attachment; filename=\"{name}\"; filename*=UTF-8''{quote(name)}"
        return Response(given.content, media_type=given.media_type, headers=headers)

    def _set(
        self, language: str, template: str, user: User | None, path: str, token: str, values: Mapping[str, Any], status: int
    ) -> Response:
        bureau, office = self._bureau, self._bureau.desk.office
        rules, words = office.words.typographies[language], bureau.words[language]

        def say(key: str, **told: Any) -> str:
            line = words.get(key)   # of what an older or newer version has written down, the word itself is better than no page
            return line.format_map({"office": office.name, **told}) if line is not None else key.partition("-")[2]

        shown = {
            "say": say, "language": language, "direction": rules.direction, "user": user, "here": path, "token": token,
            "office": office.name, "may": (lambda role: user is not None and user.may(Role(role))), "now": bureau.clock(), **values,
        }  # fmt: skip
        headers = {"Content-Security-Policy": LIVE} if template == "broadcast" else None
        return HTMLResponse(self._spoken(language).get_template(f"{template}.html.j2").render(shown), status, headers)

    def _spoken(self, language: str) -> jinja2.Environment:
        """The templates, with dates and reasons in this language."""
        if language not in self._of_language:
            local, words = self._templates.overlay(), self._bureau.reasons[language]
            dates = _dates(self._bureau.desk.office.words.typographies[language], self._bureau)
            local.filters = {**self._templates.filters, **dates, "reason": lambda word: words.get(word, word)}
            self._of_language[language] = local
        return self._of_language[language]


def _dates(rules: Typography, bureau: Bureau) -> dict[str, Any]:
    def moment(when: datetime) -> str:
        return no_break(moment_in_words(when, rules, bureau.zone), rules)

    def short(when: datetime) -> str:
        """The hour today, else the day and the hour."""
        local, today = when.astimezone(bureau.zone), bureau.clock().astimezone(bureau.zone).date()
        hour = rules.time.format(hour=str(local.hour).zfill(rules.hour_digits), minute=f"{local.minute:02}")
        return no_break(hour if local.date() == today else f"{date_in_words(local, rules)}, {hour}", rules)

    def day(when: Any) -> str:
        return date_in_words(when.astimezone(bureau.zone) if isinstance(when, datetime) else when, rules)

    def iso(when: datetime) -> str:
        return when.astimezone(bureau.zone).isoformat(timespec="minutes")

    def stamp(written: str) -> str:
        return short(datetime.fromisoformat(written))

    return {"stamp": stamp, "moment": moment, "short": short, "day": day, "iso": iso}


def words(folders: Sequence[Path], code: str, rules: Typography) -> dict[str, str]:
    """What the desk says in a language. Raises rendering.TemplateFault where a line is missing or names what there is not."""
    found = rendering.lines(folders, code, "desk.yaml")
    for key, names in LINES.items():
        try:
            found.get(key, "{missing}").format_map(dict.fromkeys((*names, "office"), ""))
        except (KeyError, IndexError, ValueError, AttributeError) as problem:
            what = f"{key}: is missing" if key not in found else f"{key}: knows {', '.join((*names, 'office'))} alone ({problem!r})"
            raise rendering.TemplateFault(f"{code}/desk.yaml", None, what) from problem
    return {key: no_break(sentence, rules) for key, sentence in found.items()}
