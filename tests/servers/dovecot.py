"""A throw-away Dovecot 2.3 on free loopback ports: IMAP, IMAP over TLS with its own CA, LMTP, passwords and tokens.

Dovecot refuses to run everything as root, so when the tests do, it runs as `nobody`, in a folder that nobody may enter.
"""

import base64
import grp
import hashlib
import hmac
import imaplib
import json
import math
import os
import shutil
import smtplib
import socket
import ssl
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psutil

from tests.servers import throwaway
from tests.servers.certificates import make_certificate

BINARY = shutil.which("dovecot") or "/usr/sbin/dovecot"
TOKEN_SECRET = b"a secret that only tests know, 32"
CONFIG = """
base_dir = {root}/run
state_dir = {root}/run
log_path = {root}/dovecot.log
protocols = imap lmtp
listen = 127.0.0.1
default_internal_user = {user}
default_internal_group = {group}
default_login_user = {user}
first_valid_uid = 1
first_valid_gid = 1
ssl = yes
ssl_cert = <{root}/server.pem
ssl_key = <{root}/server.key
ssl_dh =
disable_plaintext_auth = no
auth_mechanisms = plain login xoauth2
auth_failure_delay = 0
mail_location = maildir:{root}/mail/%u
mail_max_userip_connections = 500
imap_hibernate_timeout = 0
mail_fsync = never
passdb {{
  driver = oauth2
  mechanisms = xoauth2
  args = {root}/oauth2.conf
}}
passdb {{
  driver = passwd-file
  mechanisms = plain login
  args = scheme=PLAIN username_format=%u {root}/users/%u
}}
userdb {{
  driver = static
  args = uid={uid} gid={gid} home={root}/mail/%u allow_all_users=yes
}}
namespace inbox {{
  inbox = yes
  separator = {separator}
  prefix = {prefix}
  mailbox Junk {{
    special_use = \\Junk
    auto = create
  }}
  mailbox "Sent Items" {{
    special_use = \\Sent
    auto = create
  }}
}}
service imap-login {{
  chroot =
  inet_listener imap {{
    port = {imap_port}
  }}
  inet_listener imaps {{
    port = {imaps_port}
    ssl = yes
  }}
}}
service anvil {{
  chroot =
  unix_listener anvil-auth-penalty {{
    mode = 0
  }}
}}
service lmtp {{
  user = {user}
  inet_listener lmtp {{
    address = 127.0.0.1
    port = {lmtp_port}
  }}
}}
service auth {{
  user = {user}
  unix_listener auth-userdb {{
    mode = 0600
    user = {user}
  }}
}}
service auth-worker {{
  user = {user}
}}
service stats {{
  chroot =
}}
protocol lmtp {{
  postmaster_address = postmaster@example.org
}}
recipient_delimiter = +
"""


