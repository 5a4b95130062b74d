"""Writes the example settings file from the model, so that it never tells anything else than the code."""

import json
from typing import Any

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from mailbot.settings import Settings

LEAD = """\
# The settings of mailbot. Every value can also come from the environment: MAILBOT_IMAP__HOST, and for a secret
# MAILBOT_IMAP__PASSWORD_FILE with the path of a file that holds it. A line with # before its key shows the default.
"""
NEEDED = {
    "organisation.name": "Example Organisation",
    "organisation.address": "media@example.org",
    "imap.host": "imap.example.org",
    "imap.username": "media@example.org",
    "smtp.host": "smtp.example.org",
    "smtp.username": "media@example.org",
    "inbox.hand_off_to": ["colleague@example.org"],
}


def example() -> str:
    """The whole file: sections in order, each key with its sentence, its values where one is needed."""
    return LEAD + "".join(_section(name, field) for name, field in Settings.model_fields.items())


def _section(name: str, field: FieldInfo) -> str:
    model = field.annotation
    assert isinstance(model, type) and issubclass(model, BaseModel)
    lines = ["", f"# {(model.__doc__ or '').strip()}", f"[{name}]"]
    for key, one in model.model_fields.items():
        lines.append(f"# {one.description}")
        needed = NEEDED.get(f"{name}.{key}")
        lines.append(f"{key} = {_toml(needed)}" if needed is not None else f"# {key} = {_toml(one.get_default())}")
    return "\n".join(lines) + "\n"


def _toml(value: Any) -> str:
    """The few kinds of values that settings have."""
    if hasattr(value, "get_secret_value"):
        value = value.get_secret_value()
    return json.dumps("" if value is None else value, ensure_ascii=False)
