"""The yearly report as one HTML file, for a screen, a telephone and paper: nothing is loaded from anywhere, and nothing runs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import jinja2

from mailbot import rendering
from mailbot.typography import NO_BREAK_SPACE, Typography, date_in_words, no_break

PAGES = Path(__file__).parent / "pages"
NARROW = "\u202f"
LINES = (
    "title", "made", "foot", "none", "requests", "by_mailbot", "by_colleague", "closed_without_answer", "unanswered", "median", "deadlines",
    "missed", "releases", "published", "language", "answers", "announcements", "reach", "medium", "medium-note",
    "medium-radio", "medium-tv", "medium-press", "medium-web", "medium-agency", "without-release", "without-release-total",
    "word", "times", "words-note", "no-words", "thousands", "second", "minute", "hour", "day",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Voice:
    """The language that a report is written in. `names`: of the languages that are spoken of, in it."""

    code: str
    lines: Mapping[str, str]
    names: Mapping[str, str]
    rules: Typography


def words(folders: Sequence[Path], code: str) -> dict[str, str]:
    """The lines of templates/<language>/report.yaml. Raises rendering.TemplateFault where one is missing."""
    found = rendering.lines(folders, code, "report.yaml")
    if lacking := [key for key in LINES if key not in found]:
        raise rendering.TemplateFault(f"{code}/report.yaml", None, f"{lacking[0]}: is missing")
    return found


def page(found: Mapping[str, Any], office: str, made_on: date, voice: Voice) -> str:
    """The report. `found`: year.figures."""
    said = {key: no_break(line.format_map({"year": found["year"], "name": office}), voice.rules) for key, line in voice.lines.items()}
    requests = found["requests"]
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(PAGES), autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters["number"] = lambda number: _number(number, voice)
    shares = ("by_mailbot", "by_colleague", "closed_without_answer", "unanswered")
    reach = [
        {"language": _name(code, voice), "answers": of.get("answer", 0), "announcements": of.get("broadcast", 0),
         "requests": requests["by_language"].get(code, 0), "published": found["releases"]["by_language"].get(code, 0)}
        for code in sorted({*found["reach"]["by_language"], *requests["by_language"], *found["releases"]["by_language"]})
        for of in (found["reach"]["by_language"].get(code, {}),)
    ]  # fmt: skip
    return environment.get_template("year.html.j2").render(
        language=voice.code, direction=voice.rules.direction, office=office, said=said, found=found,
        made=f"{said['made']}{NO_BREAK_SPACE}{date_in_words(made_on, voice.rules)}",
        median=_duration(found["median_answer_seconds"], voice),
        shares=[(said[one], requests[one], round(100 * requests[one] / requests["total"]) if requests["total"] else 0) for one in shares],
        by_language=reach, by_medium=[(said[f"medium-{one}"], number) for one, number in found["reach"]["by_medium"].items()],
        words=found["without_release"]["words"],
    )  # fmt: skip


def _number(number: int, voice: Voice) -> str:
    """Grouped in threes, as the language does."""
    mark = {"narrow": NARROW, "comma": ",", "point": "."}.get(voice.lines["thousands"], NARROW)
    return f"{number:,}".replace(",", mark)


def _duration(seconds: int | None, voice: Voice) -> str:
    """In the two units that tell most."""
    if seconds is None:
        return "–"
    units = ((86400, "day"), (3600, "hour"), (60, "minute"), (1, "second"))
    size, name = next(one for one in units if seconds >= one[0] or one[0] == 1)
    whole, rest = divmod(seconds, size)
    parts = [f"{whole}{NO_BREAK_SPACE}{voice.lines[name]}"]
    if name in ("day", "hour"):
        smaller, below = next(one for one in units if one[0] < size)
        if rest // smaller:
            parts.append(f"{rest // smaller}{NO_BREAK_SPACE}{voice.lines[below]}")
    return NO_BREAK_SPACE.join(parts)


def _name(code: str, voice: Voice) -> str:
    return voice.lines.get(f"language-{code}", voice.names.get(code, code))
