"""The public pages: what a link in one of our mails opens."""
