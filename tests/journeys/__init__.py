"""The flows end to end: request, hand-off, crash."""
