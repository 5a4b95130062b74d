"""What the newcomer writes as a journalist -> the bytes of a mail; and the examples that are one click away."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from email import policy
from email.headerregistry import Address as HeaderAddress
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import yaml

from mailbot.message import address

PAGES = Path(__file__).parent / "pages"
MOST = {"name": 100, "address": 254, "subject": 300, "text": 20_000}


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """One mail to the press office. Unauthenticated: nothing proves that it comes from the domain that it names."""

    name: str
    address: str
    subject: str
    text: str
    headers: Mapping[str, str] = field(default_factory=dict)
    authenticated: bool = True


@dataclass(frozen=True, slots=True)
class Example:
    """A question that is sent by one click; its label and its point by language of the page."""

    key: str
    label: Mapping[str, str]
    point: Mapping[str, str]
    question: Question


def examples() -> dict[str, Example]:
    """The examples, in the order in which they are shown."""
    entries: dict[str, dict[str, Any]] = yaml.safe_load((PAGES / "examples.yaml").read_text("utf-8"))
    return {key: Example(key, entry["label"], entry["point"], Question(**entry["question"])) for key, entry in entries.items()}


def from_form(fields: Mapping[str, str]) -> tuple[Question, str]:
    """The question of a filled-in form, and the name of the field that is at fault, empty where none is."""
    values = {name: fields.get(name, "").strip()[:most] for name, most in MOST.items()}
    for name in ("name", "address", "subject"):
        values[name] = " ".join(re.sub(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]", " ", values[name]).split())
    values["text"] = values["text"].replace("\r\n", "\n").replace("\r", "\n")
    fault = "address" if _sender(values["address"]) is None else "text" if not values["text"] and not values["subject"] else ""
    question = Question(
        name=values["name"], address=values["address"], subject=values["subject"], text=values["text"],
        authenticated="unauthenticated" not in fields,
    )  # fmt: skip
    return question, fault


def compose(question: Question, recipient: str, message_id: str, date: datetime) -> bytes:
    """The mail as a mail program would write it. Raises ValueError for an address that from_form would have refused."""
    sender = _sender(question.address)
    if sender is None:
        raise ValueError(f"not an address: {question.address!r}")
    mail = EmailMessage(policy=policy.SMTP.clone(cte_type="7bit"))
    mail["Date"] = date
    mail["From"] = HeaderAddress(display_name=question.name, addr_spec=sender.address)
    mail["To"] = recipient
    mail["Subject"] = question.subject
    mail["Message-ID"] = message_id
    for name, value in question.headers.items():
        mail[name] = value
    mail.set_content(question.text, cte="quoted-printable")
    return mail.as_bytes()


def _sender(text: str) -> address.Address | None:
    """A plain ASCII address: the demo's SMTP client speaks no SMTPUTF8."""
    found = address.parse(text)
    return found if found is not None and found.address.isascii() and "@" in found.address else None
