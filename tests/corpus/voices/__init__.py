"""Mails of people whose words nobody here chose, each with what it wants: the material of test_voices."""
