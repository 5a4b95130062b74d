"""Links, mail addresses and telephone numbers of an edition as mentions.

Two links are the same without scheme, "www." and the part that names the language; two numbers are by their digits, with or
without the country's code.
"""

import re
from collections.abc import Collection, Iterator
from urllib.parse import parse_qsl, urlencode, urlsplit

from mailbot.releases.mention import Kind, Mention, mention

_LINK = re.compile(r"(?:https?://|www\.)[^\s<>()«»“”\"]+", re.I)
_ADDRESS = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")
_PHONE = re.compile(r"(?<![\w.,+])(?:\+|00)?\(?\d[\d ().\u00a0\u202f\u2009/-]{5,}\d(?!\w)")
_LOCAL_DIGITS = 8


def find(text: str, languages: Collection[str]) -> Iterator[Mention]:
    """Every one of them. `languages`: the codes that a link may carry."""
    for found in _LINK.finditer(text):
        link = found[0].rstrip(".,;:!?…'’")
        yield mention(Kind.LINK, (found.start(), found.start() + len(link)), {_bare(link, languages)})
    for found in _ADDRESS.finditer(text):
        yield mention(Kind.LINK, found.span(), {found[0].lower()})
    for found in _PHONE.finditer(text):
        digits = re.sub(r"\D", "", found[0])
        if _is_phone(found[0], digits):
            yield _phone(found, digits)


def _bare(link: str, languages: Collection[str]) -> str:
    try:
        parts = urlsplit(link if "://" in link else f"https://{link}")
    except ValueError:  # "https://[": no address, and yet it should be the same in every edition
        return link.lower()
    host = ".".join(label for label in parts.netloc.lower().split(".") if label != "www" and label not in languages)
    path = "/".join(segment for segment in parts.path.split("/") if segment and segment.lower() not in languages)
    query = urlencode([(key, value) for key, value in parse_qsl(parts.query) if value.lower() not in languages])
    return f"link {host}/{path}?{query}#{parts.fragment}"


def _is_phone(written: str, digits: str) -> bool:
    """A number of a telephone and no figure: it says so by its beginning, or by its groups."""
    groups = [len(group) for group in re.findall(r"\d+", written)]
    abroad = written.startswith(("+", "00", "("))
    grouped = (len(groups) >= 4 and set(groups) == {2}) or groups == [3, 3, 4] or (written.startswith("0") and len(groups) != 2)
    return 7 <= len(digits) <= 15 and (abroad or grouped)


def _phone(found: re.Match[str], digits: str) -> Mention:
    local = digits[-_LOCAL_DIGITS:]
    if found[0].startswith(("+", "00")):
        full = digits.removeprefix("00")
        gives, needs = {f"phone {full}", f"phone …{local}"}, {f"phone {full}", f"local phone {local}"}
    else:
        gives, needs = {f"local phone {local}", f"phone …{local}"}, {f"phone …{local}"}
    return Mention(Kind.PHONE, *found.span(), frozenset(gives), frozenset(needs))
