"""Rows as CSV that a spreadsheet opens without acting on them: a stranger's name may look like a formula (MAIL.md T-39)."""

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Any

ACTS = ("=", "+", "-", "@", "\t", "\r", "\n")


def table(columns: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> str:
    """With a header line, CRLF and a byte order mark, by which Excel knows that it is UTF-8."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(columns)
    writer.writerows([_cell(row.get(name)) for name in columns] for row in rows)
    return "\ufeff" + out.getvalue()


def _cell(value: Any) -> str:
    """What would act begins with an apostrophe: the spreadsheet shows it as the text that it is."""
    if value is None:
        return ""
    if isinstance(value, datetime | date):
        return value.isoformat()
    text = str(value)
    return f"'{text}" if text.startswith(ACTS) and not isinstance(value, int | float) else text
