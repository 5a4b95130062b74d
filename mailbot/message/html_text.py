"""HTML of a foreign mail -> the text that a person reads, with or without what was quoted.

selectolax does the reading, with care taken first: its time grows with the square of the depth, so a page is cut where it goes
deeper or longer than any letter, and no tag keeps an endless list of attributes. Nothing is ever rendered or fetched.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace

from selectolax.lexbor import LexborHTMLParser, LexborNode

MAX_CHARACTERS = 200_000
MAX_TAGS = 10_000
MAX_DEPTH = 256
MAX_ATTRIBUTES = 2_000      # characters of one tag; longer ones are embedded pictures

_TAG = re.compile(r"<(/?)([a-zA-Z][a-zA-Z0-9:-]{0,40})([^<>]*)>?")
_SPACE = re.compile(r"[ \t\r\n\f\v\xa0]+")
# While the text is gathered, \v is the edge of a block and \f that of a paragraph: edges that meet are one.
_EDGES = re.compile(r" *[\v\f][ \v\f]*")
_BLANK = re.compile(r"\n{3,}")
_SHALLOW = frozenset(
    {"p", "li", "td", "th", "tr", "dt", "dd", "option", "br", "hr", "img", "input", "meta", "link", "col", "wbr", "area", "base"}
)
_BLOCK = frozenset(
    {"address", "article", "aside", "blockquote", "body", "center", "dd", "div", "dl", "dt", "fieldset", "figure", "footer", "form"}
    | {"h1", "h2", "h3", "h4", "h5", "h6", "header", "hr", "li", "main", "nav", "ol", "p", "pre", "section", "table", "tbody", "tr", "ul"}
)
_UNSEEN = frozenset({"head", "script", "style", "title", "template", "noscript", "object", "svg", "math", "select", "textarea"})

# How the mail programs mark what they quote and sign. The first list goes with its content; behind the second everything goes.
_QUOTED = (
    "blockquote[type=cite], blockquote.gmail_quote, .gmail_attr, .x_gmail_attr, .gmail_signature, .x_gmail_signature, .moz-signature,"
    " .moz-cite-prefix, [class*=yahoo_quoted], [id*=yahoo_quoted], .protonmail_quote, .protonmail_signature_block, .tutanota_quote,"
    " .zmail_extra, div[name=quote], #OLK_SRC_BODY_SECTION, .WordSection1 blockquote, #Signature, #x_Signature, #composer_signature,"
    " #ms-outlook-mobile-signature, .ms-outlook-ios-signature, .gmail_signature_prefix, .AppleMailSignature, [id=AppleMailSignature]"
)
_GMAIL_QUOTE = ".gmail_quote, .x_gmail_quote, .gmail_quote_container"
_QUOTE_STARTS = (
    "#divRplyFwdMsg, #x_divRplyFwdMsg, #appendonsend, #x_appendonsend, #mail-editor-reference-message-container, #reply-intro,"
    " .ms-outlook-mobile-reference-message, .OutlookMessageHeader, hr#stopSpelling"
)
# What style tells, without its spaces. A rule above the quoted header, in Outlook's greys; what nobody can see; letters without a size,
# which a style inside may give back (so do newsletters).
_RULED = re.compile(r"border-top:(?:[0-9.]+p[tx])?solid(?:#e1e1e1|#b5c4df)|border-top:[0-9.]+p[tx]solidrgb\((?:225,225,225|181,196,223)\)")
_HIDDEN = re.compile(r"(?:^|[;\"'])(?:display:none|visibility:hidden|mso-hide:all|opacity:0(?:\.0+)?(?:[;!\"']|$))")
_CLIPPED = re.compile(r"(?:^|[;\"'])(?:max-)?height:0(?:px|pt)?(?:[;!\"']|$)")
_SIZE = re.compile(r"(?:^|[;\"'])font-size:([0-9.]+)(em|%)?")
_WHITE = re.compile(r"\s+")


@dataclass(frozen=True, slots=True)
class _Seen:
    """Which elements of a page count, by their number: those left out, those at which a quote starts, and the size of letters."""

    skipped: frozenset[int]
    stops: frozenset[int]
    sizes: Mapping[int, bool]   # False: from here on letters have no size


def read(html: str) -> tuple[str, str]:
    """Everything that can be seen, a line a block; and the same without what the mail program marked as quoted or as signature."""
    tree = LexborHTMLParser(_bounded(html))
    seen = _seen(tree)
    everything = _text(tree, replace(seen, stops=frozenset()))
    quoted = {node.mem_id for node in tree.css(_QUOTED)}
    for node in tree.css(_GMAIL_QUOTE):     # who answers within Gmail's quote writes beside its blockquotes; a forward has none
        if node.css_first("blockquote") is None:
            quoted.add(node.mem_id)
    starts = seen.stops.union(node.mem_id for node in tree.css(_QUOTE_STARTS))
    if not quoted and not starts:
        return everything, everything
    return everything, _text(tree, replace(seen, skipped=seen.skipped | quoted, stops=starts))


def _seen(tree: LexborHTMLParser) -> _Seen:
    """What the styles and attributes of the page say; a style sheet is not asked."""
    hidden = {node.mem_id for node in tree.css("[hidden]")}
    ruled: set[int] = set()
    sizes: dict[int, bool] = {}
    for node in tree.css("[style]"):
        style = _WHITE.sub("", (node.attributes.get("style") or "").lower())
        if _is_hidden(style):
            hidden.add(node.mem_id)
        if _RULED.search(style):
            ruled.add(node.mem_id)
        size = _SIZE.search(style)
        if size and not size[1].strip("0."):
            sizes[node.mem_id] = False
        elif size and not size[2]:
            sizes[node.mem_id] = True
    return _Seen(frozenset(hidden), frozenset(ruled), sizes)


def _is_hidden(style: str) -> bool:
    return _HIDDEN.search(style) is not None or ("overflow:hidden" in style and _CLIPPED.search(style) is not None)


def _bounded(html: str) -> str:
    """The same page without comments and long attributes, cut where it has too many tags or goes too deep."""
    page = _without_comments(html[: MAX_CHARACTERS * 10])
    out: list[str] = []
    position = depth = 0
    for number, tag in enumerate(_TAG.finditer(page)):
        if tag[2].lower() not in _SHALLOW and not tag[3].endswith("/"):
            depth += -1 if tag[1] else 1
        if number >= MAX_TAGS or depth > MAX_DEPTH:
            break
        out += [page[position:tag.start()], _shortened(tag) if len(tag[3]) > MAX_ATTRIBUTES else tag[0]]
        position = tag.end()
    else:
        out.append(page[position:])
    return "".join(out)[:MAX_CHARACTERS]


def _shortened(tag: re.Match[str]) -> str:
    """A tag without its attributes; hidden stays hidden."""
    return f"<{tag[1]}{tag[2]} hidden>" if _is_hidden(_WHITE.sub("", tag[3].lower())) else f"<{tag[1]}{tag[2]}>"


def _without_comments(html: str) -> str:
    out, position = [], 0
    while (start := html.find("<!--", position)) >= 0:
        out.append(html[position:start])
        end = html.find("-->", start)
        if end < 0:
            break
        position = end + 3
    else:
        out.append(html[position:])
    return "".join(out)


def _text(tree: LexborHTMLParser, seen: _Seen) -> str:
    """An iterative walk, because a page may be deeper than Python's stack. A string on the stack is text to come."""
    out: list[str] = []
    waiting: list[tuple[LexborNode | str, bool]] = [(tree.body, True)] if tree.body is not None else []
    while waiting:
        node, sized = waiting.pop()
        if isinstance(node, str):
            out.append(node)
            continue
        tag, number = node.tag or "", node.mem_id
        if number in seen.stops:
            break
        if tag == "-text":
            if sized:
                out.append(_SPACE.sub(" ", node.text_content or ""))
        elif tag == "br":
            out.append("\n")
        elif tag and not tag.startswith(("-", "!")) and tag not in _UNSEEN and number not in seen.skipped:
            if tag in _BLOCK:
                edge = "\f" if tag == "p" else "\v"
                out.append(edge)
                waiting.append((edge, sized))
            elif tag in ("td", "th"):
                waiting.append((" ", sized))
            sized = seen.sizes.get(number, sized)
            waiting += [(child, sized) for child in reversed(list(node.iter(include_text=True)))]
    text = _EDGES.sub(lambda edges: "\n\n" if "\f" in edges[0] else "\v", "".join(out))
    lines = (line.strip() for line in text.replace("\n\v", "\n").replace("\v", "\n").split("\n"))
    return _BLANK.sub("\n\n", "\n".join(lines)).strip()
