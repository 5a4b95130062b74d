"""Bytes of a foreign mail into text, whatever its charset claims to be: never raises, never slower than linear.

Two traps decide the shape. A charset name is looked up only when it matches a list of known families, because Python also knows
"codecs" that are not charsets (zlib, idna, punycode) and remembers every unknown name for ever. And labels lie: Latin mail marked
as UTF-8, UTF-8 marked as Latin; both are common enough to be checked.
"""

import binascii
import codecs
import re

_KNOWN = re.compile(
    r"(?:utf-?(?:7|8|8-sig|16|16-?[bl]e|32|32-?[bl]e)|(?:us-?)?ascii|(?:iso-?)?8859-?\d{1,2}|iso-?8859-?\d{1,2}-[ei]|iso-?ir-\d+|latin-?\d{1,2}|l\d"
    r"|(?:windows-?|x-cp|cp-?|ibm-?)\d{3,5}|koi8-?[rutf]|gb2312(?:-80)?|gbk|gb18030|hz(?:-gb-2312)?|big5(?:-?hkscs)?"
    r"|euc-?(?:jp|kr|jis-?2004|jisx0213)|ks-?c-?5601(?:-1987)?|shift-?jis(?:-?2004|x0213)?|sjis|ms932|iso-?2022-(?:jp(?:-?\d|-ext)?|kr)"
    r"|mac(?:intosh|-?(?:roman|cyrillic|greek|latin2|turkish|iceland|croatian|romanian))|tis-?620|johab|kz-?1048|ptcp154|hp-roman8)"
)
_ALIASES = {"iso-8859-8-i": "iso-8859-8", "iso-8859-8-e": "iso-8859-8", "iso-8859-6-i": "iso-8859-6",
            "macintosh": "mac-roman", "ms932": "cp932", "hz-gb-2312": "hz",
            "gb2312-80": "gb2312", "ks-c-5601-1987": "cp949", "x-sjis": "shift-jis"}
# The browsers' rule: mail marked ASCII or Latin-1 is read as Windows-1252, and Simplified Chinese as its superset.
_WIDER = {"ascii": "cp1252", "iso8859-1": "cp1252", "gb2312": "gb18030", "gbk": "gb18030", "shift_jis": "cp932", "euc_kr": "cp949"}
_NOT_BASE64 = bytes(i for i in range(256) if not (chr(i).isascii() and (chr(i).isalnum() or chr(i) in "+/=")))


def codec(charset: str) -> str | None:
    """The Python codec for a charset name of a mail; None when we do not know it."""
    name = charset.strip(" \t\"'").lower()[:40].replace("_", "-")
    name = _ALIASES.get(name, name)
    if not _KNOWN.fullmatch(name):
        return None
    if re.fullmatch(r"(?:x-cp|cp-|ibm-?|windows-?)\d+", name):
        name = "cp" + re.sub(r"\D", "", name)
    if re.fullmatch(r"8859-?\d+", name):
        name = "iso-" + name
    try:
        found = codecs.lookup(name).name
    except LookupError:
        return None
    return _WIDER.get(found, found)


def text(octets: bytes, charset: str = "") -> str:
    """The text of these bytes: by the declared charset where that can be, else UTF-8 or Windows-1252, whichever fits."""
    found = codec(charset) if charset else None
    if found in (None, "cp1252", "utf-8"):
        return _western(octets)
    assert found is not None
    try:
        return octets.decode(found, "replace")
    except (UnicodeError, ValueError):      # a codec with state of its own may refuse even with "replace"
        return _western(octets)


def _western(octets: bytes) -> str:
    if octets.isascii():
        return octets.decode("ascii")
    try:
        return octets.decode("utf-8-sig")
    except UnicodeDecodeError:
        pass
    # A few spoilt characters (or a cut end) in real UTF-8 stay UTF-8; more spoilt than whole means that it never was.
    lenient = octets.decode("utf-8", "replace")
    spoilt = lenient.count("\ufffd")
    whole = len(lenient) - sum(map(len, re.findall(r"[\x00-\x7f]+", lenient))) - spoilt
    if whole > spoilt:
        return lenient
    try:
        return octets.decode("cp1252")
    except UnicodeDecodeError:
        return octets.decode("latin-1")


def from_base64(octets: bytes) -> bytes:
    """Base64 with anything in it that should not be there: spaces, a missing end, a footer glued on by a list."""
    packed = octets.translate(None, _NOT_BASE64)
    packed = packed.split(b"=", 1)[0]
    if len(packed) % 4 == 1:
        packed = packed[:-1]
    return binascii.a2b_base64(packed + b"=" * (-len(packed) % 4))


def from_quoted_printable(octets: bytes) -> bytes:
    """Quoted-printable; a broken escape stays as it is written."""
    return binascii.a2b_qp(octets)


def from_transfer(octets: bytes, encoding: str) -> bytes:
    """Undo a Content-Transfer-Encoding; an unknown one is taken as none."""
    if encoding == "base64":
        return from_base64(octets)
    if encoding == "quoted-printable":
        return from_quoted_printable(octets)
    return octets
