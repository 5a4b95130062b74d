"""In which language whoever asks for a page reads."""

from collections.abc import Sequence

from starlette.requests import Request


def reading(request: Request, offered: Sequence[str]) -> str:
    """The first of the browser's languages that there is, in the browser's order; else the first of ours."""
    for part in request.headers.get("accept-language", "")[:200].split(","):
        if (code := part.partition(";")[0].strip().partition("-")[0].lower()) in offered:
            return code
    return offered[0]
