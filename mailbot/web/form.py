"""The form that somebody sent to a page of ours: never more than a page can need."""

from starlette.datastructures import FormData
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.types import Message

MOST_OCTETS = 64 << 10


async def sent_form(request: Request, most_fields: int = 20) -> FormData:
    """Read it. Raises HTTPException (413) where it is too long."""
    body = bytearray()
    async for piece in request.stream():
        body += piece
        if len(body) > MOST_OCTETS:
            raise HTTPException(413)

    async def replayed() -> Message:
        return {"type": "http.request", "body": bytes(body), "more_body": False}

    return await Request(request.scope, replayed).form(max_files=0, max_fields=most_fields)
