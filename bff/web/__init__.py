"""The HTTP layer: a folder for each kind of caller."""
