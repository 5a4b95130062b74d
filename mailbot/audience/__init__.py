"""Who is on the press list, and who must not be written to."""
