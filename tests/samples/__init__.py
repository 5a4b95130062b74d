"""What tests are tried on: an invented office, a pasted release, bounces of many mail systems."""
