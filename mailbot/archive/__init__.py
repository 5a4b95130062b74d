"""What is kept and for how long, who is forgotten, and the numbers that are left."""
