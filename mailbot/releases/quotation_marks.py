"""Quotation marks that do not belong together: « opened and ” closed. They are pointed out, never mended."""

import re
from collections.abc import Iterator, Sequence

# What opens, and what may close it: French, English, German, Swedish and typed ones; which of them a language uses is its own affair.
_CLOSE = {"«": "»", "»": "«»", "“": "”", "„": "“”", "”": "”", "‹": "›", '"': '"'}
_ONLY_OPEN = frozenset("«“„‹")
_MARK = re.compile('[«»“”„‹›]|(?<!\\d)"|(?<=\\d)"(?=\\w)')


def unmatched(paragraphs: Sequence[str]) -> Iterator[tuple[int, int]]:
    """The number of the paragraph and the place in it of each mark without its other half, or with a wrong one.

    A quotation of several paragraphs may begin each of them with the mark that opens it."""
    opened: list[tuple[str, int, int]] = []
    for number, paragraph in enumerate(paragraphs):
        for found in _MARK.finditer(paragraph):
            mark, at = found[0], found.start()
            top = opened[-1][0] if opened else ""
            if top and mark in _CLOSE[top]:
                opened.pop()
            elif top == mark and not paragraph[:at].strip():
                continue
            elif not top or mark in _ONLY_OPEN or mark == '"':
                if mark in _CLOSE:
                    opened.append((mark, number, at))
                else:
                    yield number, at
            else:
                opened.pop()
                yield number, at
    yield from ((number, at) for _, number, at in opened[:1])
