"""What is connected in an account."""
