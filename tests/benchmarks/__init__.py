"""What README says about speed, measured: one file a figure. Never asserted, never part of `make test`."""
