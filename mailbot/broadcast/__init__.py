"""Announcements to the press list: planned, approved, held, sent, stopped and counted."""
