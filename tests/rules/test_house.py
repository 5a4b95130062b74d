"""The laws of the house that a machine can check. Why they are so stands in CONTRIBUTING.md."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FOLDERS = ("mailbot", "tests", "templates", "config", ".ci")
TEXT = (".py", ".toml", ".yaml", ".yml", ".sh", ".j2", ".html", ".css", ".js")
MODULES = sorted((ROOT / "mailbot").rglob("*.py"))
NAMELESS = {"util", "utils", "helper", "helpers", "manager", "base", "common", "data", "process", "misc", "core", "lib"}
MOST_LINES, MOST_LINES_OF_A_FUNCTION = 350, 60

# The packages of nouns, and the files in them that are something else: they alone may touch the outside.
NOUN_PACKAGES = ("message", "inbox", "releases", "audience", "broadcast", "outbox")
STORES = {"store", "shelf"}
PROTOCOLS = {"imap", "imap_connection", "imap_protocol", "smtp"}
VERBS = {"watch", "dispose", "aftermath", "read_mail", "summarise", "dispatch", "announce"}
OUTSIDE = {
    "aioimaplib", "aiosmtplib", "aiosmtpd", "alembic", "asyncio", "ctypes", "http", "logging", "mailbot.clock", "mailbot.database",
    "mailbot.logs", "mailbot.settings", "multiprocessing", "os", "pymap", "random", "secrets", "smtplib", "socket", "sqlalchemy", "sqlite3",
    "ssl", "starlette", "structlog", "subprocess", "tempfile", "threading", "time", "urllib.request", "uuid",
}  # fmt: skip
CLOCKS_AND_FILES = {
    "now", "utcnow", "today", "uuid4", "token_bytes", "urandom", "open", "read_text", "read_bytes", "write_text", "write_bytes",
}  # fmt: skip


def _name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def _ours() -> Iterator[Path]:
    """Every file that a person wrote, without what machines leave."""
    for folder in FOLDERS:
        for path in sorted((ROOT / folder).rglob("*")):
            if path.is_file() and "__pycache__" not in path.parts:
                yield path
    yield from (ROOT / name for name in ("Makefile", "pyproject.toml", ".importlinter", ".gitignore") if (ROOT / name).exists())


def _texts() -> list[Path]:
    return [path for path in _ours() if path.suffix in TEXT or path.name in ("Makefile", "run", ".importlinter", ".gitignore")]


def _is_noun(path: Path) -> bool:
    parts = path.relative_to(ROOT / "mailbot").parts
    return len(parts) == 2 and parts[0] in NOUN_PACKAGES and path.stem not in STORES | PROTOCOLS | VERBS


def _imported(tree: ast.Module) -> set[str]:
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return found


@pytest.fixture(scope="module")
def trees() -> dict[Path, ast.Module]:
    """Every module of mailbot, parsed once."""
    return {path: ast.parse(path.read_text("utf-8")) for path in MODULES}


def test_the_first_line_of_each_file_says_what_it_is_for() -> None:
    silent = []
    for path in _texts():
        if path.name.endswith(".subject.j2"):
            continue  # one line, and that is the subject itself
        lines = path.read_text("utf-8").splitlines()
        first = (lines[1] if lines and lines[0].startswith("#!") else lines[0]) if lines else ""
        if not re.match(r'(r?"""|#|\{#|<!--|/\*|//|<!doctype html>)', first) or len(re.findall(r"\w+", first)) < 3:
            silent.append(_name(path))
    assert silent == []


def test_no_file_or_class_is_named_after_nothing() -> None:
    nameless = [_name(path) for path in _ours() if set(re.split(r"[^a-z]+", path.stem.lower())) & NAMELESS]
    assert nameless == []


def test_classes_are_named_after_the_newsroom_too(trees: dict[Path, ast.Module]) -> None:
    pattern = re.compile(r"(Manager|Helper|Util|Utils|Base|Abstract\w*|Mixin|Factory|Handler)$")
    classes = [(path, node.name) for path, tree in trees.items() for node in ast.walk(tree) if isinstance(node, ast.ClassDef)]
    found = [f"{_name(path)}: {name}" for path, name in classes if pattern.search(name)]
    assert found == []


def test_a_file_has_an_end_in_sight() -> None:
    assert not [f"{_name(path)}: {lines}" for path in MODULES if (lines := path.read_text("utf-8").count("\n")) > MOST_LINES]


def test_a_function_fits_a_screen(trees: dict[Path, ast.Module]) -> None:
    long = [
        f"{_name(path)}:{node.lineno} {node.name}"
        for path, tree in trees.items()
        if "migrations" not in path.parts  # a migration is a list of columns, not a thought
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and (node.end_lineno or 0) - node.lineno >= MOST_LINES_OF_A_FUNCTION
    ]
    assert long == []


def test_nouns_import_nothing_that_touches_the_outside(trees: dict[Path, ast.Module]) -> None:
    touching = [
        f"{_name(path)}: {name}"
        for path, tree in trees.items()
        if _is_noun(path)
        for name in sorted(_imported(tree))
        if any(name == outside or name.startswith(outside + ".") for outside in OUTSIDE)
    ]
    assert touching == []


