"""What is wrong with the templates of a language, found without sending anything."""

from collections.abc import Sequence
from pathlib import Path

from jinja2 import TemplateError

from mailbot.rendering import TemplateFault, Words, fault_of, parts, shipped
from mailbot.template_code import asked_for
from mailbot.template_values import VALUES


def lacking(folders: Sequence[Path], language: str) -> tuple[str, ...]:
    """The template files that this language has in none of the folders."""
    every = (f"{language}/{name}.{part}.j2" for name in VALUES for part in parts(name))
    return tuple(template for template in every if not any((folder / template).is_file() for folder in folders))


def faults(words: Words, language: str, *, of_the_office: bool = False) -> tuple[TemplateFault, ...]:
    """What is wrong with a language's templates, found without sending anything: missing, broken, or asking for an unknown value.

    `of_the_office`: of those that came with mailbot it is known already, and to ask takes half a second."""
    found = []
    for name, known in VALUES.items():
        for part in parts(name):
            template = f"{language}/{name}.{part}.j2"
            try:
                source, path, _ = words.folders.get_source(words.templates, template)
                if of_the_office and Path(path).is_relative_to(shipped()):
                    continue
                asked = asked_for(source, path, frozenset(words.templates.filters))
            except (TemplateError, OSError, ValueError) as error:
                found.append(fault_of(error, template))
                continue
            unknown = sorted(asked.keys() - known - {"language", "mail_subject"})
            found += [TemplateFault(path, asked[variable], f"'{variable}' is not a value of this template") for variable in unknown]
    return tuple(found)
