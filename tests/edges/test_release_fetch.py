"""A page is fetched from the open internet alone and within bounds; all else is a clear sentence. An argument lets tests use loopback."""

import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest

from mailbot.releases.fetch import Limits, NotFetched, fetch
from mailbot.releases.page import MAX_BYTES
from mailbot.releases.public_address import is_public
from tests.servers.pages import Pages, serving

LOOPBACK = Limits(seconds=5, allows=lambda place: place in ("127.0.0.1", "::1"))
PAGE = "<!doctype html><title>Été</title>".encode()


@pytest.fixture(scope="module")
def pages() -> Iterator[Pages]:
    with serving() as server:
        server.serve("/page", PAGE)
        _serve_trouble(server)
        yield server


def _serve_trouble(pages: Pages) -> None:
    pages.serve("/large", b"x" * 50_000_000)
    pages.packed("/bomb", b"\x00" * (MAX_BYTES * 20))
    pages.serve("/damaged", b"no gzip", Content_Encoding="gzip")
    pages.packed("/whole", PAGE * 100)
    pages.answers["/part"] = pages.answers["/whole"].replace(b"Content-Length", b"X-Length")[:-20]
    pages.answers["/short"] = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 99\r\n\r\nx"
    pages.serve("/odd", b"x", Content_Encoding="br")
    pages.serve("/pdf", b"%PDF-", kind="application/pdf")
    pages.serve("/untyped", b"x", kind="")
    pages.serve("/closed", b"", status="403 Forbidden")
    pages.serve("/busy", b"", status="503 Service Unavailable")
    pages.answers["/garbage"] = b"220 mail.example ESMTP\r\n"


def refusal(address: str, limits: Limits = LOOPBACK) -> str:
    with pytest.raises(NotFetched) as refused:
        fetch(address, limits)
    return str(refused.value)


@pytest.mark.parametrize(
    "place",
    ["127.0.0.1", "127.8.8.8", "0.0.0.0", "10.1.2.3", "172.16.0.1", "192.168.1.1", "100.64.0.1", "169.254.169.254", "192.0.0.8",
     "224.0.0.1", "255.255.255.255", "198.18.0.1", "::1", "::", "::127.0.0.1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "2002:7f00:1::",
     "64:ff9b::7f00:1",
     "64:ff9b::a00:1", "64:ff9b:1::1", "2001::1", "fe80::1", "fe80::1%lo", "fec0::1", "fd00::1", "ff02::1", "2001:db8::1", "localhost", ""],
)  # fmt: skip
def test_what_is_not_out_in_the_world_is_not_public(place: str) -> None:
    assert not is_public(place)


@pytest.mark.parametrize("place", ["93.184.215.14", "8.8.8.8", "2606:2800:21f:cb07:6820:80da:af6b:8b2c", "64:ff9b::808:808"])
def test_what_is_out_in_the_world_is_public(place: str) -> None:
    assert is_public(place)


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", "localhost", "127.1", "0x7f.1", "2130706433", "0177.0.0.1", "[::1]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "0.0.0.0",
     "LOCALHOST.", "127。0。0。1"],
)  # fmt: skip
def test_nothing_leads_into_this_machine_however_it_is_spelt(pages: Pages, host: str) -> None:
    before = len(pages.asked)
    said = refusal(pages.url("/page", host), Limits(seconds=5))
    assert "private network" in said or "There is no" in said
    assert len(pages.asked) == before


@pytest.mark.parametrize(
    "address",
    ["file:///etc/passwd", "gopher://example.org/", "ftp://example.org/x", "http://", "https:///x", "http://user:secret@example.org/",
     "http://evil\\@example.org/", "http://example.org\r\nX: y/", "http://exa mple.org/", "http://example.org:99999/", "http://[::1/",
     "http://[fe80::1%25lo]/", "page.example", "http://\u202e.example/"],
)  # fmt: skip
def test_what_is_no_address_of_a_page_is_refused(address: str) -> None:
    assert "is not the address of a page" in refusal(address)


