"""The public pages that a link in our mails opens: /c/ confirms a place on the press list, /u/ leaves it (RFC 8058); /s/ signs.

Without a script, on an old phone and by keyboard. GET shows and changes nothing; POST acts, without cookie or login, as often as
it is sent. Nobody learns from a page more than the holder of its link knows: the address is masked.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import jinja2
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from mailbot import rendering
from mailbot.audience.journalist import Asked, Purpose
from mailbot.audience.link import PATHS
from mailbot.database.engine import Database, DatabaseUnusable
from mailbot.inbox.hand_over import Desk
from mailbot.typography import Typography, no_break
from mailbot.web import machines, sign_off, subscriber_pages
from mailbot.web.follow_link import Standing, asked_by, follow, standing
from mailbot.web.form import sent_form
from mailbot.web.headers import with_headers
from mailbot.web.news import pages as news
from mailbot.web.reader import reading
from mailbot.web.style import SHIPPED, styled
from mailbot.web.subscriber_pages import masked

PAGES = Path(__file__).parent / "pages"
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "X-Robots-Tag": "noindex",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}
ONE_CLICK = ("List-Unsubscribe", "One-Click")
_PURPOSES = {path: purpose for purpose, path in PATHS.items()}
LINES = (
    "foot",
    *(f"{page}-{part}" for page in ("lost", "trouble-400", "trouble-413", "trouble-503") for part in ("title", "text")),
    *(f"{purpose}-{found}-{part}" for purpose in _PURPOSES.values() for found in Standing for part in ("title", "text")),
    *(f"{purpose}-{Standing.OPEN}-button" for purpose in _PURPOSES.values()),
    *sign_off.LINES,
    *subscriber_pages.LINES,
    *news.LINES,
    "own-name",
)
_STATUS = {Standing.TOO_LATE: 410, Standing.REFUSED: 410}


@dataclass(frozen=True, slots=True, kw_only=True)
class Newsroom:
    """Whose pages they are, and in which words: language -> the lines of templates/<language>/web.yaml."""

    name: str
    address: str
    languages: tuple[str, ...]
    words: Mapping[str, Mapping[str, str]]
    secret: bytes
    accent: str = SHIPPED


_TEMPLATES = jinja2.Environment(
    loader=jinja2.FileSystemLoader(PAGES), autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
)


class _Pages:
    """What answers: the database, the words, the clock; and how often what was refused."""

    def __init__(self, database: Database, newsroom: Newsroom, clock: Callable[[], datetime], refused: Counter[str]) -> None:
        self._database, self._newsroom, self._clock, self._refused = database, newsroom, clock, refused
        self._templates = _TEMPLATES

    async def look(self, request: Request) -> Response:
        """Show what the link is for. Changes nothing."""
        purpose, link = _named(request)
        asked = await self._database.read(asked_by, self._newsroom.secret, purpose, link)
        return self._page(request, purpose, standing(asked, self._clock()) if asked else None, asked)

    async def act(self, request: Request) -> Response:
        """Do what it is for."""
        purpose, link = _named(request)
        if not await _is_meant(request, purpose):
            raise HTTPException(400)
        found = await self._database.write(follow, self._newsroom.secret, purpose, link, self._clock())
        return self._page(request, purpose, *(found or (None, None)))

    async def trouble(self, request: Request, problem: Exception) -> Response:
        """An address that does not exist, a form that is none of ours, a database that does not answer."""
        status = problem.status_code if isinstance(problem, HTTPException) else 503
        page = "lost" if status in (404, 405) else f"trouble-{status}"
        self._refused[page] += 1
        return self._render(request, status, reading(request, self._newsroom.languages), page, {})

    def _page(self, request: Request, purpose: Purpose, found: Standing | None, asked: Asked | None) -> Response:
        if found is None or asked is None:
            self._refused["lost"] += 1
            return self._render(request, 404, reading(request, self._newsroom.languages), "lost", {})
        language = asked.journalist.language if asked.journalist.language in self._newsroom.words else self._newsroom.languages[0]
        values = {"address": masked(asked.journalist.address), "button": found is Standing.OPEN}
        return self._render(request, _STATUS.get(found, 200), language, f"{purpose}-{found}", values)

    def _render(self, request: Request, status: int, language: str, page: str, values: Mapping[str, Any]) -> Response:
        words = self._newsroom.words[language]
        told = {"name": self._newsroom.name, "office": self._newsroom.address, "address": values.get("address", "")}
        shown = {
            "language": language, "title": words[f"{page}-title"].format_map(told), "text": words[f"{page}-text"].format_map(told),
            "press": words[f"{page}-button"] if values.get("button") else "", "foot": words["foot"].format_map(told), "name": told["name"],
            "action": request.url.path, "field": "yes",
        }  # fmt: skip
        return HTMLResponse(self._templates.get_template("link.html.j2").render(shown), status)


def words(folders: Sequence[Path], code: str, rules: Typography) -> dict[str, str]:
    """What the pages say in a language. Raises rendering.TemplateFault where a line is missing or names what there is not."""
    found = rendering.lines(folders, code, "web.yaml")
    for key in LINES:
        try:
            found.get(key, "{missing}").format_map({"name": "", "office": "", "address": ""})
        except (KeyError, IndexError, ValueError, AttributeError) as problem:
            what = f"{key}: is missing" if key not in found else f"{key}: knows {{name}}, {{office}} and {{address}} alone ({problem!r})"
            raise rendering.TemplateFault(f"{code}/web.yaml", None, what) from problem
    return {key: no_break(sentence, rules) for key, sentence in found.items()}


def site(
    database: Database, newsroom: Newsroom, clock: Callable[[], datetime], desk: Desk | None = None, more: Sequence[Route] = (),
    refused: Counter[str] | None = None,
) -> ASGIApp:  # fmt: skip
    """The application. `desk`: who writes when somebody signs; None: nobody does here. `more`: what else answers, before ours; `refused`:
    where it counts what it refused."""
    refused = Counter() if refused is None else refused
    pages = _Pages(database, newsroom, clock, refused)
    signing = sign_off.SignPages(database, desk, newsroom.words[desk.office.own_language], _TEMPLATES, clock) if desk else None
    mine = subscriber_pages.SubscriberPages(
        database, newsroom.words, newsroom.languages, newsroom.name, newsroom.address, newsroom.secret, _TEMPLATES, clock
    )

    async def left(request: Request) -> Response:
        return await mine.look(request, pages.look)

    async def leaves(request: Request) -> Response:
        return await mine.act(request, pages.act)

    routes = [
        *machines.routes(database, clock, refused),
        Route("/u/{link:str}", left, methods=["GET"]),
        Route("/u/{link:str}", leaves, methods=["POST"]),
        Route("/p/{link:str}", mine.preferences, methods=["GET"]),
        Route("/p/{link:str}", mine.choose, methods=["POST"]),
        *more,
        *(news.NewsPages(database, desk, desk.languages, newsroom.words, _TEMPLATES, clock).routes() if desk else ()),
        *(signing.routes() if signing else ()),
        Route("/{of:str}/{link:str}", pages.look, methods=["GET"]),
        Route("/{of:str}/{link:str}", pages.act, methods=["POST"]),
        Route("/style.css", styled(PAGES / "style.css", newsroom.accent), methods=["GET"]),
    ]
    troubles = {HTTPException: pages.trouble, DatabaseUnusable: pages.trouble, Exception: pages.trouble}  # the last is logged, too
    return with_headers(Starlette(routes=routes, exception_handlers=troubles), HEADERS)


def _named(request: Request) -> tuple[Purpose, str]:
    purpose = _PURPOSES.get(request.path_params.get("of", PATHS[Purpose.LEAVE]))
    if purpose is None:
        raise HTTPException(404)
    return purpose, request.path_params["link"]


async def _is_meant(request: Request, purpose: Purpose) -> bool:
    """Is it our own form, or a mail program's one click? Anything else that is sent here means nothing."""
    form = await sent_form(request)
    field, value = ONE_CLICK
    return form.get("yes") == "yes" or (purpose is Purpose.LEAVE and form.get(field) == value)
