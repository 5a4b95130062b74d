"""`mailbot language`: what a language folder lacks, and what is wrong with it."""

import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mailbot.cli.opening import Json, print_json, settings_of

if TYPE_CHECKING:
    from mailbot.languages import Language

app = typer.Typer(no_args_is_help=True, help="The languages that mailbot reads and writes.")


@app.callback()
def _language() -> None:
    """The languages that mailbot reads and writes."""


@app.command()
def check(
    context: typer.Context,
    code: Annotated[str, typer.Argument(help="The name of its folder, such as es.")],
    as_json: Json = False,
) -> None:
    """Look whether a language is complete: its words, and its templates. Exits with 1 and says what it lacks where it is not.

    Example: mailbot language check es
    """
    from mailbot import office_terms
    from mailbot.languages import faults

    if not re.fullmatch(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{1,8})*", code):
        raise typer.BadParameter(f"{code!r} is no code of a language; write one such as es or pt-BR.")
    settings = settings_of(context)
    words, templates = office_terms.language_folders(settings), office_terms.template_folders(settings)
    wrong = [str(fault) for fault in faults(words, code)]
    lacks, broken = ([], []) if wrong else _lacking(words, templates, code)
    wrong += broken
    if as_json:
        print_json({"language": code, "complete": not lacks and not wrong, "lacks": lacks, "faults": wrong})
    else:
        for line in lacks:
            typer.echo(f"{code} lacks {line}")
        for line in wrong:
            typer.echo(line)
        typer.echo(f"{code} is complete." if not lacks and not wrong else f"{code} is not complete: mail in it goes to a person.")
    if lacks or wrong:
        raise typer.Exit(1)


def _lacking(words: Sequence[Path], templates: Sequence[Path], code: str) -> tuple[list[str], list[str]]:
    """What there is not, and what cannot be used: in the words, then in the templates."""
    from mailbot import languages

    try:
        loaded = languages.load(words)
    except languages.LanguageFault as fault:  # a key that two folders hold differently, or another language's
        return [], [str(fault)]
    if code not in loaded:
        return [f"a folder: copy {languages.shipped() / 'en'} to {words[-1] / code} and translate it (folders.languages)"], []
    lacks = [f"{code}/{one}" for one in languages.missing(loaded[code])]
    more, broken = _templates(templates, loaded[code])
    return lacks + more, broken


def _templates(folders: Sequence[Path], language: "Language") -> tuple[list[str], list[str]]:
    from datetime import UTC

    from mailbot.archive import year_page
    from mailbot.inbox.reason import Reason
    from mailbot.rendering import NO_SUCH_FILE, TemplateFault, environment
    from mailbot.template_check import faults
    from mailbot.web import site
    from mailbot.web.desk import printing
    from mailbot.web.desk.words import LINES as DESK

    code, found = language.code, []
    typography: dict[str, Any] = {code: language.typography} if language.typography else {}
    lacks = _missing_lines(folders, code, "reasons.yaml", Reason)
    lacks += _missing_lines(folders, code, "report.yaml", year_page.LINES)
    lacks += (no_pages := _missing_lines(folders, code, "web.yaml", site.LINES))
    lacks += (no_desk := _missing_lines(folders, code, "desk.yaml", DESK))
    try:
        words = environment(folders, typography, UTC)
    except TemplateFault as unusable:
        words = environment(folders, {}, UTC)
        found.append(unusable)
    for complete, read in ((not no_pages, site.words), (not no_desk, printing.words)):
        if code in words.typographies and complete:
            try:
                read(folders, code, words.typographies[code])
            except TemplateFault as unusable:
                found.append(unusable)
    broken = []
    for fault in (*found, *faults(words, code)):
        if fault.what == NO_SUCH_FILE:
            lacks.append(f"templates/{fault.template}")
        else:
            broken.append(str(fault))
    return lacks, broken


def _missing_lines(folders: Sequence[Path], code: str, name: str, keys: Iterable[str]) -> list[str]:
    """The sentences that a file should hold, or the file. Of one that cannot be read nothing is missing: it is broken, and its reader
    says so."""
    from mailbot.rendering import TemplateFault, lines

    try:
        told = lines(folders, code, name)
    except TemplateFault:
        return []
    return [f"templates/{code}/{name}: {key}" for key in keys if key not in told] if told else [f"templates/{code}/{name}"]
