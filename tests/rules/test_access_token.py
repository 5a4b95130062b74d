"""The laws of tokens: what a token server's answer means, when a token is renewed, and what is never repeated of an answer."""

import json
from base64 import urlsafe_b64encode
from datetime import UTC, datetime, timedelta

import pytest

from mailbot.oauth.access_token import AccessToken, TokenLater, TokenRefused, read_answer, roles, token_of

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


def body(**said: object) -> bytes:
    return json.dumps(said).encode()


@pytest.mark.parametrize("seconds", [3600, "3599", 3600.7])
def test_a_token_is_renewed_before_it_ends(seconds: object) -> None:
    token = read_answer(200, "", body(access_token="t0ken", token_type="bearer", expires_in=seconds), NOW)
    assert token.value == "t0ken"
    assert timedelta(seconds=3590) < token.ends_at - NOW <= timedelta(hours=1)
    assert token.ends_at - token.renew_at == timedelta(minutes=5)


def test_a_short_life_leaves_most_of_it_for_use() -> None:
    assert token_of("t", timedelta(seconds=10), NOW).renew_at == NOW + timedelta(seconds=8)


def test_no_token_is_believed_to_hold_for_ever() -> None:
    assert read_answer(200, "", body(access_token="t", expires_in=10**30), NOW).ends_at == NOW + timedelta(days=1)


@pytest.mark.parametrize(
    ("status", "retry_after", "expected"),
    [
        pytest.param(429, "7", 7.0, id="seconds"),
        pytest.param(503, "Mon, 23 Nov 2026 12:00:30 GMT", 30.0, id="a date"),
        pytest.param(503, "Mon, 23 Nov 2020 12:00:30 GMT", 0.0, id="a date that is over"),
        pytest.param(429, "99999999999999", 3600.0, id="for days: looked at again after an hour"),
        pytest.param(429, "soon", None, id="nonsense"),
        pytest.param(500, "", None, id="nothing"),
    ],
)
def test_a_busy_token_server_says_when_to_come_back(status: int, retry_after: str, expected: float | None) -> None:
    with pytest.raises(TokenLater) as caught:
        read_answer(status, retry_after, b"{}", NOW)
    assert caught.value.retry_after == expected


@pytest.mark.parametrize(
    ("status", "said", "named"),
    [
        pytest.param(401, {"error": "invalid_client", "error_description": "AADSTS7000215: x"}, "value, not its id", id="wrong secret"),
        pytest.param(401, {"error": "invalid_client", "error_description": "AADSTS7000222: The"}, "secret has ended", id="ended secret"),
        pytest.param(400, {"error": "unauthorized_client", "error_description": "AADSTS700016: x"}, "oauth.client_id", id="no such app"),
        pytest.param(400, {"error": "invalid_request", "error_description": "AADSTS90002: x"}, "oauth.tenant", id="no such tenant"),
        pytest.param(400, {"error": "invalid_scope"}, "oauth.scope", id="wrong scope"),
        pytest.param(403, {}, "ask IT", id="nothing said"),
        pytest.param(302, {}, "oauth.endpoint", id="a redirect"),
    ],
)
def test_a_refusal_says_what_to_do(status: int, said: dict[str, object], named: str) -> None:
    with pytest.raises(TokenRefused, match=named):
        read_answer(status, "", body(**said), NOW)


def test_of_a_refusal_nothing_is_repeated_but_its_name_and_number() -> None:
    said = body(error="s3cret value", error_description="AADSTS7000215: client_secret=s3cret", error_uri="s3cret")
    with pytest.raises(TokenRefused) as caught:
        read_answer(401, "", said, NOW)
    assert "s3cret" not in str(caught.value)
    assert "AADSTS7000215" in str(caught.value)


def test_a_token_is_not_shown() -> None:
    assert "t0ken" not in repr(token_of("t0ken", timedelta(hours=1), NOW))


def test_the_permissions_that_a_token_carries_are_read_and_nothing_else_breaks_on_them() -> None:
    def made(claims: object) -> AccessToken:
        middle = urlsafe_b64encode(json.dumps(claims).encode()).rstrip(b"=").decode()
        return token_of(f"e30.{middle}.sig", timedelta(hours=1), NOW)

    assert roles(made({"roles": ["IMAP.AccessAsApp"]})) == {"IMAP.AccessAsApp"}
    assert [roles(made(odd)) for odd in ({}, [], {"roles": 3}, None)] == [None] * 4
    assert roles(token_of("opaque", timedelta(hours=1), NOW)) is None
