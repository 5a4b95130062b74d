"""An e-mail as a value: reading what arrives, building what we send; all pure."""
