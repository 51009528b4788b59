"""What an account has installed: its rows, its properties, its grant's state, and how its sign-ins ended."""
