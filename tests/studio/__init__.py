"""Rules of what the Studio edits."""