class Dovecot:
    """One server. `separator` and `prefix` are how it spells folders: "/" and none, or "." below INBOX as many hosts do."""

    host = "127.0.0.1"

    def __init__(self, separator: str = "/", prefix: str = "") -> None:
        self.root = Path(tempfile.mkdtemp(prefix="mailbot-dovecot-", dir="/tmp"))
        self.account = throwaway.account()
        self.ca = self.root / "ca.pem"
        self.imap_port, self.imaps_port, self.lmtp_port = _free_ports(3)
        self.process: subprocess.Popen[bytes] | None = None
        for folder in ("run", "mail", "users", "keys/default/HS256"):
            (self.root / folder).mkdir(parents=True)
        make_certificate(self.root)
        (self.root / "keys/default/HS256/default").write_bytes(base64.b64encode(TOKEN_SECRET))
        (self.root / "oauth2.conf").write_text(
            f"introspection_mode = local\nlocal_validation_key_dict = fs:posix:prefix={self.root}/keys/\n"
            "username_attribute = upn\nscope = IMAP.AccessAsApp\n"
        )
        (self.root / "dovecot.conf").write_text(CONFIG.format(
            root=self.root, user=self.account.pw_name, group=grp.getgrgid(self.account.pw_gid).gr_name,
            uid=self.account.pw_uid, gid=self.account.pw_gid,
            imap_port=self.imap_port, imaps_port=self.imaps_port, lmtp_port=self.lmtp_port, separator=separator, prefix=prefix,
        ))
        self._give_away(self.root)

    def start(self) -> None:
        command = throwaway.demoted([BINARY, "-F", "-c", self.root / "dovecot.conf"])
        with (self.root / "output").open("wb") as output:
            self.process = subprocess.Popen(command, cwd=self.root, stdin=subprocess.DEVNULL, stdout=output, stderr=output)
        end = time.monotonic() + 10
        while not all(_listens(port) for port in (self.imap_port, self.imaps_port, self.lmtp_port)):
            if self.process.poll() is not None or time.monotonic() > end:
                raise RuntimeError(f"dovecot does not start:\n{(self.root / 'output').read_text()}\n{self.log()}")
            time.sleep(0.02)        # the port opens when it opens: there is no event for it

    def stop(self) -> None:
        """An orderly end: every client is told BYE. (Its master alone would take six seconds to get round to that.)"""
        serving = self._serving()
        for process in serving:
            with suppress(psutil.NoSuchProcess):
                process.terminate()
        _wait_for_the_end(serving)
        self.kill()

    def kill(self) -> None:
        """The power is gone: no BYE, nothing flushed."""
        if self.process is not None:
            family = psutil.Process(self.process.pid).children(recursive=True) if self.process.poll() is None else []
            self.process.kill()
            _kill(family)
            self.process.wait(timeout=10)
            self.process = None

    def kill_imap(self) -> int:
        """Kill the processes that serve mailboxes; the server goes on. Returns how many there were."""
        serving = self._serving()
        _kill(serving)
        return len(serving)

    def remove(self) -> None:
        self.kill()
        shutil.rmtree(self.root, ignore_errors=True)

    def add_user(self, address: str, password: str = "secret") -> None:
        """One file each: Dovecot looks at most once a second whether a file has changed."""
        (self.root / "users" / address).write_text(f"{address}:{{PLAIN}}{password}::::::\n")

    def wipe(self) -> None:
        """Every mailbox away, as if it never was: new ones get another UIDVALIDITY."""
        for folder in (self.root / "mail").iterdir():
            self.remove_mails(folder.name)

    def remove_mails(self, address: str) -> None:
        """The same for one user."""
        shutil.rmtree(self.root / "mail" / address)

    def deliver(self, recipient: str, data: bytes, sender: str = "sender@example.net") -> None:
        with smtplib.LMTP(self.host, self.lmtp_port, timeout=20) as lmtp:
            lmtp.sendmail(sender, [recipient], data)

    def deliver_many(self, recipient: str, mails: Iterator[bytes] | list[bytes], sender: str = "sender@example.net") -> None:
        with smtplib.LMTP(self.host, self.lmtp_port, timeout=20) as lmtp:
            for data in mails:
                lmtp.sendmail(sender, [recipient], data)

    def put(self, address: str, folder: str, data: bytes, password: str = "secret") -> None:
        """A person's mail program keeps a mail in a folder."""
        with imaplib.IMAP4(self.host, self.imap_port, timeout=20) as program:
            program.login(address, password)
            said, what = program.append(f'"{folder}"', "", "", data)  # type: ignore[arg-type]  # an empty time is now
            if said != "OK":
                raise RuntimeError(f"{folder}: {what}")

    def mails(self, address: str, folder: str = "INBOX") -> list[bytes]:
        """What lies in a folder ("/" between names), oldest first, read from the disk."""
        maildir = self.root / "mail" / address
        if folder != "INBOX":
            maildir = maildir / ("." + folder.replace("/", "."))
        files = [file for name in ("new", "cur") if (maildir / name).is_dir() for file in (maildir / name).iterdir()]
        return [file.read_bytes() for file in sorted(files, key=lambda file: file.name)]

    def token(self, user: str, seconds: int = 600, scope: str = "IMAP.AccessAsApp") -> str:
        """An access token as the office's identity provider would give it; with negative seconds an expired one."""
        return access_token(user, seconds, scope)

    def ssl_context(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=str(self.ca))

    def log(self) -> str:
        log = self.root / "dovecot.log"
        return log.read_text(errors="replace") if log.exists() else ""

    def _serving(self) -> list[psutil.Process]:
        serving = []
        for child in psutil.Process(self.process.pid).children() if self.process is not None and self.process.poll() is None else []:
            with suppress(psutil.NoSuchProcess):
                if child.name() == "imap":
                    serving.append(child)
        return serving

    def _give_away(self, folder: Path) -> None:
        if os.getuid() == 0:
            for path in (folder, *folder.rglob("*")):
                os.chown(path, self.account.pw_uid, self.account.pw_gid)


