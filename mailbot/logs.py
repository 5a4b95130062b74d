"""Log lines on standard error: JSON for machines, plain for a terminal; no address and no secret in clear."""

import hashlib
import logging
import re
import sys
from collections.abc import MutableMapping
from typing import Any

import structlog

ADDRESS = re.compile(r"[\w.+=-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,8}")


def set_up(*, json_lines: bool, verbose: bool = False) -> None:
    """Called once by a command. aioimaplib stays at WARNING: its DEBUG prints tokens and mail (PROTOCOLS R23)."""
    level = logging.DEBUG if verbose else logging.INFO
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr, format="%(message)s")
    logging.getLogger("aioimaplib").setLevel(logging.WARNING)
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            pseudonymise,
            structlog.processors.JSONRenderer() if json_lines else structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty()),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=False,
    )


def pseudonymise(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Every address becomes a short hash that is the same for the same address, so that a log can be read and shared."""
    return {key: ADDRESS.sub(_hash, value) if isinstance(value, str) else value for key, value in event.items()}


def _hash(found: re.Match[str]) -> str:
    return "<" + hashlib.sha256(found[0].lower().encode()).hexdigest()[:8] + ">"
