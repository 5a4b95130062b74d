"""A web page with one release on it -> the release, without the page around it.

Newsrooms made with Drupal say in their classes what is what, so they are read by them. Of any other page trafilatura tells which
part is the text, and when it was published; it has seen more pages than anybody here.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from importlib.util import find_spec
from urllib.parse import urlsplit

from selectolax.lexbor import LexborHTMLParser, LexborNode

from mailbot.languages import Language
from mailbot.message import charset
from mailbot.releases import anatomy, dates, markup
from mailbot.releases.anatomy import LEAD, SHORTEST_TITLE, Found, Given, Marks
from mailbot.releases.markdown import INSTALL, NotARelease
from mailbot.releases.paragraph import Paragraph

MAX_BYTES = 3_000_000
_PASTE = "Paste its text into a file ending in .txt, and import that."
_CHARSET = re.compile(rb"""<meta[^>]{0,200}?charset\s*=\s*["']?\s*([\w-]{2,40})""", re.I)
_SENTENCE_END = re.compile(r"[.!?…»”\"]$")
_SITE = re.compile(r"\s+[|–—·•‹›«»-]+\s+")
_DRUPAL = "meta[name=Generator][content^=Drupal], meta[name=generator][content^=Drupal], [class*=field--name-], .field-name-body"
_NODE = "article.node--view-mode-full, .node--view-mode-full, .node-full, article.node, main article, main, [role=main]"
_BODY = ".field--name-body, .field-name-body"
_TEXT = ".text-formatted, .field--type-text-long, .field-type-text-long, .field--type-text-with-summary, .field-type-text-with-summary"
_CONTACT = "[class*=field--name-field][class*=contact], [class*=field-name-field][class*=contact]"
_TITLE = "h1.page-title, h1 .field--name-title, h1.node__title, h1#page-title, h1"
_DAY = "[class*=date] time[datetime], [class*=date] [content], [class*=created] time[datetime], time[datetime]"
_ASIDE = re.compile(r"(?:^|\s)(?:views?-row|node--view-mode-(?!full)\S+|node-teaser|teaser|related\S*|block-views\S*)(?:\s|$)")
_PUBLISHED = "meta[property='article:published_time'], meta[name='dcterms.date'], meta[name='dcterms.created'], meta[name=date]"


@dataclass(frozen=True, slots=True)
class _Read:
    """What one way of reading a page has found."""

    lines: list[Paragraph]
    title: str
    day: date | None
    furniture: tuple[str, ...] = ()


def parse(data: bytes, languages: Mapping[str, Language], now: datetime, language: str = "", address: str = "") -> Found:
    """Read a page; `address` is where it was found, for its relative links. Raises NotARelease."""
    if len(data) > MAX_BYTES:
        raise NotARelease(f"The page has more than {MAX_BYTES // 1_000_000} MB. Is it the right one? {_PASTE}")
    declared = _CHARSET.search(data[:4096])
    html = charset.text(data, declared[1].decode("ascii") if declared else "").removeprefix("\ufeff")
    if not markup.is_sane(html):
        raise NotARelease(f"The page nests deeper, or has more parts, than a page with a release. {_PASTE}")
    tree = LexborHTMLParser(html)
    address = address or _canonical(tree)
    found = _by_classes(tree, address) or _by_trafilatura(tree, html, address, now)
    marks = anatomy.marks_of(languages)
    text = [line for line in found.lines if _same(line.plain) != _same(found.title)]
    kept = [line for line in text if not anatomy.is_caption(line.plain, marks)]
    if not kept:
        raise NotARelease(f"The page holds no text that can be told from its menus. {_PASTE}")
    spoken = _spoken(tree)
    day = found.day or _written(tree, marks, now)
    given = Given(found.title, day, language or ("" if spoken in languages else spoken), whole=True)
    read = anatomy.find(kept, languages, now, given)
    captions = (line.plain for line in text if anatomy.is_caption(line.plain, marks))
    return replace(read, dropped=(*found.furniture, *captions, *read.dropped))


def is_page(name: str, data: bytes) -> bool:
    """Whether a file is a page, by its name or its first words."""
    start = data[:1024].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    marked = start.startswith(b"<") and (b"<html" in start or b"<!doctype html" in start)
    return marked or name.lower().endswith((".html", ".htm", ".xhtml"))


def _canonical(tree: LexborHTMLParser) -> str:
    """Where a saved page says it comes from."""
    for selector, attribute in (("link[rel=canonical]", "href"), ("meta[property='og:url']", "content")):
        node = tree.css_first(selector)
        address = (node.attributes.get(attribute) or "").strip() if node else ""
        if re.match(r"https?://", address, re.I):
            return address
    return ""


def _spoken(tree: LexborHTMLParser) -> str:
    """The language that the page says it is in, as a code; empty where it does not."""
    root = tree.css_first("html")
    code = ((root.attributes.get("lang") or "") if root else "").strip().lower().replace("_", "-").partition("-")[0]
    return code if re.fullmatch(r"[a-z]{2,3}", code) else ""


# --- Drupal ---


