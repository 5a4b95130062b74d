"""Who is on the press list, since when and by whose wish; and who must not be written to."""
