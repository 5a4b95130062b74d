"""Coming in and going out: a password, or a link that is good once. Looking at a link changes nothing: scanners look at every link."""

import secrets
from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from mailbot.database.engine import Tx
from mailbot.message.address import key as key_of
from mailbot.web.desk import guard, user_store
from mailbot.web.desk.asked import No, User
from mailbot.web.desk.door import Door
from mailbot.web.desk.passwords import Doorkeeper

FORM_OCTETS = 16 << 10
Answer = Callable[[Request], Awaitable[Response]]


class Entrance:
    """The pages before there is a session."""

    def __init__(self, door: Door) -> None:
        self._door, self._keeper = door, Doorkeeper()

    def routes(self) -> list[Route]:
        """Where it answers."""
        pages = (
            ("/desk/login", "GET", self.ask), ("/desk/login", "POST", self.log_in), ("/desk/logout", "POST", self.log_out),
            ("/desk/enter/{link:str}", "GET", self.look), ("/desk/enter/{link:str}", "POST", self.enter),
        )  # fmt: skip
        return [Route(path, self._guarded(answer), methods=[method]) for path, method, answer in pages]

    def _guarded(self, answer: Answer) -> Answer:
        async def inner(request: Request) -> Response:
            return await self._door.guarded(request, lambda: answer(request))

        return inner

    async def ask(self, request: Request) -> Response:
        """Who is there?"""
        if await self._door.user(request):
            return RedirectResponse("/desk", 303)
        return self._page(request, "login", {"wrong": "", "address": ""})

    async def log_in(self, request: Request) -> Response:
        """A password. Whether the address is known is not to be told from the answer, nor from its time."""
        door, form = self._door, (await self._door.form(request, FORM_OCTETS))[0]
        database, now = door.bureau.database, door.bureau.clock()
        key = key_of(form.get("address", "")[:400].strip())
        client = guard.client_of(request.client.host if request.client else "", request.headers.get("x-forwarded-for", ""),
                                 door.bureau.proxies)  # fmt: skip
        if not await database.write(user_store.begin_try, secrets.token_hex(16), key, client, now):
            door.bureau.refused["login-throttled"] += 1
            return self._page(request, "login", {"wrong": "login-wait", "address": form.get("address", "")[:400]}, 429)
        found = await database.read(user_store.find, key)
        if not await self._keeper.knows(found[1] if found else "", form.get("password", "")) or found is None:
            door.bureau.refused["login-wrong"] += 1
            return self._page(request, "login", {"wrong": "login-wrong", "address": form.get("address", "")[:400]}, 403)
        token = secrets.token_urlsafe(32)

        def begin(tx: Tx, user: User) -> bool:
            still = user_store.find(tx, user.key)   # a password that was changed meanwhile opens nothing
            if still is None or still[1] != found[1]:
                return False
            user_store.forget_tries(tx, user.key)
            self._begin(tx, user, request, token, "login")
            return True

        if not await database.write(begin, found[0]):
            raise No("no-session", 403)
        return self._let_in(token)

    async def look(self, request: Request) -> Response:
        """The page of a link, with a button."""
        stands = await self._door.bureau.database.read(user_store.link_stands, request.path_params["link"], self._door.bureau.clock())
        return self._page(request, "enter", {"stands": stands}, 200 if stands else 410)

    async def enter(self, request: Request) -> Response:
        """Use the link up."""
        await self._door.form(request, FORM_OCTETS)
        token = secrets.token_urlsafe(32)

        def use(tx: Tx, link: str) -> bool:
            user = user_store.use_link(tx, link, self._door.bureau.clock())
            if user is None:
                return False
            self._begin(tx, user, request, token, "enter")
            return True

        if not await self._door.bureau.database.write(use, request.path_params["link"]):
            self._door.bureau.refused["no-link"] += 1
            return self._page(request, "enter", {"stands": False}, 410)
        return self._let_in(token)

    async def log_out(self, request: Request) -> Response:
        """The session ends on the server too."""
        await self._door.form(request, FORM_OCTETS)
        token = request.cookies.get(self._door.cookie, "")

        def leave(tx: Tx) -> None:
            now = self._door.bureau.clock()
            user = user_store.who(tx, token, now)
            user_store.end(tx, token)
            if user is not None:
                user_store.note(tx, user.address, "logout", "", "", now)

        await self._door.bureau.database.write(leave)
        answer = RedirectResponse("/desk/login", 303)
        answer.delete_cookie(self._door.cookie, path="/", secure=self._is_https, httponly=True, samesite="lax")
        return answer

    def _begin(self, tx: Tx, user: User, request: Request, token: str, did: str) -> None:
        """Another session than the one that came along: nobody can have set it before."""
        now, before = self._door.bureau.clock(), request.cookies.get(self._door.cookie, "")
        if before:
            user_store.end(tx, before)
        user_store.begin(tx, user.key, token, now)
        user_store.note(tx, user.address, did, "", "", now)

    def _let_in(self, token: str) -> Response:
        answer = RedirectResponse("/desk", 303)
        most = int(user_store.LASTS.total_seconds())
        answer.set_cookie(self._door.cookie, token, max_age=most, path="/", secure=self._is_https, httponly=True, samesite="lax")
        return answer

    @property
    def _is_https(self) -> bool:
        return self._door.bureau.origin.startswith("https:")

    def _page(self, request: Request, template: str, values: dict[str, object], status: int = 200) -> Response:
        door = self._door
        return door.pages.outside(door.language(request, None), template, door.form_token(request), values, status)
