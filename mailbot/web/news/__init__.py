"""The newsroom: what anybody may read of the office's releases, verify, and ask to be sent."""
