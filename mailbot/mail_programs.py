"""What mail programs write by themselves in the languages without a folder, config/mail_programs.yaml, read once."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import yaml

from mailbot import languages


@dataclass(frozen=True, slots=True, eq=False)
class MailPrograms:
    """As the file has it: a section like a language's mail.yaml, and the words of answering machines."""

    mail: Mapping[str, Any]
    automatic_subject: tuple[str, ...]
    perhaps_subject: tuple[str, ...]
    automatic_text: tuple[str, ...]


@cache
def shipped() -> MailPrograms:
    """The file that comes with mailbot."""
    path = languages.shipped().parent / "mail_programs.yaml"
    given = yaml.load(path.read_bytes(), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506 - a safe loader in C
    automatic = given["automatic"]
    return MailPrograms(given["mail"], tuple(automatic["subject"]), tuple(automatic["perhaps"]), tuple(automatic["text"]))
