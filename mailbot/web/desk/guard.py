"""Who may come near the desk at all: by our own address, from our own page, with the token of the session. Pure.

`hmac.compare_digest("", "")` is true: what is empty is refused before anything is compared."""

import hashlib
import hmac
from collections.abc import Collection, Mapping
from urllib.parse import urlsplit

SAFE = ("GET", "HEAD")


def is_our_host(host: str, origin: str) -> bool:
    """Was it asked for by the address that we give out?"""
    return bool(host) and host.lower() == urlsplit(origin).netloc.lower()


def is_same_site(headers: Mapping[str, str], origin: str) -> bool:
    """Does a form come from a page of ours? Browsers say so in Origin; old ones in Referer; what says nothing is none of theirs."""
    if headers.get("sec-fetch-site", "same-origin") != "same-origin":
        return False
    given = headers.get("origin", "") or headers.get("referer", "")
    parts = urlsplit(given)
    return bool(given) and f"{parts.scheme}://{parts.netloc}".lower() == origin.lower()


def token_of(secret: bytes, session: str) -> str:
    """What each form of a session carries; of nobody's, what the login form carries."""
    return hmac.new(secret, b"desk-form:" + hashlib.sha256(session.encode()).digest(), hashlib.sha256).hexdigest()


def is_token(given: str, right: str) -> bool:
    """Is it there, and the right one?"""
    return bool(given) and bool(right) and hmac.compare_digest(given.encode(), right.encode())


def client_of(peer: str, forwarded: str, proxies: Collection[str]) -> str:
    """The address that asks: the last one that a proxy of ours has seen; what others claim is not believed."""
    client = peer
    for client in reversed([*(part.strip() for part in forwarded.split(",") if part.strip()), peer]):
        if client not in proxies:
            break
    return client
