"""mailbot runs an organisation's press mailbox."""

__version__ = "0.1.0"
