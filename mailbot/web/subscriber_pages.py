"""The pages of /u/ and /p/ in an announcement: leaving it (RFC 8058), the way back for a week, and what somebody wants to get."""

from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from typing import Any

import jinja2
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from mailbot.audience.journalist import State
from mailbot.database.engine import Database, Tx
from mailbot.web import subscriber
from mailbot.web.form import sent_form
from mailbot.web.subscriber import Standing, Subscriber

ONE_CLICK = ("List-Unsubscribe", "One-Click")
LINES = (
    *(f"list-{found}-{part}" for found in Standing for part in ("title", "text")),
    "list-open-button", "list-back-button", "list-choose",
    *(f"choose-{name}" for name in ("title", "text", "saved", "language", "topics", "topics-hint", "format", "pause", "save", "leave")),
    *(f"choose-format-{name}" for name in subscriber.FORMATS), *(f"choose-pause-{name}" for name in subscriber.PAUSES),
    "choose-paused", "choose-off",
)  # fmt: skip
Fallback = Callable[[Request], Awaitable[Response]]


class SubscriberPages:
    """What answers: the database, the words, the clock. `fallback`: the page of a link that is none of an announcement's."""

    def __init__(
        self, database: Database, words: Mapping[str, Mapping[str, str]], languages: tuple[str, ...], name: str, office: str, secret: bytes,
        templates: jinja2.Environment, clock: Callable[[], datetime],
    ) -> None:  # fmt: skip
        self._database, self._words, self._languages, self._secret = database, words, languages, secret
        self._name, self._office, self._templates, self._clock = name, office, templates, clock

    async def look(self, request: Request, fallback: Fallback) -> Response:
        """Show how it stands. Changes nothing."""
        found = await self._database.read(subscriber.of_link, self._secret, request.path_params["link"])
        if found is None:
            return await fallback(request)
        return self._left(request, subscriber.standing(found), found)

    async def act(self, request: Request, fallback: Fallback) -> Response:
        """Leave, or come back. What a mail program sends by itself is a wish to leave (RFC 8058, 3.1)."""
        link = request.path_params["link"]
        if await self._database.read(subscriber.of_link, self._secret, link) is None:
            return await fallback(request)
        form = await sent_form(request)
        field, value = ONE_CLICK
        leaves, returns = form.get("yes") == "yes" or form.get(field) == value, form.get("back") == "yes"
        if leaves is returns:
            raise HTTPException(400)

        def do(tx: Tx, now: datetime) -> tuple[Standing, Subscriber | None]:
            before = subscriber.of_link(tx, self._secret, link)
            if before is None:
                return Standing.ALREADY, None
            done = subscriber.leave(tx, before, now) if leaves else subscriber.come_back(tx, before, now)
            return done, subscriber.of_link(tx, self._secret, link)

        done, after = await self._database.write(do, self._clock())
        if after is None:
            return await fallback(request)
        may = await self._database.read(subscriber.may_return, after, self._clock())
        return self._left(request, done, after, back=may is not None)

    async def preferences(self, request: Request) -> Response:
        """Show what is chosen. Changes nothing."""
        found = await self._database.read(subscriber.of_preferences, self._secret, request.path_params["link"])
        if found is None:
            raise HTTPException(404)
        return await self._chosen(found, saved=False)

    async def choose(self, request: Request) -> Response:
        """Keep what was chosen."""
        form = await sent_form(request, most_fields=80)
        link = request.path_params["link"]
        if form.get("yes") != "yes":
            raise HTTPException(400)

        def do(tx: Tx, now: datetime) -> Subscriber | None:
            found = subscriber.of_preferences(tx, self._secret, link)
            given, topics = {key: str(value) for key, value in form.items()}, [str(one) for one in form.getlist("topic")]
            return subscriber.choose(tx, found, given, topics, self._languages, now) if found else None

        found = await self._database.write(do, self._clock())
        if found is None:
            raise HTTPException(404)
        return await self._chosen(found, saved=True)

    def _language(self, found: Subscriber) -> str:
        return found.who.language if found.who.language in self._words else self._languages[0]

    def _left(self, request: Request, stands: Standing, found: Subscriber, *, back: bool = False) -> Response:
        language = self._language(found)
        words = self._words[language]
        told = {"name": self._name, "office": self._office, "address": masked(found.who.address)}
        press = words["list-open-button"] if stands in (Standing.OPEN,) else words["list-back-button"] if back else ""
        shown = {
            "language": language, "title": words[f"list-{stands}-title"].format_map(told),
            "text": words[f"list-{stands}-text"].format_map(told), "press": press, "field": "yes" if stands is Standing.OPEN else "back",
            "foot": words["foot"].format_map(told), "name": self._name, "action": request.url.path,
        }  # fmt: skip
        return HTMLResponse(self._templates.get_template("link.html.j2").render(shown))

    async def _chosen(self, found: Subscriber, *, saved: bool) -> Response:
        language = self._language(found)
        words = self._words[language]
        told = {"name": self._name, "office": self._office, "address": masked(found.who.address)}
        shown: dict[str, Any] = {
            "language": language, "words": {key: words[key].format_map(told) for key in LINES}, "foot": words["foot"].format_map(told),
            "name": self._name, "saved": saved, "subscribed": found.who.state is State.SUBSCRIBED, "mine": found.who.language,
            "languages": [(code, self._words[code]["own-name"]) for code in self._languages if code in self._words],
            "offered": await self._database.read(subscriber.topics), "chosen": found.topics, "format": found.format,
            "formats": subscriber.FORMATS, "pauses": tuple(subscriber.PAUSES),
            "paused": found.paused_until is not None and found.paused_until > self._clock(),
        }  # fmt: skip
        return HTMLResponse(self._templates.get_template("preferences.html.j2").render(shown))


def masked(address: str) -> str:
    """Enough for its owner to know it by: the first letter and the domain."""
    local, _, domain = address.rpartition("@")
    return f"{local[:1]}…@{domain}"
