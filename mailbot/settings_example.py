"""Writes the example settings file from the model, so that it never tells anything else than the code."""

import json
from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from mailbot.settings import Settings

LEAD = """\
# The settings of mailbot. Every value can also come from the environment: MAILBOT_IMAP__HOST, and for a secret
# MAILBOT_IMAP__PASSWORD_FILE with the path of a file that holds it. A line with # before its key shows the default.
"""
NEEDED: Mapping[str, Any] = {
    "organisation.name": "Example Organisation",
    "organisation.address": "media@example.org",
    "imap.host": "imap.example.org",
    "imap.username": "media@example.org",
    "smtp.host": "smtp.example.org",
    "smtp.username": "media@example.org",
    "inbox.hand_off_to": ["colleague@example.org"],
}
# What Exchange Online wants and bears: 30 mails a minute, 3 connections, 10,000 recipients in 24 hours; colleagues send from there, too.
MICROSOFT365: Mapping[str, Any] = {
    **NEEDED,
    "imap.host": "outlook.office365.com",
    "imap.oauth": True,
    "smtp.host": "smtp.office365.com",
    "smtp.port": 587,
    "smtp.security": "starttls",
    "smtp.oauth": True,
    "smtp.rate_per_minute": 25,
    "smtp.rate_per_day": 9000,
    "smtp.connections": 1,
    "smtp.return_path": "",
    "oauth.tenant": "",
    "oauth.client_id": "",
    "oauth.client_secret_ends": "",
    "inbox.authserv_id": "topmost",
}


def example(values: Mapping[str, Any] = NEEDED) -> str:
    """The whole file: sections in order, each key with its sentence, and its value where `values` has one."""
    return LEAD + "".join(_section(name, field, values) for name, field in Settings.model_fields.items())


def _section(name: str, field: FieldInfo, values: Mapping[str, Any]) -> str:
    model = field.annotation
    assert isinstance(model, type) and issubclass(model, BaseModel)
    lines = ["", f"# {(model.__doc__ or '').strip()}", f"[{name}]"]
    for key, one in model.model_fields.items():
        lines.append(f"# {one.description}")
        needed = values.get(f"{name}.{key}")
        lines.append(f"{key} = {_toml(needed)}" if needed is not None else f"# {key} = {_toml(one.get_default())}")
    return "\n".join(lines) + "\n"


def _toml(value: Any) -> str:
    """The few kinds of values that settings have."""
    if hasattr(value, "get_secret_value"):
        value = value.get_secret_value()
    return json.dumps("" if value is None else value, ensure_ascii=False)
