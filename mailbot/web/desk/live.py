"""How far an announcement is, told to a page that stays open (server-sent events): the same lines that the page itself has.

It ends with the announcement, with the session, or after a quarter of an hour; the browser asks again then."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from mailbot.broadcast import store
from mailbot.broadcast.broadcast import State
from mailbot.database.engine import Tx
from mailbot.web.desk.asked import No
from mailbot.web.desk.broadcasts import progress
from mailbot.web.desk.door import Door
from mailbot.web.desk.role import Role

EVERY_SECONDS, MOST_TIMES = 1.0, 900
_OVER = (State.FINISHED, State.CANCELLED)


async def live(door: Door, request: Request) -> Response:
    """Raises No for who may not look."""
    user = await door.user(request)
    if user is None or not user.may(Role.READER):
        raise No("no-session", 403)
    language, database = door.language(request, user), door.bureau.database

    def look(tx: Tx) -> dict[str, Any] | None:
        found = store.find(tx, request.path_params["id"])
        return progress(tx, found, door.bureau.clock()) if found else None

    async def events() -> AsyncIterator[str]:
        told = ""
        for _ in range(MOST_TIMES):
            now = await database.read(look)
            if now is None or await door.user(request) is None or await request.is_disconnected():
                return
            text = door.pages.piece(language, "progress", now)
            if text != told:
                told = text
                yield f"data: {json.dumps(text)}\n\n"
            if now["one"].state in _OVER:
                yield "event: over\ndata: -\n\n"
                return
            await asyncio.sleep(EVERY_SECONDS)

    return StreamingResponse(events(), media_type="text/event-stream")
