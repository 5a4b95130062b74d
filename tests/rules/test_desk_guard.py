"""Who may come near the desk: our own host, our own page, the right token; and who it is that asks, behind proxies."""

import pytest

from mailbot.web.desk.guard import client_of, is_our_host, is_same_site, is_token, token_of

OURS = "https://press.example"


@pytest.mark.parametrize(("headers", "may"), [
    ({"origin": OURS}, True), ({"origin": "https://PRESS.example"}, True), ({"referer": f"{OURS}/desk"}, True),
    ({"origin": OURS, "sec-fetch-site": "same-origin"}, True), ({"origin": OURS, "sec-fetch-site": "same-site"}, False),
    ({"origin": "http://press.example"}, False), ({"origin": "https://press.example.evil"}, False), ({"origin": "null"}, False),
    ({"origin": "https://press.example:444"}, False), ({"origin": ""}, False), ({}, False), ({"sec-fetch-site": "same-origin"}, False),
])  # fmt: skip
def test_a_form_comes_from_a_page_of_ours(headers: dict[str, str], may: bool) -> None:
    assert is_same_site(headers, OURS) is may


@pytest.mark.parametrize(
    ("host", "may"), [("press.example", True), ("PRESS.example", True), ("", False), ("press.example:80", False), ("x", False)]
)
def test_only_the_address_that_we_give_out_is_ours(host: str, may: bool) -> None:
    assert is_our_host(host, OURS) is may


def test_an_empty_token_is_never_right() -> None:
    right = token_of(b"secret", "session")
    assert is_token(right, right)
    wrong = (("", ""), ("", right), (right, ""), ("é", right), (token_of(b"secret", ""), right))
    assert not any(is_token(given, kept) for given, kept in wrong)


@pytest.mark.parametrize(("peer", "forwarded", "client"), [
    ("203.0.113.9", "198.51.100.1", "203.0.113.9"), ("10.0.0.1", "198.51.100.1", "198.51.100.1"), ("10.0.0.1", "", "10.0.0.1"),
    ("10.0.0.1", "1.2.3.4, 198.51.100.1", "198.51.100.1"), ("10.0.0.1", "1.2.3.4, 198.51.100.1, 10.0.0.2", "198.51.100.1"),
], ids=["no proxy of ours", "behind one", "it says nothing", "who asks claims more", "behind two"])  # fmt: skip
def test_a_forwarding_header_is_believed_from_our_proxies_alone(peer: str, forwarded: str, client: str) -> None:
    assert client_of(peer, forwarded, {"10.0.0.1", "10.0.0.2"}) == client
