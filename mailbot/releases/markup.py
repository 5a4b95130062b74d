"""HTML, of a page or of what mammoth makes of a Word file -> the paragraphs that a person reads, as Markdown.

Headings, lists, tables, bold, italic and links are kept, everything else is words. The words are never wrong: where the marks of
Markdown would read as something else (an asterisk between letters and quotation marks, say) the paragraph goes without them.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from urllib.parse import quote, urljoin

from selectolax.lexbor import LexborHTMLParser, LexborNode

from mailbot.releases import body
from mailbot.releases.paragraph import APART, BROKEN, CLOSE, Paragraph

MAX_DEPTH = 200  # selectolax and Python both pay for depth; no page of a newsroom goes deeper than 60
MAX_TAGS = 20_000  # opened and closed
_TAG = re.compile(r"<(/?)([a-zA-Z][a-zA-Z0-9:-]*)([^<>]*)>|<!--")
_RAW = ("script", "style")
_SHALLOW = {
    "p", "li", "td", "th", "tr", "dt", "dd", "option", "br", "hr", "img", "input", "meta", "link", "col", "wbr", "area", "base", "source",
    "track", "embed",
}  # fmt: skip
_HEADINGS = {f"h{level}": level for level in range(1, 7)}
_BLOCKS = (
    "address", "article", "aside", "blockquote", "center", "dd", "details", "div", "dl", "dt", "fieldset", "figure", "footer", "form",
    "header", "hr", "li", "main", "nav", "ol", "p", "pre", "section", "summary", "table", "tbody", "tfoot", "thead", "tr", "ul", *_HEADINGS,
)  # fmt: skip
_HAS_BLOCK = ", ".join(_BLOCKS)
_UNSEEN = {
    "audio", "button", "canvas", "figcaption", "figure", "head", "iframe", "input", "noscript", "object", "picture", "script", "select",
    "style", "svg", "template", "textarea", "video",
}  # fmt: skip
_BREAK = "\n"
_WHITE = re.compile(r"[ \t\r\n\f\v]+")
_INVISIBLE = dict.fromkeys(map(ord, "\u200b\u200c\u200d\u2060\ufeff\u00ad"))
_BULLET = re.compile(r"[•▪◦·‣–—*-]\s+(?=\S)")
_SAFE = re.compile(r"(?:https?://|mailto:)[^\s]+", re.I)


@dataclass(frozen=True, slots=True)
class _Run:
    """Words that look alike."""

    text: str
    bold: bool = False
    italic: bool = False
    link: str = ""


def is_sane(html: str) -> bool:
    """Whether a page has no more tags, and goes no deeper, than what people write. Linear, and asked before anything parses it."""
    depth = deepest = position = tags = 0
    while tag := _TAG.search(html, position):
        position, tags, name = tag.end(), tags + 1, (tag[2] or "").lower()
        if name in _RAW and not tag[1]:  # what stands inside is no tag
            end = html.find("</" + name, position)
            position = len(html) if end < 0 else end
        elif not name:
            end = html.find("-->", position)
            position = len(html) if end < 0 else end
            tags -= 1
        elif name not in _SHALLOW and not tag[3].endswith("/"):
            depth = max(0, depth + (-1 if tag[1] else 1))
            deepest = max(deepest, depth)
        if tags > MAX_TAGS or deepest > MAX_DEPTH:
            return False
    return True


def of_html(html: str, address: str = "") -> list[Paragraph]:
    """The paragraphs of a piece of HTML; `address` is where its relative links start."""
    tree = LexborHTMLParser(html)
    return of_node(tree.body, address) if tree.body is not None else []


def of_node(node: LexborNode, address: str = "") -> list[Paragraph]:
    """The paragraphs inside one element."""
    return list(_blocks(node, address))


def _blocks(node: LexborNode, address: str) -> Iterator[Paragraph]:
    run: list[LexborNode] = []
    for child in node.iter(include_text=True):
        tag = child.tag or ""
        if tag in _UNSEEN or tag.startswith(("_", "!", "-comment")):
            continue
        if tag in _BLOCKS or (tag != "-text" and child.css_first(_HAS_BLOCK) is not None):
            yield from _lines(run, address)
            run = []
            yield from _block(child, tag, address)
        else:
            run.append(child)
    yield from _lines(run, address)


def _block(node: LexborNode, tag: str, address: str) -> Iterator[Paragraph]:
    if tag in _HEADINGS:
        yield from _heading(node, _HEADINGS[tag], address)
    elif tag in ("ul", "ol"):
        yield from _list(node, tag == "ol", address)
    elif tag == "table" and len(rows := _rows(node)) and max(map(len, rows)) > 1:
        yield from _table(rows, address)
    else:
        yield from _blocks(node, address)


def _heading(node: LexborNode, level: int, address: str) -> Iterator[Paragraph]:
    plain = " ".join(line.plain for line in _lines([node], address))
    if plain:
        yield Paragraph(plain, f"{'#' * max(2, level)} {body.escaped(plain)}", level)


def _list(node: LexborNode, ordered: bool, address: str) -> Iterator[Paragraph]:
    """The items; what follows in an item after its first line is set in under it."""
    number, first = 0, True
    for item in node.iter():
        inside = list(_blocks(item, address)) if item.tag not in ("ul", "ol") else list(_block(item, item.tag, address))
        if not inside:
            continue
        number += 1
        mark = f"{number}. " if ordered else "- "
        if item.tag in ("ul", "ol") or _is_item(inside[0]):  # a list right inside a list: its items stand for themselves
            number, mark = number - 1, ""
        for place, line in enumerate(inside):
            joint = line.joint if place else (APART if first else CLOSE)
            if place == 1 and _is_item(line):
                joint = CLOSE
            yield replace(line, markdown=(mark if place == 0 else " " * len(mark)) + line.markdown.replace("\n", "\n" + " " * len(mark)),
                          level=0, joint=joint)  # fmt: skip
            first = False


def _is_item(line: Paragraph) -> bool:
    return re.match(r"\s*(?:- |\d+\. )", line.markdown) is not None


def _rows(table: LexborNode) -> list[list[LexborNode]]:
    cells = [[cell for cell in row.iter() if cell.tag in ("td", "th")] for row in table.css("tr")]
    return [row for row in cells if row]


def _table(rows: Sequence[Sequence[LexborNode]], address: str) -> Iterator[Paragraph]:
    columns = max(map(len, rows))
    for number, row in enumerate(rows):
        cells = [" ".join(line.plain for line in _blocks(cell, address)) for cell in row]
        cells += [""] * (columns - len(cells))
        markdown = "| " + " | ".join(map(body.escaped, cells)) + " |"
        if number == 0:
            markdown += "\n|" + " --- |" * columns
        yield Paragraph(" | ".join(cells), markdown, joint=CLOSE if number else APART)


def _lines(nodes: Sequence[LexborNode], address: str) -> Iterator[Paragraph]:
    """The lines of one paragraph: more than one where it is broken on purpose. An empty line between two makes paragraphs of them."""
    runs = [run for node in nodes for run in _runs(node, _Run(""), address)]
    lines: list[list[_Run]] = [[]]
    for run in runs:
        for place, text in enumerate(run.text.split(_BREAK)):
            if place:
                lines.append([])
            lines[-1].append(replace(run, text=text))
    joint = APART
    for line in lines:
        made = _line(line, joint)
        joint = APART if made is None else BROKEN
        if made is not None:
            yield made


def _runs(node: LexborNode, style: _Run, address: str) -> Iterator[_Run]:
    tag = node.tag or ""
    if tag == "-text":
        yield replace(style, text=_WHITE.sub(" ", (node.text_content or "").translate(_INVISIBLE)))
        return
    if tag == "br":
        yield replace(style, text=_BREAK)
        return
    if tag in _UNSEEN or tag.startswith(("_", "!", "-")):
        return
    if tag in ("b", "strong"):
        style = replace(style, bold=True)
    elif tag in ("i", "em", "cite"):
        style = replace(style, italic=True)
    elif tag == "a":
        style = replace(style, link=_target(node.attributes.get("href") or "", address))
    for child in node.iter(include_text=True):
        yield from _runs(child, style, address)


def _target(href: str, address: str) -> str:
    """An address that a link may have in a mail; empty for anything else, as a place on the same page."""
    href = href.strip()
    if not href or href.startswith("#"):
        return ""
    try:
        whole = urljoin(address, href) if address else href
    except ValueError:
        return ""
    if "#" in whole and whole.partition("#")[0].rstrip("/") in (address.rstrip("/"), "/".join(address.split("/")[:3])):
        return ""  # a place on this very page
    whole = quote(whole, safe="%/:=&?~#+!$,;'@()*[]")
    return whole if _SAFE.fullmatch(whole) and len(whole) <= 2000 else ""


def _line(runs: Sequence[_Run], joint: str) -> Paragraph | None:
    plain = _WHITE.sub(" ", "".join(run.text for run in runs)).strip()
    if not plain:
        return None
    strong = all(run.bold for run in runs if run.text.strip())
    bullet = _BULLET.match(plain)
    if bullet and len(plain) > len(bullet[0]):  # a list that was typed, not made
        words = plain[bullet.end() :]
        return Paragraph(words, "- " + body.from_plain(words), strong=strong, joint=CLOSE if joint == BROKEN else joint)
    if body.from_plain(plain) == plain and not any(run.bold or run.italic or run.link for run in runs):
        return Paragraph(plain, plain, joint=joint)
    as_meant = " ".join(plain.split())
    for weaker in (runs, [replace(run, bold=False, italic=False) for run in runs]):
        marked = body.safe_start(_WHITE.sub(" ", "".join(_marked(weaker))).strip())
        if body.words(marked) == as_meant:
            return Paragraph(plain, marked, strong=strong, joint=joint)
    return Paragraph(plain, body.from_plain(plain), strong=strong, joint=joint)


def _marked(runs: Sequence[_Run]) -> Iterator[str]:
    for link, linked in groupby(runs, key=lambda run: run.link):
        styled = "".join(_styled(list(linked)))
        inner = styled.strip()
        before, after = styled[: len(styled) - len(styled.lstrip())], styled[len(styled.rstrip()) :]
        yield f"{before}[{inner}](<{link}>){after}" if link and inner else styled


def _styled(runs: Sequence[_Run]) -> Iterator[str]:
    for (bold, italic), alike in groupby(runs, key=lambda run: (run.bold, run.italic)):
        text = "".join(run.text for run in alike)
        inner = text.strip()
        marks = "*" * (2 * bold + italic) if inner else ""
        yield text[: len(text) - len(text.lstrip())] + marks + body.escaped(inner) + marks + (text[len(text.rstrip()) :] if inner else "")
