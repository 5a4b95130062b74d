"""Fetches one web page, by urllib3, for a person who wants to import it. The server at the other end may be anybody's.

The name in an address says nothing of where it leads: it is resolved here, once, every address of it must be out in the world, and
the connection goes to that very address, so that a second answer of the name server cannot lead elsewhere. A redirect is a new
address and is asked the same. Size, time and redirects are bounded, unpacked size too. No proxy is used, nothing is kept or sent along.
"""

import contextlib
import re
import socket
import ssl
import time
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from http.client import HTTPException
from threading import Event, Thread
from urllib.parse import SplitResult, quote, urljoin, urlsplit

import idna
from urllib3.connection import HTTPConnection
from urllib3.exceptions import HTTPError
from urllib3.response import BaseHTTPResponse

from mailbot.message import charset
from mailbot.releases.page import MAX_BYTES
from mailbot.releases.public_address import is_public

MOST_REDIRECTS = 5
PIECE = 65_536
TYPES = ("text/html", "application/xhtml+xml")
HEADERS = {"User-Agent": "mailbot", "Accept": "text/html,application/xhtml+xml", "Accept-Encoding": "gzip", "Connection": "close"}
_AWAY = (301, 302, 303, 307, 308)
_CLOSED = (401, 402, 403, 407, 451)
_PATH, _QUERY = "/%:@!$&'()*+,;=~-._", "/%:@!$&'()*+,;=~-._?"
_SAVE = "Open it in your browser, save the page, and import the file."


class NotFetched(Exception):
    """The page did not come; nothing was changed. The message says why, and what to do."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How long a page may take in all, to which addresses a connection may go, and whose certificates count."""

    seconds: float = 20.0
    allows: Callable[[str], bool] = is_public
    authorities: ssl.SSLContext | None = None  # None: those that this machine trusts


def fetch(address: str, limits: Limits = Limits()) -> tuple[str, bytes]:
    """Where the page was in the end, and its bytes, in UTF-8 with its mark where the server named their charset. Raises NotFetched."""
    ends = time.monotonic() + limits.seconds
    seen: list[str] = []
    while True:
        seen.append(address)
        with _asked(address, limits, ends) as response:
            leads_to = response.headers.get("Location") if response.status in _AWAY else None
            if not leads_to:
                return address, _page(response, address)
        following = _following(address, leads_to)
        if following in seen or len(seen) > MOST_REDIRECTS:
            raise NotFetched(f"{seen[0]} leads from one address to the next and never to a page. Give the address that your browser shows.")
        if address.lower().startswith("https:") and following.lower().startswith("http:"):
            raise NotFetched(f"{address} leads to one without https, where anybody could change the text: {following}. {_SAVE}")
        address = following


def _following(address: str, leads_to: str) -> str:
    try:
        return urljoin(address, leads_to)
    except ValueError as problem:
        raise NotFetched(f"{address} leads to an address that is none: {leads_to!r}. {_SAVE}") from problem


@contextlib.contextmanager
def _asked(address: str, limits: Limits, ends: float) -> Iterator[BaseHTTPResponse]:
    """The server's answer, its body unread. When time runs out the connection is cut, whoever is talking; at the end it is closed."""
    parts, host = _parts(address)
    places = _places(address, parts, host, limits)
    try:
        with _connected(places, ends) as dialled:
            secure = limits.authorities or ssl.create_default_context() if parts.scheme == "https" else None
            wire = secure.wrap_socket(dialled, server_hostname=host, do_handshake_on_connect=False) if secure else dialled
            with wire, _cut_off(wire, ends):
                if isinstance(wire, ssl.SSLSocket):
                    wire.do_handshake()
                connection = HTTPConnection(host)
                connection.sock = wire
                target = quote(parts.path or "/", safe=_PATH) + (f"?{quote(parts.query, safe=_QUERY)}" if parts.query else "")
                headers = {**HEADERS, "Host": parts.netloc}
                connection.request("GET", target, headers=headers, preload_content=False, decode_content=False)
                response = connection.getresponse()
                if time.monotonic() >= ends:  # a head that was cut reads as one that ended
                    raise TimeoutError
                yield response
    except ssl.SSLCertVerificationError as problem:
        raise NotFetched(f"{host} cannot prove that it is {host} ({problem.verify_message}). {_SAVE}") from problem
    except (HTTPError, HTTPException, OSError, ValueError) as problem:
        if time.monotonic() >= ends:
            raise NotFetched(f"{address} took longer than {limits.seconds:g} seconds. Try again later. Or: {_SAVE}") from problem
        said = getattr(problem, "strerror", "") or str(problem) or type(problem).__name__
        raise NotFetched(f"{address} cannot be reached ({said}). {_SAVE}") from problem


