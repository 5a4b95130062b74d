"""Mails that a colleague has to answer, and what colleagues say to them."""
