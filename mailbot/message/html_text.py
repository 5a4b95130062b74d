"""HTML of a foreign mail -> the text that a person reads, with or without what was quoted.

selectolax does the reading, with care taken first: its time grows with the square of the depth, so a page is cut where it goes
deeper or longer than any letter, and no tag keeps an endless list of attributes. Nothing is ever rendered or fetched.
"""

import re

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
    "blockquote[type=cite], .gmail_quote, .gmail_quote_container, .gmail_signature, .moz-signature, .moz-cite-prefix, .yahoo_quoted,"
    " .protonmail_quote, .protonmail_signature_block, .tutanota_quote, .zmail_extra, .WordSection1 blockquote, #Signature,"
    " #ms-outlook-mobile-signature, .gmail_signature_prefix, .x_gmail_quote, .AppleMailSignature, [id=AppleMailSignature]"
)
_QUOTE_STARTS = (
    "#divRplyFwdMsg, #x_divRplyFwdMsg, #appendonsend, #x_appendonsend, #mail-editor-reference-message-container, #reply-intro,"
    " hr#stopSpelling, div[style*='border-top:solid #E1E1E1'], div[style*='border-top:solid #B5C4DF'],"
    " div[style*='border-top: 1pt solid rgb(225, 225, 225)']"
)


def read(html: str) -> str:
    """Everything that can be seen, a line a block."""
    return _text(LexborHTMLParser(_bounded(html)), frozenset(), frozenset())


def read_unquoted(html: str) -> str:
    """What can be seen without what the mail program marked as quoted or as signature."""
    tree = LexborHTMLParser(_bounded(html))
    quoted = frozenset(node.mem_id for node in tree.css(_QUOTED))
    starts = frozenset(node.mem_id for node in tree.css(_QUOTE_STARTS))
    return _text(tree, quoted, starts)


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
        out += [page[position:tag.start()], f"<{tag[1]}{tag[2]}>" if len(tag[3]) > MAX_ATTRIBUTES else tag[0]]
        position = tag.end()
    else:
        out.append(page[position:])
    return "".join(out)[:MAX_CHARACTERS]


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


def _text(tree: LexborHTMLParser, skipped: frozenset[int], stops: frozenset[int]) -> str:
    """An iterative walk, because a page may be deeper than Python's stack. A string on the stack is text to come."""
    out: list[str] = []
    waiting: list[LexborNode | str] = [tree.body] if tree.body is not None else []
    while waiting:
        node = waiting.pop()
        if isinstance(node, str):
            out.append(node)
            continue
        tag = node.tag or ""
        if node.mem_id in stops:
            break
        if tag == "-text":
            out.append(_SPACE.sub(" ", node.text_content or ""))
        elif tag == "br":
            out.append("\n")
        elif tag and not tag.startswith(("-", "!")) and tag not in _UNSEEN and node.mem_id not in skipped:
            if tag in _BLOCK:
                edge = "\f" if tag == "p" else "\v"
                out.append(edge)
                waiting.append(edge)
            elif tag in ("td", "th"):
                waiting.append(" ")
            waiting += reversed(list(node.iter(include_text=True)))
    text = _EDGES.sub(lambda edges: "\n\n" if "\f" in edges[0] else "\v", "".join(out))
    lines = (line.strip() for line in text.replace("\n\v", "\n").replace("\v", "\n").split("\n"))
    return _BLANK.sub("\n\n", "\n".join(lines)).strip()
