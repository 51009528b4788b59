"""Rules of what is connected in an account."""
