"""The release that would be sent, as it is kept with a case: chosen when the mail came in, written when a colleague says yes."""

from collections.abc import Mapping
from dataclasses import asdict, fields
from typing import Any

from mailbot.inbox.outcome import SendRelease, Variant
from mailbot.inbox.reason import Reason


def kept(decision: SendRelease) -> dict[str, Any]:
    """Plain values, for JSON."""
    return asdict(decision)


def taken_up(values: Mapping[str, Any]) -> SendRelease:
    """The same decision again. What an older version kept and this one does not know is left out."""
    known = {one.name for one in fields(SendRelease)}
    given: dict[str, Any] = {name: tuple(value) if isinstance(value, list) else value for name, value in values.items() if name in known}
    words = {"reason": Reason(values["reason"]), "variant": Variant(values.get("variant", Variant.FULL))}
    return SendRelease(**{**given, **words})
