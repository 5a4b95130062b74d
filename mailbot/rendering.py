"""Template + values -> subject, text and HTML of a mail. The words live in templates/<language>/; nothing a stranger wrote is ever code.

The press office edits the templates and strangers write what fills them, so three fences stand (MAIL.md T-25): values are plain
text, numbers, dates and mappings, never objects; a template may call nothing but its own macros and the filters listed here; an
unknown name is a TemplateFault that says where, never an empty place in a journalist's mail. What each template is given is in
template_values.py and in the first lines of the template itself.
"""

import hashlib
import quopri
import re
from bisect import bisect_left
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, tzinfo
from functools import lru_cache
from pathlib import Path
from typing import Any

import css_inline
import yaml
from jinja2 import (
    FileSystemLoader,
    StrictUndefined,
    TemplateError,
    TemplateNotFound,
    TemplateSyntaxError,
)
from jinja2.exceptions import SecurityError
from jinja2.runtime import BlockReference, Context, Macro
from jinja2.sandbox import ImmutableSandboxedEnvironment
from markupsafe import Markup

from mailbot import language_file
from mailbot.template_code import COMPILED
from mailbot.template_filters import OF_JINJA, filters, one_line
from mailbot.template_values import PARTS
from mailbot.typography import Typography, no_break, no_break_html, typography, wrap

NO_SUCH_FILE = "there is no such file"
SHORT_OCTETS = 6_656  # AR-13 allows 8 KB: this for the encoded text, the rest for the header fields
ALIKE = 64  # mails that many get alike, kept ready
MOST_CHARACTERS = 1_000_000  # of one rendered part: a template that loops away ends here

# What no line of a mail may carry: controls, and the marks that make text read backwards (OUT-06).
_CONTROLS = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
_LONE_SURROGATES = re.compile(r"[\ud800-\udfff]")
_LINE_ENDS = re.compile(r"\r\n?|[\u2028\u2029]")


class TemplateFault(Exception):
    """A template cannot be used: it is missing, or broken, or asks for a value that there is not."""

    def __init__(self, template: str, line: int | None, what: str) -> None:
        self.template, self.line, self.what = template, line, what
        super().__init__(f"template {template}{f', line {line}' if line else ''}: {what}")


@dataclass(frozen=True, slots=True)
class Rendered:
    subject: str
    text: str
    html: str  # "" where the template has no HTML


@dataclass(frozen=True, slots=True, eq=False)
class Words:
    """The templates and languages of one press office, ready to render."""

    folders: FileSystemLoader
    templates: ImmutableSandboxedEnvironment
    typographies: Mapping[str, Typography]


class _Sandbox(ImmutableSandboxedEnvironment):
    """Jinja's sandbox, narrower: it computes no long strings and calls nothing that it was handed."""

    intercepted_binops = frozenset({"*", "**", "%"})

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        if operator == "**" or not (isinstance(left, int) and isinstance(right, int)):
            raise SecurityError(f"{operator} is not for templates")
        return super().call_binop(context, operator, left, right)

    def is_safe_callable(self, obj: Any) -> bool:
        return isinstance(obj, Macro | BlockReference)


def shipped() -> Path:
    """The templates that come with mailbot: beside the package in a checkout, inside it in a wheel."""
    inside = Path(__file__).parent / "_shipped" / "templates"
    return inside if inside.is_dir() else Path(__file__).parent.parent / "templates"


def environment(folders: Sequence[Path], typographies: Mapping[str, Mapping[str, Any]], zone: tzinfo) -> Words:
    """Words from template folders (the first that has a file wins: the office's own, then shipped()), each language's
    typography.yaml, and the office's time zone. A broken typography or reasons file is a TemplateFault."""
    rules = {}
    for code, raw in typographies.items():
        try:
            rules[code] = typography(raw)
        except ValueError as error:
            raise TemplateFault(f"{code}/typography.yaml", None, str(error)) from error
    sentences = {code: lines(folders, code, "reasons.yaml") for code in rules}
    loader = FileSystemLoader([str(folder) for folder in folders])
    templates = _Sandbox(
        loader=loader,
        autoescape=lambda name: name is not None and name.endswith(".html.j2"),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        bytecode_cache=COMPILED,
        auto_reload=False,  # what `check` looked at is what runs, until the next start
    )
    templates.globals.clear()
    templates.filters = {name: templates.filters[name] for name in OF_JINJA} | filters(rules, zone, sentences)
    return Words(loader, templates, rules)


