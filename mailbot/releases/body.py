"""A release's Markdown body as plain text for mail, as paragraphs, and as HTML that is safe in a stranger's mail reader.

Raw HTML is shown, never interpreted; links go to http, https or mailto; a picture becomes its description, because a
mail that fetches pictures tells on its reader.
"""

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache

from markdown_it import MarkdownIt
from markdown_it.token import Token

_KEPT = 32  # the same few releases are asked for again and again
_MARKDOWN = MarkdownIt("commonmark", {"html": False}).enable("table")
_SAFE_LINK = re.compile(r"(?:https?|mailto):", re.I)
_SPECIAL = re.compile(r"([\\`*_\[\]<&|])")
_LINE_START = re.compile(r"^(\s*)(#{1,6}(?=\s|$)|[-+=~](?=\s|$|[-=~])|>)")
_READ = ("text", "softbreak", "hardbreak")
_NUMBERED = re.compile(r"^(\s*\d{1,9})([.)])(?=\s|$)")


@lru_cache(maxsize=_KEPT)
def plain_paragraphs(body: str) -> tuple[str, ...]:
    """Each paragraph, heading, list item and table row on its own, without marks; a link is followed by its address."""
    return tuple(paragraph for paragraph, _ in _paragraphs(body))


@lru_cache(maxsize=_KEPT)
def to_text(body: str) -> str:
    """The body as text for mail: blank lines between paragraphs, none inside a list or table."""
    out = ""
    together_before = False
    for paragraph, together in _paragraphs(body):
        if out:
            out += "\n" if together and together_before else "\n\n"
        out += paragraph
        together_before = together
    return out


@lru_cache(maxsize=_KEPT)
def to_html(body: str) -> str:
    """The body as HTML. Headings start at h2: the title above it is the h1."""
    tokens = _MARKDOWN.parse(body)
    for token in tokens:
        if token.tag == "h1":
            token.tag = "h2"
        if token.type == "th_open":
            token.attrSet("scope", "col")
        if token.children:
            token.children = list(_safe(token.children))
    return str(_MARKDOWN.renderer.render(tokens, _MARKDOWN.options, {})).strip()


def from_plain(paragraph: str) -> str:
    """Markdown that reads as exactly this one line of plain text."""
    return safe_start(escaped(paragraph))


def escaped(text: str) -> str:
    """Plain text inside a paragraph."""
    return _SPECIAL.sub(r"\\\1", text)


def safe_start(line: str) -> str:
    """A line of Markdown that does not begin as a heading, a quotation or a list item does."""
    return _LINE_START.sub(r"\1\\\2", _NUMBERED.sub(r"\1\\\2", line))


def words(markdown: str) -> str:
    """What is read of it: the text alone, without marks and addresses, with single spaces."""
    inlines = (child for token in _MARKDOWN.parse(markdown) for child in token.children or ())
    return " ".join("".join(child.content if child.type == "text" else " " for child in inlines if child.type in _READ).split())


def _safe(children: Sequence[Token]) -> Iterator[Token]:
    dropped: list[bool] = []
    for token in children:
        if token.type == "link_open":
            dropped.append(not _SAFE_LINK.match(str(token.attrGet("href") or "")))
            if dropped[-1]:
                continue
        elif token.type == "link_close" and dropped.pop():
            continue
        if token.type == "image":
            token = Token("text", "", 0, content=token.content)
        yield token


def _paragraphs(body: str) -> Iterator[tuple[str, bool]]:
    """Each paragraph, and whether it stands close to its neighbour (list items, table rows)."""
    lists: list[int | None] = []
    mark = ""
    cells: list[str] | None = None
    for token in _MARKDOWN.parse(body):
        match token.type:
            case "bullet_list_open":
                lists.append(None)
            case "ordered_list_open":
                lists.append(int(token.attrGet("start") or 1))
            case "bullet_list_close" | "ordered_list_close":
                lists.pop()
            case "list_item_open":
                mark, lists[-1] = _mark(lists)
            case "tr_open":
                cells = []
            case "tr_close":
                yield " | ".join(cells or ()), True
                cells = None
            case "inline" if cells is not None:
                cells.append(_inline(token.children or []))
            case "inline":
                text = _inline(token.children or [])
                if text:
                    yield mark + text, bool(lists)
                mark = ""
            case "fence" | "code_block":
                yield mark + token.content.rstrip("\n"), bool(lists)
                mark = ""
            case _:
                continue


def _mark(lists: Sequence[int | None]) -> tuple[str, int | None]:
    number = lists[-1]
    indent = "  " * (len(lists) - 1)
    return (f"{indent}- ", None) if number is None else (f"{indent}{number}. ", number + 1)


def _inline(children: Sequence[Token]) -> str:
    out: list[str] = []
    links: list[tuple[str, int]] = []
    for token in children:
        match token.type:
            case "softbreak":
                out.append(" ")
            case "hardbreak":
                out.append("\n")
            case "link_open":
                links.append((str(token.attrGet("href") or ""), len(out)))
            case "link_close":
                address, start = links.pop()
                shown = address.removeprefix("mailto:")
                if _SAFE_LINK.match(address) and shown not in "".join(out[start:]):
                    out.append(f" ({shown})")
            case _:
                out.append(token.content)
    return "".join(out).strip()
