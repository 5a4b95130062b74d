"""The files that run mailbot elsewhere: the unit is shut in and names real settings, the image is nobody's root, the wheel holds both."""

import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from mailbot.settings import PREFIX, load

ROOT = Path(__file__).parents[2]
UNIT = ROOT / "config" / "mailbot.service"
CONTAINERFILE = ROOT / "config" / "Containerfile"
MOST_EXPOSURE = 2.0
CONFIG = {path.name for path in (ROOT / "config").iterdir()} - {"mailbot.toml"}  # an office's own: it holds passwords


def settings_of_the_unit() -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = re.findall(r"^Environment=(\w+)=(\S+)$", UNIT.read_text("utf-8"), re.MULTILINE)
    return found


@pytest.mark.parametrize(
    "line",
    [
        "Type=notify", "WatchdogSec=60", "Restart=on-failure", "StartLimitIntervalSec=0", "User=mailbot", "StateDirectory=mailbot",
        "NoNewPrivileges=yes", "CapabilityBoundingSet=", "ProtectSystem=strict", "MemoryDenyWriteExecute=yes",
    ],
)  # fmt: skip
def test_the_unit_keeps_its_promises(line: str) -> None:
    assert line in UNIT.read_text("utf-8").splitlines()


def test_processes_can_see_whether_another_mailbot_lives() -> None:
    """Hidden, a living one looks dead, and its lease would be taken."""
    text = UNIT.read_text("utf-8")
    assert "ProtectProc=default" in text
    assert "ProcSubset=all" in text


def test_the_unit_names_settings_that_there_are_and_secrets_that_it_loads(tmp_path: Path) -> None:
    text = UNIT.read_text("utf-8")
    environment = {}
    for name, value in settings_of_the_unit():
        assert name.startswith(PREFIX)
        credential = value.removeprefix("%d/")
        assert ("%d/" not in value) or f"\nLoadCredential={credential}:/etc/mailbot/{credential}\n" in text
        (tmp_path / credential.rpartition("/")[2]).write_text("secret")
        environment[name] = str(tmp_path / credential.rpartition("/")[2])
    Path(environment[f"{PREFIX}CONFIG"]).write_text("")
    loaded = load(None, environment)
    assert (loaded.imap.password.get_secret_value(), loaded.smtp.password.get_secret_value()) == ("secret", "secret")


def test_systemd_finds_little_exposed_where_it_can_be_asked() -> None:
    """On a machine without systemd there is nobody to ask; the lines above are looked at everywhere."""
    program = shutil.which("systemd-analyze")
    if program is None:
        return
    said = subprocess.run([program, "security", "--offline=true", "--no-pager", UNIT], capture_output=True, text=True, check=False)
    exposure = re.search(r"Overall exposure level for mailbot\.service: ([\d.]+)", said.stdout)
    assert exposure, said.stderr
    assert float(exposure[1]) < MOST_EXPOSURE
    print(f"systemd-analyze security: {exposure[1]}")


def test_the_image_has_no_root_one_volume_and_nothing_without_a_hash() -> None:
    text = CONTAINERFILE.read_text("utf-8")
    last = text.rpartition("\nFROM ")[2]
    assert re.search(r"^USER [1-9]\d*:[1-9]\d*$", last, re.MULTILINE)
    assert re.findall(r"^VOLUME (\S+)$", text, re.MULTILINE) == ["/var/lib/mailbot"]
    installs = re.findall(r"pip install (.*)", text)
    assert len(installs) == 2
    assert all("--require-hashes" in one or {"--no-deps", "--no-index"} <= set(one.split()) for one in installs)
    copied = [word for line in re.findall(r"^COPY (?!--from)(.*)$", text, re.MULTILINE) for word in line.split()[:-1]]
    assert "config" not in copied, "a settings file with passwords may lie there"
    assert all((ROOT / one).exists() for one in copied)
    assert {Path(one).name for one in copied if one.startswith("config/")} == CONFIG


def test_the_wheel_holds_what_runs_it_elsewhere(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation", "--no-index", "-w", tmp_path, ROOT]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    (wheel,) = tmp_path.glob("mailbot-*.whl")
    names = zipfile.ZipFile(wheel).namelist()
    assert {name.split("/")[3] for name in names if name.startswith("mailbot/_shipped/config/")} == CONFIG
    for name in ("config/languages/fr/wishes.yaml", "templates/fr/alert.txt.j2"):
        assert f"mailbot/_shipped/{name}" in names
