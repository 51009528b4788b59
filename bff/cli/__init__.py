"""The commands of `hitchpost`."""
