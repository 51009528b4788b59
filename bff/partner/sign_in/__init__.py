"""The browser's way through a sign-in at the embedded partner service."""
