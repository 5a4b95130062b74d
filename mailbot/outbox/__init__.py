"""Everything that we send goes through here."""