def test_nouns_are_given_the_time_and_the_bytes(trees: dict[Path, ast.Module]) -> None:
    helping_themselves = []
    for path, tree in trees.items():
        for node in ast.walk(tree) if _is_noun(path) else ():
            if isinstance(node, ast.Call):
                called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
                if called in CLOCKS_AND_FILES:
                    helping_themselves.append(f"{_name(path)}:{node.lineno} {called}()")
    assert helping_themselves == []


def test_only_settings_reads_the_environment(trees: dict[Path, ast.Module]) -> None:
    readers = {
        _name(path)
        for path, tree in trees.items()
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and node.attr in ("environ", "getenv")
    }
    assert readers <= {"mailbot/settings.py"}


def test_our_classes_do_not_inherit_from_each_other(trees: dict[Path, ast.Module]) -> None:
    exceptions_and_sections = re.compile(r"Exception|Error|Section|Enum|Unusable|Fault|Failed|Refused|Trouble|Dead|Lost|Certificate")
    ours = {node.name for tree in trees.values() for node in ast.walk(tree) if isinstance(node, ast.ClassDef)}
    heirs = [
        f"{_name(path)}: {node.name}({base.id})"
        for path, tree in trees.items()
        for node in ast.walk(tree)
        if isinstance(node, ast.ClassDef)
        for base in node.bases
        if isinstance(base, ast.Name) and base.id in ours and not exceptions_and_sections.search(base.id)
    ]
    assert heirs == []


def test_a_broad_catch_raises_again_or_says_why(trees: dict[Path, ast.Module]) -> None:
    silent = []
    for path, tree in trees.items():
        lines = path.read_text("utf-8").splitlines()
        for node in ast.walk(tree):
            broad = isinstance(node, ast.ExceptHandler) and (node.type is None or ast.unparse(node.type) in ("Exception", "BaseException"))
            if broad and not isinstance(node.body[-1], ast.Raise) and "#" not in "".join(lines[node.lineno - 1 : node.lineno + 1]):
                silent.append(f"{_name(path)}:{node.lineno}")
    assert silent == []


def test_a_check_is_silenced_by_name() -> None:
    found = [(path, line) for path in MODULES for line in path.read_text("utf-8").splitlines()]
    assert not [f"{_name(path)}: {line.strip()}" for path, line in found if re.search(r"# type: ignore(?!\[)|# noqa(?!: )", line)]


@pytest.mark.parametrize(
    "pattern",
    [
        pytest.param(r"\b(TO" r"DO|FIX" r"ME|HA" r"CK)\b|NotImplemented" r"Error", id="nothing is left for later"),
        pytest.param(r"pytest\.(skip|xfail)|mark\.(skip|skipif|xfail)|importor" r"skip", id="nothing is skipped"),
        pytest.param(r"/(?:work|root|home)/\w", id="no path of one machine"),
        pytest.param(r"unittest\.mock|Magic" r"Mock", id="no mocks"),
        pytest.param(r"allmali" r"mediacom|\biom\.i" r"nt\b", id="nobody's address"),
    ],
)
def test_never_written(pattern: str) -> None:
    allowed = {"tests/servers/throwaway.py": r"pytest\.skip", "tests/rules/test_house.py": ".*"}
    found = []
    for path in _texts():
        text = path.read_text("utf-8")
        for match in re.finditer(pattern, text):
            if not re.search(allowed.get(_name(path), "(?!)"), match[0]):
                found.append(f"{_name(path)}:{text.count(chr(10), 0, match.start()) + 1}: {match[0]}")
    assert found == []


@pytest.mark.parametrize("lock", ["requirements.lock", "requirements-dev.lock"])
def test_a_lock_pins_by_hash_and_holds_no_address(lock: str) -> None:
    text = (ROOT / lock).read_text("utf-8")
    assert not re.search(r"://|^\s*-(?!-hash=)|\s@\s", text, re.MULTILINE), "a lock names packages, not where they come from"
    entries = re.split(r"^(?=[A-Za-z])", text, flags=re.MULTILINE)[1:]
    assert entries
    assert not [entry.split()[0] for entry in entries if "==" not in entry.split()[0] or "--hash=sha256:" not in entry]


def test_the_two_locks_agree() -> None:
    def pins(name: str) -> set[str]:
        return set(re.findall(r"^([\w.-]+==\S+)", (ROOT / name).read_text("utf-8"), re.MULTILINE))

    assert pins("requirements.lock") <= pins("requirements-dev.lock")


def test_every_door_of_the_makefile_has_a_sentence() -> None:
    text = (ROOT / "Makefile").read_text("utf-8")
    phony = re.search(r"^\.PHONY: (.*)$", text, re.MULTILINE)
    assert phony
    assert set(phony[1].split()) == set(re.findall(r"^([a-z]+):.*## \S+ .+\.$", text, re.MULTILINE))