def access_token(user: str, seconds: int = 600, scope: str = "IMAP.AccessAsApp") -> str:
    """A token that this server takes, for as long as it says; no two are the same."""
    def part(value: bytes) -> bytes:
        return base64.urlsafe_b64encode(value).rstrip(b"=")

    now = math.ceil(time.time())  # so that it holds no shorter than it says
    claims = {
        "sub": user, "upn": user, "scope": scope, "iat": now - 3600, "nbf": now - 3600, "exp": now + seconds, "jti": os.urandom(8).hex(),
        "long": "x" * 1200,  # as long as real ones are: longer than a command of SMTP may be
    }
    signed = part(b'{"alg":"HS256","typ":"JWT"}') + b"." + part(json.dumps(claims).encode())
    return (signed + b"." + part(hmac.new(TOKEN_SECRET, signed, hashlib.sha256).digest())).decode()


def holds(user: str, token: str, scope: str = "IMAP.AccessAsApp") -> bool:
    """Does such a token open this user's mailbox now?"""
    signed, _, given = token.rpartition(".")
    seal = base64.urlsafe_b64encode(hmac.new(TOKEN_SECRET, signed.encode(), hashlib.sha256).digest()).rstrip(b"=").decode()
    if given != seal:
        return False
    middle = signed.partition(".")[2]
    claims = json.loads(base64.urlsafe_b64decode(middle + "=" * (-len(middle) % 4)))
    return claims["upn"] == user and claims["scope"] == scope and claims["exp"] > time.time()


def dovecot_server(separator: str = "/", prefix: str = "") -> Iterator[Dovecot]:
    """The body of a fixture: a running server, gone afterwards."""
    if not Path(BINARY).exists():
        raise RuntimeError("these tests need Dovecot 2.3: apt-get install dovecot-imapd dovecot-lmtpd")
    server = Dovecot(separator, prefix)
    try:
        server.start()
        yield server
    finally:
        server.remove()


def _kill(processes: list[psutil.Process]) -> None:
    for process in processes:
        with suppress(psutil.NoSuchProcess):
            process.kill()
    _wait_for_the_end(processes)


def _wait_for_the_end(processes: list[psutil.Process]) -> None:
    """Until none runs. A dead one whom nobody has reaped yet is dead enough."""
    end = time.monotonic() + 10
    while time.monotonic() < end and any(_lives(process) for process in processes):
        time.sleep(0.01)        # not our children: nobody tells us


def _lives(process: psutil.Process) -> bool:
    try:
        return process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def _free_ports(count: int) -> list[int]:
    """Ports that were free a moment ago; all held at once, so that they differ."""
    held = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [one.getsockname()[1] for one in held]
    for one in held:
        one.close()
    return ports


def _listens(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True