def lines(folders: Sequence[Path], code: str, name: str) -> dict[str, str]:
    """A language's file of `key: sentence` lines; the office's own sentences cover the shipped ones. Raises TemplateFault."""
    sentences: dict[str, str] = {}
    for folder in reversed(folders):
        path = folder / code / name
        if not path.is_file():
            continue
        try:
            read = yaml.load(path.read_text(encoding="utf-8"), Loader=language_file.Loader) or {}  # noqa: S506 - a safe loader
        except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
            raise TemplateFault(str(path), None, f"cannot be read: {error}") from error
        if not isinstance(read, dict) or not all(isinstance(key, str) and isinstance(value, str) for key, value in read.items()):
            raise TemplateFault(str(path), None, "must be lines of `key: sentence`")
        sentences |= {key: " ".join(value.split()) for key, value in read.items()}
    return sentences


def _plain(value: Any, name: str) -> Any:
    """A value as a template may see it. A name that ends in _html is HTML that releases/body.py made; nothing else is."""
    if isinstance(value, str):
        # What can be printed, as most of what there is, has none of these in it.
        text = value if value.isprintable() else _LONE_SURROGATES.sub("\ufffd", _CONTROLS.sub("", _LINE_ENDS.sub("\n", value)))
        return Markup(text) if name.endswith("_html") else str(text)  # noqa: S704
    if value is None or isinstance(value, bool | int | float | date):
        return value
    if isinstance(value, Mapping):
        return {str(key): _plain(item, str(key)) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return tuple(_plain(item, name) for item in value)
    raise TypeError(f"{name}: a template takes text, numbers, dates and mappings of them, not {type(value).__name__}")


def parts(name: str) -> tuple[str, ...]:
    """The endings of a template's files."""
    return PARTS.get(name, ("subject", "txt", "html"))


def render(words: Words, language: str, name: str, values: Mapping[str, Any]) -> Rendered:
    """One mail in one language. A TemplateFault names the template, the line and what is wrong with it."""
    return _render(words, language, name, {key: _plain(value, key) for key, value in values.items()})


def render_for_many(words: Words, language: str, name: str, values: Mapping[str, Any], reply_subject: str | None = None) -> Rendered:
    """The same for what many get alike: it is worked out once. `reply_subject`, where the template has one, is in a stranger's words:
    the subject alone repeats them, and to text and HTML it is empty."""
    given = {key: _plain(value, key) for key, value in values.items()}
    if reply_subject is not None:
        given["reply_subject"] = ""
    alike = _render_once(words, language, name, _Given(_key(given), given))
    if not reply_subject:
        return alike
    return replace(alike, subject=_subject(words, language, name, given | {"reply_subject": _plain(reply_subject, "reply_subject")})[1])


@dataclass(frozen=True, slots=True)
class _Given:
    """Values that can be told from others."""

    key: Hashable
    values: Mapping[str, Any] = field(compare=False)


def _key(value: Any) -> Hashable:
    """Of what _plain() makes; equal only where a template makes the same of it: not of 1 and True."""
    if isinstance(value, str):
        return str(value)
    if isinstance(value, dict):
        return tuple([(name, _key(item)) for name, item in value.items()])
    return tuple(map(_key, value)) if isinstance(value, tuple) else (type(value), str(value))


@lru_cache(ALIKE)
def _render_once(words: Words, language: str, name: str, given: _Given) -> Rendered:
    return _render(words, language, name, given.values)


def _render(words: Words, language: str, name: str, given: Mapping[str, Any]) -> Rendered:
    rules = words.typographies[language]
    raw, subject = _subject(words, language, name, given)
    text = _fill(words, f"{language}/{name}.txt.j2", {**given, "language": language})
    html = ""
    if "html" in parts(name):
        filled = _fill(words, f"{language}/{name}.html.j2", {**given, "language": language, "mail_subject": raw})
        html = _inline(no_break_html(filled, rules))
    return Rendered(subject, _tidy(wrap(no_break(text, rules))), html)


def _subject(words: Words, language: str, name: str, given: Mapping[str, Any]) -> tuple[str, str]:
    """As it is filled in, for the HTML, and as it is sent."""
    filled = one_line(_fill(words, f"{language}/{name}.subject.j2", {**given, "language": language}))
    return filled, no_break(filled, words.typographies[language])


def render_line(words: Words, language: str, name: str, values: Mapping[str, Any]) -> str:
    """A line of words that stands in a mail or on a page of others."""
    given = {key: _plain(value, key) for key, value in values.items()}
    filled = _fill(words, f"{language}/{name}.txt.j2", {**given, "language": language})
    return no_break(one_line(filled), words.typographies[language])


def render_unwrapped(words: Words, language: str, name: str, values: Mapping[str, Any]) -> str:
    """A text for what wraps lines itself."""
    given = {key: _plain(value, key) for key, value in values.items()}
    return _tidy(no_break(_fill(words, f"{language}/{name}.txt.j2", {**given, "language": language}), words.typographies[language]))


def render_page(words: Words, language: str, name: str, values: Mapping[str, Any]) -> str:
    """A page that is no mail: HTML alone, with its style sheet as it stands."""
    given = {key: _plain(value, key) for key, value in values.items()}
    return no_break_html(_fill(words, f"{language}/{name}.html.j2", {**given, "language": language}), words.typographies[language])


def render_short(
    words: Words, language: str, values: Mapping[str, Any], octets: int = SHORT_OCTETS, name: str = "answer_short"
) -> Rendered:
    """`answer_short`, or another template of a release, with as much as fits in so many octets on the wire: first the notes go, then
    paragraphs from the end, last the contact. `cut` tells the template that there is more."""
    whole = values["release"]
    bodies = range(len(whole["paragraphs"]) - (0 if whole["notes"] else 1), -1, -1)
    shorter = [whole, *({**whole, "notes": (), "paragraphs": whole["paragraphs"][:kept]} for kept in bodies)]
    shorter.append({**shorter[-1], "contact": ""})

    def short(step: int) -> Rendered:
        return render_for_many(words, language, name, {**values, "release": shorter[step], "cut": step > 0})

    if wire_octets((first := short(0)).text) <= octets:
        return first
    return short(bisect_left(range(len(shorter) - 1), True, lo=1, key=lambda step: wire_octets(short(step).text) <= octets))


def wire_octets(text: str) -> int:
    """How long a text is in a mail: quoted-printable, CRLF."""
    encoded = quopri.encodestring(text.encode())
    return len(encoded) + encoded.count(b"\n")


def version(words: Words, language: str, name: str) -> str:
    """Which words these are, for a record of who agreed to what: the template, and the beginning of its hash."""
    said = (words.folders.get_source(words.templates, f"{language}/{name}.{part}.j2")[0] for part in parts(name))
    return f"{name}/{language} {hashlib.sha256(chr(0).join(said).encode()).hexdigest()[:12]}"


def _fill(words: Words, template: str, values: Mapping[str, Any]) -> str:
    filled: list[str] = []
    length = 0
    try:
        for piece in words.templates.get_template(template).generate(values):
            filled.append(piece)
            length += len(piece)
            if length > MOST_CHARACTERS:
                raise SecurityError(f"it makes more than {MOST_CHARACTERS} characters")
    except (TemplateError, TypeError, AttributeError, ValueError, ArithmeticError, LookupError, RecursionError, OSError) as error:
        raise fault_of(error, template) from error
    return "".join(filled)


def fault_of(error: Exception, template: str) -> TemplateFault:
    """What an error of Jinja's means for whoever edits the template."""
    if isinstance(error, TemplateNotFound):
        return TemplateFault(str(error.name or template), None, NO_SUCH_FILE)
    if isinstance(error, TemplateSyntaxError):
        return TemplateFault(error.filename or error.name or template, error.lineno, error.message or "cannot be understood")
    where, line, frame = template, None, error.__traceback__
    while frame is not None:  # Jinja puts the template's own lines into the traceback; the innermost is the guilty one
        if frame.tb_frame.f_code.co_filename.endswith(".j2"):
            where, line = frame.tb_frame.f_code.co_filename, frame.tb_lineno
        frame = frame.tb_next
    return TemplateFault(where, line, str(error))


def _inline(html: str) -> str:
    try:
        return css_inline.CSSInliner(load_remote_stylesheets=False).inline(html)
    except css_inline.InlineError as error:
        raise TemplateFault("letter.html.j2", None, f"its style sheet cannot be used: {error}") from error


def _tidy(text: str) -> str:
    """No trailing spaces (but the signature mark "-- "), never two blank lines, one line end at the end."""
    lines = "\n".join(line if line == "-- " else line.rstrip(" ") for line in text.split("\n"))
    return re.sub(r"\n{3,}", "\n\n", lines).strip("\n") + "\n"
