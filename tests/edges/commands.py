"""Runs `mailbot` as a person or a program does: in a folder, with a settings file; and what it said."""

import contextlib
import io
import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from mailbot.cli.main import main

MAILBOT = [sys.executable, "-c", "from mailbot.cli.main import main; main()"]
SETTINGS = {
    "organisation": {"name": "Office", "address": "presse@littoral.example", "languages": ["fr", "en"], "timezone": "Africa/Bamako"},
    "imap": {"host": "127.0.0.1", "port": 1, "security": "plain"},
    "smtp": {"host": "127.0.0.1", "port": 1, "security": "plain"},
}


@dataclass(frozen=True, slots=True)
class Said:
    """What a command answered, what it complained of, and how it ended."""

    code: int
    out: str
    err: str

    def json(self) -> Any:
        """The one document of a command that has succeeded."""
        assert self.code == 0, self.err
        return json.loads(self.out)

    def lines(self) -> list[Any]:
        """One document a line."""
        assert self.out.isascii()
        return [json.loads(line) for line in self.out.splitlines()]


@dataclass
class Commands:
    """A folder to run in."""

    folder: Path
    environment: dict[str, str] = field(default_factory=dict)

    def configure(self, database_url: str, changes: Mapping[str, Mapping[str, Any]] | None = None) -> None:
        """Write the settings file; `changes` come over what every office has."""
        given: dict[str, dict[str, Any]] = {name: dict(keys) for name, keys in SETTINGS.items()} | {"database": {"url": database_url}}
        for name, keys in (changes or {}).items():
            given[name] = given.get(name, {}) | dict(keys)
        text = "\n".join(
            f"[{name}]\n" + "".join(f"{key} = {json.dumps(value)}\n" for key, value in keys.items()) for name, keys in given.items()
        )
        (self.folder / "config").mkdir(exist_ok=True)
        (self.folder / "config" / "mailbot.toml").write_text(text)

    def start(self, *words: str | Path, limit: str = "", **pipes: Any) -> subprocess.Popen[bytes]:
        """Start one. `limit`: what ulimit is told first."""
        command = [*MAILBOT, *map(str, words)]
        if limit:
            command = ["/bin/sh", "-c", f'ulimit {limit}; exec "$@"', "sh", *command]
        clean = {name: value for name, value in os.environ.items() if not name.startswith("MAILBOT_")}
        return subprocess.Popen(command, cwd=self.folder, env=clean | self.environment, **pipes)

    def process(self, *words: str | Path, given: bytes = b"", limit: str = "") -> Said:
        """Run one to its end as a process of its own, where the process is the question."""
        with self.start(*words, limit=limit, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
            out, err = process.communicate(given, timeout=60)
        return _sane(Said(process.returncode, out.decode(), err.decode()))

    def __call__(self, *words: str | Path, given: bytes = b"") -> Said:
        """The same in this process, a second faster."""
        out, err = io.TextIOWrapper(io.BytesIO(), "utf-8"), io.TextIOWrapper(io.BytesIO(), "utf-8")
        with pytest.MonkeyPatch.context() as patch, contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            patch.chdir(self.folder)
            for name in [name for name in os.environ if name.startswith("MAILBOT_")]:
                patch.delenv(name)
            for name, value in self.environment.items():
                patch.setenv(name, value)
            patch.setattr(sys, "argv", ["mailbot", *map(str, words)])
            patch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(given)))
            with pytest.raises(SystemExit) as ended:
                main()
        code = 0 if ended.value.code is None else int(ended.value.code)
        told = []
        for stream in (out, err):
            stream.flush()
            told.append(stream.buffer.getvalue().decode())  # type: ignore[attr-defined]
        return _sane(Said(code, *told))


def _sane(said: Said) -> Said:
    assert "Traceback" not in said.err, said.err
    return said
