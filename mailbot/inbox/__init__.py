"""What arrives, and what we do about it."""
