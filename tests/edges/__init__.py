"""Each protocol and store against its real counterpart on loopback."""
