"""The loopback mail world of `mailbot demo`: real protocols, no account; nothing leaves the process."""
