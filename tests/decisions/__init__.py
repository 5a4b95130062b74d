"""What becomes of a mail: the whole of `decide`, pure, on mails as they come."""
