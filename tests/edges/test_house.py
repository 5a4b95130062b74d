"""The laws of the house that a machine can check. Why they are so stands in CONTRIBUTING.md."""

import ast
import re
import sys
import tomllib
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FOLDERS = ("mailbot", "tests", "templates", "config", ".ci")
TEXT = (".py", ".toml", ".yaml", ".yml", ".sh", ".j2", ".html", ".css", ".js", ".service")
MODULES = sorted((ROOT / "mailbot").rglob("*.py"))
NAMELESS = {"util", "utils", "helper", "helpers", "manager", "base", "common", "data", "process", "misc", "core", "lib"}
MOST_LINES, MOST_LINES_OF_A_FUNCTION = 350, 60
Nodes = list[tuple[Path, ast.AST]]

# The packages of nouns, and the files in them that are something else: they alone may touch the outside.
NOUN_PACKAGES = ("message", "oauth", "alerts", "archive", "inbox", "cases", "releases", "audience", "broadcast", "outbox")
STORES = {
    "store", "shelf", "arrival_store", "suppression_store", "direct_answer_store", "known_store", "correction_store", "recall_store",
    "sign_off_store", "photo_store", "tally_store", "retention_store", "forget_store", "person_store", "roster_store", "segment_store",
    "bulk_store", "bulk_claim_store", "bulk_laws_store", "bulk_standing_store",
}  # fmt: skip
PROTOCOLS = {
    "imap", "imap_connection", "imap_protocol", "smtp", "smtp_dial", "smtp_upload", "webhook", "fetch", "picture", "contact_sheet",
    "token_server",
}  # fmt: skip
VERBS = {
    "watch", "acknowledge", "carry_out", "join", "note_report", "breaker", "dispose", "aftermath", "read_mail", "read_apart", "summarise",
    "hand_over", "take_reply", "escalate", "notice_answers", "dispatch", "print_pdf", "announce", "raise_alerts", "correct", "write_anew",
    "give_back", "last_look", "read_source", "submit", "enclose", "retain", "forget", "access_tokens", "invite", "read_table", "conduct",
    "approve", "rewrite", "tell", "bulk_dispatch", "bulk_record",
}  # fmt: skip
OUTSIDE = {
    "aioimaplib", "aiosmtplib", "aiosmtpd", "alembic", "asyncio", "ctypes", "http", "logging", "mailbot.clock", "mailbot.database",
    "mailbot.logs", "mailbot.settings", "multiprocessing", "os", "pymap", "random", "secrets", "smtplib", "socket", "sqlalchemy", "sqlite3",
    "ssl", "starlette", "structlog", "subprocess", "tempfile", "threading", "time", "urllib.request", "uuid",
}  # fmt: skip
CLOCKS_AND_FILES = {
    "now", "utcnow", "today", "uuid4", "token_bytes", "urandom", "open", "read_text", "read_bytes", "write_text", "write_bytes",
}  # fmt: skip

# Not declared, because they are part of what brings them: pydantic-settings, jinja2, and pymap with the last two.
BROUGHT_ALONG = {"pydantic", "markupsafe", "pysasl", "proxyprotocol"}


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
    named = ("Makefile", "run", "Containerfile", ".importlinter", ".gitignore")
    return [path for path in _ours() if path.suffix in TEXT or path.name in named]


def _is_noun(path: Path) -> bool:
    parts = path.relative_to(ROOT / "mailbot").parts
    return len(parts) == 2 and parts[0] in NOUN_PACKAGES and path.stem not in STORES | PROTOCOLS | VERBS


