"""Rules of who is signed in."""
