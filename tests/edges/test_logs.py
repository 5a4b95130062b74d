"""The laws of the log: whatever a line is made of, no address stands in it in clear, and the same one always has the same name."""

import json
import logging

import pytest

from mailbot import logs

CANARY = "Awa.Traore+news@journal.example"


@pytest.mark.parametrize(
    ("text", "hidden"),
    [
        pytest.param(CANARY, CANARY, id="alone"),
        pytest.param(f"RCPT TO:<{CANARY}> refused", CANARY, id="in angle brackets"),
        pytest.param(f"'{CANARY}'", "journal.example", id="quoted"),
        pytest.param("o'brien@journal.example", "brien", id="an apostrophe"),
        pytest.param("bounce+awa=journal.example@office.example", "awa=journal", id="a return path that holds another"),
        pytest.param("awa@localhost", "awa", id="a host without a dot"),
        pytest.param("awa@[192.0.2.1]", "192.0.2.1", id="a host in numbers"),
        pytest.param("aïssata@journal.example", "ssata", id="beyond ASCII"),
        pytest.param("awa@journal.example,bob@journal.example", "bob", id="two in one word"),
        pytest.param("{'to': 'awa@journal.example'}", "awa", id="inside a mapping"),
    ],
)
def test_an_address_never_stands_in_clear(text: str, hidden: str) -> None:
    assert hidden in text
    assert hidden not in logs.without_addresses(text)


@pytest.mark.parametrize("text", ["nothing to hide", "a @ b", "12:30", "mail 12 of 40", "@everybody"])
def test_what_is_no_address_stays(text: str) -> None:
    assert logs.without_addresses(text) == text


def test_the_same_address_has_the_same_name_whatever_its_case() -> None:
    assert logs.without_addresses(CANARY) == logs.without_addresses(CANARY.upper())
    assert logs.without_addresses(CANARY) != logs.without_addresses("bob@journal.example")


@pytest.mark.parametrize("json_lines", [True, False], ids=["JSON", "a terminal"])
def test_every_way_into_the_log_is_covered(json_lines: bool, capfd: pytest.CaptureFixture[str]) -> None:
    import structlog

    handlers, level = logging.root.handlers[:], logging.root.level
    try:
        logs.set_up(json_lines=json_lines)
        log = structlog.get_logger()
        log.info("event", to=CANARY, many=[CANARY], nested={"to": CANARY}, number=3, octets=CANARY.encode(), thing=ValueError(CANARY))
        log.info(f"said to {CANARY}")
        logging.getLogger("a.library").warning("it says %s", CANARY)
        try:
            raise ValueError(CANARY)
        except ValueError:
            log.exception("fault")
            logging.getLogger("a.library").exception("fault of %s", CANARY)
    finally:
        structlog.reset_defaults()
        logging.root.handlers[:] = handlers
        logging.root.setLevel(level)
    said = capfd.readouterr()
    assert said.out == ""
    assert "journal.example" not in said.err
    name = logs.without_addresses(CANARY)
    assert said.err.count(name) >= 9
    if json_lines:
        lines = [json.loads(line) for line in said.err.splitlines()]
        assert [line["level"] for line in lines] == ["info", "info", "warning", "error", "error"]
        assert lines[0]["number"] == 3
        assert all("timestamp" in line for line in lines)
