"""Rules of the rules of this repository."""