def test_a_page_comes_with_the_address_where_it_was(pages: Pages) -> None:
    pages.serve("/old", b"", status="301 Moved", Location="/new%20place?x=1")
    pages.serve("/new%20place?x=1", PAGE)
    assert fetch(pages.url("/old"), LOOPBACK) == (pages.url("/new%20place?x=1"), b"\xef\xbb\xbf" + PAGE)


def test_the_charset_that_the_server_names_is_undone(pages: Pages) -> None:
    pages.serve("/latin", "<html>Été</html>".encode("latin-1"), kind="text/html; charset=ISO-8859-1")
    assert fetch(pages.url("/latin"), LOOPBACK)[1].decode("utf-8-sig") == "<html>Été</html>"


def test_a_packed_page_is_unpacked(pages: Pages) -> None:
    pages.packed("/packed", b"<html>" + b"mot " * 100_000)
    assert len(fetch(pages.url("/packed"), LOOPBACK)[1]) == 400_009


@pytest.mark.parametrize(
    ("where", "said"),
    [
        ("http://169.254.169.254/latest/", "private network"),
        ("http://10.0.0.1/", "private network"),
        ("file:///etc/passwd", "not the address of a page"),
        ("http://[", "an address that is none"),
        ("/loop", "never to a page"),
        ("/further", "never to a page"),
    ],
)
def test_each_redirect_is_asked_as_the_first_address_was(pages: Pages, where: str, said: str) -> None:
    pages.serve("/away", b"", status="302 Found", Location=where)
    pages.serve("/loop", b"", status="302 Found", Location="/away")
    for number in range(9):
        pages.serve("/further" + "r" * number, b"", status="307 Temporary Redirect", Location="/further" + "r" * (number + 1))
    assert said in refusal(pages.url("/away"))


def test_a_name_is_resolved_once_and_the_connection_goes_to_that_very_address(pages: Pages) -> None:
    asked: list[str] = []

    def only_once(place: str) -> bool:
        asked.append(place)
        return len(asked) == len(set(asked))

    fetch(pages.url("/page", "localhost"), Limits(seconds=5, allows=only_once))
    assert "127.0.0.1" in asked


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("/large", "more than 3 MB"), ("/bomb", "more than 3 MB"), ("/damaged", "came damaged"), ("/part", "in part only"),
        ("/short", "cannot be reached"), ("/garbage", "cannot be reached"), ("/odd", "not asked for"), ("/untyped", "no type"),
        ("/pdf", "is no web page but application/pdf"), ("/missing", "There is no page"), ("/closed", "not open to everybody"),
        ("/busy", "Try again later"),
    ],
)  # fmt: skip
def test_what_is_no_page_of_a_release_is_a_clear_sentence(pages: Pages, path: str, said: str) -> None:
    assert said in refusal(pages.url(path))


@pytest.mark.parametrize("path", ["/silent", "/drip", "/drip-head"])
def test_a_slow_server_is_left_when_the_time_is_over_however_it_dribbles(pages: Pages, path: str) -> None:
    assert "took longer than 0.4 seconds" in refusal(pages.url(path), Limits(seconds=0.4, allows=LOOPBACK.allows))


def test_nobody_at_the_other_end_is_told() -> None:
    assert "cannot be reached" in refusal("http://127.0.0.1:1/")


def test_a_name_that_there_is_not_is_told() -> None:
    assert "There is no nowhere.invalid" in refusal("https://nowhere.invalid/x")


def test_https_is_believed_by_its_certificate_alone(certificates: Path) -> None:
    server = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    server.load_cert_chain(certificates / "server.pem", certificates / "server.key")
    trusted = ssl.create_default_context(cafile=str(certificates / "ca.pem"))
    with serving(server) as secure:
        secure.serve("/page", PAGE)
        secure.serve("/down", b"", status="302 Found", Location="http://127.0.0.1:1/")
        at = secure.url("/page", "localhost", "https")
        assert fetch(at, Limits(allows=LOOPBACK.allows, authorities=trusted))[1].endswith(PAGE)
        assert "cannot prove that it is localhost" in refusal(at)
        down = secure.url("/down", "localhost", "https")
        assert "without https" in refusal(down, Limits(allows=LOOPBACK.allows, authorities=trusted))
