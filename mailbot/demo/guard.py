"""Who may see the demo's pages: this machine's own browser, on our own page.

A Host that is not this machine's own name is refused, because another site could point its name here; so is a POST that
another page sent. Every answer says that it may load nothing from elsewhere and stand in nobody's frame.
"""

from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from mailbot.web.headers import with_headers

HOSTS = ("127.0.0.1", "localhost", "[::1]")
HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; frame-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}


def guarded(app: ASGIApp) -> ASGIApp:
    """Nobody but this machine's own browser on our own page gets in; every answer carries the strict headers."""

    async def inner(scope: Scope, receive: Receive, send: Send) -> None:
        refusal = refused(Request(scope)) if scope["type"] == "http" else ""
        await (PlainTextResponse(refusal, 403)(scope, receive, send) if refusal else app(scope, receive, send))

    return with_headers(inner, HEADERS)


def refused(request: Request) -> str:
    """Why this request is not answered; empty where it is."""
    host = request.headers.get("host", "")
    name = host if host.endswith("]") else host.partition("]:")[0] + "]" if host.startswith("[") else host.partition(":")[0]
    if name not in HOSTS:
        return "This demonstration answers on this computer only, by the address that it printed.\n"
    if request.method in ("GET", "HEAD"):
        return ""
    site = request.headers.get("sec-fetch-site")
    origin = request.headers.get("origin") or request.headers.get("referer", "")  # old browsers send no Origin with a form
    if site in (None, "same-origin") and origin and urlsplit(origin)[:2] == ("http", host):
        return ""
    return "Refused: this request does not come from the demonstration's own page.\n"
