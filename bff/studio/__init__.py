"""What the Studio edits, and who may."""
