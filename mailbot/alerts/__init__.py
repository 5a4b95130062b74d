"""What is wrong with mailbot itself, told once to who looks after it, and once more when it is well again."""
