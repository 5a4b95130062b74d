"""Laws of trust: only what our own server wrote on top, about the one address in From, and word for word, is a pass."""

import pytest

from mailbot.message.authentication import Authentication, authentication
from mailbot.message.incoming import IncomingMessage, parse

OURS = "mx.agency.int"
PASS = f"{OURS}; spf=pass smtp.mailfrom=awa@paper.org; dkim=pass header.d=paper.org; dmarc=pass (p=none dis=none) header.from=paper.org"


def mail(*results: str, sender: str = "From: Awa <awa@paper.org>") -> IncomingMessage:
    fields = "".join(f"Authentication-Results: {result}\r\n" for result in results)
    message = parse(f"{fields}{sender}\r\nTo: media@agency.int\r\n\r\nBonjour".encode())
    assert isinstance(message, IncomingMessage)
    return message


@pytest.mark.parametrize(("result", "expected"), [
    (PASS, "pass"),
    (PASS.upper().replace("PAPER.ORG", "paper.org"), "pass"),
    ("MX.agency.INT 1; dmarc=pass header.from=Paper.ORG", "pass"),
    (f"{OURS} (our (own) server); dmarc = pass (a;b) header.from = paper.org", "pass"),
    (f'"{OURS}"; dmarc=pass reason="say; \\"hi\\"" header.from="paper.org"', "pass"),
    (f"{OURS};\r\n\tspf=none;\r\n\tdmarc/1=pass\r\n header.from=paper.org", "pass"),
    (f"{OURS}; dmarc=pass header.from=awa@paper.org", "pass"),
    (f"{OURS}; dmarc=fail header.from=paper.org", "fail"),
    (f"{OURS}; dmarc=temperror header.from=paper.org", "temperror"),
    (f"{OURS}; dmarc=permerror header.from=paper.org", "none"),
    (f"{OURS}; dmarc=bestguesspass header.from=paper.org", "none"),
    (f"{OURS}; dmarc=none header.from=paper.org", "none"),
    (f"{OURS}; spf=pass smtp.mailfrom=awa@paper.org; dkim=pass header.d=paper.org", "none"),
    (f"{OURS}; none", "none"),
    (f"{OURS}; dmarc=pass", "none"),
    (f"{OURS}; dmarc=pass header.from=evil.org", "fail"),
    (f"{OURS}; dmarc=pass header.from=sub.paper.org", "fail"),
    (f"{OURS}; dmarc=pass header.from=paper.org header.from=evil.org", "fail"),
    (f"{OURS}; dmarc=pass header.from=paper.org; dmarc=fail header.from=evil.org", "none"),
    (f"{OURS}; (dmarc=pass header.from=paper.org)", "none"),
    (f'{OURS}; spf=none reason="; dmarc=pass header.from=paper.org"', "none"),
    (f"{OURS}; spf=none (; dmarc=pass header.from=paper.org", "none"),
    (f'{OURS}; spf=none "; dmarc=pass header.from=paper.org', "none"),
    (f"{OURS}); dmarc=pass header.from=paper.org", "none"),
    (f"{OURS}; dmarc=pass header.from=paper.org ?", "none"),
    (f"{OURS}.evil.org; dmarc=pass header.from=paper.org", "none"),
    (f"evil.org ({OURS}); dmarc=pass header.from=paper.org", "none"),
    (f"evil.org/{OURS}; dmarc=pass header.from=paper.org", "none"),
    ("dmarc=pass header.from=paper.org", "none"),
    ("", "none"),
    ("; ; ;", "none"),
    (f"{OURS}; " + "x=y; " * 5000 + "dmarc=pass header.from=paper.org", "none"),
], ids=lambda value: value[:60])
def test_the_verdict_is_read_word_for_word(result: str, expected: str) -> None:
    assert authentication(mail(result), OURS) == Authentication(expected)


@pytest.mark.parametrize("results", [
    ("evil.org; dmarc=pass header.from=paper.org", PASS),
    (f"{OURS}; dmarc=none header.from=paper.org", PASS),
    (f"{OURS}; spf=pass", PASS),
], ids=("a stranger's on top", "ours says none", "ours says nothing"))
def test_only_the_topmost_field_counts(results: tuple[str, ...]) -> None:
    assert authentication(mail(*results), OURS) is Authentication.NONE


def test_a_forged_field_below_ours_changes_nothing() -> None:
    assert authentication(mail(f"{OURS}; dmarc=fail header.from=paper.org", PASS), OURS) is Authentication.FAIL


def test_without_a_configured_id_nothing_is_believed() -> None:
    assert authentication(mail(PASS), "") is Authentication.NONE
    assert authentication(mail(), OURS) is Authentication.NONE


def test_topmost_believes_the_first_field_without_an_id_as_exchange_online_writes_it() -> None:
    exchange = ("spf=pass (sender IP is 192.0.2.1)\r\n smtp.mailfrom=paper.org; dkim=pass (signature was verified)\r\n header.d=paper.org;"
                "dmarc=pass action=none\r\n header.from=paper.org;compauth=pass reason=100")
    assert authentication(mail(exchange), "topmost") is Authentication.PASS
    assert authentication(mail(exchange), OURS) is Authentication.NONE
    assert authentication(mail("spf=none; dmarc=none", exchange), "topmost") is Authentication.NONE


@pytest.mark.parametrize("sender", [
    "From: awa@paper.org\r\nFrom: evil@evil.org",
    "From: evil@evil.org\r\nFrom: awa@paper.org",
    "From: awa@paper.org, evil@evil.org",
    "From: awa@paper.org, not an address",
    "From : awa@paper.org",
    "From: evil@evil.org <awa@paper.org>",
    "From: <evil@evil.org><awa@paper.org>",
    "From: (evil@evil.org) awa@paper.org",
    "From: Press: awa@paper.org;",
    "From: =?utf-8?q?awa?=@paper.org",
    "From: awa@paper.org\0",
    "Subject: no sender at all",
])
def test_a_sender_who_could_be_two_never_passes(sender: str) -> None:
    assert authentication(mail(PASS, sender=sender), OURS) is not Authentication.PASS
