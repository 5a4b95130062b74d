"""A web server on loopback whose path chooses what it does: a page, a redirect, too much, too slow, or something else altogether."""

import contextlib
import gzip
import socket
import ssl
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field

HTML = "text/html; charset=utf-8"



@dataclass
class Pages:
    """Where it listens, and what it answers: by path the whole answer, or its pieces."""

    port: int
    answers: dict[str, bytes] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    closing: threading.Event = field(default_factory=threading.Event)

    def url(self, path: str, host: str = "127.0.0.1", scheme: str = "http") -> str:
        """The address of one page."""
        return f"{scheme}://{host}:{self.port}{path}"

    def serve(self, path: str, body: bytes, kind: str = HTML, status: str = "200 OK", **headers: str) -> None:
        """Answer so from now on; `Content_Encoding="gzip"` is a header."""
        lines = [f"HTTP/1.1 {status}", f"Content-Type: {kind}", f"Content-Length: {len(body)}"]
        lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
        self.answers[path] = "\r\n".join(lines).encode() + b"\r\n\r\n" + body

    def packed(self, path: str, body: bytes) -> None:
        """Answer with the body gzipped."""
        self.serve(path, gzip.compress(body), Content_Encoding="gzip")


@contextlib.contextmanager
def serving(tls: ssl.SSLContext | None = None) -> Iterator[Pages]:
    """The server, until the end of the block."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        pages = Pages(listener.getsockname()[1])
        listener.settimeout(0.1)
        thread = threading.Thread(target=_accept, args=(listener, pages, tls))
        thread.start()
        try:
            yield pages
        finally:
            pages.closing.set()
            thread.join()


def _accept(listener: socket.socket, pages: Pages, tls: ssl.SSLContext | None) -> None:
    threads = []
    while not pages.closing.is_set():
        with contextlib.suppress(TimeoutError):
            connection, _ = listener.accept()
            threads.append(threading.Thread(target=_answer, args=(connection, pages, tls)))
            threads[-1].start()
    for thread in threads:
        thread.join()


def _answer(connection: socket.socket, pages: Pages, tls: ssl.SSLContext | None) -> None:
    """One request, one answer. `drip/...` gives an octet every 50 ms, for ever; `silent` gives nothing."""
    connection.settimeout(5)
    with contextlib.suppress(OSError), tls.wrap_socket(connection, server_side=True) if tls else connection as wire:
        request = b""
        while b"\r\n\r\n" not in request and (piece := wire.recv(65_536)):
            request += piece
        path = request.split(b" ")[1].decode() if request else ""
        pages.asked.append(path)
        if path == "/silent":
            pages.closing.wait()
        elif path == "/drip":
            wire.sendall(f"HTTP/1.1 200 OK\r\nContent-Type: {HTML}\r\n\r\n".encode())
            while not pages.closing.wait(0.05):
                wire.sendall(b"x")
        elif path == "/drip-head":
            wire.sendall(b"HTTP/1.1 200 OK\r\nX: ")
            while not pages.closing.wait(0.05):
                wire.sendall(b"x")
        else:
            wire.sendall(pages.answers.get(path, b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"))