def _parts(address: str) -> tuple[SplitResult, str]:
    """The parts of an address, netloc as the Host header wants it, and the name in it. Raises NotFetched for what is none."""
    wrong = NotFetched(f"{address!r} is not the address of a page. Give one as your browser shows it: https://example.org/news/release")
    if not address.isprintable() or any(char in address for char in "\\ \t"):
        raise wrong
    try:
        parts = urlsplit(address)
        port, name = parts.port, parts.hostname or ""
        host = name if name.isascii() else idna.encode(name, uts46=True).decode()
    except ValueError as problem:  # also idna's
        raise wrong from problem
    if parts.scheme not in ("http", "https") or not host or "@" in parts.netloc or "%" in host:
        raise wrong
    shown = f"[{host}]" if ":" in host else host
    return parts._replace(netloc=shown + (f":{port}" if port else "")), host


def _places(address: str, parts: SplitResult, host: str, limits: Limits) -> list[tuple[str, int]]:
    """Where the name leads: every address of it, or none. Raises NotFetched."""
    try:
        found = socket.getaddrinfo(host, parts.port or (443 if parts.scheme == "https" else 80), type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as problem:
        raise NotFetched(f"There is no {host}, or no name server that knows it. Is the address right? {address}") from problem
    places = list(dict.fromkeys((str(place[0]), int(place[1])) for *_, place in found))
    if not places or not all(limits.allows(place) for place, _ in places):
        raise NotFetched(f"{address} leads into a private network, where nothing is fetched from. {_SAVE}")
    return places


@contextlib.contextmanager
def _connected(places: list[tuple[str, int]], ends: float) -> Iterator[socket.socket]:
    """A connection to the first of the places that answers. Raises OSError."""
    for number, place in enumerate(places, 1):
        left = max(0.1, ends - time.monotonic())
        try:
            wire = socket.create_connection(place, timeout=left if number == len(places) else left / 2)
        except OSError:
            if number == len(places):
                raise
            continue
        wire.settimeout(left)
        with wire:
            yield wire
        return


@contextlib.contextmanager
def _cut_off(wire: socket.socket, ends: float) -> Iterator[None]:
    """A timeout of the socket starts anew with every octet; this one does not."""
    done = Event()

    def cut() -> None:
        if not done.wait(max(0.0, ends - time.monotonic())):
            with contextlib.suppress(OSError):
                socket.socket.shutdown(wire, socket.SHUT_RDWR)  # below TLS, which somebody else is reading

    watch = Thread(target=cut, daemon=True)
    watch.start()
    try:
        yield
        if time.monotonic() >= ends:
            raise TimeoutError
    finally:
        done.set()
        watch.join()


def _page(response: BaseHTTPResponse, address: str) -> bytes:
    if response.status in _CLOSED:
        raise NotFetched(f"{address} is not open to everybody ({response.status}). {_SAVE}")
    if response.status in (404, 410):
        raise NotFetched(f"There is no page at {address} ({response.status}). Is the address right?")
    if response.status != 200:
        raise NotFetched(f"{address} answers with an error ({response.status}). Try again later. Or: {_SAVE}")
    kind, _, parameters = response.headers.get("Content-Type", "").partition(";")
    if kind.strip().lower() not in TYPES:
        raise NotFetched(f"{address} is no web page but {kind.strip() or 'of no type that it names'}. Download it, and import the file.")
    data = b"".join(_unpacked(response, address))
    named = re.search(r"charset\s*=\s*[\"']?([\w-]{2,40})", parameters, re.I)
    return charset.text(data, named[1]).encode("utf-8-sig") if named and charset.codec(named[1]) else data


def _unpacked(response: BaseHTTPResponse, address: str) -> Iterator[bytes]:
    """The body in pieces, never more of it than a page may have."""
    packing = response.headers.get("Content-Encoding", "identity").strip().lower()
    if packing not in ("identity", "gzip", "x-gzip", ""):
        raise NotFetched(f"{address} comes packed in a way that was not asked for ({packing}). {_SAVE}")
    gzip = zlib.decompressobj(wbits=31) if "gzip" in packing else None
    came = 0
    for packed in response.stream(PIECE, decode_content=False):
        while packed:
            try:
                piece = gzip.decompress(packed, PIECE) if gzip else packed
            except zlib.error as problem:
                raise NotFetched(f"{address} came damaged. Try again. Or: {_SAVE}") from problem
            came += len(piece)
            if came > MAX_BYTES:
                raise NotFetched(f"{address} has more than {MAX_BYTES // 1_000_000} MB. Is it the page of one release? {_SAVE}")
            yield piece
            packed = gzip.unconsumed_tail if gzip else b""
    if gzip:
        yield gzip.flush()
        if not gzip.eof:
            raise NotFetched(f"{address} came in part only. Try again. Or: {_SAVE}")
