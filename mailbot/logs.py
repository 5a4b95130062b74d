"""Log lines on standard error: JSON for machines, plain for a terminal; no address and no secret in clear."""

import hashlib
import logging
import re
import sys
from collections.abc import MutableMapping
from typing import Any

import structlog

# An address as it may stand in any text. Wide on purpose: a word too many that is hashed harms nobody.
ADDRESS = re.compile(r"[\w.!#$%&*+/=?^`{|}~-][\w.!#$%&'*+/=?^`{|}~-]{0,200}@(?:\[[\w.:]{2,60}\]|[\w-]{1,63}(?:\.[\w-]{1,63}){0,8})")


def set_up(*, json_lines: bool, verbose: bool = False) -> None:
    """Called once by a command. aioimaplib stays at WARNING: its DEBUG prints tokens and mail (PROTOCOLS R23)."""
    last = structlog.processors.JSONRenderer() if json_lines else structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
    shared: list[structlog.typing.Processor] = [
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
        pseudonymise,
    ]
    # What libraries log goes the same way as what we do, tracebacks of forgotten tasks included.
    foreign = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=[*shared[:2], structlog.stdlib.ExtraAdder()],
        processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *shared[2:], last],
    )
    to_stderr = logging.StreamHandler(sys.stderr)
    to_stderr.setFormatter(foreign)
    logging.basicConfig(level=logging.WARNING, handlers=[to_stderr], force=True)
    logging.getLogger("aioimaplib").setLevel(logging.WARNING)
    structlog.configure(
        processors=[*shared, last],
        wrapper_class=structlog.make_filtering_bound_logger(logging.DEBUG if verbose else logging.INFO),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=False,
    )


def pseudonymise(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Every address becomes a short hash that is the same for the same address, so that a log can be read and shared."""
    return {key: _plain(value) for key, value in event.items()}


def without_addresses(text: str) -> str:
    """The same for any text."""
    return ADDRESS.sub(_hash, text)


def _plain(value: Any) -> Any:
    """Numbers as they are; everything else as text, whatever is in it."""
    return value if value is None or isinstance(value, bool | int | float) else without_addresses(str(value))


def _hash(found: re.Match[str]) -> str:
    return "<" + hashlib.sha256(found[0].lower().encode()).hexdigest()[:8] + ">"
