"""Releases: what they are and when they are public, read from files, kept, and found again by the words of a mail."""