def _imported(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    return [f"{node.module}.{alias.name}" for alias in node.names] if isinstance(node, ast.ImportFrom) else []


@pytest.fixture(scope="module")
def nodes() -> Nodes:
    """Every module of mailbot, read and walked once: the nodes that a law asks about, each with its file."""
    asked = (ast.Import, ast.ImportFrom, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef, ast.Call, ast.Attribute, ast.ExceptHandler)
    return [(path, node) for path in MODULES for node in ast.walk(ast.parse(path.read_text("utf-8"))) if isinstance(node, asked)]


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


def test_classes_are_named_after_the_newsroom_too(nodes: Nodes) -> None:
    pattern = re.compile(r"(Manager|Helper|Util|Utils|Base|Abstract\w*|Mixin|Factory|Handler)$")
    assert [f"{_name(path)}: {node.name}" for path, node in nodes if isinstance(node, ast.ClassDef) and pattern.search(node.name)] == []


def test_a_file_has_an_end_in_sight() -> None:
    assert [f"{_name(path)}: {lines}" for path in MODULES if (lines := path.read_text("utf-8").count("\n")) > MOST_LINES] == []


def test_a_function_fits_a_screen(nodes: Nodes) -> None:
    long = [
        f"{_name(path)}:{node.lineno} {node.name}"
        for path, node in nodes
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and (node.end_lineno or 0) - node.lineno >= MOST_LINES_OF_A_FUNCTION
        if "migrations" not in path.parts  # a migration is a list of columns, not a thought
    ]
    assert long == []


def test_nouns_import_nothing_that_touches_the_outside(nodes: Nodes) -> None:
    touching = [
        f"{_name(path)}: {name}"
        for path, node in nodes
        if _is_noun(path)
        for name in _imported(node)
        if any(name == outside or name.startswith(outside + ".") for outside in OUTSIDE)
    ]
    assert touching == []


def test_nouns_are_given_the_time_and_the_bytes(nodes: Nodes) -> None:
    helping_themselves = [
        f"{_name(path)}:{node.lineno} {called}()"
        for path, node in nodes
        if isinstance(node, ast.Call) and _is_noun(path)
        if (called := node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")) in CLOCKS_AND_FILES
    ]
    assert helping_themselves == []


def test_only_settings_reads_the_environment(nodes: Nodes) -> None:
    readers = {_name(path) for path, node in nodes if isinstance(node, ast.Attribute) and node.attr in ("environ", "getenv")}
    assert readers <= {"mailbot/settings.py"}


def test_our_classes_do_not_inherit_from_each_other(nodes: Nodes) -> None:
    """But for exceptions, which are caught by family, and the sections of the settings."""
    classes = {node.name: node for _, node in nodes if isinstance(node, ast.ClassDef)}

    def is_of(name: str, roots: set[str]) -> bool:
        parents = [ast.unparse(parent) for parent in classes[name].bases] if name in classes else []
        return name in roots or any(is_of(parent, roots) for parent in parents)

    allowed = {"Exception", "ValueError", "OSError", "Section", "Protocol"}
    heirs = [
        f"{name}({ast.unparse(parent)})"
        for name, node in classes.items()
        for parent in node.bases
        if ast.unparse(parent) in classes and not is_of(name, allowed)
    ]
    assert heirs == []


def test_a_broad_catch_raises_again_or_says_why(nodes: Nodes) -> None:
    silent = []
    for path, node in nodes:
        if not isinstance(node, ast.ExceptHandler) or (node.type and ast.unparse(node.type) not in ("Exception", "BaseException")):
            continue
        lines = path.read_text("utf-8").splitlines()[node.lineno - 1 : node.lineno + 1]
        if not isinstance(node.body[-1], ast.Raise) and "#" not in "".join(lines):
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
    ],
)
def test_never_written(pattern: str) -> None:
    allowed = {"tests/servers/throwaway.py": r"pytest\.skip", "tests/edges/test_house.py": ".*"}
    found = []
    for path in _texts():
        text = path.read_text("utf-8")
        for match in re.finditer(pattern, text):
            if not re.search(allowed.get(_name(path), "(?!)"), match[0]):
                found.append(f"{_name(path)}:{text.count(chr(10), 0, match.start()) + 1}: {match[0]}")
    assert found == []


def test_the_product_names_no_customer() -> None:
    product = [path for path in _texts() if path.relative_to(ROOT).parts[0] in ("mailbot", "templates", "config")]
    assert [_name(path) for path in product if re.search(r"allmalimediacom|\biom\.int\b|\b(OIM|IOM)\b", path.read_text("utf-8"))] == []


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


def test_what_the_product_imports_is_declared(nodes: Nodes) -> None:
    declared = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    extras = declared["optional-dependencies"]
    wanted = [*declared["dependencies"]]
    wanted += [name for extra in ("postgres", "pdf", "import", "photos", "microsoft365", "demo") for name in extras[extra]]
    ours = {re.split(r"[^a-z0-9-]", name.lower())[0] for name in wanted}
    roots = {name.partition(".")[0] for _, node in nodes if isinstance(node, ast.Import | ast.ImportFrom) for name in _imported(node)}
    owners = packages_distributions()
    foreign = roots - sys.stdlib_module_names - {"mailbot"}
    assert {name for name in foreign if not {owner.lower().replace("_", "-") for owner in owners.get(name, [])} & ours} <= BROUGHT_ALONG


def test_every_door_of_the_makefile_has_a_sentence() -> None:
    text = (ROOT / "Makefile").read_text("utf-8")
    phony = re.search(r"^\.PHONY: (.*)$", text, re.MULTILINE)
    assert phony
    assert set(phony[1].split()) == set(re.findall(r"^([a-z]+):.*## \S+ .+\.$", text, re.MULTILINE))
