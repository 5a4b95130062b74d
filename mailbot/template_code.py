"""What a template is as code: compiled once in a process, and the values that it asks for. Of strangers nothing comes here."""

from collections.abc import Mapping
from functools import lru_cache

from jinja2 import Environment, TemplateSyntaxError, nodes
from jinja2.bccache import Bucket, BytecodeCache
from jinja2.meta import find_undeclared_variables


class _Compiled(BytecodeCache):
    """By name and text: whoever looks at a template twice compiles it once."""

    def __init__(self) -> None:
        self._kept: dict[str, bytes] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        """What is there of it; Jinja sees by its text whether it still is."""
        if bucket.key in self._kept:
            bucket.bytecode_from_string(self._kept[bucket.key])

    def dump_bytecode(self, bucket: Bucket) -> None:
        """Keep it while the process lives."""
        self._kept[bucket.key] = bucket.bytecode_to_string()


COMPILED = _Compiled()


@lru_cache(maxsize=1024)
def asked_for(source: str, path: str, filters: frozenset[str]) -> Mapping[str, int]:
    """The values that a template with these filters wants, each with the first line that does. Raises jinja2.TemplateError, which
    names the path."""
    reading = Environment(trim_blocks=True, lstrip_blocks=True)  # noqa: S701 - nothing is rendered with it
    reading.filters = dict.fromkeys(filters, str)
    tree = reading.parse(source, path, path)
    lines = {node.name: node.lineno for node in reversed(list(tree.find_all(nodes.Name)))}
    try:
        return {name: lines[name] for name in find_undeclared_variables(tree)}
    except TemplateSyntaxError as unknown:
        unknown.filename = path  # Jinja looks through it under a name of its own
        raise
