"""Mails that the project wrote, each with the decision it must get."""
