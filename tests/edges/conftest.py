"""The loopback relay, for every test here. Not in tests/conftest.py: the rules would have to load a mail server first."""

from tests.servers.relay import certificates, relay, trusting

__all__ = ["certificates", "relay", "trusting"]
