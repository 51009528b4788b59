"""Rules of the client of the partner service."""
