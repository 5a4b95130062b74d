"""A desk on loopback over real HTTP: an office with releases and mails, a user of each role, and a browser without a script."""

import asyncio
import http.cookiejar
import re
import secrets
import socket
import threading
import urllib.error
import urllib.parse
import urllib.request
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from mailbot import languages, office_terms, rendering, terms
from mailbot.check import checked
from mailbot.message.address import Address
from mailbot.standing import standing
from mailbot.web import site
from mailbot.web.desk import user_store, ways
from mailbot.web.desk.asked import Bureau
from mailbot.web.desk.passwords import hash_of
from mailbot.web.desk.printing import words as desk_words
from mailbot.web.desk.role import Role
from mailbot.web.serve import WebServer, listening_on
from tests.edges.newsroom import COLLEAGUE, Newsroom

PASSWORD = "correct horse battery"
HASHED = hash_of(PASSWORD)
EDITOR, READER, APPROVER, PROTECTION = COLLEAGUE, "reader@office.example", "chief@office.example", "care@office.example"
ROLES = {EDITOR: Role.EDITOR, READER: Role.READER, APPROVER: Role.APPROVER, PROTECTION: Role.PROTECTION}


@dataclass(frozen=True)
class Reply:
    status: int
    headers: Any
    text: str
    content: bytes = field(repr=False)

    @property
    def token(self) -> str:
        found = re.search(r'name="token" value="([0-9a-f]+)"', self.text)
        return found[1] if found else ""

    def value(self, name: str) -> str:
        found = re.search(rf'name="{name}" value="([^"]*)"', self.text)
        return found[1] if found else ""


class _Stays(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: Any) -> None:
        return None


class Browser:
    """Keeps its cookie, follows no redirect by itself, and says where a form comes from as browsers do."""

    def __init__(self, origin: str) -> None:
        self.origin = origin
        self.jar = http.cookiejar.CookieJar()
        self._open = urllib.request.build_opener(_Stays, urllib.request.HTTPCookieProcessor(self.jar)).open

    def get(self, path: str, **headers: str) -> Reply:
        return self._ask(urllib.request.Request(self.origin + path, headers={"Accept-Language": "fr", **headers}))

    def post(self, path: str, fields: dict[str, str] | bytes, *, token: str | None = None, origin: str | None = None,
             kind: str = "application/x-www-form-urlencoded", **headers: str) -> Reply:  # fmt: skip
        """`token`: None takes the one of the page that would hold the form."""
        if isinstance(fields, dict):
            given = self.token() if token is None else token
            body = urllib.parse.urlencode({**fields, "token": given}).encode()
        else:
            body = fields
        sent = {"Content-Type": kind, "Origin": self.origin if origin is None else origin, **headers}
        return self._ask(urllib.request.Request(self.origin + path, body, {name: value for name, value in sent.items() if value}))

    def token(self) -> str:
        return self.get("/desk/settings").token or self.get("/desk/login").token

    def upload(self, path: str, fields: dict[str, str], files: list[tuple[str, str, bytes]]) -> Reply:
        border = secrets.token_hex(8)
        parts = [
            f'--{border}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()
            for name, value in {**fields, "token": self.token()}.items()
        ]
        for name, file, content in files:
            head = f'--{border}\r\nContent-Disposition: form-data; name="{name}"; filename="{file}"\r\n\r\n'.encode()
            parts.append(head + content + b"\r\n")
        return self.post(path, b"".join(parts) + f"--{border}--\r\n".encode(), kind=f"multipart/form-data; boundary={border}")

    def log_in(self, who: str, password: str = PASSWORD) -> Reply:
        return self.post("/desk/login", {"address": who, "password": password}, token=self.get("/desk/login").token)

    def _ask(self, request: urllib.request.Request) -> Reply:
        try:
            with self._open(request, timeout=20) as answer:
                return self._reply(answer.status, answer.headers, answer.read())
        except urllib.error.HTTPError as answer:
            with answer:
                return self._reply(answer.code, answer.headers, answer.read())

    @staticmethod
    def _reply(status: int, headers: Any, content: bytes) -> Reply:
        return Reply(status, headers, content.decode("utf-8", "replace"), content)


@dataclass
class Stand:
    office: Newsroom
    origin: str
    bureau: Bureau

    def browser(self, who: str = "") -> Browser:
        """Logged in as this user; by a session of its own, for a password takes its time on purpose."""
        browser = Browser(self.origin)
        if who:
            token = secrets.token_urlsafe(16)
            self.office.database.write_now(user_store.begin, who, token, self.office.now)
            host = self.origin.partition("://")[2].partition(":")[0]
            browser.jar.set_cookie(_cookie("desk", token, host))
        return browser

    def journal(self) -> list[tuple[str, str, str]]:
        rows = self.office.database.read_now(user_store.entries, 0, 100)
        return [(row["who"], row["did"], row["about"]) for row in reversed(rows)]


def _cookie(name: str, value: str, host: str) -> http.cookiejar.Cookie:
    return http.cookiejar.Cookie(0, name, value, None, False, host, False, False, "/", True, False, None, True, None, None, {})


@contextmanager
def desk_stand(office: Newsroom) -> Iterator[Stand]:
    """Served in a thread of its own until the end."""
    for who, role in ROLES.items():
        office.database.write_now(user_store.put, Address(who, who.partition("@")[0].title()), "fr", [role], HASHED, office.now)
    with listening_on("127.0.0.1", 0) as listening:
        origin = f"http://127.0.0.1:{listening.getsockname()[1]}"
        bureau, app = _made(office, origin)
        ready = threading.Event()
        loop, server = asyncio.new_event_loop(), WebServer(app)
        thread = threading.Thread(target=_serve, args=(loop, server, listening, bureau, ready))
        thread.start()
        ready.wait()
        try:
            yield Stand(office, origin, bureau)
        finally:
            loop.call_soon_threadsafe(server.stop)
            thread.join()


def _serve(loop: asyncio.AbstractEventLoop, server: WebServer, listening: socket.socket, bureau: Bureau, ready: threading.Event) -> None:
    async def serve() -> None:
        ready.set()
        await server.serve(listening)
        await bureau.reader.close()

    loop.run_until_complete(serve())
    loop.close()


def _made(office: Newsroom, origin: str) -> tuple[Bureau, Any]:
    """As service.build makes it."""
    writes, folders, codes = office.desk.office, [rendering.shipped()], office.desk.office.languages
    rules = writes.words.typographies
    pages = {code: site.words(folders, code, rules[code]) for code in codes}
    bureau = Bureau(
        database=office.database, desk=office.desk, reader=office_terms.reader_of(office.settings, languages.load([languages.shipped()])),
        origin=origin, proxies=frozenset(), words={code: desk_words(folders, code, rules[code]) for code in codes}, pages=pages,
        reasons={code: rendering.lines(folders, code, "reasons.yaml") for code in codes},
        settings=terms.settings_without_secrets(office.settings), standing=partial(standing, mode="automatic"), queued=lambda: None,
        clock=lambda: office.now, zone=office_terms.office_zone(office.settings), refused=Counter(),
        check=lambda live: checked(office.settings, office.now, live=live),
    )  # fmt: skip
    public = site.Newsroom(name=writes.name, address=writes.address.address, languages=codes, words=pages, secret=office.desk.secret)
    return bureau, site.site(office.database, public, lambda: office.now, office.desk, ways.routes(bureau), bureau.refused)


