"""Prints a page of HTML as a PDF, by WeasyPrint in a process of its own: it may take long, eat memory or die, and we go on.

Nothing is fetched, neither from the network nor from this machine's files: a page is what its HTML says, in the fonts that are installed.
WeasyPrint is the optional extra `pdf`, and needs Pango from the system; where either is missing, no mail offers a PDF.
"""

import asyncio
import contextlib
import ctypes
import resource
import sys
from importlib.util import find_spec

SECONDS = 30.0  # starting WeasyPrint takes one or two of them, a release well under one
MEMORY_OCTETS = 1 << 30
MOST_OCTETS = 5 << 20
PANGO = ("libpangoft2-1.0.so.0", "libpangoft2-1.0.dylib")  # brings the other libraries along


class NotPrinted(Exception):
    """No PDF came of a page; the argument says why."""


def available() -> bool:
    """Can this machine print? Looks for what is needed without loading WeasyPrint, which takes a second."""
    return find_spec("weasyprint") is not None and any(_loads(library) for library in PANGO)


def _loads(library: str) -> bool:
    try:
        ctypes.CDLL(library)
    except OSError:
        return False
    return True


async def print_pdf(html: str, seconds: float = SECONDS) -> bytes:
    """The page as a tagged PDF. Raises NotPrinted."""
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-m", __name__,
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL, start_new_session=True,
    )  # fmt: skip
    try:
        async with asyncio.timeout(seconds):
            printed, _ = await child.communicate(html.encode())
    except TimeoutError:
        raise NotPrinted(f"it took longer than {seconds:g} s") from None
    finally:
        if child.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                child.kill()
            await child.wait()
    if child.returncode != 0 or not printed.startswith(b"%PDF-"):
        raise NotPrinted(f"WeasyPrint ended with {child.returncode}")
    if len(printed) > MOST_OCTETS:
        raise NotPrinted(f"it has {len(printed)} octets, more than {MOST_OCTETS}")
    return printed


def _print(html: str) -> bytes:
    from weasyprint import HTML
    from weasyprint.urls import URLFetcher

    page = HTML(string=html, url_fetcher=URLFetcher(allowed_protocols=()))
    return bytes(page.write_pdf(pdf_variant="pdf/ua-1", optimize_images=False))


if __name__ == "__main__":
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_OCTETS, MEMORY_OCTETS))
    printed = _print(sys.stdin.buffer.read().decode())
    sys.stdout.buffer.write(printed)