def _by_classes(tree: LexborHTMLParser, address: str) -> _Read | None:
    """The profile of Drupal newsrooms; None where the page is none, or its theme has taken the classes away."""
    node = tree.css_first(_NODE)
    if node is None or tree.css_first(_DRUPAL) is None:
        return None
    fields = _outermost(node, _BODY) or _outermost(node, _TEXT)
    lines = [line for field in fields for line in markup.of_node(field, address)]
    if sum(len(line.plain) for line in lines) < anatomy.LONG:
        return None
    lines += [line for field in _outermost(node, _CONTACT) if not _inside(field, fields) for line in markup.of_node(field, address)]
    heading = node.css_first(_TITLE) or tree.css_first(_TITLE)
    title = " ".join(heading.text().split()) if heading else ""
    days = (_day_of(one) for one in node.css(_DAY) if not _is_aside(one))
    return _Read(lines, title or _title(tree, ""), next(filter(None, days), None) or _published(tree))


def _outermost(node: LexborNode, selector: str) -> list[LexborNode]:
    """What the selector finds, but for what lies in another one, or in the teaser of another release."""
    found: list[LexborNode] = []
    for one in node.css(selector):
        if not _is_aside(one) and not _inside(one, found):
            found.append(one)
    return found


def _inside(node: LexborNode, others: Sequence[LexborNode]) -> bool:
    known = {other.mem_id for other in others}
    return any(above.mem_id in known for above in _above(node))


def _above(node: LexborNode) -> list[LexborNode]:
    """The element itself and all it stands in."""
    out = [node]
    while (parent := out[-1].parent) is not None:
        out.append(parent)
    return out


def _is_aside(node: LexborNode) -> bool:
    return any(one.tag in ("aside", "nav", "footer") or _ASIDE.search(one.attributes.get("class") or "") for one in _above(node) if one.tag)


def _day_of(node: LexborNode) -> date | None:
    written = node.attributes.get("datetime") or node.attributes.get("content") or ""
    try:
        return date.fromisoformat(written.strip()[:10])
    except ValueError:
        return None


def _published(tree: LexborHTMLParser) -> date | None:
    return next(filter(None, map(_day_of, tree.css(_PUBLISHED))), None)


def _written(tree: LexborHTMLParser, marks: Marks, now: datetime) -> date | None:
    """The first line of the page that is a date and little more: “Publié le 23 mai 2019”."""
    for node in tree.css("time, p, span, small, div, li, dd, td"):
        text = " ".join(node.text(deep=False).split())
        if len(text) <= 40 and re.search(r"\d{4}", text) and not _is_aside(node):
            for mention in dates.find(text, marks.grammar, now):
                rest = len(_same(text)) - len(_same(mention.text))
                if mention.start == mention.end and not mention.yearless and rest <= 15 and mention.start <= now.date():
                    return mention.start
    return None


# --- any page ---


def _by_trafilatura(tree: LexborHTMLParser, html: str, address: str, now: datetime) -> _Read:
    if find_spec("trafilatura") is None:
        raise NotARelease(f"Only pages of Drupal newsrooms can be read here: trafilatura is missing. {INSTALL}")
    from trafilatura import extract_with_metadata

    dated = {"original_date": True, "extensive_search": False, "max_date": now.date().isoformat()}  # extensive: a minute on some pages
    document = extract_with_metadata(
        html, url=address or None, output_format="html", include_links=True, include_formatting=True, include_comments=False,
        date_extraction_params=dated,
    )  # fmt: skip
    if document is None:
        return _Read([], "", None)
    facts = document.as_dict()
    lines = markup.of_html(str(facts.get("text") or ""), address)
    title, day = _title(tree, str(facts.get("title") or "")), facts.get("date")
    start = _past_furniture(lines)
    above = tuple(line.plain for line in lines[:start] if _same(line.plain) != _same(title))
    return _Read(lines[start:], title, date.fromisoformat(day[:10]) if day else None, above)


def _past_furniture(lines: Sequence[Paragraph]) -> int:
    """Past what stands between title and text on many pages: who wrote it, how long it takes to read, a heading of the section."""
    return next((at for at, line in enumerate(lines) if _is_text(line)), 0)


def _is_text(line: Paragraph) -> bool:
    return len(line.plain) > LEAD or (len(line.plain) > 25 and _SENTENCE_END.search(line.plain) is not None)


def _title(tree: LexborHTMLParser, fallback: str) -> str:
    """The heading that the page's own title repeats; else that title without the name of the site."""
    named = [node.attributes.get("content") or "" for node in tree.css("meta[property='og:title'], meta[name='twitter:title']")]
    shown = tree.css_first("title")
    titles = [" ".join(one.split()) for one in (*named, shown.text() if shown else "") if one.strip()] or [fallback]
    for tag in ("h1", "h2", "h3"):
        headings = [" ".join(node.text().split()) for node in tree.css(tag)]
        repeated = [one for one in headings if len(one) >= SHORTEST_TITLE and any(_same(one) in _same(title) for title in titles)]
        if repeated:
            return max(repeated, key=len)
    site = tree.css_first("meta[property='og:site_name']")
    return _without_site(titles[0], (site.attributes.get("content") or "") if site else "", _canonical(tree))


def _without_site(title: str, site: str, address: str) -> str:
    host = _same(urlsplit(address).hostname or "")
    *before, last = _SITE.split(title)
    own = _same(last) and (_same(last) == _same(site) or _same(last) in host)
    return title[: title.rindex(last)].rstrip(" |–—·•‹›«»-") if before and own else title


def _same(text: str) -> str:
    """Letters and digits alone: what two spellings of one title have in common."""
    return re.sub(r"[\W_]+", "", dates.fold(text))
