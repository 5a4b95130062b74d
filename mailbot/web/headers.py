"""What every page of ours says to the browser: load nothing from elsewhere, stand in nobody's frame, keep nothing, tell nobody."""

from collections.abc import Mapping, MutableMapping
from typing import Any

from starlette.types import ASGIApp, Receive, Scope, Send


def with_headers(app: ASGIApp, headers: Mapping[str, str]) -> ASGIApp:
    """The same application; each answer carries these headers where it has none of that name."""

    async def inner(scope: Scope, receive: Receive, send: Send) -> None:
        async def sending(message: MutableMapping[str, Any]) -> None:
            if message["type"] == "http.response.start":
                given = {name.lower() for name, _ in message["headers"]}
                added = ((name.lower().encode(), value.encode()) for name, value in headers.items())
                message["headers"] = [*message["headers"], *(pair for pair in added if pair[0] not in given)]
            await send(message)

        await app(scope, receive, sending)

    return inner
