"""The one way into the desk: host, session, role, origin, token and size are looked at here, and nowhere else.

A GET reads in a reading transaction and changes nothing. A POST acts in one transaction, in which its line of the journal is written;
what is refused is rolled back, said on a plain page in the visitor's language, and counted.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from secrets import token_hex
from typing import Any

import structlog
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.types import Message

from mailbot.database.engine import DatabaseUnusable, Tx
from mailbot.web.desk import guard, user_store
from mailbot.web.desk.asked import Asked, Bureau, Given, Go, No, Shown, User
from mailbot.web.desk.printing import Pages
from mailbot.web.desk.role import Role
from mailbot.web.reader import reading

log = structlog.get_logger()
MOST_OCTETS, MOST_FIELDS, MOST_FILES = 1 << 20, 60, 12
Prepare = Callable[[Bureau, Asked], Awaitable[Any]]
Run = Callable[[Tx, Bureau, Asked], Shown | Given | Go | None]


@dataclass(frozen=True, slots=True)
class Way:
    """One page or deed of the desk: its name in the journal, where it is, who may, what it does. `most`: octets of its form."""

    name: str
    method: str
    path: str
    needs: Role
    run: Run
    prepare: Prepare | None = None
    most: int = MOST_OCTETS


class Door:
    """Lets in who may come in."""

    def __init__(self, bureau: Bureau, pages: Pages) -> None:
        self.bureau, self.pages = bureau, pages

    @property
    def cookie(self) -> str:
        """Its name: with https one that no other host and no plain connection can set."""
        return "__Host-desk" if self.bureau.origin.startswith("https:") else "desk"

    async def user(self, request: Request) -> User | None:
        """Who is logged in."""
        token = request.cookies.get(self.cookie, "")
        return await self.bureau.database.read(user_store.who, token, self.bureau.clock()) if token else None

    def at(self, way: Way) -> Callable[[Request], Awaitable[Response]]:
        """What answers there."""

        async def answer(request: Request) -> Response:
            return await self.guarded(request, lambda: self._answer(way, request))

        return answer

    async def guarded(self, request: Request, answer: Callable[[], Awaitable[Response]]) -> Response:
        """What is refused becomes a plain page, whoever refuses it."""
        try:
            if not guard.is_our_host(request.headers.get("host", ""), self.bureau.origin):
                raise No("no-host", 421)
            return await answer()
        except No as refused:
            return await self.refuse(request, refused.why, refused.status, refused.detail)
        except HTTPException as refused:
            why = {404: "no-lost", 405: "no-lost", 413: "no-long"}.get(refused.status_code, "no-form")
            return await self.refuse(request, why, refused.status_code)
        except DatabaseUnusable as trouble:
            log.error("desk-database", trouble=str(trouble))
            return self.pages.plain(self.language(request, None), "no-database", 503)
        except Exception as fault:  # a fault of one page takes no other with it
            return self.broken(request, fault)

    async def refuse(self, request: Request, why: str, status: int, detail: str = "") -> Response:
        """Say no, count it, and keep out of the log what a stranger wrote."""
        self.bureau.refused[why] += 1
        log.warning("desk-refused", why=why, status=status, method=request.method)
        user = await self.user(request) if why not in ("no-host", "no-database") else None
        return self.pages.plain(self.language(request, user), why, status, detail=detail, user=user, form=self.form_token(request))

    def broken(self, request: Request, fault: Exception) -> Response:
        """A fault of ours: it is in the log under a number, and the number alone is on the page."""
        number = token_hex(4)
        log.error("desk-fault", number=number, path=request.scope["path"].partition("/desk/")[2].partition("/")[0], exc_info=fault)
        self.bureau.refused["no-fault"] += 1
        return self.pages.plain(self.language(request, None), "no-fault", 500, detail=number)

    async def _answer(self, way: Way, request: Request) -> Response:
        user = await self.user(request)
        if user is None:
            if request.method in guard.SAFE:
                return RedirectResponse("/desk/login", 303)
            raise No("no-session", 403)
        if not user.may(way.needs):
            raise No("no-role", 403)
        bureau = self.bureau
        asked = Asked(user=user, path=dict(request.path_params), now=bureau.clock(), language=self.language(request, user),
                      query={name: value[:500] for name, value in request.query_params.items()})  # fmt: skip
        if way.method == "POST":
            form, files = await self.form(request, way.most)
            asked = replace(asked, form=form, files=files)
        if way.prepare is not None:
            asked = replace(asked, prepared=await way.prepare(bureau, asked))
        if way.method == "POST":
            done = await bureau.database.write(_act, way, bureau, asked)
            bureau.queued()
        else:
            done = await bureau.database.read(way.run, bureau, asked)
        return self.respond(request, asked, done)

    def respond(self, request: Request, asked: Asked, done: Shown | Given | Go | None) -> Response:
        """A page, a file, or the way on."""
        match done:
            case None:
                raise HTTPException(404)
            case Go(to=to, told=told):
                return RedirectResponse(f"{to}{'&' if '?' in to else '?'}told={told}", 303)
            case Given():
                return self.pages.given(done)
            case Shown():
                return self.pages.page(asked, done, request.url.path, self.form_token(request), self.bureau.refused)

    def form_token(self, request: Request) -> str:
        """What the forms of this visitor carry."""
        return guard.token_of(self.bureau.desk.secret, request.cookies.get(self.cookie, ""))

    async def form(self, request: Request, most: int) -> tuple[dict[str, str], tuple[tuple[str, bytes], ...]]:
        """What was sent, if it comes from a page of ours. Raises No, HTTPException (413)."""
        if not guard.is_same_site(request.headers, self.bureau.origin):
            raise No("no-origin", 403)
        body = bytearray()
        async for piece in request.stream():
            body += piece
            if len(body) > most:
                raise HTTPException(413)

        async def replayed() -> Message:
            return {"type": "http.request", "body": bytes(body), "more_body": False}

        sent = await Request(request.scope, replayed).form(max_files=MOST_FILES, max_fields=MOST_FIELDS, max_part_size=most)
        fields = {name: value for name, value in sent.items() if isinstance(value, str)}
        if not guard.is_token(fields.get("token", ""), self.form_token(request)):
            raise No("no-token", 403)
        held = [(one.filename or "", await one.read()) for _, one in sent.multi_items() if not isinstance(one, str)]
        return fields, tuple((name, content) for name, content in held if content)

    def language(self, request: Request, user: User | None) -> str:
        """The user's own, else the first of the browser's that the office has, else the office's."""
        return user.language if user and user.language in self.bureau.words else reading(request, self.bureau.languages)


def _act(tx: Tx, way: Way, bureau: Bureau, asked: Asked) -> Shown | Given | Go | None:
    """The deed and its line in the journal: both, or neither."""
    done = way.run(tx, bureau, asked)
    if done is None:
        raise No("no-lost", 404)
    user_store.note(tx, asked.user.address, way.name, done.about, done.words, asked.now)
    return done
