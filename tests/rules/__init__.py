"""Laws of the pure core: no fixtures, no I/O; the whole folder in two seconds."""
